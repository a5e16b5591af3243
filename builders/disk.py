"""Disks: partition tables, and partitions' plans at their places.

MBR: at most four primary partitions; boot code in the first sector and in the gap before the first
partition. GPT (UEFI specification, chapter 5): a protective MBR, the header and the entries at both
ends of the disk. Hybrid: a GPT whose MBR, besides the protective entry, lists up to three of the
partitions, for firmware and programs that know no GPT.
"""

from __future__ import annotations

import struct
import uuid as uuids
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from builders.errors import BuilderError
from builders.plan import Plan, join

SECTOR = 512
MIB = 1 << 20

Table = Literal["mbr", "gpt", "hybrid"]

_CODE = 440  # bytes of boot code in the first sector, before the disk signature
_GPT_ENTRIES = 128
_GPT_ENTRY = 128
_GPT_SECTORS = 1 + _GPT_ENTRIES * _GPT_ENTRY // SECTOR  # of a header with its entries
_PROTECTIVE = 0xEE
_MOST_SECTORS = 0xFFFFFFFF
_HEADS, _TRACK = 255, 63


class BadPartitions(BuilderError):
    """The partitions cannot be put on the disk as they are declared."""


class TooManyPartitions(BadPartitions):
    def __init__(self, count: int, limit: int) -> None:
        super().__init__(
            f"{count} partitions are declared; the table holds {limit}",
            hint="a GPT holds 128" if limit < _GPT_ENTRIES else None,
        )


class PartitionsOverlap(BadPartitions):
    def __init__(self, number: int, offset: int, least: int) -> None:
        super().__init__(
            f"partition {number} is to begin at byte {offset}, "
            f"but what is before it ends at {least}",
            hint="leave offset out, or make the partitions before it smaller",
        )
        self.number = number
        self.field = "offset"


class DiskTooSmall(BadPartitions):
    def __init__(self, needed: int, size: int, biggest: str = "") -> None:
        super().__init__(
            f"the partitions and their table need {needed:,} bytes, but the image's size is "
            f"{size:,}: {needed - size:,} too few",
            hint="give a bigger size for the image, or none"
            + (f"; the largest files are {biggest}" if biggest else ""),
        )
        self.needed = needed
        self.field = "size"


class DiskTooBig(BadPartitions):
    def __init__(self, size: int) -> None:
        super().__init__(
            f"an MBR cannot describe a disk of {size:,} bytes; 2 TiB are the most",
            hint="use a GPT",
        )


