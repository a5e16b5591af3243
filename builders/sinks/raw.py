"""A plan as a file: sparse, in one ascending pass, with as few system calls as will do.

Small pieces are gathered in a buffer of 1 MiB and written without their blocks of zeros. Large ones
share their blocks with the source where file systems can; elsewhere they go through such a buffer,
too: it stays in the processor's cache, and copy_file_range(2), which copies page by page, takes a
third longer on ext4.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from types import TracebackType

from builders.errors import BuilderError
from builders.pack import BLOCK, is_padded, nonzero_runs
from builders.plan import Plan, Segment, data_size

Real = Callable[[str], Path]
"""Where a source is on the host: from its name in a plan to a path."""

ReportProgress = Callable[[int, int], object]
"""Called with the bytes done and their total."""

_BUFFER = 1 << 20
_LARGE = 256 << 10
_ZEROS = bytes(_BUFFER)
_SHARE = 0x4020940D  # FICLONERANGE, ioctl_ficlonerange(2)
_CANNOT_SHARE = {errno.EXDEV, errno.EOPNOTSUPP, errno.ENOTTY, errno.ENOSYS, errno.EPERM}
_OPEN_FILES = 16


class SourceChanged(BuilderError):
    """A source ends before the content that it is to give."""

    def __init__(self, source: str) -> None:
        super().__init__(
            f"{source} is shorter than it was when the image was planned",
            hint="the file was changed, or its store item is damaged; build again",
        )


class SourceMissing(BuilderError):
    def __init__(self, source: str, error: OSError) -> None:
        super().__init__(f"cannot read {source}: {error.strerror}")


class CannotWrite(BuilderError):
    """The target takes no more: the disk is full, a limit or a quota is reached, or it broke."""

    def __init__(self, path: str, needed: int | None, error: OSError) -> None:
        much = "some room is" if needed is None else f"{needed:,} bytes are"
        super().__init__(
            f"cannot write {path}: {error.strerror}",
            hint=f"{much} needed there; make room, or choose another place",
        )


def write(
    plan: Plan,
    path: Path,
    real: Real,
    progress: ReportProgress | None = None,
    *,
    sync: bool = False,
) -> None:
    """Write the plan to the new file `path`; it is removed again if that fails.

    `sync`: wait until it is on the disk. Raises SourceChanged, SourceMissing, CannotWrite.
    """
    with new_file(path, data_size(plan)) as descriptor:
        pour(plan, descriptor, real, progress, name=str(path))
        if sync:
            os.fsync(descriptor)


@contextmanager
def new_file(path: Path, needed: int | None = None) -> Iterator[int]:
    """Give the descriptor of the new file `path`; it is removed again if the block fails.

    `needed` is how many bytes it will take, if that is known. Raises CannotWrite for every OSError.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise CannotWrite(str(path), needed, error) from None
    try:
        try:
            yield descriptor
        finally:
            os.close(descriptor)
    except BaseException as error:
        with suppress(OSError):
            path.unlink()
        if isinstance(error, OSError):
            raise CannotWrite(str(path), needed, error) from None
        raise


def pour(
    plan: Plan,
    descriptor: int,
    real: Real,
    progress: ReportProgress | None = None,
    *,
    name: str = "the image",
) -> None:
    """Write the plan to an open file, readable and writable, that is empty; `name` is for errors.

    Raises SourceChanged, SourceMissing, CannotWrite.
    """
    total = data_size(plan)
    try:
        os.ftruncate(descriptor, plan.size)
        with Sources(real) as sources:
            _pour(plan, descriptor, sources, progress or (lambda done, total: None), total)
    except OSError as error:
        raise CannotWrite(name, total, error) from None


def _pour(
    plan: Plan, descriptor: int, sources: Sources, progress: ReportProgress, total: int
) -> None:
    gathered = _Gatherer(descriptor)
    pieces: list[Segment | tuple[int, bytes]] = [*runs(plan), *plan.metadata]
    pieces.sort(key=itemgetter(0))
    done = 0
    for piece in pieces:
        offset = piece[0]
        if isinstance(piece, Segment):
            _, source, source_offset, length = piece
            if length >= _LARGE:
                gathered.flush()
                progress(done, total)
                for part in range(0, length, 64 << 20):
                    size = min(64 << 20, length - part)
                    sources.copy(source, source_offset + part, descriptor, offset + part, size)
                    progress(done + part, total)
            else:
                view = gathered.room(offset, length)
                sources.read(source, source_offset, view)
        else:
            data = piece[1]
            length = len(data)
            for part in range(0, length, _LARGE):
                size = min(_LARGE, length - part)
                gathered.room(offset + part, size)[:] = data[part : part + size]
        done += length
    gathered.flush()
    progress(total, total)


