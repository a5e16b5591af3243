"""(ice-9 regex): POSIX extended regular expressions, by Python's `re`.

Where there are alternatives POSIX takes the longest match, Python the first that fits: those are
left to the library `regex`, which knows both ways.
"""

from __future__ import annotations

import functools
import re
from typing import Any, NoReturn

from lang.data import MString, Pair, cons, scheme_list, symbol
from lang.runtime.condition_types import ERROR
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.ports import target
from lang.runtime.signals import out_of_range, signal, wrong_type
from lang.runtime.trampoline import call

LIBRARY = Library("ice-9", "regex")

BASIC, EXTENDED, ICASE, NEWLINE = 0, 1, 2, 4
NOTBOL, NOTEOL = 1, 2
for _name, _flag in (
    ("basic", BASIC),
    ("extended", EXTENDED),
    ("icase", ICASE),
    ("newline", NEWLINE),
    ("notbol", NOTBOL),
    ("noteol", NOTEOL),
):
    LIBRARY.constant(f"regexp/{_name}", _flag)

_CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
    "cntrl": r"\x00-\x1f\x7f",
    "print": r" -~",
    "graph": r"!-~",
}
_PART = re.compile(r"\[(\^?)(\]?(?:\[:[a-z]+:\]|[^\]])*)\]|(\\.)|([*+?]{2,})|(.)", re.S)


class Regexp:
    """A compiled regular expression; `program` is one of `re` or of `regex`."""

    __slots__ = ("flags", "pattern", "program")

    def __init__(self, pattern: str, flags: int, program: Any) -> None:
        self.pattern = pattern
        self.flags = flags
        self.program = program

    def __repr__(self) -> str:
        return f"#<regexp {self.pattern}>"


def _made(found: re.Match[str], text: str, shift: int = 0) -> list[Any]:
    """What matched in the part of `text` from offset `shift` on, as Guile has it: a vector of the
    text, and of a pair for each group, which says where it starts and ends (-1: it did not match).
    """
    spans = ((-1, -1) if end < 0 else (start + shift, end + shift) for start, end in found.regs)
    return [text, *(cons(start, end) for start, end in spans)]


@functools.lru_cache(maxsize=512)
def compiled(pattern: str, flags: int, cut: int = 0) -> Regexp:
    """A POSIX regular expression, for text that is `cut` out of a line (NOTBOL, NOTEOL).

    Raises one whose key is regular-expression-syntax.
    """
    text = _translated(pattern, flags, cut)
    options = (re.I if flags & ICASE else 0) | (re.M if flags & NEWLINE else re.S)
    try:
        program = re.compile(text, options)
    except re.error as error:
        _bad_pattern(pattern, str(error))
    if "|" in text:
        import regex

        program = regex.compile(text, options | regex.POSIX)
    return Regexp(pattern, flags, program)


def _bad_pattern(pattern: str, reason: str) -> NoReturn:
    signal(
        "regular-expression-syntax",
        ERROR,
        "make-regexp",
        "bad regular expression ~S: ~A",
        (pattern, reason),
        False,
    )


def _translated(pattern: str, flags: int, cut: int) -> str:
    """`pattern` in Python's syntax."""
    extended, newline = bool(flags & EXTENDED), bool(flags & NEWLINE)
    before = ""

    def replace(match: re.Match[str]) -> str:
        nonlocal before
        if extended and match[0][0] in "*+?" and before in ("", "(", "|"):
            _bad_pattern(pattern, "there is nothing that * + or ? could repeat")
        before = match[0]
        if match[2] is not None:
            members = re.sub(r"\[:([a-z]+):\]", lambda m: f"\0{m[1]}\0", match[2])
            members = members.replace("\\", "\\\\").replace("[", "\\[")
            if members.startswith("]"):
                members = "\\" + members
            for name, characters in _CLASSES.items():
                members = members.replace(f"\0{name}\0", characters)
            if "\0" in members:
                _bad_pattern(pattern, "unknown character class")
            return f"[{match[1]}{members}]"
        if match[3] is not None:
            escaped = match[3][1]
            if not extended and escaped in "(){}|+?":
                return escaped
            if escaped in "<>":
                return r"\b"
            return match[3] if escaped in "wWsSbB123456789" else re.escape(escaped)
        if match[4] is not None:  # a+? repeats a+, where Python has other meanings
            if not extended:
                return re.sub(r"[+?]", r"\\\g<0>", match[4])
            kinds = set(match[4])
            return kinds.pop() if len(kinds) == 1 else "*"
        if match[5] == "$":
            if cut & NOTEOL:
                return r"(?=\n)" if newline else "(?!)"
            return "(?=$)" if newline else r"\Z"
        if match[5] == "^" and cut & NOTBOL:
            return r"(?<=\n)" if newline else "(?!)"
        if not extended and match[5] in "(){}|+?":
            return "\\" + match[5]
        return match[5]

    return _PART.sub(replace, pattern)


@LIBRARY.procedure("make-regexp")
def make_regexp(pattern: Any, *flags: Any) -> Regexp:
    combined = 0 if BASIC in flags and flags else EXTENDED
    for flag in flags:
        combined |= flag
    return compiled(arguments.string("make-regexp", 1, pattern), combined)


@LIBRARY.procedure("regexp?")
def is_regexp(value: Any) -> bool:
    return type(value) is Regexp


@LIBRARY.procedure("regexp-match?")
def is_match(value: Any) -> bool:
    if type(value) is not list or not value or type(value[0]) not in (str, MString):
        return False
    return all(
        type(pair) is Pair and type(pair.car) is int and type(pair.cdr) is int for pair in value[1:]
    )


