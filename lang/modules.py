"""Modules: tables of bindings, what they import and what they export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

from lang.data import NIL, Keyword, Pair, Symbol, python_list, symbol
from lang.syntax import (
    Alias,
    Binding,
    Env,
    Global,
    Identifier,
    base,
    is_identifier,
    nearest,
    show,
    syntax_error,
)

if TYPE_CHECKING:
    from lang.session import Session

ModuleName: TypeAlias = tuple[str, ...]


class Module:
    """A module. Its variables live in the session's globals under keys made by `key`.

    `exports` maps exported names to the module's own names for them. `syntax_constants` are the
    globals keys of the patterns and templates that its code uses, `dependencies` the modules that
    its expansion asked for; `digest` stands for the sources of all of it (see lang.cache).
    """

    def __init__(self, name: ModuleName, session: Session, core: Module | None) -> None:
        self.name = name
        self.session = session
        self.core = core
        self.table: dict[Symbol, Binding] = {}
        self.aliases: dict[Alias, Binding] = {}
        self.imports: list[Interface] = []
        self.exports: dict[Symbol, Symbol] = {}
        self.reexported: list[Interface] = []
        self.env = Env(None, self)
        self.introduced = 0
        self.closed = False
        """Are definitions refused?"""
        self.syntax_constants: list[str] = []
        self.dependencies: dict[ModuleName, None] = {}
        self.digest = ""
        self.includes = False
        """Do forms of other files, read while it was expanded, belong to it?"""
        self._prefix = "/".join(name) + ":" if core is not None else ""
        self._resolved: dict[Symbol, Binding] = {}

    def __repr__(self) -> str:
        return f"#<module ({' '.join(self.name)})>"

    def key(self, name: str) -> str:
        """The globals key of this module's variable `name`."""
        return self._prefix + name

    def resolve(self, name: Symbol) -> Binding:
        """What `name` means here: own bindings first, then imports, the last one first."""
        binding = self.table.get(name) or self._resolved.get(name)
        if binding is None:
            binding = self.imported(name)
            if binding is None:
                return Global(self.key(name.name), name)
            self._resolved[name] = binding
        return binding

    def imported(self, name: Symbol) -> Binding | None:
        """What `name` would mean here without a definition of it, if anything."""
        for interface in reversed(self.imports):
            binding = interface.get(name)
            if binding is not None:
                return binding
        if self.core is None:
            return self.reexport(name)
        return self.core.table.get(name) or self.core.reexport(name)

    def use(self, interface: Interface) -> None:
        """Import `interface`."""
        self.imports.append(interface)
        self._resolved.clear()

    def define(self, id: Identifier) -> Global:
        """The variable that a definition of `id` binds; introduced names get fresh ones."""
        if self.closed:
            syntax_error(
                f"{id.name} cannot be defined here: an environment holds imports only",
                None,
                "evaluate definitions in (interaction-environment) or (current-module)",
            )
        if type(id) is Alias:
            known = self.aliases.get(id)
            if type(known) is Global:
                return known
            self.introduced += 1
            made = Global(self.key(f"{id.name}~{self.introduced}"), base(id), True)
            self.aliases[id] = made
            return made
        assert type(id) is Symbol
        binding = self.table.get(id)
        if type(binding) is not Global:
            binding = self.table[id] = Global(self.key(id.name), id)
        binding.defined = True
        return binding

    def bind(self, id: Identifier, binding: Binding) -> None:
        """Bind `id` to syntax."""
        if type(id) is Alias:
            self.aliases[id] = binding
        else:
            assert type(id) is Symbol
            self.table[id] = binding

    def export(self, name: Symbol, as_name: Symbol | None = None) -> None:
        """Export own (or imported) `name`, under `as_name`."""
        self.exports[as_name or name] = name

    def exported(self, name: Symbol) -> Binding | None:
        """What importers get for `name`."""
        own = self.exports.get(name)
        return self.resolve(own) if own is not None else self.reexport(name)

    def reexport(self, name: Symbol) -> Binding | None:
        """What the interfaces that this module passes on have for `name`."""
        for interface in reversed(self.reexported):
            binding = interface.get(name)
            if binding is not None:
                return binding
        return None

    def exported_names(self) -> Iterator[Symbol]:
        """All names that importers can get."""
        yield from self.exports
        for interface in self.reexported:
            yield from interface.names()

    def visible_names(self) -> set[str]:
        """Every name that means something here."""
        names = {name.name for name in self.table}
        for interface in self.imports:
            names.update(name.name for name in interface.names())
        if self.core is not None:
            names.update(name.name for name in self.core.exported_names())
        return names


