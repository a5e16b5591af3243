"""A plan's bytes in their order, in blocks of one size, for whoever takes no offsets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from operator import itemgetter

from builders.plan import Plan, Segment
from builders.sinks.raw import Real, Sources, runs

Piece = Segment | tuple[int, bytes]

BLOCK = 1 << 20


@cache
def zeros(size: int) -> bytes:
    """`size` zero bytes: the same object each time, so that a hole is known by identity."""
    return bytes(size)


def windows(plan: Plan, real: Real, size: int = BLOCK) -> Iterator[tuple[int, bytearray]]:
    """Yield (offset, bytes) of the blocks of `size` bytes in which the plan has data, in order.

    Offsets are multiples of `size`; the bytes are `size`, also at the plan's end. Each is a buffer
    of its own, the caller's to keep. Raises SourceMissing, SourceChanged, OSError.
    """
    pieces: list[Piece] = [*runs(plan), *plan.metadata]
    pieces.sort(key=itemgetter(0))
    base = -size
    buffer = bytearray()
    view = memoryview(buffer)
    with Sources(real) as sources:
        for piece in pieces:
            offset = piece[0]
            length = piece.length if isinstance(piece, Segment) else len(piece[1])
            done = 0
            while done < length:
                if offset + done >= base + size:
                    if buffer:
                        yield base, buffer
                    base = (offset + done) // size * size
                    buffer = bytearray(size)
                    view = memoryview(buffer)
                start = offset + done - base
                count = min(length - done, size - start)
                if isinstance(piece, Segment):
                    target = view[start : start + count]
                    sources.read(piece.source, piece.source_offset + done, target)
                else:
                    view[start : start + count] = piece[1][done : done + count]
                done += count
    if buffer:
        yield base, buffer


def blocks(plan: Plan, real: Real, size: int = BLOCK) -> Iterator[bytes | bytearray]:
    """Yield all bytes of the plan, `size` at a time, the last block shorter.

    Blocks without data are the object `zeros(size)`. Raises as `windows`.
    """
    position = 0
    for offset, data in windows(plan, real, size):
        for _ in range(position, offset, size):
            yield zeros(size)
        position = offset + size
        yield data if position <= plan.size else data[: plan.size - offset]
    while position < plan.size:
        yield zeros(min(size, plan.size - position))
        position += size


def regroup(
    pieces: Iterable[bytes | bytearray | memoryview], size: int = BLOCK
) -> Iterator[bytes | bytearray]:
    """The same bytes in blocks of `size`, the last shorter, however they come."""
    gathered = bytearray()
    for piece in pieces:
        if not gathered and len(piece) == size and not isinstance(piece, memoryview):
            yield piece
            continue
        with memoryview(piece) as view:
            start = 0
            while start < len(view):
                part = view[start : start + size - len(gathered)]
                gathered += part
                start += len(part)
                if len(gathered) == size:
                    yield gathered
                    gathered = bytearray()
    if gathered:
        yield gathered
