"""Partition tables as they are on disks: MBR with logical partitions, and GPT."""

from __future__ import annotations

import struct
import uuid as uuids
import zlib
from dataclasses import dataclass

from builders.errors import BuilderError
from builders.readers.source import DamagedImage, Source, Window

SECTOR = 512
_ENTRY = struct.Struct("<B3sB3sII")
_EXTENDED = (0x05, 0x0F, 0x85)
_PROTECTIVE = 0xEE
_MOST_LOGICAL = 128


class NoSuchPartition(BuilderError):
    """A partition is asked for that is not in the table."""

    def __init__(self, wanted: str, there: list[Partition]) -> None:
        known = ", ".join(
            f"{one.number} ({one.name})" if one.name else str(one.number) for one in there
        )
        super().__init__(
            f"the image has no partition {wanted}",
            hint=f"it has {known}" if there else "it has no partition table",
        )


@dataclass(frozen=True, slots=True)
class Partition:
    """
    number  as Linux counts: from 1; logical ones of an MBR from 5
    offset  bytes
    size    bytes
    type    MBR: a number; GPT: a UUID
    name    GPT only
    uuid    GPT only
    """

    number: int
    offset: int
    size: int
    type: int | uuids.UUID
    name: str = ""
    uuid: uuids.UUID | None = None

    def source(self, disk: Source) -> Window:
        """The bytes of the partition. Raises DamagedImage if it reaches over the disk's end."""
        if self.offset + self.size > disk.size:
            raise DamagedImage(f"partition {self.number} reaches over the end of the image")
        return Window(disk, self.offset, self.size)


def partitions(disk: Source) -> list[Partition]:
    """The partitions of the disk, by number; none if there is no table. Raises DamagedImage."""
    if disk.size < SECTOR or disk.read(SECTOR - 2, 2) != b"\x55\xaa":
        return []
    entries = _entries(disk, 0)
    if any(kind == _PROTECTIVE for _, kind, _, _ in entries):
        return _gpt(disk)
    if any(active not in (0, 0x80) for active, _, _, _ in entries):
        return []  # the code of a boot sector, not a table
    found = []
    for number, (_, kind, first, count) in enumerate(entries, 1):
        if not kind or not count:
            continue
        if kind in _EXTENDED:
            found += _logical(disk, first)
        elif first:
            found.append(Partition(number, first * SECTOR, count * SECTOR, kind))
    return sorted(found, key=lambda one: one.number)


def choose(there: list[Partition], wanted: str) -> Partition:
    """The partition with this number, name or UUID. Raises NoSuchPartition."""
    for one in there:
        if wanted in (str(one.number), one.name) or (one.uuid and wanted.lower() == str(one.uuid)):
            return one
    raise NoSuchPartition(wanted, there)


def _entries(disk: Source, sector: int) -> list[tuple[int, int, int, int]]:
    """(activity, type, first sector, sectors) of the four entries in a sector."""
    data = disk.read(sector * SECTOR, SECTOR)
    found = []
    for active, _, kind, _, first, count in _ENTRY.iter_unpack(data[446:510]):
        found.append((active, kind, first, count))
    return found


def _logical(disk: Source, start: int) -> list[Partition]:
    found: list[Partition] = []
    sector = start
    while len(found) < _MOST_LOGICAL:
        own, following = _entries(disk, sector)[:2]
        if own[1] and own[3]:
            offset = (sector + own[2]) * SECTOR
            found.append(Partition(5 + len(found), offset, own[3] * SECTOR, own[1]))
        if not following[1] or not following[2]:
            return found
        sector = start + following[2]
    raise DamagedImage(f"the extended partition has more than {_MOST_LOGICAL} logical ones")


def _gpt(disk: Source) -> list[Partition]:
    """The primary table, or the backup at the end when that is damaged."""
    for sector in (1, disk.size // SECTOR - 1):
        found = _gpt_at(disk, sector)
        if found is not None:
            return found
    raise DamagedImage("both copies of the GUID partition table are damaged")


def _gpt_at(disk: Source, sector: int) -> list[Partition] | None:
    offset = sector * SECTOR
    if offset + SECTOR > disk.size:
        return None
    header = disk.read(offset, SECTOR)
    size, checksum = struct.unpack_from("<II", header, 12)
    if header[:8] != b"EFI PART" or not 92 <= size <= SECTOR:
        return None
    if zlib.crc32(header[:16] + bytes(4) + header[20:size]) != checksum:
        return None
    first, count, length, table_checksum = struct.unpack_from("<QIII", header, 72)
    if not 128 <= length <= 4096 or count > 1024 or (first * SECTOR + count * length) > disk.size:
        return None
    table = disk.read(first * SECTOR, count * length)
    if zlib.crc32(table) != table_checksum:
        return None
    found = []
    for number in range(count):
        entry = table[number * length : (number + 1) * length]
        kind, uuid = (uuids.UUID(bytes_le=entry[at : at + 16]) for at in (0, 16))
        begin, end = struct.unpack_from("<QQ", entry, 32)
        if kind.int and end >= begin:
            name = entry[56:128].decode("utf-16-le", "replace").partition("\0")[0]
            size_ = (end - begin + 1) * SECTOR
            found.append(Partition(number + 1, begin * SECTOR, size_, kind, name, uuid))
    return found
