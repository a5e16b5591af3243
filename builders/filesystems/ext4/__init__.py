"""ext4, and its elders ext2 and ext3, written as bytes: no mount, no tool, no root.

4-KiB blocks and the features that mke2fs 1.47 gives a file system by default: has_journal ext_attr
resize_inode dir_index filetype extent 64bit flex_bg sparse_super large_file huge_file dir_nlink
extra_isize metadata_csum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from builders.filesystems.ext4.options import (
    EXT2,
    EXT3,
    EXT4,
    Ext4Options,
    ext4_options,
    with_features,
)
from builders.filesystems.ext4.writer import plan
from builders.filesystems.options import BadOption
from builders.plan import Plan
from builders.tree import Entry

__all__ = ["EXT2", "EXT3", "EXT4", "Ext4Options", "make", "plan"]

_FORMATS = {form.name: form for form in (EXT2, EXT3, EXT4)}


def make(name: str, tree: Sequence[Entry], options: Mapping[str, object]) -> Plan:
    """The file system `name` (ext2, ext3 or ext4) that holds `tree`. `options`: Ext4Options;
    features, a table of mke2fs(8)'s to what they are switched to; flex, groups of a flex group.
    """
    given: dict[str, Any] = dict(options)
    form = with_features(_FORMATS[name], given.pop("features", None) or {})
    flex = given.pop("flex", None)
    if flex is not None:
        if form.flex == 1:
            raise BadOption("flex", f"{name} has no flex groups")
        form = replace(form, flex=flex)
    return plan(tree, ext4_options(name, given), form)
