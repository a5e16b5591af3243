"""Data on one line of a given width: what has no room is `#`, what follows is left out."""

from __future__ import annotations

from typing import Any, Final

from lang.data import NIL, MString, Pair, python_list
from lang.printer import display, write
from lang.runtime.late.arrays import Array, array_to_list
from lang.runtime.late.bitvectors import BitVector
from lang.runtime.primitives.lists import is_list

_LEFT_OUT: Final = "…"
_UNIFORM: Final = 9
"""Vectors of numbers in fewer columns are left out."""


def truncated(
    value: Any, width: int, *, as_display: bool = False, breadth_first: bool = False
) -> str:
    """`value` in at most `width` columns. Breadth first, the items of a list share the columns
    evenly; otherwise the first ones get what they need."""
    return _Cut(as_display, breadth_first).shown(value, width)


class _Cut:
    def __init__(self, as_display: bool, breadth_first: bool) -> None:
        self.as_display = as_display
        self.breadth_first = breadth_first

    def shown(self, value: Any, width: int) -> str:
        """`value` in at most `width` columns."""
        kind = type(value)
        if kind is list:
            return self._sequence("#(", value, width)
        if kind is Pair or value is NIL:
            if is_list(value):
                return self._sequence("(", python_list(value), width)
            return self._dotted(value, width)
        if kind is bytes or kind is bytearray:
            return self._sequence("#vu8(", list(value), width, _UNIFORM)
        if kind is Array:
            opener, parenthesis, _ = write(value).partition("(")
            items = python_list(array_to_list(value)) if value.bounds else [array_to_list(value)]
            least = _UNIFORM if opener[1].isalpha() else 0
            return self._sequence(opener + parenthesis, items, width, least)
        text = display(value) if self.as_display else write(value)
        if len(text) <= width:
            return text
        if kind is BitVector and width > 2:
            return text[: width - 1] + _LEFT_OUT
        if (kind is str or kind is MString) and not self.as_display and width > 2:
            return text[: width - 2] + _LEFT_OUT + '"'
        if text.startswith("#<") and width > 3:
            return text[: width - 2] + _LEFT_OUT + ">"
        return "#"

    def _sequence(self, opener: str, items: list[Any], width: int, least: int = 0) -> str:
        room = width - len(opener) - 1
        if room < 1 or width < least:
            return "#"
        parts = []
        last = len(items) - 1
        for number, item in enumerate(items):
            if number == last and (not number or room > 1):
                parts.append(self.shown(item, room - 1 if number else room))
            elif room > 2:
                share = room // (len(items) - number) - 1 if self.breadth_first else room - 2
                parts.append(self.shown(item, max(share, 1)))
                room -= len(parts[-1]) + 1
            else:
                parts.append(_LEFT_OUT)
                break
        return f"{opener}{' '.join(parts)})"

    def _dotted(self, value: Any, width: int) -> str:
        room = width - len("(. #)")
        if room < 0:
            return "#"
        parts = ["("]
        while type(value) is Pair and room > 1:
            parts.append(self.shown(value.car, room - 1) + " ")
            room -= len(parts[-1])
            value = value.cdr
        return f"{''.join(parts)}. {self.shown(value, room + 1)})"
