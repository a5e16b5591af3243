"""Runs of bytes that are read at any place: files, and windows of others."""

from __future__ import annotations

import io
import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from builders.errors import BuilderError


class DamagedImage(BuilderError):
    """What an image holds cannot be right."""


class NotReadable(DamagedImage):
    """An image uses something that its reader does not know."""


class CutShort(DamagedImage):
    """Something lies beyond the end."""

    def __init__(self, offset: int, length: int, size: int) -> None:
        super().__init__(
            f"{length} bytes are wanted at byte {offset}, but there are {size} in all",
            hint="the image is incomplete or damaged",
        )


class Source(Protocol):
    """`size` bytes."""

    @property
    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes; raises CutShort, OSError."""


class FileSource:
    """A file of the host, open until `close`."""

    def __init__(self, file: Path | int) -> None:
        """`file`: its path, or a descriptor, which is closed with it."""
        if isinstance(file, Path):
            file = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        self._descriptor = file
        self._close = weakref.finalize(self, os.close, self._descriptor)
        self.size = os.lseek(self._descriptor, 0, os.SEEK_END)

    def read(self, offset: int, length: int) -> bytes:
        if not 0 <= offset <= offset + length <= self.size:
            raise CutShort(offset, length, self.size)
        data = os.pread(self._descriptor, length, offset)
        while len(data) < length:
            more = os.pread(self._descriptor, length - len(data), offset + len(data))
            if not more:
                raise CutShort(offset, length, self.size)
            data += more
        return data

    def close(self) -> None:
        """Close it now; without being asked to, it closes when nobody has it any more."""
        self._close()


class Window:
    """`size` bytes of another source from `offset`."""

    def __init__(self, source: Source, offset: int, size: int) -> None:
        self._source, self._offset = source, offset
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        if not 0 <= offset <= offset + length <= self.size:
            raise CutShort(offset, length, self.size)
        return self._source.read(self._offset + offset, length)


def in_units(
    size: int, unit: int, offset: int, length: int, part: Callable[[int, int, int], bytes]
) -> bytes:
    """`length` bytes from `offset` of a disk of `size` bytes that is kept in units.

    part  gives of the unit of a number, from a byte in it, some bytes

    Raises CutShort and what `part` raises.
    """
    if not 0 <= offset <= offset + length <= size:
        raise CutShort(offset, length, size)
    parts = []
    while length:
        number, start = divmod(offset, unit)
        count = min(length, unit - start)
        parts.append(part(number, start, count))
        offset += count
        length -= count
    return b"".join(parts)


class SourceFile(io.RawIOBase):
    """A source as a file object, for libraries."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._source.size}
        self._position = max(base[whence] + offset, 0)
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = max(self._source.size - self._position, 0)
        size = left if size < 0 else min(size, left)
        data = self._source.read(self._position, size)
        self._position += len(data)
        return data
