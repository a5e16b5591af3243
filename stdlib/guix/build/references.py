"""(guix build references): what items of the store refer to, for builds only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lang.data import python_list, scheme_list
from lang.runtime.library import Library
from lang.runtime.signals import misc_error

LIBRARY = Library("guix", "build", "references")

_HASH = 32  # characters of a name


@LIBRARY.procedure("store-closure", staged=True)
def store_closure(items: Any, store: str) -> Any:
    """The items, paths in the directory `store`, and all that they refer to, in order of names.

    An item refers to another one if its files, or targets of its links, have the hash of the name.
    """
    names = sorted(path.name for path in Path(store).iterdir())
    there = {name[:_HASH].encode(): name for name in names}
    wanted: set[str] = set()
    waiting = [_item(str(path), store) for path in python_list(items)]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += _references(Path(store, name), there)
    return scheme_list([f"{store}/{name}" for name in sorted(wanted)])


def _item(path: str, store: str) -> str:
    name = path.removeprefix(f"{store}/").split("/")[0]
    if not path.startswith(f"{store}/") or not Path(store, name).exists():
        misc_error("store-closure", "~s is no item of the store that this build knows", path)
    return name


def _references(item: Path, there: dict[bytes, str]) -> Iterator[str]:
    found = set()
    for text in _texts(item):
        found |= {key for key in there if key in text}
    return (there[key] for key in sorted(found))


def _texts(path: Path) -> Iterator[bytes]:
    """All that is in the file, link or directory."""
    if path.is_symlink():
        yield os.fsencode(os.readlink(path))
    elif path.is_dir():
        for entry in sorted(path.iterdir()):
            yield from _texts(entry)
    elif path.is_file():
        yield path.read_bytes()
