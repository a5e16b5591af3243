"""How a process comes into namespaces of its own: by the way that this host leaves open.

An ordinary user needs a user namespace for that. Root does without where there may be none: in a
chroot, in containers, where a limit says 0. What is shown of the host to programs in there stands
here, too.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from builders import namespaces as ns

_DEVICES = ("null", "zero", "full", "random", "urandom")
_TERMINAL = "tty"  # missing where there is none
_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
_SYSTEM_WIDE = ("acpi", "bus", "fs", "irq", "scsi", "sys", "sysrq-trigger")
"""What of /proc sets the whole machine; it is root's even in a user namespace."""
_DEEPEST = 2048  # directories of the longest path that there can be
_SETTINGS = (
    ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    ("user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
)


def isolate(flags: int) -> bool:
    """Enter new namespaces, `flags` (NEW…) with NEWNS among them; is one a user namespace?

    In a user namespace the process, user 0, has all rights over the others. Without it those that
    it has are rights over the host: programs that it runs must not keep them. Raises
    NamespaceError.
    """
    try:
        ns.unshare_user(flags)
    except ns.NamespaceError:
        if os.geteuid() != 0:
            raise
    else:
        return True
    ns.unshare(flags)
    _leave_chroot()
    with contextlib.suppress(PermissionError):
        os.setgroups([])
    return False


def _leave_chroot() -> None:
    """Where the root is one that chroot(2) set, make it that of this mount namespace.

    Below such a root mounts would show outside and pivot_root(2) is refused. Only what is above
    the root can change that, so the process climbs there first, as whoever has CAP_SYS_CHROOT can.
    """
    here = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.chroot("/tmp")
        os.fchdir(here)
        for _ in range(_DEEPEST):
            os.chdir("..")
        os.chroot(".")
        os.fchdir(here)
        root = str(Path.cwd())
    except OSError as error:
        raise ns.NamespaceError(error.errno, f"leaving a chroot: {error.strerror}") from error
    finally:
        os.close(here)
    if root != "/":
        ns.make_private()
        ns.mount(root, root, "", ns.MS_BIND | ns.MS_REC)
        ns.change_root(root)


def advice(number: int | None) -> str:
    """What to do so that namespaces can be made where that failed with the errno `number`."""
    root = os.geteuid() == 0
    if root and not ns.has_capability(ns.CAP_SYS_ADMIN):
        return (
            "root has no CAP_SYS_ADMIN here; start the container with --cap-add SYS_ADMIN, or with "
            "--security-opt seccomp=unconfined so that it may make user namespaces (and where "
            "AppArmor is in use, with --security-opt apparmor=unconfined)"
        )
    if not root and _in_chroot():
        return "run Kiln as root: in a chroot others may not make namespaces"
    settings = [
        words
        for name, bad, words in _SETTINGS
        if (path := Path("/proc/sys") / name).exists() and path.read_text().strip() == bad
    ]
    if settings:
        return f"run Kiln as root, or allow user namespaces: sysctl {' '.join(settings)}"
    if number == errno.EACCES:
        return "a security module forbids it; for AppArmor: --security-opt apparmor=unconfined"
    return (
        f"{'' if root else 'run Kiln as root, or '}allow user namespaces; in a container, start it "
        "with --security-opt seccomp=unconfined --security-opt systempaths=unconfined"
    )


def _in_chroot() -> bool:
    """Is the root no mount, as only chroot(2) can make it?"""
    try:
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return False
    return all(line.split()[4] != "/" for line in mounts)


def show_devices(host: Path, place: Path) -> None:
    """Show the harmless ones of the devices in `host`, a /dev, in `place`, an empty directory."""
    for name in (*_DEVICES, _TERMINAL):
        if not (host / name).is_char_device():
            if name == _TERMINAL:
                continue
            raise ns.NamespaceError(errno.ENODEV, f"/dev/{name} is no device: mount a /dev")
        (place / name).touch()
        ns.bind(host / name, place / name, writable=True)
    for name, target in _LINKS.items():
        (place / name).symlink_to(target)


def show_processes(host: Path, place: Path) -> None:
    """Mount a /proc at `place`, of this pid namespace; `host` is the one that there is already."""
    try:
        ns.mount("proc", place, "proc", ns.MS_NOSUID | ns.MS_NODEV | ns.MS_NOEXEC)
    except ns.NamespaceError as error:
        if error.errno not in (errno.EPERM, errno.EBUSY):
            raise
        # In a container whose own /proc is partly covered the kernel gives out no new one.
        ns.bind(host, place, writable=True)
    for name in _SYSTEM_WIDE:
        if (place / name).exists():
            with contextlib.suppress(ns.NamespaceError):
                ns.bind(place / name, place / name)


def raise_loopback(own_user_namespace: bool) -> None:
    """Switch on the interface lo. Without a user namespace, CAP_NET_ADMIN may be missing for it:
    then it stays off."""
    try:
        ns.raise_loopback()
    except PermissionError:
        if own_user_namespace:
            raise
