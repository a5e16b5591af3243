"""ISO 9660 with Rock Ridge, laid out by pycdlib; what files hold is not read, only placed.

Names in ISO 9660 itself are numbers: pycdlib takes two files of one name for parts of one
file, and it is Rock Ridge's names that Linux, GRUB and people see.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from builders.filesystems import iso_checksums, iso_digests
from builders.filesystems.hierarchy import BadContent, BadTree, TreeDoesNotFit, index
from builders.filesystems.iso_checksums import SECTOR, Places
from builders.filesystems.iso_pycdlib import Clock, at_rest
from builders.filesystems.options import BadOption, LabelTooLong, check
from builders.filesystems.workroom import Workroom
from builders.holes import segments
from builders.plan import Plan
from builders.tree import Content, Entry

_LAST_SECOND = 5869583999  # the end of 2155: a year is one byte, from 1900
_BATCH = 1 << 20
_ZEROS = bytes(_BATCH)
_NO_CONTENT = io.BytesIO()
_TYPES = {"size": int, "label": str, "epoch": int}
_OTHER_KINDS = {
    "c": "a character device",
    "b": "a block device",
    "p": "a fifo",
    "s": "a socket",
}
_FILE_TYPES = {"d": 0o040000, "l": 0o120000, "f": 0o100000}
_NUMBERED = re.compile(rb"[DF]([0-9]{7,})")


class NotInIso(BadTree):
    """The tree has something that cannot be stored."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(
            f"/{path} {what}, which an ISO 9660 file system cannot hold",
            hint="put the tree in a squashfs or EROFS, and that on the ISO",
        )


@dataclass(frozen=True, slots=True)
class ElTorito:
    """What firmware starts of a CD: paths in the tree of files that are not empty, or None.

    bios     code that a BIOS loads, 2048 bytes of it, at 0x7c00
    efi      a FAT file system for UEFI
    catalog  where the list of the two appears; its directory is in the tree
    """

    bios: str | None = None
    efi: str | None = None
    catalog: str = "boot.cat"


@dataclass(slots=True)
class Laid:
    """The plan of an ISO, and the byte offset in it of each file that is not empty, by path.

    checksums  the room for them, which is zero so far; None: there is none
    """

    plan: Plan
    offsets: dict[str, int] = field(default_factory=dict)
    checksums: Places | None = None


def make(
    name: str,
    tree: Sequence[Entry],
    options: Mapping[str, object],
    room: Workroom | None = None,
) -> Plan:
    """The ISO 9660 file system that holds `tree`, with checksums if there is a `room`. Options:
    label (the volume's name), epoch, size.

    Raises BadOption and BadTree's subclasses, and what iso_digests.fill raises.
    """
    checked = check(name, _TYPES, {key: value for key, value in options.items() if key != "uuid"})
    if options.get("uuid") is not None:
        raise BadOption("uuid", f"{name} has none; it is known by its label and its date")
    epoch, size = checked.get("epoch", 1), checked.get("size")
    assert isinstance(epoch, int)
    label = str(checked.get("label", "CDROM"))
    laid = lay_out(tree, label, epoch, checksums=room is not None)
    plan = laid.plan
    if isinstance(size, int) and size < plan.size:
        raise TreeDoesNotFit(tree, plan.size, size, name)
    if room is not None and laid.checksums is not None:
        iso_digests.fill(plan, laid.checksums, room.real)
    if isinstance(size, int):
        plan.size = size
    return plan


def lay_out(
    tree: Sequence[Entry],
    volume: str,
    epoch: int,
    boot: ElTorito | None = None,
    *,
    checksums: bool = False,
) -> Laid:
    """Lay out an ISO with Rock Ridge, level 3.

    volume     its name, at most 32 characters of ASCII
    epoch      seconds: the time stamp of the volume; files have their own, from 1970 to 2155
    checksums  leave room for those that xorriso verifies; they are to be filled in

    Raises LabelTooLong, BadOption, NotInIso and BadTree's other subclasses.
    """
    if len(volume.encode()) > 32:
        raise LabelTooLong(volume, len(volume.encode()), 32)
    if not volume.isascii() or not volume.isprintable():
        raise BadOption("label", f"{volume!r}: an ISO 9660 volume's has printable ASCII only")
    hierarchy = index(tree)
    for entry in tree:
        if entry.kind in _OTHER_KINDS:
            raise NotInIso(entry.path, f"is {_OTHER_KINDS[entry.kind]}")
        if entry.xattrs:
            raise NotInIso(entry.path, "has extended attributes")
        try:
            (entry.path + str(entry.ref if entry.kind == "l" else "")).encode()
        except UnicodeEncodeError:
            raise NotInIso(entry.path, "has a name or a target that is not UTF-8") from None
    with at_rest() as clock, iso_checksums.attributes() if checksums else nullcontext():
        clock.now = epoch
        return _Builder(clock, volume).build(tree, hierarchy.targets, epoch, boot, checksums)


