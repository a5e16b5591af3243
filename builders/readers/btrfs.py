"""Reads btrfs on one device: trees, subvolumes, inline and compressed extents, attributes.

https://btrfs.readthedocs.io/en/latest/dev/On-disk-format.html. What is read is the tree at the
top, with the subvolumes in it as directories. Checksums are not verified: that is the business of
btrfs check.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from builders.errors import BuilderError
from builders.filesystems.btrfs import items
from builders.readers import Directories, checked_name, modes, starts
from builders.readers.source import DamagedImage, Source
from builders.tree import Entry, order

_SUPERBLOCK = 64 << 10
_HEADER = 101
_LONGEST_RUN = 1 << 20
_LARGEST_COMPRESSED = 1 << 20  # the kernel makes extents of 128 KiB
_DEEPEST = 8

# Features that this reader understands, or that do not matter to it: mixed back references,
# default subvolume, mixed groups, compression, big metadata, extended references, skinny metadata,
# no holes, another UUID in metadata, and the block groups' own tree.
_KNOWN = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x100 | 0x200 | 0x400
_STRIPED = 0x8 | 0x40 | 0x80 | 0x100  # RAID 0, 10, 5 and 6

_CHUNK = struct.Struct("<Q16xQ12xHH")
_STRIPE = struct.Struct("<QQ16x")
_POSITION = struct.Struct("<QBQII")
_POINTER = struct.Struct("<QBQQ8x")
_DIR = struct.Struct("<QBQ8xHHB")
_INODE = struct.Struct("<16xQ16xIIIIQ16x32x24xQI")
_EXTENT = struct.Struct("<8xQBBHB")
_REGULAR = struct.Struct("<QQQQ")
_ZLIB, _ZSTD = 1, 3

Key = tuple[int, int, int]
Place = tuple[int, int]
"""An inode: (address of the root of its tree, its number)."""


class NotSupported(BuilderError):
    """The file system, or a file in it, uses something that this reader does not know."""


@dataclass(frozen=True, slots=True)
class Node:
    """`pointers` of an inner node, (key, address); `items` of a leaf, (key, data)."""

    level: int
    keys: list[Key]
    pointers: list[int]
    data: list[bytes]


@dataclass(frozen=True, slots=True)
class Inode:
    """`mtime` in nanoseconds; `device` as the kernel has it within itself."""

    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    device: int
    xattrs: dict[str, bytes]


def recognises(source: Source) -> bool:
    """Whether there is a btrfs superblock."""
    return starts(source, _SUPERBLOCK + 64, b"_BHRfS_M")


def open_source(source: Source) -> Btrfs:
    """Open; raises NotSupported, DamagedImage."""
    return Btrfs(source)


class Btrfs:
    """A btrfs file system; see builders.readers.FileSystem."""

    kind = "btrfs"

    def __init__(self, source: Source) -> None:
        self._source = source
        block = source.read(_SUPERBLOCK, 4096)
        root, chunk_root = struct.unpack_from("<QQ", block, 0x50)
        self._sector, self._nodesize = struct.unpack_from("<II", block, 0x90)
        array_size = struct.unpack_from("<I", block, 0xA0)[0]
        incompatible = struct.unpack_from("<Q", block, 0xBC)[0]
        self._device: int = struct.unpack_from("<Q", block, 0xC9)[0]
        self.label = block[0x12B:0x22B].partition(b"\0")[0].decode("utf-8", "replace")
        if incompatible & ~_KNOWN:
            raise NotSupported(f"the btrfs file system has features not known: {incompatible:#x}")
        if self._nodesize not in (4096, 8192, 16384, 32768, 65536) or array_size > 2048:
            raise DamagedImage("the superblock of the btrfs cannot be right")
        self._starts: list[int] = []
        self._chunks: list[tuple[int, int, int]] = []  # address, length, place on this device
        self._node = lru_cache(maxsize=256)(self._read_node)
        self._add_chunks(list(_system_chunks(block[0x32B : 0x32B + array_size])))
        found = self._items(chunk_root, (items.FIRST_CHUNK, items.CHUNK_ITEM, 0))
        self._add_chunks([(key[2], data) for key, data in found if key[1] == items.CHUNK_ITEM])
        self._roots = {
            key[0]: _fields(struct.Struct("<Q"), data, 176)[0]
            for key, data in self._items(root, (0, 0, 0))
            if key[1] == items.ROOT_ITEM
        }
        self._places = {"": (self._tree(items.FS_TREE), items.FIRST_FREE)}
        self._directories = Directories(self._places[""])

    def root(self) -> Entry:
        """See FileSystem."""
        return self._entry("", self._places[""])

    def children(self, path: str) -> list[Entry]:
        """See FileSystem."""
        tree, number = self._at(path)
        if modes.kind(self._inode((tree, number)).mode) != "d":
            raise DamagedImage(f"/{path} is not a directory")
        found = []
        first, last = (number, items.DIR_INDEX, 0), (number, items.DIR_INDEX, items.LAST)
        for _, data in self._items(tree, first, last):
            for location, name, _ in _directory_entries(data):
                child = checked_name(name, path)
                child = f"{path}/{child}" if path else child
                if location[1] == items.ROOT_ITEM:
                    place = (self._tree(location[0]), items.FIRST_FREE)
                else:
                    place = (tree, location[0])
                self._places[child] = place
                entry = self._entry(child, place)
                if entry.kind == "d" and location[1] != items.ROOT_ITEM:
                    self._directories.meet(place, child)  # a subvolume may be in its snapshot, too
                found.append(entry)
        return sorted(found, key=lambda entry: order(entry.path))

    def runs(self, path: str) -> Iterator[tuple[int, bytes]]:
        """See FileSystem. Raises NotSupported."""
        place = self._at(path)
        return self._content(place, self._inode(place).size)

    # --- addresses

    def _add_chunks(self, found: list[tuple[int, bytes]]) -> None:
        known = {chunk[0]: chunk for chunk in self._chunks}
        for address, data in found:
            length, kind, stripes, _ = _fields(_CHUNK, data, 0)
            if kind & _STRIPED:
                raise NotSupported("the btrfs is striped over devices")
            for number in range(stripes):
                device, place = _fields(_STRIPE, data, 48 + 32 * number)
                if device == self._device:
                    known.setdefault(address, (address, length, place))
        self._chunks = sorted(known.values())
        self._starts = [chunk[0] for chunk in self._chunks]

    def _read(self, address: int, length: int) -> bytes:
        number = bisect_right(self._starts, address) - 1
        if number >= 0:
            start, size, place = self._chunks[number]
            if address + length <= start + size:
                return self._source.read(place + address - start, length)
        raise DamagedImage(
            f"the btrfs has no {length} bytes at the address {address} on this device"
        )

    # --- trees

    def _tree(self, number: int) -> int:
        """The address of a tree's root."""
        found: int | None = self._roots.get(number)
        if found is None:
            raise DamagedImage(f"the btrfs has no tree {number}")
        return found

    def _read_node(self, address: int) -> Node:
        data = self._read(address, self._nodesize)
        own, count, level = struct.unpack_from("<Q40xIB", data, 48)
        entry = _POINTER.size if level else _POSITION.size
        if own != address or level >= _DEEPEST or _HEADER + count * entry > len(data):
            raise DamagedImage(f"the node of the btrfs at the address {address} is damaged")
        keys: list[Key] = []
        pointers: list[int] = []
        values: list[bytes] = []
        for position in range(_HEADER, _HEADER + count * entry, entry):
            if level:
                *key, pointer = _POINTER.unpack_from(data, position)
                pointers.append(pointer)
            else:
                *key, offset, size = _POSITION.unpack_from(data, position)
                start = _HEADER + offset
                if start + size > len(data):
                    raise DamagedImage(f"the node of the btrfs at {address} is damaged")
                values.append(data[start : start + size])
            keys.append((key[0], key[1], key[2]))
        if any(one >= other for one, other in pairwise(keys)):
            raise DamagedImage(f"the keys of the node of the btrfs at {address} are not in order")
        return Node(level, keys, pointers, values)

    def _items(
        self, root: int, first: Key, last: Key = (items.LAST, 255, items.LAST)
    ) -> Iterator[tuple[Key, bytes]]:
        """The (key, data) of a tree from the key `first` to `last`, both included."""
        return self._below(self._node(root), first, last)

    def _below(self, node: Node, first: Key, last: Key) -> Iterator[tuple[Key, bytes]]:
        if not node.level:
            keys = node.keys
            for number in range(bisect_left(keys, first), bisect_right(keys, last)):
                yield keys[number], node.data[number]
            return
        start = max(bisect_right(node.keys, first) - 1, 0)
        for key, pointer in zip(node.keys[start:], node.pointers[start:], strict=True):
            if key > last:
                return
            child = self._node(pointer)
            if child.level != node.level - 1 or child.keys[:1] != [key]:
                raise DamagedImage(f"the node of the btrfs at {pointer} is not the one wanted")
            yield from self._below(child, first, last)

    # --- inodes

    def _at(self, path: str) -> Place:
        place = self._places.get(path)
        if place is None:
            directory, _, name = path.rpartition("/")
            self.children(directory)
            place = self._places.get(path)
            if place is None:
                raise DamagedImage(f"/{directory} has no entry {name}")
        return place

    def _inode(self, place: Place) -> Inode:
        tree, number = place
        inode = None
        xattrs: dict[str, bytes] = {}
        first = (number, items.INODE_ITEM, 0)
        for _, data in self._items(tree, first, first):
            inode = _fields(_INODE, data, 0)
        first, last = (number, items.XATTR_ITEM, 0), (number, items.XATTR_ITEM, items.LAST)
        for _, data in self._items(tree, first, last):
            for _, name, value in _directory_entries(data):
                xattrs[name.decode("utf-8", "surrogateescape")] = value
        if inode is None:
            raise DamagedImage(f"the btrfs has no inode {number} in the tree at {tree}")
        size, _, uid, gid, mode, device, seconds, nanoseconds = inode
        signed = seconds - (1 << 64) if seconds >> 63 else seconds
        mtime = signed * 1_000_000_000 + nanoseconds
        return Inode(mode, uid, gid, size, mtime, device, xattrs)

    def _entry(self, path: str, place: Place) -> Entry:
        inode = self._inode(place)
        kind = modes.kind(inode.mode)
        ref: str | tuple[int, int] | None = None
        if kind == "l":
            if inode.size > self._nodesize:
                raise DamagedImage(f"the symbolic link /{path} is longer than a node")
            target = b"".join(data for _, data in self._content(place, inode.size))
            ref = target.decode("utf-8", "surrogateescape")
        elif kind in "cb":
            ref = (inode.device >> 20, inode.device & 0xFFFFF)
        return Entry(
            path,
            kind,
            inode.mode & 0o7777,
            inode.uid,
            inode.gid,
            inode.mtime,
            inode.size if kind in "fl" else 0,
            ref,
            inode.xattrs or None,
        )

    # --- contents

    def _content(self, place: Place, size: int) -> Iterator[tuple[int, bytes]]:
        """What is in an inode's extents, up to its size, in pieces of 1 MiB at most."""
        tree, number = place
        first, last = (number, items.EXTENT_DATA, 0), (number, items.EXTENT_DATA, items.LAST)
        for key, data in self._items(tree, first, last):
            length, compression, encryption, other, kind = _fields(_EXTENT, data, 0)
            if encryption or other or compression not in (0, _ZLIB, _ZSTD):
                raise NotSupported(f"inode {number} is compressed or encrypted in an unknown way")
            position = key[2]
            if kind == items.INLINE:
                content = data[_EXTENT.size :]
                if compression:
                    content = _unpacked(content, compression, length)
                yield position, content[: max(size - position, 0)]
            elif kind == items.REGULAR:
                address, stored, offset, used = _fields(_REGULAR, data, _EXTENT.size)
                used = min(used, size - position)
                if not address or used <= 0:
                    continue
                if compression:
                    if max(stored, length) > _LARGEST_COMPRESSED:
                        raise DamagedImage(f"an extent of inode {number} is too long")
                    content = _unpacked(self._read(address, stored), compression, length)
                    yield position, content[offset : offset + used]
                    continue
                for start in range(0, used, _LONGEST_RUN):
                    part = min(_LONGEST_RUN, used - start)
                    yield position + start, self._read(address + offset + start, part)


