"""Powers, roots, logarithms, trigonometry (R7RS section 6.2.6), over the complex plane.

Branch cuts are those that the report's formulas give. Where Python's functions fail, because of a
pole or of a result too large, the value is that of Guile.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

from lang.numbers import flonum
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.numbers import divided_by_zero, quotient_of, refuse_too_large
from lang.runtime.signals import out_of_range, wrong_type
from lang.runtime.trampoline import several, tail_calling

LIBRARY = Library("guile")


@LIBRARY.procedure("exact-integer-sqrt")
@tail_calling
def exact_integer_sqrt(number: Any) -> Any:
    root = math.isqrt(arguments.index("exact-integer-sqrt", 1, number))
    return several((root, number - root * root))


@LIBRARY.procedure("sqrt")
def sqrt(number: Any) -> Any:
    """The principal root: exact for an exact square, imaginary for a negative number."""
    if type(arguments.number("sqrt", 1, number)) is complex:
        return cmath.sqrt(number)
    if number < 0:
        return complex(0.0, sqrt(-number))
    if type(number) is float:
        return math.sqrt(number)
    over, under = math.isqrt(number.numerator), math.isqrt(number.denominator)
    if over * over == number.numerator and under * under == number.denominator:
        return quotient_of(over, under)
    try:
        return math.sqrt(number)
    except OverflowError:
        whole = number.numerator * number.denominator
        return flonum(quotient_of(math.isqrt(whole << 128), number.denominator << 64))


@LIBRARY.procedure("expt")
def expt(base: Any, exponent: Any) -> Any:
    arguments.number("expt", 1, base)
    arguments.number("expt", 2, exponent)
    if type(exponent) is int:
        return integer_expt(base, exponent)
    if exponent == 0:
        return 1.0
    if base == 0:
        return _power_of_zero(exponent)
    if type(base) is complex or type(exponent) is complex:
        return _complex_power(_wide(base), _wide(exponent))
    base, exponent = flonum(base), flonum(exponent)
    if base < 0 and math.isfinite(exponent) and not exponent.is_integer():
        return _complex_power(base, exponent)
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 else math.inf


@LIBRARY.procedure("integer-expt")
def integer_expt(base: Any, exponent: Any) -> Any:
    """BASE times itself; exact 1 for the exponent 0."""
    arguments.number("integer-expt", 1, base)
    if type(exponent) is not int:
        wrong_type("integer-expt", 2, exponent)
    if exponent == 0:
        return 1
    if base == 0 and exponent < 0:
        divided_by_zero("expt")
    if base == 2 and type(base) is int and exponent > 0:
        refuse_too_large("expt", 1, exponent)
        return 1 << exponent
    refuse_too_large("expt", _bits(base), abs(exponent))
    try:
        if type(base) is float or type(base) is complex:
            return base**exponent
        return base**exponent if exponent > 0 else quotient_of(1, base**-exponent)
    except OverflowError:
        if type(base) is complex:
            return complex(math.nan, math.nan)
        large = (abs(base) > 1) == (exponent > 0)
        return math.copysign(math.inf if large else 0.0, base if exponent % 2 else 1.0)


def _bits(base: Any) -> int:
    """At least how many bits each multiplication by `base`, if it is exact, adds."""
    if type(base) is int:
        return max(abs(base).bit_length() - 1, 0)
    if isinstance(base, Fraction):
        return max(abs(base.numerator).bit_length(), base.denominator.bit_length()) - 1
    return 0


def _power_of_zero(exponent: Any) -> Any:
    if (exponent.real if type(exponent) is complex else exponent) > 0:
        return 0.0
    divided_by_zero("expt")


def _complex_power(base: Any, exponent: Any) -> Any:
    try:
        return complex(base) ** exponent
    except OverflowError:
        return complex(math.nan, math.nan)


def _wide(number: Any) -> complex:
    return number if type(number) is complex else complex(flonum(number))


@LIBRARY.procedure("modulo-expt")
def modulo_expt(base: Any, exponent: Any, modulus: Any) -> Any:
    for position, number in enumerate((base, exponent, modulus), 1):
        if type(number) is not int:
            wrong_type("modulo-expt", position, number)
    try:
        return pow(base, exponent, modulus)
    except ValueError:  # the modulus is 0, or the base has no inverse
        divided_by_zero("modulo-expt")


@LIBRARY.procedure("exp")
def exp(number: Any) -> Any:
    if type(arguments.number("exp", 1, number)) is complex:
        try:
            return cmath.exp(number)
        except (OverflowError, ValueError):
            turn = number.imag
            if not math.isfinite(turn):
                return complex(math.nan, math.nan)
            return complex(math.inf * math.cos(turn), math.inf * math.sin(turn))
    try:
        return math.exp(flonum(number))
    except OverflowError:
        return math.inf


@LIBRARY.procedure("log")
def log(number: Any, base: Any = None) -> Any:
    if base is not None:
        return quotient_of(log(number), log(base))
    return _logarithm("log", number, 1.0)


@LIBRARY.procedure("log10")
def log10(number: Any) -> Any:
    if type(number) is int and number > 0:
        return math.log10(number)
    return _logarithm("log10", number, math.log(10))


def _logarithm(who: str, number: Any, of_base: float) -> Any:
    """The natural logarithm divided by that of a base. The one of 0.0 is infinite."""
    if type(arguments.number(who, 1, number)) is complex:
        size = -math.inf if number == 0 else cmath.log(number).real
        return complex(size / of_base, cmath.phase(number) / of_base)
    if type(number) is not float and number == 0:
        divided_by_zero(who)
    size = -math.inf if number == 0 else _natural_logarithm(abs(number)) / of_base
    return complex(size, math.pi / of_base) if math.copysign(1.0, _sign(number)) < 0 else size


def _sign(number: Any) -> Any:
    return number if type(number) is float else (-1 if number < 0 else 1)


def _natural_logarithm(number: Any) -> float:
    if type(number) is int or type(number) is float:
        return math.log(number)
    near = flonum(number)
    if 0 < near < math.inf:
        return math.log(near)
    return math.log(number.numerator) - math.log(number.denominator)


def _always(number: float) -> bool:
    return True


# Procedure, where its value is exact, what that is, where on the real line its values are real.
_FUNCTIONS: Final[tuple[tuple[str, int, int, Callable[[float], bool]], ...]] = (
    ("sin", 0, 0, _always),
    ("cos", 0, 1, _always),
    ("tan", 0, 0, _always),
    ("asin", 0, 0, lambda x: not abs(x) > 1),
    ("acos", 1, 0, lambda x: not abs(x) > 1),
    ("sinh", 0, 0, _always),
    ("cosh", 0, 1, _always),
    ("tanh", 0, 0, _always),
    ("asinh", 0, 0, _always),
    ("acosh", 1, 0, lambda x: not x < 1),
    ("atanh", 0, 0, lambda x: not abs(x) > 1),
)


def _transcendental(name: str, at: int, value: int, is_real: Callable[[float], bool]) -> None:
    of_real: Callable[[float], float] = getattr(math, name)
    of_complex: Callable[[complex], complex] = getattr(cmath, name)

    @LIBRARY.procedure(name)
    def transcendental(number: Any) -> Any:
        if type(number) is int and number == at:
            return value
        if type(arguments.number(name, 1, number)) is complex:
            return _in_the_plane(name, of_complex, number)
        x = flonum(number)
        if not is_real(x):
            # asin and acos are continuous with quadrant IV to the right of 1, others with I.
            below = x > 1 and name in ("asin", "acos")
            return _in_the_plane(name, of_complex, complex(x, -0.0 if below else 0.0))
        try:
            return of_real(x)
        except OverflowError:
            return math.copysign(math.inf, x) if name == "sinh" else math.inf
        except ValueError:
            return math.copysign(math.inf, x) if name == "atanh" else math.nan


def _in_the_plane(name: str, function: Callable[[complex], complex], number: complex) -> complex:
    try:
        return function(number)
    except OverflowError:
        return complex(math.nan, math.nan)
    except ValueError:
        if cmath.isfinite(number):  # a pole
            out_of_range(name, number)
        return complex(math.nan, math.nan)


for _row in _FUNCTIONS:
    _transcendental(*_row)


@LIBRARY.procedure("atan")
def atan(y: Any, x: Any = None) -> Any:
    if x is not None:
        arguments.real("atan", 1, y)
        return math.atan2(flonum(y), flonum(arguments.real("atan", 2, x)))
    if type(arguments.number("atan", 1, y)) is complex:
        return _in_the_plane("atan", cmath.atan, y)
    return 0 if type(y) is int and y == 0 else math.atan(flonum(y))
