"""A tree as a FAT file system: all files in one run of clusters each."""

from __future__ import annotations

import array
import struct
import time
import uuid as uuids
from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter

from builders.filesystems.hierarchy import BadContent, TreeDoesNotFit
from builders.filesystems.options import BadOption, LabelTooLong, check
from builders.filesystems.vfat import names
from builders.filesystems.vfat.geometry import SECTOR, Geometry, geometry, usual_bits
from builders.filesystems.vfat.survey import Survey, survey
from builders.plan import Plan, Segment
from builders.tree import Content, Entry

_MIB = 1 << 20
_TYPES = {"size": int, "free": int, "label": str, "uuid": uuids.UUID}
_BITS = {"fat12": 12, "fat16": 16, "fat32": 32}
_LEAST = {12: 64 * 1024, 16: 3 * _MIB, 32: 33 * _MIB}  # where to begin to look for a size

_VOLUME, _DIRECTORY, _ARCHIVE = 0x08, 0x10, 0x20
_MEDIA = 0xF8
_FIRST_YEAR = 315532800  # 1980-01-01 in seconds
_LAST_YEAR = 4354819199  # 2107-12-31
_LABEL_FORBIDDEN = frozenset('"*+,./:;<=>?[\\]|')


def make(name: str, tree: Sequence[Entry], options: Mapping[str, object]) -> Plan:
    """The FAT file system that holds `tree`; `name`: "vfat" (any kind), "fat12", "fat16", "fat32".

    Options: size; free, bytes to keep free without a size (5 % and 1 MiB); label, at most 11
    characters of ASCII; uuid, of which the first four bytes are the volume's serial number.
    Raises BadOption and BadTree's subclasses.
    """
    checked = check(name, _TYPES, options)
    size, free = checked.get("size"), checked.get("free")
    uuid = checked.get("uuid")
    if not isinstance(uuid, uuids.UUID):
        raise BadOption("uuid", "it must be given")
    label = _label(str(checked.get("label", "")))
    found = survey(tree)
    bits = _BITS.get(name)
    if isinstance(size, int):
        layout = geometry(size, bits or usual_bits(size), found.root_entries())
        if layout is None:
            raise BadOption("size", f"there is no {name} of {size:,} bytes")
        needed = sum(_clusters(found, layout).values())
        if needed > layout.clusters:
            lacking = (needed - layout.clusters) * layout.cluster
            raise TreeDoesNotFit(tree, size + lacking, size, name)
        return _Writer(found, layout, label, uuid).write(size)
    content = sum(-(-entry.size // 4096) * 4096 for entry in tree)
    wanted = free if isinstance(free, int) else content // 20 + _MIB
    layout = _fitting(found, bits, content + wanted, wanted)
    return _Writer(found, layout, label, uuid).write(layout.sectors * SECTOR)


def _label(label: str) -> bytes:
    if len(label) > 11:
        raise LabelTooLong(label, len(label), 11)
    if any(not " " <= c <= "~" or c in _LABEL_FORBIDDEN for c in label):
        raise BadOption("label", f"{label!r} has characters that FAT does not allow there")
    return label.upper().encode("ascii")


def _clusters(found: Survey, layout: Geometry) -> dict[int, int]:
    return found.clusters(layout.cluster, root=layout.bits == 32)


def _fitting(found: Survey, bits: int | None, start: int, free: int) -> Geometry:
    """The geometry of a size at which everything fits and `free` bytes are left."""
    root_entries = found.root_entries()
    size = max(start, _LEAST[bits or 12])
    while True:
        size = -(-size // 4096) * 4096
        layout = geometry(size, bits or usual_bits(size), root_entries)
        if layout is not None:
            needed = sum(_clusters(found, layout).values())
            if layout.clusters >= needed + free // layout.cluster:
                return layout
        size += max(64 * 1024, size // 64)


class _Writer:
    """Gives everything its clusters; used once."""

    def __init__(
        self,
        found: Survey,
        layout: Geometry,
        label: bytes,
        uuid: uuids.UUID,
    ) -> None:
        self._found = found
        self._hierarchy = found.hierarchy
        self._layout = layout
        self._label = label
        self._serial = int.from_bytes(uuid.bytes[:4], "big")
        self._first: dict[int, int] = {}
        self._chains: list[tuple[int, int]] = []
        self._next = 2

    def write(self, size: int) -> Plan:
        plan = Plan(size)
        layout = self._layout
        for number, count in _clusters(self._found, layout).items():
            if count:
                self._first[number] = self._next
                self._chains.append((self._next, count))
                self._next += count
        for directory in self._hierarchy.children:
            place = layout.root
            if directory in self._first:
                place = layout.offset(self._first[directory])
            plan.metadata.append((place, self._directory(directory)))
        for number, entry in enumerate(self._hierarchy.entries):
            if entry.kind == "f" and entry.size:
                self._file(plan, entry, layout.offset(self._first[number]))
        table = self._table()
        for copy in range(2):
            plan.metadata.append(((layout.reserved + copy * layout.fat) * SECTOR, table))
        plan.metadata += self._boot_sectors()
        plan.metadata.sort(key=itemgetter(0))
        plan.segments.sort(key=itemgetter(0))
        return plan

    def _file(self, plan: Plan, entry: Entry, place: int) -> None:
        ref = entry.ref
        if isinstance(ref, Content):
            plan.segments.append(Segment(place, ref.source, ref.offset, entry.size))
        elif isinstance(ref, bytes) and len(ref) == entry.size:
            plan.metadata.append((place, ref))
        else:
            raise BadContent(entry.path, entry.size)

    def _directory(self, directory: int) -> bytes:
        hierarchy = self._hierarchy
        entry = hierarchy.entries[directory]
        parts = []
        if directory == 0:
            if self._label:
                parts.append(_record(self._label.ljust(11), _VOLUME, 0, 0, entry.mtime))
        else:
            parent = hierarchy.parents[directory]
            above = self._first.get(parent, 0) if parent else 0  # 0 means the root in all kinds
            own = self._first[directory]
            parts.append(_record(b".".ljust(11), _DIRECTORY, own, 0, entry.mtime))
            parts.append(_record(b"..".ljust(11), _DIRECTORY, above, 0, entry.mtime))
        for child in hierarchy.children[directory]:
            entry = hierarchy.entries[child]
            short = self._found.shorts[child]
            if not short.exact:
                parts.append(names.long_entries(entry.path.rpartition("/")[2], short.name))
            kind = _DIRECTORY if entry.kind == "d" else _ARCHIVE
            size = entry.size if entry.kind == "f" else 0
            first = self._first.get(child, 0)
            parts.append(_record(short.name, kind, first, size, entry.mtime, short.case))
        return b"".join(parts)

    def _table(self) -> bytes:
        """The FAT: each cluster's successor."""
        bits = self._layout.bits
        end = 0x0FFFFFFF if bits == 32 else (1 << bits) - 1
        entries = list(range(1, self._next + 1))
        entries[0] = end & ~0xFF | _MEDIA
        entries[1] = end
        for first, count in self._chains:
            entries[first + count - 1] = end
        if bits == 32:
            return array.array("I", entries).tobytes()
        if bits == 16:
            return array.array("H", entries).tobytes()
        if len(entries) % 2:
            entries.append(0)
        return b"".join(
            (low | high << 12).to_bytes(3, "little")
            for low, high in zip(entries[::2], entries[1::2], strict=True)
        )

    def _boot_sectors(self) -> list[tuple[int, bytes]]:
        layout = self._layout
        wide = layout.bits == 32
        few = layout.sectors < 0x10000 and not wide
        sector = bytearray(SECTOR)
        struct.pack_into(
            "<3s8sHBHBHHBHHHII",
            sector,
            0,
            b"\xeb\x58\x90" if wide else b"\xeb\x3c\x90",
            b"mkfs.fat",  # some drivers want to know this name
            SECTOR,
            layout.per_cluster,
            layout.reserved,
            2,
            layout.root_entries,
            layout.sectors if few else 0,
            _MEDIA,
            0 if wide else layout.fat,
            63,
            255,
            0,
            0 if few else layout.sectors,
        )
        position = 36
        if wide:
            root = self._first[0]
            struct.pack_into("<IHHIHH12x", sector, position, layout.fat, 0, 0, root, 1, 6)
            position = 64
        kind = f"FAT{layout.bits}".ljust(8).encode()
        label = (self._label or b"NO NAME").ljust(11)
        struct.pack_into("<BBBI11s8s", sector, position, 0x80, 0, 0x29, self._serial, label, kind)
        sector[position + 26 : position + 28] = b"\xeb\xfe"  # code that does nothing, for ever
        sector[510:] = b"\x55\xaa"
        boot = bytes(sector)
        if not wide:
            return [(0, boot)]
        free = layout.clusters - (self._next - 2)
        info = struct.pack("<I480xIII12xI", 0x41615252, 0x61417272, free, self._next, 0xAA550000)
        return [(0, boot), (SECTOR, info), (6 * SECTOR, boot), (7 * SECTOR, info)]


def _record(short: bytes, kind: int, cluster: int, size: int, mtime: int, case: int = 0) -> bytes:
    date, clock = _stamp(mtime)
    return struct.pack(
        "<11sBBBHHHHHHHI",
        short,
        kind,
        case,
        0,
        clock,
        date,
        date,
        cluster >> 16,
        clock,
        date,
        cluster & 0xFFFF,
        size,
    )


@lru_cache(4096)
def _stamp(mtime: int) -> tuple[int, int]:
    """Date and time (UTC, even seconds) of FAT, which knows the years 1980 to 2107."""
    seconds = min(max(mtime // 1_000_000_000, _FIRST_YEAR), _LAST_YEAR)
    moment = time.gmtime(seconds)
    date = (moment.tm_year - 1980) << 9 | moment.tm_mon << 5 | moment.tm_mday
    return date, moment.tm_hour << 11 | moment.tm_min << 5 | moment.tm_sec // 2
