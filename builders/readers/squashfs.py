"""Reads squashfs 4.0 that is compressed by gzip, xz or zstd, or not at all.

https://docs.kernel.org/filesystems/squashfs.html and Linux, fs/squashfs/squashfs_fs.h.
"""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from builders.errors import BuilderError
from builders.readers import Directories, checked_name, modes, starts
from builders.readers.source import DamagedImage, Source
from builders.tree import Entry, Kind, order

_NONE = 0xFFFFFFFF
_METADATA = 8192
_IN_BLOCK = 1 << 24  # in the size of a block: it is stored as it is
_KINDS: dict[int, Kind] = {1: "d", 2: "f", 3: "l", 4: "b", 5: "c", 6: "p", 7: "s"}
_XZ_MEMORY = 64 << 20  # bytes; the dictionary is a block at most
_EXTENDED = 7  # how much higher the types of inodes with more fields are
_PREFIXES = ("user.", "trusted.", "security.")
_METHODS = {1: "gzip", 2: "lzma", 3: "lzo", 4: "xz", 5: "lz4", 6: "zstd"}


class UnknownMethod(BuilderError):
    """The file system is compressed in a way for which there is no library here."""


@dataclass(frozen=True, slots=True)
class Inode:
    """`start`, `fragment` and `offset` tell where the content is, `blocks` the blocks' sizes."""

    kind: Kind
    mode: int
    uid: int
    gid: int
    mtime: int
    size: int = 0
    start: int = 0
    fragment: int = _NONE
    offset: int = 0
    blocks: tuple[int, ...] = ()
    target: bytes = b""
    device: int = 0
    xattr: int = _NONE


class _Cursor:
    """Reads on and on in metadata, from a block and an offset in what it holds."""

    def __init__(self, image: Squashfs, block: int, offset: int) -> None:
        self._image, self._block = image, block
        self._data, self._next = image.metadata(block)
        self._position = offset

    def take(self, length: int) -> bytes:
        while len(self._data) < self._position + length:
            more, self._next = self._image.metadata(self._next)
            if not more:
                raise DamagedImage("the metadata of the squashfs are damaged")
            self._data = self._data[self._position :] + more
            self._position = 0
        self._position += length
        return self._data[self._position - length : self._position]

    def unpack(self, form: str) -> tuple[int, ...]:
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))


def recognises(source: Source) -> bool:
    """Whether there is a squashfs superblock."""
    return starts(source, 0, b"hsqs")


def open_source(source: Source) -> Squashfs:
    """Open; raises DamagedImage, UnknownMethod."""
    return Squashfs(source)


