"""Characters (R7RS section 6.6)."""

from __future__ import annotations

import itertools
import operator
import unicodedata
from collections.abc import Callable
from typing import Any

from lang.data import Char, char, symbol
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import out_of_range

LIBRARY = Library("guile")


@LIBRARY.procedure("char?")
def is_char(value: Any) -> bool:
    return type(value) is Char


@LIBRARY.procedure("char->integer")
def char_to_integer(character: Any) -> int:
    return ord(arguments.character("char->integer", 1, character))


@LIBRARY.procedure("integer->char")
def integer_to_char(code: Any) -> Char:
    number = arguments.index("integer->char", 1, code)
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        out_of_range("integer->char", code)
    return char(chr(number))


def _comparison(name: str, holds: Callable[[str, str], bool], fold: bool) -> None:
    @LIBRARY.procedure(name)
    def compare(*characters: Any) -> bool:
        checked = [arguments.character(name, i, c) for i, c in enumerate(characters, 1)]
        if fold:
            checked = [character.casefold() for character in checked]
        return all(holds(a, b) for a, b in itertools.pairwise(checked))


for _sign, _holds in (
    ("=", operator.eq),
    ("<", operator.lt),
    (">", operator.gt),
    ("<=", operator.le),
    (">=", operator.ge),
):
    _comparison(f"char{_sign}?", _holds, fold=False)
    _comparison(f"char-ci{_sign}?", _holds, fold=True)


def _predicate(name: str, test: Callable[[str], bool]) -> None:
    @LIBRARY.procedure(name)
    def holds(character: Any) -> bool:
        return test(arguments.character(name, 1, character))


_predicate("char-alphabetic?", str.isalpha)
_predicate("char-numeric?", str.isdecimal)
_predicate("char-whitespace?", str.isspace)
_predicate("char-upper-case?", str.isupper)
_predicate("char-lower-case?", str.islower)
_predicate("char-is-both?", lambda character: character.isupper() or character.islower())


def _conversion(name: str, convert: Callable[[str], str]) -> None:
    @LIBRARY.procedure(name)
    def converted(character: Any) -> Char:
        original = arguments.character(name, 1, character)
        result = convert(original)
        return char(result if len(result) == 1 else original)


_conversion("char-upcase", str.upper)
_conversion("char-downcase", str.lower)
_conversion("char-titlecase", str.title)
_conversion("char-foldcase", str.casefold)


@LIBRARY.procedure("char-general-category")
def char_general_category(character: Any) -> Any:
    return symbol(unicodedata.category(arguments.character("char-general-category", 1, character)))


@LIBRARY.procedure("digit-value")
def digit_value(character: Any) -> Any:
    value = unicodedata.decimal(arguments.character("digit-value", 1, character), None)
    return False if value is None else value
