"""The numbers that the system has names for: errors, signals, flags (Guile's manual, "POSIX")."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import socket
from types import ModuleType
from typing import Final

from lang.runtime.library import Library

LIBRARY = Library("guile", "constants")


def _numbers(module: ModuleType, names: str, documentation: str) -> None:
    for name in names.split():
        LIBRARY.constant(name, int(getattr(module, name)), documentation)


for _number in sorted(errno.errorcode):
    LIBRARY.constant(errno.errorcode[_number], _number, f"The error {os.strerror(_number)!r}.")
_numbers(errno, "EWOULDBLOCK", "The same as EAGAIN.")
_numbers(errno, "EDEADLK EOPNOTSUPP", "The same as EDEADLOCK; as ENOTSUP.")
for _signal in signal.Signals:
    _about = signal.strsignal(_signal)
    LIBRARY.constant(
        _signal.name, int(_signal), f"The signal {_about!r}." if _about else "A signal."
    )
_numbers(signal, "SIGCLD SIGPOLL", "The same as SIGCHLD; as SIGIO.")
LIBRARY.constant("SIGIOT", int(signal.SIGABRT), "The same as SIGABRT.")
LIBRARY.constant("NSIG", signal.NSIG, "One more than the greatest number of a signal.")
LIBRARY.constant("SA_NOCLDSTOP", 1, "A flag of sigaction: no SIGCHLD for processes that stop.")
LIBRARY.constant("SA_RESTART", 0x10000000, "A flag of sigaction: go on with what was interrupted.")
_numbers(os, "WNOHANG WUNTRACED", "An option of waitpid: do not wait; those that are stopped, too.")
_FLAGS: Final = (
    "O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK O_NDELAY O_NOCTTY O_SYNC O_ASYNC O_DIRECT"
    " O_NOATIME O_PATH O_TMPFILE"
)
_numbers(os, _FLAGS, "A flag for opening files, to be joined by logior.")
_numbers(os, "PRIO_PROCESS PRIO_PGRP PRIO_USER", "What getpriority and setpriority are about.")
_numbers(
    fcntl, "LOCK_SH LOCK_EX LOCK_UN LOCK_NB", "For flock: shared, exclusive, none, no waiting."
)
_numbers(fcntl, "F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL FD_CLOEXEC", "A command or flag of fcntl.")
for _family in ("UNSPEC", "UNIX", "INET", "INET6"):
    for _prefix in ("AF", "PF"):
        _value = int(getattr(socket, f"AF_{_family}"))
        LIBRARY.constant(f"{_prefix}_{_family}", _value, "A family of addresses, for sockets.")
_numbers(socket, "SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_RDM SOCK_SEQPACKET", "A style of sockets.")
_numbers(socket, "IPPROTO_IP IPPROTO_TCP IPPROTO_UDP", "A protocol, for sockets.")
_numbers(socket, "SOCK_CLOEXEC SOCK_NONBLOCK", "A flag that is added to a style of sockets.")
_OPTIONS: Final = (
    "SO_REUSEADDR SO_REUSEPORT SO_KEEPALIVE SO_BROADCAST SO_RCVBUF SO_SNDBUF SO_ERROR SO_TYPE"
    " SO_DEBUG SO_DONTROUTE SO_LINGER SO_OOBINLINE SO_PRIORITY TCP_NODELAY TCP_CORK"
)
_numbers(socket, f"SOL_SOCKET {_OPTIONS}", "A level or an option of setsockopt.")
_numbers(socket, "MSG_PEEK MSG_OOB MSG_DONTROUTE MSG_DONTWAIT", "A flag of recv! and send.")
_LOOKUP: Final = "AI_PASSIVE AI_CANONNAME AI_NUMERICHOST AI_NUMERICSERV AI_V4MAPPED AI_ALL"
_numbers(socket, f"{_LOOKUP} AI_ADDRCONFIG", "A flag of getaddrinfo.")
for _name, _value in (("ANY", 0), ("LOOPBACK", 0x7F000001), ("BROADCAST", 0xFFFFFFFF)):
    LIBRARY.constant(f"INADDR_{_name}", _value, "An internet address, as an integer.")
LIBRARY.constant("INADDR_NONE", 0xFFFFFFFF, "An internet address that is none.")
LIBRARY.constant("WAIT_ANY", -1, "For waitpid: any process that was forked.")
LIBRARY.constant("WAIT_MYPGRP", 0, "For waitpid: any process of this process's group.")
LIBRARY.constant("PIPE_BUF", 4096, "How many bytes are written to a pipe in one piece.")
LIBRARY.constant("*null-device*", "/dev/null", "The file that forgets what is written to it.")
