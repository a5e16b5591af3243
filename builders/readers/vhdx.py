"""VHDX images (MS-VHDX): the disk that one holds, as a source."""

from __future__ import annotations

import struct
import uuid as uuids

from builders.readers.source import DamagedImage, NotReadable, Source, in_units

MAGIC = b"vhdxfile"
_KIB, _MIB = 1 << 10, 1 << 20
_HEADERS = (64 * _KIB, 128 * _KIB)
_REGION_TABLES = (192 * _KIB, 256 * _KIB)
_BAT = uuids.UUID("2dc27766-f623-4200-9d64-115e9bfd4a08")
_METADATA = uuids.UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e")
_FILE_PARAMETERS = uuids.UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b")
_DISK_SIZE = uuids.UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8")
_LOGICAL_SECTOR = uuids.UUID("8141bf1d-a96f-4709-ba47-f233a8faab5f")
_HAS_PARENT = 2
_PRESENT = 6
_MOST_ENTRIES = 2047


class Vhdx:
    """The disk in the image `file`. Raises DamagedImage, NotReadable."""

    def __init__(self, file: Source) -> None:
        self._file = file
        self._check_log()
        regions = self._regions()
        if not {_BAT, _METADATA} <= set(regions):
            raise DamagedImage("the VHDX image has no table of blocks, or no metadata")
        items = self._items(*regions[_METADATA])
        try:
            self._block, flags = struct.unpack("<II", items[_FILE_PARAMETERS])
            (self.size,) = struct.unpack("<Q", items[_DISK_SIZE])
            (sector,) = struct.unpack("<I", items[_LOGICAL_SECTOR])
        except (KeyError, struct.error):
            raise DamagedImage("the VHDX image does not tell its size or that of blocks") from None
        if flags & _HAS_PARENT:
            raise NotReadable(
                "the VHDX image has only what differs from another one",
                hint="convert it: qemu-img convert -O raw",
            )
        if sector not in (512, 4096) or self._block not in (1 << bits for bits in range(20, 29)):
            raise DamagedImage("the sizes in the VHDX image cannot be right")
        self._ratio = (1 << 23) * sector // self._block
        self._bat, self._bat_size = regions[_BAT]

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the disk; see Source."""
        return in_units(self.size, self._block, offset, length, self._part)

    def _part(self, number: int, start: int, count: int) -> bytes:
        place = self._place(number)
        return self._file.read(place + start, count) if place else bytes(count)

    def _place(self, number: int) -> int:
        """Where a block is in the file; 0: it is zero."""
        at = 8 * (number + number // self._ratio)
        if at + 8 > self._bat_size:
            raise DamagedImage("the VHDX image's table of blocks is too short")
        (entry,) = struct.unpack("<Q", self._file.read(self._bat + at, 8))
        return entry >> 20 << 20 if entry & 7 == _PRESENT else 0

    def _check_log(self) -> None:
        """Raise NotReadable if the image's log has to be replayed first."""
        found = []
        for offset in _HEADERS:
            header = self._file.read(offset, 4 * _KIB)
            if _is_sound(header, b"head"):
                (sequence,) = struct.unpack_from("<Q", header, 8)
                found.append((sequence, header[48:64]))
        if not found:
            raise DamagedImage("both headers of the VHDX image are damaged")
        if any(max(found)[1]):
            raise NotReadable(
                "the VHDX image was not closed: it has a log that is to be replayed",
                hint="qemu-img check -r all does that",
            )

    def _regions(self) -> dict[uuids.UUID, tuple[int, int]]:
        """Offset and length of each region."""
        for offset in _REGION_TABLES:
            table = self._file.read(offset, 64 * _KIB)
            (count,) = struct.unpack_from("<I", table, 8)
            if _is_sound(table, b"regi") and count <= _MOST_ENTRIES:
                return {
                    uuids.UUID(bytes_le=name): (where, length)
                    for name, where, length, _ in struct.iter_unpack(
                        "<16sQII", table[16 : 16 + 32 * count]
                    )
                }
        raise DamagedImage("both region tables of the VHDX image are damaged")

    def _items(self, offset: int, length: int) -> dict[uuids.UUID, bytes]:
        """The metadata."""
        table = self._file.read(offset, 64 * _KIB)
        count = struct.unpack_from("<H", table, 10)[0]
        if table[:8] != b"metadata" or count > _MOST_ENTRIES:
            raise DamagedImage("the metadata of the VHDX image are damaged")
        found = {}
        for name, where, size, _, _ in struct.iter_unpack("<16sIIII", table[32 : 32 + 32 * count]):
            if size <= _KIB and where + size <= length:
                found[uuids.UUID(bytes_le=name)] = self._file.read(offset + where, size)
        return found


def _is_sound(data: bytes, magic: bytes) -> bool:
    from builders.crc32c import crc32c

    (checksum,) = struct.unpack_from("<I", data, 4)
    return data[:4] == magic and crc32c(0, data[:4] + bytes(4) + data[8:]) == checksum
