"""A seccomp filter that hands some system calls to a supervisor, made without libseccomp.

The supervisor reads notifications from the filter's file descriptor (seccomp_unotify(2)); calls
that only flush to disk, and setgroups, are answered with success by the kernel itself.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Sequence

from builders.errors import BuilderError

NOTIFY_RECEIVE = 0xC0502100  # ioctl numbers, <linux/seccomp.h>
NOTIFY_SEND = 0xC0182101
NOTIFICATION_SIZE = 80
CONTINUE = 1  # the response's flag: let the kernel carry the call out

_SECCOMP_SET_MODE_FILTER = 1
_SECCOMP_FILTER_FLAG_NEW_LISTENER = 1 << 3
_RET_ALLOW = 0x7FFF0000
_RET_NOTIFY = 0x7FC00000
_RET_SUCCESS = 0x00050000  # SECCOMP_RET_ERRNO with the error 0

_LOAD_WORD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06  # classic BPF

_Table = dict[str, int]

_X86_64: _Table = {
    "chown": 92,
    "fchown": 93,
    "lchown": 94,
    "fchownat": 260,
    "mknod": 133,
    "mknodat": 259,
    "setxattr": 188,
    "lsetxattr": 189,
    "fsetxattr": 190,
    "removexattr": 197,
    "lremovexattr": 198,
    "fremovexattr": 199,
    "rename": 82,
    "renameat": 264,
    "renameat2": 316,
    "setuid": 105,
    "setgid": 106,
    "setreuid": 113,
    "setregid": 114,
    "setresuid": 117,
    "setresgid": 119,
    "setgroups": 116,
    "sync": 162,
    "fsync": 74,
    "fdatasync": 75,
    "syncfs": 306,
    "sync_file_range": 277,
    "seccomp": 317,
}
_AARCH64: _Table = {
    "fchown": 55,
    "fchownat": 54,
    "mknodat": 33,
    "setxattr": 5,
    "lsetxattr": 6,
    "fsetxattr": 7,
    "removexattr": 14,
    "lremovexattr": 15,
    "fremovexattr": 16,
    "renameat": 38,
    "renameat2": 276,
    "setuid": 146,
    "setgid": 144,
    "setreuid": 145,
    "setregid": 143,
    "setresuid": 147,
    "setresgid": 149,
    "setgroups": 159,
    "sync": 81,
    "fsync": 82,
    "fdatasync": 83,
    "syncfs": 267,
    "sync_file_range": 84,
    "seccomp": 277,
}
_MACHINES: dict[str, tuple[int, _Table]] = {  # AUDIT_ARCH_… and system call numbers
    "x86_64": (0xC000003E, _X86_64),
    "aarch64": (0xC00000B7, _AARCH64),
}

_ANSWERED = ("setgroups", "sync", "fsync", "fdatasync", "syncfs", "sync_file_range")


class SeccompUnavailable(BuilderError):
    """The kernel or the machine has no seccomp user notification."""


def calls() -> dict[int, str]:
    """The names of the system calls that are handed to the supervisor, by their numbers here.

    Raises SeccompUnavailable on a machine whose numbers are not known.
    """
    _, table = _machine()
    kept_from_it = (*_ANSWERED, "seccomp")
    return {number: name for name, number in table.items() if name not in kept_from_it}


def install() -> int:
    """Put the filter on this process, for good; returns the descriptor to be notified on.

    Needs CAP_SYS_ADMIN in the process's user namespace. Raises SeccompUnavailable.
    """
    architecture, table = _machine()
    program = _program(architecture, sorted(calls()), sorted(table[name] for name in _ANSWERED))
    code = ctypes.create_string_buffer(program)
    count = len(program) // 8
    header = ctypes.create_string_buffer(struct.pack("@HP", count, ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.syscall(
        ctypes.c_long(table["seccomp"]),
        _SECCOMP_SET_MODE_FILTER,
        _SECCOMP_FILTER_FLAG_NEW_LISTENER,
        header,
    )
    if descriptor < 0:
        reason = os.strerror(ctypes.get_errno())
        raise SeccompUnavailable(
            f"the kernel refuses a seccomp filter with a supervisor: {reason}",
            hint="Linux 5.5 or newer is needed; inside a container, allow the seccomp system call",
        )
    return descriptor


def _machine() -> tuple[int, _Table]:
    machine = platform.machine()
    try:
        return _MACHINES[machine]
    except KeyError:
        raise SeccompUnavailable(
            f"packages cannot be configured on a machine of the type {machine}",
            hint="build on one of: " + ", ".join(sorted(_MACHINES)),
        ) from None


def _program(architecture: int, notified: Sequence[int], answered: Sequence[int]) -> bytes:
    """BPF: other architectures and other calls are allowed as they are."""
    tests = len(notified) + len(answered)
    code = [
        (_LOAD_WORD, 0, 0, 4),  # seccomp_data.arch
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _RET_ALLOW),
        (_LOAD_WORD, 0, 0, 0),  # seccomp_data.nr
    ]
    # after the tests follow three returns: allow, notify, success
    for index, number in enumerate([*notified, *answered]):
        to_allow = tests - index - 1
        code.append((_JUMP_EQUAL, to_allow + (1 if index < len(notified) else 2), 0, number))
    code += [(_RETURN, 0, 0, action) for action in (_RET_ALLOW, _RET_NOTIFY, _RET_SUCCESS)]
    return b"".join(struct.pack("@HBBI", *instruction) for instruction in code)
