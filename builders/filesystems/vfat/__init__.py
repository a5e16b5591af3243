"""FAT12, FAT16 and FAT32 with long names, written as bytes.

FAT has no owners, permissions, links or devices: the first two are dropped, a tree with one of the
others is refused.
"""

from __future__ import annotations

from builders.filesystems.vfat.writer import make

__all__ = ["make"]