def runs(plan: Plan) -> Iterator[Segment]:
    """The plan's segments, with those joined that are behind each other in source and target alike.

    The contents of a pack are padded with zeros to whole blocks, which the target has there, too,
    unless metadata is between them.
    """
    starts = [offset for offset, _ in plan.metadata]
    current: list[int] | None = None  # offset, source offset, length
    name = ""
    padded = False
    for offset, source, source_offset, length in plan.segments:
        if current is not None and source == name:
            distance = offset - current[0]
            gap = distance - current[2]
            if source_offset - current[1] == distance and (
                gap == 0
                or (
                    padded
                    and 0 < gap < BLOCK
                    and bisect_left(starts, offset - gap) == bisect_left(starts, offset)
                )
            ):
                current[2] = distance + length
                continue
        if current is not None:
            yield Segment(current[0], name, current[1], current[2])
        current = [offset, source_offset, length]
        if source != name:
            name = source
            padded = is_padded(source)
    if current is not None:
        yield Segment(current[0], name, current[1], current[2])


class _Gatherer:
    """Collects pieces that are near each other and writes them together."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._base = 0  # offset in the target of the buffer's beginning
        self._used = 0

    def room(self, offset: int, length: int) -> memoryview:
        """Where to put the `length` <= 256 KiB bytes that belong at `offset`."""
        position = offset - self._base
        if self._used == 0 or position + length > _BUFFER:
            self.flush()
            self._base = offset
            position = 0
        self._used = position + length
        return self._view[position : self._used]

    def flush(self) -> None:
        for start, stop in nonzero_runs(self._buffer, self._used):
            write_all(self._descriptor, self._view[start:stop], self._base + start)
        self._view[: self._used] = _ZEROS[: self._used]
        self._used = 0


class Sources:
    """Open files by source name; the ones used last stay open."""

    def __init__(self, real: Real) -> None:
        self._real = real
        self._open: dict[str, int] = {}
        self._can_share = True
        self._buffer = memoryview(bytearray(_BUFFER))

    def __enter__(self) -> Sources:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def _descriptor(self, source: str) -> int:
        descriptor = self._open.get(source)
        if descriptor is None:
            if len(self._open) >= _OPEN_FILES:
                os.close(self._open.pop(next(iter(self._open))))
            try:
                descriptor = os.open(self._real(source), os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise SourceMissing(source, error) from None
            self._open[source] = descriptor
        return descriptor

    def read(self, source: str, offset: int, view: memoryview) -> None:
        """Fill `view` with what is at `offset`."""
        descriptor = self._descriptor(source)
        while view:
            got = os.preadv(descriptor, [view], offset)
            if got == 0:
                raise SourceChanged(source)
            offset += got
            view = view[got:]

    def copy(self, source: str, offset: int, target: int, to: int, length: int) -> None:
        """Copy a large run; its whole blocks are shared if they can be."""
        shared = self._share(source, offset, target, to, length // BLOCK * BLOCK)
        for part in range(shared, length, _BUFFER):
            piece = self._buffer[: min(_BUFFER, length - part)]
            self.read(source, offset + part, piece)
            write_all(target, piece, to + part)

    def _share(self, source: str, offset: int, target: int, to: int, length: int) -> int:
        """How many bytes are shared now: all or none."""
        if not self._can_share or not length or offset % BLOCK or to % BLOCK:
            return 0
        descriptor = self._descriptor(source)
        try:
            fcntl.ioctl(target, _SHARE, struct.pack("qQQQ", descriptor, offset, length, to))
        except OSError as error:
            # EINVAL: the blocks of these files are larger; or the source is too short, which
            # reading it tells
            if error.errno in _CANNOT_SHARE:
                self._can_share = False
            elif error.errno != errno.EINVAL:
                raise
            return 0
        return length


def write_all(descriptor: int, data: memoryview, offset: int) -> None:
    """Write all of `data` at `offset`. Raises OSError."""
    while data:
        written = os.pwrite(descriptor, data, offset)
        offset += written
        data = data[written:]
