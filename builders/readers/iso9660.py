"""Reads ISO 9660 with Rock Ridge through pycdlib; without Rock Ridge names are ISO 9660's own."""

from __future__ import annotations

import calendar
import struct
from collections.abc import Iterator
from typing import Any

from builders.readers import Directories, checked_name, modes, starts
from builders.readers.source import DamagedImage, Source, SourceFile
from builders.tree import Entry, order

_SECTOR = 2048
_LONGEST_RUN = 1 << 20
_TROUBLES = (struct.error, ValueError, LookupError, AttributeError, TypeError)
"""What pycdlib raises beside its own exceptions when an ISO is damaged."""


def recognises(source: Source) -> bool:
    """Whether there is a volume descriptor."""
    return starts(source, 16 * _SECTOR + 1, b"CD001")


def open_source(source: Source) -> Iso9660:
    """Open; raises DamagedImage."""
    import pycdlib
    from pycdlib.pycdlibexception import PyCdlibException

    iso: Any = pycdlib.PyCdlib()
    try:
        iso.open_fp(SourceFile(source))
    except (*_TROUBLES, PyCdlibException) as error:
        raise DamagedImage(f"the ISO 9660 file system cannot be read: {error}") from None
    return Iso9660(source, iso)


class Iso9660:
    """An ISO 9660 file system; see builders.readers.FileSystem."""

    kind = "iso9660"

    def __init__(self, source: Source, iso: Any) -> None:
        self._source = source
        self.label = iso.pvd.volume_identifier.decode("ascii", "replace").strip()
        root = iso.pvd.root_directory_record()
        self._records: dict[str, Any] = {"": root}
        self._directories = Directories(root.extent_location())
        # Where deep directories are, in truth; pycdlib does not follow all links to them.
        self._relocated = [one for one in root.children if _is_of_relocated(one)]
        self._moved = {
            child.extent_location(): child for one in self._relocated for child in one.children[2:]
        }

    def root(self) -> Entry:
        """See FileSystem."""
        record = self._records[""]
        return _entry("", record.children[0] if record.children else record)

    def children(self, path: str) -> list[Entry]:
        """See FileSystem."""
        found: list[Entry] = []
        for record in self._at(path).children:
            if record.is_dot() or record.is_dotdot() or _is_further_part(record, found):
                continue
            if _is_relocated(record) or any(record is one for one in self._relocated):
                continue
            name = checked_name(_name(record), path)
            child = f"{path}/{name}" if path else name
            self._records[child] = self._followed(record, child)
            entry = _entry(child, self._records[child])
            if entry.kind == "d":
                self._directories.meet(self._records[child].extent_location(), child)
            found.append(entry)
        return sorted(found, key=lambda entry: order(entry.path))

    def runs(self, path: str) -> Iterator[tuple[int, bytes]]:
        """See FileSystem."""
        record = self._at(path)
        start = 0
        while record is not None:
            offset = record.extent_location() * _SECTOR
            length = record.get_data_length()
            for position in range(0, length, _LONGEST_RUN):
                size = min(_LONGEST_RUN, length - position)
                yield start + position, self._source.read(offset + position, size)
            start += length
            record = record.data_continuation

    def _followed(self, record: Any, path: str) -> Any:
        """The record of a directory where it is in truth; others are what they are."""
        link = record.rock_ridge
        if link is None or not link.child_link_record_exists():
            return record
        moved = link.cl_to_moved_dr or self._moved.get(link.child_link_extent())
        if moved is None:
            raise DamagedImage(f"/{path} leads to a directory that does not exist")
        return moved

    def _at(self, path: str) -> Any:
        if path not in self._records:
            self.children(path.rpartition("/")[0])
            if path not in self._records:
                raise DamagedImage(f"there is no /{path}")
        return self._records[path]


def _is_relocated(record: Any) -> bool:
    """Whether this is a directory that belongs elsewhere."""
    return record.rock_ridge is not None and bool(record.rock_ridge.relocated_record())


def _is_of_relocated(record: Any) -> bool:
    """Whether this is a directory of nothing but directories that belong elsewhere."""
    if record.is_dot() or record.is_dotdot() or not record.is_dir():
        return False
    children = record.children[2:]
    return bool(children) and all(_is_relocated(child) for child in children)


def _is_further_part(record: Any, found: list[Entry]) -> bool:
    """Whether the record goes on with a file of more than 4 GiB."""
    return bool(found) and found[-1].path.rpartition("/")[2] == _name(record).decode(
        "utf-8", "surrogateescape"
    )


def _name(record: Any) -> bytes:
    if record.rock_ridge is not None:
        return bytes(record.rock_ridge.name())
    own: bytes = record.file_identifier()
    return own.partition(b";")[0].rstrip(b".").lower()


def _entry(path: str, record: Any) -> Entry:
    size = 0
    part = record
    while part is not None and not record.is_dir():
        size += part.get_data_length()
        part = part.data_continuation
    rock_ridge = record.rock_ridge
    date = record.date
    if rock_ridge is None:
        kind = "d" if record.is_dir() else "f"
        return Entry(path, "d" if kind == "d" else "f", 0o555, 0, 0, _nanoseconds(date), size)
    entries = [rock_ridge.dr_entries, rock_ridge.ce_entries]
    attributes = next((one.px_record for one in entries if one and one.px_record), None)
    times = next((one.tf_record for one in entries if one and one.tf_record), None)
    if attributes is None:
        raise DamagedImage(f"/{path} has no attributes")
    if times is not None and times.modification_time is not None:
        date = times.modification_time
    kind = modes.kind(attributes.posix_file_mode)
    ref = None
    if kind == "l":
        ref = bytes(rock_ridge.symlink_path()).decode("utf-8", "surrogateescape")
        size = len(ref.encode("utf-8", "surrogateescape"))
    return Entry(
        path,
        kind,
        attributes.posix_file_mode & 0o7777,
        attributes.posix_user_id,
        attributes.posix_group_id,
        _nanoseconds(date),
        size,
        ref,
    )


def _nanoseconds(date: Any) -> int:
    if hasattr(date, "years_since_1900"):
        parts = (date.years_since_1900 + 1900, date.month, date.day_of_month)
    else:
        parts = (date.year, date.month, date.dayofmonth)
    if not (parts[0] and 1 <= parts[1] <= 12 and 1 <= parts[2] <= 31):
        return 0
    seconds: int = calendar.timegm((*parts, date.hour, date.minute, date.second, 0, 0, 0))
    return (seconds - int(date.gmtoffset) * 15 * 60) * 1_000_000_000
