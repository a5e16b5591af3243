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
}
"""By the name of a module or what it begins with: why, and a hint."""


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


def advice(name: str, roots: Sequence[Path]) -> str | None:
    """What the libraries in `roots` say there is instead of a variable or a field `name`."""
    return next((t.NAMES[name] for t in _elsewhere(roots) if name in t.NAMES), None)


def _elsewhere(roots: Sequence[Path]) -> Iterator[Any]:
    for root in roots:
        if (root / "elsewhere.py").is_file():
            yield importlib.import_module(f"{root.resolve().name}.elsewhere")
