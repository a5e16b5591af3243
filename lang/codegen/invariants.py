"""What stays the same in a loop, looked at once, before it.

A string or a vector that the loop only reads by a variable of outside never changes its length, so
that an index is compared with a number (see View). And what the loop's first test asks of such
variables can be asked before the loop: it is the first thing that would happen in there.
"""

from __future__ import annotations

from typing import Final

from lang.analyse import Loop, binds
from lang.codegen import primitives
from lang.codegen.emitter import IS, Emitter, View
from lang.ir import Call, CaseLam, Const, GRef, If, Lam, Let, Letrec, LRef, Node, Seq, Var
from lang.normalise import children

_READERS: Final = {
    "vector-ref": "vector",
    "vector-set!": "vector",
    "vector-length": "vector",
    "string-ref": "string",
    "string-length": "string",
}
_LENGTHS: Final = frozenset({"vector-length", "string-length"})
_COMPARISONS: Final = frozenset({"=", "<", ">", "<=", ">="})


def look_ahead(e: Emitter, loop: Loop) -> dict[tuple[Var, str], View]:
    """Emit the questions that need be asked but once; gives the views that hold in the loop."""
    used, bound = _used(e, loop.lam.body)
    bound.update(loop.lam.params)
    first = _first(e, loop.lam.body)
    certain: set[tuple[Var, str]] = set()
    if first is not None:
        for node in first.arguments:
            if type(node) is Call and type(node.function) is GRef:
                (operand,) = node.arguments
                assert type(operand) is LRef
                certain.add((operand.var, _READERS[node.function.key]))
    views = dict(e.views)
    for var, kind in used:
        known = views.get((var, kind))
        sure = (var, kind) in certain
        if var not in bound and (known is None or (sure and not known.certain)):
            views[var, kind] = _view(e, var, kind, sure)
    if first is not None:
        assert type(first.function) is GRef
        for position, node in enumerate(first.arguments, 1):
            if type(node) is LRef and node.var not in bound:
                primitives.insist_on_number(e, first.function.key, position, node)
    return views


def _used(e: Emitter, body: Node) -> tuple[dict[tuple[Var, str], None], set[Var]]:
    """Variables that are read as strings or vectors, and those that are bound, outside closures."""
    used: dict[tuple[Var, str], None] = {}
    bound: set[Var] = set()
    pending = [body]
    while pending:
        node = pending.pop()
        if isinstance(node, Lam | CaseLam):
            continue
        if isinstance(node, Let | Letrec):
            bound.update(node.vars)
            for init in node.inits:
                if type(init) is Lam and node.vars[0].loop:
                    bound.update(binds(init))
                    pending.append(init.body)
        found = _reads(e, node)
        if found is not None:
            used[found] = None
        pending.extend(children(node))
    return used, bound


def _reads(e: Emitter, node: Node) -> tuple[Var, str] | None:
    if type(node) is not Call or type(node.function) is not GRef or not node.arguments:
        return None
    kind = _READERS.get(node.function.key)
    operand = node.arguments[0]
    if kind is None or type(operand) is not LRef or e.analysis.primitive(node.function) is None:
        return None
    var = operand.var
    return None if var.mutated or var in e.analysis.boxed or var in e.late else (var, kind)


def _first(e: Emitter, body: Node) -> Call | None:
    """The comparison of variables, literals and lengths that the loop begins with, if it does."""
    node = body
    while True:
        match node:
            case If(test=test):
                node = test
            case Seq(nodes=[first, *_]) | Let(inits=[first, *_]):
                node = first
            case _:
                break
    if (
        type(node) is Call
        and type(node.function) is GRef
        and node.function.key in _COMPARISONS
        and len(node.arguments) == 2
        and e.analysis.primitive(node.function) is not None
        and all(_is_stable(e, argument) for argument in node.arguments)
    ):
        return node
    return None


def _is_stable(e: Emitter, node: Node) -> bool:
    if type(node) is Const:
        return True
    if type(node) is LRef:
        return not node.var.mutated and node.var not in e.analysis.boxed
    if type(node) is Call and type(node.function) is GRef and node.function.key in _LENGTHS:
        return len(node.arguments) == 1 and _reads(e, node) is not None
    return False


def _view(e: Emitter, var: Var, kind: str, certain: bool) -> View:
    """Emit what makes a view. What is no string or vector is told where the loop asks first."""
    name = e.slot(var)
    length = e.temporary()
    is_it = e.compare(e.invoke(e.name("$type"), [e.name(name)]), IS, e.name(f"${_PYTHON[kind]}"))
    missing = e.literal(-1)
    if certain:
        missing = e.invoke(e.name(f"{kind}-length"), [e.name(name)])
    if kind == "vector":
        e.assign(length, e.either(is_it, e.invoke(e.name("$len"), [e.name(name)]), missing))
        return View(name, length, certain)
    items = e.temporary()
    e.assign(items, e.either(is_it, e.name(name), e.invoke(e.name("$characters"), [e.name(name)])))
    none = e.compare(e.name(items), IS, e.literal(None))
    e.assign(length, e.either(none, missing, e.invoke(e.name("$len"), [e.name(items)])))
    return View(items, length, certain)


_PYTHON: Final = {"vector": "vector", "string": "str"}
