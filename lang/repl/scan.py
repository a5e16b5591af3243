"""What an editor wants to know of Scheme text that may be unfinished: its tokens, its open
brackets, whether it is complete, and where the next line starts.

The tokens are the grammar's own terminals; whatever none of them matches is a token, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

from lang import tokens
from lang.fastreader import GRAMMAR_FILE, terminals
from lang.pretty import BODY_AFTER

UNCLOSED: Final = "UNCLOSED"
"""The kind of a token whose end is missing: a string, a comment, a symbol in bars."""
BAD: Final = "BAD"
"""The kind of characters that start no token."""

_CLOSERS: Final = {"RIGHT_PAREN": ")", "RIGHT_BRACKET": "]"}
_OPENERS: Final = {
    "LEFT_PAREN": ")",
    "LEFT_BRACKET": "]",
    "VECTOR_OPEN": ")",
    "BYTEVECTOR_OPEN": ")",
    "ARRAY_OPEN": ")",
}
_BETWEEN: Final = frozenset(
    {"SPACE", "LINE_COMMENT", "BLOCK_COMMENT", "FOLDING", "STANDARD", "SCRIPT"}
)
_PREFIXES: Final = frozenset({"ABBREVIATION", "DATUM_COMMENT", "LABEL"})


class Token(NamedTuple):
    """A piece of text: its terminal in the grammar (or UNCLOSED, BAD) and its offsets."""

    kind: str
    start: int
    end: int


class Child(NamedTuple):
    """A datum inside a list: the kind of its first token, and its offsets without prefixes."""

    kind: str
    start: int
    end: int


@dataclass(slots=True)
class Frame:
    """An open bracket at offset `start`, what has been read inside it, and whether a prefix such
    as a quote stands before it."""

    start: int
    kind: str
    quoted: bool
    children: list[Child] = field(default_factory=list)


@dataclass(slots=True)
class Shape:
    """How a text stands at its end: `frames` are the brackets that are open, `frames[0]` is the
    text itself. `stop` is the unclosed token that it ends in; `waiting` says that a prefix waits
    for its datum; `broken`, that a bracket does not match; `last` is the last token."""

    frames: list[Frame]
    stop: Token | None = None
    waiting: bool = False
    broken: bool = False
    last: Token | None = None

    @property
    def unfinished(self) -> bool:
        """Could more text make it complete?"""
        return not self.broken and bool(self.stop or self.waiting or len(self.frames) > 1)


@cache
def _pattern() -> re.Pattern[str]:
    found = terminals(GRAMMAR_FILE.read_text(encoding="utf-8"))
    # a DOT is a WORD, too: it goes first
    names = sorted(found, key=lambda name: name != "DOT")
    return re.compile("|".join(f"(?P<{name}>{found[name]})" for name in names))


def scan(text: str) -> Iterator[Token]:
    """The tokens of any text, one after the other without gaps."""
    match = _pattern().match
    at = 0
    while at < len(text):
        found = match(text, at)
        if found is None:
            kind, end = _stray(text, at)
        else:
            kind, end = found.lastgroup or BAD, found.end()
            if kind == "BLOCK_COMMENT":
                end = tokens.comment_end(text, at)
                if end < 0:
                    kind, end = UNCLOSED, len(text)
        yield Token(kind, at, end)
        at = end


def _stray(text: str, at: int) -> tuple[str, int]:
    if text[at] in '"|' or text.startswith(("#{", "#!"), at):
        return UNCLOSED, len(text)
    if text[at] == "#":
        word = re.compile(r"#[^\s()\[\]{}\";]*").match(text, at)
        assert word is not None
        return BAD, word.end()
    return BAD, at + 1


def shape(text: str) -> Shape:
    """How `text` stands at its end."""
    result = Shape([Frame(0, "", False)])
    frames = result.frames
    for token in scan(text):
        kind = token.kind
        result.last = token
        if kind in _BETWEEN:
            continue
        if kind in _PREFIXES:
            result.waiting = True
            continue
        if kind == UNCLOSED:
            result.stop = token
            break
        if kind in _OPENERS:
            frames.append(Frame(token.start, kind, result.waiting))
        elif kind in _CLOSERS:
            if len(frames) == 1 or _OPENERS[frames[-1].kind] != _CLOSERS[kind] or result.waiting:
                result.broken = True
                break
            closed = frames.pop()
            frames[-1].children.append(Child(closed.kind, closed.start, token.end))
        else:
            frames[-1].children.append(Child(*token))
        result.waiting = False
    return result


def is_unfinished(text: str) -> bool:
    """Does `text` stop in the middle of a datum?"""
    return shape(text).unfinished


def _no_body(_head: str) -> bool:
    return False


def indentation(text: str, has_body: Callable[[str], bool] = _no_body) -> int:
    """The column in which a line after `text` starts. `has_body` knows further forms, beside
    those of lang.pretty, whose operands are indented by two columns."""
    found = shape(text)
    if found.stop is not None or len(found.frames) == 1:
        return 0
    frame = found.frames[-1]
    column = _column(text, frame.start)
    children = frame.children
    if not children:
        return column + (1 if frame.kind in ("LEFT_PAREN", "LEFT_BRACKET") else 2)
    head = children[0]
    if head.kind != "WORD" or frame.quoted or frame.kind not in ("LEFT_PAREN", "LEFT_BRACKET"):
        return _column(text, head.start)
    name = text[head.start : head.end]
    before = _operands_before_body(name, children)
    if before is None and has_body(name):
        before = 0
    if before is not None:
        return column + (4 if len(children) - 1 < before else 2)
    if len(children) > 1 and "\n" not in text[head.start : children[1].start]:
        return _column(text, children[1].start)
    return column + 1


def _operands_before_body(name: str, children: list[Child]) -> int | None:
    before = BODY_AFTER.get(name)
    if before is None:
        return 1 if name.startswith(("define", "with-", "call-with-", "let-", "let*")) else None
    if name == "let" and len(children) > 1 and children[1].kind == "WORD":
        return 2
    return before


def _column(text: str, offset: int) -> int:
    return offset - text.rfind("\n", 0, offset) - 1


def matching(text: str, offset: int) -> int | None:
    """The offset of the bracket that belongs to the one at `offset`, if both are there."""
    opened: list[Token] = []
    for token in scan(text):
        if token.kind in _OPENERS:
            opened.append(token)
        elif token.kind in _CLOSERS and opened:
            opener = opened.pop()
            if _OPENERS[opener.kind] != _CLOSERS[token.kind]:
                return None
            if token.start == offset:
                return opener.end - 1
            if opener.start <= offset < opener.end:
                return token.start
    return None
