"""Every image type, lowered from one declaration in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from builders.derivation import Derivation, Json
from builders.events import discard
from builders.mtree import read_item
from builders.realise import realise
from builders.store import Store
from builders.tree import Entry, content_reader
from kiln import image, workspace
from tests.conftest import ROOT, Folders

EXAMPLE = ROOT / "examples/bare-bones.scm"


@dataclass
class Images:
    """Images of the example, made when they are asked for."""

    store: Store
    value: Any
    session: Any
    known: dict[str, Derivation] = field(default_factory=dict)

    def derivation(self, kind: str) -> Derivation:
        """What `kiln image -t KIND` would realise."""
        from lang.data import keyword, symbol
        from lang.runtime.trampoline import call

        def lower() -> Derivation:
            find, make, finish = (
                self.session.value(image.IMAGE_MODULE, name)
                for name in ("lookup-image-type-by-name", "os->image", "image->derivation")
            )
            kind_of_image = call(find, symbol(kind))
            return call(finish, call(make, self.value, keyword("type"), kind_of_image))

        found = workspace.evaluate(self.session, lower)
        self.known |= {one.path: one for one in closure([found])}
        return found

    def built(self, derivation: Derivation) -> Path:
        """The output, built if it has to be."""
        (path,) = realise([derivation], self.store)
        return self.store.real(path)

    def image(self, kind: str) -> Path:
        """The image of a type."""
        return self.built(self.derivation(kind))

    def tree(self, item: Json) -> dict[str, Entry]:
        """The manifest of the tree at a store path, by paths; built if it has to be."""
        assert isinstance(item, str)
        realise([self.known[item]], self.store)
        return {one.path: one for one in read_item(self.store.real(item), item)}

    def read(self, entry: Entry) -> bytes:
        """The content of a file of a tree."""
        return content_reader(self.store.real)(entry)

    def source(self, path: str) -> bytes:
        """What a derivation names as a source: an item that is a file, or a file of a tree."""
        prefix, store, item, *inner = path.removeprefix("/").split("/")
        top = f"/{prefix}/{store}/{item}"
        if not inner:
            realise([self.known[top]], self.store)
            return self.store.real(top).read_bytes()
        return self.read(self.tree(top)["/".join(inner)])

    @cached_property
    def kinds(self) -> list[str]:
        """The names of all types that there are, those of `--list-image-types`."""
        from lang.data import iterate
        from lang.runtime.trampoline import call

        name = self.session.value(("gnu", "image"), "image-type-name")
        types = self.session.value(image.IMAGE_MODULE, "%image-types")
        return workspace.evaluate(
            self.session, lambda: [call(name, one).name for one in iterate(types)]
        )


def closure(derivations: Iterable[Derivation]) -> list[Derivation]:
    """The derivations and all that they need, each once."""
    found: dict[str, Derivation] = {}
    todo = list(derivations)
    while todo:
        one = todo.pop()
        if one.path not in found:
            found[one.path] = one
            todo += one.inputs
    return [found[path] for path in sorted(found)]


@contextmanager
def opened(folders: Folders) -> Iterator[Images]:
    """The images in the store of `folders`."""
    folders.base.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in folders.environment.items():
            if name != "HOME":
                patch.setenv(name, value)
        session = workspace.open_session()
        with workspace.workspace(discard) as store:
            yield Images(store, workspace.evaluate_file(session, str(EXAMPLE)), session)
