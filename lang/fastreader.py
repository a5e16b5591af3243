"""The fast reader: one regular expression, made of the grammar's own terminals, and one loop.

It knows good text only. At anything else it raises `MalformedError`; lang.reader lets the grammar
say what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from lang import tokens
from lang.data import EOF, NIL, Symbol, cons

GRAMMAR_FILE: Final = Path(__file__).with_name("grammar.lark")
_TERMINAL: Final = re.compile(r'^([A-Z_]+)(?:\.\d+)?: (?:"(.*)"|/(.*)/([a-z]*))$', re.M)

# Commonest first, DOT before WORD; SPACE and LINE_COMMENT are skipped in front of every token.
_ORDER: Final = (
    *("RIGHT_PAREN", "LEFT_PAREN", "DOT", "WORD", "KEYWORD", "STRING", "ABBREVIATION"),
    *("BOOLEAN", "DATUM_COMMENT", "CHARACTER", "PREFIXED_NUMBER", "VECTOR_OPEN"),
    *("ARRAY_OPEN", "BIT_VECTOR"),
    *("BYTEVECTOR_OPEN", "EXTENDED_SYMBOL", "SPECIAL", "LABEL", "REFERENCE"),
    *("LEFT_BRACKET", "RIGHT_BRACKET", "BLOCK_COMMENT", "FOLDING", "STANDARD", "SCRIPT"),
)
_KINDS: Final = {name: number for number, name in enumerate(_ORDER, 1)}


class MalformedError(Exception):
    """The text is not what the grammar allows."""


def terminals(grammar: str) -> dict[str, str]:
    """The regular expression of each terminal of a Lark grammar."""
    found = {}
    for match in _TERMINAL.finditer(grammar):
        name, literal, pattern, flags = match.groups()
        expression = re.escape(literal) if literal is not None else pattern.replace("\\/", "/")
        found[name] = f"(?{flags}:{expression})" if flags else expression
    return found


def _token_pattern() -> re.Pattern[str]:
    patterns = terminals(GRAMMAR_FILE.read_text(encoding="utf-8"))
    skipped = f"(?:{patterns['SPACE']}|{patterns['LINE_COMMENT']})*"
    choices = "|".join(f"({patterns[name]})" for name in _ORDER)
    return re.compile(rf"{skipped}(?:{choices}|\Z)")


_TOKEN: Final = _token_pattern()
_CONVERSIONS: Final[tuple[Callable[[str], Any] | None, ...]] = (
    None,
    *(tokens.CONVERSIONS.get(name) for name in _ORDER),
)

_RIGHT_PAREN: Final = _KINDS["RIGHT_PAREN"]
_LEFT_PAREN: Final = _KINDS["LEFT_PAREN"]
_DOT: Final = _KINDS["DOT"]
_WORD: Final = _KINDS["WORD"]
_STRING: Final = _KINDS["STRING"]
_ABBREVIATION: Final = _KINDS["ABBREVIATION"]
_DATUM_COMMENT: Final = _KINDS["DATUM_COMMENT"]
_VECTOR_OPEN: Final = _KINDS["VECTOR_OPEN"]
_BYTEVECTOR_OPEN: Final = _KINDS["BYTEVECTOR_OPEN"]
_ARRAY_OPEN: Final = _KINDS["ARRAY_OPEN"]
_LABEL: Final = _KINDS["LABEL"]
_LEFT_BRACKET: Final = _KINDS["LEFT_BRACKET"]
_RIGHT_BRACKET: Final = _KINDS["RIGHT_BRACKET"]
_BLOCK_COMMENT: Final = _KINDS["BLOCK_COMMENT"]
_FOLDING: Final = _KINDS["FOLDING"]
_REFERENCE: Final = _KINDS["REFERENCE"]
_SKIPPED: Final = frozenset(_KINDS[name] for name in ("STANDARD", "SCRIPT"))
_CLOSERS: Final = {
    _LEFT_PAREN: _RIGHT_PAREN,
    _LEFT_BRACKET: _RIGHT_BRACKET,
    _VECTOR_OPEN: _RIGHT_PAREN,
    _BYTEVECTOR_OPEN: _RIGHT_PAREN,
    _ARRAY_OPEN: _RIGHT_PAREN,
}


def read(text: str, base: int) -> list[Any]:
    """All data in `text`; pairs that were written with parentheses get position base + offset.

    Raises MalformedError.
    """
    try:
        data, has_labels, _ = _read(text, base)
        return list(map(tokens.tie, data)) if has_labels else data
    except tokens.BadTokenError as error:
        raise MalformedError from error


def read_one(text: str, start: int) -> tuple[Any, int]:
    """The first datum of `text` from offset `start` on, without positions, and where it ends; EOF
    if there is none. Raises MalformedError."""
    try:
        data, has_labels, end = _read(text, None, start)
        if not data:
            return EOF, len(text)
        return tokens.tie(data[0]) if has_labels else data[0], end
    except tokens.BadTokenError as error:
        raise MalformedError from error


def _read(text: str, base: int | None, first: int = 0) -> tuple[list[Any], bool, int]:
    """The data in `text` from offset `first` on, whether labels are in them, and where they end.
    Without a `base` it is one datum only, and pairs get no position."""
    # One level of nesting is the list `current` of its data so far, and in `stack` what to go
    # back to: the outer list, the kind and offset of the opener, the prefixes before it and
    # where the outer list's dot stood (-1: none). `prefixes` is a chain of
    # (kind, operator, offset, rest) that applies to the next datum.
    current: list[Any] = []
    stack: list[tuple[list[Any], int, int, Any, int]] = []
    push = stack.append
    prefixes: Any = None
    dot = -1
    words = tokens.WORDS
    fold = False
    has_labels = False
    one = base is None
    origin = base or 0
    end = first
    resume: int | None = first
    while resume is not None:
        start, resume = resume, None
        end = start
        for match in _TOKEN.finditer(text, start):
            kind = match.lastindex
            at, after = match.span()
            if at != end:
                raise MalformedError
            end = after
            if kind == _WORD:
                value = words[tokens.folded(match[_WORD]) if fold else match[_WORD]]
            elif kind in (_LEFT_PAREN, _LEFT_BRACKET):
                push((current, kind, match.start(kind), prefixes, dot))
                current = []
                prefixes = None
                dot = -1
                continue
            elif kind in (_RIGHT_PAREN, _RIGHT_BRACKET):
                if not stack or prefixes is not None:
                    raise MalformedError
                items = current
                if dot >= 0:
                    if dot == 0 or len(items) != dot + 1:
                        raise MalformedError
                    value = items.pop()
                else:
                    value = NIL
                current, opener, offset, prefixes, dot = stack.pop()
                if _CLOSERS[opener] != kind:
                    raise MalformedError
                if opener == _VECTOR_OPEN:
                    value = items
                elif opener == _BYTEVECTOR_OPEN:
                    value = tokens.bytevector(items)
                elif opener == _ARRAY_OPEN:
                    value = tokens.array(text[offset : text.index("(", offset)], items)
                elif items:
                    items.reverse()
                    for item in items:
                        value = cons(item, value)
                    value.pos = None if one else origin + offset
            elif kind == _STRING:
                value = match[_STRING][1:-1]
                if "\\" in value or "\r" in value:
                    value = tokens.unescaped(value, 1)
            elif kind == _ABBREVIATION:
                operator = tokens.ABBREVIATIONS[match[_ABBREVIATION]]
                prefixes = (kind, operator, match.start(kind), prefixes)
                continue
            elif kind == _DOT:
                if dot >= 0 or not stack or prefixes is not None:
                    raise MalformedError
                if stack[-1][1] not in (_LEFT_PAREN, _LEFT_BRACKET):
                    raise MalformedError
                dot = len(current)
                continue
            elif kind in (_VECTOR_OPEN, _BYTEVECTOR_OPEN, _ARRAY_OPEN):
                push((current, kind, match.start(kind), prefixes, dot))
                current = []
                prefixes = None
                dot = -1
                continue
            elif kind is None or kind in _SKIPPED:
                continue
            elif kind == _DATUM_COMMENT:
                prefixes = (kind, None, 0, prefixes)
                continue
            elif kind == _LABEL:
                has_labels = True
                prefixes = (kind, match[kind][1:-1], 0, prefixes)
                continue
            elif kind == _BLOCK_COMMENT:
                resume = tokens.comment_end(text, match.start(kind))
                if resume < 0:
                    raise MalformedError
                break
            elif kind == _FOLDING:
                fold = match[kind] == "#!fold-case"
                continue
            else:
                convert = _CONVERSIONS[kind]
                assert convert is not None
                value = convert(match[kind])
                has_labels = has_labels or kind == _REFERENCE
            if prefixes is not None:
                hidden = False
                while prefixes is not None:
                    prefix, operator, offset, prefixes = prefixes
                    if prefix == _ABBREVIATION:
                        value = tokens.abbreviation(
                            operator, value, None if one else origin + offset
                        )
                    elif prefix == _LABEL:
                        value = tokens.Labelled(operator, value)
                    else:
                        hidden = True
                        break
                if hidden:
                    continue
            current.append(value)
            if one and not stack:
                return current, has_labels, end
    if end != len(text) or stack or prefixes is not None:
        raise MalformedError
    return current, has_labels, end


def second_parameter(text: str, start: int, name: Symbol, named: bool) -> int:
    """Where the variable `name` stands for the second time in the first list inside the form that
    opens at `start`, or `start`. That is a parameter list, which `named` begins with a procedure's
    name; parameters stand in it, or first in a list in it."""
    depth = seen = before = 0  # `before`: how the token before this one was
    for token in _TOKEN.finditer(text, start):
        kind = token.lastindex
        if kind is None:
            break
        if kind in _CLOSERS:
            depth += 1
        elif kind in (_RIGHT_PAREN, _RIGHT_BRACKET):
            depth -= 1
            if depth < 2:
                break
        elif kind == _WORD and before != _DATUM_COMMENT and tokens.WORDS[token[kind]] is name:
            first = before in _CLOSERS
            if (depth == 2 and not (first and named)) or (depth == 3 and first):
                seen += 1
                if seen == 2:
                    return token.start(kind)
        before = kind
    return start
