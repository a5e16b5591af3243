"""Looking for something in strings (SRFI 13, which Guile has by default)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lang.data import char
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.strings import common_prefix
from lang.runtime.trampoline import call

LIBRARY = Library("guile")


def _search(names: tuple[str, ...], *, backwards: bool, matching: bool) -> None:
    """string-index and its relatives: the position of a character that is (not) as asked."""

    @LIBRARY.procedure(*names)
    def search(text: Any, wanted: Any, start: Any = None, end: Any = None) -> Any:
        whole = arguments.string(names[0], 1, text)
        first, last = arguments.span(names[0], len(whole), start, end)
        test = arguments.character_test(names[0], 2, wanted)
        positions = range(last - 1, first - 1, -1) if backwards else range(first, last)
        for position in positions:
            if test(whole[position]) is matching:
                return position
        return False


_search(("string-index",), backwards=False, matching=True)
_search(("string-index-right", "string-rindex"), backwards=True, matching=True)
_search(("string-skip",), backwards=False, matching=False)
_search(("string-skip-right",), backwards=True, matching=False)


@LIBRARY.procedure("string-count")
def string_count(text: Any, wanted: Any, start: Any = None, end: Any = None) -> int:
    test = arguments.character_test("string-count", 2, wanted)
    return sum(map(test, arguments.part("string-count", 1, text, start, end)))


def _contains(name: str, fold: Callable[[str], str]) -> None:
    @LIBRARY.procedure(name)
    def contains(
        text: Any,
        wanted: Any,
        start1: Any = None,
        end1: Any = None,
        start2: Any = None,
        end2: Any = None,
    ) -> Any:
        within = fold(arguments.part(name, 1, text, start1, end1))
        found = within.find(fold(arguments.part(name, 2, wanted, start2, end2)))
        return False if found < 0 else found + (start1 or 0)


_contains("string-contains", str)
_contains("string-contains-ci", str.lower)


def _affix(kind: str, *, at_end: bool, fold: Callable[[str], str], suffix: str) -> None:
    def parts(who: str, *given: Any) -> tuple[str, str]:
        a, b, start1, end1, start2, end2 = (*given, None, None, None, None)[:6]
        left = fold(arguments.part(who, 1, a, start1, end1))
        right = fold(arguments.part(who, 2, b, start2, end2))
        return (left[::-1], right[::-1]) if at_end else (left, right)

    test_name = f"string-{kind}{suffix}?"
    length_name = f"string-{kind}-length{suffix}"

    @LIBRARY.procedure(test_name)
    def has_affix(affix: Any, text: Any, *bounds: Any) -> bool:
        if type(affix) is str and type(text) is str and not bounds and not suffix:
            return text.endswith(affix) if at_end else text.startswith(affix)
        left, right = parts(test_name, affix, text, *bounds)
        return right.startswith(left)

    @LIBRARY.procedure(length_name)
    def affix_length(a: Any, b: Any, *bounds: Any) -> int:
        return common_prefix(*parts(length_name, a, b, *bounds))


_affix("prefix", at_end=False, fold=str, suffix="")
_affix("suffix", at_end=True, fold=str, suffix="")
_affix("prefix", at_end=False, fold=str.casefold, suffix="-ci")
_affix("suffix", at_end=True, fold=str.casefold, suffix="-ci")


@LIBRARY.procedure("string-any", "string-any-c-code")
def string_any(wanted: Any, text: Any, start: Any = None, end: Any = None) -> Any:
    value: Any = False
    for character in arguments.part("string-any", 2, text, start, end):
        value = _verdict("string-any", wanted, character)
        if value is not False:
            break
    return value


@LIBRARY.procedure("string-every", "string-every-c-code")
def string_every(wanted: Any, text: Any, start: Any = None, end: Any = None) -> Any:
    value: Any = True
    for character in arguments.part("string-every", 2, text, start, end):
        value = _verdict("string-every", wanted, character)
        if value is False:
            break
    return value


def _verdict(who: str, wanted: Any, character: str) -> Any:
    if callable(wanted):
        return call(wanted, char(character))
    return arguments.character_test(who, 1, wanted)(character)


def _comparison(name: str, fold: Callable[[str], str]) -> None:
    @LIBRARY.procedure(name)
    def compare(
        a: Any,
        b: Any,
        if_less: Any,
        if_equal: Any,
        if_greater: Any,
        start1: Any = None,
        end1: Any = None,
        start2: Any = None,
        end2: Any = None,
    ) -> Any:
        left = fold(arguments.part(name, 1, a, start1, end1))
        right = fold(arguments.part(name, 2, b, start2, end2))
        position = (start1 or 0) + common_prefix(left, right)
        if left == right:
            return call(if_equal, position)
        return call(if_less if left < right else if_greater, position)


_comparison("string-compare", str)
_comparison("string-compare-ci", str.casefold)
