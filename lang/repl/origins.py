"""Where names are defined: the defining form in a module's source, and the comment above it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lang import reader
from lang.data import Pair, Symbol, iterate, python_list
from lang.errors import ReadError
from lang.sources import Location, Source, code_place

if TYPE_CHECKING:
    from lang.session import Session

_COMMENT: Final = re.compile(r"(?:^;;?(?!;).*\n)+\Z", re.M)
_EXPORTS: Final = re.compile(r"#:(?:re-)?export\s*\(([^()]*)\)")
_MODULE_COMMENT: Final = re.compile(r"\A(?:;;;.*\n)+", re.M)


@dataclass(frozen=True, slots=True)
class Origin:
    """A definition: the whole form, its place, and the comment that stands right above it."""

    form: Pair
    location: Location
    comment: str


class Origins:
    """The definitions in the sources of a session, read when they are first asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[str, dict[str, Origin]] = {}

    def of_key(self, key: str) -> Origin | None:
        """The definition of the variable whose key in the session's globals is `key`."""
        module, colon, name = key.partition(":")
        if not colon or not module:
            return None
        return self.of_name(tuple(module.split("/")), name)

    def of_name(self, module: tuple[str, ...], name: str) -> Origin | None:
        """The definition of `name` in a module that is loaded."""
        source = self._source(module)
        return self.of_source(source).get(name) if source is not None else None

    def of_procedure(self, procedure: Any) -> Origin | None:
        """The definition of a procedure that was compiled from a source."""
        code = getattr(procedure, "__code__", None)
        if code is None:
            return None
        place = code_place(code.co_filename, code.co_firstlineno, 1)
        source = self._session.sources.named(place.file)
        if source is None:
            return None
        found = self.of_source(source).get(procedure.__name__)
        # a local procedure may bear the name of another definition
        return found if found and found.location.line == place.line else None

    def of_source(self, source: Source) -> dict[str, Origin]:
        """All definitions at the top level of a text."""
        known = self._known.get(source.name)
        if known is None or not source.library:
            known = self._known[source.name] = _definitions(source)
        return known

    def commentary(self, module: tuple[str, ...]) -> str:
        """The comment at the head of a module's file."""
        source = self._source(module)
        match = _MODULE_COMMENT.match(source.text) if source is not None else None
        return _without_marks(match[0]) if match else ""

    def place(self, module: tuple[str, ...]) -> str | None:
        """The file that a module was read from."""
        source = self._source(module)
        return source.name if source is not None else None

    def exporters(self, name: str) -> list[str]:
        """The modules on the load path, loaded or not, whose define-module exports `name`."""
        word = re.compile(rf"(?<![^\s()]){re.escape(name)}(?![^\s()])")
        found = []
        for directory in self._session.load_path:
            for path in sorted(directory.rglob("*.scm")):
                exports = _EXPORTS.findall(path.read_text(encoding="utf-8"))
                if any(map(word.search, exports)):
                    found.append(f"({' '.join(path.relative_to(directory).with_suffix('').parts)})")
        return found

    def _source(self, module: tuple[str, ...]) -> Source | None:
        for directory in self._session.load_path:
            path = directory.joinpath(*module[:-1], module[-1] + ".scm")
            source = self._session.sources.named(str(path))
            if source is not None:
                return source
        return None


def _definitions(source: Source) -> dict[str, Origin]:
    try:
        forms = reader.read_all(source)
    except ReadError:
        return {}
    found: dict[str, Origin] = {}
    for form in forms:
        if type(form) is not Pair or type(form.car) is not Symbol or form.pos is None:
            continue
        if form.car.name.startswith("define") and form.car.name != "define-module":
            offset = form.pos - source.base
            comment = _COMMENT.search(source.text[:offset])
            text = _without_marks(comment[0]) if comment else ""
            origin = Origin(form, source.location(offset), text)
            for name in _defined(form):
                found.setdefault(name, origin)
    return found


def _defined(form: Pair) -> list[str]:
    """The names that a defining form binds, the accessors of records too."""
    if type(form.cdr) is not Pair:
        return []
    target = form.cdr.car
    if form.car.name.startswith("define-record-type"):
        fixed = form.car.name == "define-record-type"
        names: list[str] = []
        for item in iterate(form.cdr):
            if type(item) is Symbol:
                names.append(item.name)
            elif type(item) is Pair:
                parts = python_list(item)
                # (constructor field ...) after the type, (field accessor [modifier]) later on
                parts = parts[:1] if len(names) == 1 and fixed else parts[1:]
                names += [part.name for part in parts if type(part) is Symbol]
        return names
    while type(target) is Pair:
        target = target.car
    return [target.name] if type(target) is Symbol else []


def _without_marks(comment: str) -> str:
    lines = [line.lstrip(";").removeprefix(" ") for line in comment.splitlines()]
    return "\n".join(lines).strip()
