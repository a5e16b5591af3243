"""Room for deep recursion: Scheme programs recurse where Python ones would loop."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

STACK_SIZE: Final = 512 << 20
"""Bytes. Calls between Scheme procedures use no C stack; those through primitives do."""
DEPTH: Final = 700_000
"""Python frames."""

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
    usual = threading.stack_size(STACK_SIZE)
    try:
        thread = threading.Thread(target=work, name="scheme", daemon=True)
        thread.start()
    finally:
        threading.stack_size(usual)
    # An interrupted Thread.join takes the thread for ended.
    while not done.is_set():
        try:
            done.wait()
        except KeyboardInterrupt:
            import ctypes

            target = ctypes.c_ulong(thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(target, ctypes.py_object(KeyboardInterrupt))
    if failures:
        raise failures[0]
    return results[0]
