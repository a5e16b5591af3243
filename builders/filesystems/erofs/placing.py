"""Where everything goes in an EROFS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from builders.filesystems.erofs import directories, xattrs
from builders.filesystems.erofs.clusters import Compressed, Method
from builders.filesystems.erofs.layout import BLOCK, INODE, SLOT
from builders.filesystems.hierarchy import Hierarchy
from builders.tree import Content, Entry, path_bytes


@dataclass(slots=True)
class Placed:
    """Of each entry, by index; hard links have nothing.

    size    bytes of content, of a directory: of its blocks
    xattrs  the area behind the inode
    at      byte offset of the inode
    inline  bytes of content behind inode and attributes; the rest is at `data`
    blocks  how many the rest takes
    data    number of the first of them
    links   names
    """

    size: list[int]
    xattrs: list[bytes]
    at: list[int]
    inline: list[int]
    blocks: list[int]
    data: list[int]
    links: list[int]


def place(
    hierarchy: Hierarchy,
    folders: Mapping[int, list[directories.Block]],
    order: Sequence[int],
    compressed: Mapping[int, Compressed],
    method: Method | None,
    *,
    inline_files: bool,
) -> tuple[Placed, int]:
    """Where everything goes, and the number of the first block behind the inodes.

    folders  the blocks of each directory
    order    what has content, in the order in which it is put on the disk
    """
    count = len(hierarchy.entries)
    nothing = [0] * count
    placed = Placed(
        nothing.copy(), [b""] * count, nothing.copy(), nothing.copy(), nothing.copy(), nothing,
        [1] * count,
    )  # fmt: skip
    for target in hierarchy.targets.values():
        placed.links[target] += 1
    position = BLOCK
    for number, entry in enumerate(hierarchy.entries):
        kind = entry.kind
        if kind == "h":
            continue
        if kind == "d":
            placed.size[number] = directories.size(folders[number])
            children = hierarchy.children[number]
            placed.links[number] = 2 + sum(hierarchy.entries[one].kind == "d" for one in children)
        elif kind == "f":
            placed.size[number] = entry.size
        elif kind == "l":
            placed.size[number] = len(path_bytes(str(entry.ref)))
        size = placed.size[number]
        area = placed.xattrs[number] = xattrs.area(entry)
        header = INODE.size + len(area)
        tail = size % BLOCK
        if number in compressed and method is not None:
            placed.blocks[number] = compressed[number].blocks
            header += -header % 8 + method.index_size(size)
        elif tail and header + tail <= BLOCK and (kind in "dl" or inline_files):
            placed.inline[number] = tail
            placed.blocks[number] = size // BLOCK
            if position % BLOCK + header + tail > BLOCK:  # it must not go over a block's end
                position += -position % BLOCK
            header += tail
        else:
            placed.blocks[number] = -(-size // BLOCK)
        placed.at[number] = position
        position += header + -header % SLOT
    first = -(-position // BLOCK)
    cursor = first
    for number in order:
        placed.data[number] = cursor
        cursor += placed.blocks[number]
    return placed, first


def data_order(entries: Sequence[Entry]) -> list[int]:
    """What has content: directories and links, then files as they are in their sources."""
    ranks: dict[str, int] = {}
    keys: list[tuple[int, int, int]] = []
    for number, entry in enumerate(entries):
        if entry.kind == "f" and isinstance(entry.ref, Content):
            rank = ranks.setdefault(entry.ref.source, len(ranks) + 1)
            keys.append((rank, entry.ref.offset, number))
        elif entry.kind in "dfl":
            keys.append((0, 0, number))
    return [number for _, _, number in sorted(keys)]
