"""Where chunks lie on the device: system, data, metadata; and the superblocks between them.

An address of a chunk is the place of its first copy on the device, so what is stored once is where
its address says. Copies of superblocks, at 64 MiB and 256 GiB, are in no chunk.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from builders.filesystems.btrfs.items import CHUNK_TREE, DEVICE, EXTENT_TREE, FIRST_CHUNK

MIB = 1 << 20
SUPERBLOCKS = (64 << 10, 64 * MIB, 256 << 30)
SUPERBLOCK = 4096
STRIPE = 64 << 10

DATA, SYSTEM, METADATA = 1, 2, 4
DUP = 32

SYSTEM_LENGTH = 8 * MIB
_LEAST_DATA = 8 * MIB
_MOST_DATA = 1 << 30
_MOST_METADATA = 256 * MIB
_LONGEST_EXTENT = 128 * MIB

_CHUNK = struct.Struct("<QQQQIIIHH")
_STRIPE = struct.Struct("<QQ16s")


@dataclass(frozen=True, slots=True)
class Chunk:
    """`length` bytes of addresses from `address`, which are at each of `places` on the device."""

    address: int
    length: int
    kind: int
    places: tuple[int, ...]

    @property
    def flags(self) -> int:
        return self.kind | (DUP if len(self.places) > 1 else 0)

    def item(self, device: bytes) -> bytes:
        """CHUNK_ITEM; `device`: the UUID of the device."""
        head = _CHUNK.pack(
            self.length, EXTENT_TREE, STRIPE, self.flags, STRIPE, STRIPE, 4096, len(self.places), 1
        )
        return head + b"".join(_STRIPE.pack(DEVICE, place, device) for place in self.places)

    def group_item(self, used: int) -> bytes:
        """BLOCK_GROUP_ITEM with `used` bytes in use."""
        return struct.pack("<QQQ", used, FIRST_CHUNK, self.flags)

    def device_extent(self, chunk_tree_uuid: bytes) -> bytes:
        """DEV_EXTENT of each of its places."""
        head = struct.pack("<QQQQ", CHUNK_TREE, FIRST_CHUNK, self.address, self.length)
        return head + chunk_tree_uuid


def clear(at: int, length: int) -> int:
    """The first place from `at` on for `length` bytes without a superblock in them."""
    for mirror in SUPERBLOCKS[1:]:
        if at < mirror + STRIPE and at + length > mirror:
            at = mirror + MIB
    return at


def system_chunk(copies: int) -> Chunk:
    """The chunk of the chunk tree, the first one."""
    places = tuple(MIB + number * SYSTEM_LENGTH for number in range(copies))
    return Chunk(places[0], SYSTEM_LENGTH, SYSTEM, places)


class DataSpace:
    """Chunks of data from `start` on, as many as are taken; strictly ascending."""

    def __init__(self, start: int) -> None:
        self._chunks = [self._chunk(start)]
        self._used = 0

    @staticmethod
    def _chunk(start: int) -> Chunk:
        start = clear(start, MIB)
        end = start + _MOST_DATA
        for mirror in SUPERBLOCKS[1:]:
            if start < mirror < end:
                end = mirror
        return Chunk(start, end - start, DATA, (start,))

    def take(self, length: int) -> Iterator[tuple[int, int]]:
        """The (address, length) runs of the next `length` bytes, which are whole sectors."""
        while length:
            chunk = self._chunks[-1]
            if self._used == chunk.length:
                self._chunks.append(self._chunk(chunk.address + chunk.length))
                self._used = 0
                continue
            part = min(length, chunk.length - self._used, _LONGEST_EXTENT)
            yield chunk.address + self._used, part
            self._used += part
            length -= part

    def finish(self, free: int) -> tuple[list[Chunk], list[int]]:
        """The chunks and the bytes in use of each; the last is cut to these and `free` bytes."""
        *full, last = self._chunks
        length = max(-(-(self._used + free) // MIB) * MIB, _LEAST_DATA)
        chunks = [*full, replace(last, length=min(length, last.length))]
        return chunks, [*(chunk.length for chunk in full), self._used]


def metadata_chunks(start: int, used: int, copies: int, nodesize: int) -> list[Chunk]:
    """Chunks from `start` on for `used` bytes of nodes and what the kernel needs to change them.

    From 80 % on it would make another chunk at once, of all that no chunk has. 16 MiB are what it
    sets apart for deletions, and some.
    """
    left = -(-(used + max(used // 2, 16 * MIB)) // MIB) * MIB
    left = max(left, 24 * MIB)
    chunks = []
    at = start
    while left:
        length = min(left, _MOST_METADATA)
        places = []
        for _ in range(copies):
            at = clear(at, length)
            places.append(at)
            at += length
        chunks.append(Chunk(places[0], length, METADATA, tuple(places)))
        left -= length
    assert all(chunk.length % nodesize == 0 for chunk in chunks)
    return chunks


def end_of(chunks: list[Chunk]) -> int:
    """The end of the last place of all `chunks`."""
    return max(place + chunk.length for chunk in chunks for place in chunk.places)
