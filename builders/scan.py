"""The tree that a directory of the host is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from builders.errors import BuilderError
from builders.merge import arrange
from builders.pack import BLOCK, SMALLEST_HOLE, nonzero_runs
from builders.tree import Content, Entry, Kind, path_bytes

_KINDS: dict[int, Kind] = {
    stat.S_IFREG: "f",
    stat.S_IFDIR: "d",
    stat.S_IFLNK: "l",
    stat.S_IFCHR: "c",
    stat.S_IFBLK: "b",
    stat.S_IFIFO: "p",
    stat.S_IFSOCK: "s",
}


_WINDOW = 1 << 20


class CannotScan(BuilderError):
    """A file of the directory cannot be read."""

    def __init__(self, path: str, error: OSError) -> None:
        super().__init__(
            f"cannot read {path}: {error.strerror}",
            hint="make it readable for the user who runs Kiln, or leave it out",
        )


def scan(
    root: Path,
    *,
    source: str | None = None,
    xattrs: bool = True,
    owner: tuple[int, int] | None = None,
    time: int | None = None,
    reproducible: bool = False,
) -> list[Entry]:
    """The entries of the directory `root`, itself the first, in the order of trees.

    Contents refer to `source` (a logical path; the default is `root` itself) and what is below it.
    `owner` (uid, gid) and `time` (ns) replace those of the files. `reproducible` takes for holes
    what is zero, not what the file system happens to store nothing for. Raises CannotScan.
    """
    top = os.fspath(root)
    entries: list[Entry] = []
    seen: dict[tuple[int, int], str] = {}
    logical = top if source is None else source

    def note(path: str, full: str, status: os.stat_result) -> Kind:
        kind = _KINDS[stat.S_IFMT(status.st_mode)]
        if status.st_nlink > 1 and kind != "d":
            key = (status.st_dev, status.st_ino)
            if key in seen:
                entries.append(Entry(path, "h", 0, ref=seen[key]))
                return kind
            seen[key] = path
        size = 0
        ref: Content | str | tuple[int, int] | None = None
        if kind == "f":
            size = status.st_size
            if size:
                runs: tuple[tuple[int, int], ...] = ()
                if reproducible:
                    runs = zero_runs(full, size)
                elif status.st_blocks * 512 < size:
                    runs = holes(full, size)
                ref = Content(f"{logical}/{path}", 0, runs)
        elif kind == "l":
            ref = os.readlink(full)
            size = len(path_bytes(ref))
        elif kind in "cb":
            ref = (os.major(status.st_rdev), os.minor(status.st_rdev))
        uid, gid = owner or (status.st_uid, status.st_gid)
        entries.append(
            Entry(
                path,
                kind,
                stat.S_IMODE(status.st_mode),
                uid,
                gid,
                status.st_mtime_ns if time is None else time,
                size,
                ref,
                _xattrs(full) if xattrs else None,
            )
        )
        return kind

    def walk(directory: str, prefix: str) -> None:
        with os.scandir(directory) as found:
            children = list(found)
        for child in children:
            path = prefix + child.name
            if note(path, child.path, child.stat(follow_symlinks=False)) == "d":
                walk(child.path, path + "/")

    try:
        note("", top, Path(top).lstat())
        walk(top, "")
    except OSError as error:
        raise CannotScan(os.fsdecode(error.filename or top), error) from None
    return arrange(entries)


def holes(path: str, size: int) -> tuple[tuple[int, int], ...]:
    """The (offset, length) runs of a file of `size` bytes that its file system stores nothing for.

    None for a file system that does not tell.
    """
    found = []
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        position = 0
        while position < size:
            try:
                data = os.lseek(descriptor, position, os.SEEK_DATA)
            except OSError:
                data = size
            if data > position:
                found.append((position, data - position))
            try:
                position = os.lseek(descriptor, data, os.SEEK_HOLE) if data < size else size
            except OSError:  # squashfs of Linux 6.18, which does tell, fails for some files
                position = size
    finally:
        os.close(descriptor)
    return tuple(found)


def zero_runs(path: str, size: int) -> tuple[tuple[int, int], ...]:
    """The (offset, length) runs of a file of `size` bytes that are zero, long enough to be holes.

    They begin and end where blocks do; what the file system stores nothing for is not read.
    """
    if size < SMALLEST_HOLE:
        return ()
    data: list[tuple[int, int]] = []  # [start, end) of what is not zero
    position = 0
    with open(path, "rb", buffering=0) as file:
        for offset, length in (*holes(path, size), (size, 0)):
            position -= position % BLOCK
            while position < offset:
                buffer = os.pread(file.fileno(), min(_WINDOW, size - position), position)
                if not buffer:
                    break
                for start, stop in nonzero_runs(buffer, len(buffer)):
                    if data and data[-1][1] >= position + start:
                        data[-1] = (data[-1][0], position + stop)
                    else:
                        data.append((position + start, position + stop))
                position += len(buffer)
            position = max(position, offset + length)
    ends = [0, *(stop for _, stop in data)]
    starts = [*(start for start, _ in data), size]
    return tuple(
        (end, start - end)
        for end, start in zip(ends, starts, strict=True)
        if start - end >= SMALLEST_HOLE
    )


def _xattrs(path: str) -> dict[str, bytes] | None:
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return None  # a file system without them
    if not names:
        return None
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in names}
