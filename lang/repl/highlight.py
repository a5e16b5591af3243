"""Text in pieces, each with what it is: for whoever can show colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lang.data import symbol
from lang.modules import Module
from lang.numbers import parse_number
from lang.repl.scan import BAD, UNCLOSED, scan
from lang.syntax import Macro, Special

_STYLES: Final = {
    "STRING": "string",
    "CHARACTER": "string",
    "LINE_COMMENT": "comment",
    "BLOCK_COMMENT": "comment",
    "SCRIPT": "comment",
    "DATUM_COMMENT": "comment",
    "KEYWORD": "keyword",
    "BOOLEAN": "constant",
    "PREFIXED_NUMBER": "constant",
    "BIT_VECTOR": "constant",
    "SPECIAL": "constant",
    "ABBREVIATION": "quote",
    BAD: "error",
}
STYLES: Final = frozenset({*_STYLES.values(), "syntax", "plain", "command"})
"""The styles that pieces have. "syntax" are the names of forms."""


def highlighted(text: str, module: Module) -> Iterator[tuple[str, str]]:
    """The pieces of `text` with their styles; names mean what they mean in `module`."""
    at = len(text) - len(text.lstrip())
    if text.startswith(",", at):
        end = at
        while end < len(text) and not text[end].isspace():
            end += 1
        yield "command", text[:end]
        text = text[end:]
    opened = False
    for kind, start, stop in scan(text):
        piece = text[start:stop]
        if kind == "WORD":
            yield _word(piece, module, opened), piece
        elif kind == UNCLOSED:
            yield "comment" if piece.startswith("#|") else "string", piece
        elif piece.startswith("#<"):
            yield "plain", piece  # what cannot be read back: an error soon enough
        else:
            yield _STYLES.get(kind, "plain"), piece
        opened = kind in ("LEFT_PAREN", "LEFT_BRACKET") or (opened and kind == "SPACE")


def _word(text: str, module: Module, opened: bool) -> str:
    if parse_number(text) is not None:
        return "constant"
    if opened and type(module.resolve(symbol(text))) in (Special, Macro):
        return "syntax"
    return "plain"
