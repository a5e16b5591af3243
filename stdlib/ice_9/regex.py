"""(ice-9 regex): POSIX extended regular expressions, by Python's `re`.

Where there are alternatives POSIX takes the longest match, Python the first that fits: those are
left to the library `regex`, which knows both ways.
"""

from __future__ import annotations

import functools
import re
from typing import Any, NoReturn

from lang.data import MString, scheme_list, symbol
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


class Match:
    """What a regular expression matched in the part of `text` from offset `shift` on."""

    __slots__ = ("found", "shift", "text")

    def __init__(self, found: re.Match[str], text: str, shift: int = 0) -> None:
        self.found = found
        self.text = text
        self.shift = shift

    @property
    def start(self) -> int:
        """Where the match starts in `text`."""
        return self.found.start() + self.shift

    @property
    def end(self) -> int:
        """Where the match ends in `text`."""
        return self.found.end() + self.shift

    def __repr__(self) -> str:
        return f"#<regexp-match {self.found[0]}>"


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
    return type(value) is Match


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
    return Match(found, whole, start)


def _match(who: str, value: Any) -> Match:
    if type(value) is not Match:
        wrong_type(who, 1, value)
    return value


def _group(who: str, match: Match, number: Any) -> int:
    if arguments.index(who, 2, number) > match.found.re.groups:
        out_of_range(who, number)
    return int(number)


@LIBRARY.procedure("match:string")
def match_string(match: Any) -> str:
    return _match("match:string", match).text


@LIBRARY.procedure("match:substring")
def match_substring(match: Any, number: Any = 0) -> Any:
    checked = _match("match:substring", match)
    text = checked.found[_group("match:substring", checked, number)]
    return False if text is None else text


@LIBRARY.procedure("match:start")
def match_start(match: Any, number: Any = 0) -> Any:
    checked = _match("match:start", match)
    start = checked.found.start(_group("match:start", checked, number))
    return False if start < 0 else start + checked.shift


@LIBRARY.procedure("match:end")
def match_end(match: Any, number: Any = 0) -> Any:
    checked = _match("match:end", match)
    end = checked.found.end(_group("match:end", checked, number))
    return False if end < 0 else end + checked.shift


@LIBRARY.procedure("match:prefix")
def match_prefix(match: Any) -> str:
    checked = _match("match:prefix", match)
    return checked.text[: checked.start]


@LIBRARY.procedure("match:suffix")
def match_suffix(match: Any) -> str:
    checked = _match("match:suffix", match)
    return checked.text[checked.end :]


@LIBRARY.procedure("match:count")
def match_count(match: Any) -> int:
    return _match("match:count", match).found.re.groups + 1


@LIBRARY.procedure("regexp-quote")
def regexp_quote(text: Any) -> str:
    quoted = arguments.string("regexp-quote", 1, text)
    return re.sub(r"([\[(){}|+?*.\\^$])", r"\\\1", quoted)


def _all_matches(who: str, pattern: Any, text: str) -> list[Match]:
    return [Match(found, text) for found in _pattern(who, pattern).program.finditer(text)]


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


def _item_text(who: str, item: Any, match: Match) -> str:
    if type(item) is int:
        return match.found[_group(who, match, item)] or ""
    if item is symbol("pre"):
        return match.text[: match.start]
    if callable(item):
        return arguments.string(who, 0, call(item, match))
    return arguments.string(who, 0, item)


@LIBRARY.procedure("regexp-substitute")
def regexp_substitute(port: Any, match: Any, *items: Any) -> Any:
    checked = _match("regexp-substitute", match)
    parts = []
    for item in items:
        if item is symbol("post"):
            parts.append(checked.text[checked.end :])
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
                parts.append(whole[end : match.found.start()])
            elif item is not symbol("post"):
                parts.append(_item_text(who, item, match))
        end = match.found.end()
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
