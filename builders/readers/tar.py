"""Reads tar archives, and container images in them: the archives of docker and of OCI layouts."""

from __future__ import annotations

from collections.abc import Iterator

from builders.debian.tar import DamagedTar, Header, Stream, headers
from builders.readers import layers, starts
from builders.readers.archive import Archive, Content, normal
from builders.readers.source import DamagedImage, NotReadable, Source
from builders.tree import Entry, Kind, path_bytes

_CHUNK = 1 << 20
_KINDS: dict[bytes, Kind] = {
    b"\0": "f",
    b"0": "f",
    b"7": "f",
    b"2": "l",
    b"3": "c",
    b"4": "b",
    b"5": "d",
    b"6": "p",
}
_HARD_LINK = b"1"


def recognises(source: Source) -> bool:
    """Whether there is the header of an archive."""
    return starts(source, 257, b"ustar")


def open_source(source: Source) -> Archive:
    """The files in the archive; of a container image, those in its layers. Raises DamagedImage."""
    archive = Archive("tar")
    fill(archive, source)
    return layers.of_archive(archive, fill) or archive


def fill(archive: Archive, source: Source, *, layer: bool = False) -> None:
    """Add what is in a tar archive; of a `layer`, take away what it says. Raises DamagedImage."""
    try:
        for header in headers(Stream(_chunks(source))):
            if not (layer and layers.is_whiteout(archive, normal(header.path))):
                _add(archive, header, source)
    except DamagedTar as error:
        raise DamagedImage(f"the tar archive {error}") from None


def _add(archive: Archive, header: Header, source: Source) -> None:
    path = normal(header.path)
    if header.type == _HARD_LINK:
        archive.add_link(path, normal(header.link))
        return
    kind = _KINDS.get(header.type)
    if kind is None:
        raise NotReadable(f"/{path} is of a type in the tar archive that Kiln does not read")
    if kind == "f" and header.path.endswith("/"):
        kind = "d"
    ref: str | tuple[int, int] | None = None
    size = header.size if kind == "f" else 0
    if kind == "l":
        ref, size = header.link, len(path_bytes(header.link))
    elif kind in "cb":
        ref = header.device
    entry = Entry(
        path, kind, header.mode, header.uid, header.gid, header.mtime, size, ref,
        header.xattrs or None,
    )  # fmt: skip
    archive.add(entry, Content(source, header.stream.offset, size) if kind == "f" else None)


def _chunks(source: Source) -> Iterator[bytes]:
    for start in range(0, source.size, _CHUNK):
        yield source.read(start, min(_CHUNK, source.size - start))
