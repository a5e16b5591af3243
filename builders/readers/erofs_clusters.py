"""Compressed contents of an EROFS: where their clusters are, and what is in them (LZ4)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from builders.errors import BuilderError
from builders.readers.source import DamagedImage, Source

_BLOCK = 4096
_HEADER = 8
_PLAIN, _HEAD, _NONHEAD = 0, 1, 2
_COUNT_OF_BLOCKS = 1 << 11
_COMPACT_PAIRS = 1  # advice: indexes of 2 bytes, too
_BIG_CLUSTERS = 2
_LONGEST = 12 << 20  # of a cluster; the kernel's limit


class CompressedErofs(BuilderError):
    """A file is compressed in a way that this reader does not know."""


class Cluster(NamedTuple):
    """`length` bytes of the content from `start` are in `blocks` from number `block`."""

    start: int
    length: int
    block: int
    blocks: int
    compressed: bool


Index = tuple[int, int, int, int]
"""Of one block of a content: type, where a cluster begins in it, its block, its blocks or 0."""


def clusters(source: Source, at: int, size: int, *, compact: bool) -> Iterator[Cluster]:
    """The clusters of a content of `size` bytes whose map is at or behind the byte `at`.

    Raises DamagedImage, CompressedErofs.
    """
    at += -at % 8
    header = source.read(at, _HEADER)
    advice, methods, bits = struct.unpack_from("<HBB", header, 4)
    if methods & 15 or bits or advice & ~(_COMPACT_PAIRS | _BIG_CLUSTERS | 4):
        raise CompressedErofs(
            "a file in the EROFS is compressed by another method than LZ4, or packed with others",
            hint="mkfs.erofs -zlz4 makes what Kiln reads",
        )
    count = -(-size // _BLOCK)
    if compact:
        indexes = _compact(source, at + _HEADER, count, advice)
    else:
        indexes = _full(source, at + 2 * _HEADER, count)
    found: list[list[int]] = []
    for number, (kind, offset, block, blocks) in enumerate(indexes):
        if kind != _NONHEAD:
            found.append([number * _BLOCK + offset, block, 1, kind])
        elif blocks and found:
            found[-1][2] = blocks
    found.append([size, 0, 0, _PLAIN])
    if found[0][0]:
        raise DamagedImage("a file in the EROFS has no first cluster")
    for (start, block, blocks, kind), (end, *_) in pairwise(found):
        if start >= size:
            return
        length = min(end, size) - start
        if length <= 0 or length > _LONGEST or (kind == _PLAIN and length > blocks * _BLOCK):
            raise DamagedImage("a cluster in the EROFS cannot be right")
        yield Cluster(start, length, block, blocks, kind != _PLAIN)


def unpack(source: Source, cluster: Cluster) -> bytes:
    """What is in a cluster. Raises DamagedImage."""
    import lz4.block

    offset = cluster.block * _BLOCK
    if not cluster.compressed:
        return source.read(offset, cluster.length)
    data = source.read(offset, cluster.blocks * _BLOCK).lstrip(b"\0")
    try:
        found: bytes = lz4.block.decompress(data, uncompressed_size=cluster.length)
    except lz4.block.LZ4BlockError as error:
        raise DamagedImage(f"a cluster in the EROFS cannot be unpacked: {error}") from None
    if len(found) != cluster.length:
        raise DamagedImage("a cluster in the EROFS is incomplete")
    return found


def _full(source: Source, at: int, count: int) -> Iterator[Index]:
    """Indexes of 8 bytes each."""
    for advice, offset, value in struct.iter_unpack("<HHI", source.read(at, count * 8)):
        kind = advice & 3
        back = value & 0xFFFF
        blocks = back & ~_COUNT_OF_BLOCKS if back & _COUNT_OF_BLOCKS else 0
        if kind == _NONHEAD:
            yield kind, 0, 0, blocks
        else:
            yield kind, offset, value, 0


def _compact(source: Source, at: int, count: int, advice: int) -> Iterator[Index]:
    """Indexes in packs: 2 in 8 bytes or 16 in 32; the last 4 are the number of a block.

    Packs of 32 bytes are aligned; what is before and behind them is in packs of 8.
    """
    before = min(-at % 32 // 4, count)
    pairs = (count - before) // 16 * 16 if advice & _COMPACT_PAIRS else 0
    for length, each in ((before, 2), (pairs, 16), (count - before - pairs, 2)):
        size = 32 if each == 16 else 8
        for first in range(0, length, each):
            yield from _pack(source.read(at, size), each, min(each, length - first), advice)
            at += size


def _pack(data: bytes, each: int, wanted: int, advice: int) -> Iterator[Index]:
    """The first `wanted` of the `each` indexes in a pack."""
    width = (len(data) - 4) * 8 // each
    packed = int.from_bytes(data[:-4], "little")
    (base,) = struct.unpack("<I", data[-4:])
    big = advice & _BIG_CLUSTERS
    used = 0 if big else 1  # without big clusters, the base is the last block before the pack's
    for number in range(wanted):
        value = packed >> number * width
        low, kind = value & 0xFFF, value >> 12 & 3
        if kind == _NONHEAD:
            blocks = low & ~_COUNT_OF_BLOCKS if low & _COUNT_OF_BLOCKS else 0
            if blocks:
                used += blocks - 1 if number else blocks
            yield kind, 0, 0, blocks
        else:
            yield kind, low, base + used, 0
            used += 1