class NoRoomForBootCode(BadPartitions):
    def __init__(self, needed: int, available: int) -> None:
        super().__init__(
            f"the boot loader's code has {needed:,} bytes, the gap before the first partition "
            f"{available:,}",
            hint="let the first partition begin later",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionPlan:
    """
    plan        what is in it; the partition is as big, in whole sectors
    type        MBR: a number of one byte; GPT: a UUID
    uuid, name  GPT only
    offset      bytes, a multiple of 512; None: behind the one before
    alignment   bytes that the start is a multiple of when `offset` is None
    active      MBR: the partition that is marked for booting
    mbr_type    hybrid: its type in the MBR; None: it is in the GPT alone
    attributes  GPT: the 64 bits of attributes
    """

    plan: Plan
    type: int | uuids.UUID
    uuid: uuids.UUID | None = None
    name: str = ""
    offset: int | None = None
    alignment: int = MIB
    active: bool = False
    mbr_type: int | None = None
    attributes: int = 0


@dataclass(frozen=True, slots=True)
class BootCode:
    """`mbr`: the first sector's code, of which 440 bytes are used. `gap`: from sector 1 on."""

    mbr: bytes
    gap: bytes = b""


def tail(table: Table) -> int:
    """Bytes behind the last partition that the table needs, whole MiB."""
    return 0 if table == "mbr" else MIB


def place(table: Table, partitions: Sequence[tuple[int, int | None, int]]) -> tuple[list[int], int]:
    """Where partitions of (size, offset or None, alignment) begin, and where the last one ends.

    Raises PartitionsOverlap, BadPartitions.
    """
    end = SECTOR if table == "mbr" else (1 + _GPT_SECTORS) * SECTOR
    starts = []
    for number, (size, offset, alignment) in enumerate(partitions, 1):
        if alignment <= 0 or alignment % SECTOR or (offset or 0) % SECTOR:
            raise BadPartitions(
                f"offset and alignment of partition {number} must be multiples of {SECTOR}"
            )
        start = -(-end // alignment) * alignment if offset is None else offset
        if start < end:
            raise PartitionsOverlap(number, start, end)
        starts.append(start)
        end = start + -(-size // SECTOR) * SECTOR
    return starts, end


def plan_disk(
    table: Table,
    partitions: Sequence[PartitionPlan],
    uuid: uuids.UUID,
    *,
    size: int | None = None,
    boot: BootCode | None = None,
) -> Plan:
    """The disk with these partitions, in this order.

    `uuid` is the disk's; an MBR, also of a hybrid, has its first four bytes as signature. `size` in
    bytes, rounded up to whole sectors; None: what is needed, in whole MiB. Raises the subclasses of
    BadPartitions.
    """
    starts, end = place(
        table, [(each.plan.size, each.offset, each.alignment) for each in partitions]
    )
    needed = -(-end // MIB) * MIB + tail(table)
    if size is None:
        size = needed
    else:
        least = end + (0 if table == "mbr" else _GPT_SECTORS * SECTOR)
        if size < least:
            raise DiskTooSmall(needed, size)
        size += -size % SECTOR
    gap_end = min(starts, default=size)
    parts = [(start, each.plan) for start, each in zip(starts, partitions, strict=True)]
    if boot is not None and boot.gap:
        gap_start = SECTOR if table == "mbr" else SECTOR * (1 + _GPT_SECTORS)
        if table != "mbr" or gap_start + len(boot.gap) > gap_end:
            raise NoRoomForBootCode(len(boot.gap), max(0, gap_end - gap_start))
        parts.append((0, Plan(size, [(gap_start, boot.gap)])))
    code = boot.mbr if boot is not None else b""
    if table == "mbr":
        metadata = [(0, _mbr(partitions, starts, uuid, code, size))]
    else:
        sector = _protective if table == "gpt" else _hybrid
        metadata = _gpt(
            partitions, starts, uuid, sector(partitions, starts, uuid, code, size), size
        )
    parts.append((0, Plan(size, metadata)))
    return join(size, parts)


# --- MBR


def _mbr(
    partitions: Sequence[PartitionPlan],
    starts: Sequence[int],
    uuid: uuids.UUID,
    code: bytes,
    size: int,
) -> bytes:
    if len(partitions) > 4:
        raise TooManyPartitions(len(partitions), 4)
    if size // SECTOR > _MOST_SECTORS:
        raise DiskTooBig(size)
    entries = []
    for number, (start, each) in enumerate(zip(starts, partitions, strict=True), 1):
        if not isinstance(each.type, int) or not 0 < each.type < 256:
            raise BadPartitions(
                f"the type of partition {number} in an MBR is a number from 1 to 255, "
                f"not {each.type}"
            )
        count = -(-each.plan.size // SECTOR)
        entries.append(_mbr_entry(each.active, each.type, start // SECTOR, count))
    return _first_sector(code, _signature(uuid), entries)


def _signature(uuid: uuids.UUID) -> bytes:
    """An MBR's; zero would mean that there is none."""
    return uuid.bytes[:4] if any(uuid.bytes[:4]) else b"kiln"


def _first_sector(code: bytes, signature: bytes, entries: Sequence[bytes]) -> bytes:
    sector = code[:_CODE].ljust(_CODE, b"\0") + signature + b"\0\0"
    return (sector + b"".join(entries)).ljust(SECTOR - 2, b"\0") + b"\x55\xaa"


def _mbr_entry(active: bool, kind: int, first: int, count: int) -> bytes:
    return struct.pack(
        "<B3sB3sII",
        0x80 if active else 0,
        _chs(first),
        kind,
        _chs(first + count - 1),
        first,
        count,
    )


def _chs(sector: int) -> bytes:
    """A sector's cylinder, head and sector, or the marker of one beyond these."""
    cylinder, rest = divmod(sector, _HEADS * _TRACK)
    if cylinder > 1023:
        return b"\xfe\xff\xff"
    head, number = divmod(rest, _TRACK)
    return bytes((head, (number + 1) | cylinder >> 2 & 0xC0, cylinder & 0xFF))


# --- GPT


def _protective(
    partitions: Sequence[PartitionPlan],
    starts: Sequence[int],
    uuid: uuids.UUID,
    code: bytes,
    size: int,
) -> bytes:
    """The first sector of a disk with a GPT: to programs that know none it is in use entirely."""
    last = size // SECTOR - 1
    entry = struct.pack(
        "<B3sB3sII", 0, _chs(1), _PROTECTIVE, _chs(last), 1, min(last, _MOST_SECTORS)
    )
    return _first_sector(code, bytes(4), [entry])


def _hybrid(
    partitions: Sequence[PartitionPlan],
    starts: Sequence[int],
    uuid: uuids.UUID,
    code: bytes,
    size: int,
) -> bytes:
    """The first sector of a hybrid: what lies before the first listed partition is the GPT's."""
    entries = []
    first = size // SECTOR
    for start, each in zip(starts, partitions, strict=True):
        if each.mbr_type is None:
            continue
        count = -(-each.plan.size // SECTOR)
        if start // SECTOR + count > _MOST_SECTORS:
            raise DiskTooBig(size)
        first = min(first, start // SECTOR)
        entries.append(_mbr_entry(each.active, each.mbr_type, start // SECTOR, count))
    if len(entries) > 3:
        raise TooManyPartitions(len(entries), 3)
    entries.insert(0, _mbr_entry(False, _PROTECTIVE, 1, min(first - 1, _MOST_SECTORS)))
    return _first_sector(code, _signature(uuid), entries)


def _gpt(
    partitions: Sequence[PartitionPlan],
    starts: Sequence[int],
    uuid: uuids.UUID,
    first_sector: bytes,
    size: int,
) -> list[tuple[int, bytes]]:
    if len(partitions) > _GPT_ENTRIES:
        raise TooManyPartitions(len(partitions), _GPT_ENTRIES)
    entries = bytearray(_GPT_ENTRIES * _GPT_ENTRY)
    for number, (start, each) in enumerate(zip(starts, partitions, strict=True)):
        if not isinstance(each.type, uuids.UUID) or each.uuid is None:
            raise BadPartitions(f"partition {number + 1} in a GPT needs a type and a UUID")
        name = each.name.encode("utf-16-le")
        if len(name) > 72:
            raise BadPartitions(f"the name {each.name!r} is longer than the 36 units of a GPT")
        struct.pack_into(
            "<16s16sQQQ72s",
            entries,
            number * _GPT_ENTRY,
            each.type.bytes_le,
            each.uuid.bytes_le,
            start // SECTOR,
            start // SECTOR + -(-each.plan.size // SECTOR) - 1,
            each.attributes,
            name,
        )
    sectors = size // SECTOR
    last = sectors - 1
    table = bytes(entries)
    backup = sectors - _GPT_SECTORS
    return [
        (
            0,
            first_sector + _gpt_header(table, uuid, 1, last, 2, sectors) + table,
        ),
        (backup * SECTOR, table + _gpt_header(table, uuid, last, 1, backup, sectors)),
    ]


def _gpt_header(
    table: bytes, uuid: uuids.UUID, own: int, other: int, entries: int, sectors: int
) -> bytes:
    def pack(crc: int) -> bytes:
        return struct.pack(
            "<8sIIIIQQQQ16sQIII",
            b"EFI PART",
            0x10000,
            92,
            crc,
            0,
            own,
            other,
            1 + _GPT_SECTORS,
            sectors - _GPT_SECTORS - 1,
            uuid.bytes_le,
            entries,
            _GPT_ENTRIES,
            _GPT_ENTRY,
            zlib.crc32(table),
        )

    return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")
