"""ext4, and its elders ext2 and ext3, written as bytes: no mount, no tool, no root.

4-KiB blocks and the features that mke2fs 1.47 gives a file system by default: has_journal ext_attr
resize_inode dir_index filetype extent 64bit flex_bg sparse_super large_file huge_file dir_nlink
extra_isize metadata_csum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from builders.filesystems.ext4.options import EXT2, EXT3, EXT4, Ext4Options, ext4_options
from builders.filesystems.ext4.writer import plan
from builders.plan import Plan
from builders.tree import Entry

__all__ = ["EXT2", "EXT3", "EXT4", "Ext4Options", "make", "plan"]

_FORMATS = {form.name: form for form in (EXT2, EXT3, EXT4)}


def make(name: str, tree: Sequence[Entry], options: Mapping[str, object]) -> Plan:
    """The file system `name` (ext2, ext3 or ext4) that holds `tree`; `options`: Ext4Options."""
    return plan(tree, ext4_options(name, options), _FORMATS[name])
