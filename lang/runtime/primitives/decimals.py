"""Floats in decimal digits, as `format` writes them with ~F, ~E, ~G and ~$."""

from __future__ import annotations

from lang.numbers import format_number


def fixed(value: float, width: int, digits: int | None) -> str:
    """`value` without an exponent: `digits` places, or as many of its own as `width` allows."""
    if value - value != 0:
        return format_number(value)
    if digits is None:
        text = _positional(value)
        room = width - text.index(".") - 1
        if not width or len(text) <= width or room < 0:
            return text
        digits = room
    return rounded(value, f".{digits}f") + ("" if digits else ".")


def magnitude(value: float) -> int:
    """The n of 10^(n-1) <= |value| < 10^n; 0 for zero."""
    from decimal import Decimal

    if not value or value - value != 0:
        return 0
    return Decimal(repr(value)).adjusted() + 1


def rounded(value: float, form: str) -> str:
    """`value` by Python's format specification `form`: its shortest digits, 5 rounded up."""
    from decimal import ROUND_HALF_UP, Decimal, localcontext

    if not value or value - value != 0:
        return format(value, form)
    with localcontext() as context:
        context.rounding = ROUND_HALF_UP
        return format(Decimal(repr(value)), form)


def _positional(value: float) -> str:
    """A float's shortest digits without an exponent."""
    from decimal import Decimal

    text = format(Decimal(repr(value)), "f")
    return text if "." in text else f"{text}.0"


def exponential(
    value: float, width: int, digits: int | None, *, least: int, scale: int, mark: str
) -> str:
    """`value`, which is not negative, with an exponent of `least` digits or more after `mark`:
    `scale` digits before the point, as many after it that there are `digits` + 1 of them. If
    `digits` is None, all of its own, or as many as `width` allows.
    """
    from decimal import ROUND_HALF_UP, Decimal

    exact = Decimal(repr(float(value))).normalize()
    shown = exact.adjusted() - scale + 1 if value else 0
    while True:
        mantissa = exact.scaleb(-shown)
        tail = f"{mark}{'-' if shown < 0 else '+'}{abs(shown):0{least}d}"
        text = format(mantissa, "f")
        whole, _, own = text.partition(".")
        places = None if digits is None else max(0, digits - max(0, scale - 1))
        room = width - len(f"{whole}.{tail}")
        if places is None and 0 <= room < len(own or "0") and width:
            places = room
        if places is None:
            return f"{whole}.{own or '0'}{tail}"
        near = mantissa.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        if near.adjusted() < scale or scale < 1 or not value:
            return format(near, "f") + ("" if places else ".") + tail
        shown += 1
