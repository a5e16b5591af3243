"""SRFI 9 records, Guile's immutable ones, and functional field setters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lang.data import Pair, python_list, scheme_list, symbol
from lang.expand import Context, call_core, definition, expand, parts, provide, special
from lang.ir import Const, Lam, LRef, Node, Var
from lang.syntax import Env, Global, Identifier, base, is_identifier, show, syntax_error

SRFI_9 = ("srfi", "srfi-9")
GNU = ("srfi", "srfi-9", "gnu")
_PRINTER = "set-record-type-printer!"
provide(Global(_PRINTER, symbol(_PRINTER), True), [_PRINTER], [GNU])
_USAGE = "(define-record-type <type> (constructor field ...) predicate (field accessor) ...)"


@definition("define-record-type", modules=[SRFI_9, ("scheme", "base")])
def define_record_type(x: Pair, context: Context) -> None:
    """(define-record-type type constructor predicate (field accessor [modifier]) ...)"""
    _define_record(x, context, "%record-modifier")


@definition("define-immutable-record-type", modules=[GNU])
def define_immutable_record_type(x: Pair, context: Context) -> None:
    """As define-record-type; modifiers give changed copies"""
    _define_record(x, context, "%record-updater")


def _define_record(x: Pair, context: Context, modifier: str) -> None:
    operands = parts(x, 3, None, _USAGE)
    type_id, constructor, predicate = operands[:3]
    if type(type_id) is Pair:
        type_id = type_id.car
    if not is_identifier(type_id):
        syntax_error(f"define-record-type: a type name is expected, not {show(type_id)}", x)
    fields = [_field(spec, x) for spec in operands[3:]]
    names = [field[0] for field in fields]
    for index, name in enumerate(names):
        if any(name is earlier for earlier in names[:index]):
            syntax_error(f"the field {name.name} is defined twice", operands[3 + index])
    procedures = [constructor.car if type(constructor) is Pair else constructor, predicate]
    for name in [*procedures, *(name for field in fields for name in field[1:])]:
        if name is type_id:
            syntax_error(f"the type {show(type_id)} and a procedure of it have the same name", x)
    env = context.env
    symbols = Const(scheme_list(base(name) for name in names))
    context.define(type_id, lambda: call_core("%record-type", Const(base(type_id)), symbols), x.pos)
    _define_constructor(x, context, type_id, constructor, names)
    if is_identifier(predicate):
        define_procedure(context, predicate, "%record-predicate", type_id, [], env, x.pos)
    for index, (_, accessor, setter) in enumerate(fields):
        place = [Const(index)]
        if accessor is not None:
            define_procedure(context, accessor, "%record-accessor", type_id, place, env, x.pos)
        if setter is not None:
            define_procedure(context, setter, modifier, type_id, place, env, x.pos)


def _field(spec: Any, x: Pair) -> tuple[Identifier, Identifier | None, Identifier | None]:
    """name, (name), (name accessor) or (name accessor modifier)"""
    items = python_list(spec) if type(spec) is Pair else [spec]
    if not 1 <= len(items) <= 3 or not all(is_identifier(item) for item in items):
        syntax_error(
            f"a field is (name accessor [modifier]), not {show(spec)}",
            spec if type(spec) is Pair else x,
        )
    return items[0], items[1] if len(items) > 1 else None, items[2] if len(items) > 2 else None


def define_procedure(
    context: Context,
    id: Identifier,
    maker: str,
    type_id: Identifier,
    arguments: list[Any],
    env: Env,
    pos: int | None,
) -> None:
    """Define `id` as what the core procedure `maker` gives for the type and `arguments`."""
    first, rest = arguments[:1], arguments[1:]
    context.define(
        id,
        lambda: call_core(maker, expand(type_id, env), *first, Const(base(id)), *rest),
        pos,
    )


def _define_constructor(
    x: Pair, context: Context, type_id: Identifier, spec: Any, names: list[Identifier]
) -> None:
    if spec is False:
        return
    if type(spec) is Pair:
        id, chosen = spec.car, python_list(spec.cdr)
        for index, name in enumerate(chosen):
            if not any(name is known for known in names):
                syntax_error(f"the constructor names an unknown field {show(name)}", spec)
            if any(name is earlier for earlier in chosen[:index]):
                syntax_error(f"the constructor names the field {show(name)} twice", spec)
    else:
        id, chosen = spec, names
    if not is_identifier(id):
        syntax_error(f"define-record-type: a constructor is expected, not {show(spec)}", x)
    env = context.env
    context.define(id, _constructor(type_id, names, chosen, env, id.name), x.pos)


def _constructor(
    type_id: Identifier, names: list[Identifier], chosen: list[Identifier], env: Env, name: str
) -> Callable[[], Node]:
    def make() -> Node:
        variables = {id: Var(id.name) for id in chosen}
        values = [LRef(variables[id]) if id in variables else Const(False) for id in names]
        body = call_core("%record", expand(type_id, env), *values)
        return Lam([variables[id] for id in chosen], None, body, name)

    return make


@special("set-field", modules=[GNU])
def expand_set_field(x: Pair, env: Env) -> Node:
    """(set-field record (accessor ...) value)"""
    record, accessors, value = parts(x, 3, 3, "(set-field record (accessor ...) value)")
    chain = call_core("list", *(expand(accessor, env) for accessor in python_list(accessors)))
    return call_core("%set-field", expand(record, env), chain, expand(value, env), pos=x.pos)


@special("set-fields", modules=[GNU])
def expand_set_fields(x: Pair, env: Env) -> Node:
    """(set-fields record ((accessor ...) value) ...)"""
    operands = parts(x, 1, None, "(set-fields record ((accessor ...) value) ...)")
    node = expand(operands[0], env)
    for clause in operands[1:]:
        items = python_list(clause)
        if len(items) != 2:
            syntax_error("a set-fields clause is ((accessor ...) value)", clause)
        chain = call_core("list", *(expand(a, env) for a in python_list(items[0])))
        node = call_core("%set-field", node, chain, expand(items[1], env), pos=x.pos)
    return node
