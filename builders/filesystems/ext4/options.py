"""What a caller can say about an ext4 file system, and the constants of the format."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Mapping
from dataclasses import dataclass

from builders.filesystems.options import BadOption, LabelTooLong, Types, check

BLOCK = 4096
BLOCKS_PER_GROUP = 32768
INODE_SIZE = 256
INODES_PER_BLOCK = BLOCK // INODE_SIZE
FIRST_INODE = 11  # lost+found; the tree's own begin behind it

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Format:
    """What distinguishes ext2, ext3 and ext4 on disk.

    flex         groups whose metadata is put together
    descriptor   bytes of a group descriptor
    extents      blocks of files in extent trees, else in indirect blocks
    checksums    metadata_csum
    journal      there is one unless the options say no
    """

    name: str
    flex: int
    descriptor: int
    extents: bool
    checksums: bool
    journal: bool


EXT4 = Format("ext4", 16, 64, extents=True, checksums=True, journal=True)
EXT3 = Format("ext3", 1, 32, extents=False, checksums=False, journal=True)
EXT2 = Format("ext2", 1, 32, extents=False, checksums=False, journal=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ext4Options:
    """
    uuid      of the file system; the hash seed of its directories is derived from it
    label     at most 16 bytes of UTF-8
    size      bytes; None: as big as the tree needs, and `free`
    free      bytes to keep free when no size is given; None: 5 % of the content and 16 MiB
    journal   bytes; None: as mke2fs chooses by the size; 0: no journal
    reserved  fraction of the blocks that only root may fill
    inodes    how many; None: one for each 16 KiB, and for all that the tree needs
    epoch     seconds: when the file system was made
    """

    uuid: uuids.UUID
    label: str = ""
    size: int | None = None
    free: int | None = None
    journal: int | None = None
    reserved: float = 0.05
    inodes: int | None = None
    epoch: int = 1

    def __post_init__(self) -> None:
        length = len(self.label.encode())
        if length > 16:
            raise LabelTooLong(self.label, length, 16)
        if "\0" in self.label:
            raise BadOption("label", "it must not contain a null character")
        if self.size is not None and self.size < 64 * BLOCK:
            raise BadOption("size", f"{self.size} bytes; {64 * BLOCK} are the least")
        if self.free is not None and self.free < 0:
            raise BadOption("free", "it must not be negative")
        if self.journal and self.journal < 1024 * BLOCK:
            raise BadOption("journal", f"{self.journal} bytes; {1024 * BLOCK} are the least")
        if not 0 <= self.reserved <= 0.5:
            raise BadOption("reserved", "a fraction between 0 and 0.5 is wanted")

    def free_blocks(self, content_blocks: int) -> int:
        """How many blocks are to stay free in a file system whose size is not given."""
        if self.free is None:
            free = content_blocks // 20 + 16 * _MIB // BLOCK
            # beside what is for root alone: it is a share of the whole
            return int((content_blocks + free) / (1 - self.reserved)) - content_blocks
        return -(-self.free // BLOCK)


_TYPES: Types = {
    "uuid": uuids.UUID,
    "label": str,
    "size": int,
    "free": int,
    "journal": int,
    "reserved": (int, float),
    "inodes": int,
    "epoch": int,
}


def ext4_options(name: str, options: Mapping[str, object]) -> Ext4Options:
    """Options from a derivation's arguments. Raises BadOption for names and types not known."""
    checked = check(name, _TYPES, options)
    if "uuid" not in checked:
        raise BadOption("uuid", "it must be given")
    return Ext4Options(**checked)  # type: ignore[arg-type]