class _Recorder(io.RawIOBase):
    """Takes what pycdlib writes and keeps the sectors that are not zero."""

    def __init__(self) -> None:
        super().__init__()
        self.sectors: dict[int, bytearray] = {}
        self.size = 0
        self._position = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        length = len(data)
        begin = self._position
        self._position += length
        self.size = max(self.size, self._position)
        if data != _ZEROS[:length] if length <= _BATCH else any(data):
            done = 0
            while done < length:
                sector, offset = divmod(begin + done, SECTOR)
                part = data[done : done + SECTOR - offset]
                kept = self.sectors.setdefault(sector, bytearray(SECTOR))
                kept[offset : offset + len(part)] = part
                done += len(part)
        return length

    def pieces(self) -> list[tuple[int, bytes]]:
        """Offsets and bytes, sectors that follow each other in one."""
        runs: list[tuple[int, list[bytearray]]] = []
        last = -2
        for sector in sorted(self.sectors):
            if sector != last + 1:
                runs.append((sector * SECTOR, []))
            runs[-1][1].append(self.sectors[sector])
            last = sector
        return [(offset, b"".join(parts)) for offset, parts in runs]


class _Builder:
    """One ISO in pycdlib's hands, whose clock is `clock`."""

    def __init__(self, clock: Clock, volume: str) -> None:
        import pycdlib

        self._clock = clock
        self._iso: Any = pycdlib.PyCdlib()
        self._iso.new(
            interchange_level=3,
            rock_ridge="1.09",
            vol_ident=volume,
            sys_ident="LINUX",
            app_ident_str="KILN",
        )
        self._names: dict[str, str] = {"": ""}  # ISO 9660 paths by paths of the tree

    def build(
        self,
        tree: Sequence[Entry],
        targets: Mapping[int, int],
        epoch: int,
        boot: ElTorito | None,
        checksums: bool,
    ) -> Laid:
        iso = self._iso
        iso.set_relocated_name("RR_MOVED", _name_of_relocated(tree))
        for number, entry in enumerate(tree):
            if number:
                self._add(number, entry, tree[targets[number]] if number in targets else None)
        self._clock.now = epoch
        if boot is not None:
            self._add_el_torito(tree, boot)
        # Asking for a record lays out anew what was added since: only when all is there.
        tag = iso_checksums.lay_out(iso) if checksums else iso.force_consistency()
        records = _records(iso.pvd.root_directory_record())
        for number, entry in enumerate(tree):
            self._own(records[number], tree[targets[number]] if number in targets else entry)
        places = self._sum(tag, tree, targets, records) if checksums else None
        iso.inodes = []  # contents are not for pycdlib to write
        recorder = _Recorder()
        iso.write_fp(recorder, blocksize=_BATCH)
        laid = Laid(Plan(recorder.size, recorder.pieces()), checksums=places)
        for number, entry in enumerate(tree):
            if entry.kind == "f" and entry.size:
                offset = records[number].extent_location() * SECTOR
                laid.offsets[entry.path] = offset
                _put(laid.plan, entry, offset)
        iso.close()
        laid.plan.metadata.sort()
        laid.plan.segments.sort()
        return laid

    def _add(self, number: int, entry: Entry, target: Entry | None) -> None:
        directory, _, name = entry.path.rpartition("/")
        shown = entry if target is None else target
        self._clock.now = _seconds(shown)
        iso = self._iso
        kind = shown.kind
        own = f"D{number:07d}" if kind == "d" else f"F{number:07d}.;1"  # as _NUMBERED has it
        path = self._names[entry.path] = f"{self._names[directory]}/{own}"
        if kind == "d":
            iso.add_directory(path, rr_name=name, file_mode=_FILE_TYPES[kind] | entry.mode)
        elif kind == "l":
            iso.add_symlink(path, rr_symlink_name=name, rr_path=str(shown.ref))
        elif target is not None and target.size:
            iso.add_hard_link(
                iso_old_path=self._names[target.path], iso_new_path=path, rr_name=name
            )
        else:
            mode = _FILE_TYPES[kind] | shown.mode
            iso.add_fp(_NO_CONTENT, shown.size, path, rr_name=name, file_mode=mode)

    def _own(self, record: Any, entry: Entry) -> None:
        """Set the owner and the mode in the record, and in a directory's record of itself."""
        records = [record, *record.children[:1]] if record.is_dir() else _parts(record)
        for each in records:
            if each.rock_ridge is None:
                continue
            attributes = _attributes(each)
            attributes.posix_user_id = entry.uid
            attributes.posix_group_id = entry.gid
            attributes.posix_file_mode = _FILE_TYPES[entry.kind] | entry.mode
            if not entry.path:
                _set_times(each, _seconds(entry))

    def _sum(
        self,
        tag: int,
        tree: Sequence[Entry],
        targets: Mapping[int, int],
        records: Mapping[int, Any],
    ) -> Places:
        """Number the files that are summed, links as what they link to, and the boot catalog."""
        files: list[tuple[int, int]] = []
        indices: dict[int, int] = {}  # by number in the tree
        for number in range(len(tree)):
            target = targets.get(number, number)
            if tree[target].kind != "f":
                continue
            if target not in indices:
                offset = records[target].extent_location() * SECTOR if tree[target].size else 0
                files.append((offset, tree[target].size))
                indices[target] = len(files)
            for part in _parts(records[number]):
                iso_checksums.point(part, indices[target])
        catalog = self._iso.eltorito_boot_catalog
        if catalog is not None:
            (record,) = catalog.dirrecords
            files.append((record.extent_location() * SECTOR, record.get_data_length()))
            iso_checksums.point(record, len(files))
        return iso_checksums.reserve(self._iso, tag, files)

    def _add_el_torito(self, tree: Sequence[Entry], boot: ElTorito) -> None:
        directory, _, name = boot.catalog.rpartition("/")
        catalog = {
            "bootcatfile": f"{self._names[directory]}/BOOT.CAT;1",
            "rr_bootcatname": name,
        }
        sizes = {entry.path: entry.size for entry in tree}
        if boot.bios is not None:
            self._iso.add_eltorito(self._names[boot.bios], **catalog, boot_load_size=4)
        if boot.efi is not None:
            sectors = -(-sizes[boot.efi] // 512)
            how: dict[str, Any] = {"efi": True} if boot.bios is not None else {"platform_id": 0xEF}
            if boot.bios is None:
                how |= catalog
            # a count that does not fit means "to the end of the CD" when it is zero
            load = sectors if sectors <= 0xFFFF else 0
            self._iso.add_eltorito(self._names[boot.efi], **how, boot_load_size=load)


def _name_of_relocated(tree: Sequence[Entry]) -> str:
    """The directory that has what is too deep: one that the tree does not have itself."""
    taken = {entry.path for entry in tree}
    name = "rr_moved"
    while name in taken:
        name += "_"
    return name


def _seconds(entry: Entry) -> int:
    """The time of a record: what a year of one byte can say."""
    return min(max(entry.mtime // 1_000_000_000, 0), _LAST_SECOND)


def _records(root: Any) -> dict[int, Any]:
    """The records of entries by their number in the tree, which their names are made of.

    A directory that is too deep is elsewhere; where it belongs is a link to it. A file of more
    than 4 GiB has several records: this is the first of them.
    """
    found = {0: root}
    directories = [root]
    for directory in directories:
        for child in directory.children:
            numbered = _NUMBERED.match(child.file_identifier())
            if numbered is None:
                continue
            is_link = child.rock_ridge.child_link_record_exists()
            record = child.rock_ridge.cl_to_moved_dr if is_link else child
            if found.setdefault(int(numbered[1]), record) is record and record.is_dir():
                directories.append(record)
    return found


def _parts(record: Any) -> list[Any]:
    """The record of a file with those of its further parts."""
    parts = [record]
    while parts[-1].data_continuation is not None:
        parts.append(parts[-1].data_continuation)
    return parts


def _attributes(record: Any) -> Any:
    """The record's POSIX attributes (RRIP 4.1.1), wherever they found room."""
    own = record.rock_ridge.dr_entries.px_record
    return own if own is not None else record.rock_ridge.ce_entries.px_record


def _set_times(record: Any, seconds: int) -> None:
    times = record.rock_ridge.dr_entries.tf_record
    for name in ("access_time", "modification_time", "attribute_change_time"):
        if times is not None and getattr(times, name) is not None:
            fresh = type(getattr(times, name))()
            fresh.new(seconds)
            setattr(times, name, fresh)


def _put(plan: Plan, entry: Entry, offset: int) -> None:
    if isinstance(entry.ref, bytes):
        if len(entry.ref) != entry.size:
            raise BadContent(entry.path, entry.size)
        plan.metadata.append((offset, entry.ref))
    elif isinstance(entry.ref, Content):
        plan.segments += segments(entry.ref, 0, entry.size, offset)
    else:
        raise BadContent(entry.path, entry.size)
