"""Numbers as text and back: R7RS section 7.1.1, in every radix.

Exact integers are int, inexact reals float, exact ratios lang.rationals.Rational, and all other
numbers complex, whose parts are inexact, as in Guile. A complex number with an exact zero as its
imaginary part is real.
"""

from __future__ import annotations

import math
import re
import sys
from typing import Any, Final

# Exact integers have no bound in Scheme; Python refuses to convert long ones unless told so.
sys.set_int_max_str_digits(0)

_DECIMAL: Final = re.compile(
    r"[+-]?(?:([0-9]+)|([0-9]+/[0-9]+)"
    r"|((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEsSfFdDlL]([+-]?[0-9]+))?))"
)
_UNKNOWN_DIGITS: Final = re.compile(
    r"[+-]?(?:[0-9]+#*(?:/[0-9]+#*|\.#*)?|(?:[0-9]+\.[0-9]+|\.[0-9]+)#*)(?:[eEsSfFdDlL][+-]?[0-9]+)?"
)
_EXPONENT_MARKS: Final = str.maketrans("sSfFdDlL", "eeeeeeee")
_LARGEST_EXPONENT: Final = 100_000
"""Of exact numbers: their digits would fill the memory."""
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
    prefixed = False
    while text.startswith("#") and len(text) > 1:
        letter = text[1].lower()
        if letter in _RADIX_PREFIX and not prefixed:
            radix = _RADIX_PREFIX[letter]
            prefixed = True
        elif letter in "ei" and not exactness:
            exactness = letter
        else:
            return None
        text = text[2:]
    number = _parse_real(text, radix, exactness)
    if number is None and ("@" in text or text[-1:] in ("i", "I")) and radix <= _DIGITS.index("i"):
        return _parse_complex(text, radix, exactness)
    return number


def _parse_real(text: str, radix: int, exactness: str) -> Any:
    if radix == 10:
        number = _parse_decimal(text, exact=exactness == "e")
    else:
        number = _parse_in_radix(text, radix)
    if number is None or not exactness:
        return number
    if exactness == "i":
        return flonum(number)
    return None if isinstance(number, float) and not math.isfinite(number) else exact(number)


def _parse_complex(text: str, radix: int, exactness: str) -> Any:
    """A number written as its two parts, or as magnitude and angle."""
    size, at, turn = text.partition("@")
    if at:
        parts = _parse_real(size, radix, exactness), _parse_real(turn, radix, exactness)
        return None if None in parts else polar(*parts)
    text = text[:-1]
    # The sign of the imaginary part is the last one, unless that belongs to its exponent.
    for sign in reversed([at for at, letter in enumerate(text) if letter in "+-"]):
        imaginary = _parse_real(text[sign:] + ("" if text[sign + 1 :] else "1"), radix, exactness)
        real = _parse_real(text[:sign] or "0", radix, exactness if text[:sign] else "")
        if imaginary is not None and real is not None:
            return rectangular(real, imaginary)
    return None


def rectangular(real: Any, imaginary: Any) -> Any:
    """The number with these two real parts."""
    if type(imaginary) is int and imaginary == 0:
        return real
    return complex(flonum(real), flonum(imaginary))


def polar(magnitude: Any, angle: Any) -> Any:
    """The number with these polar coordinates."""
    if type(angle) is int and angle == 0:
        return magnitude
    if type(magnitude) is int and magnitude == 0:
        return 0
    size, turn = flonum(magnitude), flonum(angle)
    if not math.isfinite(turn):
        return complex(math.nan, math.nan)
    return complex(size * math.cos(turn), size * math.sin(turn))


def flonum(number: Any) -> float:
    """The float nearest to a real number: infinite where it is too large for any."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _parse_decimal(text: str, *, exact: bool) -> Any:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        if "#" in text and _UNKNOWN_DIGITS.fullmatch(text):
            number = _parse_decimal(text.replace("#", "0"), exact=exact)
            return number if exact or number is None else flonum(number)
        return _SPECIAL.get(text.lower())
    if match[1] is not None:
        return int(text)
    if match[2] is not None:
        return _ratio(*map(int, text.split("/")))
    text = text.translate(_EXPONENT_MARKS)
    if exact:
        if match[4] is not None and abs(int(match[4])) > _LARGEST_EXPONENT:
            return None
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
    return kind is int or kind is float or kind is complex or kind.__name__ == "Rational"


def is_real(value: Any) -> bool:
    """Whether `value` is a Scheme number on the real line."""
    kind = type(value)
    return kind is int or kind is float or kind.__name__ == "Rational"


def is_rational_type(kind: type) -> bool:
    """Whether `kind` is the type of exact ratios; asked by name, so that it need not be loaded."""
    return kind.__name__ == "Rational"


def format_number(number: Any, radix: int = 10) -> str:
    """The shortest text that reads as `number` again, for inexact numbers in radix 10 only."""
    kind = type(number)
    if kind is int:
        return str(number) if radix == 10 else _format_integer(number, radix)
    if kind is float:
        return _format_float(number, radix)
    if kind is complex:
        imaginary = _format_float(number.imag, radix)
        sign = "" if imaginary[0] in "+-" else "+"
        return f"{_format_float(number.real, radix)}{sign}{imaginary}i"
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


def _format_float(number: float, radix: int) -> str:
    """Guile's choice: positional where few zeros stand around the digits, else with an exponent."""
    if math.isnan(number):
        return "+nan.0"
    if math.isinf(number):
        return "+inf.0" if number > 0 else "-inf.0"
    sign = "-" if math.copysign(1.0, number) < 0 else ""
    if number == 0:
        return f"{sign}0.0"
    digits, point = _decimal_digits(number) if radix == 10 else _shortest_digits(number, radix)
    zeros = point - len(digits)
    if point <= -3 or (point > 7 and zeros > 3):
        exponent = format_number(point - 1, radix)
        return f"{sign}{digits[0]}.{digits[1:] or '0'}e{exponent}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    digits += "0" * zeros
    return f"{sign}{digits[:point]}.{digits[point:] or '0'}"


def _decimal_digits(number: float) -> tuple[str, int]:
    """The shortest DIGITS and the POINT such that `number` is 0.DIGITS times ten to the POINT."""
    mantissa, _, power = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(power or 0) - (len(whole + fraction) - len(digits))
    return digits.rstrip("0"), point


def _shortest_digits(number: float, radix: int) -> tuple[str, int]:
    """`_decimal_digits` in another radix (Burger and Dybvig's free-format algorithm)."""
    number = abs(number)
    unit = math.ulp(number)
    value = int(number / unit)
    numerator, denominator = unit.as_integer_ratio()
    # number = rest / scale; what lies between rest - below and rest + above reads as `number`.
    rest, scale, below, above = 2 * value * numerator, 2 * denominator, numerator, numerator
    if value == 1 << 52 and unit > math.ulp(0.0):
        rest, scale, above = rest * 2, scale * 2, above * 2
    closed = value % 2 == 0
    point = 0
    while rest + above > scale or (closed and rest + above == scale):
        scale *= radix
        point += 1
    while (rest + above) * radix < scale or (not closed and (rest + above) * radix == scale):
        rest, above, below = rest * radix, above * radix, below * radix
        point -= 1
    digits = []
    while True:
        digit, rest = divmod(rest * radix, scale)
        above, below = above * radix, below * radix
        low = rest < below or (closed and rest == below)
        high = rest + above > scale or (closed and rest + above == scale)
        if low or high:
            digits.append(digit + (high and (not low or 2 * rest >= scale)))
            return "".join(_DIGITS[digit] for digit in digits), point
        digits.append(digit)
