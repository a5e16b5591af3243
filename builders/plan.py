"""What is to be written where, before anything is written."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple


class Segment(NamedTuple):
    """`length` bytes of the file `source`, from `source_offset`, belong at `offset`.

    `source` is as in builders.tree.Content.
    """

    offset: int
    source: str
    source_offset: int
    length: int


@dataclass(slots=True)
class Plan:
    """A file system, a partition or a disk of `size` bytes; what is not named is zero.

    `metadata` holds (offset, bytes); metadata and segments are sorted and do not overlap.
    """

    size: int
    metadata: list[tuple[int, bytes]] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)


def join(size: int, parts: Iterable[tuple[int, Plan]]) -> Plan:
    """One plan of `size` bytes with each part's plan shifted to its offset (bytes).

    The parts lie inside `size` and do not overlap: that is for the caller to see to.
    """
    metadata: list[tuple[int, bytes]] = []
    segments: list[Segment] = []
    for base, part in parts:
        metadata += [(base + offset, data) for offset, data in part.metadata]
        segments += [
            Segment(base + offset, source, source_offset, length)
            for offset, source, source_offset, length in part.segments
        ]
    metadata.sort(key=itemgetter(0))
    segments.sort(key=itemgetter(0))
    return Plan(size, metadata, segments)


def data_size(plan: Plan) -> int:
    """How many bytes of the plan are written; the rest of its size is zero."""
    return sum(len(data) for _, data in plan.metadata) + sum(
        segment.length for segment in plan.segments
    )


@contextmanager
def uncollected() -> Iterator[None]:
    """Work without the collector of cycles, for as long as a block or a decorated function runs.

    A plan is very many tuples and no cycles: looking for some takes a fifth of the time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
