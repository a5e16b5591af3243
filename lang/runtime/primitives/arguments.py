"""How primitives take their arguments: each function gives the Python value or signals an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lang.data import NIL, Char, MString, Pair, Symbol
from lang.numbers import is_number, is_rational_type
from lang.runtime.signals import out_of_range, wrong_type
from lang.runtime.trampoline import TAIL, force


def string(who: str, position: int, value: Any) -> str:
    """A string's text."""
    if type(value) is str:
        return value
    if type(value) is MString:
        return "".join(value.chars)
    wrong_type(who, position, value, "a string")


def character(who: str, position: int, value: Any) -> str:
    """A character's one-character string."""
    if type(value) is Char:
        return value.value
    wrong_type(who, position, value, "a character")


def symbol_name(who: str, position: int, value: Any) -> str:
    """A symbol's name."""
    if type(value) is Symbol:
        return value.name
    wrong_type(who, position, value, "a symbol")


def integer(who: str, position: int, value: Any) -> int:
    """An exact integer; an inexact one is taken, too."""
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    wrong_type(who, position, value, "an integer")


def exact_integer(who: str, position: int, value: Any) -> int:
    """An exact integer, and no inexact one."""
    if type(value) is int:
        return value
    wrong_type(who, position, value, "an exact integer")


def index(who: str, position: int, value: Any) -> int:
    """A non-negative exact integer."""
    if type(value) is not int:
        wrong_type(who, position, value, "an index")
    if value < 0:
        out_of_range(who, value)
    return value


def number(who: str, position: int, value: Any) -> Any:
    """Any number."""
    if is_number(value):
        return value
    wrong_type(who, position, value, "a number")


def real(who: str, position: int, value: Any) -> Any:
    """A real number."""
    kind = type(value)
    if kind is int or kind is float or is_rational_type(kind):
        return value
    wrong_type(who, position, value, "a real number")


def items(who: str, position: int, value: Any) -> list[Any]:
    """The elements of a proper list."""
    result = []
    rest = value
    while type(rest) is Pair:
        result.append(rest.car)
        rest = rest.cdr
        if len(result) == SUSPICIOUS and is_endless(rest):
            wrong_type(who, position, value, "a list")
    if rest is not NIL:
        wrong_type(who, position, value, "a list")
    return result


SUSPICIOUS: Final = 1 << 16
"""The length of a list from which on it may be one that contains itself."""


def is_endless(value: Any) -> bool:
    """Whether the list `value` comes back to itself."""
    slow = value
    while type(value) is Pair and type(value.cdr) is Pair:
        value = value.cdr.cdr
        slow = slow.cdr
        if value is slow:
            return True
    return False


def procedure(who: str, position: int, value: Any) -> Callable[..., Any]:
    """A procedure."""
    if callable(value):
        return value  # type: ignore[no-any-return]
    wrong_type(who, position, value, "a procedure")


def vector(who: str, position: int, value: Any) -> list[Any]:
    """A vector's elements; changing the list changes the vector."""
    if type(value) is list:
        return value
    wrong_type(who, position, value, "a vector")


def span(who: str, length: int, start: Any, end: Any) -> tuple[int, int]:
    """Optional bounds of a part of a sequence, as Python slice bounds; not given is None."""
    last = length if end is None else index(who, 0, end)
    first = 0 if start is None else index(who, 0, start)
    if last > length:
        out_of_range(who, end)
    if first > last:
        out_of_range(who, start)
    return first, last


def part(who: str, position: int, value: Any, start: Any, end: Any) -> str:
    """The part of a string between optional bounds."""
    text = string(who, position, value)
    if start is None and end is None:
        return text
    first, last = span(who, len(text), start, end)
    return text[first:last]


def given(value: Any) -> bool:
    """Whether an optional argument for which #f means "none" was given."""
    return value is not None and value is not False


def character_test(who: str, position: int, value: Any) -> Callable[[str], bool]:
    """What SRFI 13 takes as a criterion (character, char-set or predicate), as a Python test."""
    from lang.runtime.charsets import CharSet

    if type(value) is Char:
        return value.value.__eq__
    if type(value) is CharSet:
        return value.__contains__
    if not callable(value):
        wrong_type(who, position, value, "a character, a char-set or a predicate")
    from lang.data import char

    def test(character: str) -> bool:
        result = value(char(character))
        if result is TAIL:
            result = force()
        return result is not False

    return test
