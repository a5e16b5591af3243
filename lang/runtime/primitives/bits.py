"""Exact integers as two's complement bit strings (Guile's manual, "Bitwise Operations")."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.numbers import refuse_too_large

LIBRARY = Library("guile")


def _fold(name: str, combine: Callable[[int, int], int], unit: int) -> None:
    @LIBRARY.procedure(name)
    def combined(*numbers: Any) -> int:
        checked = [arguments.exact_integer(name, i, number) for i, number in enumerate(numbers, 1)]
        return functools.reduce(combine, checked, unit)


_fold("logand", operator.and_, -1)
_fold("logior", operator.or_, 0)
_fold("logxor", operator.xor, 0)


@LIBRARY.procedure("lognot")
def lognot(number: Any) -> int:
    return ~arguments.exact_integer("lognot", 1, number)


@LIBRARY.procedure("logtest")
def logtest(a: Any, b: Any) -> bool:
    return arguments.exact_integer("logtest", 1, a) & arguments.exact_integer("logtest", 2, b) != 0


@LIBRARY.procedure("logbit?")
def logbit(position: Any, number: Any) -> bool:
    value = arguments.exact_integer("logbit?", 2, number)
    return value >> arguments.index("logbit?", 1, position) & 1 == 1


@LIBRARY.procedure("ash")
def shift(number: Any, count: Any) -> int:
    value, by = arguments.exact_integer("ash", 1, number), arguments.exact_integer("ash", 2, count)
    return _to_the_left("ash", value, by) if by >= 0 else value >> -by


def _to_the_left(who: str, value: int, by: int) -> int:
    if value:
        refuse_too_large(who, 1, by)
    return value << by


@LIBRARY.procedure("round-ash")
def round_shift(number: Any, count: Any) -> int:
    value = arguments.exact_integer("round-ash", 1, number)
    by = arguments.exact_integer("round-ash", 2, count)
    if by >= 0:
        return _to_the_left("round-ash", value, by)
    if -by > value.bit_length() + 1:
        return 0
    quotient, rest = divmod(value, 1 << -by)
    half = 1 << (-by - 1)
    return quotient + (1 if rest > half or (rest == half and quotient & 1) else 0)


@LIBRARY.procedure("logcount")
def logcount(number: Any) -> int:
    value = arguments.exact_integer("logcount", 1, number)
    return (value if value >= 0 else ~value).bit_count()


@LIBRARY.procedure("integer-length")
def integer_length(number: Any) -> int:
    value = arguments.exact_integer("integer-length", 1, number)
    return (value if value >= 0 else ~value).bit_length()


@LIBRARY.procedure("bit-extract")
def bit_extract(number: Any, start: Any, end: Any) -> int:
    first, last = arguments.span("bit-extract", arguments.index("bit-extract", 3, end), start, end)
    return arguments.exact_integer("bit-extract", 1, number) >> first & ((1 << (last - first)) - 1)
