"""Literals of compiled code as values that `marshal` can write, and back.

A value that marshal writes itself stands for itself; any other becomes a tuple that starts with a
tag. Lists and vectors that occur more than once, or inside themselves, are written once. The
positions of pairs belong to a session and are not kept.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

from lang.data import (
    EOF,
    NIL,
    UNDEFINED,
    UNSPECIFIED,
    Char,
    Keyword,
    MString,
    Pair,
    Singleton,
    Symbol,
    Values,
    char,
    cons,
    keyword,
    symbol,
)
from lang.numbers import is_rational_type
from lang.sources import Location

PLAIN: Final = frozenset({bool, int, float, complex, str, bytes, type(None)})


class UnserialisableConstantError(Exception):
    """A literal of a type that has no written form; the unit can be run but not stored."""


def encode(value: Any) -> Any:
    """`value` as something that marshal writes. Raises UnserialisableConstantError."""
    return _Encoder(value).encode(value)


def decode(encoded: Any) -> Any:
    """The value that was encoded."""
    if type(encoded) is not tuple:
        return encoded
    simple = _DECODE_ATOM.get(encoded[0])
    return simple(encoded) if simple else _Decoder().decode(encoded)


def register(
    tag: str, kind: type, to_value: Callable[[Any], Any], from_value: Callable[[Any], Any]
) -> None:
    """Let constants of type `kind` be stored, as the encoding of what `to_value` gives."""
    _REGISTERED[kind] = (tag, to_value)
    _FROM_VALUE[tag] = from_value


_REGISTERED: Final[dict[type, tuple[str, Callable[[Any], Any]]]] = {}
_FROM_VALUE: Final[dict[str, Callable[[Any], Any]]] = {}
_REGISTERED_LATE: Final = {
    "array": "lang.runtime.late.arrays",
    "bit vector": "lang.runtime.late.bitvectors",
}
"""Tags that a module registers which need not have been loaded."""
_SINGLETONS: Final[dict[str, Singleton]] = {
    singleton.text: singleton for singleton in (NIL, UNSPECIFIED, UNDEFINED, EOF)
}


def _ratio(text: str) -> Any:
    from lang.rationals import normalised

    return normalised(text)


_ENCODE_ATOM: Final[dict[type, Callable[[Any], tuple[Any, ...]]]] = {
    Symbol: lambda x: ("symbol", x.name),
    Keyword: lambda x: ("keyword", x.name),
    Char: lambda x: ("char", x.value),
    MString: lambda x: ("mstring", str(x)),
    bytearray: lambda x: ("bytearray", bytes(x)),
    Location: lambda x: ("location", *x),
}

_DECODE_ATOM: Final[dict[str, Callable[[Any], Any]]] = {
    "symbol": lambda e: symbol(e[1]),
    "keyword": lambda e: keyword(e[1]),
    "char": lambda e: char(e[1]),
    "ratio": lambda e: _ratio(e[1]),
    "mstring": lambda e: MString(e[1]),
    "bytearray": lambda e: bytearray(e[1]),
    "location": lambda e: Location(e[1], e[2], e[3]),
    "singleton": lambda e: _SINGLETONS[e[1]],
}


class _Encoder:
    """Knows which lists and vectors of one constant occur more than once."""

    def __init__(self, root: Any) -> None:
        self.labels: dict[int, int | None] = _repeated(root)
        self.count = 0

    def encode(self, value: Any) -> Any:
        kind = type(value)
        if kind in PLAIN:
            return value
        atom = _ENCODE_ATOM.get(kind)
        if atom:
            return atom(value)
        if isinstance(value, Singleton) and value.text in _SINGLETONS:
            return ("singleton", value.text)
        if kind is Pair or kind is list:
            return self.compound(value)
        if kind is tuple or kind is Values:
            return ("tuple" if kind is tuple else "values", *map(self.encode, value))
        if is_rational_type(kind):
            return ("ratio", str(value))
        if kind in _REGISTERED:
            tag, to_value = _REGISTERED[kind]
            return ("registered", tag, self.encode(to_value(value)))
        raise UnserialisableConstantError(f"a constant of type {kind.__name__}")

    def compound(self, value: Any) -> tuple[Any, ...]:
        key = id(value)
        if key not in self.labels:
            return self.contents(value)
        label = self.labels[key]
        if label is not None:
            return ("reference", label)
        label = self.labels[key] = self.count
        self.count += 1
        return ("label", label, self.contents(value))

    def contents(self, value: Any) -> tuple[Any, ...]:
        if type(value) is list:
            return ("vector", *map(self.encode, value))
        items = [self.encode(value.car)]
        rest = value.cdr
        while type(rest) is Pair and id(rest) not in self.labels:
            items.append(self.encode(rest.car))
            rest = rest.cdr
        if rest is NIL:
            return ("list", *items)
        return ("dotted", *items, self.encode(rest))


def _repeated(root: Any) -> dict[int, int | None]:
    """The ids of the pairs and vectors that are reached more than once."""
    seen: set[int] = set()
    repeated: dict[int, int | None] = {}
    pending = [root]
    while pending:
        value = pending.pop()
        kind = type(value)
        if kind is Pair or kind is list:
            if id(value) in seen:
                repeated[id(value)] = None
                continue
            seen.add(id(value))
            pending.extend((value.car, value.cdr) if kind is Pair else value)
        elif kind is tuple or kind is Values:
            pending.extend(value)
    return repeated


class _Decoder:
    """Remembers what labels stand for."""

    def __init__(self) -> None:
        self.labels: dict[int, Any] = {}

    def decode(self, encoded: Any) -> Any:
        if type(encoded) is not tuple:
            return encoded
        tag = encoded[0]
        atom = _DECODE_ATOM.get(tag)
        if atom:
            return atom(encoded)
        if tag == "reference":
            return self.labels[encoded[1]]
        if tag == "label":
            content = encoded[2]
            value: Any = [] if content[0] == "vector" else cons(NIL, NIL)
            self.labels[encoded[1]] = value
            self.fill(value, content)
            return value
        if tag == "tuple":
            return tuple(map(self.decode, encoded[1:]))
        if tag == "values":
            return Values(map(self.decode, encoded[1:]))
        if tag == "registered":
            if encoded[1] in _REGISTERED_LATE:
                importlib.import_module(_REGISTERED_LATE[encoded[1]])
            return _FROM_VALUE[encoded[1]](self.decode(encoded[2]))
        value = [] if tag == "vector" else cons(NIL, NIL)
        self.fill(value, encoded)
        return value

    def fill(self, value: Any, content: tuple[Any, ...]) -> None:
        """Give a fresh pair or vector its contents."""
        tag = content[0]
        if tag == "vector":
            value.extend(map(self.decode, content[1:]))
            return
        items = [self.decode(item) for item in content[1:]]
        tail = items.pop() if tag == "dotted" else NIL
        for item in reversed(items[1:]):
            tail = cons(item, tail)
        value.car = items[0]
        value.cdr = tail
