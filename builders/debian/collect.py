"""A configured root read back: what is as it was laid out, what is new, what was said of owners."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from builders.debian.layout import Laid
from builders.debian.recorder import Record
from builders.merge import arrange
from builders.pack import PackWriter
from builders.registry import STORE_PREFIX
from builders.tree import Content, Entry, Kind

_KINDS: dict[int, Kind] = {
    stat.S_IFREG: "f",
    stat.S_IFDIR: "d",
    stat.S_IFLNK: "l",
    stat.S_IFCHR: "c",
    stat.S_IFBLK: "b",
    stat.S_IFIFO: "p",
}
_CHUNK = 1 << 20


def collect(
    root: Path,
    before: Mapping[str, Entry],
    laid: Mapping[str, Laid],
    records: Mapping[tuple[int, int], Record],
    switched: Mapping[int, int],
    real: Callable[[str], Path],
    *,
    since: int,
    time: int,
) -> list[Entry]:
    """The tree that `root` is now, in the order of trees; sockets are left out.

    before, laid  what was written there, and how it looked then; contents that did not change are
                  those of `before`, others refer to the files below `root`
    records       owners, attributes and devices by (device, inode) numbers
    switched      users, with their groups, that processes acted for: what is new in a directory of
                  theirs, and nobody's by the records, is theirs
    since, time   ns: what was modified at `since` or later gets the mtime `time`, and nothing a
                  later one
    """
    reader = _Collector(root, before, laid, records, switched, real, since, time)
    reader.walk()
    return arrange(reader.entries)


class _Collector:
    def __init__(
        self,
        root: Path,
        before: Mapping[str, Entry],
        laid: Mapping[str, Laid],
        records: Mapping[tuple[int, int], Record],
        switched: Mapping[int, int],
        real: Callable[[str], Path],
        since: int,
        time: int,
    ) -> None:
        self.entries: list[Entry] = []
        self._top = os.fspath(root)
        self._before = before
        self._laid = laid
        self._records = records
        self._switched = switched
        self._real = real
        self._since = since
        self._time = time
        self._user, self._group = os.geteuid(), os.getegid()
        self._names: dict[int, str] = {}  # inodes with several names

    def walk(self) -> None:
        self._note("", self._top, os.lstat(self._top), (0, 0))
        pending = [("", self.entries[0])]
        while pending:
            directory, entry = pending.pop()
            prefix = f"{directory}/" if directory else ""
            group = entry.gid if entry.mode & stat.S_ISGID else 0
            inherited = (0, group)
            if entry.uid in self._switched:
                inherited = (entry.uid, group or self._switched[entry.uid])
            for child in _children(f"{self._top}/{directory}"):
                path = prefix + child.name
                status = child.stat(follow_symlinks=False)
                self._note(path, child.path, status, inherited)
                if stat.S_ISDIR(status.st_mode):
                    pending.append((path, self.entries[-1]))

    def _note(
        self, path: str, full: str, status: os.stat_result, inherited: tuple[int, int]
    ) -> None:
        """Add the entry of `path`; `inherited` is the owner that new files get there."""
        kind = _KINDS.get(stat.S_IFMT(status.st_mode))
        if kind is None:
            return
        if status.st_nlink > 1 and kind != "d":
            first = self._names.setdefault(status.st_ino, path)
            if first != path:
                self.entries.append(Entry(path, "h", 0, ref=first))
                return
        record = self._records.get((status.st_dev, status.st_ino))
        laid = self._laid.get(path)
        if record is not None:
            uid, gid = record.uid, record.gid
        else:
            # in a user namespace its root is the user who runs this
            uid = 0 if status.st_uid == self._user else status.st_uid
            gid = 0 if status.st_gid == self._group else status.st_gid
            if laid is None or laid.inode != status.st_ino:
                uid, gid = uid or inherited[0], gid or inherited[1]
        size = 0
        ref: Content | bytes | str | tuple[int, int] | None = None
        if kind == "f":
            size = status.st_size
            ref = self._content(path, full, status, laid) if size else None
        elif kind == "l":
            ref = os.readlink(full)
            size = status.st_size
        elif kind in "cb":
            ref = (os.major(status.st_rdev), os.minor(status.st_rdev))
        if record is not None and record.device is not None:
            kind = "c" if record.device[0] == "c" else "b"
            size, ref = 0, record.device[1:]
        modified = status.st_mtime_ns
        time = self._time if modified >= self._since else min(modified, self._time)
        xattrs = (record.xattrs or None) if record is not None else None
        mode = stat.S_IMODE(status.st_mode)
        self.entries.append(Entry(path, kind, mode, uid, gid, time, size, ref, xattrs))

    def _content(
        self, path: str, full: str, status: os.stat_result, laid: Laid | None
    ) -> Content | bytes | None:
        old = self._before.get(path)
        if old is not None and old.kind == "h":
            old = self._before[str(old.ref)]
        if old is None or laid is None or old.kind != "f" or old.size != status.st_size:
            return Content(full)
        untouched = laid.inode == status.st_ino and laid.changed == status.st_ctime_ns
        if untouched or self._same(old, full):
            assert old.ref is None or isinstance(old.ref, Content | bytes)
            return old.ref
        return Content(full)

    def _same(self, old: Entry, full: str) -> bool:
        """Whether the file `full` has the content of the entry `old`, whose size it has."""
        if not isinstance(old.ref, Content):
            return b"".join(read_file(full)) == (old.ref or b"")
        with self._real(old.ref.source).open("rb") as pack:
            pack.seek(old.ref.offset)
            return all(pack.read(len(chunk)) == chunk for chunk in read_file(full))


def _children(directory: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as found:
            return sorted(found, key=lambda child: child.name)
    except PermissionError:  # its owner may not read it, but may change that
        Path(directory).chmod(0o700)
        with os.scandir(directory) as found:
            return sorted(found, key=lambda child: child.name)


def read_file(path: str) -> list[bytes]:
    """The content of a file, in chunks, even if its mode keeps its owner from reading it."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno != errno.EACCES:
            raise
        Path(path).chmod(0o600)
        descriptor = os.open(path, flags)
    chunks = []
    with contextlib.closing(os.fdopen(descriptor, "rb", buffering=0)) as file:
        while chunk := file.read(_CHUNK):
            chunks.append(chunk)
    return chunks


def pack_new(entries: list[Entry], pack: Path, logical: str) -> list[Entry]:
    """Write contents that are still files on disk or in memory to `pack`, the file that is to have
    the store path `logical`; the entries with references to it.
    """
    result = []
    with PackWriter(pack) as writer:
        for entry in entries:
            chunks = _new_content(entry)
            if chunks is None:
                result.append(entry)
            else:
                content = writer.add(chunks)._replace(source=logical)
                result.append(entry._replace(ref=content))
    return result


def _new_content(entry: Entry) -> list[bytes] | None:
    if entry.kind != "f" or not entry.size:
        return None
    if isinstance(entry.ref, bytes):
        return [entry.ref]
    assert isinstance(entry.ref, Content)
    in_store = entry.ref.source.startswith(STORE_PREFIX + "/")
    return None if in_store else read_file(entry.ref.source)
