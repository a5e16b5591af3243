"""Locks between processes that vanish with the process that holds them (flock)."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class FileLock:
    """A lock on `path`, a file that exists only while somebody wants it locked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1

    @property
    def held(self) -> bool:
        """Whether this object has the lock."""
        return self._fd >= 0

    def acquire(self, *, wait: bool = False, shared: bool = False) -> bool:
        """Take the lock; False when another process has it and `wait` is not set."""
        mode = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
        while True:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(fd, mode)
                if self._is_current(fd):
                    self._fd = fd
                    return True
            except BlockingIOError:
                os.close(fd)
                return False
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)  # its last holder removed the file in between: try the new one

    def release(self, *, remove: bool = True) -> None:
        """Give the lock back. A lock that several may share must stay: `remove=False`."""
        if self._fd < 0:
            return
        if remove:
            self.path.unlink(missing_ok=True)
        os.close(self._fd)
        self._fd = -1

    def _is_current(self, fd: int) -> bool:
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        mine = os.fstat(fd)
        return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)
