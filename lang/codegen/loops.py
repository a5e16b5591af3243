"""Named lets as `while` loops: the loop, and the calls that start its next turn."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from lang.analyse import Loop, has_simple_parameters
from lang.codegen import forms, invariants, primitives
from lang.codegen.emitter import RETURN, Destination, Emitter
from lang.ir import Call, LRef, Node, Var


def write_loop(e: Emitter, loop: Loop, to: Destination) -> None:
    """`while True` around the body; every way out of it puts the value where `to` says."""
    assert e.frame is not None
    parameters = loop.lam.params
    for var in parameters:
        e.bind(var)
    rebind(e, parameters, loop.entry)
    leaving = to if to is RETURN else Destination(to.action, to.name, True)

    views, e.views = e.views, invariants.look_ahead(e, loop)
    numbers = primitives.always_numbers(e, loop)

    def body() -> None:
        e.calls += 1
        e.numbers |= numbers
        box_parameters(e, parameters)
        forms.statement(e, loop.lam.body, leaving)

    e.frame.loops.append((loop, leaving))
    block = e.block(body)
    e.frame.loops.pop()
    e.views = views
    e.emit(ast.While(test=e.literal(True), body=block, orelse=[]))
    if to.leaves:
        e.emit(ast.Break())
    elif to is RETURN and (e.frame.loops or e.frame.function in e.analysis.self_loops):
        # reached by the `break` of a jump to the loop around this one
        e.emit(ast.Continue())


def write_jump(e: Emitter, node: Call, to: Destination) -> bool:
    """If `node` starts the next turn of a loop around it, write that and give True."""
    frame = e.frame
    if frame is None:
        return False
    loop = e.analysis.loop(node.function)
    if loop is not None:
        rebind(e, loop.lam.params, node.arguments)
        depth = len(frame.loops) - 1 - [inner for inner, _ in frame.loops].index(loop)
        # the analysis admits a jump out of one loop at most, and only where that one returns
        e.emit(ast.Continue() if depth == 0 else ast.Break())
        return True
    function = frame.function
    if (
        to is RETURN
        and function in e.analysis.self_loops
        and e.analysis.procedure(node.function) is function
        and has_simple_parameters(function)
        and len(node.arguments) == len(function.params)
        and len(frame.loops) <= 1
    ):
        rebind(e, function.params, node.arguments)
        e.emit(ast.Break() if frame.loops else ast.Continue())
        return True
    return False


def box_parameters(e: Emitter, parameters: Sequence[Var]) -> None:
    """Put the parameters that need one into a box of their own for this turn."""
    for var in parameters:
        if var in e.analysis.boxed:
            name = e.slot(var)
            e.assign(name, e.invoke(e.name("$Box"), [e.name(name)]))


def rebind(e: Emitter, parameters: Sequence[Var], arguments: Sequence[Node]) -> None:
    """Assign to the parameters, all at once; those that stay the same are left alone."""
    changed = [
        (var, argument)
        for var, argument in zip(parameters, arguments, strict=True)
        if not (type(argument) is LRef and argument.var is var and var not in e.analysis.boxed)
    ]
    values = forms.operands(e, [argument for _, argument in changed])
    if len(changed) == 1:
        e.assign(e.slot(changed[0][0]), values[0])
    elif changed:
        e.assign_all([e.slot(var) for var, _ in changed], e.tuple_of(values))
