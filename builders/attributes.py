"""What files of a build are to be in a file system, which those of the store cannot be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Attributes(NamedTuple):
    """What a file is to be in a file system, beside its contents.

    owner   uid and gid; None: root, as if nothing was said: programs that copy give all to someone
    device  kind, major and minor number of what is an empty file here
    """

    mode: int
    owner: tuple[int, int] | None = None
    device: tuple[str, int, int] | None = None
    xattrs: Mapping[str, bytes] | None = None


def write(file: Path, known: Mapping[str, Attributes]) -> None:
    """Make a file of what is known of files, by their paths."""
    told: dict[str, list[Any]] = {}
    for path, (mode, *more) in sorted(known.items()):
        told[path] = [mode, *more] if any(more) else [mode]
        if xattrs := known[path].xattrs:
            told[path][3] = {name: value.hex() for name, value in sorted(xattrs.items())}
    file.write_text(json.dumps(told), "ascii")


def read(file: Path) -> dict[str, Attributes]:
    """What `write` was given."""
    known = {}
    for path, (mode, *more) in json.loads(file.read_text("ascii")).items():
        owner, device, xattrs = more or (None, None, None)
        known[path] = Attributes(
            mode,
            owner and (owner[0], owner[1]),
            device and (device[0], device[1], device[2]),
            {name: bytes.fromhex(value) for name, value in xattrs.items()} if xattrs else None,
        )
    return known
