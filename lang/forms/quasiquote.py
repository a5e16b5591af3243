"""quasiquote: templates of data. Shared with gexps, which are quasiquotes of staged code."""

from __future__ import annotations

from typing import Any

from lang.data import NIL, Pair, cons, python_list, scheme_list, symbol
from lang.expand import call_core, expand, parts, special
from lang.ir import Call, Const, GRef, Node
from lang.syntax import Env, base, is_identifier, strip, syntax_error


@special("quasiquote")
def expand_quasiquote(x: Pair, env: Env) -> Node:
    """(quasiquote template), that is `template"""
    (template,) = parts(x, 1, 1, "(quasiquote template)")
    return _quasi(template, 1, env)


def _keyword(x: Any) -> str:
    """The name of the quasiquote keyword that list `x` starts with, or an empty string."""
    if type(x) is Pair and is_identifier(x.car) and type(x.cdr) is Pair:
        name = base(x.car).name
        if name in ("unquote", "quasiquote", "unquote-splicing"):
            return name
    return ""


def _quasi(x: Any, depth: int, env: Env) -> Node:
    if type(x) is list:
        items = _quasi(scheme_list(x), depth, env)
        if type(items) is Const:
            return Const(python_list(items.value))
        return call_core("list->vector", items)
    if type(x) is not Pair:
        return Const(strip(x))
    keyword = _keyword(x)
    if keyword and x.cdr.cdr is NIL and keyword != "unquote-splicing":
        if keyword == "quasiquote":
            return joined(Const(symbol(keyword)), _quasi(x.cdr, depth + 1, env))
        if depth == 1:
            return expand(x.cdr.car, env)
        return joined(Const(symbol(keyword)), _quasi(x.cdr, depth - 1, env))
    inner = _keyword(x.car)
    if inner in ("unquote", "unquote-splicing") and (inner, depth) != ("unquote", 1):
        if depth == 1:
            return spliced(_operands(x.car, env), _quasi(x.cdr, depth, env))
        head = joined(Const(symbol(inner)), _quasi(x.car.cdr, depth - 1, env))
        return joined(head, _quasi(x.cdr, depth, env))
    if inner == "unquote" and x.car.cdr.cdr is not NIL:
        rest = _quasi(x.cdr, depth, env)
        for node in reversed(_operands(x.car, env)):
            rest = joined(node, rest)
        return rest
    if keyword == "unquote-splicing" and depth == 1:
        syntax_error("unquote-splicing (,@) outside a list", x)
    return joined(_quasi(x.car, depth, env), _quasi(x.cdr, depth, env))


def _operands(x: Pair, env: Env) -> list[Node]:
    return [expand(operand, env) for operand in parts(x, 0, None, ",@expression")]


def spliced(lists: list[Node], rest: Node) -> Node:
    """The elements of `lists`, then `rest`."""
    if type(rest) is Const and rest.value is NIL and len(lists) == 1:
        return lists[0]
    return call_core("append", *lists, rest)


def joined(first: Node, rest: Node) -> Node:
    """A pair of `first` and `rest`; one `list` or `cons*` call for a run of them."""
    if type(first) is Const and type(rest) is Const:
        return Const(cons(first.value, rest.value))
    if type(rest) is Const and rest.value is NIL:
        return call_core("list", first)
    if type(rest) is Call and type(rest.function) is GRef:
        if rest.function.key in ("list", "cons*"):
            return call_core(rest.function.key, first, *rest.arguments)
    return call_core("cons*", first, rest)
