"""Expressions of the core: quote, if, set!, begin, lambda, and the let family."""

from __future__ import annotations

from typing import Any

from lang.data import NIL, Pair, Symbol, python_list, symbol
from lang.expand import (
    CORE,
    Context,
    assigned,
    bind_variable,
    call_core,
    expand,
    expand_body,
    expand_lambda,
    expand_macro,
    name_procedure,
    parts,
    provide,
    sequence,
    special,
    unspecified,
)
from lang.ir import (
    Call,
    CaseLam,
    Const,
    GRef,
    GSet,
    If,
    Lam,
    Let,
    Letrec,
    LRef,
    Node,
    Seq,
    Var,
)
from lang.syntax import (
    Env,
    Global,
    Identifier,
    Macro,
    Special,
    is_identifier,
    meaning,
    show,
    strip,
    syntax_error,
)


@special("quote")
def expand_quote(x: Pair, env: Env) -> Node:
    """(quote datum)"""
    return Const(strip(parts(x, 1, 1, "(quote datum)")[0]))


@special("if")
def expand_if(x: Pair, env: Env) -> Node:
    """(if test consequent [alternative])"""
    operands = parts(x, 2, 3, "(if test consequent alternative)")
    return If(
        expand(operands[0], env),
        expand(operands[1], env),
        expand(operands[2], env) if len(operands) == 3 else unspecified(),
    )


@special("set!")
def expand_set(x: Pair, env: Env) -> Node:
    """(set! variable value), also of identifier macros that know how to be set"""
    id, value = parts(x, 2, 2, "(set! variable value)")
    if type(id) is Pair:
        operator = meaning(id.car, env) if is_identifier(id.car) else None
        if type(operator) is Special and operator.name in ("@", "@@"):
            variable = expand(id, env)
            if type(variable) is not GRef:
                syntax_error(f"set!: {show(id)} is not a variable", x)
            _refuse_core(symbol(variable.key), variable.key, x, env)
            return Seq([variable, GSet(variable.key, expand(value, env))])
        # SRFI 17: (set! (getter argument ...) value)
        setter = call_core("setter", expand(id.car, env))
        arguments = [expand(argument, env) for argument in python_list(id.cdr)]
        return Call(setter, [*arguments, expand(value, env)])
    if not is_identifier(id):
        syntax_error(f"set!: a variable is expected, not {show(id)}", x)
    binding = meaning(id, env)
    if type(binding) is Macro and binding.variable:
        return expand(expand_macro(binding, x, env), env)
    if type(binding) is Global:
        _refuse_core(binding.symbol, binding.key, x, env)
    return assigned(binding, id, expand(value, env), x)


def _refuse_core(name: Symbol, key: str, x: Pair, env: Env) -> None:
    """Refuse to change the module variable `key` if it is what the core means by `name`."""
    own = env.module.session.core.table.get(name)
    if type(own) is Global and own.key == key:
        syntax_error(
            f"set!: {name.name} belongs to the core and cannot be changed",
            x,
            f"define a variable of your own: (define {name.name} ...)",
        )


def _expand_begin(x: Pair, env: Env) -> Node:
    forms = python_list(x.cdr)
    if not forms:
        syntax_error("an empty (begin) has no value", x)
    return sequence(forms, env)


def _splice_begin(x: Pair, context: Context) -> None:
    context.splice(parts(x, 0, None, "(begin form ...)"))


provide(Special("begin", _expand_begin, _splice_begin), ["begin"], [CORE])


@special("lambda", "λ")
def expand_plain_lambda(x: Pair, env: Env) -> Node:
    """(lambda formals body ...)"""
    operands = parts(x, 2, None, "(lambda (parameter ...) body ...)")
    return expand_lambda(x, operands[0], operands[1:], env, extended=False)


@special("lambda*")
def expand_lambda_star(x: Pair, env: Env) -> Node:
    """(lambda* (required ... #:optional ... #:key ... #:rest rest) body ...)"""
    operands = parts(x, 2, None, "(lambda* (parameter ... #:key (name default) ...) body ...)")
    return expand_lambda(x, operands[0], operands[1:], env, extended=True)


@special("case-lambda")
def expand_case_lambda(x: Pair, env: Env) -> Node:
    """(case-lambda (formals body ...) ...)"""
    return CaseLam(_clauses(x, env, extended=False))


@special("case-lambda*")
def expand_case_lambda_star(x: Pair, env: Env) -> Node:
    """(case-lambda* (lambda*-formals body ...) ...)"""
    return CaseLam(_clauses(x, env, extended=True))


