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
from lang.codegen.emitter import IS, IS_NOT, Emitter, View
from lang.ir import Const, LRef, Node

Rule: TypeAlias = Callable[[Emitter, Sequence[Node]], ast.expr | None]
Check: TypeAlias = Callable[[Emitter, Sequence[Node], list[ast.expr]], list[ast.expr]]
"""The tests for a call's operands, given as nodes and as names."""
Build: TypeAlias = Callable[[Emitter, list[ast.expr]], ast.expr]


def named(e: Emitter, nodes: Sequence[Node]) -> tuple[list[ast.expr], ast.NamedExpr | None]:
    """Names for the values of `nodes`, and the assignment to one of the names that is yet to do.

    Of the operands that are more than a name all but the last are evaluated before.
    """
    values = forms.operands(e, nodes)
    more = [i for i, node in enumerate(nodes) if not _is_plain(node, values[i])]
    for i in more[:-1]:
        values[i] = forms.spill(e, values[i])
    if not more:
        return values, None
    name = e.temporary()
    evaluation = e.let(name, values[more[-1]])
    values[more[-1]] = e.name(name)
    assert isinstance(evaluation, ast.NamedExpr)
    return values, evaluation


def spilled(e: Emitter, nodes: Sequence[Node]) -> list[ast.expr]:
    """Names for the values of `nodes`, which are evaluated before."""
    return [
        value if _is_plain(node, value) else forms.spill(e, value)
        for node, value in zip(nodes, forms.operands(e, nodes), strict=True)
    ]


def evaluating(
    e: Emitter, evaluation: ast.NamedExpr | None, tests: list[ast.expr]
) -> list[ast.expr]:
    """`tests` that do the assignment first: in the test of its type or range, if there is one."""
    if evaluation is None:
        return tests
    for at, test in enumerate(tests):
        match test:
            case ast.Compare(left=ast.Call(func=ast.Name(id="$type"), args=[ast.Name(id=name)])):
                operands = test.left.args  # type: ignore[attr-defined]
            case ast.Compare(left=ast.Constant(), comparators=[ast.Name(id=name), _]) if at == 0:
                operands = test.comparators
            case _:
                continue
        if name == evaluation.target.id:
            operands[0] = evaluation
            return [test, *tests[:at], *tests[at + 1 :]]
    return [e.compare(evaluation, IS_NOT, e.literal(None)), *tests]


def _is_plain(node: Node, value: ast.expr) -> bool:
    """Whether `value` can be written several times. A pooled constant has no name yet."""
    if isinstance(value, ast.Constant):
        return True
    if not isinstance(value, ast.Name) or not value.id:
        return False
    fixed = type(node) is Const or (type(node) is LRef and not node.var.mutated)
    return fixed or value.id[0] == "$"


def copy(e: Emitter, value: ast.expr) -> ast.expr:
    """A node of its own for a name or a constant."""
    return e.name(value.id) if isinstance(value, ast.Name) else value


def copies(e: Emitter, values: Sequence[ast.expr]) -> list[ast.expr]:
    return [copy(e, value) for value in values]


def conjunction(e: Emitter, tests: list[ast.expr]) -> ast.expr:
    return tests[0] if len(tests) == 1 else e.all_of(tests, ast.And())


def _value(who: str, check: Check, build: Build) -> Rule:
    """What `build` makes of the operands if they pass `check`."""

    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) != _ARITY[who]:
            return None
        names, evaluation = named(e, arguments)
        tests = evaluating(e, evaluation, check(e, arguments, names))
        call = e.invoke(e.name(who), copies(e, names))
        return e.either(conjunction(e, tests), build(e, seen(e, who, arguments, names)), call)

    return write


def seen(e: Emitter, who: str, nodes: Sequence[Node], values: Sequence[ast.expr]) -> list[ast.expr]:
    """The operands, with what can be indexed in place of a string that a loop has a view of."""
    view = _view(e, who, nodes)
    fresh = copies(e, values)
    return fresh if view is None else [e.name(view.items), *fresh[1:]]


def _view(e: Emitter, who: str, nodes: Sequence[Node]) -> View | None:
    """What the loop around knows about the first operand of a procedure of strings or vectors."""
    if type(nodes[0]) is not LRef:
        return None
    return e.views.get((nodes[0].var, who.partition("-")[0]))


def _length(who: str, name: str) -> Rule:
    """string-length or vector-length."""
    measure = _value(who, _is_a(name), lambda e, values: e.invoke(e.name("$len"), values))

    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        view = _view(e, who, arguments) if len(arguments) == 1 else None
        if view is None:
            return measure(e, arguments)
        if view.certain:
            return e.name(view.length)
        known = e.compare(e.name(view.length), ast.GtE(), e.literal(0))
        call = e.invoke(e.name(who), forms.operands(e, arguments))
        return e.either(known, e.name(view.length), call)

    return write


def _effect(who: str, check: Check, target: Build) -> Rule:
    """An assignment of the last operand to what `target` makes of the others."""

    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) != _ARITY[who]:
            return None
        names = spilled(e, arguments)
        *place, new = copies(e, names)
        store = e.place(ast.Assign(targets=[target(e, place)], value=new))
        call = e.place(ast.Expr(value=e.invoke(e.name(who), copies(e, names))))
        e.calls += 1
        e.emit(ast.If(test=conjunction(e, check(e, arguments, names)), body=[store], orelse=[call]))
        return e.name("$unspecified")

    return write


