"""Which blocks a file has: extent trees.

A map is a list of (logical, physical, count) runs in blocks, ascending. Four extents fit in the
inode; more need leaf blocks, 340 extents each, and index blocks above these.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from builders.crc32c import crc32c, finish
from builders.filesystems.ext4.options import BLOCK

Run = tuple[int, int, int]

LONGEST = 32768
"""Blocks in one extent."""

_MAGIC = 0xF30A
_IN_INODE = 4
_IN_BLOCK = (BLOCK - 12 - 4) // 12
_HEADER = struct.Struct("<HHHHI")
_EXTENT = struct.Struct("<IHHI")
_INDEX = struct.Struct("<IIHH")

_ONE = struct.Struct("<HHHHIIHHI36x").pack
EMPTY = _HEADER.pack(_MAGIC, 0, _IN_INODE, 0, 0).ljust(60, b"\0")


def one(physical: int, count: int) -> bytes:
    """The 60 bytes of i_block for a file that is a single run of at most LONGEST blocks."""
    return _ONE(_MAGIC, 1, 4, 0, 0, 0, count, physical >> 32, physical & 0xFFFFFFFF)


def tree(
    runs: Sequence[Run],
    inode_seed: int,
    *,
    checksums: bool,
    take: Callable[[], int],
    put: Callable[[int, bytes], None],
) -> tuple[bytes, int]:
    """i_block for `runs`, and how many blocks `take` gave for the tree, filled by `put`."""
    level = [
        (logical, _EXTENT.pack(logical, count, physical >> 32, physical & 0xFFFFFFFF))
        for logical, physical, count in _short(runs)
    ]
    depth = 0
    taken = 0
    while len(level) > _IN_INODE:
        above = []
        for first in range(0, len(level), _IN_BLOCK):
            part = level[first : first + _IN_BLOCK]
            block = take()
            taken += 1
            node = _HEADER.pack(_MAGIC, len(part), _IN_BLOCK, depth, 0)
            node = (node + b"".join(entry for _, entry in part)).ljust(BLOCK - 4, b"\0")
            checksum = finish(crc32c(inode_seed, node)) if checksums else 0
            put(block, node + checksum.to_bytes(4, "little"))
            logical = part[0][0]
            above.append((logical, _INDEX.pack(logical, block & 0xFFFFFFFF, block >> 32, 0)))
        level = above
        depth += 1
    root = _HEADER.pack(_MAGIC, len(level), _IN_INODE, depth, 0)
    return (root + b"".join(entry for _, entry in level)).ljust(60, b"\0"), taken


def _short(runs: Sequence[Run]) -> list[Run]:
    result = []
    for logical, physical, count in runs:
        for done in range(0, count, LONGEST):
            result.append((logical + done, physical + done, min(LONGEST, count - done)))
    return result


def most_tree_blocks(runs: int, blocks: int) -> int:
    """An upper bound of the tree blocks of a file of `runs` runs and `blocks` blocks altogether.

    Group metadata may cut a run where groups begin.
    """
    extents = runs + 4 * (blocks // LONGEST)
    if extents + 3 <= _IN_INODE:
        return 0
    total = 0
    while extents > _IN_INODE:
        extents = -(-extents // _IN_BLOCK)
        total += extents
    return total
