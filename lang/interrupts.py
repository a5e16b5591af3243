"""A second Ctrl-C ends a process in which no Python code can run.

Python raises KeyboardInterrupt as soon as it can, which is not before the operation of C that is
going on (the search of a regular expression, a product of long numbers) has ended. So the kernel is
told to let SIGINT end the process once one of them waits to be raised.
"""

from __future__ import annotations

import signal
import sys
import threading
from typing import Final

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
    """Let a SIGINT after the next one end the process; to be called again when one was raised."""
    import ctypes

    class Action(ctypes.Structure):
        """The C library's struct sigaction."""

        _fields_ = (
            ("handler", ctypes.c_void_p),
            ("mask", ctypes.c_uint8 * 128),
            ("flags", ctypes.c_uint),
            ("restorer", ctypes.c_void_p),
        )

    disarm()  # what came before may have taken Python's handler away
    action = Action()
    sigaction = ctypes.CDLL(None).sigaction
    if sigaction(signal.SIGINT, None, ctypes.byref(action)) == 0:
        action.flags |= _SA_RESETHAND
        sigaction(signal.SIGINT, ctypes.byref(action), None)


def disarm() -> None:
    """Let SIGINT only raise KeyboardInterrupt."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
