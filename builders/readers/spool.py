"""Bytes that come in their order, kept in a file of the host so that they can be read anywhere."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from builders.pack import nonzero_runs
from builders.readers.source import FileSource
from builders.sinks.raw import CannotWrite, write_all

_LARGE = Path("/var/tmp")  # on a disk where /tmp may be in memory


def spooled(pieces: Iterator[tuple[int, bytes]], size: int | None = None) -> FileSource:
    """A file without a name of the bytes that `pieces` give with their offsets, holes as holes.

    size  where it ends, if that is not where the last piece does

    It is there as long as it is open. Raises CannotWrite and what `pieces` raises.
    """
    folder = None if os.environ.get("TMPDIR") or not os.access(_LARGE, os.W_OK) else _LARGE
    name = f"a temporary copy in {folder or tempfile.gettempdir()}"
    end = 0
    try:
        descriptor, path = tempfile.mkstemp(prefix="kiln-", dir=folder)
    except OSError as error:
        raise CannotWrite(name, None, error) from None
    try:
        Path(path).unlink()
        for offset, piece in pieces:
            with memoryview(piece) as view:
                try:
                    for start, stop in nonzero_runs(piece, len(piece)):
                        write_all(descriptor, view[start:stop], offset + start)
                except OSError as error:
                    raise CannotWrite(name, None, error) from None
            end = max(end, offset + len(piece))
        try:
            os.ftruncate(descriptor, end if size is None else size)
        except OSError as error:
            raise CannotWrite(name, size, error) from None
    except BaseException:
        os.close(descriptor)
        raise
    return FileSource(descriptor)