def _clauses(x: Pair, env: Env, extended: bool) -> list[Lam]:
    clauses = []
    for clause in parts(x, 0, None, "(case-lambda ((parameter ...) body ...) ...)"):
        forms = python_list(clause)
        if type(clause) is str:
            continue
        if len(forms) < 2:
            syntax_error("a case-lambda clause is ((parameter ...) body ...)", clause)
        lam = expand_lambda(x, forms[0], forms[1:], env, extended)
        lam.pos = clause.pos
        clauses.append(lam)
    return clauses


_LET_USAGE = "(let ((variable value) ...) body ...)"


def bindings(x: Pair, clauses: Any, usage: str) -> list[tuple[Identifier, Any, Pair]]:
    """The (name, value form, clause) triples of a let-like form's binding list."""
    found = []
    rest = clauses
    while type(rest) is Pair:
        clause = rest.car
        items = python_list(clause)
        if len(items) != 2 or type(clause.cdr) is not Pair or clause.cdr.cdr is not NIL:
            syntax_error(
                f"a binding in {show(x.car)} is (variable value), not {show(clause)}",
                clause if type(clause) is Pair or is_identifier(clause) else x,
                f"it is used as {usage}",
            )
        if not is_identifier(items[0]):
            syntax_error(f"a variable's name is expected, not {show(items[0])}", clause)
        found.append((items[0], items[1], clause))
        rest = rest.cdr
    if rest is not NIL:
        syntax_error(f"the bindings of {show(x.car)} must be a list", x, f"it is used as {usage}")
    return found


@special("let")
def expand_let(x: Pair, env: Env) -> Node:
    """(let ((variable value) ...) body ...) and (let name ((variable value) ...) body ...)"""
    operands = parts(x, 2, None, _LET_USAGE)
    if is_identifier(operands[0]):
        return _named_let(x, operands, env)
    scope = Env(env)
    inits = []
    variables = []
    for id, value, clause in bindings(x, operands[0], _LET_USAGE):
        inits.append(name_procedure(expand(value, env), id, clause.pos))
        variables.append(bind_variable(id, scope, clause))
    body = expand_body(operands[1:], scope, x)
    return Let(variables, inits, body) if variables else body


def _named_let(x: Pair, operands: list[Any], env: Env) -> Node:
    usage = "(let name ((variable value) ...) body ...)"
    if len(operands) < 3:
        syntax_error(f"wrong use of let: {show(x)}", x, f"it is used as {usage}")
    found = bindings(x, operands[1], usage)
    inits = [name_procedure(expand(value, env), id, clause.pos) for id, value, clause in found]
    return loop(operands[0], [id for id, _, _ in found], inits, operands[2:], env, x)


def loop(
    name: Identifier, ids: list[Identifier], inits: list[Node], forms: list[Any], env: Env, x: Pair
) -> Node:
    """A loop in the shape that the code generator knows: what named let expands to."""
    around = Env(env)
    var = around.table[name] = Var(name.name)
    scope = Env(around)
    params = [bind_variable(id, scope, x) for id in ids]
    lam = Lam(params, None, expand_body(forms, scope, x), name.name, pos=x.pos)
    return Letrec([var], [lam], Call(LRef(var), inits, pos=x.pos))


@special("let*")
def expand_let_star(x: Pair, env: Env) -> Node:
    """(let* ((variable value) ...) body ...)"""
    usage = "(let* ((variable value) ...) body ...)"
    operands = parts(x, 2, None, usage)
    scope = env
    steps = []
    for id, value, clause in bindings(x, operands[0], usage):
        init = name_procedure(expand(value, scope), id, clause.pos)
        scope = Env(scope)
        steps.append((bind_variable(id, scope, clause), init))
    node = expand_body(operands[1:], Env(scope), x)
    for var, init in reversed(steps):
        node = Let([var], [init], node)
    return node


@special("letrec", "letrec*")
def expand_letrec(x: Pair, env: Env) -> Node:
    """(letrec ((variable value) ...) body ...); evaluated in order, as letrec*"""
    usage = "(letrec ((variable value) ...) body ...)"
    operands = parts(x, 2, None, usage)
    scope = Env(env)
    found = bindings(x, operands[0], usage)
    variables = [bind_variable(id, scope, clause) for id, _, clause in found]
    inits = [name_procedure(expand(value, scope), id, clause.pos) for id, value, clause in found]
    body = expand_body(operands[1:], scope, x)
    return Letrec(variables, inits, body) if variables else body
