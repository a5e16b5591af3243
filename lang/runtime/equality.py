"""eq?, eqv? and equal?, and the same three as hash keys.

Python's own == would make #t equal to 1 and 1 to 1.0, so that it is used on like types only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from lang.data import NIL, Char, Keyword, MString, Nil, Pair, Record, Symbol
from lang.numbers import is_rational_type


def is_eq(a: Any, b: Any) -> bool:
    """eq?: the same object, or the same exact integer."""
    return a is b or (type(a) is int and type(b) is int and a == b)


def is_eqv(a: Any, b: Any) -> bool:
    """eqv?: the same object, or numbers of the same type and value."""
    if a is b:
        return True
    kind = type(a)
    if kind is not type(b):
        return False
    if kind is int:
        return bool(a == b)
    if kind is float:
        if a == b:
            return math.copysign(1.0, a) == math.copysign(1.0, b)
        return math.isnan(a) and math.isnan(b)
    if kind is complex:
        return is_eqv(a.real, b.real) and is_eqv(a.imag, b.imag)
    return is_rational_type(kind) and bool(a == b)


def is_equal(a: Any, b: Any) -> bool:
    """equal?: eqv?, or strings, bytevectors, pairs, vectors or records of equal contents."""
    length = 0
    while True:
        if a is b:
            return True
        kind = type(a)
        if kind is Pair:
            if type(b) is not Pair:
                return False
            length += 1
            if length == _SUSPICIOUS:
                return _is_equal_unrolled(a, b)
            if a.car is not b.car:
                try:
                    if not is_equal(a.car, b.car):
                        return False
                except RecursionError:
                    return _is_equal_unrolled(a, b)
            a = a.cdr
            b = b.cdr
            continue
        if kind is int:
            return type(b) is int and bool(a == b)
        if kind is str and type(b) is str:
            return bool(a == b)
        if kind in _UNIQUE:
            return False
        if kind is str or kind is MString:
            return (type(b) is str or type(b) is MString) and str(a) == str(b)
        if kind is list:
            try:
                return type(b) is list and len(a) == len(b) and _all_equal(a, b)
            except RecursionError:
                return _is_equal_unrolled(a, b)
        if kind is bytes or kind is bytearray:
            return (type(b) is bytes or type(b) is bytearray) and bool(a == b)
        if isinstance(a, Record):
            return kind is type(b) and _all_equal(record_values(a), record_values(b))
        if is_eqv(a, b):
            return True
        if kind in OWN_KEYS or kind is not type(b):
            return False
        return hasattr(kind, "has_contents_of") and bool(a.has_contents_of(b))


_UNIQUE: Final = frozenset((Symbol, Char, Keyword, Nil, bool))
"""Types whose objects equal nothing but themselves, by any of the three."""
_SUSPICIOUS: Final = 1 << 17
"""The length of a list from which on equal? keeps account of what it has compared."""


def _is_equal_unrolled(a: Any, b: Any) -> bool:
    """is_equal of data that may contain themselves: what is being compared counts as equal."""
    assumed: set[tuple[int, int]] = set()
    pending = [(a, b)]
    while pending:
        a, b = pending.pop()
        kind = type(a)
        if a is b or (id(a), id(b)) in assumed:
            continue
        if kind is Pair and type(b) is Pair:
            assumed.add((id(a), id(b)))
            pending += ((a.cdr, b.cdr), (a.car, b.car))
        elif kind is list and type(b) is list and len(a) == len(b):
            assumed.add((id(a), id(b)))
            pending += zip(a, b, strict=True)
        elif kind is Pair or kind is list or not is_equal(a, b):
            return False
    return True


def _all_equal(a: list[Any], b: list[Any]) -> bool:
    # A loop, not all(): that would be a frame on the C stack for every level of nesting.
    for index, item in enumerate(a):  # noqa: SIM110
        if not is_equal(item, b[index]):
            return False
    return True


def record_values(record: Record) -> list[Any]:
    """The values of all fields, in order. A field that was never set is None."""
    return [getattr(record, f"f{index}", None) for index in range(len(record.rtd.fields))]


class IdentityKey:
    """A hash key that is equal to keys of the very same object. Keeps the object alive."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: object) -> bool:
        return type(other) is IdentityKey and self.thing is other.thing


