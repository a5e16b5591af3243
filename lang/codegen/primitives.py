"""Core procedures that are written out in place of a call.

Only calls of names that the expander resolved to the core binding come here. Python's operators
take more types than Scheme's (strings can be added, lists compared): a unary plus, which only
numbers and booleans have, keeps the others out and costs next to nothing. Booleans are looked
for where an operand is not known to be a number; mostly it is, after its first use.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence
from typing import Final

from lang.analyse import Loop
from lang.codegen import characters, forms, guarded, tables
from lang.codegen.emitter import IS, IS_NOT, Emitter
from lang.data import Char, Keyword, Singleton, Symbol
from lang.ir import Call, Const, GRef, If, Let, Letrec, LRef, Node, Seq, Var
from lang.numeric import gives_number

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


def gives_boolean(e: Emitter, node: Node) -> bool:
    """Whether `node` is a call of a predicate that is written out."""
    return (
        type(node) is Call
        and type(node.function) is GRef
        and node.function.key in _PREDICATES
        and e.analysis.primitive(node.function) is not None
    )


def _rule(e: Emitter, node: Call) -> Inline | None:
    function = node.function
    if type(function) is GRef and function.key in INLINED and e.analysis.primitive(function):
        return INLINED[function.key]
    return None


# -- numbers


def is_number(e: Emitter, node: Node, assumed: Collection[Var] = ()) -> bool:
    """Whether `node` is bound to be a number where it is evaluated."""
    match node:
        case Const(value=value):
            return type(value) in (int, float)
        case LRef(var=var):
            return var in e.numbers or var in assumed
        case Call(function=function):
            return gives_number(function, e.analysis) or e.path(node) in e.numbers
        case If(consequent=yes, alternative=no):
            return is_number(e, yes, assumed) and is_number(e, no, assumed)
        case Let(body=body) | Letrec(body=body) | Seq(nodes=[*_, body]):
            return is_number(e, body, assumed)
    return False


def always_numbers(e: Emitter, loop: Loop) -> set[Var]:
    """The parameters of a loop that are numbers in its first turn and stay so."""
    parameters = loop.lam.params
    found = {
        var
        for var, first in zip(parameters, loop.entry, strict=True)
        if not var.mutated and is_number(e, first)
    }
    changed = True
    while changed:
        changed = False
        for turn in loop.turns:
            for var, argument in zip(parameters, turn, strict=True):
                if var in found and not is_number(e, argument, found):
                    found.discard(var)
                    changed = True
    return found


def _number(e: Emitter, who: str, position: int, node: Node, value: ast.expr) -> ast.expr:
    """`value`, with a check that it is no boolean: Python counts those as 0 and 1."""
    if is_number(e, node):
        return value
    if type(node) is LRef and not node.var.mutated and node.var not in e.analysis.boxed:
        name = e.slot(node.var)
        first = e.name(name)
    else:
        name = "$n"
        first = e.let(name, value)
    truth = e.compare(first, IS_NOT, e.literal(True))
    falsity = e.compare(e.name(name), IS_NOT, e.literal(False))
    complaint = [e.literal(who), e.literal(position), e.name(name)]
    return e.either(
        e.all_of([truth, falsity], ast.And()),
        e.name(name),
        e.invoke(e.name("$not_number"), complaint),
    )


def insist_on_number(e: Emitter, who: str, position: int, node: LRef) -> None:
    """Emit a check that the variable is a number, unless that is known."""
    if not is_number(e, node):
        value = _number(e, who, position, node, forms.expression(e, node))
        e.emit(ast.Expr(value=_plus(e, value)))
        learn(e, [node])


def learn(e: Emitter, nodes: Sequence[Node]) -> None:
    """The operation was done or failed: from here on its operands are known to be numbers."""
    for node in nodes:
        if type(node) is LRef and not node.var.mutated:
            e.numbers.add(node.var)
        path = e.path(node)
        if path is not None:
            e.numbers.add(path)


def _plus(e: Emitter, value: ast.expr) -> ast.expr:
    return e.place(ast.UnaryOp(op=ast.UAdd(), operand=value))


def _arithmetic(who: str, operator: ast.operator, *, guard_both: bool) -> Inline:
    """One operator between two or more arguments."""

    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) < 2:
            return None
        values = forms.operands(e, arguments)
        known = [is_number(e, argument) for argument in arguments]
        result = _number(e, who, 1, arguments[0], values[0])
        if not known[0] and (guard_both or not known[1]):
            result = _plus(e, result)
        for index in range(1, len(values)):
            value = _number(e, who, index + 1, arguments[index], values[index])
            if guard_both and not known[index]:
                value = _plus(e, value)
            result = e.place(ast.BinOp(left=result, op=operator, right=value))
        learn(e, arguments)
        return result

    return write


def _minus(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
    if len(arguments) == 1:
        return _negate(e, arguments)
    return _subtract(e, arguments)


def _comparison(who: str, operator: ast.cmpop) -> Inline:
    """A comparison of two arguments. Equality never fails in Python, so both need a guard."""
    equality = isinstance(operator, ast.Eq)

    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) != 2:
            return None
        values = forms.operands(e, arguments)
        left_known, right_known = (is_number(e, argument) for argument in arguments)
        left, right = (
            _number(e, who, index + 1, arguments[index], values[index]) for index in (0, 1)
        )
        if not left_known and (equality or not right_known):
            left = _plus(e, left)
        if equality and not right_known:
            right = _plus(e, right)
        learn(e, arguments)
        return e.compare(left, operator, right)

    return write


def _of_number(who: str, build: Callable[[Emitter, ast.expr], ast.expr]) -> Inline:
    """A procedure of one number."""

    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) != 1:
            return None
        (value,) = forms.operands(e, arguments)
        known = is_number(e, arguments[0])
        checked = _number(e, who, 1, arguments[0], value)
        learn(e, arguments)
        return build(e, checked if known else _plus(e, checked))

    return write


def _add_literal(who: str, amount: int) -> Inline:
    operator: ast.operator = ast.Add() if amount > 0 else ast.Sub()
    return _of_number(
        who,
        lambda e, value: e.place(ast.BinOp(left=value, op=operator, right=e.literal(abs(amount)))),
    )


def _compare_zero(who: str, operator: ast.cmpop) -> Inline:
    return _of_number(who, lambda e, value: e.compare(value, operator, e.literal(0)))


def _parity(who: str, table: str) -> Inline:
    """even? or odd?, looked up by the remainder: what is no integer leaves one not to be found."""

    def build(e: Emitter, value: ast.expr) -> ast.expr:
        remainder = e.place(ast.BinOp(left=value, op=ast.Mod(), right=e.literal(2)))
        return e.place(ast.Subscript(value=e.name(table), slice=remainder, ctx=ast.Load()))

    return _of_number(who, build)


def _with_one(build: Callable[[Emitter, ast.expr], ast.expr]) -> Inline:
    """A procedure of one object."""

    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) != 1:
            return None
        (value,) = forms.operands(e, arguments)
        return build(e, value)

    return write


# -- pairs and identity


def _path(*attributes: str) -> Inline:
    """car, cdr and their compositions; `attributes` in the order in which they are followed."""

    def build(e: Emitter, value: ast.expr) -> ast.expr:
        for attribute in attributes:
            value = e.attribute(value, attribute)
        return value

    return _with_one(build)


def _cons(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
    if len(arguments) != 2:
        return None
    return e.invoke(e.name("$cons"), forms.operands(e, arguments))


def _list(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
    if len(arguments) > 8:
        return None
    result = e.name("$nil")
    for value in reversed(forms.operands(e, arguments)):
        result = e.invoke(e.name("$cons"), [value, result])
    return result


def _eq(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
    return _identical(e, arguments) or guarded.eq(e, arguments)


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


def _equivalence(name: str) -> Inline:
    """eqv? or equal? of two objects, for which `name` stands."""

    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) != 2:
            return None
        identical = _identical(e, arguments)
        return identical or e.invoke(e.name(name), forms.operands(e, arguments))

    return write


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
    return _with_one(lambda e, value: e.compare(value, IS, e.name(name)))


def _has_type(name: str) -> Inline:
    return _with_one(
        lambda e, value: e.compare(e.invoke(e.name("$type"), [value]), IS, e.name(name))
    )


def _values(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
    return forms.operands(e, arguments)[0] if len(arguments) == 1 else None


_subtract: Final = _arithmetic("-", ast.Sub(), guard_both=False)
_negate: Final = _of_number(
    "-", lambda e, value: e.place(ast.UnaryOp(op=ast.USub(), operand=value))
)


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
    "=": _comparison("=", ast.Eq()),
    "<": _comparison("<", ast.Lt()),
    ">": _comparison(">", ast.Gt()),
    "<=": _comparison("<=", ast.LtE()),
    ">=": _comparison(">=", ast.GtE()),
    "zero?": _compare_zero("zero?", ast.Eq()),
    "positive?": _compare_zero("positive?", ast.Gt()),
    "negative?": _compare_zero("negative?", ast.Lt()),
    "even?": _parity("even?", "$even"),
    "odd?": _parity("odd?", "$odd"),
    "eq?": _eq,
    "eqv?": _equivalence("$is_eqv"),
    "equal?": _equivalence("$is_equal"),
    "not": _not,
    "null?": _is_name("$nil"),
    "pair?": _has_type("$Pair"),
    "symbol?": _has_type("$Symbol"),
    "keyword?": _has_type("$Keyword"),
    **guarded.PREDICATES,
    **characters.PREDICATES,
}

_PREDICATES: Final = frozenset(_PREDICATE_RULES)

INLINED: Final[dict[str, Inline]] = {
    **_PREDICATE_RULES,
    **_accessors(),
    "+": _arithmetic("+", ast.Add(), guard_both=False),
    "-": _minus,
    "*": _arithmetic("*", ast.Mult(), guard_both=True),
    "modulo": _arithmetic("modulo", ast.Mod(), guard_both=True),
    "1+": _add_literal("1+", 1),
    "1-": _add_literal("1-", -1),
    "-1+": _add_literal("-1+", -1),
    "cons": _cons,
    "list": _list,
    "values": _values,
    **guarded.VALUES,
    **characters.VALUES,
    **tables.VALUES,
}
