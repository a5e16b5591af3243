"""The journal's and the resize inode's own blocks."""

from __future__ import annotations

import struct
from collections.abc import Callable

from builders.filesystems.ext4.layout import Geometry, has_superblock
from builders.filesystems.ext4.options import BLOCK, BLOCKS_PER_GROUP

_JBD2_MAGIC = 0xC03B3998
_SUPERBLOCK_V2 = 4
_POINTERS = BLOCK // 4

RESIZE_SIZE = (12 + _POINTERS + _POINTERS * _POINTERS) * BLOCK
"""The size of the resize inode: all that the double indirect block could reach."""


def journal_superblock(blocks: int) -> bytes:
    """The first block of an empty journal (big-endian); the rest of the journal is zero."""
    head = struct.pack(">9I", _JBD2_MAGIC, _SUPERBLOCK_V2, 0, BLOCK, blocks, 1, 1, 0, 0)
    return head.ljust(0x40, b"\0") + struct.pack(">I", 1)


def resize_inode(
    layout: Geometry, double_indirect: int, put: Callable[[int, bytes], None]
) -> tuple[bytes, int]:
    """i_block of the resize inode and how many blocks it has.

    Through the block `double_indirect` it holds all blocks reserved for group descriptors, and each
    of those lists its copies in the groups with a superblock.
    """
    copies = [group for group in range(1, layout.groups) if has_superblock(group)]
    table = bytearray(BLOCK)
    for number in range(layout.reserved_descriptors):
        block = 1 + layout.descriptors + number
        position = (layout.descriptors + number) % _POINTERS
        struct.pack_into("<I", table, position * 4, block)
        if copies:
            places = [block + group * BLOCKS_PER_GROUP for group in copies]
            put(block, struct.pack(f"<{len(places)}I", *places))
    put(double_indirect, bytes(table))
    blocks = 1 + layout.reserved_descriptors * (1 + len(copies))
    return struct.pack("<52xI", double_indirect).ljust(60, b"\0"), blocks
