"""Procedures through which programs look at their own modules: eval, resolve-module, load, ..."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lang.data import (
    NIL,
    UNSPECIFIED,
    Pair,
    Symbol,
    cons,
    iterate,
    keyword,
    python_list,
    scheme_list,
    symbol,
)
from lang.modules import Interface, Module, import_spec, module_name
from lang.reader import read_all
from lang.runtime import signals
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.trampoline import call, passed_on, tail_calling
from lang.syntax import Global, refuse_circular

if TYPE_CHECKING:
    from lang.session import Session


def library(session: Session) -> Library:
    """The procedures, for programs of `session`."""
    made = Library("guile")
    procedure = made.procedure

    def module_of(who: str, obj: Any) -> Module:
        if not isinstance(obj, Module):
            signals.wrong_type(who, 1, obj)
        return obj

    @procedure("current-module", "interaction-environment")
    def current_module() -> Module:
        """The module that is being loaded, else the one that a text was last evaluated in."""
        return session.current

    @procedure("provided?")
    def is_provided(feature: Any) -> bool:
        """Is FEATURE, a symbol, one of *features*?"""
        return any(item is feature for item in iterate(session.globals["*features*"]))

    @procedure("provide")
    def provide(feature: Any) -> Any:
        """Let FEATURE, a symbol, be one of *features*."""
        arguments.symbol_name("provide", 1, feature)
        if not is_provided(feature):
            session.globals["*features*"] = cons(feature, session.globals["*features*"])
        return UNSPECIFIED

    @procedure("eval")
    @tail_calling
    def evaluate(form: Any, module: Any) -> Any:
        """The value of the form in the module."""
        refuse_circular(form)
        return passed_on(session.evaluate([form], module_of("eval", module)))

    @procedure("environment")
    def environment(*import_sets: Any) -> Module:
        """The module that has what the import sets give, and nothing else."""
        from lang.forms.modules import import_set

        here = session.current
        return session.environment(import_set(spec, here, NIL) for spec in import_sets)

    def of_report(who: str, version: Any) -> Interface:
        if version != 5:
            signals.misc_error(who, "the report of version 5 is there, not ~S", version)
        return Interface(session, ("scheme", "r5rs"))

    @procedure("scheme-report-environment")
    def scheme_report_environment(version: Any) -> Module:
        """The module that has what R5RS has; VERSION is 5."""
        return session.environment([of_report("scheme-report-environment", version)])

    @procedure("null-environment")
    def null_environment(version: Any) -> Module:
        """The module that has the keywords of R5RS and no variables; VERSION is 5."""
        whole = of_report("null-environment", version)
        keywords = {name: name for name in whole.names() if type(whole.get(name)) is not Global}
        return session.environment([Interface(session, whole.name, keywords)])

    @procedure("primitive-eval")
    def primitive_eval(form: Any) -> Any:
        """The value of the form in the current module."""
        refuse_circular(form)
        return session.evaluate([form], session.current)

    @procedure("resolve-module")
    def resolve_module(name: Any, *options: Any) -> Module | bool:
        """The module of that name, loaded if need be; with #:ensure #f, #f if there is none."""
        wanted = module_name(name, None)
        ensure = dict(pairwise(options)).get(keyword("ensure"), True)
        if ensure is False and not session.exists(wanted):
            return False
        return session.require(wanted, None)

    def seen_through(interface: Interface) -> Module:
        bindings = {name: interface.get(name) for name in interface.names()}
        return session.interface(interface.name, bindings)

    @procedure("resolve-interface")
    def resolve_interface(name: Any, *options: Any) -> Module:
        """What a module exports; #:select, #:hide and #:prefix are as in use-modules."""
        spec = cons(name, scheme_list(options)) if options else name
        return seen_through(import_spec(spec, session.current, None))

    @procedure("%search-load-path")
    def search_load_path(name: str) -> str | bool:
        """The Scheme file that "some/module" is in on the load path, or #f."""
        path = session.find(tuple(str(name).removesuffix(".scm").split("/")))
        return str(path) if path is not None and path.suffix == ".scm" else False

    @procedure("%current-load-path")
    def current_load_path() -> Any:
        """The directories that modules are looked up in."""
        return scheme_list(str(directory) for directory in session.load_path)

    @procedure("%set-load-path!")
    def set_load_path(directories: Any) -> Any:
        """Look modules up in these directories, and in no others."""
        names = [
            arguments.string("%load-path", 1, name)
            for name in arguments.items("%load-path", 1, directories)
        ]
        session.load_path = [Path(name) for name in dict.fromkeys(names)]
        return UNSPECIFIED

    @procedure("primitive-load-path", "load-from-path")
    def primitive_load_path(name: Any, *_: Any) -> Any:
        """The value of the last form of the file `name` in a directory of the load path."""
        wanted = arguments.string("primitive-load-path", 1, name)
        for directory in session.load_path:
            for found in (directory / wanted, directory / f"{wanted}.scm"):
                if found.is_file():
                    return load(str(found), False)
        signals.misc_error("primitive-load-path", "no file ~S on the load path", wanted)

    @procedure("module-public-interface")
    def public_interface(module: Any) -> Module:
        """What the module exports, as a module."""
        exporting = module_of("module-public-interface", module)
        return seen_through(Interface(session, exporting.name))

    @procedure("module?")
    def is_module(obj: Any) -> bool:
        """Is `obj` a module?"""
        return isinstance(obj, Module)

    @procedure("module-name")
    def name_of(module: Any) -> Any:
        """The name of a module, as a list of symbols."""
        return scheme_list(symbol(part) for part in module_of("module-name", module).name)

    @procedure("module-defined?", "module-bound?")
    def is_defined(module: Any, name: Symbol) -> bool:
        """Does the module have a variable of that name with a value?"""
        binding = module_of("module-defined?", module).resolve(name)
        return type(binding) is Global and binding.key in session.globals

    @procedure("module-ref")
    def module_ref(module: Any, name: Symbol, *default: Any) -> Any:
        """The value of a variable of the module, or the default."""
        binding = module_of("module-ref", module).resolve(name)
        if type(binding) is Global and binding.key in session.globals:
            return session.globals[binding.key]
        if default:
            return default[0]
        signals.misc_error("module-ref", "no variable ~A in module ~S", name, module)

    @procedure("module-set!", "module-define!")
    def module_set(module: Any, name: Symbol, value: Any) -> Any:
        """Give a variable of the module a value."""
        variable = module_of("module-set!", module).define(name)
        session.globals[variable.key] = value
        return UNSPECIFIED

    def variable(module: Module, name: Symbol) -> Any:
        binding = module.resolve(name)
        if type(binding) is not Global or binding.key not in session.globals:
            return False
        from lang.runtime.late.objects import ModuleVariable

        return ModuleVariable(session.globals, binding.key)

    @procedure("module-variable", "module-local-variable")
    def module_variable(module: Any, name: Symbol) -> Any:
        """The variable of that name that the module sees, as an object, or #f."""
        return variable(module_of("module-variable", module), name)

    @procedure("module-for-each")
    def module_for_each(function: Any, module: Any) -> Any:
        """Call the procedure with the name and the variable of each binding that is exported."""
        module_map(function, module)
        return UNSPECIFIED

    @procedure("module-map")
    def module_map(function: Any, module: Any) -> Any:
        """What the procedure gives for the name and the variable of each exported binding."""
        inside = module_of("module-map", module)
        names = sorted(set(inside.exported_names()), key=lambda name: name.name)
        return scheme_list(call(function, name, variable(inside, name)) for name in names)

    @procedure("module-export!")
    def module_export(module: Any, names: Any) -> Any:
        """Have the module export the variables of these names."""
        for name in python_list(names):
            module_of("module-export!", module).export(name)
        return UNSPECIFIED

    @procedure("module-use!")
    def module_use(module: Any, other: Any) -> Any:
        """Import all that another module exports."""
        interface = Interface(session, module_of("module-use!", other).name)
        module_of("module-use!", module).use(interface)
        return UNSPECIFIED

    @procedure("eval-string")
    @tail_calling
    def eval_string(text: Any, module: Any = None) -> Any:
        """The value of the last form of a text, in the module or the current one."""
        inside = session.current if module is None else module_of("eval-string", module)
        source = session.sources.add("eval-string", arguments.string("eval-string", 1, text))
        return passed_on(session.evaluate(read_all(source), inside, source.name))

    @procedure("source-properties")
    def source_properties(obj: Any) -> Any:
        """Where a datum was read: an association list of filename, line and column."""
        if type(obj) is not Pair or obj.pos is None:
            return NIL
        place = session.sources.location(obj.pos)
        if place is None:
            return NIL
        facts = (("filename", place.file), ("line", place.line - 1), ("column", place.column - 1))
        return scheme_list(cons(symbol(key), value) for key, value in facts)

    @procedure("source-property")
    def source_property(obj: Any, key: Any) -> Any:
        """One of the source-properties, or #f."""
        found = (fact.cdr for fact in python_list(source_properties(obj)) if fact.car is key)
        return next(found, False)

    @procedure("defined?")
    def is_bound(name: Symbol, *module: Any) -> bool:
        """Does the current module have a variable of that name with a value?"""
        return is_defined(module[0] if module else session.current, name)

    @procedure("symbol-prefix-proc")
    def symbol_prefix_proc(prefix: Symbol) -> Callable[[Symbol], Symbol]:
        """A procedure for #:renamer."""
        return lambda name: symbol(prefix.name + name.name)

    @procedure("%load")
    def load(file: Any, beside: Any) -> Any:
        """The value of the last form of `file`, a name relative to the file `beside`."""
        path = Path(str(beside)).parent / str(file) if beside is not False else Path(str(file))
        try:
            return session.evaluate(session.read_file(path), session.current, str(path))
        except OSError as error:
            signals.system_error("load", error)

    @procedure("primitive-load")
    def primitive_load(file: Any) -> Any:
        """The value of the last form of `file`."""
        return load(file, False)

    return made
