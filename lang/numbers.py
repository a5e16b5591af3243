"""Numbers as text and back: R7RS section 7.1.1's real numbers, in every radix.

Exact integers are int, inexact reals float, exact ratios lang.rationals.Rational. Complex numbers
are not supported: to read one is an error.
"""

from __future__ import annotations

import math
import re
import sys
from typing import Any, Final

# Exact integers have no bound in Scheme; Python refuses to convert long ones unless told so.
sys.set_int_max_str_digits(0)

_DECIMAL: Final = re.compile(
    r"[+-]?(?:([0-9]+)|([0-9]+/[0-9]+)|((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?))"
)
_UNSIGNED: Final = r"(?:[0-9]+/[0-9]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)"
_INFINITE: Final = r"(?:inf|nan)\.0"
_REAL: Final = rf"(?:[+-]?{_UNSIGNED}|[+-]{_INFINITE})"
_COMPLEX: Final = re.compile(
    rf"{_REAL}?[+-](?:{_UNSIGNED}|{_INFINITE})?i|{_REAL}@{_REAL}", re.IGNORECASE
)
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_SPECIAL: Final = {
    "+inf.0": float("inf"),
    "-inf.0": float("-inf"),
    "+nan.0": float("nan"),
    "-nan.0": float("nan"),
}
_RADIX_PREFIX: Final = {"x": 16, "d": 10, "o": 8, "b": 2}


def parse_number(text: str, radix: int = 10) -> Any:
    """The number that `text` denotes, or None. Prefixes such as #x or #e are understood."""
    exactness = ""
    while text.startswith("#") and len(text) > 1:
        letter = text[1].lower()
        if letter in _RADIX_PREFIX:
            radix = _RADIX_PREFIX[letter]
        elif letter in "ei" and not exactness:
            exactness = letter
        else:
            return None
        text = text[2:]
    if radix == 10:
        number = _parse_decimal(text, exact=exactness == "e")
    else:
        number = _parse_in_radix(text, radix)
    if number is None or not exactness:
        return number
    if exactness == "i":
        return float(number)
    return None if isinstance(number, float) and not math.isfinite(number) else exact(number)


def denotes_complex(text: str) -> bool:
    """Whether `text` is that of a complex number, which no symbol can be written as."""
    return _COMPLEX.fullmatch(text) is not None


def _parse_decimal(text: str, *, exact: bool) -> Any:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return _SPECIAL.get(text.lower())
    if match[1] is not None:
        return int(text)
    if match[2] is not None:
        return _ratio(*map(int, text.split("/")))
    if exact:
        from lang.rationals import normalised

        return normalised(text)
    return float(text)


def _parse_in_radix(text: str, radix: int) -> Any:
    lowered = text.lower()
    if lowered in _SPECIAL:
        return _SPECIAL[lowered]
    allowed = _DIGITS[:radix]
    numerator, slash, denominator = lowered.partition("/")
    unsigned = numerator[1:] if numerator[:1] in ("+", "-") else numerator
    if not unsigned or unsigned.strip(allowed) or (denominator or "0").strip(allowed):
        return None
    if not slash:
        return int(numerator, radix)
    return _ratio(int(numerator, radix), int(denominator, radix)) if denominator else None


def _ratio(numerator: int, denominator: int) -> Any:
    if denominator == 0:
        return None
    if numerator % denominator == 0:
        return numerator // denominator
    from lang.rationals import Rational

    return Rational(numerator, denominator)


def exact(number: Any) -> Any:
    """The exact number equal to `number`, which must be finite."""
    if not isinstance(number, float):
        return number
    if number.is_integer():
        return int(number)
    return _ratio(*number.as_integer_ratio())


def is_number(value: Any) -> bool:
    """Whether `value` is a Scheme number (a boolean is none)."""
    kind = type(value)
    return kind is int or kind is float or kind.__name__ == "Rational"


def is_rational_type(kind: type) -> bool:
    """Whether `kind` is the type of exact ratios; asked by name, so that it need not be loaded."""
    return kind.__name__ == "Rational"


def format_number(number: Any, radix: int = 10) -> str:
    """The shortest text that reads as `number` again. Inexact numbers have radix 10 only."""
    kind = type(number)
    if kind is int:
        return str(number) if radix == 10 else _format_integer(number, radix)
    if kind is float:
        if radix != 10:
            raise ValueError(f"inexact numbers cannot be written in radix {radix}")
        return _format_float(number)
    numerator = format_number(number.numerator, radix)
    return f"{numerator}/{format_number(number.denominator, radix)}"


def _format_integer(number: int, radix: int) -> str:
    if radix in (2, 8, 16):
        return format(number, {2: "b", 8: "o", 16: "x"}[radix])
    digits = []
    rest = abs(number)
    while rest:
        rest, digit = divmod(rest, radix)
        digits.append(_DIGITS[digit])
    return ("-" if number < 0 else "") + ("".join(reversed(digits)) or "0")


def _format_float(number: float) -> str:
    """Guile's choice: positional where few zeros stand around the digits, else with an exponent."""
    if math.isnan(number):
        return "+nan.0"
    if math.isinf(number):
        return "+inf.0" if number > 0 else "-inf.0"
    sign = "-" if math.copysign(1.0, number) < 0 else ""
    mantissa, _, power = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The value is 0.DIGITS times ten to the `point`.
    point = len(whole) + int(power or 0) - (len(whole + fraction) - len(digits) if digits else 0)
    digits = digits.rstrip("0")
    if not digits:
        return f"{sign}0.0"
    zeros = point - len(digits)
    if point <= -3 or (point > 7 and zeros > 3):
        return f"{sign}{digits[0]}.{digits[1:] or '0'}e{point - 1}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    digits += "0" * zeros
    return f"{sign}{digits[:point]}.{digits[point:] or '0'}"
