"""A tree as a FAT file system: all files in one run of clusters each."""

from __future__ import annotations

import array
import re
import struct
import time
import uuid as uuids
from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from builders.filesystems.hierarchy import BadContent, TreeDoesNotFit
from builders.filesystems.options import BadOption, LabelTooLong, check
from builders.filesystems.vfat import names
from builders.filesystems.vfat.geometry import SECTOR, Geometry, geometry, usual_bits
from builders.filesystems.vfat.survey import Survey, survey
from builders.holes import segments
from builders.plan import Plan
from builders.tree import Content, Entry

_MIB = 1 << 20
_TYPES = {
    "size": int,
    "free": int,
    "label": str,
    "uuid": uuids.UUID,
    "bits": int,
    "sectors_per_cluster": int,
    "root_entries": int,
}
_SERIAL = re.compile(r"([0-9A-F]{4})-([0-9A-F]{4})", re.IGNORECASE)
_BITS = {"fat12": 12, "fat16": 16, "fat32": 32}
_MOST = 1 << 41  # a 32-bit number of sectors
_LEAST = {12: 64 * 1024, 16: 3 * _MIB, 32: 33 * _MIB}  # where to begin to look for a size

_VOLUME, _DIRECTORY, _ARCHIVE = 0x08, 0x10, 0x20
_MEDIA = 0xF8
_FIRST_YEAR = 315532800  # 1980-01-01 in seconds
_LAST_YEAR = 4354819199  # 2107-12-31
_LABEL_FORBIDDEN = frozenset('"*+,./:;<=>?[\\]|')


def make(name: str, tree: Sequence[Entry], options: Mapping[str, object]) -> Plan:
    """The FAT file system that holds `tree`; `name`: "vfat" (any kind), "fat12", "fat16", "fat32".

    Options: size; free, bytes to keep free without a size (5 % and 1 MiB); label, at most 11
    characters of ASCII; uuid, of which the first four bytes are the volume's serial number, or that
    alone as XXXX-XXXX; bits, 12, 16 or 32; sectors_per_cluster; root_entries, how many files the
    root of FAT12 and FAT16 has room for, or more. Raises BadOption and BadTree's subclasses.
    """
    serial = _SERIAL.fullmatch(str(options.get("uuid")))
    if serial is not None:
        options = {**options, "uuid": f"{serial[1]}{serial[2]}-0000-0000-0000-000000000000"}
    checked = check(name, _TYPES, options)
    size, free = checked.get("size"), checked.get("free")
    uuid = checked.get("uuid")
    if not isinstance(uuid, uuids.UUID):
        raise BadOption("uuid", "it must be given")
    label = _label(str(checked.get("label", "")))
    found = survey(tree)
    form = _form(name, checked)
    root_entries = found.root_entries(form.root_entries)
    if isinstance(size, int):
        layout = form.geometry(size, root_entries)
        if layout is None:
            raise BadOption("size", _no_such_size(name, form, size, root_entries))
        needed = sum(_clusters(found, layout).values())
        if needed > layout.clusters:
            lacking = (needed - layout.clusters) * layout.cluster
            raise TreeDoesNotFit(tree, size + lacking, size, name)
        return _Writer(found, layout, label, uuid).write(size)
    content = sum(-(-entry.size // 4096) * 4096 for entry in tree)
    wanted = free if isinstance(free, int) else content // 20 + _MIB
    layout = _fitting(found, form, content + wanted, wanted)
    return _Writer(found, layout, label, uuid).write(layout.sectors * SECTOR)


class _Form(NamedTuple):
    """The kind that is wanted: bits (None: by the size), sectors of a cluster, the root's files."""

    bits: int | None
    per_cluster: int | None
    root_entries: int

    def geometry(self, size: int, root_entries: int) -> Geometry | None:
        return geometry(size, self.bits or usual_bits(size), root_entries, self.per_cluster)


def _form(name: str, options: Mapping[str, object]) -> _Form:
    bits, asked = _BITS.get(name), options.get("bits")
    if isinstance(asked, int):
        if asked not in _LEAST or (bits or asked) != asked:
            raise BadOption("bits", f"{asked}, but it is to be {name}")
        bits = asked
    per_cluster, entries = options.get("sectors_per_cluster"), options.get("root_entries")
    if isinstance(per_cluster, int) and per_cluster not in (1, 2, 4, 8, 16, 32, 64, 128):
        raise BadOption("sectors_per_cluster", f"{per_cluster} is no power of two up to 128")
    if isinstance(entries, int) and (entries % 16 or not 0 < entries <= 65520):
        raise BadOption("root_entries", f"{entries} is no multiple of 16 up to 65520")
    return _Form(
        bits,
        per_cluster if isinstance(per_cluster, int) else None,
        entries if isinstance(entries, int) else 512,
    )


def _no_such_size(name: str, form: _Form, size: int, root_entries: int) -> str:
    """Why there is no file system of this size, with the least that there is."""
    problem = f"there is no {name} of {size:,} bytes"
    if form.per_cluster is not None:
        problem += f" with {form.per_cluster} sectors in a cluster"
    step = 64 * 1024
    for least in range(-(-size // step) * step, size + 4096 * step, step):
        if form.geometry(least, root_entries) is not None:
            return f"{problem}; {least:,} are enough"
    return problem


def _label(label: str) -> bytes:
    if len(label) > 11:
        raise LabelTooLong(label, len(label), 11)
    if any(not " " <= c <= "~" or c in _LABEL_FORBIDDEN for c in label):
        raise BadOption("label", f"{label!r} has characters that FAT does not allow there")
    if label != label.strip() or label == "NO NAME":
        raise BadOption("label", f"{label!r} is read as another label, or none, in a FAT")
    return label.encode("ascii")  # as mkfs.fat leaves it, so that it is found by what was declared


def _clusters(found: Survey, layout: Geometry) -> dict[int, int]:
    return found.clusters(layout.cluster, root=layout.bits == 32)


def _fitting(found: Survey, form: _Form, start: int, free: int) -> Geometry:
    """The geometry of a size at which everything fits and `free` bytes are left.

    Raises BadOption if clusters of the size that is wanted allow none.
    """
    root_entries = found.root_entries(form.root_entries)
    size = max(start, _LEAST[form.bits or 12])
    while True:
        size = -(-size // 4096) * 4096
        layout = form.geometry(size, root_entries)
        if size > _MOST:
            raise BadOption("sectors_per_cluster", "no size has room for all files with so many")
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
            plan.segments += segments(ref, 0, entry.size, place)
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
