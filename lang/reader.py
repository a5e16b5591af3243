"""Text -> data. The fast reader reads; where it cannot, the Lark grammar says what is wrong."""

from __future__ import annotations

from typing import Any

from lang import fastreader
from lang.sources import Source


def read_all(source: Source) -> list[Any]:
    """All data in `source`. Each pair that was written with a parenthesis, or abbreviated, has the
    position of its first character.

    Raises errors.ReadError with the position and a message.
    """
    try:
        return fastreader.read(source.text, source.base)
    except fastreader.MalformedError:
        return parse_with_lark(source)


def parse_with_lark(source: Source) -> list[Any]:
    """What `read_all` gives, by the normative grammar; slower. Raises errors.ReadError."""
    from lang.parser import parse

    return parse(source)
