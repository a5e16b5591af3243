"""Holes of a file: what is to be written of its content between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from builders.plan import Segment
from builders.tree import Content

_BLOCK = 4096


def data_between(holes: Sequence[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """The (start, stop) bytes of a file outside of its holes, in whole blocks of 4 KiB but for the
    end."""
    runs = []
    position = 0
    for start, length in sorted(holes):
        begin = -(-start // _BLOCK) * _BLOCK
        end = start + length
        end = size if end >= size else end // _BLOCK * _BLOCK
        if end <= begin or end <= position:
            continue
        if begin > position:
            runs.append((position, begin))
        position = end
    if position < size:
        runs.append((position, size))
    return runs


def data_runs(content: Content, start: int, length: int) -> Iterator[tuple[int, int]]:
    """(offset in the content, bytes) of what is no hole in the `length` bytes from `start`."""
    position, end = start, start + length
    for hole, hole_length in (*content.holes, (end, 0)):
        stop = min(hole, end)
        if stop > position:
            yield position, stop - position
        position = max(position, hole + hole_length)


def segments(content: Content, start: int, length: int, target: int) -> Iterator[Segment]:
    """What puts `length` bytes from `start` of the content at `target`; holes are left out."""
    for position, size in data_runs(content, start, length):
        yield Segment(target + position - start, content.source, content.offset + position, size)