def _pattern(who: str, value: Any, flags: int = 0) -> Regexp:
    if type(value) is Regexp:
        return value
    if type(value) is str or type(value) is MString:
        return compiled(str(value), EXTENDED | flags)
    wrong_type(who, 1, value)


@LIBRARY.procedure("regexp-exec")
def regexp_exec(pattern: Any, text: Any, start: Any = 0, flags: Any = 0) -> Any:
    """Where a regular expression matches `text` from `start` on, or #f. `flags` are
    regexp/notbol and regexp/noteol."""
    cut = arguments.index("regexp-exec", 4, flags)
    if cut and type(pattern) is Regexp:
        pattern = compiled(pattern.pattern, pattern.flags, cut)
    return _search("regexp-exec", pattern, text, start)


@LIBRARY.procedure("string-match")
def string_match(pattern: Any, text: Any, start: Any = 0) -> Any:
    return _search("string-match", pattern, text, start)


def _search(who: str, pattern: Any, text: Any, start: Any) -> Any:
    whole = arguments.string(who, 2, text)
    if arguments.index(who, 3, start) > len(whole):
        out_of_range(who, start)
    # As in Guile, ^ matches at `start`.
    found = _pattern(who, pattern).program.search(whole[start:])
    if found is None:
        return False
    return _made(found, whole, start)


def _match(who: str, value: Any) -> list[Any]:
    if not is_match(value):
        wrong_type(who, 1, value, "a match of a regular expression")
    return value  # type: ignore[no-any-return]


def _span(who: str, value: Any, number: Any) -> tuple[int, int]:
    """Where group `number` of a match starts and ends, or two negative numbers."""
    match = _match(who, value)
    if arguments.index(who, 2, number) > len(match) - 2:
        out_of_range(who, number)
    pair = match[number + 1]
    if pair.cdr >= 0:
        arguments.span(who, len(_text(match)), pair.car, pair.cdr)
    return pair.car, pair.cdr


def _text(match: list[Any]) -> str:
    return str(match[0])


def _substring(who: str, value: Any, number: Any) -> Any:
    start, end = _span(who, value, number)
    return False if end < 0 else _text(value)[start:end]


@LIBRARY.procedure("match:string")
def match_string(match: Any) -> Any:
    return _match("match:string", match)[0]


@LIBRARY.procedure("match:substring")
def match_substring(match: Any, number: Any = 0) -> Any:
    return _substring("match:substring", match, number)


@LIBRARY.procedure("match:start")
def match_start(match: Any, number: Any = 0) -> Any:
    start, end = _span("match:start", match, number)
    return False if end < 0 else start


@LIBRARY.procedure("match:end")
def match_end(match: Any, number: Any = 0) -> Any:
    _, end = _span("match:end", match, number)
    return False if end < 0 else end


@LIBRARY.procedure("match:prefix")
def match_prefix(match: Any) -> str:
    start, _ = _span("match:prefix", match, 0)
    return _text(match)[:start]


@LIBRARY.procedure("match:suffix")
def match_suffix(match: Any) -> str:
    _, end = _span("match:suffix", match, 0)
    return _text(match)[end:]


@LIBRARY.procedure("match:count")
def match_count(match: Any) -> int:
    return len(_match("match:count", match)) - 1


@LIBRARY.procedure("regexp-quote")
def regexp_quote(text: Any) -> str:
    quoted = arguments.string("regexp-quote", 1, text)
    return re.sub(r"([\[(){}|+?*.\\^$])", r"\\\1", quoted)


def _all_matches(who: str, pattern: Any, text: str) -> list[list[Any]]:
    return [_made(found, text) for found in _pattern(who, pattern).program.finditer(text)]


@LIBRARY.procedure("list-matches")
def list_matches(pattern: Any, text: Any, *_flags: Any) -> Any:
    whole = arguments.string("list-matches", 2, text)
    return scheme_list(_all_matches("list-matches", pattern, whole))


@LIBRARY.procedure("fold-matches")
def fold_matches(pattern: Any, text: Any, initial: Any, function: Any, *_flags: Any) -> Any:
    whole = arguments.string("fold-matches", 2, text)
    for match in _all_matches("fold-matches", pattern, whole):
        initial = call(function, match, initial)
    return initial


def _item_text(who: str, item: Any, match: list[Any]) -> str:
    if type(item) is int:
        return _substring(who, match, item) or ""
    if item is symbol("pre"):
        return match_prefix(match)
    if callable(item):
        return arguments.string(who, 0, call(item, match))
    return arguments.string(who, 0, item)


@LIBRARY.procedure("regexp-substitute")
def regexp_substitute(port: Any, match: Any, *items: Any) -> Any:
    checked = _match("regexp-substitute", match)
    parts = []
    for item in items:
        if item is symbol("post"):
            parts.append(match_suffix(checked))
        else:
            parts.append(_item_text("regexp-substitute", item, checked))
    return _put(port, "".join(parts))


@LIBRARY.procedure("regexp-substitute/global")
def regexp_substitute_global(port: Any, pattern: Any, text: Any, *items: Any) -> Any:
    """`items` are strings, group numbers, procedures of a match, and the symbols pre (what stands
    before the match and after the one before it) and post (go on with the next match)."""
    who = "regexp-substitute/global"
    whole = arguments.string(who, 3, text)
    parts = []
    end = 0
    for match in _all_matches(who, pattern, whole):
        for item in items:
            if item is symbol("pre"):
                parts.append(whole[end : match[1].car])
            elif item is not symbol("post"):
                parts.append(_item_text(who, item, match))
        end = match[1].cdr
        if symbol("post") not in items:
            break
    if symbol("post") in items or not parts:
        parts.append(whole[end:])
    return _put(port, "".join(parts))


def _put(port: Any, text: str) -> Any:
    if port is False:
        return text
    target("regexp-substitute", 1, port).write(text)
    return port