def first_equal(same: Callable[[Any, Any], bool], wanted: Any, items: Any) -> Any:
    """The first pair of the list `items` whose car is `wanted` by one of the three, or what ends
    the list. Raises AttributeError for a list that ends in something else than ()."""
    kind = type(wanted)
    if kind is int:
        while items is not NIL:
            item = items.car
            if item == wanted and type(item) is int:
                return items
            items = items.cdr
    elif same is is_eq or kind in _UNIQUE:
        while items is not NIL:
            if items.car is wanted:
                return items
            items = items.cdr
    elif kind is str and same is is_equal:
        while items is not NIL:
            item = items.car
            if item == wanted or (type(item) is MString and str(item) == wanted):
                return items
            items = items.cdr
    else:
        while items is not NIL:
            if same(wanted, items.car):
                return items
            items = items.cdr
    return items


def first_entry(same: Callable[[Any, Any], bool], wanted: Any, entries: Any) -> Any:
    """The first pair in the list `entries` whose car is `wanted`, or (). Raises AttributeError
    for a list with something else than pairs in it."""
    kind = type(wanted)
    if kind is int:
        while entries is not NIL:
            entry = entries.car
            if entry.car == wanted and type(entry.car) is int:
                return entry
            entries = entries.cdr
    elif same is is_eq or kind in _UNIQUE:
        while entries is not NIL:
            entry = entries.car
            if entry.car is wanted:
                return entry
            entries = entries.cdr
    elif kind is str and same is is_equal:
        while entries is not NIL:
            entry = entries.car
            item = entry.car
            if item == wanted or (type(item) is MString and str(item) == wanted):
                return entry
            entries = entries.cdr
    else:
        while entries is not NIL:
            entry = entries.car
            if same(wanted, entry.car):
                return entry
            entries = entries.cdr
    return entries


Key = Any
"""A Python value whose == and hash are eq?, eqv? or equal? of the Scheme value it stands for."""

OWN_KEYS: Final = frozenset((int, Symbol, Char, Keyword))
"""Types whose values are their own keys, by any of the three."""
OWN_EQUAL_KEYS: Final = OWN_KEYS | {str}
"""Those by equal?."""


def eq_key(value: Any) -> Key:
    """A key by eq?."""
    return value if type(value) in OWN_KEYS else IdentityKey(value)


def eqv_key(value: Any) -> Key:
    """A key by eqv?."""
    kind = type(value)
    if kind in OWN_KEYS:
        return value
    if kind is float:
        return (float, "nan") if math.isnan(value) else (float, value, math.copysign(1.0, value))
    if kind is complex:
        return (complex, eqv_key(value.real), eqv_key(value.imag))
    if is_rational_type(kind):
        return ("ratio", value.numerator, value.denominator)
    return IdentityKey(value)


def equal_key(value: Any) -> Key:
    """A key by equal?. The value must not be changed while it is a key."""
    kind = type(value)
    if kind in OWN_EQUAL_KEYS:
        return value
    if kind is MString:
        return str(value)
    if kind is Pair:
        parts: list[Key] = [Pair]
        while type(value) is Pair:
            parts.append(equal_key(value.car))
            value = value.cdr
        parts.append(equal_key(value))
        return tuple(parts)
    if kind is list:
        return (list, *map(equal_key, value))
    if kind is bytes or kind is bytearray:
        return bytes(value)
    if isinstance(value, Record):
        return (kind, *map(equal_key, record_values(value)))
    return eqv_key(value)


KeyFunction = Callable[[Any], Key]
