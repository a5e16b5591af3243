"""Room for deep recursion: Scheme programs recurse where Python ones would loop."""

from __future__ import annotations

import resource
import sys
from typing import Final

DEEPEST: Final = 220_000
"""Python frames. Calls between Scheme procedures use no C stack, some primitives use a little."""
STACK_SIZE: Final = 120 << 20
"""Bytes of C stack. Linux keeps at least 128 MiB of address space free below the main stack,
which grows on demand up to this limit, also when the limit is raised later."""


def make_room() -> None:
    """Raise the limits of this process, once."""
    if sys.getrecursionlimit() >= DEEPEST:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    wanted = STACK_SIZE if hard == resource.RLIM_INFINITY else min(STACK_SIZE, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))
    sys.setrecursionlimit(DEEPEST)
