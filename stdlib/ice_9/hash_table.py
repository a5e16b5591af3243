"""(ice-9 hash-table): hash tables from association lists."""

from __future__ import annotations

from typing import Any

from lang.data import Pair, cons
from lang.runtime.equality import KeyFunction, eq_key, equal_key, eqv_key
from lang.runtime.hashtables import HashTable
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.hashtables import hashx_create_handle
from lang.runtime.signals import wrong_type

LIBRARY = Library("ice-9", "hash-table")


def _from_alist(name: str, key: KeyFunction) -> None:
    @LIBRARY.procedure(name)
    def make(alist: Any, *_size: Any) -> HashTable:
        """A table of the entries; of several with one key it is the first."""
        table = HashTable()
        for entry in arguments.items(name, 1, alist):
            if type(entry) is not Pair:
                wrong_type(name, 1, alist)
            table.entries.setdefault(key(entry.car), cons(entry.car, entry.cdr))
        return table


_from_alist("alist->hash-table", equal_key)
_from_alist("alist->hashq-table", eq_key)
_from_alist("alist->hashv-table", eqv_key)


@LIBRARY.procedure("alist->hashx-table")
def from_alist_by(hasher: Any, association: Any, alist: Any) -> HashTable:
    """A table for the hashx- procedures, of which HASHER and ASSOCIATION are the arguments; of
    several entries with one key it has the first."""
    table = HashTable()
    for entry in arguments.items("alist->hashx-table", 3, alist):
        if type(entry) is not Pair:
            wrong_type("alist->hashx-table", 3, alist)
        hashx_create_handle(hasher, association, table, entry.car, entry.cdr)
    return table
