"""Copies a file with its holes: what was never written is not written again."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_STEP = 1 << 26


def copy_sparse(source: Path, target: Path) -> None:
    """Make `target`, a new file, with the bytes and holes of `source`.

    The file systems share the blocks where they can (copy_file_range(2)). Raises OSError.
    """
    with open(source, "rb") as reader, open(target, "xb") as writer:
        size = os.fstat(reader.fileno()).st_size
        os.ftruncate(writer.fileno(), size)
        end = 0
        while end < size:
            try:
                start = os.lseek(reader.fileno(), end, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    break
                raise
            end = os.lseek(reader.fileno(), start, os.SEEK_HOLE)
            _copy_range(reader.fileno(), writer.fileno(), start, end)
        os.fsync(writer.fileno())


def _copy_range(reader: int, writer: int, start: int, end: int) -> None:
    while start < end:
        count = min(end - start, _STEP)
        try:
            done = os.copy_file_range(reader, writer, count, start, start)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
            done = os.pwrite(writer, os.pread(reader, min(count, 1 << 20), start), start)
        if done == 0:
            raise OSError(errno.EIO, "the file became shorter while it was copied")
        start += done
