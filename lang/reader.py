"""Text -> data. The fast reader reads; where it cannot, the Lark grammar says what is wrong."""

from __future__ import annotations

from typing import Any

from lang import fastreader
from lang.data import EOF
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


def read_one(text: str, start: int = 0) -> tuple[Any, int]:
    """The first datum of `text` from offset `start` on and where it ends; EOF if there is none.

    Its pairs have no positions. Raises errors.ReadError, whose position is in no source.
    """
    try:
        return fastreader.read_one(text, start)
    except fastreader.MalformedError:
        rest = text[start:]
        data = parse_with_lark(Source("port", rest, -len(rest) - 1))
        return (data[0], len(text)) if data else (EOF, len(text))
