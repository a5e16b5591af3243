"""A second Ctrl-C ends a process in which no Python code can run.

Python raises KeyboardInterrupt as soon as it can, which is not before the operation of C that is
going on (the search of a regular expression, a product of long numbers) has ended. So the kernel is
told to let SIGINT end the process once one of them waits to be raised.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, Final

_SA_RESETHAND: Final = 0x80000000
"""The handler is for one signal only."""


def can_be_armed() -> bool:
    """Whether SIGINT is as Python has set it, and this thread is where it is raised."""
    return (
        sys.platform == "linux"
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )


def prepare() -> None:
    """Have at hand what `arm` takes some time to import."""
    import ctypes  # noqa: F401


def is_prepared() -> bool:
    return "ctypes" in sys.modules


def arm() -> None:
    """Let a SIGINT after the next one end the process; to be called again when one was raised.

    In one step, and without giving Python's lock away: there may be no getting it back.
    """
    set_action, action = _setting()
    set_action(signal.SIGINT, action, None)


@cache
def _setting() -> tuple[Callable[..., int], Any]:
    """sigaction(2), and what Python has set by it, but for one signal only."""
    import ctypes

    class Action(ctypes.Structure):
        """The C library's struct sigaction."""

        _fields_ = (
            ("handler", ctypes.c_void_p),
            ("mask", ctypes.c_uint8 * 128),
            ("flags", ctypes.c_uint),
            ("restorer", ctypes.c_void_p),
        )

    action = Action()
    set_action = ctypes.PyDLL(None).sigaction
    set_action(signal.SIGINT, None, ctypes.byref(action))
    action.flags |= _SA_RESETHAND
    return set_action, ctypes.byref(action)


def disarm() -> None:
    """Let SIGINT only raise KeyboardInterrupt."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
