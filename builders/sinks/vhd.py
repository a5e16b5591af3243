"""Fixed VHD images (Virtual Hard Disk Image Format Specification 1.0): the disk and a footer."""

from __future__ import annotations

import struct
import uuid as uuids

from builders.errors import BuilderError
from builders.plan import Plan

_SECTOR = 512
_LARGEST = 2040 << 30  # what Hyper-V and Azure take
_FIXED = 2
_NO_DATA_OFFSET = (1 << 64) - 1


class TooLargeForVhd(BuilderError):
    def __init__(self, size: int) -> None:
        super().__init__(
            f"a disk of {size:,} bytes does not fit in a VHD, which holds {_LARGEST:,} at most",
            hint="declare a smaller image, or another format",
        )


def plan(source: Plan, uuid: uuids.UUID) -> Plan:
    """The VHD file of the disk that `source` plans, as a plan; `uuid` identifies the disk.

    A size that is no multiple of 512 is rounded up. Raises TooLargeForVhd.
    """
    size = -(-source.size // _SECTOR) * _SECTOR
    if size > _LARGEST:
        raise TooLargeForVhd(source.size)
    metadata = [*source.metadata, (size, footer(size, uuid))]
    return Plan(size + _SECTOR, metadata, source.segments)


def footer(size: int, uuid: uuids.UUID) -> bytes:
    """The last 512 bytes of a fixed VHD for a disk of `size` bytes.

    It says that Windows made it, as then readers take the disk's size from here: for other creators
    QEMU computes it from the geometry, which cannot express every size.
    """
    cylinders, heads, sectors = geometry(size // _SECTOR)
    fields = struct.pack(
        ">8sIIQI4sI4sQQHBBI4x16sB427x",
        b"conectix",
        2,  # reserved: always set
        0x10000,
        _NO_DATA_OFFSET,
        0,  # seconds since 2000
        b"win ",
        0x10000,
        b"Wi2k",
        size,
        size,
        cylinders,
        heads,
        sectors,
        _FIXED,
        uuid.bytes,
        0,
    )
    return fields[:64] + struct.pack(">I", ~sum(fields) & 0xFFFFFFFF) + fields[68:]


def geometry(sectors: int) -> tuple[int, int, int]:
    """Cylinders, heads and sectors a track for a disk of `sectors` (the appendix)."""
    sectors = min(sectors, 65535 * 16 * 255)
    if sectors >= 65535 * 16 * 63:
        track, heads = 255, 16
        return sectors // track // heads, heads, track
    track = 17
    tracks = sectors // track
    heads = max(4, (tracks + 1023) // 1024)
    if tracks >= heads * 1024 or heads > 16:
        track, heads = 31, 16
        tracks = sectors // track
    if tracks >= heads * 1024:
        track, heads = 63, 16
        tracks = sectors // track
    return tracks // heads, heads, track
