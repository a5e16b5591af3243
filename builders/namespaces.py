"""The system calls that make a sandbox: namespaces, id maps, mounts. Linux, no helper programs.

For processes with one thread that were made for the purpose: what is called here changes the
process itself. Every function raises NamespaceError, which says what failed.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import signal
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

NEWNS = 0x00020000
NEWCGROUP = 0x02000000
NEWUTS = 0x04000000
NEWIPC = 0x08000000
NEWUSER = 0x10000000
NEWPID = 0x20000000
NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18

CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_SYS_ADMIN = 1, 3, 4, 21

_MS_MOVE, _MNT_DETACH = 8192, 2
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 24, 38
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_MOUNT_ATTR_RDONLY = 1
_SYS_MOUNT_SETATTR = 442
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = 63

_libc = ctypes.CDLL(None, use_errno=True)


class NamespaceError(OSError):
    """A system call was refused; `strerror` names what it was to do."""


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise NamespaceError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Leave the namespaces that `flags` (NEW…) names for new ones."""
    _check(_libc.unshare(flags), "making namespaces")


def unshare_user(flags: int) -> None:
    """Make a user namespace, in which the caller is user 0, and others that it owns.

    Nobody else exists in it. Works for an ordinary user and gives all rights over what belongs to
    the new namespaces. The parent-death signal is reset by this: call `die_with_parent` after.
    """
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    unshare(NEWUSER | flags)
    map_ids("self", [(0, outer_uid, 1)], [(0, outer_gid, 1)])


def map_ids(
    process: str | int,
    uids: Sequence[tuple[int, int, int]],
    gids: Sequence[tuple[int, int, int]],
    *,
    setgroups: bool = False,
) -> None:
    """Write the maps, of (inside, outside, count), of a process's user namespace.

    `setgroups` has to stay off unless the writer is privileged outside.
    """
    base = Path("/proc") / str(process)
    try:
        if not setgroups:
            (base / "setgroups").write_text("deny")
        (base / "uid_map").write_text("".join(f"{a} {b} {n}\n" for a, b, n in uids))
        (base / "gid_map").write_text("".join(f"{a} {b} {n}\n" for a, b, n in gids))
    except OSError as error:
        raise NamespaceError(error.errno, f"mapping user ids: {error.strerror}") from error


def mount(
    source: str | Path, target: str | Path, kind: str = "", flags: int = 0, data: str = ""
) -> None:
    """mount(2)."""
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        os.fsencode(data) or None,
    )
    _check(result, f"mounting {kind or source} on {target}")


def unmount(target: str | Path) -> None:
    """Take a mount and what is mounted below it out of the tree."""
    _check(_libc.umount2(os.fsencode(target), _MNT_DETACH), f"unmounting {target}")


def bind(source: str | Path, target: str | Path, *, writable: bool = False) -> None:
    """Show `source`, with what is mounted below it, at `target`, which exists and is as much a
    directory or a file."""
    mount(source, target, "", MS_BIND | MS_REC)
    if not writable:
        make_read_only(target)


def make_read_only(target: str | Path) -> None:
    """Let nobody write through the mount `target` and those below it."""
    attributes = struct.pack("=QQQQ", _MOUNT_ATTR_RDONLY, 0, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(target),
        ctypes.c_uint(_AT_RECURSIVE),
        attributes,
        ctypes.c_size_t(len(attributes)),
    )
    if result < 0 and ctypes.get_errno() == errno.ENOSYS:  # before Linux 5.12: the top one only
        kept = os.statvfs(target).f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC)
        mount("none", target, "", MS_BIND | MS_REMOUNT | MS_RDONLY | kept)
    else:
        _check(result, f"making {target} read-only")


def make_private() -> None:
    """Keep what is mounted from here on from showing outside of this mount namespace."""
    mount("none", "/", "", MS_REC | MS_PRIVATE)


def change_root(new: str | Path, old: str = "") -> None:
    """Make the mount `new` the root and go there; the former one shows at `old`, a directory in
    it, or is gone. Needs a mount namespace whose mounts are private."""
    os.chdir(new)
    try:
        _pivot_root(".", old or ".")
    except NamespaceError as error:
        if error.errno != errno.EINVAL:
            raise
        # the rootfs that an initramfs is in stays where it is: the new root covers it
        if old:
            bind("/", old, writable=True)
        mount(".", "/", "", _MS_MOVE)
        os.chroot(".")
    else:
        if not old:
            unmount(".")
    os.chdir("/")


def _pivot_root(new: str, old: str) -> None:
    number = _SYS_PIVOT_ROOT.get(platform.machine())
    if number is None:
        raise NamespaceError(errno.ENOSYS, f"changing the root on {platform.machine()}")
    result = _libc.syscall(ctypes.c_long(number), new.encode(), old.encode())
    _check(result, f"changing the root to {new}")


def set_host_name(name: str) -> None:
    """The host name in this UTS namespace."""
    _check(_libc.sethostname(name.encode(), ctypes.c_size_t(len(name))), "setting the host name")


def raise_loopback() -> None:
    """Switch on the interface lo of this network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = fcntl.ioctl(probe, _SIOCGIFFLAGS, struct.pack("16sh22x", b"lo", 0))
        (flags,) = struct.unpack_from("h", request, 16)
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | _IFF_UP))


def die_with_parent() -> None:
    """Be killed when the thread that started this process ends. Does not survive a change of
    credentials."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "following the parent")


def forbid_new_privileges() -> None:
    """Let no program started from here gain rights by set-id bits or file capabilities."""
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "forbidding new privileges")


def has_capability(capability: int) -> bool:
    """May this process use `capability` (CAP_…)?"""
    effective, _permitted = _capabilities()
    return bool(effective >> capability & 1)


def drop_capabilities(*kept: int) -> None:
    """Give up all capabilities but those `kept` (below 32) for good, also what user 0 gets by
    running a program."""
    for capability in range(_LAST_CAPABILITY + 1):
        if capability in kept:
            continue
        if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            if ctypes.get_errno() == errno.EINVAL:
                break  # past the last one that this kernel knows
            _check(-1, "dropping capabilities")
    _effective, permitted = _capabilities()
    left = permitted & sum(1 << capability for capability in kept)
    sets = struct.pack("=6I", left, left, 0, 0, 0, 0)
    _check(_libc.capset(_capability_header(), sets), "dropping capabilities")


def _capability_header() -> bytes:
    return struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)


def _capabilities() -> tuple[int, int]:
    """Those below 32 that this process can use, and that it might."""
    sets = ctypes.create_string_buffer(24)
    _check(_libc.capget(_capability_header(), sets), "looking at capabilities")
    effective, permitted = struct.unpack_from("=II", sets.raw)
    return effective, permitted
