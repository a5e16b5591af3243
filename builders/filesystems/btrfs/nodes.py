"""B-trees from sorted items, bottom up: first how many nodes they take, then their bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from builders.filesystems.btrfs.items import KEY, Item
from builders.filesystems.ext4.checksum import crc32c

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


def leaf_cuts(sizes: Sequence[int], room: int) -> list[tuple[int, int]]:
    """The (start, stop) ranges of items, with data of `sizes` bytes, that share a leaf."""
    cuts = []
    start = used = 0
    for number, size in enumerate(sizes):
        need = size + ITEM
        if used + need > room:
            cuts.append((start, number))
            start, used = number, 0
        used += need
    cuts.append((start, len(sizes)))
    return cuts


def nodes_above(leaves: int, fan_out: int) -> list[int]:
    """The nodes of each level, the leaves first, the root last."""
    levels = [leaves]
    while levels[-1] > 1:
        levels.append(-(-levels[-1] // fan_out))
    return levels


def nodes_needed(sizes: Sequence[int], form: NodeFormat) -> int:
    """How many nodes a tree of items of these sizes takes."""
    return sum(nodes_above(len(leaf_cuts(sizes, form.room)), form.fan_out))


@dataclass(slots=True)
class Tree:
    """A tree whose nodes have their addresses: (address, level) of each, in order; the root last.

    The order is that of the levels from the leaves up.
    """

    owner: int
    nodes: list[tuple[int, int]] = field(default_factory=list)

    @property
    def root(self) -> int:
        return self.nodes[-1][0]

    @property
    def level(self) -> int:
        return self.nodes[-1][1]

    @classmethod
    def placed(cls, owner: int, levels: Sequence[int], addresses: Iterator[int]) -> Tree:
        """The tree with `levels` nodes (see nodes_above) at the next `addresses`."""
        nodes = [(next(addresses), level) for level, wide in enumerate(levels) for _ in range(wide)]
        return cls(owner, nodes)


def write(tree: Tree, items: Sequence[Item], form: NodeFormat) -> Iterator[tuple[int, bytes]]:
    """The (address, bytes) of all nodes; `items` need exactly the nodes that the tree has."""
    number = count()
    children: list[tuple[bytes, int]] = []
    for start, stop in leaf_cuts([len(item.data) for item in items], form.room):
        address, _ = tree.nodes[next(number)]
        yield (
            address,
            _node(form, tree.owner, address, 0, stop - start, _leaf(items[start:stop], form)),
        )
        children.append((items[start].key if stop > start else bytes(KEY.size), address))
    level = 0
    while len(children) > 1:
        level += 1
        parents = []
        for first in range(0, len(children), form.fan_out):
            group = children[first : first + form.fan_out]
            address, _ = tree.nodes[next(number)]
            body = b"".join(
                key + _POINTER_TAIL.pack(child, form.generation) for key, child in group
            )
            yield address, _node(form, tree.owner, address, level, len(group), body)
            parents.append((group[0][0], address))
        children = parents
    assert next(number) == len(tree.nodes)


def _leaf(items: Sequence[Item], form: NodeFormat) -> bytes:
    """Positions of items from the front, their data from the back."""
    room = end = form.room
    positions = []
    for objectid, kind, offset, data in items:
        end -= len(data)
        positions.append(_ITEM_POSITION.pack(objectid, kind, offset, end, len(data)))
    front = b"".join(positions)
    data = b"".join(item.data for item in reversed(items))
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
