"""Conditionals and loops: cond, case, and, or, when, unless, do, while; delay, parameterize."""

from __future__ import annotations

from typing import Any

from lang.data import NIL, Pair, cons, python_list, scheme_list, symbol
from lang.expand import (
    CORE,
    bind_variable,
    call_core,
    expand,
    expand_body,
    parts,
    sequence,
    special,
    unspecified,
)
from lang.ir import Call, Const, If, Lam, Let, Letrec, LRef, Node, Seq, Var
from lang.syntax import (
    Env,
    Expanded,
    Macro,
    Special,
    is_identifier,
    lookup,
    show,
    strip,
    syntax_error,
)


def is_keyword(x: Any, name: str, env: Env) -> bool:
    """Does identifier `x` mean the core's auxiliary keyword `name` (else, =>)?"""
    if not is_identifier(x):
        return False
    binding = lookup(x, env)
    return type(binding) is Special and binding.name == name


@special("and")
def expand_and(x: Pair, env: Env) -> Node:
    """(and expression ...)"""
    forms = parts(x, 0, None, "(and expression ...)")
    if not forms:
        return Const(True)
    node = expand(forms.pop(), env)
    for form in reversed(forms):
        node = If(expand(form, env), node, Const(False))
    return node


@special("or")
def expand_or(x: Pair, env: Env) -> Node:
    """(or expression ...)"""
    forms = parts(x, 0, None, "(or expression ...)")
    if not forms:
        return Const(False)
    node = expand(forms.pop(), env)
    for form in reversed(forms):
        node = either(expand(form, env), node)
    return node


def either(first: Node, second: Node) -> Node:
    """The value of `first` unless it is false, then that of `second`."""
    var = Var("or")
    return Let([var], [first], If(LRef(var), LRef(var), second))


@special("when")
def expand_when(x: Pair, env: Env) -> Node:
    """(when test expression ...)"""
    operands = parts(x, 1, None, "(when test expression ...)")
    return If(expand(operands[0], env), _body(operands[1:], env), unspecified())


@special("unless")
def expand_unless(x: Pair, env: Env) -> Node:
    """(unless test expression ...)"""
    operands = parts(x, 1, None, "(unless test expression ...)")
    return If(expand(operands[0], env), unspecified(), _body(operands[1:], env))


def _body(forms: list[Any], env: Env) -> Node:
    return sequence(forms, env) if forms else unspecified()


@special("cond")
def expand_cond(x: Pair, env: Env) -> Node:
    """(cond (test expression ...) (test => receiver) (test guard => receiver) (else ...))"""
    usage = "(cond (test expression ...) ... (else expression ...))"
    return cond(parts(x, 0, None, usage), env, x, unspecified())


def cond(clauses: list[Any], env: Env, x: Pair, otherwise: Node) -> Node:
    """The clauses of a cond, and `otherwise` where none is chosen."""
    # Expanded first to last, so that errors come in the order of the text; built last to first.
    steps: list[tuple[str, list[Node]]] = []
    for index, clause in enumerate(clauses):
        items = python_list(clause)
        if not items:
            syntax_error(f"a cond clause is (test expression ...), not {show(clause)}", x)
        if is_keyword(items[0], "else", env):
            if index != len(clauses) - 1:
                syntax_error("else must be the last clause", clause)
            if len(items) == 1:
                syntax_error("an else clause needs an expression", clause)
            otherwise = sequence(items[1:], env)
            break
        test = expand(items[0], env)
        if len(items) == 1:
            steps.append(("value", [test]))
        elif is_keyword(items[1], "=>", env):
            if len(items) != 3:
                syntax_error("one receiver must follow =>", clause)
            steps.append(("receiver", [test, expand(items[2], env)]))
        elif len(items) == 4 and is_keyword(items[2], "=>", env):
            steps.append(("guarded", [test, expand(items[1], env), expand(items[3], env)]))
        else:
            steps.append(("plain", [test, sequence(items[1:], env)]))
    node = otherwise
    for kind, nodes in reversed(steps):
        node = _cond_step(kind, nodes, node)
    return node


