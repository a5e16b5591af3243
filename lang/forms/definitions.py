"""Definitions: define and its variants, define-values, eval-when, include, cond-expand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from lang.data import NIL, Pair, cons, python_list, scheme_list, symbol
from lang.expand import (
    CORE,
    Context,
    call_core,
    core_name,
    definition,
    expand,
    expand_lambda,
    parts,
    provide,
    sequence,
    special,
    unspecified,
)
from lang.ir import RECEIVER, Const, If, Lam, LRef, Node, Var
from lang.modules import module_name
from lang.runtime.primitives import environment
from lang.syntax import (
    CURRENT,
    Env,
    Global,
    Identifier,
    Special,
    Staged,
    base,
    fresh,
    is_identifier,
    show,
    strip,
    syntax_error,
)

_USAGE: Final = "(define name value) or (define (name parameter ...) body ...)"


def define(x: Pair, context: Context, extended: bool) -> Identifier:
    """Take up a define form; gives the name."""
    operands = parts(x, 1, None, _USAGE)
    target = operands[0]
    env = context.env
    if is_identifier(target):
        if len(operands) > 2 and type(operands[1]) is str:
            del operands[1]
        if len(operands) > 2:
            syntax_error(
                f"{show(x.car)} {target.name}: more than one value",
                x,
                f"a procedure is defined by ({show(x.car)} ({target.name}) ...)",
            )
        if len(operands) == 1:
            context.define(target, unspecified, x.pos)
        else:
            context.define(target, lambda: expand(operands[1], env), x.pos)
        return target  # type: ignore[no-any-return]
    if type(target) is not Pair:
        syntax_error(f"{show(x.car)}: a name is expected, not {show(target)}", x, _usage(x))
    forms = operands[1:]
    if not forms:
        syntax_error(f"the procedure {show(target.car)} has an empty body", x, _usage(x))
    shapes = [target.cdr]
    while type(target.car) is Pair:
        target = target.car
        shapes.append(target.cdr)
    if not is_identifier(target.car):
        syntax_error(f"{show(x.car)}: a name is expected, not {show(target.car)}", x, _usage(x))
    context.define(target.car, lambda: _curried(x, shapes, forms, env, extended), x.pos)
    return target.car  # type: ignore[no-any-return]


def _usage(x: Pair) -> str:
    return "it is used as " + _USAGE.replace("define", show(x.car))


def _curried(x: Pair, shapes: list[Any], forms: list[Any], env: Env, extended: bool) -> Lam:
    """(define ((f a) b) ...) gives a procedure of a that gives one of b."""
    if len(shapes) == 1:
        return expand_lambda(x, shapes[0], list(forms), env, extended)
    keyword = core_name("lambda*" if extended else "lambda", env)
    inner = cons(keyword, cons(shapes[0], scheme_list(forms)))
    return _curried(x, shapes[1:], [inner], env, extended)


@definition("define")
def define_plain(x: Pair, context: Context) -> None:
    """(define name value), (define (name parameter ...) body ...)"""
    define(x, context, extended=False)


@definition("define-once")
def define_once(x: Pair, context: Context) -> None:
    """(define-once name value): define, unless the name has a value in this module already"""
    name = parts(x, 2, 2, "(define-once name value)")[0]
    module = context.env.module
    known = module.table.get(name) if is_identifier(name) else None
    if type(known) is not Global or known.key not in module.session.globals:
        define(x, context, extended=False)


@definition("define*")
def define_star(x: Pair, context: Context) -> None:
    """(define* (name parameter ... #:optional ... #:key ...) body ...)"""
    define(x, context, extended=True)


@definition("define-inlinable")
def define_inlinable(x: Pair, context: Context) -> None:
    """(define-inlinable (name parameter ...) body ...): a plain procedure here."""
    define(x, context, extended=False)


@definition("define-public")
def define_public(x: Pair, context: Context) -> None:
    """define and export"""
    context.env.module.export(base(define(x, context, extended=False)))


@definition("define*-public")
def define_star_public(x: Pair, context: Context) -> None:
    """define* and export"""
    context.env.module.export(base(define(x, context, extended=True)))


@definition("define-private")
def define_private(x: Pair, context: Context) -> None:
    """define: what is not exported is private."""
    define(x, context, extended=False)


@definition("define-staged", modules=[("kiln", "stages")])
def define_staged(x: Pair, context: Context) -> None:
    """(define-staged (name parameter ...) body ...): define* what exists inside builds only."""
    module = context.env.module
    if module.session.stage == "build":
        define(x, context, extended=True)
        return
    target = parts(x, 2, None, "(define-staged (name parameter ...) body ...)")[0]
    if type(target) is not Pair or not is_identifier(target.car):
        syntax_error(f"define-staged: (name parameter ...) is expected, not {show(target)}", x)
    module.bind(target.car, Staged(base(target.car).name))


@definition("define-values")
def define_values(x: Pair, context: Context) -> None:
    """(define-values formals expression)"""
    formals, value = parts(x, 2, 2, "(define-values (name ...) expression)")
    env = context.env
    names = []
    rest = formals
    while type(rest) is Pair:
        names.append(rest.car)
        rest = rest.cdr
    for name in [*names, *([] if rest is NIL else [rest])]:
        if not is_identifier(name):
            syntax_error(f"define-values: a name is expected, not {show(name)}", x)
    holder = fresh(symbol("values"), env)

    def receive() -> Node:
        params = [Var(name.name) for name in names]
        tail = None if rest is NIL else Var(rest.name)
        kept: list[Node] = [LRef(var) for var in params]
        if tail is not None:
            kept.append(LRef(tail))
        receiver = Lam(params, tail, call_core("vector", *kept), RECEIVER)
        producer = Lam([], None, expand(value, env))
        return call_core("call-with-values", producer, receiver, pos=x.pos)

    context.define(holder, receive, x.pos)
    for index, name in enumerate([*names, *([] if rest is NIL else [rest])]):
        context.define(name, lambda i=index: _element(holder, i, env), x.pos)  # type: ignore[misc]


def _element(vector: Identifier, index: int, env: Env) -> Node:
    return call_core("vector-ref", expand(vector, env), Const(index))


def _expand_eval_when(x: Pair, env: Env) -> Node:
    forms = parts(x, 1, None, "(eval-when (expand load eval) form ...)")
    return sequence(forms[1:], env)


def _define_eval_when(x: Pair, context: Context) -> None:
    forms = parts(x, 1, None, "(eval-when (expand load eval) form ...)")
    phases = {base(phase).name for phase in python_list(forms[0]) if is_identifier(phase)}
    if phases & {"expand", "compile"} and context.toplevel:
        context.now(forms[1:])
    else:
        context.splice(forms[1:])


provide(Special("eval-when", _expand_eval_when, _define_eval_when), ["eval-when"], [CORE])

FEATURES: Final = frozenset(("else", *environment.FEATURES))


def chosen(x: Pair, env: Env) -> list[Any]:
    """The forms of the first clause of a cond-expand form whose requirement holds."""
    for clause in parts(x, 0, None, "(cond-expand (feature form ...) ... (else form ...))"):
        if type(clause) is not Pair:
            syntax_error(f"a cond-expand clause is (feature form ...), not {show(clause)}", x)
        if _holds(clause.car, clause, env):
            return python_list(clause.cdr)
    return []


def _holds(requirement: Any, clause: Pair, env: Env) -> bool:
    if is_identifier(requirement):
        return base(requirement).name in FEATURES
    if type(requirement) is Pair and is_identifier(requirement.car):
        operands = python_list(requirement.cdr)
        match base(requirement.car).name:
            case "and":
                return all(_holds(operand, clause, env) for operand in operands)
            case "or":
                return any(_holds(operand, clause, env) for operand in operands)
            case "not" if len(operands) == 1:
                return not _holds(operands[0], clause, env)
            case "library" if len(operands) == 1:
                return env.module.session.exists(module_name(operands[0], clause))
    syntax_error(f"not a feature requirement: {show(requirement)}", clause)


def _expand_cond_expand(x: Pair, env: Env) -> Node:
    forms = chosen(x, env)
    return sequence(forms, env) if forms else unspecified()


def _define_cond_expand(x: Pair, context: Context) -> None:
    context.splice(chosen(x, context.env))


provide(Special("cond-expand", _expand_cond_expand, _define_cond_expand), ["cond-expand"], [CORE])


def included(x: Pair, env: Env) -> list[Any]:
    """The forms in the files that an include form names, relative to the file that it is in."""
    session = env.module.session
    env.module.includes = True
    forms: list[Any] = []
    for name in parts(x, 1, None, '(include "file")'):
        if type(name) is not str:
            syntax_error(f"include: a file name is expected, not {show(name)}", x)
        position = x.pos if x.pos is not None else CURRENT.position
        here = session.sources.source(position) if position is not None else None
        path = Path(here.name).parent / name if here is not None else Path(name)
        how = base(x.car).name
        if how == "include-from-path":
            found = (directory / name for directory in session.load_path)
            path = next((file for file in found if file.is_file()), path)
        fold_case = how == "include-ci"
        try:
            forms += session.read_file(path, fold_case=fold_case)
        except OSError as error:
            syntax_error(f"include: {path}: {error.strerror}", x)
    return forms


def _expand_include(x: Pair, env: Env) -> Node:
    return sequence(included(x, env), env)


def _define_include(x: Pair, context: Context) -> None:
    context.splice(included(x, context.env))


provide(
    Special("include", _expand_include, _define_include),
    ["include", "include-ci", "include-from-path"],
    [CORE],
)


@special("syntax-error")
def raise_syntax_error(x: Pair, env: Env) -> Node:
    """(syntax-error "message" form ...): an error of the program that holds it"""
    message, *irritants = parts(x, 1, None, '(syntax-error "message" form ...)')
    syntax_error(" ".join([str(message), *map(show, irritants)]), x)


@special("load")
def expand_load(x: Pair, env: Env) -> Node:
    """(load "file"): its forms, run in this module; the name is relative to this file"""
    file = parts(x, 1, 1, '(load "file")')[0]
    here = current_filename(x, env)
    return call_core("%load", expand(file, env), here, pos=x.pos)


@special("current-source-location")
def current_source_location(x: Pair, env: Env) -> Node:
    """The place where this form stands, or where the macro that made it is used; or #f."""
    position = x.pos if x.pos is not None else CURRENT.position
    return location_node(position, env)


def location_node(position: int | None, env: Env) -> Node:
    """A node that gives the lang.sources.Location of `position`, or #f."""
    place = env.module.session.sources.location(position) if position is not None else None
    if place is None:
        return Const(False)
    return call_core("%location", Const(place.file), Const(place.line), Const(place.column))


@special("current-filename")
def current_filename(x: Pair, env: Env) -> Const:
    """The name of the file that this form is in, or #f"""
    position = x.pos if x.pos is not None else CURRENT.position
    source = env.module.session.sources.source(position) if position is not None else None
    return Const(source.name if source is not None else False)


@special("assert", modules=[CORE, ("rnrs", "base")])
def expand_assert(x: Pair, env: Env) -> Node:
    """(assert expression): an error that shows the expression if its value is #f"""
    (expression,) = parts(x, 1, 1, "(assert expression)")
    failure = call_core("%assertion-failed", Const(strip(expression)), pos=x.pos)
    return If(expand(expression, env), Const(True), failure)