def _system_chunks(array: bytes) -> Iterator[tuple[int, bytes]]:
    """The (address, CHUNK_ITEM) of the chunks that the superblock itself has."""
    position = 0
    while position < len(array):
        _, kind, address = _fields(items.KEY, array, position)
        position += items.KEY.size
        stripes = _fields(_CHUNK, array, position)[2]
        length = 48 + 32 * stripes
        if kind != items.CHUNK_ITEM:
            raise DamagedImage("the chunks in the superblock of the btrfs are damaged")
        yield address, array[position : position + length]
        position += length


def _directory_entries(data: bytes) -> Iterator[tuple[Key, bytes, bytes]]:
    """The (location, name, value) of all entries or attributes in one item."""
    position = 0
    while position < len(data):
        *location, value_length, name_length, _ = _fields(_DIR, data, position)
        position += _DIR.size
        end = position + name_length + value_length
        if end > len(data):
            raise DamagedImage("an entry of a directory of the btrfs is damaged")
        key = (location[0], location[1], location[2])
        yield key, data[position : position + name_length], data[position + name_length : end]
        position = end


def _unpacked(data: bytes, compression: int, length: int) -> bytes:
    """At most `length` bytes. Raises DamagedImage."""
    if length > _LARGEST_COMPRESSED:
        raise DamagedImage("a compressed extent of the btrfs is too long")
    if compression == _ZLIB:
        import zlib

        try:
            return zlib.decompressobj().decompress(data, length)
        except zlib.error:
            raise DamagedImage("a compressed extent of the btrfs is damaged") from None
    import zstandard

    try:  # what is behind the frame fills a sector
        return zstandard.ZstdDecompressor().stream_reader(data).read(length)
    except zstandard.ZstdError:
        raise DamagedImage("a compressed extent of the btrfs is damaged") from None


def _fields(form: struct.Struct, data: bytes, offset: int) -> tuple[int, ...]:
    try:
        return form.unpack_from(data, offset)
    except struct.error:
        raise DamagedImage("an item of a tree of the btrfs is cut short") from None
