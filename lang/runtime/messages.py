"""What a raised object says to a person."""

from __future__ import annotations

from typing import Any

from lang.data import NIL, MString, Pair, Symbol, python_list
from lang.printer import display, write
from lang.runtime.condition_types import IRRITANTS, MESSAGE, THROWN, WHO, Condition


def condition_text(payload: Any) -> str:
    """The message of any raised object, with who complains and about what."""
    if not isinstance(payload, Condition):
        return f"raised: {write(payload)}"
    who = payload.field(WHO, "who")
    prefix = f"{_name(who)}: " if who else ""
    message = payload.field(MESSAGE, "message")
    irritants = payload.field(IRRITANTS, "irritants", NIL)
    if message is None:
        return prefix + _without_message(payload, irritants)
    text = message if isinstance(message, str | MString) else write(message)
    if _is_formatted(payload, message):
        return prefix + format_message(str(text), python_list(irritants))
    return prefix + " ".join([str(text), *map(write, python_list(irritants))])


def format_message(message: str, arguments: list[Any]) -> str:
    """`message` with its ~A and ~S directives replaced by `arguments`; left-over ones follow."""
    rest = list(arguments)
    pieces: list[str] = []
    at = 0
    while True:
        tilde = message.find("~", at)
        if tilde < 0 or tilde + 1 == len(message):
            pieces.append(message[at:])
            break
        pieces.append(message[at:tilde])
        directive = message[tilde + 1].lower()
        if directive in "as" and rest:
            pieces.append((display if directive == "a" else write)(rest.pop(0)))
        elif directive == "~":
            pieces.append("~")
        elif directive == "%":
            pieces.append("\n")
        else:
            pieces.append(message[tilde : tilde + 2])
        at = tilde + 2
    return " ".join(["".join(pieces), *map(write, rest)])


def _is_formatted(condition: Condition, message: Any) -> bool:
    """Whether the message holds directives: as thrown, it is the one that Guile would format."""
    arguments = condition.field(THROWN, "args", NIL)
    return type(arguments) is Pair and type(arguments.cdr) is Pair and arguments.cdr.car is message


def _without_message(condition: Condition, irritants: Any) -> str:
    thrown = condition.find(THROWN)
    if thrown is not None:
        key, arguments = thrown.values
        return " ".join([f"Throw to key {write(key)}:", *map(write, python_list(arguments))])
    names = ", ".join(component.type.name for component in condition.components)
    return " ".join([f"an error of type {names}", *map(write, python_list(irritants))])


def _name(who: Any) -> str:
    return who.name if isinstance(who, Symbol) else display(who)
