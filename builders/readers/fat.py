"""Reads FAT12, FAT16 and FAT32 with long names.

A reader of our own and not pyfatfs, which reads files of the host only and needs pkg_resources,
which setuptools 82 has removed.
"""

from __future__ import annotations

import array
import calendar
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from builders.readers import checked_name
from builders.readers.source import DamagedImage, Source
from builders.tree import Entry, order

_LONG, _VOLUME, _DIRECTORY = 0x0F, 0x08, 0x10
_LONGEST_RUN = 1 << 20
_MOST_FAT = 1 << 30


@dataclass(frozen=True, slots=True)
class _Found:
    entry: Entry
    cluster: int


def recognises(source: Source) -> bool:
    """Whether the first sector describes a FAT file system that can be."""
    if source.size < 512:
        return False
    sector = source.read(0, 512)
    size, cluster, reserved, fats = struct.unpack_from("<HBHB", sector, 11)
    return (
        sector[510:] == b"\x55\xaa"
        and size in (512, 1024, 2048, 4096)
        and cluster in (1, 2, 4, 8, 16, 32, 64, 128)
        and reserved > 0
        and fats in (1, 2)
        and sector[21] >= 0xF0
    )


def open_source(source: Source) -> Fat:
    """Open; raises DamagedImage."""
    return Fat(source)