class Squashfs:
    """A squashfs; see builders.readers.FileSystem."""

    kind = "squashfs"
    label = ""

    def __init__(self, source: Source) -> None:
        self._source = source
        head = source.read(0, 96)
        self._block, fragments, method = struct.unpack_from("<IIH", head, 12)
        ids, major = struct.unpack_from("<HH", head, 26)
        root = struct.unpack_from("<Q", head, 32)[0]
        id_table, self._xattrs_at, self._inodes, self._directories, fragment_table = (
            struct.unpack_from("<QQQQQ", head, 48)
        )
        if major != 4 or not 4096 <= self._block <= 1 << 20 or fragments > source.size:
            raise DamagedImage("the superblock of the squashfs cannot be right")
        self._method = _METHODS.get(method, str(method))
        if self._method not in ("gzip", "xz", "zstd", "lz4"):
            raise UnknownMethod(
                f"the squashfs is compressed by {self._method}, which Kiln does not unpack",
                hint="gzip, xz, zstd and lz4 are unpacked",
            )
        self.metadata = lru_cache(maxsize=256)(self._metadata)
        self._unpacked = lru_cache(maxsize=8)(self._data_block)
        self._ids = [one for (one,) in struct.iter_unpack("<I", self._table(id_table, ids * 4))]
        self._fragments = list(
            struct.iter_unpack("<QII", self._table(fragment_table, fragments * 16))
        )
        self._references = {"": root}
        self._known = Directories(root)

    def root(self) -> Entry:
        """See FileSystem."""
        return self._entry("", self._inode(self._references[""]))

    def children(self, path: str) -> list[Entry]:
        """See FileSystem."""
        found = []
        for name, reference in self._names(path, self._at(path)):
            child = f"{path}/{name}" if path else name
            self._references[child] = reference
            entry = self._entry(child, self._inode(reference))
            if entry.kind == "d":
                self._known.meet(reference, child)
            found.append(entry)
        return sorted(found, key=lambda entry: order(entry.path))

    def runs(self, path: str) -> Iterator[tuple[int, bytes]]:
        """See FileSystem."""
        inode = self._at(path)
        offset = inode.start
        position = 0
        for stored in inode.blocks:
            length = min(self._block, inode.size - position)
            if stored:
                data = self._unpacked(offset, stored)
                if len(data) != length:
                    raise DamagedImage(f"a block of /{path} has the wrong length")
                yield position, data
            offset += stored & ~_IN_BLOCK
            position += length
        if position < inode.size:
            if inode.fragment >= len(self._fragments):
                raise DamagedImage(f"the fragment of /{path} does not exist")
            start, stored, _ = self._fragments[inode.fragment]
            end = inode.offset + inode.size - position
            data = self._unpacked(start, stored)[inode.offset : end]
            if len(data) != inode.size - position:
                raise DamagedImage(f"the fragment of /{path} is too short")
            yield position, data

    # --- blocks

    def _unpack(self, data: bytes, most: int) -> bytes:
        try:
            if self._method == "gzip":
                return zlib.decompressobj().decompress(data, most)
            if self._method == "xz":
                return lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY).decompress(data, most)
            if self._method == "lz4":
                import lz4.block

                try:
                    return bytes(lz4.block.decompress(data, uncompressed_size=most))
                except lz4.block.LZ4BlockError as error:
                    raise DamagedImage(f"a block of the squashfs is damaged: {error}") from None
            import zstandard

            try:
                if zstandard.frame_content_size(data) > most:
                    raise DamagedImage("a block of the squashfs is longer than it can be")
                return zstandard.ZstdDecompressor().decompress(data, most)
            except zstandard.ZstdError as error:
                raise DamagedImage(f"a block of the squashfs is damaged: {error}") from None
        except (zlib.error, lzma.LZMAError) as error:
            raise DamagedImage(f"a block of the squashfs is damaged: {error}") from None

    def _metadata(self, at: int) -> tuple[bytes, int]:
        """What a block of metadata holds, and where the next one is."""
        (header,) = struct.unpack("<H", self._source.read(at, 2))
        size = header & 0x7FFF
        data = self._source.read(at + 2, size)
        if not header & 0x8000:
            data = self._unpack(data, _METADATA)
        return data, at + 2 + size

    def _data_block(self, at: int, stored: int) -> bytes:
        data = self._source.read(at, stored & ~_IN_BLOCK)
        return data if stored & _IN_BLOCK else self._unpack(data, self._block)

    def _table(self, at: int, length: int) -> bytes:
        """A table that is in blocks of metadata, whose places are listed at `at`."""
        count = -(-length // _METADATA)
        places = struct.unpack(f"<{count}Q", self._source.read(at, count * 8)) if count else ()
        data = b"".join(self.metadata(place)[0] for place in places)
        if len(data) < length:
            raise DamagedImage("a table of the squashfs is too short")
        return data[:length]

    # --- inodes

    def _at(self, path: str) -> Inode:
        if path not in self._references:
            self.children(path.rpartition("/")[0])
            if path not in self._references:
                raise DamagedImage(f"there is no /{path}")
        return self._inode(self._references[path])

    def _inode(self, reference: int) -> Inode:
        cursor = _Cursor(self, self._inodes + (reference >> 16), reference & 0xFFFF)
        number, mode, uid, gid, mtime, _ = cursor.unpack("HHHHII")
        extended = number > _EXTENDED
        kind = _KINDS.get(number - _EXTENDED if extended else number)
        if kind is None or max(uid, gid) >= len(self._ids):
            raise DamagedImage("an inode of the squashfs cannot be right")
        head = (kind, mode & 0o7777, self._ids[uid], self._ids[gid], mtime * 1_000_000_000)
        if kind == "d":
            if extended:
                _, size, start, _, _, offset, xattr = cursor.unpack("IIIIHHI")
            else:
                (start, _, size, offset, _), xattr = cursor.unpack("IIHHI"), _NONE
            return Inode(*head, size=size, start=start, offset=offset, xattr=xattr)
        if kind == "f":
            if extended:
                start, size, _, _, fragment, offset, xattr = cursor.unpack("QQQIIII")
            else:
                (start, fragment, offset, size), xattr = cursor.unpack("IIII"), _NONE
            count = size // self._block if fragment != _NONE else -(-size // self._block)
            if count * 4 > self._source.size:
                raise DamagedImage("a file of the squashfs is longer than it can be")
            blocks = cursor.unpack(f"{count}I")
            return Inode(*head, size, start, fragment, offset, blocks, xattr=xattr)
        if kind == "l":
            _, size = cursor.unpack("II")
            target = cursor.take(min(size, 1 << 16))
            xattr = cursor.unpack("I")[0] if extended else _NONE
            return Inode(*head, size=size, target=target, xattr=xattr)
        _, device = cursor.unpack("II") if kind in "cb" else (*cursor.unpack("I"), 0)
        xattr = cursor.unpack("I")[0] if extended else _NONE
        return Inode(*head, device=device, xattr=xattr)

    def _entry(self, path: str, inode: Inode) -> Entry:
        ref: str | tuple[int, int] | None = None
        if inode.kind == "l":
            ref = inode.target.decode("utf-8", "surrogateescape")
        elif inode.kind in "cb":
            ref = modes.device(inode.device)
        return Entry(
            path,
            inode.kind,
            inode.mode,
            inode.uid,
            inode.gid,
            inode.mtime,
            inode.size if inode.kind in "fl" else 0,
            ref,
            self._xattrs(inode) or None,
        )

    def _names(self, path: str, inode: Inode) -> Iterator[tuple[str, int]]:
        if inode.kind != "d":
            raise DamagedImage(f"/{path} is not a directory")
        left = inode.size - 3  # the size counts "." and ".."
        if left <= 0:
            return
        cursor = _Cursor(self, self._directories + inode.start, inode.offset)
        while left > 0:
            count, start, _ = cursor.unpack("III")
            left -= 12
            for _ in range(count + 1):
                offset, _, _, length = cursor.unpack("HHHH")
                name = cursor.take(length + 1)
                left -= 8 + len(name)
                if left < 0:
                    raise DamagedImage(f"the directory /{path} is damaged")
                yield checked_name(name, path), start << 16 | offset

    def _xattrs(self, inode: Inode) -> dict[str, bytes]:
        if inode.xattr == _NONE or self._xattrs_at == 0xFFFFFFFFFFFFFFFF:
            return {}
        table, count = struct.unpack("<QI", self._source.read(self._xattrs_at, 12))
        if inode.xattr >= count:
            raise DamagedImage("the extended attributes of an inode do not exist")
        entries = self._table(self._xattrs_at + 16, count * 16)
        reference, number, _ = struct.unpack_from("<QII", entries, inode.xattr * 16)
        cursor = _Cursor(self, table + (reference >> 16), reference & 0xFFFF)
        found = {}
        for _ in range(number):
            namespace, length = cursor.unpack("HH")
            name = cursor.take(length)
            value = cursor.take(cursor.unpack("I")[0])
            if namespace & 0x100:  # the value is elsewhere: one that another inode has, too
                if len(value) != 8:
                    raise DamagedImage("an extended attribute is damaged")
                (place,) = struct.unpack("<Q", value)
                other = _Cursor(self, table + (place >> 16), place & 0xFFFF)
                value = other.take(other.unpack("I")[0])
            if namespace & 0xFF >= len(_PREFIXES):
                raise DamagedImage("an extended attribute is of an unknown namespace")
            found[_PREFIXES[namespace & 0xFF] + name.decode("utf-8", "surrogateescape")] = value
        return found
