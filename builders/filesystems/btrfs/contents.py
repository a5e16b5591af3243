"""Contents of files: their places in chunks of data, and the checksums of their sectors.

What a tree of checksums says depends on every byte, so contents are read once while planning; the
small ones, which btrfs keeps in its trees, with them.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from builders.crc32c import crc32c
from builders.filesystems.btrfs.chunks import DataSpace
from builders.filesystems.btrfs.items import EXTENT_CSUM, EXTENT_CSUMS, Item
from builders.filesystems.btrfs.options import SECTOR
from builders.filesystems.hierarchy import BadContent
from builders.plan import Plan, Segment
from builders.sinks.raw import SourceChanged, SourceMissing
from builders.tree import Content, Entry

_PIECE = 1 << 20

Extent = tuple[int, int, int]
"""(offset in the file, address, length) in bytes; whole sectors."""


class Contents:
    """Places contents, in the order in which they come, and takes their checksums."""

    def __init__(self, space: DataSpace, plan: Plan, real: Callable[[str], Path]) -> None:
        self._space = space
        self._plan = plan
        self._real = real
        self._sums = array("I")
        self._starts: list[tuple[int, int]] = []  # address and place in _sums where runs begin
        self._end = -1
        self._source = ""
        self._descriptor = -1

    def small(self, entry: Entry) -> bytes:
        """The whole content of a small file. Raises BadContent, SourceMissing, SourceChanged."""
        ref = entry.ref
        if isinstance(ref, Content):
            return self._read(ref.source, ref.offset, entry.size)
        return _generated(entry)

    def place(self, entry: Entry, runs: Sequence[tuple[int, int]]) -> list[Extent]:
        """Give the (start, stop) bytes `runs` of a file places in the plan.

        Raises BadContent, SourceMissing, SourceChanged.
        """
        ref = entry.ref
        extents = []
        for start, stop in runs:
            position = start
            for address, length in self._space.take(-(-(stop - start) // SECTOR) * SECTOR):
                size = min(length, stop - position)
                self._note(address, length)
                if isinstance(ref, Content):
                    place = ref.offset + position
                    self._plan.segments.append(Segment(address, ref.source, place, size))
                    for at in range(0, size, _PIECE):
                        part = min(_PIECE, size - at)
                        self._checksum(self._read(ref.source, place + at, part))
                else:
                    data = _generated(entry)[position : position + size]
                    self._plan.metadata.append((address, data))
                    self._checksum(data)
                extents.append((position, address, length))
                position += length
        return extents

    def checksum_items(self, room: int) -> Iterator[Item]:
        """The items of the checksum tree; a leaf has `room` bytes for one."""
        most = room // 4 - 1
        sums = self._sums
        if sys.byteorder == "big":
            sums.byteswap()
        starts = [*self._starts, (self._end, len(sums))]
        for (address, first), (_, end) in pairwise(starts):
            for place in range(first, end, most):
                data = sums[place : min(place + most, end)].tobytes()
                yield (EXTENT_CSUMS, EXTENT_CSUM, address + (place - first) * SECTOR, data)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _note(self, address: int, length: int) -> None:
        if address != self._end:
            self._starts.append((address, len(self._sums)))
        self._end = address + length

    def _checksum(self, data: bytes) -> None:
        data += bytes(-len(data) % SECTOR)
        self._sums.extend([crc32c(0, data[at : at + SECTOR]) for at in range(0, len(data), SECTOR)])

    def _read(self, source: str, offset: int, length: int) -> bytes:
        if source != self._source:
            self.close()
            try:
                self._descriptor = os.open(self._real(source), os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise SourceMissing(source, error) from None
            self._source = source
        data = os.pread(self._descriptor, length, offset)
        while len(data) < length:
            more = os.pread(self._descriptor, length - len(data), offset + len(data))
            if not more:
                raise SourceChanged(source)
            data += more
        return data


def _generated(entry: Entry) -> bytes:
    content = entry.ref or b""
    if not isinstance(content, bytes) or len(content) != entry.size:
        raise BadContent(entry.path, entry.size)
    return content
