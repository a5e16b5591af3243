"""A session: the modules, globals and sources of one run of Scheme.

session = Session([Path("stdlib")])
value = session.load_file(Path("os.scm"))
"""

from __future__ import annotations

import gc
import importlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, TypeAlias, TypeVar

from lang import absent, reader, reflection
from lang.cache import Cache, source_key
from lang.constants import UnserialisableConstantError
from lang.data import UNSPECIFIED, Symbol, symbol
from lang.deep import run_deep
from lang.digests import hasher
from lang.errors import ReadError, SchemeSyntaxError
from lang.expand import CORE, FORMS, expand, walk
from lang.forms import SUPPORT
from lang.frozen import UnfreezableError, freeze, thaw
from lang.ir import GRef, Node
from lang.machine import Interpreted, Throw, enter, keeps_continuation
from lang.modules import Interface, Module, ModuleName
from lang.patterns import Matcher, Template
from lang.r7rs import CORE_NAMES, LIBRARIES
from lang.runtime import late
from lang.runtime.core import core_bindings, staged_names
from lang.runtime.library import Library
from lang.runtime.native_errors import innermost, is_scheme
from lang.runtime.primitives import chance
from lang.runtime.trampoline import call
from lang.sources import Source, SourceMap
from lang.syntax import (
    CURRENT,
    Alias,
    AliasTable,
    Binding,
    Global,
    Staged,
    nearest,
    refuse_circular,
)
from lang.toplevel import TopLevel
from lang.unit import Unit, compile_unit, run

T = TypeVar("T")
Stage: TypeAlias = Literal["configuration", "build"]

_NOTHING: Final = ("",)
"""The module that stands for the core where nothing is visible but imports."""


