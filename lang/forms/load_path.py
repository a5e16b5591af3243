"""add-to-load-path, and the variable %load-path: where a program's own modules are found."""

from __future__ import annotations

from typing import Any

from lang.data import Pair, cons, python_list, scheme_list, symbol
from lang.expand import CORE, Context, call_core, definition, expand, parts, provide
from lang.forms.macros import is_set
from lang.syntax import Env, Expanded, Macro


@definition("add-to-load-path")
def add_to_load_path(x: Pair, context: Context) -> None:
    """(add-to-load-path directory): find modules in it, too, in the rest of the file"""
    (directory,) = parts(x, 1, 1, '(add-to-load-path "directory")')
    core = context.env.module.session.core_name
    phases = scheme_list(symbol(phase) for phase in ("expand", "load", "eval"))
    extended = scheme_list([core("cons"), directory, core("%load-path")])
    setting = scheme_list([core("set!"), core("%load-path"), extended])
    setting.pos = x.pos
    context.splice([scheme_list([core("eval-when"), phases, setting])])


def _load_path(use: Any, env: Env) -> Any:
    if type(use) is Pair and is_set(use.car, env):
        _, value = python_list(use.cdr)
        return Expanded(
            "%load-path", lambda: call_core("%set-load-path!", expand(value, env), pos=use.pos)
        )
    path = Expanded("%load-path", lambda: call_core("%current-load-path"))
    return cons(path, use.cdr, use.pos) if type(use) is Pair else path


provide(Macro(_load_path, variable=True), ["%load-path"], [CORE])
