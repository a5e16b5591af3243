"""Core procedures that are written out behind a check, with a call of the procedure otherwise.

The check is what keeps Python's wider meaning out: (vector-ref v i) is `v[i]` if v is a list and
0 <= i < len(v); else the primitive itself does what it does, and complains as it does. An operand
is looked at several times, so that each becomes a name or a constant first.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from lang.codegen import forms, primitives
from lang.codegen.emitter import IS, IS_NOT, Emitter
from lang.data import Char
from lang.ir import Const, LRef, Node

Rule: TypeAlias = Callable[[Emitter, Sequence[Node]], ast.expr | None]
Check: TypeAlias = Callable[[Emitter, Sequence[Node], list[ast.expr]], list[ast.expr]]
"""The tests for a call's operands, given as nodes and as names."""
Build: TypeAlias = Callable[[Emitter, list[ast.expr]], ast.expr]


def _named(e: Emitter, nodes: Sequence[Node]) -> tuple[list[ast.expr], list[ast.expr]]:
    """Names for the values of `nodes`, and the tests, always true, that evaluate what is none yet.

    That is one operand at most; the others that are more than a name are evaluated before.
    """
    values = forms.operands(e, nodes)
    more = [i for i, node in enumerate(nodes) if not _is_plain(node, values[i])]
    for i in more[:-1]:
        values[i] = forms.spill(e, values[i])
    evaluations = []
    for i in more[-1:]:
        name = e.temporary()
        evaluations.append(e.compare(e.let(name, values[i]), IS_NOT, e.literal(None)))
        values[i] = e.name(name)
    return values, evaluations


def _is_plain(node: Node, value: ast.expr) -> bool:
    """Whether `value` can be written several times. A pooled constant has no name yet."""
    if isinstance(value, ast.Constant):
        return True
    if not isinstance(value, ast.Name) or not value.id:
        return False
    fixed = type(node) is Const or (type(node) is LRef and not node.var.mutated)
    return fixed or value.id[0] == "$"


def _copy(e: Emitter, value: ast.expr) -> ast.expr:
    """A node of its own for a name or a constant."""
    return e.name(value.id) if isinstance(value, ast.Name) else value


def _copies(e: Emitter, values: Sequence[ast.expr]) -> list[ast.expr]:
    return [_copy(e, value) for value in values]


def _all(e: Emitter, tests: list[ast.expr]) -> ast.expr:
    return tests[0] if len(tests) == 1 else e.all_of(tests, ast.And())


def _value(who: str, check: Check, build: Build) -> Rule:
    """What `build` makes of the operands if they pass `check`."""

    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) != _ARITY[who]:
            return None
        names, tests = _named(e, arguments)
        tests += check(e, arguments, names)
        call = e.invoke(e.name(who), _copies(e, names))
        return e.either(_all(e, tests), build(e, _copies(e, names)), call)

    return write


def _effect(who: str, check: Check, target: Build) -> Rule:
    """An assignment of the last operand to what `target` makes of the others."""

    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) != _ARITY[who]:
            return None
        names = [
            value if _is_plain(node, value) else forms.spill(e, value)
            for node, value in zip(arguments, forms.operands(e, arguments), strict=True)
        ]
        *place, new = _copies(e, names)
        store = e.place(ast.Assign(targets=[target(e, place)], value=new))
        call = e.place(ast.Expr(value=e.invoke(e.name(who), _copies(e, names))))
        e.emit(ast.If(test=_all(e, check(e, arguments, names)), body=[store], orelse=[call]))
        return e.name("$unspecified")

    return write


# -- checks


def _type_is(e: Emitter, value: ast.expr, name: str) -> ast.expr:
    kind = e.invoke(e.name("$type"), [_copy(e, value)])
    return e.compare(kind, IS, e.name(name))


def _is_a(name: str) -> Check:
    """The first operand is of a type."""
    return lambda e, nodes, values: [_type_is(e, values[0], name)]


