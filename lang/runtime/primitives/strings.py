"""Strings: construction, access, comparison and conversion (R7RS section 6.7, Guile's manual).

Procedures that make a string give an immutable str; those whose result a program may want to
change (make-string, string, string-copy) give an MString.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from typing import Any

from lang.data import (
    CHARS,
    NIL,
    UNSPECIFIED,
    Char,
    MString,
    char,
    scheme_list,
    symbol,
)
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import out_of_range, wrong_type
from lang.runtime.trampoline import call

LIBRARY = Library("guile")


def mutable(who: str, value: Any) -> list[str]:
    """The characters of a mutable string; changing the list changes the string."""
    if type(value) is not MString:
        expected = "a string that can be changed, as string-copy gives one"
        wrong_type(who, 1, value, expected if type(value) is str else "a string")
    return value.chars


@LIBRARY.procedure("string?")
def is_string(value: Any) -> bool:
    return type(value) is str or type(value) is MString


@LIBRARY.procedure("make-string")
def make_string(count: Any, fill: Any = None) -> MString:
    character = " " if fill is None else arguments.character("make-string", 2, fill)
    return MString([character] * arguments.index("make-string", 1, count))


@LIBRARY.procedure("string")
def string(*characters: Any) -> MString:
    return MString(arguments.character("string", i, c) for i, c in enumerate(characters, 1))


@LIBRARY.procedure("string-length")
def string_length(text: Any) -> int:
    if type(text) is str:
        return len(text)
    if type(text) is MString:
        return len(text.chars)
    wrong_type("string-length", 1, text, "a string")


@LIBRARY.procedure("string-utf8-length")
def string_utf8_length(text: Any) -> int:
    return len(arguments.string("string-utf8-length", 1, text).encode())


@LIBRARY.procedure("string-null?")
def string_null(text: Any) -> bool:
    return not arguments.string("string-null?", 1, text)


@LIBRARY.procedure("string-ref")
def string_ref(text: Any, position: Any) -> Char:
    characters: Any = text
    if type(text) is MString:
        characters = text.chars
    elif type(text) is not str:
        wrong_type("string-ref", 1, text, "a string")
    if type(position) is int and 0 <= position < len(characters):
        return CHARS[characters[position]]
    arguments.index("string-ref", 2, position)
    out_of_range("string-ref", position)


@LIBRARY.procedure("string-set!")
def string_set(text: Any, position: Any, character: Any) -> Any:
    characters = mutable("string-set!", text)
    at = arguments.index("string-set!", 2, position)
    if at >= len(characters):
        out_of_range("string-set!", position)
    characters[at] = arguments.character("string-set!", 3, character)
    return UNSPECIFIED


@LIBRARY.procedure("string-append", "string-append/shared")
def string_append(*texts: Any) -> str:
    try:
        return "".join(texts)
    except TypeError:
        parts = [arguments.string("string-append", i, text) for i, text in enumerate(texts, 1)]
        return "".join(parts)


@LIBRARY.procedure("substring", "substring/read-only", "substring/shared", "substring/copy")
def substring(text: Any, start: Any, end: Any = None) -> str:
    if type(text) is str and type(start) is int and type(end) is int:
        if 0 <= start <= end <= len(text):
            return text[start:end]
    return arguments.part("substring", 1, text, start, end)


@LIBRARY.procedure("string-copy")
def string_copy(text: Any, start: Any = None, end: Any = None) -> MString:
    return MString(arguments.part("string-copy", 1, text, start, end))


@LIBRARY.procedure("string-copy!")
def string_copy_onto(target: Any, at: Any, source: Any, start: Any = None, end: Any = None) -> Any:
    characters = mutable("string-copy!", target)
    copied = arguments.part("string-copy!", 3, source, start, end)
    first = arguments.index("string-copy!", 2, at)
    if first + len(copied) > len(characters):
        out_of_range("string-copy!", at)
    characters[first : first + len(copied)] = copied
    return UNSPECIFIED


@LIBRARY.procedure("substring-move!")
def substring_move(source: Any, start: Any, end: Any, target: Any, at: Any) -> Any:
    return string_copy_onto(target, at, source, start, end)


@LIBRARY.procedure("string-fill!")
def string_fill(text: Any, character: Any, start: Any = None, end: Any = None) -> Any:
    characters = mutable("string-fill!", text)
    first, last = arguments.span("string-fill!", len(characters), start, end)
    fill = arguments.character("string-fill!", 2, character)
    characters[first:last] = [fill] * (last - first)
    return UNSPECIFIED


@LIBRARY.procedure("substring-fill!")
def substring_fill(text: Any, start: Any, end: Any, character: Any) -> Any:
    return string_fill(text, character, start, end)


@LIBRARY.procedure("string->list")
def string_to_list(text: Any, start: Any = None, end: Any = None) -> Any:
    return scheme_list(map(char, arguments.part("string->list", 1, text, start, end)))


@LIBRARY.procedure("list->string")
def list_to_string(characters: Any) -> str:
    items = arguments.items("list->string", 1, characters)
    return "".join(arguments.character("list->string", 1, item) for item in items)


@LIBRARY.procedure("reverse-list->string")
def reverse_list_to_string(characters: Any) -> str:
    return list_to_string(characters)[::-1]


@LIBRARY.procedure("string->vector")
def string_to_vector(text: Any, start: Any = None, end: Any = None) -> list[Char]:
    return list(map(char, arguments.part("string->vector", 1, text, start, end)))


@LIBRARY.procedure("vector->string")
def vector_to_string(vector: Any, start: Any = None, end: Any = None) -> str:
    items = arguments.vector("vector->string", 1, vector)
    first, last = arguments.span("vector->string", len(items), start, end)
    return "".join(arguments.character("vector->string", 1, c) for c in items[first:last])


@LIBRARY.procedure("string->symbol", "string->uninterned-symbol")
def string_to_symbol(text: Any) -> Any:
    return symbol(arguments.string("string->symbol", 1, text))


@LIBRARY.procedure("string-ci->symbol")
def string_ci_to_symbol(text: Any) -> Any:
    return symbol(arguments.string("string-ci->symbol", 1, text).casefold())


@LIBRARY.procedure("string-hash")
def string_hash(text: Any, bound: Any = None, start: Any = None, end: Any = None) -> int:
    return stable_hash(arguments.part("string-hash", 1, text, start, end), bound)


@LIBRARY.procedure("string-hash-ci")
def string_hash_ci(text: Any, bound: Any = None, start: Any = None, end: Any = None) -> int:
    folded = arguments.part("string-hash-ci", 1, text, start, end).casefold()
    return stable_hash(folded, bound)


def stable_hash(text: str, bound: Any = None) -> int:
    """A hash that is the same in every process (Python's own is not)."""
    import zlib

    return zlib.crc32(text.encode("utf-8", "surrogatepass")) % (bound or 1 << 32)


def _n_ary_comparison(name: str, holds: Callable[[str, str], bool], fold: bool) -> None:
    @LIBRARY.procedure(name)
    def compare(*texts: Any) -> bool:
        if len(texts) == 2 and not fold:
            first, second = texts
            if type(first) is str and type(second) is str:
                return holds(first, second)
        checked = [arguments.string(name, i, text) for i, text in enumerate(texts, 1)]
        if fold:
            checked = [text.casefold() for text in checked]
        return all(holds(a, b) for a, b in itertools.pairwise(checked))


def _ranged_comparison(name: str, holds: Callable[[str, str], bool], fold: bool) -> None:
    """SRFI 13's string= and so on, for parts of strings. As in Guile they give a boolean."""

    @LIBRARY.procedure(name)
    def compare(
        a: Any,
        b: Any,
        start1: Any = None,
        end1: Any = None,
        start2: Any = None,
        end2: Any = None,
    ) -> bool:
        left = arguments.part(name, 1, a, start1, end1)
        right = arguments.part(name, 2, b, start2, end2)
        if fold:
            left, right = left.casefold(), right.casefold()
        return holds(left, right)


def common_prefix(a: str, b: str) -> int:
    """How many characters at the start are the same."""
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count


for _sign, _holds in (
    ("=", operator.eq),
    ("<", operator.lt),
    (">", operator.gt),
    ("<=", operator.le),
    (">=", operator.ge),
):
    _n_ary_comparison(f"string{_sign}?", _holds, fold=False)
    _n_ary_comparison(f"string-ci{_sign}?", _holds, fold=True)
    _ranged_comparison(f"string{_sign}", _holds, fold=False)
    _ranged_comparison(f"string-ci{_sign}", _holds, fold=True)
_ranged_comparison("string<>", operator.ne, fold=False)
_ranged_comparison("string-ci<>", operator.ne, fold=True)


@LIBRARY.procedure("string-map")
def string_map(function: Any, text: Any, *more: Any) -> str:
    """R7RS's (several strings), and SRFI 13's (optional bounds)."""
    return "".join(
        arguments.character("string-map", 1, call(function, *characters))
        for characters in parallel("string-map", text, more)
    )


@LIBRARY.procedure("string-for-each")
def string_for_each(function: Any, text: Any, *more: Any) -> Any:
    for characters in parallel("string-for-each", text, more):
        call(function, *characters)
    return UNSPECIFIED


def parallel(who: str, text: Any, more: tuple[Any, ...]) -> list[tuple[Char, ...]]:
    """Tuples of the characters of several strings, or of one whose bounds are `more`."""
    if not more or type(more[0]) is int:
        start, end = (*more, None, None)[:2]
        return [(char(c),) for c in arguments.part(who, 2, text, start, end)]
    texts = [arguments.string(who, i, t) for i, t in enumerate((text, *more), 2)]
    return [tuple(map(char, row)) for row in zip(*texts, strict=False)]


@LIBRARY.procedure("string-concatenate", "string-concatenate/shared")
def string_concatenate(texts: Any) -> str:
    return string_append(*arguments.items("string-concatenate", 1, texts))


@LIBRARY.procedure("string-join")
def string_join(texts: Any, delimiter: Any = " ", grammar: Any = None) -> str:
    parts = [
        arguments.string("string-join", 1, text)
        for text in arguments.items("string-join", 1, texts)
    ]
    between = arguments.string("string-join", 2, delimiter)
    how = "infix" if grammar is None else arguments.symbol_name("string-join", 3, grammar)
    if how == "infix":
        return between.join(parts)
    if how == "suffix":
        return "".join(part + between for part in parts)
    if how == "prefix":
        return "".join(between + part for part in parts)
    if how == "strict-infix" and parts:
        return between.join(parts)
    out_of_range("string-join", grammar if parts else NIL)
