"""Trees for EFI system partitions: where firmware finds a boot loader, and what that one reads.

A machine's UEFI firmware starts /EFI/BOOT/BOOTX64.EFI of a disk that it knows nothing else about
(UEFI specification 3.5.1.1): the removable path, the only one that an image can rely on.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from builders import mtree, pack
from builders.errors import BuilderError
from builders.merge import merge
from builders.registry import STORE_PREFIX, Build, builder
from builders.tree import Content, Entry, content_reader

REMOVABLE = "EFI/BOOT/BOOTX64.EFI"
"""What the firmware of a 64-bit PC starts."""

_MOST_LINKS = 40  # as the kernel's limit


class NotInItem(BuilderError):
    """An item of the store lacks a file that goes to the EFI system partition."""


class BadEspFile(BuilderError):
    """A file for the EFI system partition is described in a way that makes no sense."""


def find(build: Build, source: str) -> Entry:
    """The file with the store path `source`: an item, a file of a loose item, or one of a tree's.

    Symbolic links inside a tree are followed. Raise NotInItem.
    """
    real = build.real(source)
    if real.is_file():
        size = real.stat().st_size
        return Entry(source, "f", 0o644, size=size, ref=Content(source) if size else None)
    names = source[len(STORE_PREFIX) + 1 :].split("/")
    item, path = f"{STORE_PREFIX}/{names[0]}", "/".join(names[1:])
    if path and build.real(f"{item}/manifest").is_file():
        found = _member(mtree.read_item(build.real(item), item), path)
        if found is not None:
            return found
    raise NotInItem(f"there is no file {source}")


def _member(tree: Sequence[Entry], path: str) -> Entry | None:
    entries = {entry.path: entry for entry in tree}
    for _ in range(_MOST_LINKS):
        entry = entries.get(path)
        if entry is None or entry.kind == "f":
            return entry
        if entry.kind == "h":
            path = str(entry.ref)
        elif entry.kind == "l":
            target = posixpath.join("/", posixpath.dirname(path), str(entry.ref))
            path = posixpath.normpath(target).lstrip("/")
        else:
            return None
    return None


def find_in(build: Build, items: Sequence[str], path: str, package: str) -> bytes:
    """The content of the file `path`, relative, of the first of `items` that has it.

    `package` is Debian's that brings it. Raise NotInItem.
    """
    for item in items:
        try:
            return content_reader(build.real)(find(build, f"{item}/{path}"))
        except NotInItem:
            continue
    raise NotInItem(
        f"none of {', '.join(items) or 'no packages'} has the file {path}",
        hint=f"Debian's package {package} brings it",
    )


def described(build: Build, files: Sequence[Mapping[str, Any]]) -> dict[str, bytes | Entry]:
    """Contents by path of `files`, the argument of that name of the builder "esp".

    Raise BadEspFile, NotInItem.
    """
    found: dict[str, bytes | Entry] = {}
    for file in files:
        path = str(file.get("path") or "")
        if sorted(set(file) - {"path"}) not in (["source"], ["text"]):
            raise BadEspFile(f"the file {path} needs either a text or a source, and nothing else")
        content = file["text"].encode() if "text" in file else find(build, file["source"])
        add(found, path, content)
    return found


def add(files: dict[str, bytes | Entry], path: str, content: bytes | Entry) -> None:
    """Put one more file among `files`; raise BadEspFile when its place is taken, or is none."""
    names = path.split("/")
    if any(name in ("", ".", "..") for name in names):
        raise BadEspFile(f"{path!r} is no path of a file, relative to its partition")
    if path.upper() in map(str.upper, files):
        raise BadEspFile(f"two files are to be /{path}", hint="FAT knows no upper and lower case")
    files[path] = content


def write(build: Build, files: Mapping[str, bytes | Entry]) -> None:
    """Make the output: an item with a tree (manifest and pack) of `files`.

    An entry's content stays where it is; its name and time do not count.
    """
    now = build.epoch * 1_000_000_000
    build.output.mkdir()
    entries = []
    with pack.PackWriter(build.output / pack.NAME) as writer:
        for path, content in sorted(files.items()):
            if isinstance(content, bytes):
                ref = writer.add([content]) if content else None
                entries.append(Entry(path, "f", 0o644, mtime=now, size=len(content), ref=ref))
            else:
                size, reference = content.size, content.ref
                entries.append(Entry(path, "f", 0o644, mtime=now, size=size, ref=reference))
    tree = merge([Entry("", "d", 0o755, mtime=now)], entries, time=now)
    manifest = mtree.write(tree, build.logical)
    (build.output / "manifest").write_text(manifest, "ascii")


@builder("esp")
def esp(build: Build) -> None:
    """Make an item with the tree of an EFI system partition. Arguments:

    files   list of
        path    relative; directories are made
        text    the content, or
        source  the store path of a file, or the path of a file in an item with a tree or with loose
                files: "/kiln/store/…-root/boot/vmlinuz-6.1.0"

    Raise BadEspFile, NotInItem, and what merge raises.
    """
    write(build, described(build, build.arguments["files"]))
