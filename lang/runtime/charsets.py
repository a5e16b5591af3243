"""Sets of characters as values: explicit members, or a test and exceptions to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

LAST: Final = sys.maxunicode


class CharSet:
    """A set of characters. `test` is set where members are described instead of listed; `members`
    is computed from it only when somebody wants to see them all."""

    __slots__ = ("_members", "_test")

    def __init__(
        self, members: Iterable[str] | None, test: Callable[[str], bool] | None = None
    ) -> None:
        self._members = None if members is None else frozenset(members)
        self._test = test

    @property
    def listed(self) -> bool:
        """Are the members known?"""
        return self._members is not None

    @property
    def members(self) -> frozenset[str]:
        """All members."""
        if self._members is None:
            assert self._test is not None
            self._members = frozenset(filter(self._test, all_characters()))
        return self._members

    def __contains__(self, character: Any) -> bool:
        if self._members is None:
            assert self._test is not None
            return self._test(character)
        return character in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.members))

    def __len__(self) -> int:
        return len(self.members)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CharSet) and (self is other or self.members == other.members)

    def __hash__(self) -> int:
        return hash(self.members)

    def __repr__(self) -> str:
        return "#<charset>"


def all_characters() -> Iterator[str]:
    """Every Unicode scalar value."""
    for code in range(LAST + 1):
        if not 0xD800 <= code <= 0xDFFF:
            yield chr(code)
