"""B-trees from sorted items, bottom up: first how many nodes they take, then their bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from builders.crc32c import crc32c
from builders.filesystems.btrfs.items import KEY, Item

HEADER = 101
ITEM = 25  # what an item takes of a leaf beside its data
_POINTER = 33
_HEADER = struct.Struct("<16sQQ16sQQIB")
_CHECKSUM = 32
_WRITTEN = 1
_MIXED_BACKREF = 1 << 56  # revision of back references
_ITEM_POSITION = struct.Struct("<QBQII")
_POINTER_TAIL = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class NodeFormat:
    """What all nodes of a file system have in common."""

    size: int
    fsid: bytes
    chunk_tree_uuid: bytes
    generation: int

    @property
    def room(self) -> int:
        """Bytes of a leaf for items."""
        return self.size - HEADER

    @property
    def fan_out(self) -> int:
        """Children of an inner node."""
        return (self.size - HEADER) // _POINTER


Cuts = list[tuple[int, int]]
"""The (start, stop) ranges of items that share a leaf."""


def leaf_cuts(items: Sequence[Item], form: NodeFormat) -> Cuts:
    """Leaves as full as can be."""
    cuts = []
    start = used = 0
    room = form.room
    for number, item in enumerate(items):
        need = len(item[3]) + ITEM
        used += need
        if used > room:
            cuts.append((start, number))
            start, used = number, need
    cuts.append((start, len(items)))
    return cuts


def levels(cuts: Cuts, form: NodeFormat) -> list[int]:
    """How many nodes each level has, the leaves first, the root last."""
    found = [len(cuts)]
    while found[-1] > 1:
        found.append(-(-found[-1] // form.fan_out))
    return found


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree whose nodes have their addresses: (address, level) of each, in order; the root last.

    The order is that of the levels from the leaves up.
    """

    owner: int
    nodes: list[tuple[int, int]]
    cuts: Cuts = field(default_factory=list)

    @property
    def root(self) -> int:
        return self.nodes[-1][0]

    @property
    def level(self) -> int:
        return self.nodes[-1][1]

    @classmethod
    def placed(cls, owner: int, cuts: Cuts, form: NodeFormat, addresses: Iterator[int]) -> Tree:
        """The tree with its nodes at the next `addresses`."""
        nodes = [
            (next(addresses), level)
            for level, count in enumerate(levels(cuts, form))
            for _ in range(count)
        ]
        return cls(owner, nodes, cuts)


def write(tree: Tree, items: Sequence[Item], form: NodeFormat) -> Iterator[tuple[int, bytes]]:
    """The (address, bytes) of all nodes of the tree of `items`."""
    places = iter(tree.nodes)
    children: list[tuple[bytes, int]] = []
    for start, stop in tree.cuts:
        address, _ = next(places)
        yield (
            address,
            _node(form, tree.owner, address, 0, stop - start, _leaf(items[start:stop], form)),
        )
        key = KEY.pack(*items[start][:3]) if stop > start else bytes(KEY.size)
        children.append((key, address))
    level = 0
    while len(children) > 1:
        level += 1
        parents = []
        for first in range(0, len(children), form.fan_out):
            group = children[first : first + form.fan_out]
            address, _ = next(places)
            body = b"".join(
                key + _POINTER_TAIL.pack(child, form.generation) for key, child in group
            )
            yield address, _node(form, tree.owner, address, level, len(group), body)
            parents.append((group[0][0], address))
        children = parents


def _leaf(items: Sequence[Item], form: NodeFormat) -> bytes:
    """Positions of items from the front, their data from the back."""
    room = end = form.room
    positions = []
    for objectid, kind, offset, data in items:
        end -= len(data)
        positions.append(_ITEM_POSITION.pack(objectid, kind, offset, end, len(data)))
    front = b"".join(positions)
    data = b"".join(item[3] for item in reversed(items))
    return front + bytes(room - len(front) - len(data)) + data


def _node(
    form: NodeFormat, owner: int, address: int, level: int, entries: int, body: bytes
) -> bytes:
    header = _HEADER.pack(
        form.fsid,
        address,
        _WRITTEN | _MIXED_BACKREF,
        form.chunk_tree_uuid,
        form.generation,
        owner,
        entries,
        level,
    )
    rest = header + body + bytes(form.size - HEADER - len(body))
    return crc32c(0, rest).to_bytes(4, "little") + bytes(_CHECKSUM - 4) + rest