class Interface:
    """What one module imports from another: everything, or `renamed` (local name: exported name).

    The module is loaded when a name is first looked up, which is how autoloading works.
    """

    __slots__ = ("_session", "_source", "name", "renamed")

    def __init__(
        self, session: Session, name: ModuleName, renamed: dict[Symbol, Symbol] | None = None
    ) -> None:
        self.name = name
        self.renamed = renamed
        self._session = session
        self._source: Module | None = None

    @property
    def source(self) -> Module:
        """The module that is imported."""
        if self._source is None:
            self._source = self._session.require(self.name, None)
        return self._source

    def get(self, name: Symbol) -> Binding | None:
        """What the local name `name` means."""
        if self.renamed is None:
            return self.source.exported(name)
        outer = self.renamed.get(name)
        return self.source.exported(outer) if outer is not None else None

    def names(self) -> Iterable[Symbol]:
        """The local names."""
        return self.renamed if self.renamed is not None else self.source.exported_names()


def module_name(form: Any, around: Any) -> ModuleName:
    """The module name that the list `form` writes; `around` is the form to blame."""
    items = python_list(form)
    if len(items) > 1 and (type(items[-1]) is Pair or items[-1] is NIL):
        items.pop()  # R6RS's version, of which there is one
    if type(form) is not Pair or not all(is_identifier(i) or type(i) is int for i in items):
        syntax_error(
            f"a module name is a list of symbols such as (gnu services), not {show(form)}",
            form if type(form) is Pair else around,
        )
    name = tuple(str(i) if type(i) is int else base(i).name for i in items)
    if len(name) > 1 and name[0] == "srfi" and name[1].removeprefix(":").isdecimal():
        # R7RS's (srfi 1) and R6RS's (srfi :1 lists) are Guile's (srfi srfi-1).
        return ("srfi", f"srfi-{name[1].removeprefix(':')}")
    return name


def import_spec(spec: Any, module: Module, around: Any) -> Interface:
    """The interface that Guile's (name ...) or ((name ...) #:option value ...) asks for."""
    if type(spec) is not Pair or type(spec.car) is not Pair:
        return whole(module_name(spec, around), module, spec)
    name = module_name(spec.car, around)
    source = module.session.require(name, spec)
    names = {exported: exported for exported in source.exported_names()}
    options = _options(spec)
    for option, value in options.items():
        match option:
            case "select":
                names = _selected(source, names, value, spec)
            case "hide":
                hidden = {base(id) for id in python_list(value)}
                names = {local: own for local, own in names.items() if local not in hidden}
            case "renamer":
                rename = module.session.renamer(value, module)
                names = {rename(local): own for local, own in names.items()}
            case "prefix" if "renamer" not in options:
                names = prefixed(names, base(value).name)
    return Interface(module.session, name, names if options else None)


_ORDER: Final = ("select", "hide", "renamer", "prefix")
"""The import options, as they are applied: how they are written does not matter."""


def _options(spec: Pair) -> dict[str, Any]:
    """The options of an import, in the order in which they are applied."""
    options = python_list(spec.cdr)
    given: dict[str, Any] = {}
    while options:
        option = options.pop(0)
        if type(option) is not Keyword or not options:
            syntax_error(f"an import option is expected, not {show(option)}", spec)
        if option.name not in (*_ORDER, "version"):
            known = "the options are #:select, #:hide, #:prefix and #:renamer"
            syntax_error(f"unknown import option {option!r}", spec, known)
        given[option.name] = options.pop(0)
    return {name: given[name] for name in _ORDER if name in given}


def prefixed(names: dict[Symbol, Symbol], prefix: str) -> dict[Symbol, Symbol]:
    """`names` with `prefix` before each local name."""
    return {symbol(prefix + local.name): own for local, own in names.items()}


def whole(name: ModuleName, module: Module, form: Any) -> Interface:
    """All that module `name` exports."""
    module.session.require(name, form)
    return Interface(module.session, name)


def _selected(
    source: Module, names: dict[Symbol, Symbol], value: Any, spec: Any
) -> dict[Symbol, Symbol]:
    chosen = {}
    for item in python_list(value):
        own, local = (item.car, item.cdr) if type(item) is Pair else (item, item)
        if not is_identifier(own) or not is_identifier(local):
            syntax_error(f"#:select takes names and (name . new-name), not {show(item)}", spec)
        if base(own) not in names:
            missing(source, base(own), spec)
        chosen[base(local)] = names[base(own)]
    return chosen


def missing(source: Module, name: Symbol, form: Any) -> NoReturn:
    """Refuse the import of `name`, which `source` does not export."""
    syntax_error(
        f"the module ({' '.join(source.name)}) does not export {name.name}",
        form,
        nearest(name.name, (known.name for known in source.exported_names())),
    )
