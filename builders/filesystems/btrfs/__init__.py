"""btrfs on one device, written as bytes: no mount, no tool, no root.

Sectors of 4 KiB, nodes of 16 KiB, CRC-32C of data and metadata, and the features that mkfs.btrfs
gives a file system by default since 5.15: extended references, skinny metadata, no holes, a tree
of free space; metadata twice, data once. Directories that are declared as subvolumes are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from builders.filesystems.btrfs.options import BtrfsOptions, Subvolume, btrfs_options
from builders.filesystems.btrfs.writer import plan
from builders.filesystems.workroom import Workroom
from builders.plan import Plan
from builders.tree import Entry

__all__ = ["BtrfsOptions", "Subvolume", "make", "plan"]


def make(
    name: str,
    tree: Sequence[Entry],
    options: Mapping[str, object],
    room: Workroom | None = None,
) -> Plan:
    """The btrfs that holds `tree`, whose contents are read; `options`: BtrfsOptions."""
    del name
    return plan(tree, btrfs_options(options), room.real if room else Path)
