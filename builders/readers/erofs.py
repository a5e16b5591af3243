"""Reads EROFS, also compressed by LZ4 (Linux, fs/erofs/erofs_fs.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from builders.readers import Directories, checked_name, modes, starts
from builders.readers.erofs_clusters import CompressedErofs, clusters, unpack
from builders.readers.source import DamagedImage, Source
from builders.tree import Entry, order

_SLOT = 32
_PLAIN, _COMPRESSED, _INLINE, _COMPACT = range(4)
_LONGEST_RUN = 1 << 20
_PREFIXES = {
    1: "user.",
    2: "system.posix_acl_access",
    3: "system.posix_acl_default",
    4: "trusted.",
    6: "security.",
}


@dataclass(frozen=True, slots=True)
class Inode:
    """`xattrs`: where they begin; `behind`: where the inline part of the content begins."""

    layout: int
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    value: int
    xattrs: int
    behind: int


def recognises(source: Source) -> bool:
    """Whether there is an EROFS superblock."""
    return starts(source, 1024, b"\xe2\xe1\xf5\xe0")


def open_source(source: Source) -> Erofs:
    """Open; raises DamagedImage."""
    return Erofs(source)


class Erofs:
    """An EROFS; see builders.readers.FileSystem."""

    kind = "erofs"

    def __init__(self, source: Source) -> None:
        self._source = source
        block = source.read(1024, 128)
        bits, _, root = struct.unpack_from("<BBH", block, 12)
        self._epoch = struct.unpack_from("<QI", block, 24)
        self._meta = struct.unpack_from("<I", block, 40)[0]
        self._shared = struct.unpack_from("<I", block, 44)[0]
        self.label = block[64:80].partition(b"\0")[0].decode("utf-8", "replace")
        if not 9 <= bits <= 16:
            raise DamagedImage("the block size of the EROFS cannot be right")
        self.block = 1 << bits
        self._numbers = {"": root}
        self._directories = Directories(root)

    def root(self) -> Entry:
        """See FileSystem."""
        return self._entry("", self._inode(self._numbers[""]))

    def children(self, path: str) -> list[Entry]:
        """See FileSystem."""
        inode = self._at(path)
        if modes.kind(inode.mode) != "d":
            raise DamagedImage(f"/{path} is not a directory")
        found = []
        data = b"".join(part for _, part in self._content(inode))
        for start in range(0, len(data), self.block):
            for name, number in self._names(path, data[start : start + self.block]):
                child = f"{path}/{name}" if path else name
                self._numbers[child] = number
                entry = self._entry(child, self._inode(number))
                if entry.kind == "d":
                    self._directories.meet(number, child)
                found.append(entry)
        return sorted(found, key=lambda entry: order(entry.path))

    def runs(self, path: str) -> Iterator[tuple[int, bytes]]:
        """See FileSystem. Raises CompressedErofs."""
        return self._content(self._at(path))

    def _at(self, path: str) -> Inode:
        if path not in self._numbers:
            self.children(path.rpartition("/")[0])
            if path not in self._numbers:
                raise DamagedImage(f"there is no /{path}")
        return self._inode(self._numbers[path])

    def _inode(self, number: int) -> Inode:
        at = self._meta * self.block + number * _SLOT
        format_, icount, mode = struct.unpack("<HHH", self._source.read(at, 6))
        xattr_size = 12 + 4 * (icount - 1) if icount else 0
        layout = format_ >> 1 & 7
        if format_ & 1:
            data = self._source.read(at, 64)
            size, value = struct.unpack_from("<QI", data, 8)
            uid, gid = struct.unpack_from("<II", data, 24)
            seconds, nanoseconds = struct.unpack_from("<qI", data, 32)
            end = at + 64
        else:
            data = self._source.read(at, 32)
            size, _, value = struct.unpack_from("<III", data, 8)
            uid, gid = struct.unpack_from("<HH", data, 24)
            seconds, nanoseconds = self._epoch
            end = at + 32
        mtime = seconds * 1_000_000_000 + nanoseconds
        xattrs = end if xattr_size else 0
        return Inode(layout, mode, uid, gid, size, mtime, value, xattrs, end + xattr_size)

    def _entry(self, path: str, inode: Inode) -> Entry:
        kind = modes.kind(inode.mode)
        size = inode.size if kind in "fl" else 0
        ref: str | tuple[int, int] | None = None
        if kind == "l":
            if inode.size > self.block:
                raise DamagedImage(f"the symbolic link /{path} is longer than a block")
            target = b"".join(data for _, data in self._content(inode))
            ref = target.decode("utf-8", "surrogateescape")
        elif kind in "cb":
            ref = modes.device(inode.value)
        return Entry(
            path,
            kind,
            inode.mode & 0o7777,
            inode.uid,
            inode.gid,
            inode.mtime,
            size,
            ref,
            self._xattrs(inode) or None,
        )

    def _names(self, path: str, data: bytes) -> Iterator[tuple[str, int]]:
        count = struct.unpack_from("<H", data, 8)[0] // 12 if len(data) >= 12 else 0
        if not count or count * 12 > len(data):
            raise DamagedImage(f"the directory /{path} is damaged")
        records = [struct.unpack_from("<QHBB", data, 12 * index) for index in range(count)]
        offsets = [record[1] for record in records] + [len(data)]
        for index, (number, offset, _, _) in enumerate(records):
            name = data[offset : offsets[index + 1]]
            if index == count - 1:
                name = name.partition(b"\0")[0]
            if name not in (b".", b".."):
                yield checked_name(name, path), number

    def _content(self, inode: Inode) -> Iterator[tuple[int, bytes]]:
        if inode.layout in (_COMPRESSED, _COMPACT):
            compact = inode.layout == _COMPACT
            for cluster in clusters(self._source, inode.behind, inode.size, compact=compact):
                yield cluster.start, unpack(self._source, cluster)
            return
        if inode.layout not in (_PLAIN, _INLINE):
            raise CompressedErofs("a file in the EROFS is stored in a way that Kiln does not read")
        full = inode.size
        if inode.layout == _INLINE:
            full -= inode.size % self.block
        for position in range(0, full, _LONGEST_RUN):
            length = min(_LONGEST_RUN, full - position)
            yield position, self._source.read(inode.value * self.block + position, length)
        if inode.size > full:
            yield full, self._source.read(inode.behind, inode.size - full)

    def _xattrs(self, inode: Inode) -> dict[str, bytes]:
        if not inode.xattrs:
            return {}
        area = self._source.read(inode.xattrs, inode.behind - inode.xattrs)
        found: dict[str, bytes] = {}
        count = area[4]
        for index in range(count):
            number = struct.unpack_from("<I", area, 12 + 4 * index)[0]
            at = self._shared * self.block + number * 4
            length, _, size = struct.unpack("<BBH", self._source.read(at, 4))
            self._read_xattr(self._source.read(at, 4 + length + size), found)
        position = 12 + 4 * count
        while position + 4 <= len(area):
            if area[position : position + 4] == bytes(4):
                break
            used = self._read_xattr(area[position:], found)
            position += used + -used % 4
        return found

    def _read_xattr(self, data: bytes, into: dict[str, bytes]) -> int:
        length, namespace, size = struct.unpack_from("<BBH", data)
        end: int = 4 + length + size
        if namespace not in _PREFIXES or end > len(data):
            raise DamagedImage("an extended attribute in the EROFS cannot be right")
        name = data[4 : 4 + length].decode("utf-8", "surrogateescape")
        into[_PREFIXES[namespace] + name] = data[4 + length : end]
        return end
