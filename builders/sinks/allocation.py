"""Disks in units, of which those without data take no room in the file."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from builders.plan import Plan, Segment


def extents(source: Plan, unit: int) -> list[tuple[int, int]]:
    """The [start, stop) runs of units of `unit` bytes in which the plan has data, in order."""
    pieces = [(offset, offset + length) for offset, _, _, length in source.segments if length]
    pieces += [(offset, offset + len(data)) for offset, data in source.metadata if data]
    pieces.sort()
    found: list[tuple[int, int]] = []
    start = stop = -1
    for begin, end in pieces:
        first, last = begin // unit, -(-end // unit)
        if first > stop:
            if start >= 0:
                found.append((start, stop))
            start = first
        stop = max(stop, last)
    if start >= 0:
        found.append((start, stop))
    return found


def moved(
    source: Plan, moves: Sequence[tuple[int, int]]
) -> tuple[list[tuple[int, bytes]], list[Segment]]:
    """The plan's metadata and segments, each moved as the extent that it is in.

    moves  the end of each extent and how far it is moved, both in bytes
    """
    metadata: list[tuple[int, bytes]] = []
    segments: list[Segment] = []
    following = iter(moves)
    end, move = next(following, (0, 0))
    pieces: list[Segment | tuple[int, bytes]] = [
        *(segment for segment in source.segments if segment.length),
        *(piece for piece in source.metadata if piece[1]),
    ]
    pieces.sort(key=itemgetter(0))
    for piece in pieces:
        while piece[0] >= end:
            end, move = next(following)
        if isinstance(piece, Segment):
            segments.append(piece._replace(offset=piece.offset + move))
        else:
            metadata.append((piece[0] + move, piece[1]))
    return metadata, segments
