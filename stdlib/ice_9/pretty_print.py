"""(ice-9 pretty-print): data broken into lines as a person would, or cut to fit one line."""

from __future__ import annotations

from typing import Any, Final

from lang.data import NIL, UNDEFINED, UNSPECIFIED, MString, Pair, python_list
from lang.pretty import pretty
from lang.printer import display, write
from lang.runtime.inline import parse_keywords
from lang.runtime.late.arrays import Array, array_to_list
from lang.runtime.late.bitvectors import BitVector
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.lists import is_list
from lang.runtime.primitives.ports import target
from lang.runtime.signals import misc_error

LIBRARY = Library("ice-9", "pretty-print")


def _options(who: str, given: tuple[Any, ...], defaults: dict[str, Any]) -> dict[str, Any]:
    """The port, which is an optional argument, too, and the values of the keywords."""
    names = ("port", *defaults)
    port, *values = parse_keywords(who, given, 1, names, False, False)
    usual = (None if port is UNDEFINED else port, *defaults.values())
    pairs = zip(names, values, usual, strict=True)
    return {name: other if value is UNDEFINED else value for name, value, other in pairs}


@LIBRARY.procedure("pretty-print")
def pretty_print(value: Any, *options: Any) -> Any:
    """Takes a port, and keywords: #:port #:width #:per-line-prefix #:display?; #:max-expr-width is
    taken, too, but where lines break does not depend on it."""
    who = "pretty-print"
    defaults = {"width": 79, "max-expr-width": 50, "per-line-prefix": "", "display?": False}
    given = _options(who, options, defaults)
    prefix = arguments.string(who, 0, given["per-line-prefix"])
    width = arguments.index(who, 0, given["width"])
    text = pretty(value, width - len(prefix), as_display=given["display?"] is not False)
    shown = "".join(f"{prefix}{line}\n" for line in text.split("\n"))
    target(who, 2, given["port"]).write(shown)
    return UNSPECIFIED


@LIBRARY.procedure("truncated-print")
def truncated_print(value: Any, *options: Any) -> Any:
    """One line of at most #:width columns; takes a port, and #:port #:display? #:breadth-first?."""
    who = "truncated-print"
    given = _options(who, options, {"width": 79, "display?": False, "breadth-first?": False})
    width = arguments.integer(who, 0, given["width"])
    if width <= 0:
        misc_error(who, "expected a positive width, not ~S", given["width"])
    cut = _Cut(given["display?"] is not False, given["breadth-first?"] is not False)
    target(who, 2, given["port"]).write(cut.shown(value, width))
    return UNSPECIFIED


_LEFT_OUT: Final = "…"
_UNIFORM: Final = 9
"""Vectors of numbers in fewer columns are left out."""


class _Cut:
    """Writes in a given number of columns: what has no room is #, what follows is left out."""

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
