"""Guile's native hash tables (Guile's manual, "Hash Tables")."""

from __future__ import annotations

from typing import Any

from lang.data import UNSPECIFIED, Pair, cons, scheme_list
from lang.printer import write
from lang.runtime.equality import (
    OWN_EQUAL_KEYS,
    OWN_KEYS,
    KeyFunction,
    eq_key,
    equal_key,
    eqv_key,
)
from lang.runtime.hashtables import HashTable
from lang.runtime.library import Library
from lang.runtime.primitives.strings import stable_hash
from lang.runtime.signals import wrong_type
from lang.runtime.trampoline import call

LIBRARY = Library("guile")


def table(who: str, position: int, value: Any) -> HashTable:
    """A hash table."""
    if type(value) is not HashTable:
        wrong_type(who, position, value, "a hash table")
    return value


@LIBRARY.procedure("make-hash-table")
def make_hash_table(size: Any = 0) -> HashTable:
    return HashTable()


@LIBRARY.procedure(
    "make-weak-key-hash-table", "make-weak-value-hash-table", "make-doubly-weak-hash-table"
)
def make_weak_hash_table(size: Any = 0) -> HashTable:
    """A table that says it is weak. It keeps its entries nevertheless: a session is short."""
    return HashTable(weak=True)


@LIBRARY.procedure("hash-table?")
def is_hash_table(value: Any) -> bool:
    return type(value) is HashTable


@LIBRARY.procedure("weak-key-hash-table?", "weak-value-hash-table?", "doubly-weak-hash-table?")
def is_weak_hash_table(value: Any) -> bool:
    return type(value) is HashTable and value.weak


def _family(prefix: str, key: KeyFunction) -> None:
    """PREFIX-ref, PREFIX-set! and so on, which look up by `key`."""
    who_refers, who_assigns = f"{prefix}-ref", f"{prefix}-set!"
    own_keys = OWN_EQUAL_KEYS if key is equal_key else OWN_KEYS

    @LIBRARY.procedure(f"{prefix}-ref")
    def reference(hash_table: Any, wanted: Any, default: Any = False) -> Any:
        if type(hash_table) is not HashTable:
            wrong_type(who_refers, 1, hash_table, "a hash table")
        wrapped = wanted if type(wanted) in own_keys else key(wanted)
        entry = hash_table.entries.get(wrapped)
        return default if entry is None else entry.cdr

    @LIBRARY.procedure(f"{prefix}-set!")
    def assign(hash_table: Any, wanted: Any, value: Any) -> Any:
        if type(hash_table) is not HashTable:
            wrong_type(who_assigns, 1, hash_table, "a hash table")
        wrapped = wanted if type(wanted) in own_keys else key(wanted)
        entries = hash_table.entries
        entry = entries.get(wrapped)
        if entry is None:
            entries[wrapped] = cons(wanted, value)
        else:
            entry.cdr = value
        return value

    @LIBRARY.procedure(f"{prefix}-remove!")
    def remove(hash_table: Any, wanted: Any) -> Any:
        entry = table(f"{prefix}-remove!", 1, hash_table).entries.pop(key(wanted), None)
        return False if entry is None else entry

    @LIBRARY.procedure(f"{prefix}-get-handle")
    def handle(hash_table: Any, wanted: Any) -> Any:
        entry = table(f"{prefix}-get-handle", 1, hash_table).entries.get(key(wanted))
        return False if entry is None else entry

    @LIBRARY.procedure(f"{prefix}-create-handle!")
    def create_handle(hash_table: Any, wanted: Any, initial: Any) -> Pair:
        entries = table(f"{prefix}-set!", 1, hash_table).entries
        wrapped = key(wanted)
        entry = entries.get(wrapped)
        if entry is None:
            entry = entries[wrapped] = cons(wanted, initial)
        return entry


_family("hash", equal_key)
_family("hashq", eq_key)
_family("hashv", eqv_key)


def _find(association: Any, hash_table: HashTable, wanted: Any) -> Any:
    """The entry that a hashx- procedure's own lookup finds."""
    entry = call(association, wanted, scheme_list(hash_table))
    return None if entry is False else entry


@LIBRARY.procedure("hashx-ref")
def hashx_ref(
    hasher: Any, association: Any, hash_table: Any, key: Any, default: Any = False
) -> Any:
    entry = _find(association, table("hashx-ref", 3, hash_table), key)
    return default if entry is None else entry.cdr


@LIBRARY.procedure("hashx-get-handle")
def hashx_get_handle(hasher: Any, association: Any, hash_table: Any, key: Any) -> Any:
    entry = _find(association, table("hashx-get-handle", 3, hash_table), key)
    return False if entry is None else entry


@LIBRARY.procedure("hashx-create-handle!")
def hashx_create_handle(
    hasher: Any, association: Any, hash_table: Any, key: Any, initial: Any
) -> Any:
    found = _find(association, table("hashx-create-handle!", 3, hash_table), key)
    if found is not None:
        return found
    entry = hash_table.entries[eq_key(key)] = cons(key, initial)
    return entry


@LIBRARY.procedure("hashx-set!")
def hashx_set(hasher: Any, association: Any, hash_table: Any, key: Any, value: Any) -> Any:
    hashx_create_handle(hasher, association, hash_table, key, value).cdr = value
    return value


@LIBRARY.procedure("hashx-remove!")
def hashx_remove(hasher: Any, association: Any, hash_table: Any, key: Any) -> Any:
    entries = table("hashx-remove!", 3, hash_table).entries
    found = _find(association, hash_table, key)
    for wrapped, entry in list(entries.items()):
        if entry is found:
            del entries[wrapped]
            return entry
    return False


@LIBRARY.procedure("hash-clear!")
def hash_clear(hash_table: Any) -> Any:
    table("hash-clear!", 1, hash_table).entries.clear()
    return UNSPECIFIED


@LIBRARY.procedure("hash-fold")
def hash_fold(function: Any, initial: Any, hash_table: Any) -> Any:
    for entry in table("hash-fold", 3, hash_table):
        initial = call(function, entry.car, entry.cdr, initial)
    return initial


@LIBRARY.procedure("hash-for-each")
def hash_for_each(function: Any, hash_table: Any) -> Any:
    for entry in table("hash-for-each", 2, hash_table):
        call(function, entry.car, entry.cdr)
    return UNSPECIFIED


@LIBRARY.procedure("hash-for-each-handle")
def hash_for_each_handle(function: Any, hash_table: Any) -> Any:
    for entry in table("hash-for-each-handle", 2, hash_table):
        call(function, entry)
    return UNSPECIFIED


@LIBRARY.procedure("hash-map->list")
def hash_map_to_list(function: Any, hash_table: Any) -> Any:
    entries = table("hash-map->list", 2, hash_table)
    return scheme_list([call(function, entry.car, entry.cdr) for entry in entries])


@LIBRARY.procedure("hash-count")
def hash_count(predicate: Any, hash_table: Any) -> int:
    entries = table("hash-count", 2, hash_table)
    return sum(call(predicate, entry.car, entry.cdr) is not False for entry in entries)


def _hash(name: str) -> None:
    @LIBRARY.procedure(name)
    def hashed(value: Any, bound: Any = None) -> int:
        """A number that depends on how `value` is written, and on nothing else."""
        return stable_hash(write(value), bound)


for _name in ("hash", "hashq", "hashv"):
    _hash(_name)
