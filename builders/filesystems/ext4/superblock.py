"""The superblock."""

from __future__ import annotations

import struct
import uuid as uuids
from typing import NamedTuple

from builders.crc32c import crc32c, finish
from builders.filesystems.ext4.groups import Groups
from builders.filesystems.ext4.inodes import JOURNAL
from builders.filesystems.ext4.layout import Geometry
from builders.filesystems.ext4.options import (
    BLOCKS_PER_GROUP,
    FIRST_INODE,
    INODE_SIZE,
    ON_ERROR,
    Ext4Options,
)

SIZE = 1024

_MAGIC = 0xEF53
_MASK = 0xFFFFFFFF
_HALF_MD4 = 1
_SIGNED_HASH = 1
_XATTR_AND_ACL = 0x0C

# compatible
_HAS_JOURNAL, _EXT_ATTR, _RESIZE_INODE, _DIR_INDEX = 0x4, 0x8, 0x10, 0x20
# incompatible
_FILETYPE, _EXTENTS, _64BIT, _FLEX_BG = 0x2, 0x40, 0x80, 0x200
# read-only compatible
_SPARSE_SUPER, _LARGE_FILE, _HUGE_FILE, _DIR_NLINK, _EXTRA_ISIZE = 0x1, 0x2, 0x8, 0x20, 0x40
_METADATA_CSUM = 0x400


class JournalMap(NamedTuple):
    """i_block and size in bytes of the journal, of which the superblock keeps a copy."""

    blocks: bytes
    size: int


def superblock(
    layout: Geometry, groups: Groups, options: Ext4Options, journal: JournalMap | None, group: int
) -> bytes:
    """The 1024 bytes of the copy that is in `group`."""
    form = layout.form
    data = bytearray(SIZE)
    reserved = int(layout.blocks * options.reserved)
    epoch = options.epoch & _MASK
    pack = struct.pack_into
    pack(
        "<13I",
        data,
        0,
        layout.inodes_per_group * layout.groups,
        layout.blocks & _MASK,
        reserved & _MASK,
        groups.free_blocks & _MASK,
        groups.free_inodes,
        0,  # first data block
        2,  # log2 of the block size / 1024, and of the cluster size
        2,
        BLOCKS_PER_GROUP,
        BLOCKS_PER_GROUP,
        layout.inodes_per_group,
        0,  # never mounted
        epoch,
    )
    pack("<HHHHHH", data, 0x34, 0, 0xFFFF, _MAGIC, 1, ON_ERROR[options.errors], 0)
    pack("<IIIIHH", data, 0x40, epoch, 0, 0, 1, 0, 0)
    compatible, incompatible, read_only = _features(layout, journal is not None)
    pack(
        "<IHHIII",
        data,
        0x54,
        FIRST_INODE,
        INODE_SIZE,
        group & 0xFFFF,
        compatible,
        incompatible,
        read_only,
    )
    data[0x68:0x78] = options.uuid.bytes
    label = options.label.encode()
    data[0x78 : 0x78 + len(label)] = label
    pack("<H", data, 0xCE, layout.reserved_descriptors)
    data[0xEC:0xFC] = (options.hash_seed or uuids.uuid5(options.uuid, "hash seed")).bytes
    pack("<BBH", data, 0xFC, _HALF_MD4, 0, 64 if form.descriptor == 64 else 0)
    pack("<III", data, 0x100, _XATTR_AND_ACL, 0, epoch)
    if journal is not None:
        pack("<I", data, 0xE0, JOURNAL)
        data[0xFD] = 1  # the copy of the journal's map is one of blocks
        data[0x10C : 0x10C + 60] = journal.blocks
        pack("<II", data, 0x10C + 60, journal.size >> 32, journal.size & _MASK)
    if form.descriptor == 64:
        pack("<III", data, 0x150, layout.blocks >> 32, reserved >> 32, groups.free_blocks >> 32)
    pack("<HHI", data, 0x15C, 32, 32, _SIGNED_HASH)
    if form.flex > 1:
        data[0x174] = form.flex.bit_length() - 1
    if form.checksums:
        data[0x175] = 1  # crc32c
        pack("<I", data, 0x3FC, finish(crc32c(0, bytes(data[:0x3FC]))))
    return bytes(data)


def _features(layout: Geometry, journal: bool) -> tuple[int, int, int]:
    form = layout.form
    compatible = _EXT_ATTR | (_DIR_INDEX if form.dir_index else 0)
    compatible |= _HAS_JOURNAL if journal else 0
    compatible |= _RESIZE_INODE if layout.reserved_descriptors else 0
    incompatible = _FILETYPE
    incompatible |= _EXTENTS if form.extents else 0
    incompatible |= _64BIT if form.descriptor == 64 else 0
    incompatible |= _FLEX_BG if form.flex > 1 else 0
    read_only = _SPARSE_SUPER | _LARGE_FILE
    if form.counts_far:
        read_only |= _HUGE_FILE | _DIR_NLINK | _EXTRA_ISIZE
    read_only |= _METADATA_CSUM if form.checksums else 0
    return compatible, incompatible, read_only
