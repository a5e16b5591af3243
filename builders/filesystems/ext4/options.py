"""What a caller can say about an ext4 file system, and the constants of the format."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Mapping
from dataclasses import dataclass, replace

from builders.filesystems.options import BadOption, LabelTooLong, Types, check

BLOCK = 4096
BLOCKS_PER_GROUP = 32768
INODE_SIZE = 256
INODES_PER_BLOCK = BLOCK // INODE_SIZE
FIRST_INODE = 11  # lost+found; the tree's own begin behind it

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Format:
    """What distinguishes ext2, ext3 and ext4 on disk, and what their features change.

    flex         groups whose metadata is put together
    descriptor   bytes of a group descriptor
    extents      blocks of files in extent trees, else in indirect blocks
    checksums    metadata_csum
    journal      there is one unless the options say no
    dir_index    kernels may index directories
    resizable    resize_inode: room for the descriptors of groups to come
    """

    name: str
    flex: int
    descriptor: int
    extents: bool
    checksums: bool
    journal: bool
    dir_index: bool = True
    resizable: bool = True

    @property
    def counts_far(self) -> bool:
        """huge_file, dir_nlink and extra_isize: what ext4 counts further than its elders."""
        return self.name == "ext4"


EXT4 = Format("ext4", 16, 64, extents=True, checksums=True, journal=True)
EXT3 = Format("ext3", 1, 32, extents=False, checksums=False, journal=True)
EXT2 = Format("ext2", 1, 32, extents=False, checksums=False, journal=False)


ON_ERROR = {"continue": 1, "remount-ro": 2, "panic": 3}
"""What a kernel does when it finds an error: names and numbers in the superblock."""

_INHERENT = ("ext_attr", "filetype", "sparse_super", "large_file")
"""Features that all have, whatever is asked for."""

_OF_EXT4 = ("huge_file", "dir_nlink", "extra_isize")


def with_features(form: Format, features: Mapping[str, bool]) -> Format:
    """`form` with features of mke2fs(8) switched on or off. Raises BadOption for others."""
    for feature, on in features.items():
        match feature:
            case "has_journal":
                form = replace(form, journal=on)
            case "64bit":
                form = replace(form, descriptor=64 if on else 32)
            case "metadata_csum":
                form = replace(form, checksums=on)
            case "extent" | "extents":
                form = replace(form, extents=on)
            case "flex_bg":
                form = replace(form, flex=max(form.flex, 16) if on else 1)
            case "dir_index":
                form = replace(form, dir_index=on)
            case "resize_inode":
                form = replace(form, resizable=on)
            case _ if feature in FEATURES:
                has = feature in _INHERENT or form.counts_far
                if on != has:
                    raise BadOption(
                        "features",
                        f"{form.name} always is {'with' if has else 'without'} {feature}",
                    )
            case _:
                raise BadOption(
                    "features", f"{feature} is none that is understood: {', '.join(FEATURES)}"
                )
    return form


FEATURES = (
    *("has_journal", "64bit", "metadata_csum", "extent", "flex_bg", "dir_index", "resize_inode"),
    *_INHERENT,
    *_OF_EXT4,
)
"""Features that can be named; those behind resize_inode cannot be switched."""


_MOST_BLOCKS = 0xFFFFFFFF  # with a resize inode there are no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Ext4Options:
    """
    uuid      of the file system; the hash seed of its directories is derived from it
    label     at most 16 bytes of UTF-8
    size      bytes; None: as big as the tree needs, and `free`
    free      bytes to keep free when no size is given; None: 5 % of the content and 16 MiB
    journal   bytes; None: as mke2fs chooses by the size; 0: no journal
    reserved  fraction of the blocks that only root may fill
    inodes    how many; None: one for each `bytes_per_inode`, and for all that the tree needs
    epoch     seconds: when the file system was made
    errors    what a kernel does when it finds one: a key of ON_ERROR
    hash_seed   of directories; None: derived from the uuid
    root_owner  user and group of the root directory; None: the tree's
    """

    uuid: uuids.UUID
    label: str = ""
    size: int | None = None
    free: int | None = None
    journal: int | None = None
    reserved: float = 0.05
    inodes: int | None = None
    bytes_per_inode: int = 16384
    epoch: int = 1
    errors: str = "continue"
    hash_seed: uuids.UUID | None = None
    root_owner: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        length = len(self.label.encode())
        if length > 16:
            raise LabelTooLong(self.label, length, 16)
        if "\0" in self.label:
            raise BadOption("label", "it must not contain a null character")
        if self.size is not None and self.size < 64 * BLOCK:
            raise BadOption("size", f"{self.size} bytes; {64 * BLOCK} are the least")
        if self.size is not None and self.size // BLOCK > _MOST_BLOCKS:
            raise BadOption("size", f"{self.size:,} bytes; {_MOST_BLOCKS * BLOCK:,} are the most")
        if self.free is not None and self.free < 0:
            raise BadOption("free", "it must not be negative")
        if self.journal and self.journal < 1024 * BLOCK:
            raise BadOption("journal", f"{self.journal} bytes; {1024 * BLOCK} are the least")
        if not 0 <= self.reserved <= 0.5:
            raise BadOption("reserved", "a fraction between 0 and 0.5 is wanted")
        if self.inodes is not None and self.inodes < FIRST_INODE:
            raise BadOption("inodes", f"{self.inodes}; {FIRST_INODE} are the least")
        if not 1024 <= self.bytes_per_inode <= 64 * _MIB:
            raise BadOption("bytes_per_inode", "a number from 1024 to 67108864 is wanted")
        if self.errors not in ON_ERROR:
            raise BadOption("errors", f"{self.errors}; there are {', '.join(ON_ERROR)}")

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
    "bytes_per_inode": int,
    "epoch": int,
    "errors": str,
    "hash_seed": uuids.UUID,
    "root_owner": tuple,
}


def ext4_options(name: str, options: Mapping[str, object]) -> Ext4Options:
    """Options from a derivation's arguments. Raises BadOption for names and types not known."""
    checked = check(name, _TYPES, options)
    if "uuid" not in checked:
        raise BadOption("uuid", "it must be given")
    return Ext4Options(**checked)  # type: ignore[arg-type]
