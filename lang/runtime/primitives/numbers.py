"""Arithmetic (R7RS section 6.2). A boolean is no number, although Python's bool is an int.

Division with remainder is in division.py, powers, roots and trigonometry in elementary.py.
"""

from __future__ import annotations

import cmath
import itertools
import math
import operator
from collections.abc import Callable
from typing import Any, Final

from lang.numbers import (
    exact,
    flonum,
    format_number,
    is_number,
    is_real,
    parse_number,
    polar,
    rectangular,
)
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import out_of_range, signal

LIBRARY = Library("guile")

LIBRARY.constant("most-positive-fixnum", (1 << 61) - 1)
LIBRARY.constant("most-negative-fixnum", -(1 << 61))


def divided_by_zero(who: str) -> Any:
    """Signal numerical-overflow, Guile's key for this."""
    from lang.runtime.condition_types import ASSERTION

    signal("numerical-overflow", ASSERTION, who, "Division by zero", (), False)


_LARGEST_SHIFTED = 2**28
_LARGEST_MULTIPLIED = 2**25
"""How many bits a power may have: what takes Python seconds, in which nothing interrupts it."""


def refuse_too_large(who: str, bits: int, times: int) -> None:
    """Signal numerical-overflow if `times` multiplications by `bits` bits make too large a number.

    A multiplication by one bit is a shift, which costs less.
    """
    from lang.runtime.condition_types import ASSERTION

    largest = _LARGEST_SHIFTED if bits == 1 else _LARGEST_MULTIPLIED
    if bits * times > largest:
        message = "Numerical overflow: the number would have more than ~A bits"
        signal("numerical-overflow", ASSERTION, who, message, (largest,), False)


@LIBRARY.procedure("+")
def add(*numbers: Any) -> Any:
    total: Any = 0
    for position, value in enumerate(numbers, 1):
        if type(value) is not int:
            arguments.number("+", position, value)
        total = total + value if position > 1 else value
    return total


@LIBRARY.procedure("*")
def multiply(*numbers: Any) -> Any:
    product: Any = 1
    for position, value in enumerate(numbers, 1):
        if type(value) is not int:
            arguments.number("*", position, value)
        product = product * value
    return product


@LIBRARY.procedure("-")
def subtract(first: Any, *more: Any) -> Any:
    arguments.number("-", 1, first)
    if not more:
        return -first
    for position, value in enumerate(more, 2):
        arguments.number("-", position, value)
        first = first - value
    return first


@LIBRARY.procedure("/")
def divide(first: Any, *more: Any) -> Any:
    arguments.number("/", 1, first)
    if not more:
        return quotient_of(1, first)
    for position, value in enumerate(more, 2):
        arguments.number("/", position, value)
        first = quotient_of(first, value)
    return first


