"""How primitives report errors: each function raises the condition that Guile's namesake throws."""

from __future__ import annotations

from typing import Any, NoReturn

from lang.data import Symbol, scheme_list, symbol
from lang.errors import SchemeError
from lang.runtime.condition_types import (
    ASSERTION,
    ERROR,
    EXTERNAL_ERROR,
    IRRITANTS,
    MESSAGE,
    THROWN,
    WHO,
    Component,
    Condition,
    ConditionType,
)

Who = str | Symbol | None


def wrong_type(who: Who, argument_position: int, obj: Any, expected: str = "") -> NoReturn:
    """`obj`, argument number `argument_position` (from 1) of procedure `who`, has a wrong type.

    Position 0 means that it is not known which argument it was. `expected` is what it should have
    been: "a string".
    """
    if argument_position and expected:
        signal(
            "wrong-type-arg",
            ASSERTION,
            who,
            "Wrong type argument in position ~A (expecting ~A): ~S",
            (argument_position, expected, obj),
            scheme_list([obj]),
        )
    if argument_position:
        signal(
            "wrong-type-arg",
            ASSERTION,
            who,
            "Wrong type argument in position ~A: ~S",
            (argument_position, obj),
            scheme_list([obj]),
        )
    signal("wrong-type-arg", ASSERTION, who, "Wrong type argument: ~S", (obj,), scheme_list([obj]))


def out_of_range(who: Who, obj: Any) -> NoReturn:
    """`obj` (an index, mostly) is of the right type, and too large or too small for `who`."""
    signal("out-of-range", ASSERTION, who, "Value out of range: ~S", (obj,), scheme_list([obj]))


def misc_error(who: Who, message: str, *irritants: Any) -> NoReturn:
    """Anything else. `message` may hold ~A and ~S directives for `irritants`."""
    signal("misc-error", ERROR, who, message, irritants, False)


def system_error(who: Who, error: OSError) -> NoReturn:
    """The operating system refused."""
    signal(
        "system-error",
        EXTERNAL_ERROR,
        who,
        "~A: ~A" if error.filename is not None else "~A",
        (error.strerror, *([str(error.filename)] if error.filename is not None else [])),
        scheme_list([error.errno]),
    )


def signal(
    key: str,
    kind: ConditionType,
    who: Who,
    message: str,
    irritants: tuple[Any, ...],
    data: Any,
) -> NoReturn:
    """Raise a condition of type `kind` that Guile's catch sees as (KEY WHO MESSAGE IRRITANTS DATA).

    `message` may hold ~A and ~S directives for `irritants`.
    """
    raise SchemeError(error_condition(key, kind, who, message, irritants, data))


def error_condition(
    key: str,
    kind: ConditionType,
    who: Who,
    message: str,
    irritants: tuple[Any, ...],
    data: Any = False,
) -> Condition:
    """The condition that `signal` raises."""
    name = symbol(who) if isinstance(who, str) else who
    shown = scheme_list(irritants)
    arguments = scheme_list([name.name if name else False, message, shown, data])
    return Condition(
        Component(kind),
        *([Component(WHO, (name,))] if name else []),
        Component(MESSAGE, (message,)),
        Component(IRRITANTS, (shown,)),
        Component(THROWN, (symbol(key), arguments)),
    )
