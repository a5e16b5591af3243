"""Dynamic VHDX images (MS-VHDX), for Hyper-V, straight from a plan.

All is in units of 1 MiB: identification, headers and region tables, then a log, which is empty, the
metadata, the table of blocks (BAT), and the blocks in which the disk has data.
"""

from __future__ import annotations

import struct
import sys
import uuid as uuids
from array import array

from builders.crc32c import crc32c
from builders.errors import BuilderError
from builders.plan import Plan
from builders.sinks.allocation import extents, moved

_MIB = 1 << 20
_KIB = 1 << 10
_SECTOR = 512
_PHYSICAL_SECTOR = 4096
_LARGEST = 64 << 40
_MOST_BLOCKS = 1 << 20  # more, and blocks are larger

_HEADERS = (64 * _KIB, 128 * _KIB)
_REGION_TABLES = (192 * _KIB, 256 * _KIB)
_LOG, _METADATA, _BAT = _MIB, 2 * _MIB, 3 * _MIB  # each of 1 MiB, but for the BAT

_BAT_REGION = uuids.UUID("2dc27766-f623-4200-9d64-115e9bfd4a08")
_METADATA_REGION = uuids.UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e")
_FILE_PARAMETERS = uuids.UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b")
_DISK_SIZE = uuids.UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8")
_DISK_ID = uuids.UUID("beca12ab-b2e6-4523-93ef-c309e000c746")
_LOGICAL_SECTOR = uuids.UUID("8141bf1d-a96f-4709-ba47-f233a8faab5f")
_PHYSICAL_SECTOR_ITEM = uuids.UUID("cda348c7-445d-4471-9cc9-e9885251c556")
_OF_THE_DISK, _REQUIRED = 2, 4  # flags of metadata

_ZERO, _PRESENT = 2, 6  # states of a block


class TooLargeForVhdx(BuilderError):
    def __init__(self, size: int) -> None:
        super().__init__(
            f"a disk of {size:,} bytes does not fit in a VHDX, which holds {_LARGEST:,} at most",
            hint="declare a smaller image, or another format",
        )


def plan(source: Plan, uuid: uuids.UUID) -> Plan:
    """The VHDX file of the disk that `source` plans, as a plan; `uuid` identifies the disk.

    A size that is no multiple of 512 is rounded up. Contents keep their places within blocks, so
    whole blocks of file systems can still be shared. Raises TooLargeForVhdx.
    """
    size = -(-source.size // _SECTOR) * _SECTOR
    if size > _LARGEST:
        raise TooLargeForVhdx(source.size)
    block = block_size(size)
    used = extents(source, block)
    blocks = -(-size // block)
    ratio = (1 << 23) * _SECTOR // block  # of blocks to entries for a bitmap between them
    entries = array("Q", bytes(8)) * (blocks + max(blocks - 1, 0) // ratio)
    for number in range(blocks):
        entries[number + number // ratio] = _ZERO
    length = max(_whole_mib(len(entries) * 8), _MIB)
    end = _BAT + length
    moves = []
    for start, stop in used:
        moves.append((stop * block, end - start * block))
        for number in range(start, stop):
            entries[number + number // ratio] = end | _PRESENT
            end += block
    if sys.byteorder == "big":
        entries.byteswap()
    metadata, segments = moved(source, moves)
    front = [
        *_front(uuid, length),
        *_metadata(uuid, size, block),
        (_BAT, entries.tobytes()),
    ]
    return Plan(end, front + metadata, segments)


def block_size(size: int) -> int:
    """Bytes of a block of a disk of `size` bytes: 1 MiB, more where there would be very many."""
    block = _MIB
    while size > block * _MOST_BLOCKS:
        block *= 2
    return block


def _whole_mib(size: int) -> int:
    return -(-size // _MIB) * _MIB


def _front(uuid: uuids.UUID, bat: int) -> list[tuple[int, bytes]]:
    """The first MiB: identification, both headers, both region tables; `bat`: the BAT's bytes."""
    regions = _checked(
        struct.pack("<4sIII", b"regi", 0, 2, 0)
        + struct.pack("<16sQII", _BAT_REGION.bytes_le, _BAT, bat, 1)
        + struct.pack("<16sQII", _METADATA_REGION.bytes_le, _METADATA, _MIB, 1),
        64 * _KIB,
    )
    return [
        (0, b"vhdxfile" + "Kiln".encode("utf-16-le")),
        *((offset, _header(uuid, number)) for number, offset in enumerate(_HEADERS)),
        *((offset, regions) for offset in _REGION_TABLES),
    ]


def _header(uuid: uuids.UUID, sequence: int) -> bytes:
    """A header; of two the one with the higher `sequence` counts. No log is to be replayed."""
    writes = (uuids.uuid5(uuid, what).bytes_le for what in ("VHDX file", "VHDX data"))
    return _checked(
        struct.pack(
            "<4sIQ16s16s16sHHIQ", b"head", 0, sequence, *writes, bytes(16), 0, 1, _MIB, _LOG
        ),
        4 * _KIB,
    )


def _metadata(uuid: uuids.UUID, size: int, block: int) -> list[tuple[int, bytes]]:
    disk = _OF_THE_DISK | _REQUIRED
    items = (
        (_FILE_PARAMETERS, _REQUIRED, struct.pack("<II", block, 0)),
        (_DISK_SIZE, disk, struct.pack("<Q", size)),
        (_DISK_ID, disk, uuid.bytes_le),
        (_LOGICAL_SECTOR, disk, struct.pack("<I", _SECTOR)),
        (_PHYSICAL_SECTOR_ITEM, disk, struct.pack("<I", _PHYSICAL_SECTOR)),
    )
    table = struct.pack("<8sHH20x", b"metadata", 0, len(items))
    contents = b""
    for name, flags, content in items:
        at = 64 * _KIB + len(contents)
        table += struct.pack("<16sIIII", name.bytes_le, at, len(content), flags, 0)
        contents += content
    return [(_METADATA, table), (_METADATA + 64 * _KIB, contents)]


def _checked(data: bytes, size: int) -> bytes:
    """A structure of `size` bytes with its CRC-32C, computed over zeros in its place, at byte 4."""
    whole = data + bytes(size - len(data))
    return whole[:4] + struct.pack("<I", crc32c(0, whole)) + whole[8:]
