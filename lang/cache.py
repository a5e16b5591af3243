"""Compiled modules on disk, found by what they were compiled from.

An entry is valid for the text of its source, the same modules below it, the same version of this
language and of Python. Entries are read only from a directory that nobody else can write: they
hold code.
"""

from __future__ import annotations

import functools
import marshal
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lang.digests import SIZE, hasher
from lang.modules import ModuleName


@functools.cache
def version() -> str:
    """What changes whenever this language's implementation does."""
    files = sorted(_python_files(str(Path(__file__).parent), ""))
    return hasher(
        f"{sys.implementation.cache_tag} {sys.flags.optimize} {files}".encode()
    ).hexdigest()


def _python_files(directory: str, prefix: str) -> Iterator[tuple[str, int, int]]:
    """Name, size and time of the Python files below `directory`. This is part of every start."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                status = entry.stat()
                yield prefix + entry.name, status.st_size, status.st_mtime_ns
            elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                yield from _python_files(entry.path, f"{prefix}{entry.name}/")


def source_key(stage: str, name: ModuleName, file: str, text: str) -> bytes:
    """The hash of what an entry is compiled from, apart from the modules below it."""
    digest = hasher()
    for part in (version(), stage, repr(name), file, text):
        digest.update(part.encode())
        digest.update(b"\0")
    return digest.digest()


class Cache:
    """A directory of compiled modules. Trouble with it is never an error: there is no entry."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def read(self, name: ModuleName, file: str, key: bytes) -> Any:
        """The data that was written for module `name` of source `file` under `key`, or None."""
        if not self._private():
            return None
        try:
            data = self._path(name, file).read_bytes()
        except OSError:
            return None
        if data[:SIZE] != key:
            return None
        try:
            checksum = hasher(data[2 * SIZE :]).digest()
            if checksum != data[SIZE : 2 * SIZE]:
                return None
            return marshal.loads(data[2 * SIZE :])
        except (EOFError, ValueError, TypeError):
            return None

    def write(self, name: ModuleName, file: str, key: bytes, value: Any) -> None:
        """Put an entry in place of the one for the same source; all at once or not at all."""
        data = marshal.dumps(value)
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._private():
                return
            path = self._path(name, file)
            temporary = path.with_suffix(f".{os.getpid()}")
            try:
                temporary.write_bytes(key + hasher(data).digest() + data)
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        except OSError:
            return

    def _path(self, name: ModuleName, file: str) -> Path:
        label = hasher(f"{name!r} {file}".encode()).hexdigest()[:32]
        return self.directory / f"{label}.compiled"

    def _private(self) -> bool:
        """Is the directory this user's, and nobody else's to write?"""
        try:
            status = self.directory.lstat()
        except OSError:
            return False
        others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not others
