"""Core forms -> Python: one small function for each form and way of using its value.

`expression` gives a Python expression, having emitted whatever must run before it; `statement`
puts the value where it is wanted; `test` gives an expression whose Python truth is Scheme's.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final

from lang.analyse import loop_of
from lang.codegen import loops, primitives, procedures
from lang.codegen.emitter import (
    DEEPEST_EXPRESSION,
    IGNORE,
    IS_NOT,
    RETURN,
    Destination,
    Emitter,
    is_simple,
)
from lang.ir import (
    Call,
    CaseLam,
    Const,
    GDef,
    GRef,
    GSet,
    If,
    Lam,
    Let,
    Letrec,
    LRef,
    LSet,
    Node,
    Seq,
    takes,
)

LONGEST_CHAIN: Final = 12
"""Nested conditionals are Python's `elif` up to here, and a loop that runs once beyond."""


# -- values


def expression(e: Emitter, node: Node) -> ast.expr:
    """A Python expression for the value of `node`."""
    kind = type(node)
    if kind is LRef or kind is Const or kind is GRef:
        return _ATOMS[kind](e, node)
    with e.at(node):
        e.depth += 1
        try:
            result = _EXPRESSIONS[kind](e, node)
        finally:
            e.depth -= 1
        if e.depth and e.depth % DEEPEST_EXPRESSION == 0:
            return spill(e, result)
        return result


def spill(e: Emitter, value: ast.expr) -> ast.expr:
    """Evaluate `value` now and give the name of a temporary that holds it."""
    if isinstance(value, ast.Constant):
        return value
    name = e.temporary()
    e.assign(name, value)
    return e.name(name)


def operands(e: Emitter, nodes: Sequence[Node]) -> list[ast.expr]:
    """Expressions for `nodes`, to be evaluated in order without statements between them."""
    pieces = [e.aside(lambda n=node: expression(e, n)) for node in nodes]  # type: ignore[misc]
    last = max((i for i, (before, _) in enumerate(pieces) if before), default=-1)
    results: list[ast.expr] = []
    for index, (before, value) in enumerate(pieces):
        e.out.extend(before)
        if index < last and not is_simple(nodes[index]):
            value = spill(e, value)  # noqa: PLW2901
        results.append(value)
    return results


def plain_call(e: Emitter, node: Call) -> ast.expr:
    """The Python call for `node`, whatever it may return."""
    if type(node.function) in (LRef, GRef):
        arguments = operands(e, node.arguments)
        function = expression(e, node.function)
    else:
        function, *arguments = operands(e, [node.function, *node.arguments])
    e.calls += 1
    return e.invoke(function, arguments)


def _local(e: Emitter, node: LRef) -> ast.expr:
    return e.read(node.var)


def _global(e: Emitter, node: GRef) -> ast.expr:
    with e.at(node):
        return e.name(node.key)


def _constant(e: Emitter, node: Const) -> ast.expr:
    return e.constant(node.value)


def _if_expression(e: Emitter, node: If) -> ast.expr:
    condition = test(e, node.test)
    before_yes, yes = e.branch(lambda: expression(e, node.consequent))
    before_no, no = e.branch(lambda: expression(e, node.alternative))
    if not before_yes and not before_no:
        return e.either(condition, yes, no)
    return _branches(e, condition, (before_yes, yes), (before_no, no))


def _branches(
    e: Emitter,
    condition: ast.expr,
    yes: tuple[list[ast.stmt], ast.expr],
    no: tuple[list[ast.stmt], ast.expr],
) -> ast.expr:
    """A conditional whose branches need statements; its value is in a temporary."""
    name = e.temporary()
    blocks = []
    for before, value in (yes, no):
        outer, e.out = e.out, before
        e.assign(name, value)
        blocks.append(e.out)
        e.out = outer
    e.emit(ast.If(test=condition, body=blocks[0], orelse=blocks[1]))
    return e.name(name)


def _seq_expression(e: Emitter, node: Seq) -> ast.expr:
    for inner in node.nodes[:-1]:
        statement(e, inner, IGNORE)
    return expression(e, node.nodes[-1])


def _let_expression(e: Emitter, node: Let) -> ast.expr:
    alternative = _or_alternative(e, node)
    if alternative is not None and primitives.gives_boolean(e, node.inits[0]):
        return expression(e, If(node.inits[0], Const(True), alternative, pos=node.pos))
    if alternative is not None:
        before, value = e.branch(lambda: expression(e, alternative))
        if not before:
            first = expression(e, node.inits[0])
            name = e.bind(node.vars[0])
            found = e.compare(e.let(name, first), IS_NOT, e.literal(False))
            return e.either(found, e.name(name), value)
    _bind(e, node)
    return expression(e, node.body)


def _or_alternative(e: Emitter, node: Let) -> Node | None:
    """B, if `node` is (let ((t A)) (if t t B)) and B does not mention t."""
    body = node.body
    if len(node.vars) != 1 or type(body) is not If:
        return None
    var = node.vars[0]
    if (
        type(body.test) is LRef
        and body.test.var is var
        and type(body.consequent) is LRef
        and body.consequent.var is var
        and e.analysis.uses.get(var) == 2
        and not var.mutated
    ):
        return body.alternative
    return None


