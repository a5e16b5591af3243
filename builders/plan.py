"""What is to be written where, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
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
