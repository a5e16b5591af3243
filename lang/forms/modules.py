"""define-module, use-modules, export, @ and @@; R7RS define-library and import."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lang.data import Keyword, Pair, Symbol, cons, python_list, scheme_list, symbol
from lang.expand import (
    CORE,
    Context,
    definition,
    expand,
    keyword_elsewhere,
    parts,
    provide,
    reference,
    special,
)
from lang.forms.definitions import chosen, included
from lang.ir import Node
from lang.modules import (
    Interface,
    Module,
    import_spec,
    missing,
    module_name,
    prefixed,
    whole,
)
from lang.syntax import (
    Binding,
    Env,
    Identifier,
    Special,
    base,
    is_identifier,
    show,
    syntax_error,
)

_EXPORTS: Final = frozenset(
    {"export", "export-syntax", "re-export", "re-export-syntax", "replace"}
    | {"re-export-and-replace"}
)
_WIDTHS: Final = {
    **dict.fromkeys(("pure", "no-backtrace"), 0),
    **dict.fromkeys(("use-module", "use-syntax", "re-export-modules", "declarative?"), 1),
    **dict.fromkeys(("duplicates", "version", "filename"), 1),
    **dict.fromkeys(sorted(_EXPORTS), 1),
    "autoload": 2,
}
"""The options of define-module, and how many values each takes."""
_KNOWN: Final = "the options are " + " ".join(f"#:{name}" for name in _WIDTHS)


@definition("define-module")
def define_module(x: Pair, context: Context) -> None:
    """(define-module (name ...) #:use-module spec ... #:export (name ...) ...)"""
    operands = parts(x, 1, None, "(define-module (name ...) #:use-module (other module) ...)")
    module = context.env.module.session.enter(module_name(operands.pop(0), x))
    if module is not context.env.module:
        context.whole_module = False
        module.session.moved(module)
    context.env = module.env
    options = _options(operands, x)
    # Exports first: modules that import each other see them while they load.
    for name, values in options:
        if name in _EXPORTS:
            _export(module, values[0], x)
    for name, values in options:
        if name in ("use-module", "use-syntax"):
            module.use(import_spec(values[0], module, x))
        elif name == "re-export-modules":
            for other in python_list(values[0]):
                module.reexported.append(whole(module_name(other, x), module, other))
        elif name == "autoload":
            _autoload(module, values[0], values[1], x)


def _options(operands: list[Any], x: Pair) -> list[tuple[str, list[Any]]]:
    """The options of a define-module form with their values."""
    options = []
    while operands:
        option = operands.pop(0)
        if type(option) is not Keyword:
            syntax_error(f"define-module: an option is expected, not {show(option)}", x, _KNOWN)
        count = _WIDTHS.get(option.name)
        if count is None:
            syntax_error(f"define-module: unknown option {option!r}", x, _KNOWN)
        if len(operands) < count:
            syntax_error(f"define-module: {option!r} needs a value", x)
        options.append((option.name, operands[:count]))
        del operands[:count]
    return options


def _export(module: Module, names: Any, x: Pair) -> None:
    for item in python_list(names):
        own, outer = (item.car, item.cdr) if type(item) is Pair else (item, item)
        if not is_identifier(own) or not is_identifier(outer):
            syntax_error(f"an exported name is expected, not {show(item)}", x)
        module.export(base(own), base(outer))


def _autoload(module: Module, name: Any, names: Any, x: Pair) -> None:
    wanted = module_name(name, x)
    chosen = {base(id): base(id) for id in python_list(names)}
    module.use(Interface(module.session, wanted, chosen))


@definition("use-modules")
def use_modules(x: Pair, context: Context) -> None:
    """(use-modules spec ...)"""
    module = context.env.module
    for spec in parts(x, 0, None, "(use-modules (module name) ...)"):
        module.use(import_spec(spec, module, x))


@definition("export", "export-syntax", "export!")
def export(x: Pair, context: Context) -> None:
    """(export name (own . exported) ...)"""
    _export(context.env.module, x.cdr, x)


@definition("re-export", "re-export-syntax")
def re_export(x: Pair, context: Context) -> None:
    """(re-export name ...)"""
    _export(context.env.module, x.cdr, x)


def _public(x: Pair, env: Env) -> Binding:
    spec, name = _named(x)
    source = env.module.session.require(module_name(spec, x), x)
    binding = source.exported(base(name))
    if binding is None:
        missing(source, base(name), x)
    return binding


def _private(x: Pair, env: Env) -> Binding:
    spec, name = _named(x)
    return env.module.session.require(module_name(spec, x), x).resolve(base(name))


def _named(x: Pair) -> tuple[Any, Identifier]:
    keyword = show(x.car)
    spec, name = parts(x, 2, 2, f"({keyword} (module name) name)")
    if not is_identifier(name):
        syntax_error(f"{keyword}: a name is expected, not {show(name)}", x)
    return spec, name


@special("@", refer=_public)
def public_reference(x: Pair, env: Env) -> Node:
    """(@ (module name) exported-name)"""
    return _reference(x, env, _public)


@special("@@", refer=_private)
def private_reference(x: Pair, env: Env) -> Node:
    """(@@ (module name) any-name)"""
    return _reference(x, env, _private)


def _reference(x: Pair, env: Env, refer: Callable[[Pair, Env], Binding]) -> Node:
    keyword = keyword_elsewhere(x, env)
    if keyword is not None:
        return expand(keyword, env)
    return reference(refer(x, env), x.cdr.cdr.car)


# ---------------------------------------------------------------- R7RS libraries


def import_set(form: Any, module: Module, around: Any) -> Interface:
    """The interface that an R7RS import set asks for."""
    if type(form) is Pair and is_identifier(form.car) and type(form.cdr) is Pair:
        modifier = base(form.car).name
        nested = form.cdr.car
        if type(nested) is Pair and modifier in ("for", "library"):
            return import_set(nested, module, around)  # R6RS's: which phase does not matter here
        if type(nested) is Pair and modifier in ("only", "except", "prefix", "rename"):
            inner = import_set(nested, module, around)
            names = inner.renamed or {local: local for local in inner.names()}
            names = _modified(modifier, names, python_list(form.cdr.cdr), form)
            return Interface(module.session, inner.name, names)
    return import_spec(form, module, around)


def _modified(
    modifier: str, names: dict[Symbol, Symbol], operands: list[Any], form: Pair
) -> dict[Symbol, Symbol]:
    def known(id: Any) -> Symbol:
        if not is_identifier(id) or base(id) not in names:
            syntax_error(f"import: {show(id)} is not among the imported names", form)
        return base(id)

    match modifier:
        case "only":
            return {known(id): names[known(id)] for id in operands}
        case "except":
            hidden = {known(id) for id in operands}
            return {local: own for local, own in names.items() if local not in hidden}
        case "prefix":
            return prefixed(names, base(operands[0]).name)
        case _:
            changed = {known(pair.car): base(pair.cdr.car) for pair in operands}
            return {changed.get(local, local): own for local, own in names.items()}


@definition("import")
def import_(x: Pair, context: Context) -> None:
    """(import import-set ...)"""
    module = context.env.module
    for form in parts(x, 1, None, "(import (library name) ...)"):
        module.use(import_set(form, module, x))


def _define_library(x: Pair, context: Context) -> None:
    operands = parts(x, 1, None, "(define-library (name ...) declaration ...)")
    session = context.env.module.session
    outer = context.env
    module = session.enter(module_name(operands.pop(0), x), library=True)
    context.whole_module = False
    context.env = module.env
    context.scan(_declarations(operands, module))
    context.env = outer


def _declarations(forms: list[Any], module: Module) -> list[Any]:
    """Carry out library declarations; gives the body forms."""
    bodies: list[Any] = []
    pending = list(reversed(forms))
    while pending:
        form = pending.pop()
        keyword = base(form.car).name if type(form) is Pair and is_identifier(form.car) else ""
        match keyword:
            case "export":
                for item in python_list(form.cdr):
                    _library_export(module, item, form)
            case "import":
                for item in python_list(form.cdr):
                    module.use(import_set(item, module, form))
            case "begin":
                bodies += python_list(form.cdr)
            case "include" | "include-ci":
                bodies += included(form, module.env)
            case "include-library-declarations":
                pending += reversed(included(form, module.env))
            case "cond-expand":
                pending += reversed(chosen(form, module.env))
            case _:
                syntax_error(f"define-library: unknown declaration {show(form)}", form)
    return bodies


def _library_export(module: Module, item: Any, form: Pair) -> None:
    """Carry out NAME, R7RS's (rename OWN OUTER) or R6RS's (rename (OWN OUTER) ...)."""
    if is_identifier(item):
        module.export(base(item))
        return
    renamed = python_list(item)[1:]
    pairs = [python_list(pair) for pair in renamed] if type(item) is Pair else []
    if len(renamed) == 2 and all(map(is_identifier, renamed)):
        pairs = [renamed]
    if not pairs or not all(len(pair) == 2 and all(map(is_identifier, pair)) for pair in pairs):
        hint = "names are exported as NAME or (rename OWN-NAME NAME)"
        syntax_error(f"export: a name is expected, not {show(item)}", form, hint)
    for own, outer in pairs:
        module.export(base(own), base(outer))


def _library(x: Pair, context: Context) -> None:
    """R6RS's (library (name ...) (export ...) (import ...) form ...)."""
    usage = "(library (name ...) (export name ...) (import (name ...) ...) form ...)"
    name, exports, imports, *body = parts(x, 3, None, usage)
    for part, keyword in ((exports, "export"), (imports, "import")):
        if type(part) is not Pair or not is_identifier(part.car) or base(part.car).name != keyword:
            syntax_error(f"library: ({keyword} ...) is expected, not {show(part)}", x, usage)
    begun = cons(symbol("begin"), scheme_list(body), x.pos)
    declarations = scheme_list([name, exports, imports, begun])
    _define_library(cons(x.car, declarations, x.pos), context)


def _library_in_expression(x: Pair, env: Env) -> Node:
    syntax_error(f"{show(x.car)} stands at the top level of a file only", x)


for _keyword, _define in (("define-library", _define_library), ("library", _library)):
    provide(Special(_keyword, _library_in_expression, _define), [_keyword], [CORE])
