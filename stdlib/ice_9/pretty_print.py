"""(ice-9 pretty-print): data broken into lines as a person would."""

from __future__ import annotations

from typing import Any

from lang.data import UNSPECIFIED, Keyword
from lang.pretty import pretty
from lang.printer import write
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.ports import target

LIBRARY = Library("ice-9", "pretty-print")


@LIBRARY.procedure("pretty-print")
def pretty_print(value: Any, *options: Any) -> Any:
    """Takes a port, and keywords: #:port #:width #:per-line-prefix #:display?."""
    rest = list(options)
    port: Any = rest.pop(0) if rest and type(rest[0]) is not Keyword else None
    given = {key.name: item for key, item in zip(rest[::2], rest[1::2], strict=False)}
    prefix = str(given.get("per-line-prefix", ""))
    width = arguments.index("pretty-print", 0, given.get("width", 79))
    text = pretty(value, width - len(prefix), as_display=given.get("display?", False) is not False)
    shown = "".join(f"{prefix}{line}\n" for line in text.split("\n"))
    target("pretty-print", 2, given.get("port", port)).write(shown)
    return UNSPECIFIED


@LIBRARY.procedure("truncated-print")
def truncated_print(value: Any, *options: Any) -> Any:
    """One line of at most #:width columns."""
    rest = list(options)
    port: Any = rest.pop(0) if rest and type(rest[0]) is not Keyword else None
    given = {key.name: item for key, item in zip(rest[::2], rest[1::2], strict=False)}
    width = arguments.index("truncated-print", 0, given.get("width", 79))
    text = write(value)
    if len(text) > width:
        text = text[: max(width - 1, 0)] + "…"
    target("truncated-print", 2, given.get("port", port)).write(text)
    return UNSPECIFIED
