"""A partition that holds nothing yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from builders.filesystems.hierarchy import BadTree
from builders.filesystems.options import BadOption, check
from builders.plan import Plan
from builders.tree import Entry


def make(name: str, tree: Sequence[Entry], options: Mapping[str, object]) -> Plan:
    """`size` zero bytes. Raises BadOption without a size, BadTree for a tree."""
    checked = check(name, {"size": int}, options)
    size = checked.get("size")
    if not isinstance(size, int) or size <= 0:
        raise BadOption("size", "an unformatted partition has none of its own: give one")
    if len(tree) > 1:
        raise BadTree("an unformatted partition cannot hold files")
    return Plan(size)
