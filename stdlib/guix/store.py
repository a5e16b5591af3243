"""(guix store): derivations and store items, as Scheme sees them."""

from __future__ import annotations

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lang.data import (
    NIL,
    Gexp,
    GexpInput,
    Keyword,
    MString,
    Pair,
    Symbol,
    python_list,
    scheme_list,
    symbol,
)
from lang.printer import write
from lang.reader import read_all
from lang.runtime.library import Library
from lang.runtime.signals import wrong_type
from lang.sources import Location, Source
from stdlib.context import current

if TYPE_CHECKING:
    from builders.derivation import Derivation, Json

LIBRARY = Library("guix", "store")


def to_json(value: Any) -> Json:
    """A Scheme value as JSON: vectors are arrays, association lists are objects, #nil is null."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, MString):
        return str(value)
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if value is NIL or isinstance(value, Pair):
        entries = python_list(value)
        if not all(isinstance(entry, Pair) for entry in entries):
            wrong_type("derivation", 3, value)
        return {_key(entry.car): to_json(entry.cdr) for entry in entries}
    if isinstance(value, Symbol | Keyword):
        return None if value.name == "null" else value.name
    return wrong_type("derivation", 3, value)


def _key(key: Any) -> str:
    return key.name if isinstance(key, Symbol) else str(key)


def split_inputs(inputs: Any) -> tuple[tuple[Derivation, ...], tuple[str, ...]]:
    """A Scheme list of derivations and store paths, parted, each without repetition."""
    from builders.derivation import Derivation

    derivations: dict[str, Derivation] = {}
    sources: dict[str, None] = {}
    for item in python_list(inputs):
        if isinstance(item, Derivation):
            derivations[item.path] = item
        else:
            sources[item] = None
    return tuple(derivations.values()), tuple(sources)


@LIBRARY.procedure("derivation?")
def is_derivation(value: Any) -> bool:
    """Is this a derivation?"""
    from builders.derivation import Derivation

    return isinstance(value, Derivation)


@LIBRARY.procedure("derivation")
def derivation(
    name: str, builder: str, arguments: Any, inputs: Any, title: str = "", places: Any = NIL
) -> Derivation:
    """A derivation that runs `builder` with `arguments` (see to_json) once `inputs` are there.

    `places` is a list of where it and its parts are declared, for errors of the build: locations,
    or #f where that is not known.
    """
    from builders.derivation import Derivation

    derivations, sources = split_inputs(inputs)
    parsed = to_json(arguments)
    assert isinstance(parsed, dict)
    known = {
        number: (place.file, place.line, place.column)
        for number, place in enumerate(python_list(places))
        if isinstance(place, Location)
    }
    return Derivation(name, builder, parsed, derivations, sources, title=title, places=known)


@LIBRARY.procedure("derivation-path", "derivation->output-path")
def derivation_path(value: Derivation) -> str:
    """Where the derivation's result will be."""
    return value.path


@LIBRARY.procedure("derivation-name")
def derivation_name(value: Derivation) -> str:
    """The name that the derivation was given."""
    return value.name


@LIBRARY.procedure("staged-derivation")
def staged_derivation(
    name: str,
    code: Any,
    modules: Any,
    inputs: Any,
    env: Any,
    location: Location | None,
    attributes: str | bool = False,
) -> Derivation:
    """The derivation that evaluates `code`, written at `location`, with `modules` imported.
    `attributes` names a file in the output that says what the store does not keep of it."""
    from builders.derivation import Derivation

    derivations, sources = split_inputs(inputs)
    native: list[Json] = [item.path for item in derivations if item.builder == "native"]
    parsed = to_json(env)
    assert isinstance(parsed, dict)
    arguments: dict[str, Json] = {
        "expression": write(code),
        "modules": [write(scheme_list(module) if isinstance(module, tuple) else module)
                    for module in modules],
        "env": parsed,
        "native": native,
    }  # fmt: skip
    if isinstance(attributes, str):
        arguments["attributes"] = attributes
    return Derivation(
        name,
        "staged",
        arguments,
        derivations,
        sources,
        title=f"build {name}",
        origin=(location.file, location.line, location.column) if location else None,
    )


@LIBRARY.procedure("add-text-to-store")
def add_text_to_store(name: str, text: str, executable: object = False) -> str:
    """Keep `text` as the store item `name`, a program if `executable`; gives its path."""
    store = current().store
    if executable is False:
        return store.add_bytes(name, text.encode())
    with TemporaryDirectory() as folder:
        program = Path(folder, "program")
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
        return store.add_path(name, program)