class Session:
    """One run of Scheme. `load_path` are the directories that modules are looked up in.

    `cache` is a directory for compiled modules. Sources under `library_roots` are Kiln's own:
    errors are reported at their callers. In stage "configuration" the procedures that a Library
    marks as staged cannot be used.
    """

    def __init__(
        self,
        load_path: Sequence[Path],
        *,
        cache: Path | None = None,
        stage: Stage = "configuration",
        library_roots: Sequence[Path] = (),
    ) -> None:
        self.load_path = [Path(directory) for directory in load_path]
        self.library_roots = [Path(root) for root in library_roots]
        self.cache = Cache(cache) if cache is not None else None
        self.stage = stage
        self.sources = SourceMap()
        self.globals: dict[str, object] = {}
        self.modules: dict[ModuleName, Module] = {}
        self.pending: dict[str, Callable[[], Node]] = {}
        self.primitives = core_bindings()
        for library in (*SUPPORT, reflection.library(self), chance.library(stage)):
            self.primitives.update(library.bindings)
        self.globals.update(self.primitives)
        self.core = self._core_module()
        self.nothing = Module(_NOTHING, self, None)
        self._core_names: AliasTable = {}
        self._user_modules = 0
        self._loading: list[Module] = []
        self._last: Module | None = None

    # ------------------------------------------------------------ what callers use

    def load_file(self, path: Path, module: Module | None = None) -> object:
        """The value of the last form of the file `path`, evaluated in `module` or a fresh one."""
        inside = module or self.user_module()
        return self._deep(lambda: self._load_source(self._source(path), inside))

    def eval_text(self, text: str, name: str = "<eval>", module: Module | None = None) -> object:
        """The value of the last form of `text`, in `module` or a fresh one."""
        source = self.sources.add(name, text)
        return self._deep(lambda: self._evaluate(source, module or self.user_module()))

    def eval_form(self, form: object, module: Module, name: str) -> object:
        """The value of one datum of the source `name` in `module`, the current one from then on."""

        def run() -> object:
            with _collector_off():
                self._last = module
                return self.evaluate([form], module, name)

        return self._deep(run)

    def import_module(self, name: ModuleName) -> Module:
        """The module called `name`, loaded. Raises SchemeSyntaxError where there is none."""
        return self._deep(lambda: self.require(name, None))

    def _deep(self, function: Callable[[], T]) -> T:
        """`function()` with room for recursion; what it reports has no place before it starts."""
        if not self._loading:
            CURRENT.position = None
        return run_deep(function)

    def value(self, name: ModuleName, variable: str) -> Any:
        """The value of a variable that module `name` exports (or defines)."""
        module = self.import_module(name)
        binding = module.exported(symbol(variable)) or module.resolve(symbol(variable))
        if type(binding) is not Global or binding.key not in self.globals:
            raise KeyError(f"({' '.join(name)}) has no variable {variable}")
        return self.globals[binding.key]

    def defined_values(self) -> Iterator[Any]:
        """The values of all variables that the modules loaded so far define."""
        for module in tuple(self.modules.values()):
            for binding in tuple(module.table.values()):
                if type(binding) is Global and binding.key in self.globals:
                    yield self.globals[binding.key]

    def bound_names(self, module: Module) -> set[str]:
        """Every name that means something in `module`: for suggesting what was meant."""
        return module.visible_names()

    def exporters(self, name: str) -> list[str]:
        """The modules that export `name`, as they are written: for suggesting an import."""
        from lang.exporters import exporters

        return exporters(self, name)

    def advice(self, name: str) -> str | None:
        """What there is instead of `name`, which programs for others than Kiln use."""
        return absent.advice(name, self.library_roots)

    @property
    def current(self) -> Module:
        """The module that is being loaded, else the one that was evaluated in last."""
        if self._loading:
            return self._loading[-1]
        return self._last or self.user_module()

    def evaluate(self, forms: list[Any], module: Module, name: str = "eval") -> Any:
        """The value of the last of `forms` in `module`."""
        return self._finish(*self._expand(forms, name, module))

    def user_module(self) -> Module:
        """A fresh module that sees the core only."""
        self._user_modules += 1
        name = "guile-user" if self._user_modules == 1 else f"guile-user.{self._user_modules}"
        return self._new_module((name,))

    # ------------------------------------------------------------ what the expander uses

    def core_name(self, name: str) -> Alias:
        """An identifier that means the core's `name` everywhere."""
        id = symbol(name)
        alias = self._core_names.get((id, self.core.env))
        if alias is None:
            alias = Alias(id, self.core.env, self._core_names)
            self._core_names[id, self.core.env] = alias
        return alias

    def syntax_constant(self, module: Module, constant: Matcher | Template) -> str:
        """The globals key under which expanded code finds `constant`."""
        key = module.key(f"%syntax~{len(module.syntax_constants) + 1}")
        self.globals[key] = constant
        module.syntax_constants.append(key)
        return key

    def compile_transformer(self, node: Node, file: str) -> Unit:
        """A transformer expression from source `file`, compiled.

        Definitions of this file that it needs are evaluated first, as if in eval-when.
        """
        self._prepare(node, file, set())
        return self._compile([node], file)

    def _prepare(self, node: Node, file: str, seen: set[str]) -> None:
        for key in sorted(_global_keys(node)):
            make = self.pending.get(key)
            if make is None or key in seen:
                continue
            seen.add(key)
            definition = make()
            self._prepare(definition, file, seen)
            self.run([definition], file)

    def run(self, nodes: list[Node], name: str) -> Any:
        """Compile and run `nodes`; gives the last value."""
        return self.run_unit(self._compile(nodes, name))

    def run_unit(self, unit: Unit | Interpreted) -> Any:
        """Run compiled forms; gives the last value."""
        try:
            if isinstance(unit, Interpreted):
                return unit.run(self.globals)
            return run(unit, self.globals)
        except Throw as throw:
            if throw.run is not None:
                raise
            return enter(throw)

    def _compile(self, nodes: list[Node], name: str) -> Unit:
        return compile_unit(nodes, self.sources, name, core=self.primitives)

    def file_here(self, default: str) -> str:
        """The name of the source that is being expanded, or `default`."""
        position = CURRENT.position
        source = self.sources.source(position) if position is not None else None
        return source.name if source is not None else default

    def renamer(self, form: Any, module: Module) -> Callable[[Symbol], Symbol]:
        """The function that a #:renamer expression evaluates to."""
        procedure = self.run([expand(form, module.env)], "renamer")
        return lambda name: call(procedure, name)

    def read_file(self, path: Path, *, fold_case: bool = False) -> list[Any]:
        """The data in a file, as if it began with #!fold-case if that is asked for."""
        source = self._source(path)
        if fold_case:
            source = self.sources.add(source.name, "#!fold-case " + source.text)
        return program(source)

    # ------------------------------------------------------------ modules

    def enter(self, name: ModuleName, *, library: bool = False) -> Module:
        """The module that a define-module form opens; a library sees what it imports only."""
        module = self.modules.get(name)
        if module is None:
            module = self._new_module(name)
        if library:
            module.core = self.nothing
        return module

    def moved(self, module: Module) -> None:
        """A define-module form of the text that is being evaluated has opened `module`."""
        self._last = module
        if self._loading:
            self._loading[-1] = module

    def environment(self, interfaces: Iterable[Interface]) -> Module:
        """A module that holds nothing but imports, and takes no definitions (R7RS 6.12)."""
        module = Module(("environment",), self, self.nothing)
        module.closed = True
        for interface in interfaces:
            module.use(interface)
        return module

    def interface(self, name: ModuleName, bindings: Mapping[Symbol, Binding | None]) -> Module:
        """A module that has the bindings that others see of the module `name`."""
        module = Module(("interface", *name), self, self.nothing)
        module.name = name
        module.closed = True
        for id, binding in bindings.items():
            if binding is not None:
                module.table[id] = binding
                module.export(id)
        return module

    def require(self, name: ModuleName, form: Any) -> Module:
        """The module `name`, loaded if need be; `form` asks for it."""
        module = self.modules.get(name) or self._load(name)
        if module is None:
            self._not_found(name, form)
        if self._loading:
            self._loading[-1].dependencies[name] = None
        return module

    def exists(self, name: ModuleName) -> bool:
        """Is there a module `name`?"""
        known = name in self.modules or name in FORMS or name in LIBRARIES or name in late.MODULES
        return known or self.find(name) is not None

    def _load(self, name: ModuleName) -> Module | None:
        path = self.find(name)
        native = late.MODULES.get(name)
        if path is None and native is None and name not in FORMS and name not in LIBRARIES:
            return None
        module = self._new_module(name)
        for exported in LIBRARIES.get(name, ()):
            self._export_core(module, exported)
        self._add_forms(module, name)
        try:
            if native is not None:
                self._bind_library(module, importlib.import_module(native[0]).LIBRARY)
            elif path is not None and path.suffix == ".py":
                self._bind_native(module, path)
            elif path is not None:
                position = CURRENT.position
                self._load_source(self._source(path), module)
                CURRENT.position = position
        except BaseException:
            # A module that failed to load is tried again, not half seen.
            self.modules.pop(name, None)
            raise
        return module

    def _new_module(self, name: ModuleName) -> Module:
        module = self.modules[name] = Module(name, self, self.core)
        return module

    def _core_module(self) -> Module:
        core = self.modules[CORE] = Module(CORE, self, None)
        hidden = {name for library in SUPPORT for name in library.bindings if name[0] == "%"}
        hidden.update(("%load", "%current-load-path", "%set-load-path!"))
        staged = staged_names() if self.stage == "configuration" else frozenset()
        for name in self.primitives:
            id = symbol(name)
            if name in staged:
                core.table[id] = Staged(name)
            elif name not in hidden:
                core.table[id] = Global(name, id, True)
        self._add_forms(core, CORE)
        for id in core.table:
            core.export(id)
        lists = {module: names for module, (_, names) in late.MODULES.items()}
        for module, names in (lists | late.ELSEWHERE).items():
            if module in late.ELSEWHERE and self.find(module) is None:
                continue
            renamed = {symbol(name): symbol(name) for name in names.split()}
            core.reexported.append(Interface(self, module, renamed))
        return core

    def _export_core(self, module: Module, exported: str) -> None:
        """Let an R7RS library export what the core, or some module of forms, means by a name."""
        binding = self.core.table.get(symbol(CORE_NAMES.get(exported, exported)))
        if binding is not None:
            module.table[symbol(exported)] = binding
            module.export(symbol(exported))

    def _add_forms(self, module: Module, name: ModuleName) -> None:
        for text, binding in FORMS.get(name, {}).items():
            module.table[symbol(text)] = binding
            module.export(symbol(text))

    def find(self, name: ModuleName) -> Path | None:
        """The file of a module on the load path, Scheme or Python."""
        scheme = os.path.join(*name) + ".scm"
        native = os.path.join(*(part.replace("-", "_") for part in name)) + ".py"
        for directory in self.load_path:
            if os.path.isfile(os.path.join(directory, scheme)):
                return directory / scheme
            if os.path.isfile(os.path.join(directory, native)):
                if os.path.isfile(os.path.join(directory, "__init__.py")):
                    return directory / native
        return None

    def _bind_native(self, module: Module, path: Path) -> None:
        """Bind what the LIBRARY of a Python module on the load path holds."""
        directory = next(root for root in self.load_path if path.is_relative_to(root))
        parts = path.relative_to(directory).with_suffix("").parts
        library = importlib.import_module(".".join((directory.resolve().name, *parts))).LIBRARY
        status = path.stat()
        module.digest = f"{status.st_size} {status.st_mtime_ns}"
        self._bind_library(module, library)

    def _bind_library(self, module: Module, library: Library) -> None:
        for name, value in library.bindings.items():
            id = symbol(name)
            if name in library.staged and self.stage == "configuration":
                module.table[id] = Staged(name)
            elif self.primitives.get(name) is value:
                module.table[id] = self.core.table[id]
            else:
                variable = module.define(id)
                self.globals[variable.key] = value
            module.export(id)

    def _not_found(self, name: ModuleName, form: Any) -> NoReturn:
        shown = f"({' '.join(name)})"
        position = form.pos if form is not None and form.pos is not None else CURRENT.position
        reason = absent.reason(name, self.library_roots)
        hint = None
        if not absent.is_named(name):
            hint = nearest(shown, self.module_names(), 0.9 if reason else 0.6)
        if reason is not None and hint is None:
            kin = self._beside(name)
            also = f"; there are {', '.join(kin)}" if kin else ""
            message = f"Kiln has no module {shown}: {reason[0]}"
            raise SchemeSyntaxError(position, message, reason[1] + also)
        hint = hint or "add the directory that it is in with -L"
        raise SchemeSyntaxError(position, f"there is no module {shown}", hint)

    def _beside(self, name: ModuleName) -> list[str]:
        """The modules that differ from `name` in the last of three parts or more."""
        start = f"({' '.join(name[:-1])} "
        return sorted({m for m in self.module_names() if len(name) > 2 and m.startswith(start)})

    def module_names(self) -> Iterator[str]:
        """The modules that can be imported, as they are written."""
        for known in (*FORMS, *LIBRARIES, *self.modules):
            yield f"({' '.join(known)})"
        for directory in self.load_path:
            for path in directory.rglob("*.scm"):
                yield f"({' '.join(path.relative_to(directory).with_suffix('').parts)})"
            for path in directory.rglob("*.py"):
                if "LIBRARY" in path.read_text(encoding="utf-8"):
                    parts = path.relative_to(directory).with_suffix("").parts
                    yield f"({' '.join(part.replace('_', '-') for part in parts)})"

    # ------------------------------------------------------------ texts

    def _source(self, path: Path) -> Source:
        library = any(path.is_relative_to(root) for root in self.library_roots)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            readable = error.object[: error.start].decode()
            source = self.sources.add(str(path), readable + "\ufffd")
            message = f"the byte {error.object[error.start]:02X} is not UTF-8"
            hint = "save the file in the encoding UTF-8"
            raise ReadError(source.base + len(readable), message, hint) from None
        return self.sources.add(str(path), text, library=library)

    def _load_source(self, source: Source, module: Module) -> Any:
        """Run `source` as the contents of the new `module`: from the cache, if it is there."""
        with _collector_off(library=source.library):
            self._loading.append(module)
            try:
                if self.cache is None:
                    return self._evaluate(source, module)
                key = source_key(self.stage, module.name, source.name, source.text)
                entry = self.cache.read(module.name, source.name, key)
                if entry is not None:
                    digests, frozen = entry
                    if all(self.require(name, None).digest == known for name, known in digests):
                        module.digest = _digest(key, digests)
                        unit = thaw(frozen, module)
                        return self.run_unit(unit) if unit is not None else UNSPECIFIED
                return self._compile_and_store(source, module, key, self.cache)
            finally:
                self._loading.pop()

    def _compile_and_store(self, source: Source, module: Module, key: bytes, cache: Cache) -> Any:
        module.dependencies.clear()
        path = self.load_path
        top, unit = self._expand(program(source), source.name, module)
        value = self._finish(top, unit)
        digests = [(name, self.modules[name].digest) for name in module.dependencies]
        module.digest = _digest(key, digests)
        # What extends the load path has to do so before its modules are looked for.
        cachable = top.whole_module and not module.includes and self.load_path is path
        if cachable and not isinstance(unit, Interpreted):
            with suppress(UnfreezableError, UnserialisableConstantError):
                cache.write(module.name, source.name, key, (digests, freeze(module, unit)))
        return value

    def _evaluate(self, source: Source, module: Module) -> Any:
        with _collector_off():
            self._last = module
            return self.evaluate(program(source), module, source.name)

    def _expand(
        self, forms: list[Any], name: str, module: Module
    ) -> tuple[TopLevel, Unit | Interpreted | None]:
        position = CURRENT.position
        top = TopLevel(module)
        top.announce(forms)
        try:
            top.scan(forms)
            nodes = top.nodes()
        except RecursionError as error:
            frame = innermost(error)
            if frame is not None and is_scheme(frame):
                raise
            message = "forms are nested too deep here, or a macro uses itself without end"
            raise SchemeSyntaxError(CURRENT.position, message) from None
        CURRENT.position = position
        if keeps_continuation(nodes):
            return top, Interpreted(nodes)
        return top, self._compile(nodes, name) if nodes else None

    def _finish(self, top: TopLevel, unit: Unit | Interpreted | None) -> Any:
        value = self.run_unit(unit) if unit is not None else UNSPECIFIED
        for key in top.defined:
            self.pending.pop(key, None)
        return value


_LABEL: Final = re.compile(r"#[0-9]+=")


def program(source: Source) -> list[Any]:
    """The forms in `source`. Raises SchemeSyntaxError where one contains itself unquoted."""
    forms = reader.read_all(source)
    if _LABEL.search(source.text):
        for form in forms:
            refuse_circular(form)
    return forms


def _digest(key: bytes, digests: list[tuple[ModuleName, str]]) -> str:
    return hasher(key + repr(digests).encode()).hexdigest()


def _global_keys(node: Node) -> set[str]:
    return {inner.key for inner in walk(node) if type(inner) is GRef}


_loading = 0
_library_loaded = False


@contextmanager
def _collector_off(*, library: bool = False) -> Iterator[None]:
    """Without Python's cyclic collector, which would walk the growing heap again and again.

    Modules of the library stay, so that it need not look at them ever again.
    """
    global _loading, _library_loaded
    _loading += 1
    _library_loaded = _library_loaded or library
    gc.disable()
    try:
        yield
    finally:
        _loading -= 1
        if _loading == 0:
            if _library_loaded:
                gc.freeze()
                _library_loaded = False
            gc.set_threshold(200_000, 50, 1000)
            gc.enable()
