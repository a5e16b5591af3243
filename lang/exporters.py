"""Which modules export a name that a program uses without having imported it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lang.expand import CORE, FORMS
from lang.syntax import Global

if TYPE_CHECKING:
    from lang.modules import ModuleName
    from lang.session import Session

_EXPORTS: Final = re.compile(r"#:(?:re-)?export\s*\(((?:[^();]|;.*\n|\([^()]*\))*)\)")
_HOMES: Final = ("srfi", "ice-9", "guix", "gnu", "kiln", "rnrs", "scheme")
"""The first parts of module names, those that a Guile program would rather import first."""


def exporters(session: Session, name: str) -> list[str]:
    """The modules that export `name`, as they are written, the likeliest first."""
    found = {module for module, table in FORMS.items() if module != CORE and name in table}
    found.update(_loaded(session, name))
    for directory in session.load_path:
        found.update(_in_directory(directory, name))
    return [f"({' '.join(module)})" for module in sorted(found, key=_rank)]


def _rank(module: ModuleName) -> tuple[int, int, ModuleName]:
    home = _HOMES.index(module[0]) if module[0] in _HOMES else len(_HOMES)
    return len(module), home, module


def _loaded(session: Session, name: str) -> Iterator[ModuleName]:
    for module in list(session.modules.values()):
        if module.core is None:
            continue
        for own in (id for id in module.exports if id.name == name):
            binding = module.resolve(module.exports[own])
            if type(binding) is not Global or binding.key.startswith("/".join(module.name) + ":"):
                yield module.name


def _in_directory(directory: Path, name: str) -> Iterator[ModuleName]:
    word = re.compile(rf"(?<![^\s()]){re.escape(name)}(?![^\s()])")
    for path in directory.rglob("*.scm"):
        head, _, _ = path.read_text(encoding="utf-8").partition("\n\n(")
        if any(word.search(names) for names in _EXPORTS.findall(head)):
            yield path.relative_to(directory).with_suffix("").parts
    for path in directory.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "LIBRARY" not in text or (f'"{name}"' not in text and ".bindings.update" not in text):
            continue
        parts = path.relative_to(directory).with_suffix("").parts
        module = importlib.import_module(".".join((directory.resolve().name, *parts)))
        if name in module.LIBRARY.bindings:
            yield tuple(part.replace("_", "-") for part in parts)
