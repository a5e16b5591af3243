"""Core forms -> Python `ast` -> a code object whose line table is the Scheme source's.

The generated module is run in the session's flat globals dict. Its functions carry Scheme names
(Python allows any string), so tracebacks, pdb and profilers speak of the program.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

from lang.analyse import Analysis, Form
from lang.codegen import forms, procedures
from lang.codegen.emitter import Emitter
from lang.ir import CaseLam, Lam
from lang.runtime.inline import RESULT
from lang.sources import Source, code_files

THUNK = "$top"
"""The name of the functions that top-level forms become."""


def generate(
    top: Sequence[Form],
    analysis: Analysis,
    source: Source | None,
    name: str,
    prefix: Callable[[Sequence[Any]], str],
    included: Callable[[int], Source | None] = lambda _: None,
) -> tuple[CodeType, dict[str, Any]]:
    """The code of a unit and the constants that it refers to by name.

    Constants of which there can be several (lists, vectors) are given to `prefix`, which says
    what their names are to start with. `included` gives the source that a position is in which is
    not in `source`, if its places are to be told.
    """
    e = Emitter(analysis, source, included)
    for index, form in enumerate(top):
        e.used.clear()
        _write(e, form, is_last=index == len(top) - 1)
    e.name_pool(prefix(e.pooled))
    code = _compiled(code_files([name, *e.others]), e.out)
    return _with_plain_names(code, top), e.constants


def _compiled(file: str, body: list[ast.stmt]) -> CodeType:
    module = ast.Module(body=body, type_ignores=[])
    with warnings.catch_warnings():
        # `x is 1` and calls of literals are the program's business
        warnings.simplefilter("ignore", SyntaxWarning)
        return compile(module, file, "exec", dont_inherit=True, optimize=0)


def _write(e: Emitter, form: Form, *, is_last: bool) -> None:
    value = form.value
    e.move(value.pos)
    if form.thunk:
        assert isinstance(value, Lam)
        by = "$force_values" if form.key is None else "$force"
        procedures.define(e, value, THUNK, top=by)
        call = e.invoke(e.name(THUNK), [])
        result = e.forced(call, by) if value in e.analysis.dirty else call
        if form.key is not None:
            e.assign(form.key, result)
        elif is_last:
            e.assign(RESULT, result)
        else:
            e.emit(ast.Expr(value=result))
    elif form.key is not None and isinstance(value, Lam | CaseLam):
        procedures.define(e, value, form.key)
    else:
        e.assign(form.key if form.key is not None else RESULT, forms.expression(e, value))
    if is_last and form.key is not None:
        e.assign(RESULT, e.name("$unspecified"))


def _with_plain_names(code: CodeType, top: Sequence[Form]) -> CodeType:
    """`code` with its procedures named as in the source, without their module's name."""
    plain = {
        form.key: form.value.name or form.key
        for form in top
        if form.key is not None and isinstance(form.value, Lam | CaseLam)
    }
    constants = tuple(
        constant.replace(co_name=plain[constant.co_name], co_qualname=plain[constant.co_name])
        if isinstance(constant, CodeType) and constant.co_name in plain
        else constant
        for constant in code.co_consts
    )
    return code.replace(co_consts=constants)
