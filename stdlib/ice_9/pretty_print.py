"""(ice-9 pretty-print): data broken into lines as a person would, or cut to fit one line."""

from __future__ import annotations

from typing import Any

from lang.data import UNDEFINED, UNSPECIFIED
from lang.pretty import pretty
from lang.runtime.inline import parse_keywords
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.ports import target
from lang.runtime.signals import misc_error
from lang.truncated import truncated

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
    as_display, breadth_first = (given[n] is not False for n in ("display?", "breadth-first?"))
    text = truncated(value, width, as_display=as_display, breadth_first=breadth_first)
    target(who, 2, given["port"]).write(text)
    return UNSPECIFIED
