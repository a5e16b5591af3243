"""The hash of the file that a plan would be, without writing it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path

from builders.plan import Plan, Segment
from builders.sinks.raw import SourceChanged

_CHUNK = 1 << 20
_ZEROS = bytes(_CHUNK)


def sha256(plan: Plan, real: Callable[[str], Path]) -> str:
    """The SHA-256 of the plan's raw image, in hex. Raises SourceChanged, OSError."""
    digest = hashlib.sha256()
    position = 0
    pieces: list[Segment | tuple[int, bytes]] = [*plan.segments, *plan.metadata]
    pieces.sort(key=itemgetter(0))

    def zeros(count: int) -> None:
        for start in range(0, count, _CHUNK):
            digest.update(_ZEROS[: min(_CHUNK, count - start)])

    for piece in pieces:
        zeros(piece[0] - position)
        if isinstance(piece, Segment):
            with open(real(piece.source), "rb") as file:
                for start in range(0, piece.length, _CHUNK):
                    size = min(_CHUNK, piece.length - start)
                    data = os.pread(file.fileno(), size, piece.source_offset + start)
                    if len(data) != size:
                        raise SourceChanged(piece.source)
                    digest.update(data)
            position = piece.offset + piece.length
        else:
            digest.update(piece[1])
            position = piece[0] + len(piece[1])
    zeros(plan.size - position)
    return digest.hexdigest()
