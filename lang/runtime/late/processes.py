"""Processes, signals, users and the machine (Guile's manual, "POSIX"): for builds."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any, NoReturn

from lang.data import UNSPECIFIED, Pair, cons, scheme_list
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error, system_error, wrong_type
from lang.runtime.trampoline import call

LIBRARY = Library("guile", "processes")


def _acting(name: str, act: Callable[..., Any], documentation: str) -> None:
    """A staged procedure that does `act` with its arguments and gives what that gives."""

    @LIBRARY.procedure(name, staged=True)
    def procedure(*given: Any) -> Any:
        try:
            result = act(*(str(one) if type(one).__name__ == "MString" else one for one in given))
        except OSError as error:
            system_error(name, error)
        except (TypeError, ValueError, OverflowError):
            misc_error(name, "wrong arguments: ~S", scheme_list(given))
        return UNSPECIFIED if result is None else result

    procedure.__doc__ = documentation


# ---------------------------------------------------------------- processes


_acting("kill", os.kill, "Send the process of a number a signal.")
_acting("raise-signal", signal.raise_signal, "Send this process a signal.")
_acting(
    "current-processor-count",
    lambda: len(os.sched_getaffinity(0)),
    "How many processors the build may use; what it makes must not depend on that.",
)
_acting("total-processor-count", os.cpu_count, "How many processors the machine has.")
_acting("getppid", os.getppid, "The number of the process that started this one.")
_acting("getpgrp", os.getpgrp, "The number of this process's group.")
_acting("setpgid", os.setpgid, "Put a process into a group.")
_acting("setsid", os.setsid, "Make this process the leader of a new session.")
_acting("getsid", os.getsid, "The session of a process.")
_acting("nice", lambda step: os.nice(step) and None, "Change how urgent this process is.")
_acting("setuid", os.setuid, "Become the user of that number.")
_acting("setgid", os.setgid, "Become a member of the group of that number.")
_acting("seteuid", os.seteuid, "Act as the user of that number.")
_acting("setegid", os.setegid, "Act as the group of that number.")
_acting("chroot", os.chroot, "Make a directory the root of this process.")
_acting("sync", os.sync, "Have the system write out what it holds back.")
_acting("alarm", signal.alarm, "Send this process SIGALRM after so many seconds; 0 is never.")
_acting("pause", signal.pause, "Wait for a signal.")
_acting("getpriority", os.getpriority, "How urgent a process is: of what (PRIO_PROCESS) and who.")
_acting("setpriority", os.setpriority, "Make a process as urgent as that.")
_acting("primitive-fork", os.fork, "Make a copy of this process: 0 in the copy, else its number.")
_acting("primitive-_exit", os._exit, "End this process at once with a status.")


@LIBRARY.procedure("getgroups", staged=True)
def getgroups() -> list[Any]:
    """The numbers of the groups that this process is in."""
    return list(os.getgroups())


@LIBRARY.procedure("waitpid", staged=True)
def waitpid(pid: Any, options: Any = 0) -> Pair:
    """Wait for a process that was forked: its number and its status."""
    try:
        return cons(*os.waitpid(arguments.integer("waitpid", 1, pid), options))
    except OSError as error:
        system_error("waitpid", error)


def _execute(who: str, run: Callable[..., Any], program: Any, words: tuple[Any, ...]) -> NoReturn:
    texts = [arguments.string(who, at, word) for at, word in enumerate(words, 2)]
    try:
        run(arguments.string(who, 1, program), texts or [str(program)])
    except OSError as error:
        system_error(who, error)
    raise AssertionError


@LIBRARY.procedure("execl", staged=True)
def execl(program: Any, *words: Any) -> NoReturn:
    """Become another program: its file, and its words, the first one its name."""
    _execute("execl", os.execv, program, words)


@LIBRARY.procedure("execlp", staged=True)
def execlp(program: Any, *words: Any) -> NoReturn:
    """As execl; the program is looked up in PATH."""
    _execute("execlp", os.execvp, program, words)


@LIBRARY.procedure("execle", staged=True)
def execle(program: Any, environment: Any, *words: Any) -> NoReturn:
    """As execl, with an environment: a list of strings NAME=VALUE."""
    settings = dict(
        str(entry).partition("=")[::2] for entry in arguments.items("execle", 2, environment)
    )
    _execute("execle", lambda file, texts: os.execve(file, texts, settings), program, words)


@LIBRARY.procedure("sigaction", staged=True)
def sigaction(number: Any, handler: Any = None, *_flags: Any) -> Pair:
    """What happens on a signal, and flags; HANDLER is a procedure of the signal, SIG_DFL or
    SIG_IGN, and stays as it is if it is not given."""
    which = arguments.index("sigaction", 1, number)
    try:
        before = signal.getsignal(which)
        if handler is not None:
            signal.signal(
                which,
                (lambda caught, _frame: call(handler, caught)) if callable(handler) else handler,
            )
    except (OSError, ValueError, TypeError):
        misc_error("sigaction", "signal ~A cannot be handled by ~S", number, handler)
    shown = before if callable(before) else int(before or 0)
    return cons(shown, 0)


LIBRARY.constant("SIG_DFL", int(signal.SIG_DFL), "For sigaction: what the system does by itself.")
LIBRARY.constant("SIG_IGN", int(signal.SIG_IGN), "For sigaction: nothing happens.")


@LIBRARY.procedure("times", staged=True)
def times() -> list[int]:
    """The time and what this process and its children have used, in internal time units."""
    used = os.times()
    parts = (used.user, used.system, used.children_user, used.children_system)
    return [time.perf_counter_ns(), *(int(part * 1e9) for part in parts)]


# ---------------------------------------------------------------- objects with fields


def _fields(prefix: str, names: str, what: str) -> None:
    """Accessors PREFIX:NAME of the vectors that stand for `what`."""
    for index, name in enumerate(names.split()):
        _accessor(f"{prefix}:{name}", index, f"The {name} of {what}.")


def _accessor(who: str, index: int, documentation: str) -> None:
    @LIBRARY.procedure(who)
    def access(object: Any) -> Any:
        fields = arguments.vector(who, 1, object)
        if len(fields) <= index:
            wrong_type(who, 1, object)
        return fields[index]

    access.__doc__ = documentation


_fields("utsname", "sysname nodename release version machine", "what uname gives")
_fields("passwd", "name passwd uid gid gecos dir shell", "a user's entry")
_fields("group", "name passwd gid mem", "a group's entry")
_fields("tms", "clock utime stime cutime cstime", "what times gives")


@LIBRARY.procedure("uname", staged=True)
def uname() -> list[str]:
    """What the system is, for utsname:sysname and the like."""
    return list(os.uname())


@LIBRARY.procedure("getpw", "getpwnam", "getpwuid", staged=True)
def getpw(user: Any = None) -> list[Any]:
    """The entry of a user, by name or number, for passwd:name and the like."""
    import pwd

    try:
        if type(user) is int:
            return list(pwd.getpwuid(user))
        return list(pwd.getpwnam(arguments.string("getpw", 1, user)))
    except KeyError:
        misc_error("getpw", "there is no user ~S", user)


@LIBRARY.procedure("getgr", "getgrnam", "getgrgid", staged=True)
def getgr(group: Any = None) -> list[Any]:
    """The entry of a group, by name or number, for group:name and the like."""
    import grp

    try:
        if type(group) is int:
            found = grp.getgrgid(group)
        else:
            found = grp.getgrnam(arguments.string("getgr", 1, group))
    except KeyError:
        misc_error("getgr", "there is no group ~S", group)
    return [found.gr_name, found.gr_passwd, found.gr_gid, scheme_list(found.gr_mem)]


@LIBRARY.procedure("getlogin", staged=True)
def getlogin() -> Any:
    """The name of the user at the terminal, or #f."""
    try:
        return os.getlogin()
    except OSError:
        return False


_acting("sethostname", socket.sethostname, "Give the machine a name.")
