"""Procedures as Python functions: parameters, closures made inside loops, case-lambda."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from lang.analyse import Function, binds, has_fixed_clause
from lang.codegen import forms, loops
from lang.codegen.emitter import IS, RETURN, Destination, Emitter, Frame
from lang.ir import CaseLam, Lam, Node, Var, usage


def define(
    e: Emitter, function: Function, name: str, var: Var | None = None, *, top: str = ""
) -> None:
    """Write the Python function for `function` and bind it to the Python variable `name`.

    `var` is the Scheme variable of that name, if the function can call itself by it; `top`, for
    the thunk of a top-level form, which is called once, names what forces the calls in its tail.
    """
    outer, e.frame = e.frame, Frame(function, top)
    depth, e.depth = e.depth, 0
    views, e.views = e.views, {}
    e.calls += 1
    e.move(function.pos)
    try:
        if isinstance(function, Lam):
            parameters, body = _lam(e, function)
        else:
            parameters, body = _case_lam(e, function)
        prologue: list[ast.stmt] = []
        if e.frame.globals:
            prologue.append(e.place(ast.Global(names=list(e.frame.globals))))
        if e.frame.nonlocals:
            prologue.append(e.place(ast.Nonlocal(names=list(e.frame.nonlocals))))
        at = 1 if isinstance(function, Lam) and function.documentation else 0
        body[at:at] = prologue
    finally:
        e.frame = outer
        e.depth = depth
        e.views = views
    definition = _definition(e, name, parameters, body)
    captured = [
        e.slot(v)
        for v in e.analysis.free.get(function, ())
        if v in e.analysis.in_loop and outer and v.owner is outer.function and v is not var
    ]
    if not captured:
        e.emit(definition)
        return
    # the variables change in the next turn of the loop, so the closure gets copies
    result = e.place(ast.Return(value=e.name(name)))
    e.emit(_definition(e, "$close", _parameters(captured), [definition, result]))
    e.assign(name, e.invoke(e.name("$close"), [e.name(slot) for slot in captured]))


def _definition(
    e: Emitter, name: str, parameters: ast.arguments, body: list[ast.stmt]
) -> ast.FunctionDef:
    definition = ast.FunctionDef(name=name, args=parameters, body=body, decorator_list=[])
    definition.type_params = []  # type: ignore[attr-defined,unused-ignore]
    e.place(definition)
    return definition


def _parameters(
    names: Sequence[str], defaults: Sequence[ast.expr] = (), rest: str | None = None
) -> ast.arguments:
    return ast.arguments(
        posonlyargs=[],
        args=[_parameter(name) for name in names],
        vararg=_parameter(rest) if rest else None,
        kwonlyargs=[],
        kw_defaults=[],
        kwarg=None,
        defaults=list(defaults),
    )


def _parameter(name: str) -> ast.arg:
    return ast.arg(arg=name, lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)


def _lam(e: Emitter, lam: Lam) -> tuple[ast.arguments, list[ast.stmt]]:
    for var in binds(lam):
        e.bind(var)
    required = [e.slot(var) for var in lam.params]
    defaults: list[ast.expr] = []
    rest: str | None = None
    if lam.keys:
        rest = "$rest"
    else:
        optional = [e.slot(var) for var, _ in lam.optional]
        required += optional
        defaults = [e.name("$undefined") for _ in optional]
        rest = e.slot(lam.rest) if lam.rest else None
    return _parameters(required, defaults, rest), e.block(lambda: _lam_body(e, lam))


def _lam_body(e: Emitter, lam: Lam) -> None:
    if lam.documentation:
        e.emit(ast.Expr(value=e.literal(lam.documentation)))
    if lam.keys:
        _parse_keywords(e, lam)
    elif lam.rest:
        name = e.slot(lam.rest)
        e.assign(name, e.invoke(e.name("$list"), [e.name(name)]))
    for var, default in [*lam.optional, *((v, d) for _, v, d in lam.keys)]:
        _default(e, var, default)
    if lam in e.analysis.self_loops:

        def body() -> None:
            loops.box_parameters(e, lam.params)
            forms.statement(e, lam.body, RETURN)

        e.emit(ast.While(test=e.literal(True), body=e.block(body), orelse=[]))
    else:
        forms.statement(e, lam.body, RETURN)


def _default(e: Emitter, var: Var, default: Node) -> None:
    """Give an optional parameter its default, if there was no argument for it."""
    name = e.slot(var)
    body = e.block(lambda: forms.statement(e, default, Destination("assign", name)))
    absent = e.compare(e.name(name), IS, e.name("$undefined"))
    e.emit(ast.If(test=absent, body=body, orelse=[]))


def _parse_keywords(e: Emitter, lam: Lam) -> None:
    names = [e.slot(var) for var, _ in lam.optional]
    names += [e.slot(var) for _, var, _ in lam.keys]
    if lam.rest:
        names.append(e.slot(lam.rest))
    arguments = [
        e.literal(lam.name or "lambda"),
        e.name("$rest"),
        e.literal(len(lam.optional)),
        e.literal(tuple(keyword.name for keyword, _, _ in lam.keys)),
        e.literal(lam.allow_other_keys),
        e.literal(lam.rest is not None),
    ]
    e.assign_all(names, e.invoke(e.name("$keywords"), arguments))


def _case_lam(e: Emitter, node: CaseLam) -> tuple[ast.arguments, list[ast.stmt]]:
    return _parameters([], (), "$all"), e.block(lambda: _case_lam_body(e, node))


def _case_lam_body(e: Emitter, node: CaseLam) -> None:
    e.assign("$count", e.invoke(e.name("$len"), [e.name("$all")]))
    for clause in node.clauses:
        required, most = len(clause.params), len(clause.params) + len(clause.optional)
        count = e.name("$count")
        test: ast.expr
        if clause.rest or clause.keys:
            test = e.compare(count, ast.GtE(), e.literal(required))
        elif required == most:
            test = e.compare(count, ast.Eq(), e.literal(required))
        else:
            low = e.compare(count, ast.GtE(), e.literal(required))
            high = e.compare(e.name("$count"), ast.LtE(), e.literal(most))
            test = e.all_of([low, high], ast.And())
        body = e.block(lambda: _clause(e, clause))  # noqa: B023
        e.emit(ast.If(test=test, body=body, orelse=[]))
    arguments = [e.literal(node.name or "lambda"), e.name("$all"), e.literal(usage(node))]
    e.emit(ast.Expr(value=e.invoke(e.name("$no_clause"), arguments)))


def _clause(e: Emitter, clause: Lam) -> None:
    if not has_fixed_clause(clause):
        name = e.new_name(clause.name or "lambda")
        define(e, clause, name)
        starred = e.place(ast.Starred(value=e.name("$all"), ctx=ast.Load()))
        e.emit(ast.Return(value=e.invoke(e.name(name), [starred])))
        return
    names = [e.bind(var) for var in clause.params]
    if not clause.rest:
        if names:
            e.assign_all(names, e.name("$all"))
    else:
        rest = e.bind(clause.rest)
        for index, name in enumerate(names):
            e.assign(name, _item(e, e.literal(index)))
        after = e.place(ast.Slice(lower=e.literal(len(names)), upper=None, step=None))
        e.assign(rest, e.invoke(e.name("$list"), [_item(e, after)]))
    forms.statement(e, clause.body, RETURN)


def _item(e: Emitter, index: ast.expr) -> ast.expr:
    return e.place(ast.Subscript(value=e.name("$all"), slice=index, ctx=ast.Load()))
