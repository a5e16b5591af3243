"""Character sets (SRFI 14), which Guile has by default."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from lang.data import UNSPECIFIED, Char, MString, Pair, char, scheme_list
from lang.runtime.charsets import LAST, CharSet
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.strings import stable_hash
from lang.runtime.signals import out_of_range, wrong_type
from lang.runtime.trampoline import call, several, tail_calling

LIBRARY = Library("guile")

_PUNCTUATION = frozenset(("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"))
_SYMBOLS = frozenset(("Sm", "Sc", "Sk", "So"))
_LETTERS = frozenset(("Lu", "Ll", "Lt", "Lm", "Lo"))
_GRAPHIC = _LETTERS | _PUNCTUATION | _SYMBOLS | {"Nd", "Nl", "No", "Mn", "Mc", "Me"}


def _category(categories: Iterable[str]) -> CharSet:
    wanted = frozenset(categories)
    return CharSet(None, lambda character: unicodedata.category(character) in wanted)


def _is_whitespace(character: str) -> bool:
    return character in "\t\n\v\f\r" or unicodedata.category(character) in ("Zs", "Zl", "Zp")


STANDARD: dict[str, CharSet] = {
    "lower-case": CharSet(None, str.islower),
    "upper-case": CharSet(None, str.isupper),
    "title-case": _category(["Lt"]),
    "letter": _category(_LETTERS),
    "digit": _category(["Nd"]),
    "letter+digit": _category(_LETTERS | {"Nd"}),
    "graphic": _category(_GRAPHIC),
    "printing": CharSet(None, lambda c: unicodedata.category(c) in _GRAPHIC or _is_whitespace(c)),
    "whitespace": CharSet(None, _is_whitespace),
    "iso-control": _category(["Cc"]),
    "punctuation": _category(_PUNCTUATION),
    "symbol": _category(_SYMBOLS),
    "hex-digit": CharSet("0123456789abcdefABCDEF"),
    "blank": CharSet(None, lambda c: c == "\t" or unicodedata.category(c) == "Zs"),
    "ascii": CharSet(map(chr, range(128))),
    "designated": CharSet(None, lambda c: unicodedata.category(c) not in ("Cn", "Cs")),
    "empty": CharSet(()),
    "full": CharSet(None, lambda _: True),
}
for _name, _set in STANDARD.items():
    LIBRARY.constant(f"char-set:{_name}", _set)


def charset(who: str, position: int, value: Any) -> CharSet:
    """A character set."""
    if type(value) is CharSet:
        return value
    wrong_type(who, position, value, "a character set")


def _base(who: str, position: int, value: Any) -> frozenset[str]:
    """The members of an optional set that others are added to."""
    return frozenset() if value is None else charset(who, position, value).members


@LIBRARY.procedure("char-set?")
def is_char_set(value: Any) -> bool:
    return type(value) is CharSet


@LIBRARY.procedure("->char-set")
def to_char_set(value: Any) -> CharSet:
    """A character set; a string stands for its characters and a character for itself."""
    if type(value) is Char:
        return CharSet(value.value)
    if type(value) is str or type(value) is MString:
        return CharSet(str(value))
    return charset("->char-set", 1, value)


@LIBRARY.procedure("char-set")
def make(*characters: Any) -> CharSet:
    return CharSet(arguments.character("char-set", i, c) for i, c in enumerate(characters, 1))


@LIBRARY.procedure("list->char-set", "list->char-set!")
def list_to_char_set(characters: Any, base: Any = None) -> CharSet:
    items = arguments.items("list->char-set", 1, characters)
    chosen = {arguments.character("list->char-set", 1, item) for item in items}
    return CharSet(chosen | _base("list->char-set", 2, base))


@LIBRARY.procedure("string->char-set", "string->char-set!")
def string_to_char_set(text: Any, base: Any = None) -> CharSet:
    chosen = set(arguments.string("string->char-set", 1, text))
    return CharSet(chosen | _base("string->char-set", 2, base))


@LIBRARY.procedure("ucs-range->char-set", "ucs-range->char-set!")
def range_to_char_set(low: Any, high: Any, strict: Any = False, base: Any = None) -> CharSet:
    first = arguments.index("ucs-range->char-set", 1, low)
    end = arguments.index("ucs-range->char-set", 2, high)
    if end > LAST + 1 or first > end:
        out_of_range("ucs-range->char-set", high)
    codes = (code for code in range(first, end) if not 0xD800 <= code <= 0xDFFF)
    chosen = frozenset(map(chr, codes))
    return CharSet(chosen | _base("ucs-range->char-set", 4, base))


@LIBRARY.procedure("char-set-copy")
def copy(chars: Any) -> CharSet:
    return CharSet(charset("char-set-copy", 1, chars).members)


@LIBRARY.procedure("char-set-contains?")
def contains(chars: Any, character: Any) -> bool:
    wanted = arguments.character("char-set-contains?", 2, character)
    return wanted in charset("char-set-contains?", 1, chars)


@LIBRARY.procedure("char-set=")
def equal(*sets: Any) -> bool:
    checked = [charset("char-set=", i, s).members for i, s in enumerate(sets, 1)]
    return all(members == checked[0] for members in checked)


@LIBRARY.procedure("char-set<=")
def subset(*sets: Any) -> bool:
    checked = [charset("char-set<=", i, s).members for i, s in enumerate(sets, 1)]
    return all(a <= b for a, b in itertools.pairwise(checked))


@LIBRARY.procedure("char-set-hash")
def hash_(chars: Any, bound: Any = None) -> int:
    return stable_hash("".join(charset("char-set-hash", 1, chars)), bound)


@LIBRARY.procedure("char-set-size")
def size(chars: Any) -> int:
    return len(charset("char-set-size", 1, chars))


@LIBRARY.procedure("char-set->list")
def to_list(chars: Any) -> Any:
    return scheme_list(map(char, charset("char-set->list", 1, chars)))


@LIBRARY.procedure("char-set->string")
def to_string(chars: Any) -> str:
    return "".join(charset("char-set->string", 1, chars))


def _with(name: str, combine: Callable[[frozenset[str], set[str]], frozenset[str]]) -> None:
    @LIBRARY.procedure(name, f"{name}!")
    def changed(chars: Any, *characters: Any) -> CharSet:
        given = {arguments.character(name, i, c) for i, c in enumerate(characters, 2)}
        return CharSet(combine(charset(name, 1, chars).members, given))


_with("char-set-adjoin", lambda members, given: members | given)
_with("char-set-delete", lambda members, given: members - given)


@LIBRARY.procedure("char-set-complement", "char-set-complement!")
def complement(chars: Any) -> CharSet:
    original = charset("char-set-complement", 1, chars)
    return CharSet(None, lambda character: character not in original)


def _checked(who: str, sets: Iterable[Any]) -> list[CharSet]:
    return [charset(who, position, value) for position, value in enumerate(sets, 1)]


@LIBRARY.procedure("char-set-union", "char-set-union!")
def union(*sets: Any) -> CharSet:
    checked = _checked("char-set-union", sets)
    if all(s.listed for s in checked):
        return CharSet(frozenset[str]().union(*(s.members for s in checked)))
    return CharSet(None, lambda character: any(character in s for s in checked))


@LIBRARY.procedure("char-set-intersection", "char-set-intersection!")
def intersection(*sets: Any) -> CharSet:
    checked = _checked("char-set-intersection", sets)
    known = next((s for s in checked if s.listed), None)
    if known is not None:
        return CharSet(c for c in known.members if all(c in s for s in checked))
    return CharSet(None, lambda character: all(character in s for s in checked))


@LIBRARY.procedure("char-set-difference", "char-set-difference!")
def difference(first: Any, *sets: Any) -> CharSet:
    kept, *taken = _checked("char-set-difference", (first, *sets))
    if kept.listed:
        return CharSet(c for c in kept.members if not any(c in s for s in taken))
    return CharSet(None, lambda c: c in kept and not any(c in s for s in taken))


@LIBRARY.procedure("char-set-xor", "char-set-xor!")
def exclusive(*sets: Any) -> CharSet:
    checked = _checked("char-set-xor", sets)
    if all(s.listed for s in checked):
        members: set[str] = set()
        for one in checked:
            members ^= one.members
        return CharSet(members)
    return CharSet(None, lambda character: sum(character in s for s in checked) % 2 == 1)


@LIBRARY.procedure("char-set-diff+intersection", "char-set-diff+intersection!")
@tail_calling
def difference_and_intersection(first: Any, *sets: Any) -> Any:
    return several((difference(first, *sets), intersection(first, union(*sets))))


def _matches(who: str, predicate: Any, chars: Any) -> Iterable[tuple[str, Any]]:
    for character in charset(who, 2, chars):
        yield character, call(predicate, char(character))


@LIBRARY.procedure("char-set-filter", "char-set-filter!")
def filter_(predicate: Any, chars: Any, base: Any = None) -> CharSet:
    chosen = {
        c for c, verdict in _matches("char-set-filter", predicate, chars) if verdict is not False
    }
    return CharSet(chosen | _base("char-set-filter", 3, base))


@LIBRARY.procedure("char-set-count")
def count(predicate: Any, chars: Any) -> int:
    return sum(v is not False for _, v in _matches("char-set-count", predicate, chars))


@LIBRARY.procedure("char-set-every")
def every(predicate: Any, chars: Any) -> Any:
    value: Any = True
    for _, value in _matches("char-set-every", predicate, chars):
        if value is False:
            break
    return value


@LIBRARY.procedure("char-set-any")
def any_(predicate: Any, chars: Any) -> Any:
    for _, value in _matches("char-set-any", predicate, chars):
        if value is not False:
            return value
    return False


@LIBRARY.procedure("char-set-for-each")
def for_each(function: Any, chars: Any) -> Any:
    for _ in _matches("char-set-for-each", function, chars):
        pass
    return UNSPECIFIED


@LIBRARY.procedure("char-set-map")
def map_(function: Any, chars: Any) -> CharSet:
    mapped = _matches("char-set-map", function, chars)
    return CharSet(arguments.character("char-set-map", 1, value) for _, value in mapped)


@LIBRARY.procedure("char-set-fold")
def fold(function: Any, initial: Any, chars: Any) -> Any:
    for character in charset("char-set-fold", 3, chars):
        initial = call(function, char(character), initial)
    return initial


@LIBRARY.procedure("char-set-unfold", "char-set-unfold!")
def unfold(stop: Any, to_character: Any, step: Any, seed: Any, base: Any = None) -> CharSet:
    made = set(_base("char-set-unfold", 5, base))
    while call(stop, seed) is False:
        made.add(arguments.character("char-set-unfold", 2, call(to_character, seed)))
        seed = call(step, seed)
    return CharSet(made)


@LIBRARY.procedure("char-set-cursor")
def cursor(chars: Any) -> Any:
    """What is left to visit, as a list."""
    return to_list(chars)


@LIBRARY.procedure("char-set-ref")
def cursor_ref(chars: Any, position: Any) -> Any:
    if type(position) is not Pair:
        wrong_type("char-set-ref", 2, position)
    return position.car


@LIBRARY.procedure("char-set-cursor-next")
def cursor_next(chars: Any, position: Any) -> Any:
    if type(position) is not Pair:
        wrong_type("char-set-cursor-next", 2, position)
    return position.cdr


@LIBRARY.procedure("end-of-char-set?")
def cursor_at_end(position: Any) -> bool:
    return type(position) is not Pair
