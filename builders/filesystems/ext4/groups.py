"""Bitmaps and descriptors of the block groups."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from builders.crc32c import crc32c, finish
from builders.filesystems.ext4.layout import Geometry, GroupPlaces, has_superblock
from builders.filesystems.ext4.options import BLOCK, BLOCKS_PER_GROUP

_INODE_UNINIT = 1
_BLOCK_UNINIT = 2
_INODE_ZEROED = 4

_DESCRIPTOR = struct.Struct("<IIIHHHHIHHHHIIIHHHHIHHI")
_MASK = 0xFFFFFFFF
_BITS = BLOCK * 8
_ALL = (1 << _BITS) - 1


class Groups(NamedTuple):
    """The table of descriptors, and what the superblock counts."""

    descriptors: bytes
    free_blocks: int
    free_inodes: int


def finish_groups(
    layout: Geometry,
    places: GroupPlaces,
    free_runs: Sequence[tuple[int, int]],
    inodes_used: int,
    directories: Mapping[int, int],
    seed: int,
    put: Callable[[int, bytes], None],
) -> Groups:
    """Write the bitmaps with `put` and make the descriptors.

    `free_runs` are [start, stop) blocks, ascending; inodes 1..inodes_used are in use, of which
    `directories` counts the directories by group.

    The image is born zero, so every inode table is; groups of which nothing is used are marked so
    and need no bitmaps. A kernel has nothing left to initialise after the first mount.
    """
    checksums = layout.form.checksums
    per_group = layout.inodes_per_group
    free_by_group = _by_group(free_runs)
    descriptors = []
    total_blocks = total_inodes = 0
    for group in range(layout.groups):
        begin = group * BLOCKS_PER_GROUP
        count = min(BLOCKS_PER_GROUP, layout.blocks - begin)
        free = free_by_group.get(group, [])
        free_blocks = sum(stop - start for start, stop in free)
        used = max(0, min(per_group, inodes_used - group * per_group))
        free_inodes = per_group - used
        flags = block_crc = inode_crc = 0
        zone = layout.super_zone if has_superblock(group) else 0
        untouched = 0 < group < layout.groups - 1 and free_blocks == count - zone
        if checksums:
            flags |= _INODE_ZEROED
            flags |= 0 if used else _INODE_UNINIT
            flags |= _BLOCK_UNINIT if untouched else 0
        if not flags & _BLOCK_UNINIT:
            bitmap = _block_bitmap(free, begin)
            put(places.block_bitmaps[group], bitmap)
            block_crc = finish(crc32c(seed, bitmap)) if checksums else 0
        if not flags & _INODE_UNINIT:
            bits = _ALL >> per_group << per_group | ((1 << used) - 1)
            bitmap = bits.to_bytes(BLOCK, "little")
            put(places.inode_bitmaps[group], bitmap)
            inode_crc = finish(crc32c(seed, bitmap[: per_group // 8])) if checksums else 0
        descriptor = _descriptor(
            (places.block_bitmaps[group], places.inode_bitmaps[group], places.tables[group]),
            (free_blocks, free_inodes, directories.get(group, 0)),
            free_inodes if checksums else 0,
            flags,
            (block_crc, inode_crc),
        )
        descriptor = descriptor[: layout.form.descriptor]
        if checksums:
            crc = finish(crc32c(crc32c(seed, struct.pack("<I", group)), descriptor)) & 0xFFFF
            descriptor = descriptor[:30] + struct.pack("<H", crc) + descriptor[32:]
        descriptors.append(descriptor)
        total_blocks += free_blocks
        total_inodes += free_inodes
    return Groups(b"".join(descriptors), total_blocks, total_inodes)


def _by_group(runs: Sequence[tuple[int, int]]) -> dict[int, list[tuple[int, int]]]:
    result: dict[int, list[tuple[int, int]]] = {}
    for start, stop in runs:
        for group in range(start // BLOCKS_PER_GROUP, -(-stop // BLOCKS_PER_GROUP)):
            begin = group * BLOCKS_PER_GROUP
            inside = (max(start, begin), min(stop, begin + BLOCKS_PER_GROUP))
            result.setdefault(group, []).append(inside)
    return result


def _block_bitmap(free: Sequence[tuple[int, int]], begin: int) -> bytes:
    """One bit a block, set where in use; bits behind the end of the file system are set."""
    bits = _ALL
    for start, stop in free:
        bits ^= ((1 << (stop - start)) - 1) << (start - begin)
    return bits.to_bytes(BLOCK, "little")


def _descriptor(
    places: tuple[int, int, int],
    counts: tuple[int, int, int],
    never_used: int,
    flags: int,
    checksums: tuple[int, int],
) -> bytes:
    """64 bytes; the checksum of the descriptor itself is left 0."""
    return _DESCRIPTOR.pack(
        *(place & _MASK for place in places),
        *(count & 0xFFFF for count in counts),
        flags,
        0,
        checksums[0] & 0xFFFF,
        checksums[1] & 0xFFFF,
        never_used & 0xFFFF,
        0,
        *(place >> 32 for place in places),
        *(count >> 16 for count in counts),
        never_used >> 16,
        0,
        checksums[0] >> 16,
        checksums[1] >> 16,
        0,
    )
