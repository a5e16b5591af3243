"""Division with remainder, and rounding (R7RS section 6.2.6, with Guile's further kinds)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from lang.numbers import exact, flonum
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.numbers import divided_by_zero, integer_p, quotient_of
from lang.runtime.signals import wrong_type
from lang.runtime.trampoline import several, tail_calling

LIBRARY = Library("guile")

Division: TypeAlias = Callable[[Any, Any], tuple[Any, Any]]
"""From two exact numbers, the second not 0, to quotient and remainder."""


def _floor(a: Any, b: Any) -> tuple[Any, Any]:
    return a // b, a % b


def _truncate(a: Any, b: Any) -> tuple[Any, Any]:
    quotient = abs(a) // abs(b)
    if (a < 0) != (b < 0):
        quotient = -quotient
    return quotient, a - quotient * b


def _ceiling(a: Any, b: Any) -> tuple[Any, Any]:
    quotient = -((-a) // b)
    return quotient, a - quotient * b


def _euclidean(a: Any, b: Any) -> tuple[Any, Any]:
    return _floor(a, b) if b > 0 else _ceiling(a, b)


def _round(a: Any, b: Any) -> tuple[Any, Any]:
    quotient, rest = a // b, a % b
    doubled = 2 * abs(rest)
    if doubled > abs(b) or (doubled == abs(b) and quotient % 2):
        quotient += 1
    return quotient, a - quotient * b


def _centered(a: Any, b: Any) -> tuple[Any, Any]:
    quotient, rest = _euclidean(a, b)
    if 2 * rest >= abs(b):
        step = 1 if b > 0 else -1
        quotient, rest = quotient + step, rest - abs(b)
    return quotient, rest


def _divided(who: str, divide: Division, a: Any, b: Any) -> tuple[Any, Any]:
    if type(a) is not int or type(b) is not int:
        arguments.real(who, 1, a)
        arguments.real(who, 2, b)
    if b == 0:
        divided_by_zero(who)
    if type(a) is not float and type(b) is not float:
        return divide(a, b)
    if not (math.isfinite(a) and math.isfinite(b)):
        return flonum(a) / flonum(b), math.nan
    quotient, rest = divide(exact(a), exact(b))
    return flonum(quotient), flonum(rest)


def _division(kind: str, divide: Division) -> None:
    both, one, rest = f"{kind}/", f"{kind}-quotient", f"{kind}-remainder"

    @LIBRARY.procedure(both)
    @tail_calling
    def divide_both(a: Any, b: Any) -> Any:
        return several(_divided(both, divide, a, b))

    @LIBRARY.procedure(one)
    def quotient(a: Any, b: Any) -> Any:
        return _divided(one, divide, a, b)[0]

    @LIBRARY.procedure(rest)
    def remainder(a: Any, b: Any) -> Any:
        return _divided(rest, divide, a, b)[1]


_division("floor", _floor)
_division("truncate", _truncate)
_division("ceiling", _ceiling)
_division("euclidean", _euclidean)
_division("round", _round)
_division("centered", _centered)


def _of_integers(name: str, divide: Division, part: int) -> None:
    """A division that takes integers only."""

    @LIBRARY.procedure(name)
    def divided(a: Any, b: Any) -> Any:
        if type(a) is not int or type(b) is not int:
            for position, number in enumerate((a, b), 1):
                if not integer_p(number):
                    wrong_type(name, position, number)
        return _divided(name, divide, a, b)[part]


_of_integers("quotient", _truncate, 0)
_of_integers("remainder", _truncate, 1)
_of_integers("modulo", _floor, 1)


@LIBRARY.procedure("gcd")
def gcd(*numbers: Any) -> Any:
    result = math.gcd(*(arguments.integer("gcd", i, n) for i, n in enumerate(numbers, 1)))
    return _inexact_if_any(result, numbers)


@LIBRARY.procedure("lcm")
def lcm(*numbers: Any) -> Any:
    result = math.lcm(*(arguments.integer("lcm", i, n) for i, n in enumerate(numbers, 1)))
    return _inexact_if_any(result, numbers)


def _inexact_if_any(result: int, numbers: tuple[Any, ...]) -> Any:
    return float(result) if any(type(number) is float for number in numbers) else result


def _rounding(name: str, for_exact: Callable[[Any], int]) -> None:
    @LIBRARY.procedure(name)
    def rounded(number: Any) -> Any:
        arguments.real(name, 1, number)
        if type(number) is int:
            return number
        if type(number) is not float:
            return for_exact(number)
        if not math.isfinite(number):
            return number
        return math.copysign(float(for_exact(number)), number)


_rounding("floor", math.floor)
_rounding("ceiling", math.ceil)
_rounding("truncate", math.trunc)
_rounding("round", round)


@LIBRARY.procedure("rationalize")
def rationalize(number: Any, tolerance: Any) -> Any:
    """The simplest ratio that differs from `number` by no more than `tolerance`."""
    arguments.real("rationalize", 1, number)
    arguments.real("rationalize", 2, tolerance)
    inexact = type(number) is float or type(tolerance) is float
    if inexact and not (math.isfinite(number) and math.isfinite(tolerance)):
        if math.isinf(tolerance):
            return math.nan if math.isinf(number) else 0.0
        return number if math.isinf(number) else math.nan
    middle, distance = exact(number), abs(exact(tolerance))
    simplest = _simplest(middle - distance, middle + distance)
    return float(simplest) if inexact else simplest


def _simplest(low: Any, high: Any) -> Any:
    """The ratio of smallest denominator between `low` and `high` (Stern-Brocot)."""
    if low <= 0 <= high:
        return 0
    if high < 0:
        return -_simplest(-high, -low)
    whole = math.floor(low)
    if whole == low:
        return whole
    if whole < math.floor(high):
        return whole + 1
    return whole + quotient_of(
        1, _simplest(quotient_of(1, high - whole), quotient_of(1, low - whole))
    )
