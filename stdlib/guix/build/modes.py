"""(guix build modes): what the modes of files are, before the store makes all of them read-only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from lang.runtime.library import Library

LIBRARY = Library("guix", "build", "modes")


@LIBRARY.procedure("record-modes", staged=True)
def record_modes(directory: str, name: str) -> None:
    """Put the modes of `directory` and all in it into a file there, sorted: MODE PATH NUL."""
    top = os.fsencode(directory)
    modes: dict[bytes, int] = {}
    waiting = [b""]
    while waiting:
        parent = waiting.pop()
        full = os.path.join(top, parent)
        modes[parent] = stat.S_IMODE(os.lstat(full).st_mode)
        # it may be shut, and a build has no privileges
        Path(os.fsdecode(full)).chmod(modes[parent] | stat.S_IRWXU)
        for entry in os.scandir(full):
            path = os.path.join(parent, entry.name)
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif not entry.is_symlink():
                modes[path] = stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
    with open(os.path.join(top, os.fsencode(name)), "wb") as file:
        for path, mode in sorted(modes.items()):
            file.write(b"%o %s\0" % (mode, path))
