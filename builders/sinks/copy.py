"""Copies a file with its holes: what was never written is not written again."""

from __future__ import annotations

import os
from pathlib import Path

from builders.plan import Plan, Segment
from builders.scan import holes
from builders.sinks import raw


def copy_sparse(source: Path, target: Path) -> None:
    """Make `target`, a new file, with the bytes and holes of `source`, on the disk when it returns.

    Raises OSError when `source` cannot be read, and what raw.write raises.
    """
    with open(source, "rb") as file:
        name, size = str(source), os.fstat(file.fileno()).st_size
    segments, position = [], 0
    for offset, length in (*holes(name, size), (size, 0)):
        if offset > position:
            segments.append(Segment(position, name, position, offset - position))
        position = offset + length
    raw.write(Plan(size, [], segments), target, Path, sync=True)
