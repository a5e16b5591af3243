"""The bindings of (guile), which every module sees unless it says otherwise."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from typing import Any, Final

from lang.runtime.library import Library

MODULES: Final = (
    *(
        f"lang.runtime.primitives.{theme}"
        for theme in (
            "equivalence",
            "pairs",
            "lists",
            "alists",
            "numbers",
            "division",
            "elementary",
            "bits",
            "characters",
            "strings",
            "string_search",
            "string_change",
            "symbols",
            "charsets",
            "vectors",
            "bytevectors",
            "hashtables",
            "records",
            "procedures",
            "sorting",
            "ports",
            "files",
            "formatting",
            "environment",
            "chance",
            "times",
            "reports",
        )
    ),
    "lang.runtime.dynamic",
    "lang.runtime.conditions",
    "lang.runtime.control",
)
"""The modules that hold a LIBRARY of core bindings; a later one's binding wins."""


def libraries() -> Iterator[Library]:
    """The libraries of core bindings, in order."""
    for name in MODULES:
        yield importlib.import_module(name).LIBRARY


def core_bindings() -> dict[str, Any]:
    """Name and value of each core binding. The dictionary is the caller's."""
    return dict(_bindings())


@functools.cache
def _bindings() -> dict[str, Any]:
    bindings: dict[str, Any] = {}
    for library in libraries():
        bindings.update(library.bindings)
    return bindings


@functools.cache
def staged_names() -> frozenset[str]:
    """The names of the core procedures that exist inside builds only."""
    return frozenset().union(*(library.staged for library in libraries()))
