"""Staged code: #~(code) with #$object, #$@list, #+native and #+@native-list inside.

A gexp expands to a lang.data.Gexp: the objects that it refers to, and a procedure that gives the
code as data once each object is replaced by what it lowers to.
"""

from __future__ import annotations

from typing import Any, Final

from lang.data import Gexp, GexpInput, Pair, iterate, scheme_list
from lang.expand import call_core, expand, expand_body, parts, provide, special
from lang.forms.definitions import location_node
from lang.forms.quasiquote import joined, spliced
from lang.ir import Const, Lam, Let, LRef, Node, Var
from lang.runtime.library import Library
from lang.sources import Location
from lang.syntax import (
    CURRENT,
    Env,
    Special,
    SyntaxParameter,
    base,
    is_identifier,
    parameter_value,
    show,
    strip,
    syntax_error,
)

GEXP: Final = ("guix", "gexp")
LIBRARY: Final = Library("guile")

# Each keyword, and whether what it refers to is native and whether it is a list to splice.
_ESCAPES: Final = {
    "ungexp": (False, False),
    "ungexp-native": (True, False),
    "ungexp-splicing": (False, True),
    "ungexp-native-splicing": (True, True),
}


def _outside(x: Pair, env: Env) -> Node:
    syntax_error(f"{show(x)} outside a gexp", x, "#$ and #+ refer to objects from inside #~(...)")


for _name in _ESCAPES:
    provide(Special(_name, _outside), [_name], [GEXP])

_NO_MODULES: Final = Const(())
_MODULES: Final = SyntaxParameter(Special("no-imported-modules", lambda x, env: _NO_MODULES))
"""Bound to a variable with the list of modules inside with-imported-modules."""


class _Escape:
    """One #$ or #+ form, and the parameter that stands for its value in the code."""

    __slots__ = ("input", "param")

    def __init__(self, input: Node, param: Var) -> None:
        self.input = input
        self.param = param


@special("gexp", modules=[GEXP])
def expand_gexp(x: Pair, env: Env) -> Node:
    """(gexp code), that is #~code"""
    (code,) = parts(x, 1, 1, "#~code")
    escapes: list[_Escape] = []
    body = _code(code, env, escapes)
    build = Lam([escape.param for escape in escapes], None, body, "gexp", pos=x.pos)
    place = location_node(x.pos if x.pos is not None else CURRENT.position, env)
    modules = parameter_value(_MODULES, env)
    imported = LRef(modules) if type(modules) is Var else Const(False)
    inputs = [escape.input for escape in escapes]
    return call_core("%gexp", build, place, imported, *inputs, pos=x.pos)


def _escape(x: Any) -> str:
    """The keyword of `x`, if it is an escape."""
    if type(x) is Pair and is_identifier(x.car):
        name = base(x.car).name
        if name in _ESCAPES:
            return name
    return ""


def _code(x: Any, env: Env, escapes: list[_Escape]) -> Node:
    """A node for the data `x` with the values of its escapes in their places."""
    if type(x) is list:
        items = _code(scheme_list(x), env, escapes)
        return Const(strip(x)) if type(items) is Const else call_core("list->vector", items)
    if type(x) is not Pair:
        return Const(strip(x))
    keyword = _escape(x)
    if keyword:
        _, splicing = _ESCAPES[keyword]
        if splicing:
            syntax_error(f"{show(x)} must stand inside a list", x)
        return _input(keyword, x, env, escapes)
    inner = _escape(x.car)
    if inner and _ESCAPES[inner][1]:
        items = _input(inner, x.car, env, escapes)
        return spliced([items], _code(x.cdr, env, escapes))
    first = _code(x.car, env, escapes)
    return joined(first, _code(x.cdr, env, escapes))


def _input(keyword: str, x: Pair, env: Env, escapes: list[_Escape]) -> Node:
    native, _ = _ESCAPES[keyword]
    operands = parts(x, 1, 2, f"({keyword} object [output])")
    output = expand(operands[1], env) if len(operands) == 2 else Const("out")
    thing = expand(operands[0], env)
    param = Var("input")
    made = call_core("%gexp-input", thing, output, Const(native), pos=x.pos)
    escapes.append(_Escape(made, param))
    return LRef(param)


@LIBRARY.procedure("%gexp")
def make_gexp(build: Any, location: Any, modules: Any, *inputs: Any) -> Gexp:
    """A gexp; `location` may be #f, and `modules` too."""
    imported = () if modules is False else tuple(iterate(modules))
    place = location if isinstance(location, Location) else None
    return Gexp(inputs, build, place, imported)


@LIBRARY.procedure("%gexp-input")
def make_input(thing: Any, output: str, native: bool) -> GexpInput:
    """A reference from staged code."""
    return GexpInput(thing, output, native)


@special("with-imported-modules", modules=[GEXP])
def expand_with_imported_modules(x: Pair, env: Env) -> Node:
    """(with-imported-modules modules body ...): gexps inside can use these modules"""
    operands = parts(x, 2, None, "(with-imported-modules '((module name) ...) gexp)")
    modules = Var("modules")
    scope = Env(env)
    scope.table[_MODULES] = modules
    body = expand_body(operands[1:], scope, x)
    outer = parameter_value(_MODULES, env)
    given = expand(operands[0], env)
    if type(outer) is Var:
        given = call_core("append", LRef(outer), given)
    return Let([modules], [given], body)
