"""Modules and names of Guile and its libraries that will not come, and what to do instead."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from lang.modules import ModuleName

_BUILDS: Final = "run a program in a build: (system* ...) in a gexp of a computed-file"
_REASONS: Final[dict[ModuleName, tuple[str, str]]] = {
    ("system", "foreign"): ("nothing calls procedures of C libraries", _BUILDS),
    ("system", "foreign-library"): ("nothing calls procedures of C libraries", _BUILDS),
    ("system", "vm"): ("programs do not run on Guile's virtual machine", "leave it out"),
    ("system", "base"): ("programs do not pass through Guile's compiler", "use eval or load"),
    ("language",): ("programs do not pass through Guile's compiler", "use eval or load"),
    ("oop",): (
        "there are no generic functions and classes",
        "records of (srfi srfi-9) or (guix records) and `match` do most of it",
    ),
    ("web",): ("nothing opens connections to servers", "name the file by local-file, with a copy"),
    ("srfi", "srfi-18"): ("one thread runs a program", "(ice-9 threads) has what works with one"),
    ("ice-9", "futures"): ("one thread runs a program", "(ice-9 threads) has what works with one"),
    ("ice-9", "atomic"): ("one thread runs a program", "use plain variables"),
    ("ice-9", "readline"): ("kiln repl edits lines by itself", "leave it out"),
    ("ice-9", "syncase"): ("the core has syntax-case", "leave it out"),
    ("ice-9", "streams"): ("its streams are older than SRFI 41's", "use (srfi srfi-41)"),
    ("ice-9", "common-list"): ("its lists are older than SRFI 1's", "use (srfi srfi-1)"),
    ("ice-9", "weak-vector"): ("nothing is held weakly", "write (make-vector size fill)"),
    ("ice-9", "peg"): ("there are no parsers for grammars", "(ice-9 regex) matches expressions"),
    ("ice-9", "sandbox"): ("a configuration acts on nothing anyway", "use eval"),
    ("statprof",): ("nothing profiles programs", ",time in kiln repl measures an expression"),
    ("sxml",): ("nothing reads or writes XML", "write its text by display or format"),
    ("texinfo",): ("nothing reads or writes Texinfo", "write its text by display or format"),
    ("rnrs",): (
        "it has some of R6RS's libraries",
        "Guile's core, (srfi srfi-1) and (rnrs base) have most of what R6RS has",
    ),
    ("srfi", "srfi-115"): ("there are no SRE expressions", "use (ice-9 regex)"),
    ("srfi", "srfi-133"): ("it has an older library of vectors", "use (srfi srfi-43)"),
    ("srfi", "srfi-151"): ("it has an older library of bits", "use (srfi srfi-60)"),
    ("srfi", "srfi-158"): ("there are no generators", "use (srfi srfi-41) or (srfi srfi-171)"),
}
"""By the name of a module or what it begins with: why, and a hint."""


_LAST: Final = "a procedure's value is that of its last expression"
_CHAIN: Final = (
    "an error that nothing catches shows the calls that led to it; in kiln repl ,bt does"
)
_ALONE: Final = "one thread runs a program: call the procedure, and use its value"
_OPTIONS: Final = "the reader and the printer have no options: leave it out"
_ENTRIES: Final = "look entries up one by one: getpwnam, getgrnam (in builds)"
_NO_NETWORK: Final = (
    "builds have no network: getaddrinfo reads addresses that are written as numbers"
)
_NAMES: Final[dict[str, str]] = {
    **dict.fromkeys(("call-with-new-thread", "begin-thread", "make-thread", "join-thread"), _ALONE),
    **dict.fromkeys(("current-thread", "cancel-thread", "all-threads", "yield"), _ALONE),
    **dict.fromkeys(("make-condition-variable", "wait-condition-variable"), _ALONE),
    **dict.fromkeys(("read-enable", "read-disable", "read-set!", "read-options"), _OPTIONS),
    **dict.fromkeys(("print-enable", "print-disable", "print-set!", "print-options"), _OPTIONS),
    **dict.fromkeys(("debug-enable", "debug-disable", "debug-set!", "debug-options"), _CHAIN),
    **dict.fromkeys(("getpwent", "setpwent", "endpwent", "getgrent", "setgrent"), _ENTRIES),
    **dict.fromkeys(("gethostbyname", "gethostbyaddr", "getservbyname"), _NO_NETWORK),
    "read-hash-extend": "the reader's notations are fixed: read a string by a procedure of yours",
    "macroexpand": "in kiln repl, ,expand shows what a form expands to",
    "compile": "(eval form (current-module)) compiles a form and runs it",
    "set-current-module": "(define-module (name) ...) enters a module",
    "use-srfis": "write (use-modules (srfi srfi-1) ...)",
    "make-guardian": "nothing tells of objects that are collected: leave it out",
    "make-weak-vector": "write (make-vector size fill): nothing is held weakly in it",
    "print": "(display x) writes a value, (newline) ends the line",
    "println": "(display x) writes a value, (newline) ends the line",
    "printf": '(format #t "~a~%" x) writes by a template',
    "backtrace": _CHAIN,
    "make-stack": _CHAIN,
    "display-backtrace": _CHAIN,
    "true": "write #t",
    "True": "write #t",
    "false": "write #f",
    "False": "write #f",
    "nil": "'() is the empty list, #f is false",
    "null": "'() is the empty list, #f is false",
    "None": "'() is the empty list, #f is false",
    "add1": "write (1+ x)",
    "sub1": "write (1- x)",
    "setq": "write (set! name value)",
    "setf": "write (set! name value)",
    "def": "write (define name value) or (define (name parameter ...) body ...)",
    "defun": "write (define (name parameter ...) body ...)",
    "defn": "write (define (name parameter ...) body ...)",
    "fn": "write (lambda (parameter ...) body ...)",
    "defvar": "write (define name value)",
    "defparameter": "write (define name value)",
    "defmacro": "write (define-syntax-rule (name part ...) form)",
    "progn": "write (begin expression ...)",
    "return": _LAST,
    "elif": "write (cond (test expression ...) ... (else expression ...))",
    "mapcar": "write (map procedure list)",
    "dolist": "write (for-each (lambda (x) ...) list)",
    "foldl": "(srfi srfi-1) exports fold: (fold procedure initial list)",
    "foldr": "(srfi srfi-1) exports fold-right: (fold-right procedure initial list)",
    "nth": "write (list-ref list index)",
    "empty?": "write (null? list), or (string-null? text)",
    "rest": "write (cdr list)",
    "len": "write (length list), or (string-length text)",
    "range": "write (iota count start)",
    "concat": "write (string-append text ...), or (append list ...)",
    "==": "write (= a b) for numbers, (equal? a b) for anything",
    "!=": "write (not (equal? a b))",
    "&&": "write (and a b)",
    "**": "write (expt base power)",
    "%": "write (modulo a b)",
}
"""By a name that other Lisps and other languages have: what Scheme has instead."""


def reason(name: ModuleName, roots: Sequence[Path] = ()) -> tuple[str, str] | None:
    """Why there is no module `name`, and what to do; None if there is nothing to be said.

    Libraries in `roots` say it of modules of their kin in a Python module `elsewhere`.
    """
    tables = [_REASONS, *(table.MODULES for table in _elsewhere(roots))]
    for length in range(len(name), 0, -1):
        for table in tables:
            if name[:length] in table:
                return table[name[:length]]  # type: ignore[no-any-return]
    return None


def is_named(name: ModuleName) -> bool:
    """Is there something to be said of just this module?"""
    return name in _REASONS


def advice(name: str, roots: Sequence[Path]) -> str | None:
    """What there is instead of a variable or a field `name`, of other languages or of those that
    the libraries in `roots` know of."""
    known = (t.NAMES[name] for t in _elsewhere(roots) if name in t.NAMES)
    return next(known, None) or _NAMES.get(name)


def _elsewhere(roots: Sequence[Path]) -> Iterator[Any]:
    for root in roots:
        if (root / "elsewhere.py").is_file():
            yield importlib.import_module(f"{root.resolve().name}.elsewhere")
