"""Directory blocks: linear lists of records, as mke2fs makes them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from builders.crc32c import crc32c, finish
from builders.filesystems.ext4.options import BLOCK

DIRECTORY = 2
"""The file type of a directory in a record."""

LOST_FOUND_BLOCKS = 4
_TAIL = 12
_TAIL_RECORD = struct.Struct("<IHBBI")
_DOTS = 24  # the records of "." and ".."

# A record with its name, padded to a multiple of four.
_RECORDS = {length: struct.Struct(f"<IHBB{length - 8}s") for length in range(12, 268, 4)}


Record = tuple[int, bytes, int]
"""Inode, name, file type."""


def cut(names: Sequence[bytes], checksums: bool, extra: int = 0) -> list[tuple[int, int]]:
    """The [start, stop) ranges of `names` that share a block.

    The first block also holds "." and ".." and `extra` bytes of records.
    """
    limit = BLOCK - (_TAIL if checksums else 0)
    room = limit - _DOTS - extra
    if 12 * len(names) + sum(map(len, names)) <= room - 3 * len(names):
        return [(0, len(names))]
    ranges = []
    start = 0
    for number, name in enumerate(names):
        length = (len(name) + 11) & ~3
        if length > room:
            ranges.append((start, number))
            start = number
            room = limit
        room -= length
    ranges.append((start, len(names)))
    return ranges


def block(records: Sequence[Record], seed: int, checksums: bool) -> bytes:
    """One block of records; the last one's length covers the rest. `seed` is of the inode."""
    limit = BLOCK - (_TAIL if checksums else 0)
    if records:
        parts = []
        position = 0
        for inode, name, file_type in records[:-1]:
            length = (len(name) + 11) & ~3
            parts.append(_RECORDS[length].pack(inode, length, len(name), file_type, name))
            position += length
        inode, name, file_type = records[-1]
        head = struct.pack("<IHBB", inode, limit - position, len(name), file_type)
        parts.append(head + name)
        body = b"".join(parts).ljust(limit, b"\0")
    else:
        body = struct.pack("<IHBB", 0, limit, 0, 0).ljust(limit, b"\0")
    if not checksums:
        return body
    return body + _TAIL_RECORD.pack(0, _TAIL, 0, 0xDE, finish(crc32c(seed, body)))


def dots(own: int, parent: int) -> list[Record]:
    """The first two records of every directory."""
    return [(own, b".", DIRECTORY), (parent, b"..", DIRECTORY)]
