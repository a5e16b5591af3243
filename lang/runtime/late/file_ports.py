"""Ports on open files that have a place where they are read and written next."""

from __future__ import annotations

import os

from lang.runtime.streams import PulledInput, TwoWayPort

_PIECE = 65536


def write_all(number: int, data: str | bytes) -> None:
    """Write all of `data` to the open file `number`."""
    rest = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    while rest:
        rest = rest[os.write(number, rest) :]


class FileInput(PulledInput):
    """Input from an open file. Without __slots__, so that FileInputOutput can have two bases."""

    number: int

    def __init__(self, number: int, name: str | None = None) -> None:
        super().__init__(lambda: os.read(number, _PIECE), name)
        self.number = number

    def _ahead(self) -> int:
        """How many bytes were taken from the file that the program has not read yet."""
        return len(self._as_bytes()) - self.at

    def _forget(self) -> None:
        """Go back to the place of the next byte, with nothing taken from the file ahead of it."""
        ahead = self._ahead()
        self._bytes, self.at = b"", 0
        if ahead:
            os.lseek(self.number, -ahead, os.SEEK_CUR)

    def tell(self) -> int:
        """How many bytes come before the next one."""
        return os.lseek(self.number, 0, os.SEEK_CUR) - self._ahead()

    def seek(self, offset: int, whence: int) -> int:
        """Go to the byte number `offset` from the start (0), from here (1) or the end (2)."""
        self._forget()
        return os.lseek(self.number, offset, whence)


class FileInputOutput(FileInput, TwoWayPort):
    """Input from an open file, and output to it at the same place."""

    def __init__(self, number: int, name: str | None = None) -> None:
        TwoWayPort.__init__(self, lambda: os.read(number, _PIECE), self._write, name=name)
        self.number = number

    def _write(self, data: str | bytes) -> None:
        self._forget()
        write_all(self.number, data)
