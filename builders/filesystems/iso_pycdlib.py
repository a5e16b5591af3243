"""pycdlib as Kiln needs it: with a clock of its own, and in linear time.

It asks the clock and the time zone for every date, and takes each path to pieces again and again.
For what a record has no room for, such as a long name, it looks through all that it has put
elsewhere before, each time.
"""

from __future__ import annotations

import threading
import time as real_time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

_CLOCKED = ("pycdlib", "headervd", "dates", "utils")  # modules of pycdlib that look at the clock
_one_at_a_time = threading.Lock()


class Clock:
    """Stands in for the module `time`: no time passes, and all the world is in UTC."""

    def __init__(self) -> None:
        self.now = 0
        self._known: dict[float, real_time.struct_time] = {}

    def time(self) -> float:
        return self.now

    def localtime(self, seconds: float | None = None) -> real_time.struct_time:
        return self.gmtime(seconds)

    def gmtime(self, seconds: float | None = None) -> real_time.struct_time:
        if seconds is None:
            seconds = self.now
        found = self._known.get(seconds)
        if found is None:
            found = self._known[seconds] = real_time.gmtime(seconds)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(real_time, name)


@contextmanager
def at_rest() -> Iterator[Clock]:
    """Give pycdlib a clock for as long as the block runs, in one thread at a time. Nothing may be
    removed from an ISO there, and paths in ISO 9660 have to be right: they are not looked at.
    """
    import pycdlib.dates
    import pycdlib.headervd
    import pycdlib.pycdlib
    import pycdlib.utils

    modules = [getattr(pycdlib, name) for name in _CLOCKED]
    volume: Any = pycdlib.headervd.PrimaryOrSupplementaryVD
    clock = Clock()
    with _one_at_a_time, ExitStack() as stack:
        changes: list[tuple[Any, str, Any]] = [
            *((module, "time", clock) for module in modules),
            (pycdlib.utils, "gmtoffset_from_tm", lambda _seconds, _local: 0),
            (pycdlib.utils, "normpath", str.encode),
            (pycdlib.pycdlib, "_check_iso9660_filename", lambda _name, _level: None),
            (volume, "add_rr_ce_entry", _first_fit(volume.add_rr_ce_entry)),
        ]
        for holder, name, value in changes:
            stack.callback(setattr, holder, name, getattr(holder, name))
            setattr(holder, name, value)
        yield clock


def _first_fit(add_to_any: Any) -> Any:
    """PrimaryOrSupplementaryVD.add_rr_ce_entry, which puts `length` bytes into the first block that
    has room for them, without asking those again that had none: they only fill up.
    """
    full: dict[int, int] = {}  # by length: how many blocks, from the first, have no room

    def add(volume: Any, length: int) -> Any:
        blocks = volume.rr_ce_blocks
        for number in range(full.get(length, 0), len(blocks)):
            offset = blocks[number].add_entry(length)
            if offset is not None:
                full[length] = number
                return False, blocks[number], offset
        full[length] = len(blocks)
        volume.rr_ce_blocks = []
        added, block, offset = add_to_any(volume, length)
        blocks.append(block)
        volume.rr_ce_blocks = blocks
        return added, block, offset

    return add
