"""What maintainer scripts say about owners, devices and attributes, written down instead of done.

Scripts run in a user namespace with one user, or as root with nobody else's help, and would fail at
chown(2), mknod(2) and setxattr(2). Their calls arrive here (builders.debian.seccomp), are answered
with success and remembered for the inode they mean; the manifest of the root gets them later.

A recorded inode is held open, so that its number is not used again for another file. A file renamed
over a recorded one gets its owner when it has none of its own: programs that rewrite a file copy
the owner that stat(2) shows, which is root here.

Becoming another user succeeds, and does nothing: what such a process makes in the directories of
that user is known to be the user's by where it is (builders.debian.collect).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import resource
import stat
import struct
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from builders.debian import seccomp

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPENAT2 = 437  # the same number on every machine
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_IN_ROOT = 0x10
_AT_FDCWD = -100
_AT_SYMLINK_NOFOLLOW = 0x100
_AT_EMPTY_PATH = 0x1000
_RENAME_EXCHANGE = 2
_ACL_NAMED = {2, 8}  # ACL_USER, ACL_GROUP: entries that say more than the mode
_PAGE = 4096
_MAX_LINKS = 40
_MOST_HELD = 1 << 16
_OWN_DESCRIPTOR = re.compile(rb"/(?:proc/(?:thread-)?self|dev)/fd/(\d+)")


@dataclass(slots=True)
class Record:
    """What is known of an inode beyond what its file system says."""

    uid: int = 0
    gid: int = 0
    xattrs: dict[str, bytes] = field(default_factory=dict)
    device: tuple[str, int, int] | None = None  # "c" or "b", major, minor


class _Call(NamedTuple):
    """A notified call: of which thread, which one, with which raw arguments."""

    thread: int
    name: str
    arguments: tuple[int, ...]

    def signed(self, index: int) -> int:
        """An argument of the C type int."""
        value = self.arguments[index] & 0xFFFFFFFF
        return value - (1 << 32) if value >> 31 else value


class Recorder:
    """Answers the notifications of one filter.

    listener  the filter's descriptor; `close` closes it
    records   by (device number, inode number)
    switched  users that processes wanted to become, to the group that they took before
    """

    def __init__(self, listener: int) -> None:
        limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if limit not in (resource.RLIM_INFINITY, most):
            wanted = _MOST_HELD if most == resource.RLIM_INFINITY else min(most, _MOST_HELD)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit, wanted), most))
        self.listener = listener
        self.records: dict[tuple[int, int], Record] = {}
        self.switched: dict[int, int] = {}
        self._groups: dict[int, int] = {}  # of threads
        self._held: list[int] = []
        self._names = seccomp.calls()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._handlers: dict[str, Callable[[_Call], bool]] = {
            "chown": self._chown,
            "lchown": self._chown,
            "fchown": self._chown,
            "fchownat": self._chown,
            "mknod": self._mknod,
            "mknodat": self._mknod,
            "setxattr": self._setxattr,
            "lsetxattr": self._setxattr,
            "fsetxattr": self._setxattr,
            "removexattr": self._removexattr,
            "lremovexattr": self._removexattr,
            "fremovexattr": self._removexattr,
            "rename": self._rename,
            "renameat": self._rename,
            "renameat2": self._rename,
            "setuid": self._switch,
            "setgid": self._switch,
            "setreuid": self._switch,
            "setregid": self._switch,
            "setresuid": self._switch,
            "setresgid": self._switch,
        }

    def close(self) -> None:
        """Let go of the inodes; the records stay."""
        for descriptor in self._held:
            os.close(descriptor)
        self._held.clear()
        os.close(self.listener)

    def note(self, path: Path, record: Record) -> None:
        """Say of a file that exists what a script might have said."""
        flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
        with _closing(os.open(path, flags)) as target:
            status = os.fstat(target)
            self._held.append(os.dup(target))
            self.records[status.st_dev, status.st_ino] = record

    def answer(self) -> None:
        """Receive one notification and answer it. Call when the listener is readable."""
        buffer = bytearray(seccomp.NOTIFICATION_SIZE)
        try:
            fcntl.ioctl(self.listener, seccomp.NOTIFY_RECEIVE, buffer)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):  # the caller was killed meanwhile
                return
            raise
        cookie, thread, _flags, number = struct.unpack_from("=QIIi", buffer)
        arguments = struct.unpack_from("=6Q", buffer, 32)
        name = self._names[number]
        failure, flags = 0, 0
        try:
            if not self._handlers[name](_Call(thread, name, arguments)):
                flags = seccomp.CONTINUE
        except OSError as error:
            failure = -(error.errno or errno.EIO)
        response = struct.pack("=QqiI", cookie, 0, failure, flags)
        try:
            fcntl.ioctl(self.listener, seccomp.NOTIFY_SEND, response)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise

    # --- the calls; each returns False to let the kernel do it

    def _chown(self, call: _Call) -> bool:
        if call.name == "fchownat":
            flags = call.arguments[4]
            path = _read_string(call.thread, call.arguments[1])
            uid, gid = call.signed(2), call.signed(3)
            follow = not flags & _AT_SYMLINK_NOFOLLOW
            target = self._open(call, call.signed(0), path, follow, bool(flags & _AT_EMPTY_PATH))
        else:
            uid, gid = call.signed(1), call.signed(2)
            target = self._open_argument(call)
        with _closing(target):
            status = os.fstat(target)
            record = self._find(status)
            if record is None:
                record = self._remember(target, status)
            record.uid = record.uid if uid == -1 else uid
            record.gid = record.gid if gid == -1 else gid
            _drop_privileges(target, status, record)
        return True

    def _mknod(self, call: _Call) -> bool:
        first = 0 if call.name == "mknod" else 1
        mode, device = call.arguments[first + 1] & 0xFFFF, call.arguments[first + 2]
        kinds = {stat.S_IFCHR: "c", stat.S_IFBLK: "b"}
        kind = kinds.get(stat.S_IFMT(mode))
        if kind is None:
            return False
        path = _read_string(call.thread, call.arguments[first])
        directory, _, name = path.rstrip(b"/").rpartition(b"/")
        at = call.signed(0) if first else _AT_FDCWD
        # the directory of "name" is where the call starts, that of "/name" is the root
        where = directory or (b"/" if path.startswith(b"/") else b".")
        with _closing(self._open(call, at, where, follow=True)) as parent:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
            placeholder = os.open(name, flags, stat.S_IMODE(mode) & ~0o022, dir_fd=parent)
            with _closing(placeholder):
                record = self._remember(placeholder, os.fstat(placeholder))
                record.device = (kind, os.major(device), os.minor(device))
        return True

    def _setxattr(self, call: _Call) -> bool:
        name = os.fsdecode(_read_string(call.thread, call.arguments[1]))
        value = _read(call.thread, call.arguments[2], call.arguments[3])
        if name.startswith("system.posix_acl_") and not _says_more_than_mode(value):
            return False  # cp -p sets these: the kernel turns them into the mode
        with _closing(self._open_argument(call)) as target:
            status = os.fstat(target)
            record = self._find(status) or self._remember(target, status)
            record.xattrs[name] = value
        return True

    def _removexattr(self, call: _Call) -> bool:
        name = os.fsdecode(_read_string(call.thread, call.arguments[1]))
        with _closing(self._open_argument(call)) as target:
            record = self._find(os.fstat(target))
            return record is not None and record.xattrs.pop(name, None) is not None

    def _rename(self, call: _Call) -> bool:
        if not self.records:
            return False
        if call.name == "rename":
            ends = ((_AT_FDCWD, call.arguments[0]), (_AT_FDCWD, call.arguments[1]))
        else:
            ends = ((call.signed(0), call.arguments[1]), (call.signed(2), call.arguments[3]))
            if call.name == "renameat2" and call.arguments[4] & _RENAME_EXCHANGE:
                return False
        (old_at, old_name), (new_at, new_name) = ends
        try:
            path = _read_string(call.thread, new_name)
            with _closing(self._open(call, new_at, path, follow=False)) as replaced:
                before = self._find(os.fstat(replaced))
        except OSError:
            return False  # nothing is replaced
        if before is None or not (before.uid or before.gid):
            return False
        path = _read_string(call.thread, old_name)
        with _closing(self._open(call, old_at, path, follow=False)) as moved:
            status = os.fstat(moved)
            record = self._find(status)
            if record is None:
                record = self._remember(moved, status)
            if not (record.uid or record.gid):
                record.uid, record.gid = before.uid, before.gid
        return False

    def _switch(self, call: _Call) -> bool:
        count = {"setuid": 1, "setgid": 1, "setreuid": 2, "setregid": 2}.get(call.name, 3)
        wanted = max(call.signed(index) for index in range(count))
        if wanted <= 0:
            return False
        if call.name.endswith("gid"):
            self._groups[call.thread] = wanted
        else:
            self.switched[wanted] = self._groups.get(call.thread, 0)
        return True

    # --- records

    def _find(self, status: os.stat_result) -> Record | None:
        return self.records.get((status.st_dev, status.st_ino))

    def _remember(self, descriptor: int, status: os.stat_result) -> Record:
        self._held.append(os.dup(descriptor))
        record = self.records[status.st_dev, status.st_ino] = Record()
        return record

    # --- what the caller's paths mean

    def _open_argument(self, call: _Call) -> int:
        """An O_PATH descriptor of the object that the call's first argument names."""
        if call.name.startswith("f"):
            return self._open(call, call.signed(0), b"", follow=False, empty=True)
        path = _read_string(call.thread, call.arguments[0])
        return self._open(call, _AT_FDCWD, path, follow=not call.name.startswith("l"))

    def _open(self, call: _Call, at: int, path: bytes, follow: bool, empty: bool = False) -> int:
        """An O_PATH descriptor of `path` as the calling thread sees it, from its directory `at`."""
        process = f"/proc/{call.thread}"
        if not path and not empty:
            raise FileNotFoundError(errno.ENOENT, "empty path")
        own = _OWN_DESCRIPTOR.fullmatch(path)
        if own and follow:
            return os.open(f"{process}/fd/{int(own[1])}", os.O_PATH | os.O_CLOEXEC)
        start = f"{process}/cwd" if at == _AT_FDCWD else f"{process}/fd/{at}"
        if not path:
            return os.open(start, os.O_PATH | os.O_CLOEXEC)
        flags = os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        with _closing(os.open(f"{process}/root", os.O_PATH | os.O_CLOEXEC)) as root:
            if path.startswith(b"/"):
                return self._openat2(root, path, flags, _RESOLVE_IN_ROOT)
            with _closing(os.open(start, os.O_PATH | os.O_CLOEXEC)) as directory:
                if b".." not in path:
                    try:
                        return self._openat2(directory, path, flags, _RESOLVE_NO_SYMLINKS)
                    except OSError as error:
                        if error.errno != errno.ELOOP:
                            raise
                return _walk(root, directory, path, follow)

    def _openat2(self, directory: int, path: bytes, flags: int, resolve: int) -> int:
        how = ctypes.create_string_buffer(struct.pack("=QQQ", flags, 0, resolve))
        size = ctypes.c_size_t(24)
        result: int = self._libc.syscall(ctypes.c_long(_OPENAT2), directory, path, how, size)
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _walk(root: int, directory: int, path: bytes, follow: bool) -> int:
    """Resolve a relative path component by component: openat2 has no way to be given both the
    directory to start from and the root that absolute links and ".." are bound by.
    """
    at_root = os.fstat(root)
    current = os.dup(directory)
    pending = path.split(b"/")[::-1]
    links = 0
    try:
        while pending:
            name = pending.pop()
            if name in (b"", b"."):
                continue
            here = os.fstat(current)
            if name == b".." and (here.st_dev, here.st_ino) == (at_root.st_dev, at_root.st_ino):
                continue
            found = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=current)
            is_link = stat.S_ISLNK(os.fstat(found).st_mode)
            if is_link and (follow or any(part not in (b"", b".") for part in pending)):
                target = os.readlink(b"", dir_fd=found)
                os.close(found)
                links += 1
                if links > _MAX_LINKS:
                    raise OSError(errno.ELOOP, "too many symbolic links")
                pending += target.split(b"/")[::-1]
                found = os.dup(root if target.startswith(b"/") else current)
            os.close(current)
            current = found
    except BaseException:
        os.close(current)
        raise
    return current


