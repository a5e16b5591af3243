"""The cpio format "newc" (cpio(5)), which the kernel unpacks as its initial file tree."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterable, Iterator

from builders.errors import BuilderError
from builders.tree import Content, Entry, ReadContent, path_bytes

_TYPE_BITS = {
    "d": stat.S_IFDIR,
    "f": stat.S_IFREG,
    "h": stat.S_IFREG,
    "l": stat.S_IFLNK,
    "c": stat.S_IFCHR,
    "b": stat.S_IFBLK,
    "p": stat.S_IFIFO,
    "s": stat.S_IFSOCK,
}
_MAGIC = b"070701"
_LAST = b"TRAILER!!!"
_FIELD_LIMIT = 1 << 32
_BLOCK = 512


class NotInCpio(BuilderError):
    """An entry has something for which a newc header has no room."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"/{path}: a newc cpio archive cannot hold {what}")
        self.path = path


def generated(entry: Entry) -> bytes:
    """The content of a file that was made in memory; the reader for trees of such files."""
    if entry.ref is None:
        return b""
    if not isinstance(entry.ref, bytes):
        raise TypeError(f"/{entry.path} refers to {entry.ref!r}: give a reader for it")
    return entry.ref


def archive(entries: Iterable[Entry], read: ReadContent = generated) -> Iterator[bytes]:
    """Yield the archive of `entries` (sorted, parents first; "" is left out) piece by piece.

    Inodes are numbered from 1 in the order of the entries. The data of a file with several names
    comes with the last name, as cpio(1) has it.
    """
    entries = [entry for entry in entries if entry.path]
    names = Counter(_inode_path(entry) for entry in entries)
    subdirectories = Counter(
        entry.path.rpartition("/")[0] for entry in entries if entry.kind == "d"
    )
    files = {entry.path: entry for entry in entries if entry.kind == "f"}
    inodes: dict[str, int] = {}
    left = names.copy()
    length = 0
    for entry in entries:
        path = _inode_path(entry)
        inode = inodes.setdefault(path, len(inodes) + 1)
        left[path] -= 1
        last = left[path] == 0
        owner = files[path] if entry.kind == "h" else entry
        data = _data(owner, read) if last or owner.kind != "f" else b""
        links = 2 + subdirectories[path] if entry.kind == "d" else names[path]
        for piece in _member(owner, path_bytes(entry.path), data, inode, links):
            length += len(piece)
            yield piece
    trailer = _header(_LAST, nlink=1)
    yield trailer
    yield bytes(-(length + len(trailer)) % _BLOCK)


def _inode_path(entry: Entry) -> str:
    return str(entry.ref) if entry.kind == "h" else entry.path


def _data(entry: Entry, read: ReadContent) -> bytes:
    if entry.kind == "l":
        return path_bytes(str(entry.ref))
    return read(entry) if entry.kind == "f" else b""


def _member(entry: Entry, name: bytes, data: bytes, inode: int, links: int) -> Iterator[bytes]:
    if name == _LAST:
        raise NotInCpio(entry.path, "a file of this name, which ends it")
    if entry.xattrs:
        raise NotInCpio(entry.path, f"extended attributes ({', '.join(sorted(entry.xattrs))})")
    if len(data) >= _FIELD_LIMIT:
        raise NotInCpio(entry.path, f"{len(data)} bytes in one file (the limit is 4 GiB)")
    major, minor = 0, 0
    if isinstance(entry.ref, tuple) and not isinstance(entry.ref, Content):
        major, minor = entry.ref
    yield _header(
        name,
        ino=inode,
        mode=_TYPE_BITS[entry.kind] | entry.mode,
        uid=entry.uid,
        gid=entry.gid,
        nlink=links,
        mtime=entry.mtime // 1_000_000_000,
        filesize=len(data),
        rdevmajor=major,
        rdevminor=minor,
    )
    yield data
    yield bytes(-len(data) % 4)


def _header(
    name: bytes,
    *,
    ino: int = 0,
    mode: int = 0,
    uid: int = 0,
    gid: int = 0,
    nlink: int,
    mtime: int = 0,
    filesize: int = 0,
    rdevmajor: int = 0,
    rdevminor: int = 0,
) -> bytes:
    """Header and name, padded to 4 bytes: thirteen fields of eight hexadecimal digits each."""
    fields = (ino, mode, uid, gid, nlink, mtime, filesize, 0, 0, rdevmajor, rdevminor)
    for field in fields:
        if not 0 <= field < _FIELD_LIMIT:
            raise NotInCpio(name.decode("utf-8", "surrogateescape"), f"the number {field}")
    digits = b"".join(b"%08X" % field for field in (*fields, len(name) + 1, 0))
    header = _MAGIC + digits + name + b"\0"
    return header + bytes(-len(header) % 4)
