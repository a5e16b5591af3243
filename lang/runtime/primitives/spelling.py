"""Integers in English words and in Roman numerals, as `format` writes them with ~R."""

from __future__ import annotations

from typing import Final

_SMALL: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
_TENS: Final = (
    *("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
)
_THOUSANDS: Final = (
    *("", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion"),
    *("sextillion", "septillion", "octillion", "nonillion", "decillion", "undecillion"),
    *("duodecillion", "tredecillion", "quattuordecillion", "quindecillion", "sexdecillion"),
    *("septendecillion", "octodecillion", "novemdecillion", "vigintillion"),
)
TOO_LARGE: Final = 1000 ** len(_THOUSANDS)
"""The first number for which there are no words."""

_IRREGULAR: Final = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_ROMAN: Final = (
    *((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L")),
    *((40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")),
)


def cardinal(number: int) -> str:
    """ "forty-two"; `number` is less than TOO_LARGE, as its ordinal's must be."""
    if number < 0:
        return f"minus {cardinal(-number)}"
    groups = []
    rest = number
    for name in _THOUSANDS:
        rest, group = divmod(rest, 1000)
        if group:
            groups.append(f"{_group(group)} {name}".rstrip())
    return ", ".join(reversed(groups)) or "zero"


def ordinal(number: int) -> str:
    """ "forty-second"."""
    if number < 0:
        return f"minus {ordinal(-number)}"
    last = number % 100
    if number and not last:
        return f"{cardinal(number)}th"
    stem, hyphen, unit = _group(last).rpartition("-")
    if unit in _IRREGULAR:
        word = _IRREGULAR[unit]
    else:
        word = f"{unit[:-1]}ieth" if unit.endswith("y") else f"{unit}th"
    head = f"{cardinal(number - last)} " if number > last else ""
    return f"{head}{stem}{hyphen}{word}"


def _group(number: int) -> str:
    """A number below 1000."""
    hundreds, rest = divmod(number, 100)
    words = [f"{_SMALL[hundreds]} hundred"] if hundreds else []
    if rest >= 20:
        words.append(_TENS[rest // 10] + (f"-{_SMALL[rest % 10]}" if rest % 10 else ""))
    elif rest or not hundreds:
        words.append(_SMALL[rest])
    return " ".join(words)


def roman(number: int, *, old: bool = False) -> str:
    """XLII, or in the `old` style, which does not subtract, XXXXII; `number` is not negative."""
    pieces = []
    for value, letters in _ROMAN:
        if not (old and len(letters) == 2):
            pieces.append(letters * (number // value))
            number %= value
    return "".join(pieces)
