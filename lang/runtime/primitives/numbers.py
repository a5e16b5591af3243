"""Arithmetic (R7RS section 6.2). A boolean is no number, although Python's bool is an int."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable
from typing import Any

from lang.numbers import exact, format_number, is_number, parse_number
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error, out_of_range, signal, wrong_type
from lang.runtime.trampoline import several, tail_calling

LIBRARY = Library("guile")

LIBRARY.constant("most-positive-fixnum", (1 << 61) - 1)
LIBRARY.constant("most-negative-fixnum", -(1 << 61))


def divided_by_zero(who: str) -> Any:
    """Signal Guile's numerical-overflow."""
    from lang.runtime.condition_types import ASSERTION

    signal("numerical-overflow", ASSERTION, who, "Numerical overflow", (), False)


@LIBRARY.procedure("+")
def add(*numbers: Any) -> Any:
    total: Any = 0
    for position, value in enumerate(numbers, 1):
        if type(value) is not int:
            arguments.number("+", position, value)
        total = total + value
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
        return _quotient(1, first)
    for position, value in enumerate(more, 2):
        arguments.number("/", position, value)
        first = _quotient(first, value)
    return first


def _quotient(a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int:
        if b == 0:
            divided_by_zero("/")
        if a % b == 0:
            return a // b
        from lang.rationals import Rational

        return Rational(a, b)
    if b == 0:
        if type(b) is not float:
            divided_by_zero("/")
        if a == 0 or math.isnan(a):
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, b)
    return a / b


def _comparison(name: str, holds: Callable[[Any, Any], bool]) -> None:
    @LIBRARY.procedure(name)
    def compare(*numbers: Any) -> bool:
        for position, value in enumerate(numbers, 1):
            if type(value) is not int:
                arguments.number(name, position, value)
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
        best = arguments.number(name, 1, first)
        inexact = type(first) is float
        for position, value in enumerate(more, 2):
            arguments.number(name, position, value)
            inexact = inexact or type(value) is float
            if better(value, best) or (type(value) is float and math.isnan(value)):
                best = value
        return float(best) if inexact else best


_extreme("max", operator.gt)
_extreme("min", operator.lt)


@LIBRARY.procedure("abs", "magnitude")
def absolute(number: Any) -> Any:
    return abs(arguments.number("abs", 1, number))


@LIBRARY.procedure("number?", "complex?", "real?")
def number_p(value: Any) -> bool:
    return is_number(value)


@LIBRARY.procedure("rational?")
def rational_p(value: Any) -> bool:
    return is_number(value) and not (type(value) is float and not math.isfinite(value))


