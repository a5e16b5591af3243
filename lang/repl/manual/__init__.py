"""What the standard procedures do, by name: for those whose code does not say it itself.

Each file holds entries (SIGNATURE ... "documentation"). In a signature, what stands in brackets
may be left out.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from lang import fastreader
from lang.data import Pair, python_list
from lang.printer import write


class Entry(NamedTuple):
    """How a procedure is called (empty for a variable), and what it does."""

    signature: str
    documentation: str


@cache
def entries() -> dict[str, Entry]:
    """All entries, by the procedure's name."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.scm")):
        for item in fastreader.read(path.read_text(encoding="utf-8"), 0):
            *signatures, documentation = python_list(item)
            for signature in signatures:
                found[signature.car.name] = Entry(_written(signature), documentation)
    return found


def _written(signature: Pair) -> str:
    def parameter(item: Any) -> str:
        return f"[{' '.join(map(write, python_list(item)))}]" if type(item) is Pair else write(item)

    return f"({' '.join(map(parameter, python_list(signature)))})"
