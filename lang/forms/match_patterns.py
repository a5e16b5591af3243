"""The patterns of `match` as data: how often parts are repeated, quasi-patterns, and what they
bind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lang.data import NIL, Pair, cons, python_list, scheme_list, symbol
from lang.syntax import Identifier, base, is_identifier, syntax_error

ELLIPSES: Final = frozenset({"...", "___"})


def repetition(name: str, pattern: Pair) -> tuple[int, int | None, int] | None:
    """The least and greatest number that the counter `name` allows, and its width in elements."""
    if name in ELLIPSES:
        return 0, None, 1
    if name == "**1":
        return 1, None, 1
    if _is_numbered(name):
        return int(name[2:]), None, 1
    numbers = python_list(pattern.cdr.cdr)
    if name == "=.." and numbers and type(numbers[0]) is int:
        return numbers[0], numbers[0], 2
    if name == "*.." and len(numbers) > 1 and type(numbers[0]) is int:
        return numbers[0], numbers[1] if type(numbers[1]) is int else None, 3
    return None


def is_counter(name: str) -> bool:
    """Does an identifier of that name after a pattern say how often it is repeated?"""
    return _is_numbered(name) or name in ELLIPSES or name in ("**1", "=..", "*..")


def _is_numbered(name: str) -> bool:
    return name.startswith("..") and name[2:].isdigit()


def quasi_pattern(x: Any) -> Any:
    """The pattern that a quasiquote pattern means."""
    if is_identifier(x):
        if base(x).name in ELLIPSES:
            return x
        return scheme_list([symbol("quote"), x])
    if type(x) is Pair:
        if is_identifier(x.car) and base(x.car).name == "unquote" and type(x.cdr) is Pair:
            return x.cdr.car
        if (
            type(x.car) is Pair
            and is_identifier(x.car.car)
            and base(x.car.car).name == "unquote-splicing"
        ):
            return x.car.cdr.car if x.cdr is NIL else syntax_error("match: ,@ must come last", x)
        return cons(quasi_pattern(x.car), quasi_pattern(x.cdr), x.pos)
    if type(x) is list:
        return [quasi_pattern(item) for item in x]
    return x


def variables(pattern: Any) -> Iterator[Identifier]:
    """The identifiers that `pattern` binds."""
    if is_identifier(pattern):
        name = base(pattern).name
        if not is_counter(name) and name not in ("_", "***"):
            yield pattern
    elif type(pattern) is list:
        for item in pattern:
            yield from variables(item)
    elif type(pattern) is Pair:
        name = base(pattern.car).name if is_identifier(pattern.car) else ""
        operands = python_list(pattern.cdr)
        if name == "quote":
            return
        if name == "quasiquote":
            yield from variables(quasi_pattern(operands[0]))
        elif name in ("?", "=", "$", "struct"):
            yield from (id for operand in operands[1:] for id in variables(operand))
        elif name in ("@", "object"):
            for operand in operands[1:]:
                yield from variables(operand.cdr.car)
        elif name in ("and", "or", "set!", "get!"):
            yield from (id for operand in operands for id in variables(operand))
        elif name != "not":
            yield from variables(pattern.car)
            yield from variables(pattern.cdr)
