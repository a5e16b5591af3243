"""The superblock and its copies."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from builders.crc32c import crc32c
from builders.filesystems.btrfs.chunks import SUPERBLOCK, SUPERBLOCKS
from builders.filesystems.btrfs.items import DEVICE, ROOT_TREE_DIR
from builders.filesystems.btrfs.nodes import Tree
from builders.filesystems.btrfs.options import SECTOR

_MAGIC = b"_BHRfS_M"
_WRITTEN = 1

# Features: free space tree, and that it is right; mixed back references, nodes bigger than a
# page, extended references of inodes, skinny extents of metadata, no items for holes.
_COMPATIBLE_READ_ONLY = 0x3
_INCOMPATIBLE = 0x1 | 0x20 | 0x40 | 0x100 | 0x200
_DEFAULT_SUBVOLUME = 0x2

_HEAD = struct.Struct("<16sQQ8s9Q5I4QHBBB")
_DEVICE = struct.Struct("<3Q3I3QIBB16s16s")
_LABEL, _GENERATIONS, _SYSTEM_CHUNKS, _BACKUPS = 0x12B, 0x22B, 0x32B, 0xB2B
_BACKUP = struct.Struct("<15Q32x6B10x")


@dataclass(frozen=True, slots=True)
class Device:
    """The one device: its size and the bytes of it that are in chunks."""

    size: int
    used: int
    uuid: bytes
    fsid: bytes

    def item(self) -> bytes:
        """DEV_ITEM."""
        return _DEVICE.pack(
            *(DEVICE, self.size, self.used, SECTOR, SECTOR, SECTOR),
            *(0, 0, 0, 0, 0, 0, self.uuid, self.fsid),
        )


@dataclass(frozen=True, slots=True)
class Roots:
    """The trees that superblocks name."""

    root: Tree
    chunk: Tree
    extent: Tree
    files: Tree
    device: Tree
    checksum: Tree


def superblocks(
    device: Device,
    roots: Roots,
    system_chunks: bytes,
    *,
    used: int,
    label: bytes,
    nodesize: int,
    generation: int,
    has_default: bool,
) -> list[tuple[int, bytes]]:
    """All that fit on the device: (place, bytes). `system_chunks`: key and item of each."""
    block = bytearray(SUPERBLOCK)
    incompatible = _INCOMPATIBLE | (_DEFAULT_SUBVOLUME if has_default else 0)
    block[_LABEL : _LABEL + len(label)] = label
    # the cache of free space is a tree; the tree of UUIDs is up to date
    struct.pack_into("<QQ", block, _GENERATIONS, 0, generation)
    block[_SYSTEM_CHUNKS : _SYSTEM_CHUNKS + len(system_chunks)] = system_chunks
    trees = (roots.root, roots.chunk, roots.extent, roots.files, roots.device, roots.checksum)
    _BACKUP.pack_into(
        block,
        _BACKUPS,
        *(value for tree in trees for value in (tree.root, generation)),
        *(device.size, used, 1),
        *(tree.level for tree in trees),
    )
    made = []
    for place in SUPERBLOCKS:
        if place + SUPERBLOCK >= device.size:
            break
        _HEAD.pack_into(
            block,
            32,
            *(device.fsid, place, _WRITTEN, _MAGIC, generation),
            *(roots.root.root, roots.chunk.root, 0, 0, device.size, used, ROOT_TREE_DIR, 1),
            *(SECTOR, nodesize, nodesize, SECTOR, len(system_chunks)),
            *(generation, 0, _COMPATIBLE_READ_ONLY, incompatible),
            *(0, roots.root.level, roots.chunk.level, 0),
        )
        block[0xC9 : 0xC9 + _DEVICE.size] = device.item()
        checksum = crc32c(0, bytes(block[32:]))
        made.append((place, checksum.to_bytes(4, "little") + bytes(28) + bytes(block[32:])))
    return made