def _cond_step(kind: str, nodes: list[Node], rest: Node) -> Node:
    if kind == "plain":
        return If(nodes[0], nodes[1], rest)
    if kind == "value":
        return either(nodes[0], rest)
    var = Var("test")
    if kind == "receiver":
        return Let([var], [nodes[0]], If(LRef(var), Call(nodes[1], [LRef(var)]), rest))
    # SRFI 61: the guard and the receiver get all values of the test.
    holder, values = Var("values"), Var("values")
    collected = call_core(
        "call-with-values", Lam([], None, nodes[0]), Lam([], values, LRef(values))
    )
    chosen = call_core("apply", nodes[1], LRef(holder))
    return Let([holder], [collected], If(chosen, call_core("apply", nodes[2], LRef(holder)), rest))


@special("case")
def expand_case(x: Pair, env: Env) -> Node:
    """(case key ((datum ...) expression ...) ... (else expression ...))"""
    usage = "(case key ((datum ...) expression ...) ... (else expression ...))"
    operands = parts(x, 1, None, usage)
    key = Var("key")
    node: Node = unspecified()
    clauses = operands[1:]
    for clause in reversed(clauses):
        items = python_list(clause)
        if len(items) < 2:
            syntax_error(f"a case clause is ((datum ...) expression ...), not {show(clause)}", x)
        if is_keyword(items[1], "=>", env):
            if len(items) != 3:
                syntax_error("one receiver must follow =>", clause)
            chosen: Node = Call(expand(items[2], env), [LRef(key)])
        else:
            chosen = sequence(items[1:], env)
        if is_keyword(items[0], "else", env):
            if clause is not clauses[-1]:
                syntax_error("else must be the last clause", clause)
            node = chosen
            continue
        if type(items[0]) is not Pair and items[0] is not NIL:
            syntax_error(
                f"the data of a case clause must be in a list, not {show(items[0])}",
                clause,
                f"write ({show(items[0])})",
            )
        data = [strip(datum) for datum in python_list(items[0])]
        node = If(_member(key, data), chosen, node)
    return Let([key], [expand(operands[0], env)], node)


def _member(key: Var, data: list[Any]) -> Node:
    test: Node = Const(False)
    for datum in reversed(data):
        this = call_core("eqv?", LRef(key), Const(datum))
        test = this if type(test) is Const else If(this, Const(True), test)
    return test


@special("do")
def expand_do(x: Pair, env: Env) -> Node:
    """(do ((variable init [step]) ...) (test expression ...) command ...)"""
    usage = "(do ((variable init step) ...) (test result ...) command ...)"
    operands = parts(x, 2, None, usage)
    exit_ = python_list(operands[1])
    if not exit_:
        syntax_error("do needs (test result ...) after its variables", x, f"it is used as {usage}")
    loop = Var("do")
    scope = Env(env)
    inits = []
    steps = []
    params = []
    for clause in python_list(operands[0]):
        items = python_list(clause)
        if len(items) not in (2, 3):
            syntax_error(f"a do variable is (variable init step), not {show(clause)}", x)
        inits.append(expand(items[1], env))
        steps.append(items[-1] if len(items) == 3 else items[0])
        params.append(bind_variable(items[0], scope, x))
    again = Call(LRef(loop), [expand(step, scope) for step in steps])
    commands = [expand(form, scope) for form in operands[2:]]
    body = If(
        expand(exit_[0], scope),
        _body(exit_[1:], scope),
        Seq([*commands, again]) if commands else again,
    )
    lam = Lam(params, None, body, "do", pos=x.pos)
    return Letrec([loop], [lam], Call(LRef(loop), inits))


