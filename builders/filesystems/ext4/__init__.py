"""ext4, and its elders ext2 and ext3, written as bytes: no mount, no tool, no root.

4-KiB blocks and the features that mke2fs 1.47 gives a file system by default: has_journal ext_attr
resize_inode dir_index filetype extent 64bit flex_bg sparse_super large_file huge_file dir_nlink
extra_isize metadata_csum.
"""

from __future__ import annotations

from builders.filesystems.ext4.options import (
    EXT2,
    EXT3,
    EXT4,
    BadOption,
    Ext4Options,
    LabelTooLong,
    ext4_options,
)
from builders.filesystems.ext4.plan import plan

__all__ = [
    "EXT2",
    "EXT3",
    "EXT4",
    "BadOption",
    "Ext4Options",
    "LabelTooLong",
    "ext4_options",
    "plan",
]