@LIBRARY.procedure("add-modules-to-store")
def add_modules_to_store(modules: Any) -> str:
    """Keep the files of a list of (name . file) as a directory for Guile's load path."""
    with TemporaryDirectory() as folder:
        for entry in python_list(modules):
            place = Path(folder, *(part.name for part in python_list(entry.car)))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.with_name(f"{place.name}.scm").write_bytes(Path(entry.cdr).read_bytes())
        return current().store.add_path("modules", Path(folder))


@LIBRARY.procedure("own-source?")
def is_own_source(path: str) -> bool:
    """Is this a source file of Kiln's own library?"""
    return Path(path).is_relative_to(Path(__file__).parents[1])


@LIBRARY.procedure("source-imports")
def source_imports(path: str) -> Any:
    """The names of modules that the Scheme file imports in its define-module and use-modules."""
    source = Source(path, Path(path).read_text(encoding="utf-8"), 1)
    names: list[Any] = []
    for form in read_all(source):
        if not isinstance(form, Pair) or not isinstance(form.car, Symbol):
            continue
        if form.car.name == "use-modules":
            names += python_list(form.cdr)
        elif form.car.name == "define-module":
            parts = python_list(form.cdr)
            names += [
                value
                for key, value in itertools.pairwise(parts)
                if isinstance(key, Keyword) and key.name in ("use-module", "autoload")
            ]
    # an interface with a selection of names begins with the module's
    return scheme_list(name.car if isinstance(name.car, Pair) else name for name in names)


@LIBRARY.procedure("add-file-to-store")
def add_file_to_store(name: str, path: str, recursive: object) -> str:
    """Keep the file (or directory, if `recursive`) at `path` as a store item; gives its path."""
    return current().store.add_path(name, Path(path), recursive is not False)


@LIBRARY.procedure("file-kind")
def file_kind(path: str) -> Symbol | bool:
    """The symbol regular, directory or other; #f if there is nothing at `path`."""
    file = Path(path)
    if not file.exists():
        return False
    return symbol("regular" if file.is_file() else "directory" if file.is_dir() else "other")


@LIBRARY.procedure("beside-source")
def beside_source(location: Location | bool, file: str) -> str:
    """The absolute name of `file`, which is relative to the source at `location`."""
    base = Path()
    if isinstance(location, Location):
        source = Path(location.file)
        if source.is_file():
            base = source.parent
    return str((base / file).absolute())


@LIBRARY.procedure("gexp?")
def is_gexp(value: Any) -> bool:
    """Is this staged code?"""
    return isinstance(value, Gexp)


@LIBRARY.procedure("gexp-inputs")
def gexp_inputs(gexp: Gexp) -> Any:
    """The list of gexp-inputs that the gexp refers to."""
    return scheme_list(gexp.inputs)


@LIBRARY.procedure("gexp-build")
def gexp_build(gexp: Gexp) -> Any:
    """The procedure from the values of the inputs to the gexp's s-expression."""
    return gexp.build


@LIBRARY.procedure("gexp-location")
def gexp_location(gexp: Gexp) -> Any:
    """Where the gexp is written, or None."""
    return gexp.location


@LIBRARY.procedure("gexp-modules")
def gexp_modules(gexp: Gexp) -> Any:
    """The modules that the gexp and those in it import in the build."""
    modules: dict[str, Any] = {}
    pending: list[Any] = [gexp]
    while pending:
        item = pending.pop()
        if isinstance(item, Gexp):
            modules.update((str(module), module) for module in item.modules)
            pending.extend(reversed(item.inputs))
        elif isinstance(item, GexpInput):
            pending.append(item.thing)
        elif isinstance(item, Pair):
            pending.extend(reversed(python_list(item)))
    return list(modules.values())


@LIBRARY.procedure("gexp-input?")
def is_gexp_input(value: Any) -> bool:
    """Is this a reference of a gexp?"""
    return isinstance(value, GexpInput)


@LIBRARY.procedure("gexp-input-thing")
def gexp_input_thing(value: GexpInput) -> Any:
    """What the reference is to."""
    return value.thing


@LIBRARY.procedure("gexp-input-native?")
def gexp_input_native(value: GexpInput) -> bool:
    """Was it written #+, for a program that the build runs?"""
    return value.native
