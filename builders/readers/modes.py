"""Modes of inodes: kind and permissions, as every Unix file system stores them."""

from __future__ import annotations

from builders.readers.source import DamagedImage
from builders.tree import Kind

_KINDS: dict[int, Kind] = {
    0o010000: "p",
    0o020000: "c",
    0o040000: "d",
    0o060000: "b",
    0o100000: "f",
    0o120000: "l",
    0o140000: "s",
}


def kind(mode: int) -> Kind:
    """What an inode with this mode is. Raises DamagedImage."""
    found = _KINDS.get(mode & 0o170000)
    if found is None:
        raise DamagedImage(f"an inode has the mode {mode:o}, which is of no kind of file")
    return found


def device(number: int) -> tuple[int, int]:
    """Major and minor of a device number of 32 bits (new_decode_dev)."""
    return (number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00)