@special("while")
def expand_while(x: Pair, env: Env) -> Node:
    """(while test body ...); (break value ...) and (continue) work inside the body"""
    operands = parts(x, 1, None, "(while test body ...)")
    scope = Env(env)
    leave, skip = Var("break"), Var("continue")
    used: set[Var] = set()

    def keyword(var: Var) -> Macro:
        def transform(use: Any, _: Env) -> Any:
            used.add(var)
            name = Expanded(var.name, lambda: LRef(var))
            if type(use) is not Pair:
                return name
            # as in Guile, (break) gives #t
            values = scheme_list([True]) if var is leave and use.cdr is NIL else use.cdr
            return cons(name, values, use.pos)

        return Macro(transform)

    for var in (leave, skip):
        scope.table[symbol(var.name)] = keyword(var)
    test = expand(operands[0], scope)
    body = _body_of(operands[1:], scope, x)
    if skip in used:
        body = call_core("call-with-escape-continuation", Lam([skip], None, body))
    loop = Var("while")
    again = If(test, Seq([body, Call(LRef(loop), [])]), Const(False))
    node: Node = Letrec([loop], [Lam([], None, again, "while", pos=x.pos)], Call(LRef(loop), []))
    if leave in used:
        node = call_core("call-with-escape-continuation", Lam([leave], None, node))
    return node


def _body_of(forms: list[Any], env: Env, x: Pair) -> Node:
    return expand_body(forms, env, x) if forms else unspecified()


@special("delay", "make-stream-promise", modules=[CORE, ("srfi", "srfi-45")])
def expand_delay(x: Pair, env: Env) -> Node:
    """(delay expression)"""
    (form,) = parts(x, 1, 1, "(delay expression)")
    return call_core("%delay", Lam([], None, expand(form, env), "promise", pos=x.pos))


@special("delay-force", "lazy", modules=[CORE, ("srfi", "srfi-45"), ("scheme", "lazy")])
def expand_delay_force(x: Pair, env: Env) -> Node:
    """(delay-force expression): a promise for what the promise that it gives will give"""
    (form,) = parts(x, 1, 1, "(delay-force expression)")
    return call_core("%delay-force", Lam([], None, expand(form, env), "promise", pos=x.pos))


@special("parameterize", modules=[CORE, ("srfi", "srfi-39")])
def expand_parameterize(x: Pair, env: Env) -> Node:
    """(parameterize ((parameter value) ...) body ...)"""
    return _dynamic("%parameterize", x, env, "parameterize")


@special("with-fluids")
def expand_with_fluids(x: Pair, env: Env) -> Node:
    """(with-fluids ((fluid value) ...) body ...)"""
    return _dynamic("%with-fluids", x, env, "with-fluids")


def _dynamic(binder: str, x: Pair, env: Env, name: str) -> Node:
    operands = parts(x, 2, None, f"({name} ((parameter value) ...) body ...)")
    arguments: list[Node] = []
    for clause in python_list(operands[0]):
        items = python_list(clause)
        if len(items) != 2:
            syntax_error(f"a binding of {name} is (parameter value), not {show(clause)}", x)
        arguments += [expand(items[0], env), expand(items[1], env)]
    thunk = Lam([], None, expand_body(operands[1:], Env(env), x), name, pos=x.pos)
    return call_core(binder, thunk, *arguments, pos=x.pos)


@special(
    "guard",
    modules=[
        ("srfi", "srfi-34"),
        ("ice-9", "exceptions"),
        ("rnrs", "exceptions"),
        ("scheme", "base"),
    ],
)
def expand_guard(x: Pair, env: Env) -> Node:
    """(guard (variable clause ...) body ...)"""
    operands = parts(x, 2, None, "(guard (variable (test expression ...) ...) body ...)")
    if type(operands[0]) is not Pair or not is_identifier(operands[0].car):
        syntax_error("guard needs (variable clause ...)", x)
    scope = Env(env)
    raised = bind_variable(operands[0].car, scope, x)
    again = call_core("raise-continuable", LRef(raised))
    handler = cond(python_list(operands[0].cdr), scope, x, again)
    body = Lam([], None, expand_body(operands[1:], env, x), "guard", pos=x.pos)
    return call_core("%guard", body, Lam([raised], None, handler, "guard", pos=x.pos), pos=x.pos)


@special("false-if-exception")
def expand_false_if_exception(x: Pair, env: Env) -> Node:
    """(false-if-exception expression): #f if it raises anything"""
    # a #:warning option, which Guile takes, too, would print
    form = parts(x, 1, 3, "(false-if-exception expression)")[0]
    body = Lam([], None, expand(form, env), "false-if-exception", pos=x.pos)
    handler = Lam([Var("raised")], None, Const(False), "false-if-exception", pos=x.pos)
    return call_core("%guard", body, handler, pos=x.pos)