def _letrec_expression(e: Emitter, node: Letrec) -> ast.expr:
    if loop_of(node):
        name = e.temporary()
        statement(e, node, Destination("assign", name))
        return e.name(name)
    _bind_recursive(e, node)
    return expression(e, node.body)


def _lam_expression(e: Emitter, node: Lam | CaseLam) -> ast.expr:
    name = e.new_name(node.name or "lambda")
    procedures.define(e, node, name)
    return e.name(name)


def _local_set(e: Emitter, node: LSet) -> ast.expr:
    var = node.var
    name = e.slot(var)
    if var in e.analysis.boxed:
        value = expression(e, node.value)
        e.assign_attribute(e.name(name), "value", value)
    else:
        if e.frame and var.owner is not e.frame.function:
            e.frame.nonlocals[name] = None
        statement(e, node.value, Destination("assign", name))
    return e.name("$unspecified")


def _global_set(e: Emitter, node: GSet | GDef) -> ast.expr:
    value = expression(e, node.value)
    if e.frame:
        e.frame.globals[node.key] = None
    e.assign(node.key, value)
    return e.name("$unspecified")


def call_expression(e: Emitter, node: Call, by: str = "$force") -> ast.expr:
    """The value of a call; `by` is what forces it."""
    inlined = primitives.inline(e, node)
    if inlined is not None:
        return inlined
    result = plain_call(e, node)
    return e.forced(result, by) if e.analysis.may_return_tail(node.function) else result


# -- tests


def test(e: Emitter, node: Node) -> ast.expr:
    """An expression that is true in Python where `node` is true in Scheme."""
    match node:
        case Const(value=value):
            return e.literal(value is not False)
        case If():
            with e.at(node):
                return _if_test(e, node)
        case Let():
            alternative = _or_alternative(e, node)
            if alternative is not None:
                yes = Const(True)
                return test(e, If(node.inits[0], yes, alternative, pos=node.pos))
        case Call():
            with e.at(node):
                inlined = primitives.inline_test(e, node)
                if inlined is not None:
                    return inlined
    value = expression(e, node)
    return e.compare(value, IS_NOT, e.literal(False))


def _if_test(e: Emitter, node: If) -> ast.expr:
    condition = test(e, node.test)
    before_yes, yes = e.branch(lambda: test(e, node.consequent))
    before_no, no = e.branch(lambda: test(e, node.alternative))
    if before_yes or before_no:
        return _branches(e, condition, (before_yes, yes), (before_no, no))
    if type(node.alternative) is Const and node.alternative.value is False:
        return e.all_of([condition, yes], ast.And())
    if type(node.consequent) is Const and node.consequent.value is not False:
        return e.all_of([condition, no], ast.Or())
    return e.either(condition, yes, no)


# -- statements


def statement(e: Emitter, node: Node, to: Destination) -> None:
    """Evaluate `node` and put its value where `to` says."""
    write = _STATEMENTS.get(type(node))
    with e.at(node):
        depth, e.depth = e.depth, 0
        if write:
            write(e, node, to)
        else:
            finish(e, expression(e, node), to)
        e.depth = depth


def finish(e: Emitter, value: ast.expr, to: Destination) -> None:
    """Put `value` where `to` says."""
    if to.action == "return":
        e.emit(ast.Return(value=value))
        return
    if to.action == "assign":
        e.assign(to.name, value)
    elif not isinstance(value, ast.Constant) and not _is_support_name(value):
        e.emit(ast.Expr(value=value))
    if to.leaves:
        e.emit(ast.Break())


