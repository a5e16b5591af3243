"""Guile's older view of errors, for catch and throw: a key and a list of arguments."""

from __future__ import annotations

from typing import Any, Final

from lang.data import NIL, Pair, Symbol, cons, iterate, python_list, scheme_list, symbol
from lang.runtime.condition_types import (
    ASSERTION,
    ERROR,
    EXTERNAL_ERROR,
    IMPLEMENTATION_RESTRICTION,
    IRRITANTS,
    LEXICAL,
    MESSAGE,
    SYNTAX,
    THROWN,
    UNDEFINED_VARIABLE,
    WHO,
    Component,
    Condition,
    ConditionType,
)

_EXCEPTION: Final = symbol("%exception")
_SYNTAX_ERROR: Final = symbol("syntax-error")
_READ_ERROR: Final = symbol("read-error")
_MISC: Final = symbol("misc-error")

KINDS: Final[dict[str, ConditionType]] = {
    "misc-error": ERROR,
    "wrong-type-arg": ASSERTION,
    "out-of-range": ASSERTION,
    "wrong-number-of-args": ASSERTION,
    "keyword-argument-error": ASSERTION,
    "numerical-overflow": ASSERTION,
    "unbound-variable": UNDEFINED_VARIABLE,
    "system-error": EXTERNAL_ERROR,
    "getaddrinfo-error": EXTERNAL_ERROR,
    "stack-overflow": IMPLEMENTATION_RESTRICTION,
    "syntax-error": SYNTAX,
    "read-error": LEXICAL,
}
"""The condition type that stands for each of Guile's own keys."""


def condition_of_throw(key: Symbol, arguments: Any) -> Condition:
    """The condition that (throw key . arguments) raises."""
    if key is _EXCEPTION and type(arguments) is Pair and type(arguments.car) is Condition:
        return arguments.car
    components = []
    kind = KINDS.get(key.name)
    items = python_list(arguments)
    # Guile's own errors are thrown with: procedure, message, arguments of the message, data
    shaped = len(items) >= 3 and isinstance(items[1], str)
    if kind is not None:
        values = (False,) * len(kind.fields)
        components.append(Component(kind, values))
    else:
        components.append(Component(ERROR))
    if shaped:
        who, message, irritants = items[:3]
        if who is not False:
            name = symbol(who) if isinstance(who, str) else who
            components.append(Component(WHO, (name,)))
        components.append(Component(MESSAGE, (message,)))
        if irritants is NIL or type(irritants) is Pair:
            components.append(Component(IRRITANTS, (irritants,)))
    components.append(Component(THROWN, (key, arguments)))
    return Condition(*components)


def view_as_thrown(payload: Any) -> tuple[Symbol, list[Any]]:
    """The key and the arguments that catch's handler gets for a raised object."""
    if not isinstance(payload, Condition):
        return _EXCEPTION, [payload]
    thrown = payload.find(THROWN)
    if thrown is not None:
        key, arguments = thrown.values
        return key, list(iterate(arguments))
    message = payload.field(MESSAGE, "message", "")
    if payload.has_type(SYNTAX):
        form, subform = (payload.field(SYNTAX, name, False) for name in ("form", "subform"))
        return _SYNTAX_ERROR, [False, message, False, form, subform]
    if payload.has_type(LEXICAL):
        return _READ_ERROR, [False, message, NIL, False]
    return _EXCEPTION, [payload]


def error_arguments(message: Any, irritants: Any) -> tuple[Symbol, Any]:
    """The key and arguments of what (error message irritant ...) raises."""
    count = len(python_list(irritants))
    directives = " ".join(["~A", *["~S"] * count])
    return _MISC, scheme_list([False, directives, cons(message, irritants), False])
