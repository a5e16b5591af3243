"""Numbers: their text, exactness, and that ratios stay normal."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lang.numbers import exact, format_number, is_number, parse_number
from lang.rationals import Rational, normalised
from lang.runtime.equality import is_eqv


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("+12", 12),
        ("-0", 0),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1E-2", 0.01),
        ("4/2", 2),
        ("#x-fF", -255),
        ("#b101", 5),
        ("#o17", 15),
        ("#e1e2", 100),
        ("#i1/4", 0.25),
        ("#x#e10", 16),
        ("#e#x10", 16),
        ("-inf.0", float("-inf")),
        *(("1s2", 100.0), ("1F2", 100.0), ("-1.5d-1", -0.15), ("1L0", 1.0), ("#e1f2", 100)),
        *(("1#", 10.0), ("1#.#", 10.0), ("1/2#", 0.05), ("#e1#", 10), ("1.#e1", 10.0)),
        *(("1+2i", 1 + 2j), ("+i", 1j), ("-i", -1j), ("+2.5I", 2.5j), ("1e2-3e-2i", 100 - 0.03j)),
        *(("1/2+3/4i", 0.5 + 0.75j), ("+inf.0i", complex(0, float("inf"))), ("1-.5i", 1 - 0.5j)),
        *(("1+0i", 1), ("1.5-0i", 1.5), ("1+0.0i", 1 + 0j), ("2@0", 2), ("0@5", 0)),
        *(
            ("#x1+fi", 1 + 15j),
            ("#i1+0i", 1 + 0j),
            ("#e1.5+0.0i", Fraction(3, 2)),
            ("+1@-0.", 1 + 0j),
        ),
    ],
)
def test_text_is_a_number(text: str, value: Any) -> None:
    parsed = parse_number(text)
    assert parsed == value
    assert isinstance(parsed, type(value))
    assert is_number(parsed)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "+",
            "-",
            ".",
            "...",
            "1+",
            "a",
            "1/0",
            "1/",
            "/2",
            "1_000",
            "1 ",
            "٣",
            "#xfg",
            "0x10",
        ),
        *("inf.0", "e5", "1e", "#e+inf.0", "#x", "#q1", "--1", "1/2/3", "1.5/2", "#x#x1", "#e#e1"),
        *(
            "i",
            "1i",
            "1+2ii",
            "1++2i",
            "1@2@3",
            "1@2i",
            "1@+i",
            "1+2i+3i",
            "1+e2i",
            "@1",
            "1@",
            "+@",
        ),
        *("12##.5", "#.1", "1#1", "#e1e1000000000", "1/0+i", "+ii", "1_0+i"),
    ],
)
def test_text_is_no_number(text: str) -> None:
    assert parse_number(text) is None


def test_huge_numbers_are_read_and_written() -> None:
    digits = "9" * 10_000
    assert format_number(parse_number(digits)) == digits


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (100.0, "100.0"),
        (1e6, "1000000.0"),
        (1e7, "1.0e7"),
        (1234567e1, "12345670.0"),
        (1e21, "1.0e21"),
        (0.001, "0.001"),
        (0.0001, "1.0e-4"),
        (-0.0, "-0.0"),
        (5e-324, "5.0e-324"),
        (float("nan"), "+nan.0"),
        (float("-inf"), "-inf.0"),
    ],
)
def test_floats_are_written_as_guile_does(number: float, text: str) -> None:
    assert format_number(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=0), st.integers(2, 36))
@example(2.0**-1022, 2)
@example(5e-324, 3)
@example(2.0**53, 36)
def test_digits_in_any_radix_are_the_shortest_that_tell_a_float_from_its_neighbours(
    number: float, radix: int
) -> None:
    text = format_number(number, radix)
    if "e" in text and radix > 14:
        return  # may be a digit
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    unit = Fraction(radix) ** (int(exponent or "0", radix) - len(fraction))
    value = int(whole + fraction, radix) * unit
    assert float(value) == number
    cut = (whole + fraction).rstrip("0")[:-1]
    if cut:
        scale = Fraction(radix) ** (len(whole + fraction) - len(cut))
        shorter = int(cut, radix) * scale * unit
        assert float(shorter) != number
        assert (
            shorter + scale * unit > Fraction(sys.float_info.max)
            or float(shorter + scale * unit) != number
        )


@given(st.complex_numbers())
def test_complex_numbers_are_read_as_they_are_written(number: complex) -> None:
    again = parse_number(format_number(number))
    assert type(again) is complex
    assert is_eqv(again, number)


@given(st.fractions(), st.fractions())
def test_arithmetic_on_ratios_gives_integers_where_it_can(a: Fraction, b: Fraction) -> None:
    x, y = normalised(a), normalised(b)
    for ours, theirs in ((x + y, a + b), (x - y, a - b), (x * y, a * b), (-x, -a), (+x, a)):
        assert ours == theirs
        assert type(ours) is (int if theirs.denominator == 1 else Rational)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_exact_numbers_equal_the_floats_they_come_from(number: float) -> None:
    assert exact(number) == number


def test_booleans_are_no_numbers() -> None:
    assert not is_number(True)
    assert is_number(Rational(1, 2))