def _drop_privileges(target: int, status: os.stat_result, record: Record) -> None:
    """What the kernel does at chown: set-id bits and capabilities do not outlive it."""
    record.xattrs.pop("security.capability", None)
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode) or not mode & (stat.S_ISUID | stat.S_ISGID):
        return
    kept = mode & ~stat.S_ISUID
    if mode & stat.S_IXGRP:
        kept &= ~stat.S_ISGID
    Path(f"/proc/self/fd/{target}").chmod(kept)


def _says_more_than_mode(acl: bytes) -> bool:
    """Whether a POSIX ACL, in its xattr form, names users or groups."""
    tags = {struct.unpack_from("<H", acl, offset)[0] for offset in range(4, len(acl) - 7, 8)}
    return bool(tags & _ACL_NAMED)


def _read(thread: int, address: int, size: int) -> bytes:
    """`size` bytes of the thread's memory."""
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        return memory.read(size)


def _read_string(thread: int, address: int) -> bytes:
    """The NUL-terminated string there; a page at a time, as the next one may not exist."""
    text = b""
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
        while b"\0" not in text and len(text) < _PAGE:
            memory.seek(address + len(text))
            chunk = memory.read(_PAGE - (address + len(text)) % _PAGE)
            if not chunk:
                raise OSError(errno.EFAULT, "bad address")
            text += chunk
    return text.split(b"\0", 1)[0]
