"""Splits a tree into the layers of a container: large packages by themselves, the rest on top.

What comes from one package stays one layer with the same bytes in every image that has it, so
registries and hosts keep it once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from builders.registry import STORE_PREFIX
from builders.tree import Content, Entry

_ITEM_COMPONENTS = STORE_PREFIX.count("/") + 2


def split(tree: Sequence[Entry], most: int) -> list[list[Entry]]:
    """At most `most` trees that, later over earlier, are `tree`; each is sorted and has parents.

    The store items that give the most bytes become layers, in the order of their paths; the last
    layer has everything else, and all directories. Names of one file stay together.
    """
    sizes: dict[str, int] = defaultdict(int)
    homes: dict[str, str] = {}
    for entry in tree:
        item = _item(entry)
        if item is not None:
            sizes[item] += entry.size
            homes[entry.path] = item
    largest = sorted(sizes, key=lambda item: (-sizes[item], item))[: max(most - 1, 0)]
    chosen = {item: number for number, item in enumerate(sorted(largest))}
    layers: list[list[Entry]] = [[] for _ in range(len(chosen) + 1)]
    directories = {entry.path: entry for entry in tree if entry.kind == "d"}
    present: list[set[str]] = [set() for _ in layers]
    for entry in tree:
        home = homes.get(str(entry.ref) if entry.kind == "h" else entry.path, "")
        number = chosen.get(home, -1)
        layer = layers[number]
        if number >= 0:
            layer += _missing_parents(entry.path, directories, present[number])
        layer.append(entry)
    return layers


def _item(entry: Entry) -> str | None:
    """The store item from which the content of an entry comes."""
    if entry.kind != "f" or not isinstance(entry.ref, Content):
        return None
    if not entry.ref.source.startswith(STORE_PREFIX + "/"):
        return None
    return "/".join(entry.ref.source.split("/")[:_ITEM_COMPONENTS])


def _missing_parents(path: str, directories: dict[str, Entry], present: set[str]) -> list[Entry]:
    """The parents of `path` that are not yet `present` in its layer, from the top; notes them."""
    found = []
    while path:
        path = path.rpartition("/")[0]
        if path in present:
            break
        present.add(path)
        if path in directories:
            found.append(directories[path])
    return found[::-1]
