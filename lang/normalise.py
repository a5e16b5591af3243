"""Rewrites core forms to fewer shapes, so that the analysis sees more loops and known procedures.

- A Call of a Lam that is written in operator position becomes a Let, and so does a Lam that is
  bound to a variable only to be called at once (a named let that never comes again).
- A Letrec becomes a nest of smaller ones, and a Let where nothing is recursive.
- A Seq inside a Seq is flattened; a conditional on a constant is decided.
- Several values where one is wanted are the first of them, as in Guile, if that can be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

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
    Var,
)


def normalise(node: Node) -> Node:
    """An equivalent of `node` in the shapes above. Nodes are changed in place where possible."""
    return _RULES[type(node)](node)


def children(node: Node) -> Iterable[Node]:
    """The nodes directly inside `node`, in order of evaluation."""
    return _CHILDREN[type(node)](node)


_CHILDREN: Final[dict[type[Node], Callable[[Any], Iterable[Node]]]] = {
    Const: lambda n: (),
    LRef: lambda n: (),
    GRef: lambda n: (),
    LSet: lambda n: (n.value,),
    GSet: lambda n: (n.value,),
    GDef: lambda n: (n.value,),
    If: lambda n: (n.test, n.consequent, n.alternative),
    Seq: lambda n: n.nodes,
    Call: lambda n: (n.function, *n.arguments),
    Let: lambda n: (*n.inits, n.body),
    Letrec: lambda n: (*n.inits, n.body),
    Lam: lambda n: (*(d for _, d in n.optional), *(d for _, _, d in n.keys), n.body),
    CaseLam: lambda n: n.clauses,
}


def _same(node: Node) -> Node:
    return node


def _single(node: Node) -> Node:
    """`node`, normal and in a place for one value, without any visible call of `values`."""
    match node:
        case Call(function=GRef(key="values"), arguments=[first, *others]):
            if not others:
                return _single(first)
            var = Var("first")
            return Let([var], [_single(first)], Seq([*others, LRef(var)]), pos=node.pos)
        case If():
            node.consequent = _single(node.consequent)
            node.alternative = _single(node.alternative)
        case Seq():
            node.nodes[-1] = _single(node.nodes[-1])
        case Let() | Letrec():
            node.body = _single(node.body)
    return node


def _value(node: LSet | GSet | GDef) -> Node:
    node.value = _single(normalise(node.value))
    return node


def _if(node: If) -> Node:
    node.test = _single(normalise(node.test))
    if type(node.test) is Const:
        return normalise(node.alternative if node.test.value is False else node.consequent)
    node.consequent = normalise(node.consequent)
    node.alternative = normalise(node.alternative)
    return node


def _seq(node: Seq) -> Node:
    nodes: list[Node] = []
    for inner in node.nodes:
        plain = normalise(inner)
        nodes.extend(plain.nodes if type(plain) is Seq else (plain,))
    effective = [n for n in nodes[:-1] if type(n) not in (Const, LRef)]
    if not effective:
        return nodes[-1]
    node.nodes = [*effective, nodes[-1]]
    return node


def _call(node: Call) -> Node:
    function = node.function
    if (
        type(function) is Lam
        and not (function.rest or function.optional or function.keys)
        and len(function.params) == len(node.arguments)
    ):
        if not function.params:
            return normalise(function.body)
        return _let(Let(function.params, node.arguments, function.body, pos=node.pos))
    node.function = normalise(function)
    node.arguments = [_single(normalise(argument)) for argument in node.arguments]
    return node


def _let(node: Let) -> Node:
    if not node.vars:
        return normalise(node.body)
    node.inits = [_single(normalise(init)) for init in node.inits]
    node.body = normalise(node.body)
    return _called_once(node)


def _called_once(node: Let) -> Node:
    """(let ((f (lambda (x) BODY))) (f VALUE)) as (let ((x VALUE)) BODY); else `node` itself."""
    var, lam, call = node.vars[0], node.inits[0], node.body
    if (
        len(node.vars) == 1
        and not var.mutated
        and type(lam) is Lam
        and not (lam.rest or lam.optional or lam.keys)
        and type(call) is Call
        and type(call.function) is LRef
        and call.function.var is var
        and len(call.arguments) == len(lam.params)
        and not any(_mentioned(argument, {var: 0}) for argument in call.arguments)
    ):
        if not lam.params:
            return lam.body
        return _called_once(Let(lam.params, call.arguments, lam.body, pos=call.pos or node.pos))
    return node


def _letrec(node: Letrec) -> Node:
    """Cut the sequence of bindings wherever no init refers to a variable behind the cut."""
    if not node.vars:
        return normalise(node.body)
    inits = [_single(normalise(init)) for init in node.inits]
    body = normalise(node.body)
    count = len(node.vars)
    order = {var: index for index, var in enumerate(node.vars)}
    mentioned = [_mentioned(init, order) for init in inits]
    # the group that starts at `start` reaches as far as its members refer forward
    groups: list[tuple[int, int]] = []
    start = 0
    while start < count:
        end = start + 1
        index = start
        while index < end:
            end = max(end, 1 + max(mentioned[index], default=-1))
            index += 1
        groups.append((start, end))
        start = end
    for start, end in reversed(groups):
        variables, values = node.vars[start:end], inits[start:end]
        recursive = any(start <= at < end for m in mentioned[start:end] for at in m)
        if recursive:
            body = Letrec(variables, values, body, pos=node.pos)
        else:
            body = _called_once(Let(variables, values, body, pos=node.pos))
    return body


def _mentioned(node: Node, order: dict[Var, int]) -> set[int]:
    """The indices of the variables of `order` that occur in `node`."""
    found: set[int] = set()
    pending = [node]
    while pending:
        inner = pending.pop()
        if type(inner) is LRef or type(inner) is LSet:
            index = order.get(inner.var)
            if index is not None:
                found.add(index)
        pending.extend(children(inner))
    return found


def _lam(node: Lam) -> Node:
    node.optional = [(var, normalise(default)) for var, default in node.optional]
    node.keys = [(key, var, normalise(default)) for key, var, default in node.keys]
    node.body = normalise(node.body)
    return node


def _case_lam(node: CaseLam) -> Node:
    for clause in node.clauses:
        _lam(clause)
    return node


_RULES: Final[dict[type[Node], Callable[[Any], Node]]] = {
    Const: _same,
    LRef: _same,
    GRef: _same,
    LSet: _value,
    GSet: _value,
    GDef: _value,
    If: _if,
    Seq: _seq,
    Call: _call,
    Let: _let,
    Letrec: _letrec,
    Lam: _lam,
    CaseLam: _case_lam,
}
