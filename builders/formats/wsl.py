"""What the Windows Subsystem for Linux wants to find in a tree."""

from __future__ import annotations

from collections.abc import Sequence

from builders.merge import merge
from builders.tree import Entry

PATH = "etc/wsl.conf"
_CONFIGURATION = b"[boot]\nsystemd=true\n"


def configured(tree: Sequence[Entry], epoch: int) -> list[Entry]:
    """`tree` with an /etc/wsl.conf that starts systemd, unless it has one of its own.

    `epoch`: the time of what is added, in seconds.
    """
    if any(entry.path == PATH for entry in tree):
        return list(tree)
    time = epoch * 1_000_000_000
    size = len(_CONFIGURATION)
    added = Entry(PATH, "f", 0o644, mtime=time, size=size, ref=_CONFIGURATION)
    return merge(tree, [added], time=time)