def _is_support_name(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id[:1] == "$"


def _if_statement(e: Emitter, node: If, to: Destination) -> None:
    if to.action != "return" and not to.leaves and _chain_length(node) > LONGEST_CHAIN:
        leaving = Destination(to.action, to.name, True)
        body = e.block(lambda: _if_statement(e, node, leaving))
        e.emit(ast.While(test=e.literal(True), body=body, orelse=[]))
        return
    while True:
        condition = test(e, node.test)
        consequent, alternative = node.consequent, node.alternative
        yes = e.block(lambda: statement(e, consequent, to))  # noqa: B023
        if not to.final:
            no = e.block(lambda: statement(e, alternative, to))  # noqa: B023
            orelse = [] if isinstance(no[0], ast.Pass) else no
            e.emit(ast.If(test=condition, body=yes, orelse=orelse))
            return
        e.emit(ast.If(test=condition, body=yes, orelse=[]))
        if type(alternative) is not If:
            statement(e, alternative, to)
            return
        node = alternative
        e.move(node.pos)


def _chain_length(node: Node) -> int:
    length = 0
    while type(node) is If:
        length += 1
        node = node.alternative
    return length


def _seq_statement(e: Emitter, node: Seq, to: Destination) -> None:
    for inner in node.nodes[:-1]:
        statement(e, inner, IGNORE)
    statement(e, node.nodes[-1], to)


def _let_statement(e: Emitter, node: Let, to: Destination) -> None:
    alternative = _or_alternative(e, node)
    if alternative is not None and primitives.gives_boolean(e, node.inits[0]):
        _if_statement(e, If(node.inits[0], Const(True), alternative, pos=node.pos), to)
        return
    _bind(e, node)
    statement(e, node.body, to)


def _letrec_statement(e: Emitter, node: Letrec, to: Destination) -> None:
    loop = loop_of(node)
    if loop is None:
        _bind_recursive(e, node)
        statement(e, node.body, to)
        return
    wrapper = e.analysis.wrapped.get(node)
    if wrapper is None or (e.frame and e.frame.function is wrapper):
        loops.write_loop(e, loop, to)
        return
    name = e.new_name(wrapper.name or "loop")
    procedures.define(e, wrapper, name)
    call = e.invoke(e.name(name), [])
    if to is RETURN or wrapper not in e.analysis.dirty:
        finish(e, call, to)
    else:
        finish(e, e.forced(call), to)


def _bind(e: Emitter, node: Let) -> None:
    for var, init in zip(node.vars, node.inits, strict=True):
        if var in e.analysis.boxed:
            value = expression(e, init)
            e.assign(e.bind(var), e.invoke(e.name("$Box"), [value]))
        elif type(init) in (Lam, CaseLam):
            with e.at(init):
                procedures.define(e, init, e.bind(var))  # type: ignore[arg-type]
        else:
            known = not var.mutated and primitives.is_number(e, init)
            name = e.new_name(var.name)
            statement(e, init, Destination("assign", name))
            var.slot = name
            if known:
                e.numbers.add(var)


def _bind_recursive(e: Emitter, node: Letrec) -> None:
    boxed = e.analysis.boxed
    for var, init in zip(node.vars, node.inits, strict=True):
        e.bind(var)
        if type(init) is not Lam:
            e.late.add(var)
        if var in boxed:
            e.assign(e.slot(var), e.invoke(e.name("$empty_box"), []))
    for var, init in zip(node.vars, node.inits, strict=True):
        if var in boxed:
            value = expression(e, init)
            e.assign_attribute(e.name(e.slot(var)), "value", value)
        elif type(init) in (Lam, CaseLam):
            with e.at(init):
                procedures.define(e, init, e.slot(var), var)  # type: ignore[arg-type]
        else:
            statement(e, init, Destination("assign", e.slot(var)))


def _call_statement(e: Emitter, node: Call, to: Destination) -> None:
    if loops.write_jump(e, node, to):
        return
    if to is RETURN:
        _tail_call(e, node)
        return
    finish(e, call_expression(e, node), to)


def _tail_call(e: Emitter, node: Call) -> None:
    analysis, frame = e.analysis, e.frame
    if frame is None or frame.top:
        by = frame.top if frame and frame.top else "$force"
        e.emit(ast.Return(value=call_expression(e, node, by)))
        return
    if analysis.primitive(node.function) is not None:
        inlined = primitives.inline(e, node)
        e.emit(ast.Return(value=inlined if inlined is not None else plain_call(e, node)))
        return
    callee = analysis.procedure(node.function)
    if callee is not None and not (
        takes(callee, len(node.arguments)) and analysis.trampolined(frame.function, callee)
    ):  # a call with a wrong number of arguments fails here, where its place is known
        e.emit(ast.Return(value=plain_call(e, node)))
        return
    function, *arguments = operands(e, [node.function, *node.arguments])
    # one simultaneous store: an operand may use the registers itself
    registers: list[ast.expr] = [
        e.place(ast.Attribute(value=e.name("$TAIL"), attr=attribute, ctx=ast.Store()))
        for attribute in ("function", "args")
    ]
    target = e.place(ast.Tuple(elts=registers, ctx=ast.Store()))
    e.emit(ast.Assign(targets=[target], value=e.tuple_of([function, e.tuple_of(arguments)])))
    e.emit(ast.Return(value=e.name("$TAIL")))


_ATOMS: Final[dict[type[Node], Callable[[Emitter, Any], ast.expr]]] = {
    LRef: _local,
    GRef: _global,
    Const: _constant,
}

_EXPRESSIONS: Final[dict[type[Node], Callable[[Emitter, Any], ast.expr]]] = {
    If: _if_expression,
    Seq: _seq_expression,
    Let: _let_expression,
    Letrec: _letrec_expression,
    Lam: _lam_expression,
    CaseLam: _lam_expression,
    LSet: _local_set,
    GSet: _global_set,
    GDef: _global_set,
    Call: call_expression,
}

_STATEMENTS: Final[dict[type[Node], Callable[[Emitter, Any, Destination], None]]] = {
    If: _if_statement,
    Seq: _seq_statement,
    Let: _let_statement,
    Letrec: _letrec_statement,
    Call: _call_statement,
}
