"""(srfi srfi-69): basic hash tables. A table is Guile's, with an equivalence of its own."""

from __future__ import annotations

from typing import Any

from lang.data import UNSPECIFIED, Pair, cons, scheme_list
from lang.runtime.equality import KeyFunction, eq_key, equal_key, eqv_key
from lang.runtime.hashtables import HashTable
from lang.runtime.library import Library
from lang.runtime.primitives import arguments, equivalence, hashtables, strings
from lang.runtime.primitives.numbers import LIBRARY as NUMBERS
from lang.runtime.signals import misc_error, wrong_type
from lang.runtime.trampoline import call

LIBRARY = Library("srfi", "srfi-69")

for _name, _alias in (("hash", "hash"), ("hashq", "hash-by-identity")):
    LIBRARY.constant(_alias, hashtables.LIBRARY.bindings[_name])
LIBRARY.constant("string-hash", strings.LIBRARY.bindings["string-hash"])
LIBRARY.constant("string-ci-hash", strings.LIBRARY.bindings["string-hash-ci"])
LIBRARY.constant("hash-table?", hashtables.LIBRARY.bindings["hash-table?"])


def _folded_key(value: Any) -> Any:
    return arguments.string("hash-table", 2, value).casefold()


_KEYS: dict[Any, KeyFunction] = {
    equivalence.LIBRARY.bindings["eq?"]: eq_key,
    equivalence.LIBRARY.bindings["eqv?"]: eqv_key,
    equivalence.LIBRARY.bindings["equal?"]: equal_key,
    strings.LIBRARY.bindings["string=?"]: equal_key,
    strings.LIBRARY.bindings["string-ci=?"]: _folded_key,
    NUMBERS.bindings["="]: lambda number: number,
}


def _key_function(who: str, same: Any) -> KeyFunction:
    key = _KEYS.get(same)
    if key is None:
        misc_error(who, "equivalence ~S is none of eq? eqv? equal? string=? string-ci=? =", same)
    return key


def table(who: str, value: Any) -> HashTable:
    """A hash table."""
    if type(value) is not HashTable:
        wrong_type(who, 1, value)
    return value


@LIBRARY.procedure("make-hash-table")
def make(same: Any = None, *_hash: Any) -> HashTable:
    """An empty table. Of the hash function there is no need: the equivalence says enough."""
    if same is None or type(same) is int:
        return HashTable()
    return HashTable(_key_function("make-hash-table", same))


@LIBRARY.procedure("alist->hash-table")
def of_alist(alist: Any, same: Any = None, *_hash: Any) -> HashTable:
    result = make(same)
    for entry in reversed(arguments.items("alist->hash-table", 1, alist)):
        if type(entry) is not Pair:
            wrong_type("alist->hash-table", 1, alist)
        result.put(entry.car, entry.cdr)
    return result


@LIBRARY.procedure("hash-table-equivalence-function")
def equivalence_of(hash_table: Any) -> Any:
    wanted = table("hash-table-equivalence-function", hash_table).key
    return next(same for same, key in _KEYS.items() if key is wanted)


@LIBRARY.procedure("hash-table-hash-function")
def hash_function_of(hash_table: Any) -> Any:
    table("hash-table-hash-function", hash_table)
    return hashtables.LIBRARY.bindings["hash"]


@LIBRARY.procedure("hash-table-ref")
def ref(hash_table: Any, key: Any, if_missing: Any = None) -> Any:
    checked = table("hash-table-ref", hash_table)
    entry = checked.entries.get(checked.key(key))
    if entry is not None:
        return entry.cdr
    if if_missing is None:
        misc_error("hash-table-ref", "no value for key ~S", key)
    return call(if_missing)


@LIBRARY.procedure("hash-table-ref/default")
def ref_default(hash_table: Any, key: Any, default: Any) -> Any:
    return table("hash-table-ref/default", hash_table).get(key, default)


@LIBRARY.procedure("hash-table-set!")
def assign(hash_table: Any, key: Any, value: Any) -> Any:
    table("hash-table-set!", hash_table).put(key, value)
    return UNSPECIFIED


@LIBRARY.procedure("hash-table-delete!")
def delete(hash_table: Any, key: Any) -> Any:
    table("hash-table-delete!", hash_table).discard(key)
    return UNSPECIFIED


@LIBRARY.procedure("hash-table-exists?", "hash-table-contains?")
def exists(hash_table: Any, key: Any) -> bool:
    checked = table("hash-table-exists?", hash_table)
    return checked.key(key) in checked.entries


@LIBRARY.procedure("hash-table-update!")
def update(hash_table: Any, key: Any, function: Any, if_missing: Any = None) -> Any:
    value = call(function, ref(hash_table, key, if_missing))
    return assign(hash_table, key, value)


@LIBRARY.procedure("hash-table-update!/default")
def update_default(hash_table: Any, key: Any, function: Any, default: Any) -> Any:
    value = call(function, ref_default(hash_table, key, default))
    return assign(hash_table, key, value)


@LIBRARY.procedure("hash-table-size")
def size(hash_table: Any) -> int:
    return len(table("hash-table-size", hash_table))


@LIBRARY.procedure("hash-table-keys")
def keys(hash_table: Any) -> Any:
    return scheme_list(entry.car for entry in table("hash-table-keys", hash_table))


@LIBRARY.procedure("hash-table-values")
def values(hash_table: Any) -> Any:
    return scheme_list(entry.cdr for entry in table("hash-table-values", hash_table))


@LIBRARY.procedure("hash-table->alist")
def to_alist(hash_table: Any) -> Any:
    entries = table("hash-table->alist", hash_table)
    return scheme_list(cons(entry.car, entry.cdr) for entry in entries)


@LIBRARY.procedure("hash-table-walk")
def walk(hash_table: Any, function: Any) -> Any:
    for entry in table("hash-table-walk", hash_table):
        call(function, entry.car, entry.cdr)
    return UNSPECIFIED


@LIBRARY.procedure("hash-table-fold")
def fold(hash_table: Any, function: Any, initial: Any) -> Any:
    for entry in table("hash-table-fold", hash_table):
        initial = call(function, entry.car, entry.cdr, initial)
    return initial


@LIBRARY.procedure("hash-table-copy")
def copy(hash_table: Any) -> HashTable:
    original = table("hash-table-copy", hash_table)
    result = HashTable(original.key, original.weak)
    for entry in original:
        result.put(entry.car, entry.cdr)
    return result


@LIBRARY.procedure("hash-table-merge!")
def merge(target: Any, source: Any) -> HashTable:
    result = table("hash-table-merge!", target)
    for entry in table("hash-table-merge!", source):
        result.put(entry.car, entry.cdr)
    return result
