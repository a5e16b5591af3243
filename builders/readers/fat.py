"""Reads FAT12, FAT16 and FAT32 through pyfatfs; owner and permissions are made up.

Of pyfatfs only the core, PyFat, is used, which reads file objects and needs no PyFilesystem2.
"""

from __future__ import annotations

import array
import calendar
import struct
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from builders.readers import Directories, checked_name
from builders.readers.source import DamagedImage, Source, SourceFile
from builders.tree import Entry, order

_LONGEST_RUN = 1 << 20
_MOST_FAT = 1 << 30
_TROUBLES = (struct.error, OSError, ValueError, LookupError, AttributeError, TypeError)
"""What pyfatfs raises beside its own exceptions when a file system is damaged."""


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
    """A FAT file system; see builders.readers.FileSystem."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._fat = _core(source)
        with _damage():
            self._fat.set_fp(SourceFile(source))
        bits = self._fat.fat_type
        self.kind = f"fat{bits}"
        head = source.read(0, 512)
        label = head[43:54] if bits < 32 else head[71:82]
        self.label = label.decode("ascii", "replace").strip().removeprefix("NO NAME")
        self._found = {"": _Found(Entry("", "d", 0o755), 0)}
        self._directories = Directories()

    def root(self) -> Entry:
        """See FileSystem."""
        return self._found[""].entry

    def children(self, path: str) -> list[Entry]:
        """See FileSystem."""
        here = self._at(path)
        if here.entry.kind != "d":
            raise DamagedImage(f"/{path} is not a directory")
        with _damage():
            records = self._records(here.cluster) if path else self._root_records()
            found = [_found(each, path) for each in records if not _is_special(each)]
        for one in found:
            if one.entry.kind == "d":
                self._directories.meet(one.cluster, one.entry.path)
        self._found |= {one.entry.path: one for one in found}
        return sorted((one.entry for one in found), key=lambda entry: order(entry.path))

    def runs(self, path: str) -> Iterator[tuple[int, bytes]]:
        """See FileSystem."""
        here = self._at(path)
        position = 0
        for offset, length in self._chain(here.cluster) if here.entry.size else ():
            wanted = min(length, here.entry.size - position)
            yield position, self._source.read(offset, wanted)
            position += wanted
            if position >= here.entry.size:
                return
        if here.entry.size:
            raise DamagedImage(f"/{path} is shorter than its directory says")

    def _at(self, path: str) -> _Found:
        if path not in self._found:
            self.children(path.rpartition("/")[0])
            if path not in self._found:
                raise DamagedImage(f"there is no /{path}")
        return self._found[path]

    def _records(self, cluster: int) -> list[Any]:
        if cluster < 2:
            raise DamagedImage("a directory in the FAT file system has no cluster")
        found: list[Any] = self._fat.parse_dir_entries_in_cluster_chain(cluster)
        return found

    def _root_records(self) -> list[Any]:
        header = self._fat.bpb_header
        if self._fat.fat_type == 32:
            return self._records(header["BPB_RootClus"])
        start = self._fat.root_dir_sector * header["BPB_BytsPerSec"]
        end = start + header["BPB_RootEntCnt"] * 32
        found: list[Any] = self._fat.parse_dir_entries_in_address(start, end)[0]
        return found

    def _chain(self, cluster: int) -> list[tuple[int, int]]:
        """Offset and length of the runs of clusters in a chain that lie behind each other."""
        size = self._fat.bytes_per_cluster
        runs: list[tuple[int, int]] = []
        begin = end = 0
        with _damage():
            for each in self._fat.get_cluster_chain(cluster):
                offset = self._fat.get_data_cluster_address(each)
                if offset != end or end - begin >= _LONGEST_RUN:
                    runs.append((begin, end - begin))
                    begin = offset
                end = offset + size
        return [*runs[1:], (begin, end - begin)]


def _core(source: Source) -> Any:
    """PyFat for the file system, with two things of its own.

    It takes the table of clusters as an array: PyFat's list takes seconds for gigabytes. And it
    leaves directories until they are asked for.
    """
    from pyfatfs.PyFat import PyFat

    class Core(PyFat):  # type: ignore[misc]
        def _parse_fat(self) -> None:
            header = self.bpb_header
            sector = header["BPB_BytsPerSec"]
            self.bytes_per_cluster = sector * header["BPB_SecPerClus"]
            data = self.first_data_sector
            clusters = (self._get_total_sectors() - data) // header["BPB_SecPerClus"]
            length = min(self._fat_size * sector, (clusters + 2) * self.fat_type // 8 + 2)
            if clusters <= 0 or length > _MOST_FAT:
                raise DamagedImage("the sizes in the FAT file system cannot be right")
            table = source.read(header["BPB_RsvdSecCnt"] * sector, length)
            self.fat = _numbers(table, self.fat_type)
            self._clusters = clusters

        def get_cluster_chain(self, first_cluster: int) -> Iterator[int]:
            chain = super().get_cluster_chain(first_cluster)
            for count, cluster in enumerate(chain):
                if not 2 <= cluster < self._clusters + 2 or count > self._clusters:
                    raise DamagedImage("a chain of clusters in the FAT file system is damaged")
                yield cluster

        def parse_root_dir(self) -> None:
            pass

        def _is_dirty(self) -> bool:
            return False

    return Core()


@contextmanager
def _damage() -> Iterator[None]:
    """Raise DamagedImage for what pyfatfs raises, and nothing for what it warns of."""
    from pyfatfs._exceptions import PyFATException

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (PyFATException, *_TROUBLES) as error:
        raise DamagedImage(f"the FAT file system cannot be read: {error}") from None


class _Entries32:
    """The entries of a table of FAT32, of which four bits are not for clusters."""

    def __init__(self, numbers: array.array[int]) -> None:
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, number: int) -> int:
        return self._numbers[number] & 0x0FFFFFFF


def _numbers(data: bytes, bits: int) -> array.array[int] | _Entries32:
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
    return _Entries32(numbers) if bits == 32 else numbers


def _is_special(record: Any) -> bool:
    """Whether this is "." or "..", or the volume's label."""
    return bool(record.is_special() or record.is_volume_id())


def _found(record: Any, directory: str) -> _Found:
    text = str(record.lfn_entry) if record.lfn_entry else _short_name(record)
    name = checked_name(text.partition("\0")[0].encode("utf-8", "replace"), directory)
    is_directory = bool(record.is_directory())
    entry = Entry(
        f"{directory}/{name}" if directory else name,
        "d" if is_directory else "f",
        0o755 if is_directory else 0o644,
        mtime=_seconds(record.wrtdate, record.wrttime) * 1_000_000_000,
        size=0 if is_directory else record.filesize,
    )
    return _Found(entry, record.get_cluster())


def _short_name(record: Any) -> str:
    """The short name, in the case that Windows NT notes for it, which pyfatfs leaves out."""
    raw = bytes(record.name.name)
    if raw[0] == 0x05:
        raw = b"\xe5" + raw[1:]
    name, extension = (part.decode("cp437").rstrip(" ") for part in (raw[:8], raw[8:]))
    if record.ntres & 0x08:
        name = name.lower()
    if record.ntres & 0x10:
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
