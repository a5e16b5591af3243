"""(gnu system spelling): which names may have been meant by a wrong one."""

from __future__ import annotations

from typing import Any

from lang.data import MString, Symbol, python_list, scheme_list
from lang.runtime.library import Library

LIBRARY = Library("gnu", "system", "spelling")


@LIBRARY.procedure("similar-names")
def similar_names(value: Any, choices: Any) -> Any:
    """Strings: those of `choices` that are written much like `value`; all symbols or strings."""
    from difflib import get_close_matches

    name = _name(value)
    if name is None:
        return scheme_list([])
    names = [_name(choice) or "" for choice in python_list(choices)]
    longer = [choice for choice in names if name in choice.split("-")]
    return scheme_list((longer + get_close_matches(name, names, n=2))[:2])


def _name(value: Any) -> str | None:
    if isinstance(value, Symbol):
        return value.name
    return str(value) if isinstance(value, str | MString) else None
