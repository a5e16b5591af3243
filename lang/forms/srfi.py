"""Small forms of SRFIs and of Guile's modules: let-values, receive, and-let*, cut, rec, ..."""

from __future__ import annotations

from typing import Any, Final

from lang.data import NIL, Pair, python_list, symbol
from lang.expand import (
    CORE,
    bind_variable,
    call_core,
    expand,
    expand_body,
    expand_lambda,
    name_procedure,
    parts,
    seq,
    special,
)
from lang.ir import RECEIVER, Call, Const, If, Lam, Let, Letrec, LRef, Node, Var
from lang.syntax import Env, base, is_identifier, show, syntax_error

SRFI_11: Final = ("srfi", "srfi-11")
SCHEME_BASE: Final = ("scheme", "base")


# ---------------------------------------------------------------- several values


def _with_values(producer: Node, params: list[Var], rest: Var | None, body: Node) -> Node:
    """`body` with the values of `producer` bound."""
    if rest is None and len(params) == 1:
        return Let(params, [producer], body)
    return call_core("call-with-values", Lam([], None, producer), Lam(params, rest, body, RECEIVER))


def _formals(formals: Any, scope: Env, x: Pair) -> tuple[list[Var], Var | None]:
    params = []
    while type(formals) is Pair:
        params.append(bind_variable(formals.car, scope, x))
        formals = formals.cdr
    return params, None if formals is NIL else bind_variable(formals, scope, x)


def _value_bindings(x: Pair, clauses: Any) -> list[tuple[Any, Any]]:
    found = []
    for clause in python_list(clauses):
        items = python_list(clause)
        if len(items) != 2:
            syntax_error(
                f"a binding of {show(x.car)} is ((name ...) expression), not {show(clause)}",
                clause if type(clause) is Pair else x,
            )
        found.append((items[0], items[1]))
    return found


@special("let-values", modules=[SRFI_11, SCHEME_BASE])
def expand_let_values(x: Pair, env: Env) -> Node:
    """(let-values (((name ...) expression) ...) body ...)"""
    operands = parts(x, 2, None, "(let-values (((name ...) expression) ...) body ...)")
    scope = Env(env)
    steps = []
    for formals, form in _value_bindings(x, operands[0]):
        producer = expand(form, env)
        steps.append((producer, *_formals(formals, scope, x)))
    node = expand_body(operands[1:], scope, x)
    for producer, params, rest in reversed(steps):
        node = _with_values(producer, params, rest, node)
    return node


@special("let*-values", modules=[SRFI_11, SCHEME_BASE])
def expand_let_star_values(x: Pair, env: Env) -> Node:
    """(let*-values (((name ...) expression) ...) body ...)"""
    operands = parts(x, 2, None, "(let*-values (((name ...) expression) ...) body ...)")
    scope = env
    steps = []
    for formals, form in _value_bindings(x, operands[0]):
        producer = expand(form, scope)
        scope = Env(scope)
        steps.append((producer, *_formals(formals, scope, x)))
    node = expand_body(operands[1:], Env(scope), x)
    for producer, params, rest in reversed(steps):
        node = _with_values(producer, params, rest, node)
    return node


@special("receive", modules=[("srfi", "srfi-8"), ("ice-9", "receive")])
def expand_receive(x: Pair, env: Env) -> Node:
    """(receive formals expression body ...)"""
    operands = parts(x, 3, None, "(receive (name ...) expression body ...)")
    producer = expand(operands[1], env)
    scope = Env(env)
    params, rest = _formals(operands[0], scope, x)
    return _with_values(producer, params, rest, expand_body(operands[2:], scope, x))


# ---------------------------------------------------------------- and-let*


@special("and-let*", modules=[("srfi", "srfi-2"), ("ice-9", "and-let-star")])
def expand_and_let_star(x: Pair, env: Env) -> Node:
    """(and-let* (variable (expression) (name expression) ...) body ...)"""
    operands = parts(x, 1, None, "(and-let* ((name expression) ...) body ...)")
    clauses = python_list(operands[0])
    forms = operands[1:]

    def step(index: int, scope: Env) -> Node:
        last = index == len(clauses) - 1 and not forms
        if index == len(clauses):
            return expand_body(forms, Env(scope), x) if forms else Const(True)
        clause = clauses[index]
        items = python_list(clause) if type(clause) is Pair else [clause]
        if len(items) == 1:
            test = expand(items[0], scope)
            return test if last else If(test, step(index + 1, scope), Const(False))
        if len(items) != 2 or not is_identifier(items[0]):
            syntax_error(
                f"an and-let* clause is variable, (expression) or (name expression), "
                f"not {show(clause)}",
                x,
            )
        value = expand(items[1], scope)
        if last:
            return value
        inner = Env(scope)
        var = bind_variable(items[0], inner, x)
        return Let([var], [value], If(LRef(var), step(index + 1, inner), Const(False)))

    return step(0, env)


