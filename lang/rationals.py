"""Exact ratios. A module of its own because importing `fractions` costs 8 ms that few need."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any


class Rational(Fraction):
    """A ratio that is no integer. Arithmetic gives an int wherever the result is integral."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def normalised(value: Any) -> Any:
    """An int or a Rational for an exact number, or for the text of one ("1.5", "2/3")."""
    fraction = Fraction(value)
    if fraction.denominator == 1:
        return fraction.numerator
    return Rational(fraction)


def _normalising(operation: Callable[..., Any]) -> Callable[..., Any]:
    def operate(*operands: Any) -> Any:
        result = operation(*operands)
        return normalised(result) if isinstance(result, Fraction) else result

    return operate


for _name in (
    *("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__"),
    *("__truediv__", "__rtruediv__", "__mod__", "__rmod__", "__pow__", "__rpow__"),
    *("__pos__", "__neg__", "__abs__"),
):
    setattr(Rational, _name, _normalising(getattr(Fraction, _name)))
