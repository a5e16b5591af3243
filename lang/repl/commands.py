"""The commands that every REPL has. A command line may add its own (see lang.repl.registry)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from lang.data import NIL, Pair, Symbol, cons, iterate, symbol
from lang.expand import expand_head
from lang.modules import Module, ModuleName, module_name
from lang.repl.complete import expanded
from lang.repl.describe import sorted_names
from lang.repl.registry import CommandError, Commands, Quit
from lang.repl.unparse import unparse
from lang.syntax import Global, strip
from lang.toplevel import TopLevel

if TYPE_CHECKING:
    from lang.repl.engine import Repl

COMMANDS: Final = Commands()
_command = COMMANDS.add


def _one_form(repl: Repl, text: str, usage: str) -> tuple[Any, str]:
    """The one datum that a command needs, and the name of its source."""
    forms, name = repl.read(text)
    if len(forms) != 1:
        raise CommandError(f"one expression is expected, not {len(forms)}", f"write {usage}")
    return forms[0], name


def evaluated(repl: Repl, text: str, usage: str) -> Any:
    """The value of the one expression that a command needs; `usage` is how it is written."""
    form, name = _one_form(repl, text, usage)
    return repl.session.eval_form(form, repl.module, name)


def _as_module(repl: Repl, form: Any) -> ModuleName | None:
    """The name that `form` writes, if there is a module of that name."""
    names = list(iterate(form)) if type(form) is Pair else []
    if names and all(type(part) in (Symbol, int) for part in names):
        name = module_name(form, form)
        return name if repl.session.exists(name) else None
    return None


# ---------------------------------------------------------------- looking


@_command("describe d", "NAME|EXPR", "say what a name, a (module name) or a value is")
def describe(repl: Repl, text: str) -> str:
    """A description of what the text names."""
    usage = ",describe car, ,describe (gnu services), ,describe EXPR"
    form, name = _one_form(repl, text, usage)
    if type(form) is Symbol:
        found = repl.run(lambda: repl.describer.describe(form.name, repl.module))
        if found is not None:
            return repl.worded(found)
        elsewhere = _exporters(repl, form.name) or repl.describer.origins.exporters(form.name)
        if elsewhere:
            shown = " or ".join(elsewhere)
            raise CommandError(f"{form.name} is not bound here", f"it is exported by {shown}")
    module = _as_module(repl, form)
    if module is not None:
        loaded = repl.import_module(module)
        return repl.worded(repl.describer.describe_module(loaded))
    value = repl.session.eval_form(form, repl.module, name)
    return repl.worded(repl.run(lambda: repl.describer.describe_value(value)))


def _exporters(repl: Repl, name: str) -> list[str]:
    """The loaded modules that export `name`."""
    id = symbol(name)
    return [
        f"({' '.join(module.name)})"
        for module in list(repl.session.modules.values())
        if module.name[0] != "guile-user" and _exports(module, id)
    ]


def _exports(module: Module, id: Symbol) -> bool:
    binding = module.exported(id)
    return binding is not None and not (
        type(binding) is Global and binding.key not in module.session.globals
    )


@_command("apropos a", "REGEX", "list the names that match, of all loaded modules")
def apropos(repl: Repl, text: str) -> str:
    """Names that contain a match, with where they are from and what they are."""
    if not text:
        raise CommandError("a regular expression is expected", "write ,apropos string-")
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise CommandError(f"{text!r} is no regular expression: {error}") from None
    lines = []
    for label, name, module in _all_names(repl):
        if pattern.search(name):
            known = repl.describer.known(name, module)
            if known is not None:
                lines.append((label, name, known.summary or known.kind))
    if not lines:
        return f"no name matches {text}"
    width = min(max(len(name) for _, name, _ in lines), 34)
    shown = (f"{label}: {name:<{width}}  {about}".rstrip() for label, name, about in lines)
    return repl.worded("\n".join(shown))


def _all_names(repl: Repl) -> Iterator[tuple[str, str, Module]]:
    """Each name that can be seen, once: (module, name, module to look it up in)."""
    own = [("here", name.name, repl.module) for name in repl.module.table if _written(name)]
    yield from sorted(own, key=lambda item: item[1])
    modules = sorted(repl.session.modules.items())
    for name, module in modules:
        if name[0].startswith("guile-user") or name == ("value-history",):
            continue
        for id in sorted_names(module):
            yield f"({' '.join(name)})", id.name, module


def _written(name: Symbol) -> bool:
    return "~" not in name.name


# ---------------------------------------------------------------- evaluating


@_command("pp", "EXPR", "print a value whole, records with all that is in them")
def pp(repl: Repl, text: str) -> str:
    """The value of an expression, laid out."""
    return repl.pretty(evaluated(repl, text, ",pp EXPR"))


@_command("time", "EXPR", "evaluate and say how long it took")
def timed(repl: Repl, text: str) -> str:
    """The value of an expression, and the seconds that it took."""
    form, name = _one_form(repl, text, ",time EXPR")
    real, busy = time.perf_counter(), time.process_time()
    value = repl.session.eval_form(form, repl.module, name)
    real, busy = time.perf_counter() - real, time.process_time() - busy
    shown = repl.shown(value)
    taken = f";; {real:.6f} s real time, {busy:.6f} s of the processor"
    return f"{shown}\n{taken}" if shown else taken


@_command("expand x", "FORM", "show what a form is after all macros are expanded")
def expand(repl: Repl, text: str) -> str:
    """The core forms of the form."""
    form, _ = _one_form(repl, text, ",expand FORM")

    def expanded() -> Any:
        top = TopLevel(_scratch(repl.module))
        try:
            top.scan([form])
            nodes = top.nodes()
        finally:
            for key in top.defined:
                repl.session.pending.pop(key, None)
        data = [unparse(node, lambda key: _global_name(repl, key)) for node in nodes]
        if len(data) == 1:
            return data[0]
        result: Any = NIL
        for datum in reversed(data):
            result = cons(datum, result)
        return cons(symbol("begin"), result)

    return repl.pretty(repl.run(expanded))


@_command("expand-once x1", "FORM", "show a form with the macro at its head expanded")
def expand_once(repl: Repl, text: str) -> str:
    """The form that the macro's template gives."""
    form, _ = _one_form(repl, text, ",expand-once FORM")
    return repl.pretty(strip(repl.run(lambda: expand_head(form, _scratch(repl.module).env)[0])))