# -- checks


def type_is(e: Emitter, value: ast.expr, name: str) -> ast.expr:
    kind = e.invoke(e.name("$type"), [copy(e, value)])
    return e.compare(kind, IS, e.name(name))


def _is_a(name: str) -> Check:
    """The first operand is of a type."""
    return lambda e, nodes, values: [type_is(e, values[0], name)]


def has_index(who: str, name: str) -> Check:
    """The first operand is of a type, and the second one an index of it."""

    def check(e: Emitter, nodes: Sequence[Node], values: list[ast.expr]) -> list[ast.expr]:
        items, index = values[:2]
        view = _view(e, who, nodes)
        if view is not None:
            right_type = []
            length = e.name(view.length)
        else:
            right_type = [type_is(e, items, name)]
            length = e.invoke(e.name("$len"), [copy(e, items)])
        inside = e.place(
            ast.Compare(
                left=e.literal(0),
                ops=[ast.LtE(), ast.Lt()],
                comparators=[copy(e, index), length],
            )
        )
        if primitives.is_number(e, nodes[1]):
            return [*right_type, inside]
        # Python takes booleans for indices; what was an index once is a number from then on
        whole = type_is(e, index, "$int")
        primitives.learn(e, [nodes[1]])
        return [*right_type, whole, inside]

    return check


def _whole(e: Emitter, nodes: Sequence[Node], values: list[ast.expr]) -> list[ast.expr]:
    """An exact integer from 0 on and one from 1 on."""
    tests = []
    for least, (node, value) in enumerate(zip(nodes, values, strict=True)):
        if type(node) is Const and type(node.value) is int and node.value >= least:
            continue
        tests.append(type_is(e, value, "$int"))
        tests.append(e.compare(copy(e, value), ast.GtE(), e.literal(least)))
    return tests or [e.literal(True)]


def _texts(e: Emitter, nodes: Sequence[Node], values: list[ast.expr]) -> list[ast.expr]:
    tests = [
        type_is(e, value, "$str")
        for node, value in zip(nodes, values, strict=True)
        if not (type(node) is Const and type(node.value) is str)
    ]
    return tests or [e.literal(True)]


def _small(e: Emitter, nodes: Sequence[Node], values: list[ast.expr]) -> list[ast.expr]:
    """An exact integer that Python writes without looking for its limit of digits."""
    size = ast.Compare(
        left=e.literal(-(1 << 64)),
        ops=[ast.Lt(), ast.Lt()],
        comparators=[copy(e, values[0]), e.literal(1 << 64)],
    )
    return [type_is(e, values[0], "$int"), e.place(size)]


# -- what is written


def item(e: Emitter, values: list[ast.expr]) -> ast.expr:
    return e.place(ast.Subscript(value=values[0], slice=values[1], ctx=ast.Load()))


def _character(e: Emitter, values: list[ast.expr]) -> ast.expr:
    return item(e, [e.name("$chars"), item(e, values)])


def _operator(operator: ast.operator) -> Build:
    return lambda e, values: e.place(
        ast.BinOp(left=values[0], op=operator, right=values[1]),
    )


def _same(e: Emitter, values: list[ast.expr]) -> ast.expr:
    return e.compare(values[0], IS, values[1])


def _comparison(operator: ast.cmpop) -> Build:
    return lambda e, values: e.compare(values[0], operator, values[1])


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
    names, evaluation = named(e, arguments)
    identical = _same(e, copies(e, names))
    other = e.invoke(e.name("$is_eq"), copies(e, names))
    numbers = conjunction(e, [type_is(e, names[0], "$int"), other])
    return conjunction(e, evaluating(e, evaluation, [e.all_of([identical, numbers], ast.Or())]))


_ARITY: Final = {
    **dict.fromkeys(("vector-length", "string-length", "number->string"), 1),
    **dict.fromkeys(("vector-ref", "string-ref", "remainder", "quotient"), 2),
    **dict.fromkeys(("string=?", "string<?", "string>?", "string-append"), 2),
    **dict.fromkeys(("set-car!", "set-cdr!"), 2),
    "vector-set!": 3,
}
VALUES: Final[dict[str, Rule]] = {
    "vector-ref": _value("vector-ref", has_index("vector-ref", "$vector"), item),
    "string-ref": _value("string-ref", has_index("string-ref", "$str"), _character),
    "vector-length": _length("vector-length", "$vector"),
    "string-length": _length("string-length", "$str"),
    "remainder": _value("remainder", _whole, _operator(ast.Mod())),
    "quotient": _value("quotient", _whole, _operator(ast.FloorDiv())),
    "string-append": _value("string-append", _texts, _operator(ast.Add())),
    "number->string": _value(
        "number->string", _small, lambda e, values: e.invoke(e.name("$str"), values)
    ),
    "vector-set!": _effect("vector-set!", has_index("vector-set!", "$vector"), _element),
    "set-car!": _effect("set-car!", _is_a("$Pair"), _slot("car")),
    "set-cdr!": _effect("set-cdr!", _is_a("$Pair"), _slot("cdr")),
}
PREDICATES: Final[dict[str, Rule]] = {
    "string=?": _value("string=?", _texts, _comparison(ast.Eq())),
    "string<?": _value("string<?", _texts, _comparison(ast.Lt())),
    "string>?": _value("string>?", _texts, _comparison(ast.Gt())),
}
