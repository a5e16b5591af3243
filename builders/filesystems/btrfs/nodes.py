"""B-trees from sorted items, bottom up: first how many nodes they take, then their bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

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


class Leaf(NamedTuple):
    """The first key, how many items it has, and the bytes behind the header."""

    key: bytes
    entries: int
    body: bytes


def leaves(items: Iterable[Item], form: NodeFormat) -> list[Leaf]:
    """Leaves as full as can be; one at least. `items` are sorted, and each fits into a leaf."""
    made: list[Leaf] = []
    room = form.room
    pack = _ITEM_POSITION.pack
    key = bytes(KEY.size)
    positions: list[bytes] = []  # of items from the front, their data from the back
    contents: list[bytes] = []
    free = end = room
    for objectid, kind, offset, data in items:
        size = len(data)
        free -= size + ITEM
        if free < 0:
            made.append(Leaf(key, len(positions), _body(positions, contents, end)))
            positions, contents = [], []
            end = room
            free = room - size - ITEM
        if end == room:
            key = KEY.pack(objectid, kind, offset)
        end -= size
        positions.append(pack(objectid, kind, offset, end, size))
        contents.append(data)
    made.append(Leaf(key, len(positions), _body(positions, contents, end)))
    return made


def _body(positions: list[bytes], contents: list[bytes], end: int) -> bytes:
    """`end` is where data begin."""
    front = b"".join(positions)
    contents.reverse()
    return front + bytes(end - len(front)) + b"".join(contents)


def leaf_count(items: Sequence[Item], form: NodeFormat) -> int:
    """How many `leaves` there are."""
    count = 1
    room = free = form.room
    for item in items:
        size = len(item[3]) + ITEM
        free -= size
        if free < 0:
            count += 1
            free = room - size
    return count


def levels(count: int, form: NodeFormat) -> list[int]:
    """How many nodes each level above and with `count` leaves has, these first, the root last."""
    found = [count]
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

    @property
    def root(self) -> int:
        return self.nodes[-1][0]

    @property
    def level(self) -> int:
        return self.nodes[-1][1]

    @classmethod
    def placed(cls, owner: int, count: int, form: NodeFormat, addresses: Iterator[int]) -> Tree:
        """The tree of `count` leaves with its nodes at the next `addresses`."""
        nodes = [
            (next(addresses), level)
            for level, many in enumerate(levels(count, form))
            for _ in range(many)
        ]
        return cls(owner, nodes)


def write(tree: Tree, leaves: Sequence[Leaf], form: NodeFormat) -> Iterator[tuple[int, bytes]]:
    """The (address, bytes) of all nodes of the tree of `leaves`."""
    places = iter(tree.nodes)
    children: list[tuple[bytes, int]] = []
    for leaf in leaves:
        address, _ = next(places)
        yield address, _node(form, tree.owner, address, 0, leaf.entries, leaf.body)
        children.append((leaf.key, address))
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
