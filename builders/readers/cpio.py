"""Reads cpio archives of the form newc (Linux, buffer-format.rst), one or several in a file.

Those of an initrd may follow each other, each compressed or not.
"""

from __future__ import annotations

from builders.readers import modes, starts
from builders.readers.archive import Archive, Content, normal
from builders.readers.source import DamagedImage, Source, Window
from builders.readers.wrappers import unwrap
from builders.tree import Entry

_MAGICS = (b"070701", b"070702")
_HEADER = 110
_LAST = b"TRAILER!!!"
_LONGEST_NAME = 1 << 16
_MOST_ARCHIVES = 64
_ZEROS = 1 << 16


def recognises(source: Source) -> bool:
    """Whether there is the header of an archive."""
    return any(starts(source, 0, magic) for magic in _MAGICS)


def open_source(source: Source) -> Archive:
    """The files in the archives, the later ones over the earlier. Raises DamagedImage."""
    archive = Archive("cpio")
    for _ in range(_MOST_ARCHIVES):
        end = _fill(archive, source)
        while end < source.size and not source.read(end, 1)[0]:
            end = _behind_zeros(source, end)
        if end >= source.size:
            return archive
        source = unwrap(Window(source, end, source.size - end))
        if not recognises(source):
            raise DamagedImage("behind a cpio archive is something that is none")
    raise DamagedImage(f"there are more than {_MOST_ARCHIVES} cpio archives in each other")


def _behind_zeros(source: Source, start: int) -> int:
    part = source.read(start, min(_ZEROS, source.size - start))
    return start + len(part) - len(part.lstrip(b"\0"))


def _fill(archive: Archive, source: Source) -> int:
    """Add the entries of one archive; where it ends."""
    at = 0
    further: dict[tuple[int, ...], list[str]] = {}
    contents: dict[tuple[int, ...], Content] = {}
    while True:
        header = source.read(at, _HEADER)
        try:
            numbers = [int(header[place : place + 8], 16) for place in range(6, _HEADER, 8)]
        except ValueError:
            numbers = []
        if header[:6] not in _MAGICS or not numbers or numbers[11] > _LONGEST_NAME:
            raise DamagedImage(f"the cpio archive has a damaged header at byte {at}")
        inode, mode, uid, gid, links, mtime, size = numbers[:7]
        raw_name = source.read(at + _HEADER, numbers[11]).partition(b"\0")[0]
        start = at + _HEADER + numbers[11]
        start += -start % 4
        at = start + size
        at += -at % 4
        if raw_name == _LAST:
            return at
        if start + size > source.size:
            raise DamagedImage("the cpio archive is cut short")
        path = normal(raw_name.decode("utf-8", "surrogateescape"))
        kind = modes.kind(mode)
        ref: str | tuple[int, int] | None = None
        if kind == "l":
            ref = source.read(start, min(size, _LONGEST_NAME)).decode("utf-8", "surrogateescape")
        elif kind in "cb":
            ref = (numbers[9], numbers[10])
        attributes = (mode & 0o7777, uid, gid, mtime * 1_000_000_000)
        if kind != "f" or links < 2:
            length = size if kind in "fl" else 0
            archive.add(
                Entry(path, kind, *attributes, length, ref),
                Content(source, start, size) if kind == "f" else None,
            )
            continue
        # One of the names of a file has the content, most often the last.
        key = (inode, numbers[7], numbers[8])
        names = further.setdefault(key, [])
        names.append(path)
        if size:
            contents[key] = Content(source, start, size)
        content = contents.get(key)
        for name in names if size else [path]:
            length = content.length if content else 0
            archive.add(Entry(name, "f", *attributes, length), content)
