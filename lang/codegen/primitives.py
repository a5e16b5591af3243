"""Core procedures that are written out in place of a call.

Only calls of names that the expander resolved to the core binding come here. Python's operators
take more types than Scheme's (strings can be added, lists compared): a unary plus, which only
numbers have, keeps the others out and costs next to nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Final

from lang.codegen import forms
from lang.codegen.emitter import IS, Emitter
from lang.data import Char, Keyword, Singleton, Symbol
from lang.ir import Call, Const, GRef, Node

Inline = Callable[[Emitter, Sequence[Node]], ast.expr | None]


def inline(e: Emitter, node: Call) -> ast.expr | None:
    """An expression for the value of `node`, if its procedure is one that is written out."""
    rule = _rule(e, node)
    return rule(e, node.arguments) if rule else None


def inline_test(e: Emitter, node: Call) -> ast.expr | None:
    """An expression with the truth of `node`, if its procedure is a predicate written out."""
    if type(node.function) is GRef and node.function.key in _PREDICATES:
        return inline(e, node)
    return None


def _rule(e: Emitter, node: Call) -> Inline | None:
    function = node.function
    if type(function) is GRef and function.key in INLINED and e.analysis.primitive(function):
        return INLINED[function.key]
    return None


# -- numbers


def _is_number(node: Node) -> bool:
    return type(node) is Const and type(node.value) in (int, float)


def _plus(e: Emitter, value: ast.expr) -> ast.expr:
    return e.place(ast.UnaryOp(op=ast.UAdd(), operand=value))


def _arithmetic(operator: ast.operator, *, guard_both: bool) -> Inline:
    """One operator between two or more arguments."""

    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) < 2:
            return None
        values = forms.operands(e, arguments)
        literals = [_is_number(argument) for argument in arguments]
        result = values[0]
        if not literals[0] and (guard_both or not literals[1]):
            result = _plus(e, result)
        for value, literal in zip(values[1:], literals[1:], strict=True):
            guarded = _plus(e, value) if guard_both and not literal else value
            result = e.place(ast.BinOp(left=result, op=operator, right=guarded))
        return result

    return write


def _minus(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
    if len(arguments) == 1:
        (value,) = forms.operands(e, arguments)
        return e.place(ast.UnaryOp(op=ast.USub(), operand=value))
    return _subtract(e, arguments)


def _comparison(operator: ast.cmpop) -> Inline:
    """A comparison of two arguments. Equality never fails in Python, so both need a guard."""
    equality = isinstance(operator, ast.Eq)

    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) != 2:
            return None
        left, right = forms.operands(e, arguments)
        left_literal, right_literal = (_is_number(argument) for argument in arguments)
        if not left_literal and (equality or not right_literal):
            left = _plus(e, left)
        if equality and not right_literal:
            right = _plus(e, right)
        return e.compare(left, operator, right)

    return write


def _with_literal(build: Callable[[Emitter, ast.expr], ast.expr]) -> Inline:
    """A procedure of one number."""

    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) != 1:
            return None
        (value,) = forms.operands(e, arguments)
        return build(e, value)

    return write


def _add_literal(amount: int) -> Inline:
    operator: ast.operator = ast.Add() if amount > 0 else ast.Sub()
    return _with_literal(
        lambda e, value: e.place(ast.BinOp(left=value, op=operator, right=e.literal(abs(amount))))
    )


def _compare_zero(operator: ast.cmpop) -> Inline:
    guarded = isinstance(operator, ast.Eq)
    return _with_literal(
        lambda e, value: e.compare(_plus(e, value) if guarded else value, operator, e.literal(0))
    )


def _parity(remainder: int) -> Inline:
    def build(e: Emitter, value: ast.expr) -> ast.expr:
        half = e.place(ast.BinOp(left=_plus(e, value), op=ast.Mod(), right=e.literal(2)))
        return e.compare(half, ast.Eq(), e.literal(remainder))

    return _with_literal(build)


# -- pairs and identity


def _path(*attributes: str) -> Inline:
    """car, cdr and their compositions; `attributes` in the order in which they are followed."""

    def build(e: Emitter, value: ast.expr) -> ast.expr:
        for attribute in attributes:
            value = e.attribute(value, attribute)
        return value

    return _with_literal(build)


def _cons(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
    if len(arguments) != 2:
        return None
    return e.invoke(e.name("$Pair"), forms.operands(e, arguments))


def _list(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
    if len(arguments) > 3:
        return None
    result = e.name("$nil")
    for value in reversed(forms.operands(e, arguments)):
        result = e.invoke(e.name("$Pair"), [value, result])
    return result


def _identical(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
    """Equality with a constant of which there is only one object."""
    if len(arguments) != 2 or not any(map(_is_unique, arguments)):
        return None
    left, right = forms.operands(e, arguments)
    if isinstance(left, ast.Constant):
        left, right = right, left
    if isinstance(left, ast.Constant):
        return None
    return e.compare(left, IS, right)


def _is_unique(node: Node) -> bool:
    return type(node) is Const and isinstance(
        node.value, bool | Symbol | Keyword | Char | Singleton
    )


def _not(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
    if len(arguments) != 1:
        return None
    return e.negate(forms.test(e, arguments[0]))


def _is_name(name: str) -> Inline:
    """Identity with the object that the support name stands for."""
    return _with_literal(lambda e, value: e.compare(value, IS, e.name(name)))


def _has_type(name: str) -> Inline:
    return _with_literal(
        lambda e, value: e.compare(e.invoke(e.name("$type"), [value]), IS, e.name(name))
    )


def _values(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
    values = forms.operands(e, arguments)
    if len(values) == 1:
        return values[0]
    return e.invoke(e.name("$Values"), [e.tuple_of(values)])


_subtract: Final = _arithmetic(ast.Sub(), guard_both=False)


def _accessors() -> dict[str, Inline]:
    """car, cdr, caar ... cddddr."""
    table: dict[str, Inline] = {}
    paths = [""]
    for _ in range(4):
        paths = [step + path for path in paths for step in "ad"]
        for path in paths:
            steps = ("car" if step == "a" else "cdr" for step in reversed(path))
            table[f"c{path}r"] = _path(*steps)
    return table


_PREDICATE_RULES: Final[dict[str, Inline]] = {
    "=": _comparison(ast.Eq()),
    "<": _comparison(ast.Lt()),
    ">": _comparison(ast.Gt()),
    "<=": _comparison(ast.LtE()),
    ">=": _comparison(ast.GtE()),
    "zero?": _compare_zero(ast.Eq()),
    "positive?": _compare_zero(ast.Gt()),
    "negative?": _compare_zero(ast.Lt()),
    "even?": _parity(0),
    "odd?": _parity(1),
    "eq?": _identical,
    "eqv?": _identical,
    "equal?": _identical,
    "not": _not,
    "null?": _is_name("$nil"),
    "pair?": _has_type("$Pair"),
    "symbol?": _has_type("$Symbol"),
    "keyword?": _has_type("$Keyword"),
}

_PREDICATES: Final = frozenset(_PREDICATE_RULES)

INLINED: Final[dict[str, Inline]] = {
    **_PREDICATE_RULES,
    **_accessors(),
    "+": _arithmetic(ast.Add(), guard_both=False),
    "-": _minus,
    "*": _arithmetic(ast.Mult(), guard_both=True),
    "modulo": _arithmetic(ast.Mod(), guard_both=True),
    "1+": _add_literal(1),
    "1-": _add_literal(-1),
    "-1+": _add_literal(-1),
    "cons": _cons,
    "list": _list,
    "values": _values,
}
