"""The inode table."""

from __future__ import annotations

import struct

from builders.crc32c import crc32c
from builders.filesystems.ext4.options import INODE_SIZE
from builders.filesystems.hierarchy import BadTree

ROOT = 2
RESIZE = 7
JOURNAL = 8
LOST_FOUND = 11

USES_EXTENTS = 0x80000

TYPES = {
    "f": 0o100000,
    "d": 0o040000,
    "l": 0o120000,
    "c": 0o020000,
    "b": 0o060000,
    "p": 0o010000,
    "s": 0o140000,
}
"""The type bits of a mode, by kind of entry."""

# What the checksum begins with, number and generation; then the inode: mode uid size atime ctime
# mtime - gid links sectors flags - blocks - xattr-block size-high - sectors-high xattr-block-high
# uid-high gid-high - extra-size - ctime mtime atime crtime - xattrs
_INODE = struct.Struct("<I4xHHIIII4xHHII4x60s4xII4xHHHH4xH2xIIIII8x96s")
_BEFORE = 8  # the number and the generation
_HALF = struct.Struct("<H").pack_into
_ACTUAL_EXTRA = 32
_EARLIEST = -(1 << 31)
_LATEST = (1 << 34) - (1 << 31) - 1
_PAIR = struct.Struct("<II").pack
_MASK = 0xFFFFFFFF


class TimeOutOfRange(BadTree):
    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"a modification time of {seconds} seconds since 1970 is outside of what ext4 can "
            "store (the years 1901 to 2446)"
        )


class InodeTable:
    """The inodes 1..count, 256 bytes each, in `data`. What is not put is zero: not in use."""

    def __init__(self, count: int, seed: int, checksums: bool) -> None:
        self.data = bytearray(count * INODE_SIZE)
        self._seed = seed
        self._checksums = checksums
        self._times: dict[int, tuple[int, int]] = {}

    def seed(self, number: int) -> int:
        """What checksums of an inode's own blocks continue: its number and generation, 0."""
        return crc32c(self._seed, _PAIR(number, 0))

    def put(
        self,
        number: int,
        mode: int,
        uid: int,
        gid: int,
        mtime: int,
        size: int,
        links: int,
        sectors: int,
        flags: int,
        blocks: bytes,
        xattr_block: int = 0,
        xattrs: bytes = b"",
    ) -> None:
        """Fill an inode; `sectors` counts its blocks, all kinds, in units of 512 bytes."""
        time = self._times.get(mtime)
        if time is None:
            time = self._times[mtime] = _time(mtime)
        seconds, extra = time
        packed = _INODE.pack(
            number,
            mode,
            uid & 0xFFFF,
            size & _MASK,
            seconds,
            seconds,
            seconds,
            gid & 0xFFFF,
            links,
            sectors & _MASK,
            flags,
            blocks,
            xattr_block & _MASK,
            size >> 32,
            sectors >> 32,
            xattr_block >> 32,
            uid >> 16,
            gid >> 16,
            _ACTUAL_EXTRA,
            extra,
            extra,
            extra,
            seconds,
            extra,
            xattrs,
        )
        start = (number - 1) * INODE_SIZE
        self.data[start : start + INODE_SIZE] = packed[_BEFORE:]
        if self._checksums:
            crc = crc32c(self._seed, packed) ^ _MASK
            _HALF(self.data, start + 124, crc & 0xFFFF)
            _HALF(self.data, start + 130, crc >> 16)


def _time(mtime: int) -> tuple[int, int]:
    """Nanoseconds -> the 32 bits of seconds, and 30 bits of nanoseconds above 2 more of seconds."""
    seconds, nanoseconds = divmod(mtime, 1_000_000_000)
    if not _EARLIEST <= seconds <= _LATEST:
        raise TimeOutOfRange(seconds)
    low = seconds & _MASK
    signed = low - (1 << 32) if low >= 1 << 31 else low
    return low, nanoseconds << 2 | (seconds - signed) >> 32


def device(major: int, minor: int) -> bytes:
    """i_block of a device: the old 16-bit number if it will do, else the new one."""
    if major < 256 and minor < 256:
        return _PAIR(major << 8 | minor, 0)
    return _PAIR(0, (minor & 0xFF) | major << 8 | (minor & ~0xFF) << 12)