def _scratch(module: Module) -> Module:
    """A module that sees what `module` sees, for definitions that nobody is to notice."""
    scratch = Module(module.name, module.session, module.core)
    scratch.table.update(module.table)
    scratch.aliases.update(module.aliases)
    scratch.imports += module.imports
    return scratch


def _global_name(repl: Repl, key: str) -> Any:
    """How a variable is written in the current module: (@@ (module) name) if it is not seen."""
    module, colon, name = key.partition(":")
    if not colon or not module:
        return symbol(key)
    plain, _, _ = name.partition("~")
    binding = repl.module.resolve(symbol(plain))
    if type(binding) is Global and binding.key == key:
        return symbol(plain)
    if module == "/".join(repl.module.name):
        return symbol(name)
    parts: Any = NIL
    for part in reversed(module.split("/")):
        parts = cons(symbol(part), parts)
    return cons(symbol("@@"), cons(parts, cons(symbol(name), NIL)))


# ---------------------------------------------------------------- modules, errors, the rest


@_command("module m", "[(NAME ...)]", "evaluate in that module, or say in which one")
def module(repl: Repl, text: str) -> str:
    """Enters a module."""
    if not text:
        return f"({' '.join(repl.module.name)})"
    form, _ = _one_form(repl, text, ",module (gnu services)")
    repl.enter(repl.import_module(module_name(form, form)))
    return ""


@_command("use u", "(NAME ...)", "import a module")
def use(repl: Repl, text: str) -> str:
    """As use-modules."""
    for _ in repl.evaluate(f"(use-modules {text})"):
        pass
    return ""


@_command("load", "FILE", "evaluate a file in this module; its value is the answer")
def load(repl: Repl, text: str) -> str:
    """As if the file were typed here."""
    if not text:
        raise CommandError("the name of a file is expected", "write ,load os.scm")
    path = expanded(text.strip('"'))
    if not path.is_file():
        what = "is a directory" if path.is_dir() else "does not exist"
        raise CommandError(f"the file {path} {what}")
    return repl.shown(repl.load(path, repl.module))


@_command("bt", "", "show the procedures that were running when the last error happened")
def backtrace(repl: Repl, _text: str) -> str:
    """The Scheme procedures of the last error, the innermost first."""
    if repl.last is None:
        return "there was no error"
    lines = [f"error: {repl.last.message}"]
    width = len(str(len(repl.last.trace)))
    for number, running in enumerate(repl.last.trace):
        lines.append(f"  {number:>{width}}  {running.procedure}  {running.location}")
    if len(lines) == 1:
        lines.append("  no procedure was running")
    return repl.worded("\n".join(lines))


@_command("help h", "[COMMAND]", "list the commands, or tell about one")
def help_(repl: Repl, text: str) -> str:
    """The table of commands."""
    return repl.worded(repl.commands.help(text))


@_command("quit q", "", "end")
def quit_(_repl: Repl, _text: str) -> str:
    """Ends the conversation."""
    raise Quit
