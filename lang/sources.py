"""Source texts and the positions in them.

A position is one int: the base of its source plus an offset in characters, so that data from
several files can be mixed freely and still know where they came from.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple


class Location(NamedTuple):
    """A place in a source: the file name, a line from 1 and a column from 1 (in characters)."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def __repr__(self) -> str:
        return f"#<location {self}>"


LINES: Final = 1 << 24
"""More lines than a file has."""


def code_files(names: Sequence[str]) -> str:
    """The file name of a code object that comes from several files. In its line table the lines of
    the file with number i in `names` start at i * LINES."""
    return "\n".join(names)


def code_place(files: str, line: int, column: int) -> Location:
    """The place that a line table of code from `files` means."""
    number, line = divmod(line, LINES)
    return Location(files.split("\n")[number], line, column)


class Source:
    """One text with the position of its first character. `library` marks Kiln's own modules."""

    __slots__ = ("_starts", "base", "library", "name", "text")

    def __init__(self, name: str, text: str, base: int, library: bool = False) -> None:
        self.name = name
        self.text = text
        self.base = base
        self.library = library
        self._starts: list[int] | None = None

    @property
    def starts(self) -> list[int]:
        """Offsets of the first character of each line."""
        if self._starts is None:
            starts = [0]
            find = self.text.find
            at = find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
            self._starts = starts
        return self._starts

    def location(self, offset: int) -> Location:
        """Where the character at `offset` (from the start of this text) stands."""
        line = bisect_right(self.starts, offset)
        return Location(self.name, line, offset - self.starts[line - 1] + 1)

    def offset(self, location: Location) -> int:
        """The offset of `location`, the inverse of `location`."""
        return self.starts[location.line - 1] + location.column - 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1), without its line end; empty past the last line."""
        if not 1 <= number <= len(self.starts):
            return ""
        end = self.text.find("\n", self.starts[number - 1])
        line = self.text[self.starts[number - 1] : end if end >= 0 else len(self.text)]
        return line.rstrip("\r")


class SourceMap:
    """All sources of a session, found again by position or by name."""

    def __init__(self) -> None:
        self._sources: list[Source] = []
        self._bases: list[int] = []
        self._by_name: dict[str, Source] = {}
        self.expansions: dict[int, str] = {}
        """The positions of uses of macros, with the macros' names."""
        self._next = 1

    def add(self, name: str, text: str, *, library: bool = False) -> Source:
        """Register a text; its positions start at the returned source's `base`."""
        source = Source(name, text, self._next, library)
        self._sources.append(source)
        self._bases.append(source.base)
        self._by_name[name] = source
        self._next += len(text) + 1
        return source

    def source(self, position: int) -> Source | None:
        """The source that holds `position`."""
        index = bisect_right(self._bases, position) - 1
        return self._sources[index] if index >= 0 else None

    def named(self, name: str) -> Source | None:
        """The source that was added last under `name`."""
        return self._by_name.get(name)

    def location(self, position: int) -> Location | None:
        """Line and column of `position`."""
        source = self.source(position)
        return source.location(position - source.base) if source else None
