"""From the text of one token to its datum: what both readers agree on by sharing it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from lang.data import (
    EOF,
    NIL,
    UNSPECIFIED,
    Pair,
    Symbol,
    char,
    cons,
    keyword,
    symbol,
)
from lang.numbers import parse_number

_CONTROLS: Final = (
    "nul soh stx etx eot enq ack bel bs ht lf vt ff cr so si "
    "dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us"
)
"""What ASCII calls the characters from 0 on."""

CHARACTER_NAMES: Final = {
    "space": " ",
    "newline": "\n",
    "tab": "\t",
    "return": "\r",
    "null": "\0",
    "alarm": "\a",
    "backspace": "\b",
    "delete": "\x7f",
    "escape": "\x1b",
    "linefeed": "\n",
    "page": "\f",
    "vtab": "\v",
    "nl": "\n",
    "sp": " ",
    "np": "\f",
    "altmode": "\x1b",
    "rubout": "\x7f",
    "del": "\x7f",
    **{name: chr(code) for code, name in enumerate(_CONTROLS.split())},
}

ABBREVIATIONS: Final = {
    text: symbol(name)
    for text, name in {
        "'": "quote",
        "`": "quasiquote",
        ",": "unquote",
        ",@": "unquote-splicing",
        "#'": "syntax",
        "#`": "quasisyntax",
        "#,": "unsyntax",
        "#,@": "unsyntax-splicing",
        "#~": "gexp",
        "#$": "ungexp",
        "#$@": "ungexp-splicing",
        "#+": "ungexp-native",
        "#+@": "ungexp-native-splicing",
    }.items()
}

_UNGEXPS: Final = frozenset(ABBREVIATIONS[text] for text in ("#$", "#$@", "#+", "#+@"))
_SPECIAL: Final = {
    "#!eof": EOF,
    "#!unspecified": UNSPECIFIED,
    "#!optional": keyword("optional"),
    "#!rest": keyword("rest"),
    "#!key": keyword("key"),
}
_SIMPLE_ESCAPES: Final = {
    "n": "\n",
    "t": "\t",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "r": "\r",
    "v": "\v",
    "0": "\0",
    "\\": "\\",
    '"': '"',
    "|": "|",
    "/": "/",
    "(": "(",
}
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]+);|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})"
    r"|([ \t]*(?:\r?\n|\r)[ \t]*)|(.))|\r\n?",
    re.S,
)
_BARS: Final = re.compile(r"\|((?:[^|\\]|\\.)*)\|", re.S)
_EXTENDED_ESCAPE: Final = re.compile(r"\\x([0-9a-fA-F]+);")
_COMMENT_EDGE: Final = re.compile(r"#\||\|#")


class BadTokenError(Exception):
    """A token that is malformed inside, `offset` characters after its start."""

    def __init__(self, offset: int, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.hint = hint


class Labelled:
    """#LABEL=DATUM, until `tie` has resolved it."""

    __slots__ = ("datum", "label")

    def __init__(self, label: str, datum: Any) -> None:
        self.label = label
        self.datum = datum


class Reference:
    """#LABEL#, until `tie` has resolved it."""

    __slots__ = ("label",)

    def __init__(self, label: str) -> None:
        self.label = label


class WordTable(dict[str, Any]):
    """The number or symbol of each WORD; computed once per text."""

    def __missing__(self, text: str) -> Any:
        value: Any = None
        if text[0] in "+-.0123456789":
            value = parse_number(text)
        if value is None:
            value = symbol(unbarred(text) if "|" in text else text)
        self[text] = value
        return value


WORDS: Final = WordTable()


def unbarred(text: str) -> str:
    """The name that a symbol's text with |...| parts denotes."""
    if "\\" not in text:
        return text.replace("|", "")
    return _BARS.sub(lambda match: unescaped(match[1], match.start(1)), text)


def folded(text: str) -> str:
    """A WORD's text as #!fold-case makes it: bars protect."""
    if "|" not in text:
        return text.casefold()
    parts = re.split(r"(\|(?:[^|\\]|\\.)*\|)", text)
    return "".join(p if p.startswith("|") else p.casefold() for p in parts)


def unescaped(text: str, offset: int = 0) -> str:
    """`text` with its backslash escapes replaced, and any line end by a newline; `offset` is where
    it starts in its token."""

    def replace(match: re.Match[str]) -> str:
        digits = match[1] or match[2] or match[3] or match[4]
        at = offset + match.start()
        if digits:
            return _character(int(digits, 16), at)
        if match[5] is not None:
            return ""
        if match[6] is None:
            return "\n"
        simple = _SIMPLE_ESCAPES.get(match[6])
        if simple is None:
            if match[6] == "x":
                raise BadTokenError(at, "\\x without hexadecimal digits", "write \\x3bb; for λ")
            raise BadTokenError(
                at, f"unknown escape \\{match[6]} in a string", "a backslash itself is written \\\\"
            )
        return simple

    return _ESCAPE.sub(replace, text)


def _character(code: int, offset: int) -> str:
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise BadTokenError(offset, f"U+{code:X} is no Unicode character")
    return chr(code)


def string(text: str) -> str:
    """A STRING's value."""
    inner = text[1:-1]
    return unescaped(inner, 1) if "\\" in inner or "\r" in inner else inner