@LIBRARY.procedure("integer?")
def integer_p(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


@LIBRARY.procedure("exact-integer?")
def exact_integer_p(value: Any) -> bool:
    return type(value) is int


@LIBRARY.procedure("exact?")
def exact_p(value: Any) -> bool:
    return type(arguments.number("exact?", 1, value)) is not float


@LIBRARY.procedure("inexact?")
def inexact_p(value: Any) -> bool:
    return type(arguments.number("inexact?", 1, value)) is float


@LIBRARY.procedure("exact-nonnegative-integer?")
def exact_nonnegative_integer_p(value: Any) -> bool:
    return type(value) is int and value >= 0


@LIBRARY.procedure("zero?")
def zero_p(value: Any) -> bool:
    return bool(arguments.number("zero?", 1, value) == 0)


@LIBRARY.procedure("positive?")
def positive_p(value: Any) -> bool:
    return bool(arguments.number("positive?", 1, value) > 0)


@LIBRARY.procedure("negative?")
def negative_p(value: Any) -> bool:
    return bool(arguments.number("negative?", 1, value) < 0)


@LIBRARY.procedure("even?")
def even_p(value: Any) -> bool:
    return arguments.integer("even?", 1, value) % 2 == 0


@LIBRARY.procedure("odd?")
def odd_p(value: Any) -> bool:
    return arguments.integer("odd?", 1, value) % 2 == 1


@LIBRARY.procedure("nan?")
def nan_p(value: Any) -> bool:
    return type(arguments.number("nan?", 1, value)) is float and math.isnan(value)


@LIBRARY.procedure("inf?", "infinite?")
def infinite_p(value: Any) -> bool:
    return type(arguments.number("inf?", 1, value)) is float and math.isinf(value)


@LIBRARY.procedure("finite?")
def finite_p(value: Any) -> bool:
    return type(arguments.number("finite?", 1, value)) is not float or math.isfinite(value)


@LIBRARY.procedure("inf")
def infinity() -> float:
    return math.inf


@LIBRARY.procedure("nan")
def not_a_number() -> float:
    return math.nan


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
    quotient = round_half_even(exact(a) / exact(b)) if type(a) is not int else _round_ints(a, b)
    return quotient, a - quotient * b


def _round_ints(a: int, b: int) -> int:
    quotient, rest = divmod(a, b)
    doubled = 2 * abs(rest)
    if doubled > abs(b) or (doubled == abs(b) and quotient % 2):
        quotient += 1
    return quotient


def _centered(a: Any, b: Any) -> tuple[Any, Any]:
    quotient, rest = _euclidean(a, b)
    if 2 * rest >= abs(b):
        step = 1 if b > 0 else -1
        quotient, rest = quotient + step, rest - abs(b)
    return quotient, rest


Division = Callable[[Any, Any], tuple[Any, Any]]


def _division(
    division: Division, both: tuple[str, ...], one: tuple[str, ...], rest: tuple[str, ...]
) -> None:
    def divided(who: str, a: Any, b: Any) -> tuple[Any, Any]:
        if type(a) is not int or type(b) is not int:
            if not integer_p(a):
                wrong_type(who, 1, a)
            if not integer_p(b):
                wrong_type(who, 2, b)
        if b == 0:
            divided_by_zero(who)
        return division(a, b)

    if both:

        @LIBRARY.procedure(*both)
        @tail_calling
        def divide_both(a: Any, b: Any) -> Any:
            return several(divided(both[0], a, b))

    @LIBRARY.procedure(*one)
    def quotient(a: Any, b: Any) -> Any:
        return divided(one[0], a, b)[0]

    @LIBRARY.procedure(*rest)
    def remainder(a: Any, b: Any) -> Any:
        return divided(rest[0], a, b)[1]


_division(_floor, ("floor/",), ("floor-quotient",), ("modulo", "floor-remainder"))
_division(
    _truncate,
    ("truncate/",),
    ("quotient", "truncate-quotient"),
    ("remainder", "truncate-remainder"),
)
_division(_ceiling, ("ceiling/",), ("ceiling-quotient",), ("ceiling-remainder",))
_division(_euclidean, ("euclidean/",), ("euclidean-quotient",), ("euclidean-remainder",))
_division(_round, ("round/",), ("round-quotient",), ("round-remainder",))
_division(_centered, ("centered/",), ("centered-quotient",), ("centered-remainder",))


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


@LIBRARY.procedure("numerator")
def numerator(number: Any) -> Any:
    value = exact(arguments.number("numerator", 1, number)).numerator
    return float(value) if type(number) is float else value


@LIBRARY.procedure("denominator")
def denominator(number: Any) -> Any:
    value = exact(arguments.number("denominator", 1, number)).denominator
    return float(value) if type(number) is float else value


def round_half_even(number: Any) -> Any:
    """`round`: an exact integer for an exact number."""
    return float(round(number)) if type(number) is float else round(number)


def _rounding(name: str, for_exact: Callable[[Any], int]) -> None:
    @LIBRARY.procedure(name)
    def rounded(number: Any) -> Any:
        arguments.number(name, 1, number)
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


@LIBRARY.procedure("inexact->exact", "exact")
def to_exact(number: Any) -> Any:
    arguments.number("inexact->exact", 1, number)
    if type(number) is float and not math.isfinite(number):
        out_of_range("inexact->exact", number)
    return exact(number)


@LIBRARY.procedure("exact->inexact", "inexact")
def to_inexact(number: Any) -> float:
    return float(arguments.number("exact->inexact", 1, number))


@LIBRARY.procedure("square")
def square(number: Any) -> Any:
    return arguments.number("square", 1, number) * number


@LIBRARY.procedure("exact-integer-sqrt")
@tail_calling
def exact_integer_sqrt(number: Any) -> Any:
    root = math.isqrt(arguments.index("exact-integer-sqrt", 1, number))
    return several((root, number - root * root))


@LIBRARY.procedure("sqrt")
def sqrt(number: Any) -> Any:
    arguments.number("sqrt", 1, number)
    if number < 0:
        out_of_range("sqrt", number)
    if type(number) is not float:
        over, under = math.isqrt(number.numerator), math.isqrt(number.denominator)
        if over * over == number.numerator and under * under == number.denominator:
            return _quotient(over, under)
    return math.sqrt(number)


@LIBRARY.procedure("expt", "integer-expt")
def expt(base: Any, exponent: Any) -> Any:
    arguments.number("expt", 1, base)
    arguments.number("expt", 2, exponent)
    if base == 0 and exponent < 0:
        divided_by_zero("expt")
    if type(exponent) is int and type(base) is not float:
        return base**exponent if exponent >= 0 else _quotient(1, base**-exponent)
    if base < 0 and not integer_p(exponent):
        out_of_range("expt", base)
    try:
        return base**exponent
    except OverflowError:
        return math.inf


@LIBRARY.procedure("modulo-expt")
def modulo_expt(base: Any, exponent: Any, modulus: Any) -> int:
    return pow(
        arguments.integer("modulo-expt", 1, base),
        arguments.integer("modulo-expt", 2, exponent),
        arguments.integer("modulo-expt", 3, modulus),
    )


@LIBRARY.procedure("exp")
def exp(number: Any) -> Any:
    return math.exp(arguments.number("exp", 1, number))


@LIBRARY.procedure("log")
def log(number: Any, base: Any = None) -> Any:
    arguments.number("log", 1, number)
    if base is not None:
        return log(number) / log(base)
    if number == 0:
        return -math.inf
    if number < 0:
        out_of_range("log", number)
    return math.log(number)


@LIBRARY.procedure("log10")
def log10(number: Any) -> Any:
    if arguments.number("log10", 1, number) <= 0:
        out_of_range("log10", number)
    return math.log10(number)


def _transcendental(name: str, function: Callable[[float], float], exact_at: int | None) -> None:
    @LIBRARY.procedure(name)
    def transcendental(number: Any) -> Any:
        if type(number) is int and number == exact_at:
            return 1 if name in ("cos", "cosh") else 0
        try:
            return function(arguments.number(name, 1, number))
        except ValueError:
            out_of_range(name, number)


for _name in (
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
):
    _transcendental(_name, getattr(math, _name), 1 if _name in ("acos", "acosh") else 0)


@LIBRARY.procedure("atan")
def atan(y: Any, x: Any = None) -> Any:
    arguments.number("atan", 1, y)
    if type(y) is int and y == 0 and (x is None or (type(x) is int and x > 0)):
        return 0
    return math.atan(y) if x is None else math.atan2(y, arguments.number("atan", 2, x))


@LIBRARY.procedure("number->string")
def number_to_string(number: Any, radix: Any = 10) -> str:
    if type(number) is int and radix == 10 and -(1 << 64) < number < 1 << 64:
        return str(number)
    arguments.number("number->string", 1, number)
    if type(radix) is not int or not 2 <= radix <= 36:
        out_of_range("number->string", radix)
    try:
        return format_number(number, radix)
    except ValueError:
        out_of_range("number->string", radix)


@LIBRARY.procedure("string->number")
def string_to_number(text: Any, radix: Any = 10) -> Any:
    if type(radix) is not int or not 2 <= radix <= 36:
        out_of_range("string->number", radix)
    value = parse_number(arguments.string("string->number", 1, text), radix)
    return False if value is None else value


@LIBRARY.procedure("rationalize")
def rationalize(number: Any, tolerance: Any) -> Any:
    """The simplest ratio that differs from `number` by no more than `tolerance`."""
    arguments.number("rationalize", 1, number)
    arguments.number("rationalize", 2, tolerance)
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
    return whole + _quotient(1, _simplest(_quotient(1, high - whole), _quotient(1, low - whole)))


@LIBRARY.procedure("real-part")
def real_part(number: Any) -> Any:
    return arguments.number("real-part", 1, number)


@LIBRARY.procedure("angle")
def angle(number: Any) -> Any:
    """0 for a positive number, pi for a negative one; exact zero as in R7RS."""
    if arguments.number("angle", 1, number) < 0:
        return math.pi
    return 0 if type(number) is not float else 0.0


@LIBRARY.procedure("make-rectangular")
def make_rectangular(real: Any, imaginary: Any) -> Any:
    """`real`, where the imaginary part is exact zero; complex numbers are left out."""
    return _real_only("make-rectangular", real, imaginary)


@LIBRARY.procedure("make-polar")
def make_polar(magnitude: Any, turn: Any) -> Any:
    """`magnitude`, where the angle is exact zero; complex numbers are left out."""
    return _real_only("make-polar", magnitude, turn)


def _real_only(who: str, real: Any, other: Any) -> Any:
    arguments.number(who, 1, real)
    if type(arguments.number(who, 2, other)) is not int or other != 0:
        message = "complex numbers are not supported: the second number must be 0, not ~S"
        misc_error(who, message, other)
    return real


@LIBRARY.procedure("imag-part")
def imag_part(number: Any) -> Any:
    arguments.number("imag-part", 1, number)
    return 0
