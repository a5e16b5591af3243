"""Hash tables as values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lang.data import Pair, cons
from lang.runtime.equality import Key, KeyFunction, equal_key


class HashTable:
    """A mutable map. Entries are (key . value) pairs, in the order in which they were made.

    `key` gives the dictionary key of a Scheme value. Guile's tables take it from the procedure
    that is used (hashq-ref, hash-ref ...); SRFI 69's and R6RS's own one.
    """

    __slots__ = ("entries", "key", "weak")

    def __init__(self, key: KeyFunction = equal_key, weak: bool = False) -> None:
        self.entries: dict[Key, Pair] = {}
        self.key = key
        self.weak = weak

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Pair]:
        """The entries there are now; the table may be changed meanwhile."""
        return iter(list(self.entries.values()))

    def __repr__(self) -> str:
        return f"#<hash-table {len(self.entries)}>"

    def get(self, key: Any, default: Any = None) -> Any:
        """The value for `key`."""
        entry = self.entries.get(self.key(key))
        return default if entry is None else entry.cdr

    def put(self, key: Any, value: Any) -> None:
        """Make `value` the value for `key`."""
        entry = self.entries.get(wrapped := self.key(key))
        if entry is None:
            self.entries[wrapped] = cons(key, value)
        else:
            entry.cdr = value

    def discard(self, key: Any) -> None:
        """Forget `key`."""
        self.entries.pop(self.key(key), None)