def character(text: str) -> Any:
    """A CHARACTER's value."""
    name = text[2:]
    if len(name) == 1:
        return char(name)
    value = CHARACTER_NAMES.get(name.lower())
    if value is not None:
        return char(value)
    digits = name[2:] if name[:2] in ("U+", "u+") else name[1:]
    if name[0] in "xUu" and digits and not digits.strip("0123456789abcdefABCDEF"):
        return char(_character(int(digits, 16), 2))
    if not name.strip("01234567"):
        return char(_character(int(name, 8), 2))
    import difflib

    near = difflib.get_close_matches(name.lower(), CHARACTER_NAMES, 1)
    raise BadTokenError(
        0, f"unknown character name {text}", f"did you mean #\\{near[0]}?" if near else None
    )


def _keyword(text: str) -> Any:
    name = text[2:]
    if name.startswith("#{"):
        return keyword(_extended_name(name))
    return keyword(unbarred(name) if "|" in name else name)


def _extended_name(text: str) -> str:
    return _EXTENDED_ESCAPE.sub(lambda m: _character(int(m[1], 16), m.start()), text[2:-2])


def _prefixed_number(text: str) -> Any:
    value = parse_number(text)
    if value is None:
        raise BadTokenError(0, f"{text} is no number")
    return value


def bit_vector(text: str) -> Any:
    """A BIT_VECTOR's value."""
    from lang.runtime.late.bitvectors import BitVector

    return BitVector([bit == "1" for bit in text[2:]])


CONVERSIONS: Final[dict[str, Callable[[str], Any]]] = {
    "WORD": WORDS.__getitem__,
    "STRING": string,
    "CHARACTER": character,
    "KEYWORD": _keyword,
    "BOOLEAN": lambda text: text[1] in "tT",
    "PREFIXED_NUMBER": _prefixed_number,
    "EXTENDED_SYMBOL": lambda text: symbol(_extended_name(text)),
    "SPECIAL": _SPECIAL.__getitem__,
    "BIT_VECTOR": bit_vector,
    "REFERENCE": lambda text: Reference(text[1:-1]),
}
"""For each terminal that is a datum by itself, the function from its text to the datum."""


def abbreviation(operator: Symbol, datum: Any, position: int | None) -> Pair:
    """(OPERATOR DATUM); in an ungexp, a symbol package:output names an output of a package."""
    if operator in _UNGEXPS and type(datum) is Symbol:
        name, colon, output = datum.name.rpartition(":")
        if colon and name and output:
            return cons(operator, cons(symbol(name), cons(output, NIL)), position)
    return cons(operator, cons(datum, NIL), position)


def bytevector(items: list[Any]) -> bytes:
    """A bytevector literal's value."""
    if not all(type(item) is int and 0 <= item <= 255 for item in items):
        raise BadTokenError(0, "a bytevector holds integers from 0 to 255 only")
    return bytes(items)


_ARRAY: Final = re.compile(r"#([0-9]*)([a-z]+[0-9]*)?((?:[@:]-?[0-9]+)*)")


def array(opener: str, items: list[Any]) -> Any:
    """The value of an array literal, of which `opener` is what stands before the parenthesis."""
    match = _ARRAY.fullmatch(opener)
    assert match is not None
    rank, kind, shape = match.groups()
    dimensions = re.findall(r"(?:@(-?[0-9]+))?(?::([0-9]+))?", shape)
    sizes = [(int(least or 0), int(size) if size else None) for least, size in dimensions[:-1]]
    plain = not sizes and rank in ("", "1")
    if plain and kind in ("u8", "vu8"):
        return bytevector(items)
    if sizes and int(rank or len(sizes)) != len(sizes):
        raise BadTokenError(0, f"an array of rank {rank} cannot have {len(sizes)} bounds")
    from lang.errors import SchemeError
    from lang.runtime.late.arrays import read_array
    from lang.runtime.messages import condition_text

    try:
        return read_array(
            symbol(kind) if kind else True, sizes or [(0, None)] * int(rank or 1), items
        )
    except SchemeError as error:
        raise BadTokenError(0, condition_text(error.payload)) from None


def comment_end(text: str, start: int) -> int:
    """Where the block comment that opens at `start` ends, or -1: comments nest."""
    depth = 0
    for match in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if match[0] == "#|" else -1
        if depth == 0:
            return match.end()
    return -1


def tie(datum: Any) -> Any:
    """`datum` with each Labelled replaced by its datum, and each Reference by what it refers to."""
    labels: dict[str, Any] = {}
    parts: list[Any] = [datum]
    pending: list[Any] = [datum]
    while pending:
        part = pending.pop()
        kind = type(part)
        if kind is Labelled:
            labels[part.label] = part.datum
            children: list[Any] = [part.datum]
        elif kind is Pair:
            children = [part.car, part.cdr]
        elif kind is list:
            children = part
        else:
            continue
        parts.append(part)
        pending.extend(children)

    def resolved(value: Any) -> Any:
        seen: set[str] = set()
        while type(value) is Labelled or type(value) is Reference:
            if type(value) is Labelled:
                value = value.datum
            elif value.label in labels and value.label not in seen:
                seen.add(value.label)
                value = labels[value.label]
            else:
                raise BadTokenError(0, f"#{value.label}# refers to no datum")
        return value

    for part in parts:
        if type(part) is Pair:
            part.car = resolved(part.car)
            part.cdr = resolved(part.cdr)
        elif type(part) is list:
            part[:] = map(resolved, part)
    return resolved(datum)
