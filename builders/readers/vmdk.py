"""VMDK images in one file, sparse or streamOptimized: the disk that one holds, as a source."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache

from builders.readers.source import DamagedImage, Source, in_units

MAGIC = b"KDMV"
_SECTOR = 512
_HEADER = struct.Struct("<4sIIQQQQIQQQ")
_COMPRESSED = 1 << 16
_AT_END = (1 << 64) - 1
_MARKER = 12


class Vmdk:
    """The disk in the image `file`. Raises DamagedImage."""

    def __init__(self, file: Source) -> None:
        self._file = file
        header = self._header(0)
        if header[9] == _AT_END:  # the header at the end tells where the tables are
            header = self._header(file.size - 2 * _SECTOR)
        _, version, flags, sectors, grain, _, _, entries, _, directory, _ = header
        self._compressed = bool(flags & _COMPRESSED)
        self.size: int = sectors * _SECTOR
        self._grain = grain * _SECTOR
        self._entries = entries
        if version not in (1, 2, 3) or not 1 <= grain <= 1 << 16 or not 1 <= entries <= 1 << 16:
            raise DamagedImage("the header of the VMDK image cannot be right")
        count = -(-sectors // (grain * entries))
        if count * 4 > file.size:
            raise DamagedImage("the directory of the VMDK image is longer than the image")
        self._directory = struct.unpack(f"<{count}I", file.read(directory * _SECTOR, count * 4))
        self._table = lru_cache(maxsize=64)(self._read_table)
        self._unpacked = lru_cache(maxsize=16)(self._unpack)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the disk; see Source."""
        return in_units(self.size, self._grain, offset, length, self._part)

    def _header(self, offset: int) -> tuple[int, ...]:
        header = _HEADER.unpack(self._file.read(offset, _HEADER.size))
        if header[0] != MAGIC:
            raise DamagedImage("a header of the VMDK image is missing")
        return header

    def _part(self, number: int, start: int, count: int) -> bytes:
        table, index = divmod(number, self._entries)
        where = self._directory[table]
        sector = self._table(where)[index] if where else 0
        if sector <= 1:  # 1: it is known to be zero
            return bytes(count)
        if self._compressed:
            return self._unpacked(sector)[start : start + count]
        return self._file.read(sector * _SECTOR + start, count)

    def _read_table(self, sector: int) -> tuple[int, ...]:
        data = self._file.read(sector * _SECTOR, self._entries * 4)
        return struct.unpack(f"<{self._entries}I", data)

    def _unpack(self, sector: int) -> bytes:
        offset = sector * _SECTOR
        _, length = struct.unpack("<QI", self._file.read(offset, _MARKER))
        try:
            packed = self._file.read(offset + _MARKER, length)
            data = zlib.decompressobj().decompress(packed, self._grain)
        except zlib.error as error:
            raise DamagedImage(f"a grain of the VMDK image cannot be unpacked: {error}") from None
        if len(data) != self._grain:
            raise DamagedImage("a grain of the VMDK image is incomplete")
        return data