def quotient_of(a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int:
        if b == 0:
            divided_by_zero("/")
        if a % b == 0:
            return a // b
        from lang.rationals import Rational

        return Rational(a, b)
    if b == 0:
        if type(b) is complex:
            return complex(math.nan, math.nan)
        if type(b) is not float:
            divided_by_zero("/")
        return _by_zero(a, b)
    try:
        return a / b
    except OverflowError:
        return float_quotient(a, b)


def _by_zero(a: Any, b: float) -> Any:
    """a / b, where b is 0.0 or -0.0."""
    if type(a) is complex:
        return complex(_by_zero(a.real, b), _by_zero(a.imag, b))
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def float_quotient(a: Any, b: Any) -> Any:
    """a / b in floats, where one of them is an exact number too large for one."""
    if type(a) is complex or type(b) is complex:
        return complex(a if type(a) is complex else flonum(a)) / complex(
            b if type(b) is complex else flonum(b)
        )
    return flonum(a) / flonum(b)


def _comparison(name: str, holds: Callable[[Any, Any], bool]) -> None:
    check = arguments.number if name == "=" else arguments.real

    @LIBRARY.procedure(name)
    def compare(*numbers: Any) -> bool:
        for position, value in enumerate(numbers, 1):
            if type(value) is not int:
                check(name, position, value)
        return all(holds(a, b) for a, b in itertools.pairwise(numbers))


_comparison("=", operator.eq)
_comparison("<", operator.lt)
_comparison(">", operator.gt)
_comparison("<=", operator.le)
_comparison(">=", operator.ge)


@LIBRARY.procedure("1+")
def successor(number: Any) -> Any:
    return arguments.number("1+", 1, number) + 1


@LIBRARY.procedure("1-")
def predecessor(number: Any) -> Any:
    return arguments.number("1-", 1, number) - 1


def _extreme(name: str, better: Callable[[Any, Any], bool]) -> None:
    @LIBRARY.procedure(name)
    def extreme(first: Any, *more: Any) -> Any:
        best = arguments.real(name, 1, first)
        inexact = type(first) is float
        for position, value in enumerate(more, 2):
            arguments.real(name, position, value)
            inexact = inexact or type(value) is float
            if (
                better(value, best)
                or (type(value) is float and math.isnan(value))
                or (value == best == 0 and better(math.copysign(1, value), math.copysign(1, best)))
            ):
                best = value
        return flonum(best) if inexact else best


_extreme("max", operator.gt)
_extreme("min", operator.lt)


@LIBRARY.procedure("abs")
def absolute(number: Any) -> Any:
    return abs(arguments.real("abs", 1, number))


@LIBRARY.procedure("number?", "complex?")
def number_p(value: Any) -> bool:
    return is_number(value)


@LIBRARY.procedure("real?")
def real_p(value: Any) -> bool:
    return is_real(value)


@LIBRARY.procedure("rational?")
def rational_p(value: Any) -> bool:
    return is_real(value) and not (type(value) is float and not math.isfinite(value))


@LIBRARY.procedure("integer?")
def integer_p(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


@LIBRARY.procedure("exact-integer?")
def exact_integer_p(value: Any) -> bool:
    return type(value) is int


_INEXACT: Final = (float, complex)


@LIBRARY.procedure("exact?")
def exact_p(value: Any) -> bool:
    return type(arguments.number("exact?", 1, value)) not in _INEXACT


@LIBRARY.procedure("inexact?")
def inexact_p(value: Any) -> bool:
    return type(arguments.number("inexact?", 1, value)) in _INEXACT


@LIBRARY.procedure("exact-nonnegative-integer?")
def exact_nonnegative_integer_p(value: Any) -> bool:
    return type(value) is int and value >= 0


@LIBRARY.procedure("zero?")
def zero_p(value: Any) -> bool:
    return bool(arguments.number("zero?", 1, value) == 0)


@LIBRARY.procedure("positive?")
def positive_p(value: Any) -> bool:
    return bool(arguments.real("positive?", 1, value) > 0)


@LIBRARY.procedure("negative?")
def negative_p(value: Any) -> bool:
    return bool(arguments.real("negative?", 1, value) < 0)


@LIBRARY.procedure("even?")
def even_p(value: Any) -> bool:
    return arguments.integer("even?", 1, value) % 2 == 0


@LIBRARY.procedure("odd?")
def odd_p(value: Any) -> bool:
    return arguments.integer("odd?", 1, value) % 2 == 1


@LIBRARY.procedure("nan?")
def nan_p(value: Any) -> bool:
    return type(arguments.number("nan?", 1, value)) in _INEXACT and cmath.isnan(value)


@LIBRARY.procedure("inf?", "infinite?")
def infinite_p(value: Any) -> bool:
    return type(arguments.number("inf?", 1, value)) in _INEXACT and cmath.isinf(value)


@LIBRARY.procedure("finite?")
def finite_p(value: Any) -> bool:
    return type(arguments.number("finite?", 1, value)) not in _INEXACT or cmath.isfinite(value)


@LIBRARY.procedure("inf")
def infinity() -> float:
    return math.inf


@LIBRARY.procedure("nan")
def not_a_number() -> float:
    return math.nan


@LIBRARY.procedure("numerator")
def numerator(number: Any) -> Any:
    return _of_ratio("numerator", number, math.inf)


@LIBRARY.procedure("denominator")
def denominator(number: Any) -> Any:
    return _of_ratio("denominator", number, 1.0)


def _of_ratio(name: str, number: Any, of_infinity: float) -> Any:
    """The part of a ratio that Python, too, calls `name`."""
    if type(arguments.real(name, 1, number)) is not float:
        return getattr(number, name)
    if math.isnan(number):
        out_of_range(name, number)
    part = of_infinity if math.isinf(number) else float(getattr(exact(number), name))
    return math.copysign(part, number) if name == "numerator" else part


@LIBRARY.procedure("inexact->exact", "exact")
def to_exact(number: Any) -> Any:
    """A complex number that is not real has no exact counterpart."""
    if type(number) is complex and number.imag == 0:
        number = number.real
    arguments.real("inexact->exact", 1, number)
    if type(number) is float and not math.isfinite(number):
        out_of_range("inexact->exact", number)
    return exact(number)


@LIBRARY.procedure("exact->inexact", "inexact")
def to_inexact(number: Any) -> Any:
    if type(arguments.number("exact->inexact", 1, number)) is complex:
        return number
    return flonum(number)


@LIBRARY.procedure("square")
def square(number: Any) -> Any:
    return arguments.number("square", 1, number) * number


@LIBRARY.procedure("number->string")
def number_to_string(number: Any, radix: Any = 10) -> str:
    if type(number) is int and radix == 10 and -(1 << 64) < number < 1 << 64:
        return str(number)
    arguments.number("number->string", 1, number)
    _check_radix("number->string", radix)
    return format_number(number, radix)


def _check_radix(who: str, radix: Any) -> None:
    if not 2 <= arguments.exact_integer(who, 2, radix) <= 36:
        out_of_range(who, radix)


@LIBRARY.procedure("string->number")
def string_to_number(text: Any, radix: Any = 10) -> Any:
    _check_radix("string->number", radix)
    value = parse_number(arguments.string("string->number", 1, text), radix)
    return False if value is None else value


@LIBRARY.procedure("make-rectangular")
def make_rectangular(real: Any, imaginary: Any) -> Any:
    arguments.real("make-rectangular", 1, real)
    return rectangular(real, arguments.real("make-rectangular", 2, imaginary))


@LIBRARY.procedure("make-polar")
def make_polar(magnitude: Any, angle: Any) -> Any:
    arguments.real("make-polar", 1, magnitude)
    return polar(magnitude, arguments.real("make-polar", 2, angle))


@LIBRARY.procedure("real-part")
def real_part(number: Any) -> Any:
    arguments.number("real-part", 1, number)
    return number.real if type(number) is complex else number


@LIBRARY.procedure("imag-part")
def imaginary_part(number: Any) -> Any:
    arguments.number("imag-part", 1, number)
    return number.imag if type(number) is complex else 0


@LIBRARY.procedure("magnitude")
def magnitude(number: Any) -> Any:
    try:
        return abs(arguments.number("magnitude", 1, number))
    except OverflowError:
        return math.inf


@LIBRARY.procedure("angle")
def angle(number: Any) -> float:
    if type(arguments.number("angle", 1, number)) is complex:
        return cmath.phase(number)
    return math.pi if math.copysign(1.0, flonum(number)) < 0 else 0.0
