"""Guile's hash tables, looked up in line if the key is of a type whose values are their own keys.

(hash-ref table key default) becomes

    ($t.cdr if ($t := table.entries.get(key)) is not None else default)
    if type(table) is HashTable and type(key) in own_keys else hash-ref(table, key, default)

and (hash-set! table key value) changes an entry that is there. All else is for the procedures.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final

from lang.codegen import guarded
from lang.codegen.emitter import IS_NOT, Emitter
from lang.codegen.guarded import Rule
from lang.ir import Const, Node
from lang.runtime.equality import OWN_KEYS

_FAMILIES: Final = {"hash": "$equal_keys", "hashq": "$eq_keys", "hashv": "$eq_keys"}


def _checks(
    e: Emitter, nodes: Sequence[Node], names: list[ast.expr], own_keys: str
) -> list[ast.expr]:
    """That the first operand is a table and the second one a key as it is."""
    tests = [guarded.type_is(e, names[0], "$HashTable")]
    key = nodes[1]
    if type(key) is not Const or type(key.value) not in OWN_KEYS:
        kind = e.invoke(e.name("$type"), [guarded.copy(e, names[1])])
        tests.append(e.compare(kind, ast.In(), e.name(own_keys)))
    return tests


def _entry(e: Emitter, names: list[ast.expr]) -> tuple[str, ast.expr]:
    """A name, and what gives it the entry of the key, or None."""
    entry = e.temporary()
    get = e.attribute(e.attribute(guarded.copy(e, names[0]), "entries"), "get")
    return entry, e.let(entry, e.invoke(get, [guarded.copy(e, names[1])]))


def _reference(who: str, own_keys: str) -> Rule:
    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) not in (2, 3):
            return None
        names, evaluation = guarded.named(e, arguments)
        checks = _checks(e, arguments, names, own_keys)
        tests = guarded.evaluating(e, evaluation, checks)
        call = e.invoke(e.name(who), guarded.copies(e, names))
        entry, found = _entry(e, names)
        default = guarded.copy(e, names[2]) if len(names) == 3 else e.literal(False)
        there = e.compare(found, IS_NOT, e.literal(None))
        value = e.either(there, e.attribute(e.name(entry), "cdr"), default)
        return e.either(guarded.conjunction(e, tests), value, call)

    return write


def _assignment(who: str, own_keys: str) -> Rule:
    def write(e: Emitter, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) != 3:
            return None
        names = guarded.spilled(e, arguments)
        entry, found = _entry(e, names)
        tests = _checks(e, arguments, names, own_keys)
        tests.append(e.compare(found, IS_NOT, e.literal(None)))
        target = e.place(ast.Attribute(value=e.name(entry), attr="cdr", ctx=ast.Store()))
        store = e.place(ast.Assign(targets=[target], value=guarded.copy(e, names[2])))
        call = e.place(ast.Expr(value=e.invoke(e.name(who), guarded.copies(e, names))))
        e.calls += 1
        e.emit(ast.If(test=guarded.conjunction(e, tests), body=[store], orelse=[call]))
        return guarded.copy(e, names[2])

    return write


VALUES: Final[dict[str, Rule]] = {
    **{f"{name}-ref": _reference(f"{name}-ref", own) for name, own in _FAMILIES.items()},
    **{f"{name}-set!": _assignment(f"{name}-set!", own) for name, own in _FAMILIES.items()},
}
