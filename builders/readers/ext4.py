"""Reads ext2, ext3 and ext4: extents and block maps, directories, links, extended attributes.

https://docs.kernel.org/filesystems/ext4/. Checksums are not verified: that is e2fsck's business.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from builders.errors import BuilderError
from builders.readers import Directories, checked_name, modes, starts
from builders.readers.source import DamagedImage, Source
from builders.tree import Entry, order

_ROOT = 2
_LONGEST_RUN = 1 << 20
_EXTENT_MAGIC = 0xF30A
_XATTR_MAGIC = 0xEA020000
_USES_EXTENTS, _INLINE, _ENCRYPTED = 0x80000, 0x10000000, 0x800
_UNWRITTEN = 32768  # extents that are longer are zeros of which the rest is the length
_EXTENTS, _JOURNAL = 0x40, 0x4

# Incompatible features that this reader understands, or that do not matter to it: filetype,
# recover, extents, 64bit, mmp, flex_bg, ea_inode, csum_seed, largedir, inline_data, encrypt,
# casefold. The last ones are refused where a file uses them.
_KNOWN = 0x2 | 0x4 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | 0x30000
_PREFIXES = {
    1: "user.",
    2: "system.posix_acl_access",
    3: "system.posix_acl_default",
    4: "trusted.",
    6: "security.",
    7: "system.",
}


class NotSupported(BuilderError):
    """The file system, or a file in it, uses something that this reader does not know."""


@dataclass(frozen=True, slots=True)
class Inode:
    """`map`: the 60 bytes of extents, block numbers or a short target; times in nanoseconds."""

    number: int
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    flags: int
    links: int
    map: bytes
    xattr_block: int
    rest: bytes


class _Blocks:
    """The blocks that an inode may have yet: each is its own, so not more than there are in all."""

    def __init__(self, inode: int, count: int) -> None:
        self._inode, self._left = inode, count

    def take(self, count: int) -> None:
        self._left -= count
        if self._left < 0 or not count:
            raise DamagedImage(f"the blocks of inode {self._inode} are damaged")


def recognises(source: Source) -> bool:
    """Whether there is an ext superblock."""
    return starts(source, 1024 + 56, b"\x53\xef")


def open_source(source: Source) -> Ext4:
    """Open; raises NotSupported, DamagedImage."""
    return Ext4(source)


class Ext4:
    """An ext2, ext3 or ext4 file system; see builders.readers.FileSystem."""

    def __init__(self, source: Source) -> None:
        self._source = source
        block = source.read(1024, 1024)
        compatible, incompatible, read_only = struct.unpack_from("<III", block, 92)
        if incompatible & ~_KNOWN:
            raise NotSupported(f"the ext4 file system has features not known: {incompatible:#x}")
        self.kind = "ext2"
        if compatible & _JOURNAL:
            self.kind = "ext3"
        if incompatible & (_EXTENTS | 0x280) or read_only & 0x400:
            self.kind = "ext4"
        self.label = block[120:136].partition(b"\0")[0].decode("utf-8", "replace")
        shift: int = struct.unpack_from("<I", block, 24)[0]
        if shift > 6:
            raise DamagedImage("the block size of the ext4 file system cannot be right")
        self.block = 1024 << shift
        self._inodes: int = struct.unpack_from("<I", block, 0)[0]
        self._per_group: int = struct.unpack_from("<I", block, 40)[0]
        self._first: int = struct.unpack_from("<I", block, 20)[0]
        self._inode_size = 128
        if struct.unpack_from("<I", block, 76)[0] >= 1:
            self._inode_size = struct.unpack_from("<H", block, 88)[0]
        self._descriptor = 32
        if incompatible & 0x80:
            self._descriptor = struct.unpack_from("<H", block, 254)[0]
        if not self._per_group or not 128 <= self._inode_size <= self.block:
            raise DamagedImage("the superblock of the ext4 file system cannot be right")
        if not 32 <= self._descriptor <= 1024:
            raise DamagedImage("the group descriptors of the ext4 file system cannot be right")
        self._numbers = {"": _ROOT}
        self._directories = Directories(_ROOT)
        self._table = lru_cache(maxsize=4096)(self._find_table)

    def root(self) -> Entry:
        """See FileSystem."""
        return self._entry("", self._inode(_ROOT))

    def children(self, path: str) -> list[Entry]:
        """See FileSystem."""
        inode = self._at(path)
        found = []
        for name, number in self._names(path, inode):
            child = f"{path}/{name}" if path else name
            self._numbers[child] = number
            entry = self._entry(child, self._inode(number))
            if entry.kind == "d":
                self._directories.meet(number, child)
            found.append(entry)
        return sorted(found, key=lambda entry: order(entry.path))

    def runs(self, path: str) -> Iterator[tuple[int, bytes]]:
        """See FileSystem."""
        return self._content(self._at(path))

    def links(self, path: str) -> tuple[int, int]:
        """The number of the inode and how many names it has."""
        inode = self._at(path)
        return inode.number, inode.links

    # --- inodes

    def _at(self, path: str) -> Inode:
        """The inode at `path`, of which `children` of its directory may have told."""
        number = self._numbers.get(path)
        if number is None:
            directory, _, name = path.rpartition("/")
            self.children(directory)
            number = self._numbers.get(path)
            if number is None:
                raise DamagedImage(f"/{directory} has no entry {name}")
        return self._inode(number)

    def _find_table(self, group: int) -> int:
        """The byte offset of a group's table of inodes."""
        offset = (self._first + 1) * self.block + group * self._descriptor
        data = self._source.read(offset, self._descriptor)
        low: int = struct.unpack_from("<I", data, 8)[0]
        high: int = struct.unpack_from("<I", data, 40)[0] if self._descriptor >= 64 else 0
        return (low | high << 32) * self.block

    def _inode(self, number: int) -> Inode:
        if not 0 < number <= self._inodes:
            raise DamagedImage(f"there is no inode {number}")
        group, index = divmod(number - 1, self._per_group)
        offset = self._table(group) + index * self._inode_size
        data = self._source.read(offset, self._inode_size)
        mode, uid, size, _, _, mtime, _, gid, links, _, flags = struct.unpack_from(
            "<HHIIIIIHHII", data
        )
        xattr_block, size_high = struct.unpack_from("<II", data, 104)
        uid_high, gid_high = struct.unpack_from("<HH", data, 120)
        seconds = mtime - (1 << 32) if mtime >= 1 << 31 else mtime
        nanoseconds = 0
        rest = b""
        if self._inode_size > 128:
            extra = struct.unpack_from("<H", data, 128)[0]
            if extra >= 12:
                more = struct.unpack_from("<I", data, 136)[0]
                seconds += (more & 3) << 32
                nanoseconds = more >> 2
            rest = data[128 + extra :]
        return Inode(
            number,
            mode,
            uid | uid_high << 16,
            gid | gid_high << 16,
            size | (size_high << 32),
            seconds * 1_000_000_000 + nanoseconds,
            flags,
            links,
            data[40:100],
            xattr_block | struct.unpack_from("<H", data, 118)[0] << 32,
            rest,
        )

    def _entry(self, path: str, inode: Inode) -> Entry:
        kind = modes.kind(inode.mode)
        ref: str | tuple[int, int] | None = None
        size = inode.size if kind == "f" else 0
        if kind == "l":
            size = inode.size
            ref = self._target(inode).decode("utf-8", "surrogateescape")
        elif kind in "cb":
            old, new = struct.unpack_from("<II", inode.map)
            ref = (old >> 8 & 0xFF, old & 0xFF) if old else modes.device(new)
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

    def _target(self, inode: Inode) -> bytes:
        if inode.size > self.block:
            raise DamagedImage(f"the symbolic link {inode.number} is longer than a block")
        if inode.size < 60 and not inode.flags & _USES_EXTENTS:
            return inode.map[: inode.size]
        return b"".join(data for _, data in self._content(inode))

    # --- directories

    def _names(self, path: str, inode: Inode) -> Iterator[tuple[str, int]]:
        if modes.kind(inode.mode) != "d":
            raise DamagedImage(f"/{path} is not a directory")
        for _, data in self._content(inode):
            for start in range(0, len(data), self.block):
                yield from self._block_names(path, data[start : start + self.block])

    def _block_names(self, path: str, data: bytes) -> Iterator[tuple[str, int]]:
        position = 0
        while position + 8 <= len(data):
            number, length, name_length, _ = struct.unpack_from("<IHBB", data, position)
            if length == 0xFFFF or (length == 0 and self.block == 65536):
                length = 65536
            if length < 8 + name_length or position + length > len(data):
                raise DamagedImage(f"the directory /{path} is damaged")
            name = data[position + 8 : position + 8 + name_length]
            if number and name_length and name not in (b".", b".."):
                yield checked_name(name, path), number
            position += length

    # --- contents

    def _content(self, inode: Inode) -> Iterator[tuple[int, bytes]]:
        """What is in an inode's blocks, up to its size, in pieces of 1 MiB at most."""
        if inode.flags & (_INLINE | _ENCRYPTED):
            raise NotSupported(f"inode {inode.number} is encrypted, or has its data inline")
        extents = self._extents if inode.flags & _USES_EXTENTS else self._mapped
        left = _Blocks(inode.number, self._source.size // self.block)
        for block, physical, count in extents(inode, left):
            position = block * self.block
            end = min((block + count) * self.block, inode.size)
            source = physical * self.block
            while position < end:
                length = min(_LONGEST_RUN, end - position)
                yield position, self._source.read(source, length)
                position += length
                source += length

    def _extents(self, inode: Inode, left: _Blocks) -> Iterator[tuple[int, int, int]]:
        """(block of the file, block of the disk, blocks) of all extents that have data."""
        return self._extent_node(inode.map, 5, inode.number, left)

    def _extent_node(
        self, node: bytes, most: int, number: int, left: _Blocks
    ) -> Iterator[tuple[int, int, int]]:
        magic, count, _, depth = struct.unpack_from("<HHHH", node)
        if magic != _EXTENT_MAGIC or depth > most or 12 + count * 12 > len(node):
            raise DamagedImage(f"the extents of inode {number} are damaged")
        for index in range(count):
            record = node[12 + index * 12 : 24 + index * 12]
            if depth:
                left.take(1)
                _, low, high = struct.unpack_from("<IIH", record)
                child = self._source.read((low | high << 32) * self.block, self.block)
                if struct.unpack_from("<H", child, 6)[0] != depth - 1:
                    raise DamagedImage(f"the extents of inode {number} are damaged")
                yield from self._extent_node(child, depth - 1, number, left)
            else:
                block, length, high, low = struct.unpack("<IHHI", record)
                written = length <= _UNWRITTEN
                left.take(length if written else length - _UNWRITTEN)
                if written:
                    yield block, low | high << 32, length

    def _mapped(self, inode: Inode, left: _Blocks) -> Iterator[tuple[int, int, int]]:
        """As `_extents`, of the block maps of ext2 and ext3."""
        blocks = -(-inode.size // self.block)
        numbers = struct.unpack("<15I", inode.map)
        start = 0
        for slot in range(15):
            if start >= blocks:
                return
            depth = max(0, slot - 11)
            yield from self._mapped_tree(numbers[slot], depth, start, blocks, left)
            start += (self.block // 4) ** depth

    def _mapped_tree(
        self, number: int, depth: int, start: int, end: int, left: _Blocks
    ) -> Iterator[tuple[int, int, int]]:
        if not number or start >= end:
            return
        left.take(1)
        if depth == 0:
            yield start, number, 1
            return
        each = (self.block // 4) ** (depth - 1)
        data = self._source.read(number * self.block, self.block)
        for index, (child,) in enumerate(struct.iter_unpack("<I", data)):
            if start + index * each >= end:
                return
            yield from self._mapped_tree(child, depth - 1, start + index * each, end, left)

    # --- extended attributes

    def _xattrs(self, inode: Inode) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        if inode.rest[:4] == struct.pack("<I", _XATTR_MAGIC):
            self._read_xattrs(inode.rest[4:], 0, 0, found)
        if inode.xattr_block:
            block = self._source.read(inode.xattr_block * self.block, self.block)
            if block[:4] != struct.pack("<I", _XATTR_MAGIC):
                raise DamagedImage(f"the extended attributes of inode {inode.number} are damaged")
            self._read_xattrs(block, 32, 0, found)
        return found

    def _read_xattrs(self, area: bytes, position: int, base: int, into: dict[str, bytes]) -> None:
        while position + 16 <= len(area) and area[position : position + 4] != bytes(4):
            length, namespace, offset, other, size, _ = struct.unpack_from(
                "<BBHIII", area, position
            )
            name = area[position + 16 : position + 16 + length]
            value = area[base + offset : base + offset + size]
            if other or len(name) != length or len(value) != size or namespace not in _PREFIXES:
                raise NotSupported("an extended attribute is stored in a way that is not known")
            if namespace in (2, 3):
                value = _acl(value)
            into[_PREFIXES[namespace] + name.decode("utf-8", "surrogateescape")] = value
            position += 16 + (length + 3 & ~3)


def _acl(stored: bytes) -> bytes:
    """A POSIX ACL as programs see it (version 2) of what is on disk (version 1)."""
    parts = [struct.pack("<I", 2)]
    position = 4
    while position + 4 <= len(stored):
        tag, permissions = struct.unpack_from("<HH", stored, position)
        position += 4
        who = 0xFFFFFFFF
        if tag in (0x02, 0x08):
            if position + 4 > len(stored):
                raise DamagedImage("an access control list is damaged")
            who = struct.unpack_from("<I", stored, position)[0]
            position += 4
        parts.append(struct.pack("<HHI", tag, permissions, who))
    return b"".join(parts)
