"""New strings from old ones: parts, padding, case, splitting, folding (SRFI 13 as Guile has it)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from lang.data import UNSPECIFIED, Char, MString, char, scheme_list
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.strings import mutable
from lang.runtime.signals import out_of_range
from lang.runtime.trampoline import call

LIBRARY = Library("guile")


def _taking(name: str, take: Callable[[str, int], str]) -> None:
    @LIBRARY.procedure(name)
    def taken(text: Any, count: Any) -> str:
        whole = arguments.string(name, 1, text)
        if arguments.index(name, 2, count) > len(whole):
            out_of_range(name, count)
        return take(whole, count)


_taking("string-take", lambda text, count: text[:count])
_taking("string-drop", lambda text, count: text[count:])
_taking("string-take-right", lambda text, count: text[len(text) - count :])
_taking("string-drop-right", lambda text, count: text[: len(text) - count])


@LIBRARY.procedure("string-pad")
def string_pad(text: Any, width: Any, fill: Any = None, start: Any = None, end: Any = None) -> str:
    part = arguments.part("string-pad", 1, text, start, end)
    columns = arguments.index("string-pad", 2, width)
    padding = " " if fill is None else arguments.character("string-pad", 3, fill)
    return part.rjust(columns, padding)[max(len(part) - columns, 0) :]


@LIBRARY.procedure("string-pad-right")
def string_pad_right(
    text: Any, width: Any, fill: Any = None, start: Any = None, end: Any = None
) -> str:
    part = arguments.part("string-pad-right", 1, text, start, end)
    columns = arguments.index("string-pad-right", 2, width)
    padding = " " if fill is None else arguments.character("string-pad-right", 3, fill)
    return part.ljust(columns, padding)[:columns]


def _trimming(name: str, *, left: bool, right: bool) -> None:
    @LIBRARY.procedure(name)
    def trimmed(text: Any, unwanted: Any = None, start: Any = None, end: Any = None) -> str:
        part = arguments.part(name, 1, text, start, end)
        test = str.isspace if unwanted is None else arguments.character_test(name, 2, unwanted)
        first, last = 0, len(part)
        while left and first < last and test(part[first]):
            first += 1
        while right and last > first and test(part[last - 1]):
            last -= 1
        return part[first:last]


_trimming("string-trim", left=True, right=False)
_trimming("string-trim-right", left=False, right=True)
_trimming("string-trim-both", left=True, right=True)

_WORD = re.compile(r"[^\W\d_]+")


def _titlecased(text: str) -> str:
    return _WORD.sub(lambda word: word[0][0].title() + word[0][1:].lower(), text)


def _changing_in_place(name: str, change: Callable[[str], str]) -> None:
    """NAME gives a new string; NAME! changes the string."""

    @LIBRARY.procedure(name)
    def changed(text: Any, start: Any = None, end: Any = None) -> str:
        whole = arguments.string(name, 1, text)
        first, last = arguments.span(name, len(whole), start, end)
        return whole[:first] + change(whole[first:last]) + whole[last:]

    @LIBRARY.procedure(f"{name}!")
    def change_in_place(text: Any, start: Any = None, end: Any = None) -> Any:
        characters = mutable(f"{name}!", text)
        first, last = arguments.span(f"{name}!", len(characters), start, end)
        characters[first:last] = change("".join(characters[first:last]))
        return text


_changing_in_place("string-reverse", lambda text: text[::-1])


def _changing_part(name: str, change: Callable[[str], str]) -> None:
    """NAME gives the changed part alone; NAME! changes the string."""

    @LIBRARY.procedure(name)
    def changed(text: Any, start: Any = None, end: Any = None) -> str:
        return change(arguments.part(name, 1, text, start, end))

    @LIBRARY.procedure(f"{name}!")
    def change_in_place(text: Any, start: Any = None, end: Any = None) -> Any:
        characters = mutable(f"{name}!", text)
        first, last = arguments.span(f"{name}!", len(characters), start, end)
        changed = change("".join(characters[first:last]))
        if len(changed) == last - first:
            characters[first:last] = changed
        else:
            # one by one: a string keeps its length, so that what would be two characters stays
            for position in range(first, last):
                one = change(characters[position])
                characters[position] = one if len(one) == 1 else characters[position]
        return text


_changing_part("string-upcase", str.upper)
_changing_part("string-downcase", str.lower)
_changing_part("string-titlecase", _titlecased)
_changing_part("string-capitalize", _titlecased)


@LIBRARY.procedure("string-foldcase")
def string_foldcase(text: Any) -> str:
    return arguments.string("string-foldcase", 1, text).casefold()


def _normalisation(form: Any) -> None:
    name = f"string-normalize-{form.lower()}"

    @LIBRARY.procedure(name)
    def normalised(text: Any) -> str:
        return unicodedata.normalize(form, arguments.string(name, 1, text))


for _form in ("NFC", "NFD", "NFKC", "NFKD"):
    _normalisation(_form)


@LIBRARY.procedure("string-split")
def string_split(text: Any, separator: Any) -> Any:
    whole = arguments.string("string-split", 1, text)
    if type(separator) is Char:
        return scheme_list(whole.split(separator.value))
    test = arguments.character_test("string-split", 2, separator)
    parts = [""]
    for character in whole:
        if test(character):
            parts.append("")
        else:
            parts[-1] += character
    return scheme_list(parts)


@LIBRARY.procedure("string-tokenize")
def string_tokenize(text: Any, wanted: Any = None, start: Any = None, end: Any = None) -> Any:
    part = arguments.part("string-tokenize", 1, text, start, end)
    if wanted is None:
        test: Callable[[str], bool] = _is_graphic
    else:
        test = arguments.character_test("string-tokenize", 2, wanted)
    words = [""]
    for character in part:
        if test(character):
            words[-1] += character
        elif words[-1]:
            words.append("")
    return scheme_list(word for word in words if word)


def _is_graphic(character: str) -> bool:
    return character.isprintable() and not character.isspace()


@LIBRARY.procedure("string-filter")
def string_filter(wanted: Any, text: Any, start: Any = None, end: Any = None) -> str:
    return _kept("string-filter", wanted, text, start, end, matching=True)


@LIBRARY.procedure("string-delete")
def string_delete(unwanted: Any, text: Any, start: Any = None, end: Any = None) -> str:
    return _kept("string-delete", unwanted, text, start, end, matching=False)


def _kept(who: str, criterion: Any, text: Any, start: Any, end: Any, *, matching: bool) -> str:
    if type(criterion) is str or type(criterion) is MString:
        criterion, text = text, criterion  # Guile takes SRFI 13's older order, too.
    test = arguments.character_test(who, 1, criterion)
    return "".join(c for c in arguments.part(who, 2, text, start, end) if test(c) is matching)


@LIBRARY.procedure("string-replace")
def string_replace(
    text: Any,
    replacement: Any,
    start1: Any = None,
    end1: Any = None,
    start2: Any = None,
    end2: Any = None,
) -> str:
    whole = arguments.string("string-replace", 1, text)
    first, last = arguments.span("string-replace", len(whole), start1, end1)
    inserted = arguments.part("string-replace", 2, replacement, start2, end2)
    return whole[:first] + inserted + whole[last:]


@LIBRARY.procedure("string-concatenate-reverse", "string-concatenate-reverse/shared")
def string_concatenate_reverse(texts: Any, final: Any = "", end: Any = None) -> str:
    who = "string-concatenate-reverse"
    parts = [arguments.string(who, 1, text) for text in arguments.items(who, 1, texts)]
    return "".join(reversed(parts)) + arguments.part(who, 2, final, None, end)


@LIBRARY.procedure("string-tabulate")
def string_tabulate(function: Any, count: Any) -> str:
    return "".join(
        arguments.character("string-tabulate", 1, call(function, position))
        for position in range(arguments.index("string-tabulate", 2, count))
    )


@LIBRARY.procedure("string-for-each-index")
def string_for_each_index(function: Any, text: Any, start: Any = None, end: Any = None) -> Any:
    whole = arguments.string("string-for-each-index", 2, text)
    for position in range(*arguments.span("string-for-each-index", len(whole), start, end)):
        call(function, position)
    return UNSPECIFIED


@LIBRARY.procedure("string-map!")
def string_map_in_place(function: Any, text: Any, start: Any = None, end: Any = None) -> Any:
    characters = mutable("string-map!", text)
    for position in range(*arguments.span("string-map!", len(characters), start, end)):
        mapped = call(function, char(characters[position]))
        characters[position] = arguments.character("string-map!", 1, mapped)
    return UNSPECIFIED


@LIBRARY.procedure("string-fold")
def string_fold(function: Any, initial: Any, text: Any, start: Any = None, end: Any = None) -> Any:
    for character in arguments.part("string-fold", 3, text, start, end):
        initial = call(function, char(character), initial)
    return initial


@LIBRARY.procedure("string-fold-right")
def string_fold_right(
    function: Any, initial: Any, text: Any, start: Any = None, end: Any = None
) -> Any:
    for character in reversed(arguments.part("string-fold-right", 3, text, start, end)):
        initial = call(function, char(character), initial)
    return initial


def _unfold(name: str, *, from_right: bool) -> None:
    @LIBRARY.procedure(name)
    def unfold(
        stop: Any, to_character: Any, step: Any, seed: Any, base: Any = "", make_final: Any = None
    ) -> str:
        made = []
        while call(stop, seed) is False:
            made.append(arguments.character(name, 2, call(to_character, seed)))
            seed = call(step, seed)
        first = arguments.string(name, 5, base)
        final = "" if make_final is None else arguments.string(name, 6, call(make_final, seed))
        if from_right:
            return final + "".join(reversed(made)) + first
        return first + "".join(made) + final


_unfold("string-unfold", from_right=False)
_unfold("string-unfold-right", from_right=True)


@LIBRARY.procedure("xsubstring")
def xsubstring(text: Any, first: Any, last: Any = None, start: Any = None, end: Any = None) -> str:
    """The characters number `first` to `last` of `text` repeated for ever in both directions."""
    part = arguments.part("xsubstring", 1, text, start, end)
    low = arguments.integer("xsubstring", 2, first)
    high = low + len(part) if last is None else arguments.integer("xsubstring", 3, last)
    if low < high and not part:
        out_of_range("xsubstring", text)
    return "".join(part[position % len(part)] for position in range(low, high))


@LIBRARY.procedure("string-xcopy!")
def string_xcopy(
    target: Any,
    at: Any,
    text: Any,
    first: Any,
    last: Any = None,
    start: Any = None,
    end: Any = None,
) -> Any:
    copied = xsubstring(text, first, last, start, end)
    characters = mutable("string-xcopy!", target)
    position = arguments.index("string-xcopy!", 2, at)
    if position + len(copied) > len(characters):
        out_of_range("string-xcopy!", at)
    characters[position : position + len(copied)] = copied
    return UNSPECIFIED