def _has_index(name: str) -> Check:
    """The first operand is of a type, and the second one an index of it."""

    def check(e: Emitter, nodes: Sequence[Node], values: list[ast.expr]) -> list[ast.expr]:
        items, index = values[:2]
        length = e.invoke(e.name("$len"), [_copy(e, items)])
        inside = e.place(
            ast.Compare(
                left=e.literal(0),
                ops=[ast.LtE(), ast.Lt()],
                comparators=[_copy(e, index), length],
            )
        )
        if primitives.is_number(e, nodes[1]):
            return [_type_is(e, items, name), inside]
        # Python takes booleans for indices; what was an index once is a number from then on
        whole = _type_is(e, index, "$int")
        primitives.learn(e, [nodes[1]])
        return [_type_is(e, items, name), whole, inside]

    return check


def _whole(e: Emitter, nodes: Sequence[Node], values: list[ast.expr]) -> list[ast.expr]:
    """An exact integer from 0 on and one from 1 on."""
    tests = []
    for least, (node, value) in enumerate(zip(nodes, values, strict=True)):
        if type(node) is Const and type(node.value) is int and node.value >= least:
            continue
        tests.append(_type_is(e, value, "$int"))
        tests.append(e.compare(_copy(e, value), ast.GtE(), e.literal(least)))
    return tests or [e.literal(True)]


def _characters(e: Emitter, nodes: Sequence[Node], values: list[ast.expr]) -> list[ast.expr]:
    tests = [
        _type_is(e, value, "$Char")
        for node, value in zip(nodes, values, strict=True)
        if not (type(node) is Const and type(node.value) is Char)
    ]
    return tests or [e.literal(True)]


# -- what is written


def _item(e: Emitter, values: list[ast.expr]) -> ast.expr:
    return e.place(ast.Subscript(value=values[0], slice=values[1], ctx=ast.Load()))


def _character(e: Emitter, values: list[ast.expr]) -> ast.expr:
    return _item(e, [e.name("$chars"), _item(e, values)])


def _length(e: Emitter, values: list[ast.expr]) -> ast.expr:
    return e.invoke(e.name("$len"), values)


def _operator(operator: ast.operator) -> Build:
    return lambda e, values: e.place(
        ast.BinOp(left=values[0], op=operator, right=values[1]),
    )


def _same(e: Emitter, values: list[ast.expr]) -> ast.expr:
    return e.compare(values[0], IS, values[1])


def _slot(attribute: str) -> Build:
    return lambda e, values: e.place(
        ast.Attribute(value=values[0], attr=attribute, ctx=ast.Store())
    )


def _element(e: Emitter, values: list[ast.expr]) -> ast.expr:
    return e.place(ast.Subscript(value=values[0], slice=values[1], ctx=ast.Store()))


def eq(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
    """eq? of two variables: the same object, or else equal integers."""
    if len(arguments) != 2:
        return None
    names, tests = _named(e, arguments)
    identical = _same(e, _copies(e, names))
    other = e.invoke(e.name("eq?"), _copies(e, names))
    numbers = _all(e, [_type_is(e, names[0], "$int"), other])
    return _all(e, [*tests, e.all_of([identical, numbers], ast.Or())])


_ARITY: Final = {
    **dict.fromkeys(("vector-length", "string-length"), 1),
    **dict.fromkeys(("vector-ref", "string-ref", "remainder", "quotient", "char=?"), 2),
    **dict.fromkeys(("set-car!", "set-cdr!"), 2),
    "vector-set!": 3,
}
VALUES: Final[dict[str, Rule]] = {
    "vector-ref": _value("vector-ref", _has_index("$vector"), _item),
    "string-ref": _value("string-ref", _has_index("$str"), _character),
    "vector-length": _value("vector-length", _is_a("$vector"), _length),
    "string-length": _value("string-length", _is_a("$str"), _length),
    "remainder": _value("remainder", _whole, _operator(ast.Mod())),
    "quotient": _value("quotient", _whole, _operator(ast.FloorDiv())),
    "vector-set!": _effect("vector-set!", _has_index("$vector"), _element),
    "set-car!": _effect("set-car!", _is_a("$Pair"), _slot("car")),
    "set-cdr!": _effect("set-cdr!", _is_a("$Pair"), _slot("cdr")),
}
PREDICATES: Final[dict[str, Rule]] = {"char=?": _value("char=?", _characters, _same)}
