"""The builder "archive-image": a tree as an archive or as a container image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from builders import cpio
from builders.errors import BuilderError
from builders.formats import layers, tar, wsl
from builders.formats.container import Container, docker, write_oci
from builders.mtree import read_item
from builders.plan import uncollected
from builders.registry import Build, builder
from builders.sinks import codecs, compress, output, raw, stream
from builders.tree import Entry, content_reader

FORMATS = ("tar", "docker", "oci", "wsl2", "cpio")
_ARGUMENTS = {
    *("format", "tree", "compression", "level", "drop_xattrs"),
    *("max_layers", "name", "tag", "command", "environment", "architecture"),
}
_CONTAINERS = ("docker", "oci")


class BadArchive(BuilderError):
    """The arguments do not describe an archive of a tree."""


@builder("archive-image")
@uncollected()
def archive_image(build: Build) -> None:
    """Write a tree as one file, or as a directory (OCI). Arguments:

    format       "tar"     a tarball of the tree
                 "wsl2"    one for `wsl --import`, with an /etc/wsl.conf if the tree has none
                 "docker"  an archive for `docker load`
                 "oci"     a directory, an OCI image layout
                 "cpio"    a newc archive, as kernels unpack it
    tree         store path of an item with a manifest
    compression  "gzip", "zstd", "xz" or null: of the file; of the layers of an OCI layout ("gzip",
                 "zstd" or null); null: none
    level        the compression's own scale; null: what is worth its time
    drop_xattrs  true: leave extended attributes out, with file capabilities; "cpio" cannot hold any

    and of containers only, all optional:
    name         "kiln" by default;  tag  "latest" by default
    max_layers   how many layers there may be; null: one
    command      list of words; ["/sbin/init"] by default
    environment  table of what it gets besides PATH
    architecture "amd64" by default

    Raise BadArchive, compress.UnknownCompression, container.BadReference, tar.NotInTar,
    cpio.NotInCpio, and what the sinks raise.
    """
    arguments = build.arguments
    _check(arguments)
    tree = read_item(build.real(arguments["tree"]), arguments["tree"])
    if arguments.get("drop_xattrs"):
        tree = [entry._replace(xattrs=None) for entry in tree]
    _write(build, arguments["format"], tree, arguments.get("compression"))


def _check(arguments: Mapping[str, Any]) -> None:
    for key in arguments:
        if key not in _ARGUMENTS:
            known = ", ".join(sorted(_ARGUMENTS))
            raise BadArchive(f"an archive is described with {key!r}", hint=f"it can have {known}")
    if arguments.get("format") not in FORMATS:
        raise BadArchive(
            f"archives of the format {arguments.get('format')} cannot be written",
            hint=f"known: {', '.join(FORMATS)}",
        )
    compression = arguments.get("compression")
    if compression is not None:
        compress.find(compression)
    elif arguments.get("level") is not None:
        raise codecs.LevelWithoutCompression(arguments["level"])
    most = arguments.get("max_layers")
    if most is not None and (not isinstance(most, int) or most < 1):
        raise BadArchive(f"an image cannot have at most {most} layers", hint="1 or more, or null")


def _write(build: Build, kind: str, tree: Sequence[Entry], compression: str | None) -> None:
    level = build.arguments.get("level")
    if kind in _CONTAINERS:
        container = _container(build)
        trees = layers.split(tree, build.arguments.get("max_layers") or 1)
        plans = [tar.plan(each) for each in trees]
        if kind == "oci":
            write_oci(
                container, plans, build.output, build.real, build.progress,
                compression=compression, level=level,
            )  # fmt: skip
        else:
            pieces = docker(container, plans, build.real, build.progress)
            _write_pieces(build, pieces, compression, compress.compress)
    elif kind == "cpio":
        pieces = cpio.archive(tree, content_reader(build.real))
        _write_pieces(build, pieces, compression, compress.for_kernels)
    else:
        if kind == "wsl2":
            tree = wsl.configured(tree, build.epoch)
        plan = tar.plan(tree)
        if compression is None:
            raw.write(plan, build.output, build.real, build.progress)
        else:
            output.write_compressed(
                plan, build.output, build.real, build.progress,
                compression=compression, level=level,
            )  # fmt: skip


def _container(build: Build) -> Container:
    arguments = build.arguments
    given = {
        key: arguments[key]
        for key in ("tag", "architecture", "environment")
        if arguments.get(key) is not None
    }
    if arguments.get("command") is not None:
        given["command"] = tuple(arguments["command"])
    return Container(arguments.get("name") or "kiln", created=build.epoch, **given)


def _write_pieces(
    build: Build,
    pieces: Iterable[bytes | bytearray],
    compression: str | None,
    pack: Callable[[compress.Pieces, str, int | None], Iterator[bytes]],
) -> None:
    if compression is None:
        output.write_pieces(stream.regroup(pieces), build.output)
    else:
        packed = pack(pieces, compression, build.arguments.get("level"))
        output.write_pieces(packed, build.output)
