"""SRFI 35: condition and define-condition-type."""

from __future__ import annotations

from typing import Final

from lang.data import Pair, python_list, scheme_list
from lang.expand import Context, call_core, definition, expand, parts, special
from lang.ir import Const, Node
from lang.syntax import Env, base, is_identifier, show, syntax_error

SRFI_35: Final = ("srfi", "srfi-35")


@special("condition", modules=[SRFI_35])
def expand_condition(x: Pair, env: Env) -> Node:
    """(condition (type (field value) ...) ...)"""
    usage = "(condition (&type (field value) ...) ...)"
    made: list[Node] = []
    for spec in parts(x, 1, None, usage):
        if type(spec) is not Pair:
            syntax_error(
                f"condition: (&type (field value) ...) is expected, not {show(spec)}",
                x,
                f"it is used as {usage}",
            )
        fields: list[Node] = []
        for field in python_list(spec.cdr):
            items = python_list(field)
            if len(items) != 2 or not is_identifier(items[0]):
                syntax_error(f"condition: (field value) is expected, not {show(field)}", spec)
            fields.append(call_core("cons", Const(base(items[0])), expand(items[1], env)))
        made.append(call_core("list", expand(spec.car, env), *fields))
    return call_core("%condition", *made, pos=x.pos)


@definition("define-condition-type", modules=[SRFI_35])
def define_condition_type(x: Pair, context: Context) -> None:
    """(define-condition-type type parent predicate (field accessor) ...)"""
    usage = "(define-condition-type &type &parent predicate (field accessor) ...)"
    operands = parts(x, 3, None, usage)
    type_, parent, predicate = operands[:3]
    env = context.env
    for name in (type_, predicate):
        if not is_identifier(name):
            syntax_error(f"define-condition-type: a name is expected, not {show(name)}", x)
    fields = [python_list(field) for field in operands[3:]]
    for field, items in zip(operands[3:], fields, strict=True):
        if len(items) != 2 or not all(is_identifier(item) for item in items):
            syntax_error(
                f"define-condition-type: (field accessor) is expected, not {show(field)}", x
            )
    names = Const(scheme_list(base(field) for field, _ in fields))
    context.define(
        type_,
        lambda: call_core(
            "make-condition-type", Const(base(type_)), expand(parent, env), names, pos=x.pos
        ),
        x.pos,
    )
    context.define(predicate, lambda: call_core("condition-predicate", expand(type_, env)), x.pos)
    for field, accessor in fields:
        context.define(
            accessor,
            lambda field=field: call_core(  # type: ignore[misc]
                "condition-accessor", expand(type_, env), Const(base(field))
            ),
            x.pos,
        )
