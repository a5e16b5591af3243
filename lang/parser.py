"""The normative parse: lang/grammar.lark through Lark, with errors that say what is wrong."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedToken, VisitError
from lark.lexer import Lexer
from lark.visitors import Transformer_NonRecursive, v_args

from lang import tokens
from lang.data import NIL, cons
from lang.errors import ReadError
from lang.fastreader import GRAMMAR_FILE
from lang.sources import Source

_OPENERS: Final = {
    "LEFT_PAREN": ("(", ")"),
    "LEFT_BRACKET": ("[", "]"),
    "VECTOR_OPEN": ("#(", ")"),
    "BYTEVECTOR_OPEN": ("#vu8(", ")"),
    "ARRAY_OPEN": ("#...(", ")"),
}
_CLOSERS: Final = {"RIGHT_PAREN": ")", "RIGHT_BRACKET": "]"}


def parse(source: Source) -> list[Any]:
    """All data in `source`. Raises ReadError."""
    try:
        tree = _lark().parse(source.text)
        return list(_Builder(source.base).transform(tree))
    except _LexicalError as error:
        raise ReadError(source.base + error.offset, error.message, error.hint) from None
    except VisitError as error:
        fault = error.orig_exc
        if not isinstance(fault, _LexicalError):
            raise fault from None
        raise ReadError(source.base + fault.offset, fault.message, fault.hint) from None
    except UnexpectedToken as error:
        _explain(error, source)


@functools.cache
def _lark() -> Lark:
    grammar = GRAMMAR_FILE.read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer=_SchemeLexer)


class _LexicalError(Exception):
    def __init__(self, offset: int, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.hint = hint


class _DatumToken(Token):
    """A token that knows its datum. `start_pos` is its offset in the text."""

    datum: Any = None


class _SchemeLexer(Lexer):
    """Lark's terminals in Lark's order of precedence, plus what a regular expression cannot say:
    nested comments, case folding, and the value of each token."""

    __future_interface__ = 1

    def __init__(self, lexer_conf: Any) -> None:
        by_precedence = sorted(
            lexer_conf.terminals,
            key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name),
        )
        self._pattern = re.compile(
            "|".join(f"(?P<{t.name}>{t.pattern.to_regexp()})" for t in by_precedence)
        )
        self._ignored = frozenset(lexer_conf.ignore)

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Token]:
        text = lexer_state.text
        text = text if isinstance(text, str) else text.text
        fold = False
        at = 0
        while at < len(text):
            match = self._pattern.match(text, at)
            if match is None or match.lastgroup is None:
                _explain_character(text, at)
            kind, start = match.lastgroup, at
            at = match.end()
            if kind == "BLOCK_COMMENT":
                at = tokens.comment_end(text, start)
                if at < 0:
                    raise _LexicalError(start, "block comment is never closed", "close it with |#")
            elif kind == "FOLDING":
                fold = match[0] == "#!fold-case"
            elif kind not in self._ignored:
                yield _token(kind, match[0], start, fold)


def _token(kind: str, text: str, start: int, fold: bool) -> Token:
    token = _DatumToken(kind, text, start_pos=start)
    convert = tokens.CONVERSIONS.get(kind)
    if convert is not None:
        try:
            token.datum = convert(tokens.folded(text) if fold and kind == "WORD" else text)
        except tokens.BadTokenError as error:
            raise _LexicalError(start + error.offset, error.message, error.hint) from None
    return token


_SKIPPED: Final = object()


@v_args(inline=False)
class _Builder(Transformer_NonRecursive[Token, Sequence[Any]]):
    """Makes data of the tree. A method's `children` are data, tokens and _SKIPPED."""

    def __init__(self, base: int) -> None:
        super().__init__(visit_tokens=False)
        self.base = base

    def start(self, children: Sequence[Any]) -> Sequence[Any]:
        try:
            return [tokens.tie(child) for child in children if child is not _SKIPPED]
        except tokens.BadTokenError as error:
            raise _LexicalError(0, error.message) from None

    def atom(self, children: Sequence[Any]) -> Any:
        return children[0].datum

    def list(self, children: Sequence[Any]) -> Any:
        opener, *items, _closer = (child for child in children if child is not _SKIPPED)
        tail: Any = NIL
        if len(items) >= 2 and isinstance(items[-2], Token):
            dot, tail = items[-2:]
            del items[-2:]
            if not items:
                raise _LexicalError(
                    dot.start_pos, "nothing stands before the dot", "a pair is (A . B)"
                )
        for item in reversed(items):
            tail = cons(item, tail)
        if items:
            tail.pos = self.base + opener.start_pos
        return tail

    def vector(self, children: Sequence[Any]) -> Any:
        return [child for child in children[1:-1] if child is not _SKIPPED]

    def bytevector(self, children: Sequence[Any]) -> Any:
        items = [child for child in children[1:-1] if child is not _SKIPPED]
        try:
            return tokens.bytevector(items)
        except tokens.BadTokenError as error:
            raise _LexicalError(children[0].start_pos, error.message) from None

    def array(self, children: Sequence[Any]) -> Any:
        opener, *items, _closer = (child for child in children if child is not _SKIPPED)
        try:
            return tokens.array(opener[:-1], items)
        except tokens.BadTokenError as error:
            raise _LexicalError(opener.start_pos, error.message) from None

    def abbreviation(self, children: Sequence[Any]) -> Any:
        operator, datum = (child for child in children if child is not _SKIPPED)
        return tokens.abbreviation(
            tokens.ABBREVIATIONS[str(operator)], datum, self.base + operator.start_pos
        )

    def labelled(self, children: Sequence[Any]) -> Any:
        label, datum = (child for child in children if child is not _SKIPPED)
        return tokens.Labelled(label[1:-1], datum)

    def skip(self, children: Sequence[Any]) -> Any:
        return _SKIPPED


