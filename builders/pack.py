"""Packs: contents of many files in one, each padded with zeros to whole blocks of 4 KiB.

One sequential file in place of thousands of small ones is cheaper to create, to read and to copy,
and its blocks can be shared (reflinked) into images. Readers may take a content together with its
padding: the padding exists, also behind the last one, and is zero.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from builders.tree import Content

BLOCK = 4096
NAME = "pack"
SMALLEST_HOLE = 64 * 1024
"""Shorter runs of zeros are stored as content: cutting a file at each costs more than it saves."""

_BUFFER = 1 << 20
_ZEROS = bytes(BLOCK)


def is_padded(source: str) -> bool:
    """Whether the contents in the file `source` are known to be padded: whether it is a pack."""
    return source.endswith("/" + NAME) and source.startswith("/kiln/store/")


class PackWriter:
    """Writes a pack to the new file `path`; `add` in a fixed order gives the same bytes again.

    To be used in a `with` statement: leaving it writes the rest and closes the file.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        self._buffer = bytearray()
        self._start = 0  # offset in the pack at which the buffer begins

    def __enter__(self) -> PackWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._flush()
                os.ftruncate(self._descriptor, self._start)
        finally:
            os.close(self._descriptor)

    def add(self, chunks: Iterable[bytes | memoryview]) -> Content:
        """Append one content; its place, relative to the item ("pack"), and its holes."""
        buffer = self._buffer
        begin = self._start + len(buffer)
        holes: list[tuple[int, int]] = []
        size = 0
        for chunk in chunks:
            buffer += chunk
            size += len(chunk)
            if len(buffer) >= _BUFFER:
                whole = len(buffer) // BLOCK * BLOCK
                self._note_holes(begin, whole, holes)
                self._flush(whole)
        # what is left in the buffer may belong to earlier contents; the holes do not care
        padding = -size % BLOCK
        self._note_holes(begin, len(buffer), holes, exact_end=True)
        buffer += _ZEROS[:padding]
        if len(buffer) >= _BUFFER:
            self._flush()
        kept = [(a - begin, min(b - begin, size) - (a - begin)) for a, b in holes]
        return Content(
            NAME, begin, tuple((start, length) for start, length in kept if length >= SMALLEST_HOLE)
        )

    def _note_holes(
        self, begin: int, end: int, holes: list[tuple[int, int]], *, exact_end: bool = False
    ) -> None:
        """Add to `holes` the zero blocks of the current content in the buffer before `end`.

        Holes are [start, end) pairs of offsets in the pack; adjacent ones are joined.
        """
        buffer, base = self._buffer, self._start
        position = max(begin - base, 0)
        while position < end:
            stop = position + BLOCK
            if stop > end:
                if not exact_end:
                    return
                stop = end
            if buffer.startswith(_ZEROS[: stop - position], position):
                if holes and holes[-1][1] == base + position:
                    holes[-1] = (holes[-1][0], base + stop)
                else:
                    holes.append((base + position, base + stop))
            position = stop

    def _flush(self, length: int | None = None) -> None:
        """Write the first `length` bytes of the buffer, leaving blocks of zeros out."""
        buffer = self._buffer
        length = len(buffer) if length is None else length
        with memoryview(buffer) as view:
            for start, stop in nonzero_runs(buffer, length):
                _write_all(self._descriptor, view[start:stop], self._start + start)
        del buffer[:length]
        self._start += length


def nonzero_runs(buffer: bytes | bytearray, length: int) -> list[tuple[int, int]]:
    """The [start, stop) runs of blocks in `buffer[:length]` that are not all zero."""
    runs: list[tuple[int, int]] = []
    is_zero = buffer.startswith
    start = -1
    for position in range(0, length, BLOCK):
        if length - position >= BLOCK:
            zero = is_zero(_ZEROS, position)
        else:
            zero = not any(buffer[position:length])
        if zero:
            if start >= 0:
                runs.append((start, position))
                start = -1
        elif start < 0:
            start = position
    if start >= 0:
        runs.append((start, length))
    return runs


def _write_all(descriptor: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, offset)
        offset += written
        data = data[written:]
