"""Equivalence, booleans and the type predicates that belong nowhere else."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from lang.data import EOF, NIL, UNSPECIFIED
from lang.runtime.equality import is_eq, is_equal, is_eqv
from lang.runtime.library import Library

LIBRARY = Library("guile")


def _n_ary(name: str, same: Callable[[Any, Any], bool]) -> None:
    @LIBRARY.procedure(name)
    def compare(*values: Any) -> bool:
        if len(values) == 2:
            return same(*values)
        return all(same(a, b) for a, b in itertools.pairwise(values))


_n_ary("eq?", is_eq)
_n_ary("eqv?", is_eqv)
_n_ary("equal?", is_equal)

LIBRARY.constant("*unspecified*", UNSPECIFIED)


@LIBRARY.procedure("not")
def negated(value: Any) -> bool:
    return value is False


@LIBRARY.procedure("->bool")
def to_boolean(value: Any) -> bool:
    return value is not False


@LIBRARY.procedure("boolean?")
def is_boolean(value: Any) -> bool:
    return value is True or value is False


@LIBRARY.procedure("boolean=?")
def booleans_equal(first: Any, second: Any, *more: Any) -> bool:
    return all(value is first for value in (second, *more))


@LIBRARY.procedure("unspecified?")
def is_unspecified(value: Any) -> bool:
    return value is UNSPECIFIED


@LIBRARY.procedure("eof-object?")
def is_eof_object(value: Any) -> bool:
    return value is EOF


@LIBRARY.procedure("eof-object")
def eof_object() -> Any:
    return EOF


@LIBRARY.procedure("nil?")
def is_nil(value: Any) -> bool:
    """Whether Emacs Lisp would call `value` nil."""
    return value is NIL or value is False
