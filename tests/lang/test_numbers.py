"""Numbers: their text, exactness, and that ratios stay normal."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lang.numbers import exact, format_number, is_number, parse_number
from lang.rationals import Rational, normalised


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
    ],
)
def test_text_is_a_number(text: str, value: Any) -> None:
    parsed = parse_number(text)
    assert parsed == value
    assert type(parsed) is type(value)


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
        *("inf.0", "e5", "1e", "#e+inf.0", "#x", "#q1", "--1", "1/2/3", "1.5/2", "+i", "1+2i"),
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


def test_inexact_numbers_have_radix_ten_only() -> None:
    with pytest.raises(ValueError, match="radix 2"):
        format_number(0.5, 2)


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
