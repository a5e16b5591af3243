"""(srfi srfi-17 setters): giving a procedure of the core a setter."""

from __future__ import annotations

from typing import Any

from lang.data import UNSPECIFIED
from lang.runtime.library import Library
from lang.runtime.primitives import arguments

LIBRARY = Library("srfi", "srfi-17", "setters")


@LIBRARY.procedure("add-setter!")
def add_setter(procedure: Any, setter: Any) -> Any:
    """Have (set! (PROCEDURE argument ...) value) call SETTER."""
    getter = arguments.procedure("add-setter!", 1, procedure)
    getter.setter = arguments.procedure("add-setter!", 2, setter)  # type: ignore[attr-defined]
    return UNSPECIFIED
