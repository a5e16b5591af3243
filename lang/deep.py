"""Room for deep recursion: Scheme programs recurse where Python ones would loop."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from lang import interrupts

T = TypeVar("T")

STACK_SIZE: Final = 512 << 20
"""Bytes. Calls between Scheme procedures use no C stack; those through primitives do."""
DEPTH: Final = 700_000
"""Python frames."""

_SOON: Final = 0.1
"""Seconds. What takes less is not worth the import of ctypes."""

_here = threading.local()


def run_deep(function: Callable[[], T]) -> T:
    """The value of `function()`, run where deep recursion is possible; raises what it raises.

    The work is done on a thread with a big stack, to which an interrupt is passed on. Within
    `function`, run_deep calls straight.
    """
    if getattr(_here, "deep", False):
        return function()
    results: list[T] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        _here.deep = True
        try:
            results.append(function())
        except BaseException as error:
            failures.append(error)
        finally:
            done.set()

    sys.setrecursionlimit(max(sys.getrecursionlimit(), DEPTH))
    thread = threading.Thread(target=work, name="scheme", daemon=True)
    _run(thread, done)
    if failures:
        raise failures[0]
    return results[0]


def _run(thread: threading.Thread, done: threading.Event) -> None:
    """Start `thread`, pass interrupts on to it, and wait until it has set `done`."""
    if not interrupts.can_be_armed():
        _start(thread)
        # An interrupted Thread.join takes the thread for ended.
        while not done.is_set():
            try:
                done.wait()
            except KeyboardInterrupt:
                _interrupt(thread)
        return
    early = []  # interrupts from before the thread could take them

    def pass_on(_number: int, _frame: object) -> None:
        """No exception here: it could come between any two steps of what waits."""
        if done.is_set():
            raise KeyboardInterrupt
        if thread.ident is None:
            early.append(True)
        else:
            _interrupt(thread)
        interrupts.arm()

    signal.signal(signal.SIGINT, pass_on)
    try:
        armed = interrupts.is_prepared()
        if armed:
            interrupts.arm()
        _start(thread)
        if early:
            _interrupt(thread)
        if not armed and not done.wait(_SOON):
            interrupts.arm()
        done.wait()
    finally:
        interrupts.disarm()


def _start(thread: threading.Thread) -> None:
    usual = threading.stack_size(STACK_SIZE)
    try:
        thread.start()
    finally:
        threading.stack_size(usual)


def _interrupt(thread: threading.Thread) -> None:
    import ctypes

    target = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(target, ctypes.py_object(KeyboardInterrupt))
