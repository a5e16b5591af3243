"""Comparisons and tests of characters, done on one-character strings.

A character that comes straight from a string need not become one for that:
(char=? (string-ref s i) #\\space) is `s[i] == " "`, if all is as it should be.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Final

from lang.codegen import guarded
from lang.codegen.emitter import IS, Emitter
from lang.codegen.guarded import Rule
from lang.data import Char
from lang.ir import Call, Const, GRef, Node


def _is_access(e: Emitter, node: Node) -> bool:
    return (
        type(node) is Call
        and type(node.function) is GRef
        and node.function.key == "string-ref"
        and len(node.arguments) == 2
        and e.analysis.primitive(node.function) is not None
    )


class _Operands:
    """The operands of a call: their strings, the tests that these are right, and their values."""

    def __init__(self, e: Emitter, nodes: Sequence[Node]) -> None:
        self.tests: list[ast.expr] = []
        self.texts: list[ast.expr] = []
        self.values: list[ast.expr] = []
        flat: list[Node] = []
        for node in nodes:
            flat.extend(node.arguments if type(node) is Call and _is_access(e, node) else [node])
        names, evaluation = guarded.named(e, flat)
        rest = iter(names)
        for node in nodes:
            if type(node) is Call and _is_access(e, node):
                self._access(e, node.arguments, [next(rest), next(rest)])
            else:
                self._character(e, node, next(rest))
        self.tests = guarded.evaluating(e, evaluation, self.tests)

    def _access(self, e: Emitter, nodes: Sequence[Node], names: list[ast.expr]) -> None:
        self.tests += guarded.has_index("string-ref", "$str")(e, nodes, names)
        self.texts.append(guarded.item(e, guarded.seen(e, "string-ref", nodes, names)))
        self.values.append(e.invoke(e.name("string-ref"), guarded.copies(e, names)))

    def _character(self, e: Emitter, node: Node, name: ast.expr) -> None:
        self.values.append(guarded.copy(e, name))
        if type(node) is Const and type(node.value) is Char:
            self.texts.append(e.literal(node.value.value))
        else:
            self.tests.append(guarded.type_is(e, name, "$Char"))
            self.texts.append(e.attribute(guarded.copy(e, name), "value"))


def _rule(who: str, count: int, build: Callable[[Emitter, list[ast.expr]], ast.expr]) -> Rule:
    """What `build` makes of the strings of `count` characters."""

    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) != count:
            return None
        operands = _Operands(e, arguments)
        result = build(e, operands.texts)
        if not operands.tests:
            return result
        call = e.invoke(e.name(who), operands.values)
        return e.either(guarded.conjunction(e, operands.tests), result, call)

    return write


def _comparison(who: str, operator: ast.cmpop) -> Rule:
    return _rule(who, 2, lambda e, texts: e.compare(texts[0], operator, texts[1]))


def _equal(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
    """char=?; characters that are objects already are compared as such."""
    if len(arguments) != 2 or any(_is_access(e, node) for node in arguments):
        return _same_text(e, arguments)
    operands = _Operands(e, arguments)
    left, right = operands.values
    result = e.compare(guarded.copy(e, left), IS, guarded.copy(e, right))
    if not operands.tests:
        return result
    call = e.invoke(e.name("char=?"), [left, right])
    return e.either(guarded.conjunction(e, operands.tests), result, call)


def _method(who: str, name: str) -> Rule:
    return _rule(who, 1, lambda e, texts: e.invoke(e.attribute(texts[0], name), []))


_same_text: Final = _comparison("char=?", ast.Eq())
PREDICATES: Final[dict[str, Rule]] = {
    "char=?": _equal,
    "char<?": _comparison("char<?", ast.Lt()),
    "char>?": _comparison("char>?", ast.Gt()),
    "char<=?": _comparison("char<=?", ast.LtE()),
    "char>=?": _comparison("char>=?", ast.GtE()),
    "char-alphabetic?": _method("char-alphabetic?", "isalpha"),
    "char-numeric?": _method("char-numeric?", "isdecimal"),
    "char-whitespace?": _method("char-whitespace?", "isspace"),
    "char-upper-case?": _method("char-upper-case?", "isupper"),
    "char-lower-case?": _method("char-lower-case?", "islower"),
}
VALUES: Final[dict[str, Rule]] = {
    "char->integer": _rule("char->integer", 1, lambda e, texts: e.invoke(e.name("$ord"), texts)),
}
