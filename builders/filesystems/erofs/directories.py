"""Directories of an EROFS: in each block the records, sorted by name, then the names."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from builders.filesystems.erofs.layout import BLOCK, SLOT
from builders.filesystems.hierarchy import Hierarchy

_DIRENT = struct.Struct("<QHBB")
_FILE_TYPES = {"f": 1, "d": 2, "c": 3, "b": 4, "p": 5, "s": 6, "l": 7}

Block = list[tuple[bytes, int]]
"""The (name, index of the entry) pairs of one block of a directory."""


def blocks_of(hierarchy: Hierarchy, directory: int) -> list[Block]:
    """The entries of a directory, those of one block together."""
    names = [(hierarchy.names[child], child) for child in hierarchy.children[directory]]
    names += [(b".", directory), (b"..", hierarchy.parents[directory])]
    names.sort()
    blocks: list[Block] = [[]]
    used = 0
    for pair in names:
        length = _DIRENT.size + len(pair[0])
        if used + length > BLOCK:
            blocks.append([])
            used = 0
        blocks[-1].append(pair)
        used += length
    return blocks


def size(blocks: Sequence[Block]) -> int:
    """Bytes of the directory's content."""
    last = sum(_DIRENT.size + len(name) for name, _ in blocks[-1])
    return (len(blocks) - 1) * BLOCK + last


def content(hierarchy: Hierarchy, at: Sequence[int], blocks: Sequence[Block]) -> bytes:
    """The content of a directory; `at`: the byte offsets of all inodes."""
    result = b""
    for block in blocks:
        result += bytes(-len(result) % BLOCK)
        offset = _DIRENT.size * len(block)
        records = []
        for name, number in block:
            inode = hierarchy.targets.get(number, number)
            kind = _FILE_TYPES[hierarchy.entries[inode].kind]
            records.append(_DIRENT.pack(at[inode] // SLOT, offset, kind, 0))
            offset += len(name)
        result += b"".join(records) + b"".join(name for name, _ in block)
    return result
