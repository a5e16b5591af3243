"""(gnu system spelling): which names may have been meant by a wrong one."""

from __future__ import annotations

from typing import Any

from lang.data import MString, Symbol, python_list
from lang.runtime.library import Library
from lang.syntax import did_you_mean

LIBRARY = Library("gnu", "system", "spelling")


@LIBRARY.procedure("what-was-meant")
def what_was_meant(value: Any, choices: Any, quote: str) -> str | bool:
    """A hint at which of `choices`, all symbols or all strings and shown with `quote` before them,
    may have been meant by `value`, or #f."""
    from difflib import get_close_matches

    name = _name(value)
    if name is None:
        return False
    names = [_name(choice) or "" for choice in python_list(choices)]
    longer = [choice for choice in names if name in choice.split("-")]
    near = (longer + get_close_matches(name, names, n=2))[:2]
    return did_you_mean([quote + one for one in near]) or False


def _name(value: Any) -> str | None:
    if isinstance(value, Symbol):
        return value.name
    return str(value) if isinstance(value, str | MString) else None
