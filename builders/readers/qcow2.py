"""qcow2 images (QEMU, docs/interop/qcow2.txt): the disk that one holds, as a source."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache

from builders.readers.source import DamagedImage, NotReadable, Source, in_units

MAGIC = b"QFI\xfb"
_OFFSET = 0x00FFFFFFFFFFFE00
_COMPRESSED = 1 << 62
_ZERO = 1
_DEFLATE, _ZSTD = 0, 1


class Qcow2:
    """The disk in the image `file`. Raises DamagedImage, NotReadable."""

    def __init__(self, file: Source) -> None:
        self._file = file
        header = file.read(0, min(112, file.size)).ljust(112, b"\0")
        version, backing, _, bits, size, encryption, entries, table = struct.unpack_from(
            ">IQIIQIIQ", header, 4
        )
        incompatible, self._method = 0, _DEFLATE
        if version >= 3:
            incompatible = struct.unpack_from(">Q", header, 72)[0]
            if struct.unpack_from(">I", header, 100)[0] > 104:
                self._method = header[104]
        if version not in (2, 3) or not 9 <= bits <= 21:
            raise DamagedImage("the header of the qcow2 image cannot be right")
        if backing or encryption or incompatible & ~0b1001:
            raise NotReadable(
                "the qcow2 image has a backing file, is encrypted or has features not known here",
                hint="convert it: qemu-img convert -O raw",
            )
        self.size: int = size
        self._bits = bits
        self._cluster = 1 << bits
        self._per_table = self._cluster // 8
        if entries > file.size // 8:
            raise DamagedImage("the table of the qcow2 image is longer than the image")
        self._l1 = struct.unpack(f">{entries}Q", file.read(table, entries * 8))
        self._l2 = lru_cache(maxsize=64)(self._read_table)
        self._unpacked = lru_cache(maxsize=16)(self._unpack)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the disk; see Source."""
        return in_units(self.size, self._cluster, offset, length, self._part)

    def _part(self, number: int, start: int, count: int) -> bytes:
        table, index = divmod(number, self._per_table)
        where = self._l1[table] & _OFFSET if table < len(self._l1) else 0
        entry = self._l2(where)[index] if where else 0
        if entry & _COMPRESSED:
            return self._unpacked(entry)[start : start + count]
        if entry & _ZERO or not entry & _OFFSET:
            return bytes(count)
        return self._file.read((entry & _OFFSET) + start, count)

    def _read_table(self, offset: int) -> tuple[int, ...]:
        return struct.unpack(f">{self._per_table}Q", self._file.read(offset, self._cluster))

    def _unpack(self, entry: int) -> bytes:
        """A compressed cluster: where it is and how many sectors it touches."""
        shift = 62 - (self._bits - 8)
        offset = entry & ((1 << shift) - 1)
        sectors = (entry >> shift & ((1 << (self._bits - 8)) - 1)) + 1
        length = min(sectors * 512 - offset % 512, self._file.size - offset)
        packed = self._file.read(offset, length)
        try:
            if self._method == _DEFLATE:
                data = zlib.decompressobj(-12).decompress(packed, self._cluster)
            elif self._method == _ZSTD:
                import zstandard

                try:
                    reader = zstandard.ZstdDecompressor().stream_reader(packed)
                    data = reader.read(self._cluster)
                except zstandard.ZstdError as error:
                    raise DamagedImage(f"a cluster cannot be unpacked: {error}") from None
            else:
                raise NotReadable(f"the qcow2 image is compressed by method {self._method}")
        except zlib.error as error:
            raise DamagedImage(
                f"a cluster of the qcow2 image cannot be unpacked: {error}"
            ) from None
        if len(data) != self._cluster:
            raise DamagedImage("a cluster of the qcow2 image is incomplete")
        return data
