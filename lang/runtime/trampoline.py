"""Proper tail calls: the protocol between compiled code, primitives and whoever calls them.

A procedure may return TAIL instead of a value, having put the procedure to call and its arguments
into TAIL's registers. Whoever needs the value calls `force`.

Several values travel as a pending call of `first_of`: who wants one value gets the first, as in
Guile; who can do with several calls `force_values` or `call_values` and gets Values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from lang.data import UNSPECIFIED, Values

F = TypeVar("F", bound=Callable[..., Any])


class TailCall:
    """The registers of a pending tail call."""

    __slots__ = ("args", "function")

    function: Callable[..., Any]
    args: tuple[Any, ...]


TAIL: Final = TailCall()


def force(tail: TailCall = TAIL) -> Any:
    """Run the pending tail call until it gives a value. `asker`, the procedure that asked for the
    call, is for lang.last_calls; TAIL as a local variable pays for it."""
    asker = None
    function = tail.function
    while True:
        result = function(*tail.args)
        if result is not tail:
            return result
        asker, function = function, tail.function  # noqa: F841


def first_of(*values: Any) -> Any:
    """What several values are where one is wanted."""
    return values[0] if values else UNSPECIFIED


def several(values: Iterable[Any]) -> Any:
    """What a procedure marked with `tail_calling` returns to give several values."""
    TAIL.function, TAIL.args = first_of, tuple(values)
    return TAIL


def force_values(tail: TailCall = TAIL) -> Any:
    """Run the pending tail call until it gives a value, or Values; otherwise like `force`."""
    asker = None
    function = tail.function
    while True:
        if function is first_of:
            return Values(tail.args)
        result = function(*tail.args)
        if result is not tail:
            return result
        asker, function = function, tail.function  # noqa: F841


def call_values(function: Callable[..., Any], *args: Any) -> Any:
    """Call a Scheme procedure from Python and give its value, or Values."""
    result = function(*args)
    return force_values() if result is TAIL else result


def passed_on(result: Any) -> Any:
    """What a `tail_calling` procedure returns to give what `call_values` gave it."""
    return several(result) if type(result) is Values else result


def call(function: Callable[..., Any], *args: Any) -> Any:
    """Call a Scheme procedure from Python and give its value."""
    result = function(*args)
    return force() if result is TAIL else result


def tail_call(function: Callable[..., Any], *args: Any) -> Any:
    """What a primitive marked with `tail_calling` returns to call `function` as its last act."""
    TAIL.function, TAIL.args = function, args
    return TAIL


def tail_calling(primitive: F) -> F:
    """Marks a primitive that may return TAIL; from Python it has to be called with `call`."""
    primitive.tail_calls = True  # type: ignore[attr-defined]
    return primitive