_UNSUPPORTED: Final = (
    (
        r"#[0-9]*[suvfc][0-9]+[^\s()]*\(",
        "types of numbers are u8, s8, u16, ... s64, f32, f64",
    ),
    (r"#\*", "the bits of a bit vector are written 0 and 1"),
)
"""Syntax that is nearly Guile's, and what to write instead."""

_NIL: Final = (
    "#nil, Emacs Lisp's false that is the empty list, too, is not in this language",
    "write '() for the empty list, #f for false",
)


def _explain_character(text: str, offset: int) -> NoReturn:
    """Say why no token starts at `offset`."""
    rest = text[offset : offset + 3]
    message, hint = f"unexpected character {rest[0]}", None
    if rest[0] == '"':
        message, hint = "string is never closed", 'close it with "'
    elif rest[0] in "{}":
        hint = "lists are written with ( ) or [ ]"
    elif rest.startswith("#{"):
        message, hint = "symbol #{ is never closed", "close it with }#"
    elif word := re.match(r"#![a-z0-9-]+(?!\S)", text[offset:]):
        message = f"{word[0]} is no directive, and no script header, which ends with !#"
        hint = "the directives are #!fold-case, #!no-fold-case, #!r6rs and #!r7rs"
    elif rest.startswith("#!"):
        message, hint = "script header #! is never closed", "close it with !#"
    elif rest.startswith("#:"):
        message, hint = "a keyword needs a name after #:", "for example #:select"
    elif re.match(r"#nil(?![^\s()\[\]{}\";'])", text[offset:]):
        message, hint = _NIL
    elif rest[0] == "#":
        word = re.match(r"#[^\s()\[\]{}\";]*", text[offset:])
        message = f"unknown syntax {word[0] if word else rest}"
        hint = next((say for form, say in _UNSUPPORTED if re.match(form, text[offset:])), None)
    else:
        bar = re.match(r"[^\s()\[\]{}\"';`,#|]*\|", text[offset:])
        if bar:
            message, hint = "| is never closed in a symbol", "close it with |"
    raise _LexicalError(offset, message, hint)


def _explain(error: UnexpectedToken, source: Source) -> NoReturn:
    """Say why the grammar has no place for a token."""
    token = error.token
    parser = error.interactive_parser
    stack = parser.parser_state.value_stack if parser is not None else []
    opened = [item for item in stack if isinstance(item, Token) and item.type in _OPENERS]
    last = opened[-1] if opened else None
    while stack and isinstance(stack[-1], Tree) and stack[-1].data in ("_skip", "_skips"):
        stack = stack[:-1]
    pending = stack[-1] if stack and isinstance(stack[-1], Token) else None
    at = source.base + (token.start_pos or 0)
    if pending is not None and pending.type in ("ABBREVIATION", "DATUM_COMMENT", "LABEL"):
        raise ReadError(
            source.base + (pending.start_pos or 0), f"nothing follows {pending}", None
        ) from None
    if token.type == "$END":
        last, where = _suspect(opened, source)
        raise ReadError(
            source.base + (last.start_pos or 0),
            f"{last} is never closed",
            f"add {_OPENERS[last.type][1]}{where}",
        ) from None
    if token.type in _CLOSERS:
        if last is None:
            raise ReadError(at, f"unexpected {token}: nothing is open here", "remove it") from None
        opener, closer = _OPENERS[last.type]
        if token == closer:
            raise ReadError(at, f"a datum is missing before {token}") from None
        line = source.location(last.start_pos or 0).line
        raise ReadError(
            at, f"{token} does not match the {opener} opened on line {line}", f"write {closer}"
        ) from None
    if token.type == "DOT":
        raise ReadError(at, "stray dot", "a dot stands before the last datum of a list only")
    raise ReadError(at, "one datum only may follow the dot of a list") from None


def _suspect(opened: list[Token], source: Source) -> tuple[Token, str]:
    """What was probably not closed, and where: before the first form that starts a line although
    something is still open."""
    for match in re.finditer(r"^\(", source.text, re.M):
        if match.start() > (opened[0].start_pos or 0):
            line = source.location(match.start()).line
            before = [token for token in opened if (token.start_pos or 0) < match.start()]
            where = f", probably before line {line}, where the next top-level form starts"
            return before[-1], where
    return opened[-1], ""