class Fat:
    """A FAT file system; see builders.readers.FileSystem. Owner and permissions are made up."""

    def __init__(self, source: Source) -> None:
        self._source = source
        head = source.read(0, 512)
        sector, per_cluster, reserved, fats, entries, small = struct.unpack_from(
            "<HBHBHH", head, 11
        )
        fat_sectors = struct.unpack_from("<H", head, 22)[0]
        large = struct.unpack_from("<I", head, 32)[0]
        self._root_cluster = 0
        if not fat_sectors:
            fat_sectors = struct.unpack_from("<I", head, 36)[0]
            self._root_cluster = struct.unpack_from("<I", head, 44)[0]
        self._cluster = sector * per_cluster
        self._root_offset = (reserved + fats * fat_sectors) * sector
        self._root_length = entries * 32
        root_sectors = -(-self._root_length // sector)
        self._data = self._root_offset + root_sectors * sector
        self._clusters = ((small or large) - self._data // sector) // per_cluster
        bits = 12 if self._clusters < 4085 else 16 if self._clusters < 65525 else 32
        self.kind = f"fat{bits}"
        label = head[43:54] if bits < 32 else head[71:82]
        self.label = label.decode("ascii", "replace").strip().removeprefix("NO NAME")
        length = min(fat_sectors * sector, (self._clusters + 2) * bits // 8 + 2)
        if self._clusters <= 0 or length > _MOST_FAT:
            raise DamagedImage("the sizes in the FAT file system cannot be right")
        self._fat = _numbers(source.read(reserved * sector, length), bits)
        self._end = (1 << min(bits, 28)) - 9  # 0xFF7: what is above ends a chain
        top = Entry("", "d", 0o755)
        self._found = {"": _Found(top, self._root_cluster)}

    def root(self) -> Entry:
        """See FileSystem."""
        return self._found[""].entry

    def children(self, path: str) -> list[Entry]:
        """See FileSystem."""
        here = self._at(path)
        if here.entry.kind != "d":
            raise DamagedImage(f"/{path} is not a directory")
        if path or self._root_cluster:
            data = b"".join(self._chain(here.cluster))
        else:
            data = self._source.read(self._root_offset, self._root_length)
        found = []
        for one in _records(data, path):
            self._found[one.entry.path] = one
            found.append(one.entry)
        return sorted(found, key=lambda entry: order(entry.path))

    def runs(self, path: str) -> Iterator[tuple[int, bytes]]:
        """See FileSystem."""
        here = self._at(path)
        position = 0
        if not here.entry.size:
            return
        for data in self._chain(here.cluster):
            part = data[: here.entry.size - position]
            if part:
                yield position, part
            position += len(data)
            if position >= here.entry.size:
                return
        raise DamagedImage(f"/{path} is shorter than its directory says")

    def _at(self, path: str) -> _Found:
        if path not in self._found:
            self.children(path.rpartition("/")[0])
            if path not in self._found:
                raise DamagedImage(f"there is no /{path}")
        return self._found[path]

    def _chain(self, cluster: int) -> Iterator[bytes]:
        """What is in the clusters of a chain, those that lie behind each other together."""
        seen = 0
        most = max(1, _LONGEST_RUN // self._cluster)
        while cluster:
            first, count = cluster, 0
            while True:
                if not 2 <= cluster < self._clusters + 2 or seen > self._clusters:
                    raise DamagedImage("a chain of clusters in the FAT file system is damaged")
                following = self._fat[cluster] & 0x0FFFFFFF
                seen += 1
                count += 1
                if following != cluster + 1 or count >= most:
                    break
                cluster = following
            offset = self._data + (first - 2) * self._cluster
            yield self._source.read(offset, count * self._cluster)
            cluster = 0 if following >= self._end else following


def _numbers(data: bytes, bits: int) -> array.array[int]:
    """The entries of a FAT."""
    if bits == 12:
        found = array.array("I")
        for index in range(0, len(data) - 2, 3):
            word = data[index] | data[index + 1] << 8 | data[index + 2] << 16
            found.extend((word & 0xFFF, word >> 12))
        rest = len(data) // 3 * 3
        if len(data) - rest >= 2:
            found.append((data[rest] | data[rest + 1] << 8) & 0xFFF)
        return found
    numbers = array.array("H" if bits == 16 else "I")
    numbers.frombytes(data[: len(data) // numbers.itemsize * numbers.itemsize])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _records(data: bytes, directory: str) -> Iterator[_Found]:
    """The files and directories that the records of a directory tell of."""
    long: dict[int, bytes] = {}
    for start in range(0, len(data) - 31, 32):
        record = data[start : start + 32]
        if record[0] == 0:
            return
        attributes = record[11]
        if record[0] == 0xE5:
            long = {}
        elif attributes & 0x3F == _LONG:
            if record[0] & 0x40:
                long = {}
            long[record[0] & 0x3F] = record[1:11] + record[14:26] + record[28:32]
        elif attributes & _VOLUME:
            long = {}
        else:
            name = _long_name(long) or _short_name(record)
            long = {}
            if name in (".", ".."):
                continue
            yield _found(
                record, checked_name(name.encode("utf-8", "replace"), directory), directory
            )


def _found(record: bytes, name: str, directory: str) -> _Found:
    high, time, date, low, size = struct.unpack_from("<HHHHI", record, 20)
    path = f"{directory}/{name}" if directory else name
    is_directory = bool(record[11] & _DIRECTORY)
    entry = Entry(
        path,
        "d" if is_directory else "f",
        0o755 if is_directory else 0o644,
        mtime=_seconds(date, time) * 1_000_000_000,
        size=0 if is_directory else size,
    )
    return _Found(entry, low | high << 16)


def _long_name(parts: dict[int, bytes]) -> str:
    if not parts or set(parts) != set(range(1, len(parts) + 1)):
        return ""
    text = b"".join(parts[number] for number in sorted(parts)).decode("utf-16-le", "replace")
    return text.partition("\0")[0]


def _short_name(record: bytes) -> str:
    raw = bytes([0xE5]) + record[1:11] if record[0] == 0x05 else record[:11]
    name = raw[:8].decode("cp437").rstrip(" ")
    extension = raw[8:].decode("cp437").rstrip(" ")
    if record[12] & 0x08:
        name = name.lower()
    if record[12] & 0x10:
        extension = extension.lower()
    return f"{name}.{extension}" if extension else name


def _seconds(date: int, time: int) -> int:
    if not date:
        return 0
    year, month, day = 1980 + (date >> 9), date >> 5 & 15, date & 31
    hour, minute, second = time >> 11, time >> 5 & 63, (time & 31) * 2
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return 0
    return calendar.timegm((year, month, day, hour, minute, second, 0, 0, 0))
