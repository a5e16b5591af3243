"""qcow2, version 3, straight from a plan (QEMU's docs/interop/qcow2.txt): no raw file between.

Uncompressed, an image is a plan again: tables in front, then the clusters that hold data, in order.
Compressed, the clusters' places depend on their contents, so it is written here.
"""

from __future__ import annotations

import os
import struct
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path

from builders.plan import Plan, data_size
from builders.sinks import codecs, raw
from builders.sinks.allocation import extents, moved
from builders.sinks.parallel import in_order
from builders.sinks.stream import windows, zeros

CLUSTER = 1 << 16
_L2_ENTRIES = CLUSTER // 8
_REFCOUNTS = CLUSTER // 2  # in a block, 16 bits each
_L2_REACH = CLUSTER * _L2_ENTRIES
_SECTOR = 512
_COPIED = 1 << 63
_COMPRESSED = 1 << 62
_SECTORS_SHIFT = 62 - (16 - 8)  # where an entry keeps the further sectors of a compressed cluster
_ZSTD_FEATURE = 1 << 3
_HEADER_LENGTH = 112
_WINDOW = 1 << 20
_FLUSH = 4 << 20
_DEFLATE_WINDOW = -12  # raw deflate in a window of 4 KiB: what QEMU expects
_LEVELS = {"zstd": 1, "zlib": 1}

COMPRESSIONS = tuple(_LEVELS)
"""The compressions of clusters; QEMU reads "zstd" since its version 5.1."""


def plan(source: Plan) -> Plan:
    """The uncompressed qcow2 file of the disk that `source` plans, as a plan.

    Clusters of 64 KiB without data are not allocated; a size that is no multiple of 512 is rounded
    up. Contents keep their places within clusters, so whole blocks can still be shared.
    """
    size = _whole_sectors(source.size)
    used = extents(source, CLUSTER)
    count = sum(stop - start for start, stop in used)
    tables = _empty_tables(used)
    layout = _Layout(size, len(tables), count)
    moves: list[tuple[int, int]] = []  # end of an extent, how far it is moved: both in bytes
    host = layout.data
    for start, stop in used:
        moves.append((stop * CLUSTER, (host - start) * CLUSTER))
        guest = start
        while guest < stop:
            index, first = divmod(guest, _L2_ENTRIES)
            run = min(stop - guest, _L2_ENTRIES - first)
            entries = range(host * CLUSTER | _COPIED, (host + run) * CLUSTER | _COPIED, CLUSTER)
            tables[index][first : first + run] = array("Q", entries)
            guest, host = guest + run, host + run
    refcounts = array("H", [1]) * layout.clusters
    metadata, segments = moved(source, moves)
    refcounts = array("H", [1]) * layout.clusters
    front = [*layout.tables(0), *layout.l2(tables), *layout.refcounts(refcounts)]
    return Plan(layout.clusters * CLUSTER, front + metadata, segments)


def write(
    source: Plan,
    path: Path,
    real: raw.Real,
    progress: raw.ReportProgress | None = None,
    *,
    compression: str | None = None,
    level: int | None = None,
    threads: int | None = None,
) -> None:
    """Write the disk that `source` plans to the new qcow2 file `path`; removed again on failure.

    compression  null or one of COMPRESSIONS: clusters are compressed each by itself
    level        zstd 1 to 19, zlib 1 to 9; None: the fastest

    The bytes do not depend on `threads` (None: one a core). Raises SourceChanged, SourceMissing,
    CannotWrite, codecs.BadLevel, codecs.CompressionUnavailable.
    """
    if compression is None:
        raw.write(plan(source), path, real, progress)
        return
    level = _LEVELS[compression] if level is None else level
    if compression == "zstd":
        codec = codecs.zstd(level)
    else:
        codec = codecs.deflate(level, _DEFLATE_WINDOW)
    with raw.new_file(path) as descriptor:
        writer = _CompressedWriter(source, descriptor, zstd=compression == "zstd")
        writer.pour(real, codec, threads, progress or (lambda done, total: None))