# ---------------------------------------------------------------- cut


@special("cut", modules=[("srfi", "srfi-26")])
def expand_cut(x: Pair, env: Env) -> Node:
    """(cut procedure slot-or-expression ...), where <> is a slot and <...> takes the rest"""
    return _cut(x, env, early=False)


@special("cute", modules=[("srfi", "srfi-26")])
def expand_cute(x: Pair, env: Env) -> Node:
    """As cut; expressions are evaluated once, when the procedure is made"""
    return _cut(x, env, early=True)


def _cut(x: Pair, env: Env, early: bool) -> Node:
    operands = parts(x, 1, None, "(cut procedure expression-or-<> ...)")
    params: list[Var] = []
    values: list[Node] = []
    outer: list[tuple[Var, Node]] = []
    rest: Var | None = None
    for index, form in enumerate(operands):
        slot = base(form).name if is_identifier(form) else ""
        if slot == "<>":
            params.append(Var("slot"))
            values.append(LRef(params[-1]))
        elif slot == "<...>":
            if index != len(operands) - 1:
                syntax_error("<...> must come last", x)
            rest = Var("rest")
        elif early:
            outer.append((Var("value"), expand(form, env)))
            values.append(LRef(outer[-1][0]))
        else:
            values.append(expand(form, env))
    if rest is not None:
        body: Node = call_core("apply", *values, LRef(rest), pos=x.pos)
    else:
        body = Call(values[0], values[1:], pos=x.pos)
    node: Node = Lam(params, rest, body, "cut", pos=x.pos)
    if outer:
        node = Let([var for var, _ in outer], [value for _, value in outer], node)
    return node


# ---------------------------------------------------------------- others


@special("rec", modules=[("srfi", "srfi-31")])
def expand_rec(x: Pair, env: Env) -> Node:
    """(rec name expression), (rec (name parameter ...) body ...)"""
    operands = parts(x, 2, None, "(rec name expression)")
    target = operands[0]
    name = target.car if type(target) is Pair else target
    scope = Env(env)
    var = bind_variable(name, scope, x)
    if type(target) is Pair:
        value: Node = expand_lambda(x, target.cdr, operands[1:], scope, extended=False)
    else:
        value = expand(operands[1], scope)
    return Letrec([var], [name_procedure(value, name, x.pos)], LRef(var))


@special("let-optional", "let-optional*", modules=[("ice-9", "optargs")])
def expand_let_optional(x: Pair, env: Env) -> Node:
    """(let-optional* rest-list (name (name default) ...) body ...)"""
    operands = parts(x, 3, None, "(let-optional* rest (name (name default) ...) body ...)")
    scope = Env(env)
    rest = Var("rest")
    node_steps: list[tuple[Var, Node]] = [(rest, expand(operands[0], env))]
    for item in python_list(operands[1]):
        name, default = (item, None) if is_identifier(item) else python_list(item)
        missing = expand(default, scope) if default is not None else Const(False)
        scope = Env(scope)
        var = bind_variable(name, scope, x)
        given = call_core("pair?", LRef(rest))
        node_steps.append((var, If(given, call_core("car", LRef(rest)), missing)))
        following = Var("rest")
        more = If(call_core("pair?", LRef(rest)), call_core("cdr", LRef(rest)), Const(NIL))
        node_steps.append((following, more))
        rest = following
    if is_identifier(operands[0]):  # in the body it is what is left
        scope = Env(scope)
        node_steps.append((bind_variable(operands[0], scope, x), LRef(rest)))
    node = expand_body(operands[2:], scope, x)
    for var, value in reversed(node_steps):
        node = Let([var], [value], node)
    return node


@special("begin0", modules=[CORE])
def expand_begin0(x: Pair, env: Env) -> Node:
    """(begin0 expression form ...): the value of the first, after all are evaluated"""
    operands = parts(x, 1, None, "(begin0 expression form ...)")
    value = Var("value")
    rest = [expand(form, env) for form in operands[1:]]
    return Let([value], [expand(operands[0], env)], seq([*rest, LRef(value)]))


@special("endianness", modules=[("rnrs", "bytevectors")])
def expand_endianness(x: Pair, env: Env) -> Node:
    """(endianness big), (endianness little)"""
    (name,) = parts(x, 1, 1, "(endianness big)")
    if not is_identifier(name) or base(name).name not in ("big", "little"):
        syntax_error(f"endianness: big or little is expected, not {show(name)}", x)
    return Const(symbol(base(name).name))