def _whole_sectors(size: int) -> int:
    return -(-size // _SECTOR) * _SECTOR


def _empty_tables(used: list[tuple[int, int]]) -> dict[int, array[int]]:
    """An L2 table for each reach of one in which there is data, by index."""
    indices = (
        index
        for start, stop in used
        for index in range(start // _L2_ENTRIES, (stop - 1) // _L2_ENTRIES + 1)
    )
    return {index: array("Q", zeros(CLUSTER)) for index in indices}


class _Layout:
    """Where the tables are, in clusters: header, L1, L2 tables, refcount table and blocks, data.

    In a compressed file the refcounts come last, when they are known.
    """

    def __init__(self, size: int, l2_tables: int, data: int) -> None:
        self._size = size
        self._l1_entries = -(-size // _L2_REACH)
        self._l2_start = 1 - (-self._l1_entries * 8 // CLUSTER)
        self._refcount_table = self._l2_start + l2_tables
        self.set_clusters(self._refcount_table + data)
        self.data = self._refcount_table + self._table_clusters + self._blocks

    def set_clusters(self, others: int) -> None:
        """Size the refcounts for `others` clusters and those of the refcounts themselves."""
        self._blocks = self._table_clusters = 1
        while True:
            self.clusters = others + self._table_clusters + self._blocks
            blocks = -(-self.clusters // _REFCOUNTS)
            table = -(-blocks * 8 // CLUSTER)
            if (blocks, table) == (self._blocks, self._table_clusters):
                return
            self._blocks, self._table_clusters = blocks, table

    def place_refcounts(self, cluster: int) -> None:
        """Put them at `cluster`, the end of all else."""
        self._refcount_table = cluster
        self.set_clusters(cluster)

    @property
    def first_free(self) -> int:
        """The cluster behind the L2 tables."""
        return self._refcount_table

    def tables(self, features: int) -> list[tuple[int, bytes]]:
        """The header, with its incompatible `features`."""
        header = struct.pack(
            ">4sIQIIQIIQQIIQQQQIIB7x",
            b"QFI\xfb",
            3,
            0,  # no backing file
            0,
            CLUSTER.bit_length() - 1,
            self._size,
            0,  # no encryption
            self._l1_entries,
            CLUSTER,
            self._refcount_table * CLUSTER,
            self._table_clusters,
            0,  # no snapshots
            0,
            features,
            0,
            0,
            4,  # refcounts of 2^4 bits
            _HEADER_LENGTH,
            1 if features & _ZSTD_FEATURE else 0,
        )
        return [(0, header + bytes(8))]  # and the end of the header's extensions

    def l2(self, tables: dict[int, array[int]]) -> Iterator[tuple[int, bytes]]:
        """The L1 table and the L2 tables, by index."""
        l1 = array("Q", [0]) * self._l1_entries
        contents = []
        for number, (index, table) in enumerate(sorted(tables.items())):
            offset = (self._l2_start + number) * CLUSTER
            l1[index] = offset | _COPIED
            contents.append((offset, _big_endian(table)))
        yield CLUSTER, _big_endian(l1)
        yield from contents

    def refcounts(self, counts: array[int]) -> Iterator[tuple[int, bytes]]:
        """The table of the refcount blocks, and these."""
        first = self._refcount_table + self._table_clusters
        offsets = range(first * CLUSTER, (first + self._blocks) * CLUSTER, CLUSTER)
        yield self._refcount_table * CLUSTER, _big_endian(array("Q", offsets))
        yield first * CLUSTER, _big_endian(counts)


def _big_endian(numbers: array[int]) -> bytes:
    if sys.byteorder == "little":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


class _CompressedWriter:
    """One compressed file while it is written."""

    def __init__(self, source: Plan, descriptor: int, *, zstd: bool) -> None:
        self._source = source
        self._descriptor = descriptor
        self._features = _ZSTD_FEATURE if zstd else 0
        self._tables = _empty_tables(extents(source, CLUSTER))
        self._layout = _Layout(_whole_sectors(source.size), len(self._tables), 0)
        self._position = self._layout.first_free * CLUSTER
        self._counts = array("H", [1]) * self._layout.first_free
        self._pending = bytearray()

    def pour(
        self,
        real: raw.Real,
        codec: codecs.Codec,
        threads: int | None,
        progress: raw.ReportProgress,
    ) -> None:
        """Compress all clusters and write the file."""

        def compressed(window: tuple[int, bytearray]) -> list[tuple[int, bytes]]:
            return list(_clusters(*window, codec))

        total = data_size(self._source)
        done = 0
        found = windows(self._source, real, _WINDOW)
        for clusters in in_order(compressed, found, threads):
            for guest, data in clusters:
                self._add(guest, data)
            done = min(done + _WINDOW, total)
            progress(done, total)
        self._finish()
        progress(total, total)

    def _add(self, guest: int, data: bytes) -> None:
        """Append the compressed or, if it has the length of one, plain cluster number `guest`."""
        if len(data) == CLUSTER:
            padding = -self._position % CLUSTER
            self._pending += zeros(CLUSTER)[:padding]
            self._position += padding
            entry = self._position | _COPIED
            end = self._position + CLUSTER
        else:
            last = self._position + len(data) - 1
            further = last // _SECTOR - self._position // _SECTOR
            entry = _COMPRESSED | further << _SECTORS_SHIFT | self._position
            end = (last // _SECTOR + 1) * _SECTOR
        for cluster in range(self._position // CLUSTER, (end - 1) // CLUSTER + 1):
            if cluster >= len(self._counts):
                self._counts.extend([0] * (cluster + 1 - len(self._counts)))
            self._counts[cluster] += 1
        table, index = divmod(guest, _L2_ENTRIES)
        self._tables[table][index] = entry
        self._pending += data
        self._position += len(data)
        if len(self._pending) >= _FLUSH:
            self._flush()

    def _flush(self) -> None:
        with memoryview(self._pending) as view:
            raw.write_all(self._descriptor, view, self._position - len(view))
        self._pending.clear()

    def _finish(self) -> None:
        self._flush()
        layout = self._layout
        layout.place_refcounts(-(-self._position // CLUSTER))
        self._counts.extend([1] * (layout.clusters - len(self._counts)))
        metadata = [*layout.l2(self._tables), *layout.refcounts(self._counts)]
        for offset, data in [*metadata, *layout.tables(self._features)]:
            raw.write_all(self._descriptor, memoryview(data), offset)
        os.ftruncate(self._descriptor, layout.clusters * CLUSTER)


def _clusters(offset: int, window: bytearray, codec: codecs.Codec) -> Iterator[tuple[int, bytes]]:
    """The clusters of a window that are not zero: number, and compressed bytes or plain ones."""
    zero = zeros(CLUSTER)
    with memoryview(window) as view:
        for start in range(0, len(window), CLUSTER):
            if window.startswith(zero, start):
                continue
            data = codec(view[start : start + CLUSTER])
            if len(data) >= CLUSTER - _SECTOR:
                data = bytes(view[start : start + CLUSTER])
            yield (offset + start) // CLUSTER, data
