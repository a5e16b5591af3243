"""What a tree needs of an ext4 file system, found before anything has a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from builders.filesystems.ext4 import blockmap, directories, extents, xattrs
from builders.filesystems.ext4.inodes import LOST_FOUND, ROOT
from builders.filesystems.ext4.options import BLOCK, FIRST_INODE, Format
from builders.filesystems.hierarchy import BadContent, BadTree, Hierarchy
from builders.holes import data_between
from builders.tree import Content, Entry

FAST_SYMLINK = 60
"""Targets shorter than this are in the inode."""

_LONGEST_SYMLINK = BLOCK - 1
_MOST_LINKS = 65000
_MOST_SUBDIRECTORIES = 32000  # without dir_nlink
_LARGEST = BLOCK << 32

LOST_FOUND_NAME = b"lost+found"
LOST_FOUND_RECORD = 20


class SymlinkTooLong(BadTree):
    def __init__(self, path: str, length: int) -> None:
        super().__init__(
            f"the target of the link /{path} has {length} bytes; {_LONGEST_SYMLINK} are allowed"
        )


class TooManyLinks(BadTree):
    def __init__(self, path: str, links: int) -> None:
        super().__init__(f"/{path} would have {links} links, more than the file system can count")


class FileTooBig(BadTree):
    def __init__(self, path: str, size: int, limit: int) -> None:
        super().__init__(f"/{path} has {size} bytes; {limit} are the most in this file system")


@dataclass(slots=True)
class Survey:
    """By index of the entry:

    numbers        the inode
    links          link counts
    inode_xattrs   attributes that are put in the inode
    block_xattrs   attributes that need a block
    cuts           of directories, the ranges of children that share a block
    runs           of files with holes, the (start, stop) bytes that there is data for
    and altogether: `inodes` in use, `blocks` for all content.
    """

    hierarchy: Hierarchy
    numbers: list[int]
    links: list[int]
    inode_xattrs: dict[int, bytes]
    block_xattrs: dict[int, list[xattrs.Attribute]]
    cuts: dict[int, list[tuple[int, int]]]
    runs: dict[int, list[tuple[int, int]]]
    inodes: int
    blocks: int
    own_lost_found: bool


def survey(hierarchy: Hierarchy, form: Format) -> Survey:
    """Raises BadTree's subclasses for what the format cannot hold."""
    entries = hierarchy.entries
    lost_found = _lost_found(hierarchy)
    numbers, last = _number(hierarchy, lost_found)
    in_inode: dict[int, bytes] = {}
    in_block: dict[int, list[xattrs.Attribute]] = {}
    runs: dict[int, list[tuple[int, int]]] = {}
    blocks = 0
    for number, entry in enumerate(entries):
        if entry.kind == "f":
            if entry.size:
                blocks += _content_blocks(number, entry, runs, form)
        elif entry.kind == "l" and entry.size >= FAST_SYMLINK:
            if entry.size > _LONGEST_SYMLINK:
                raise SymlinkTooLong(entry.path, entry.size)
            blocks += 1
        if entry.xattrs:
            attributes = xattrs.attributes(entry.path, entry.xattrs)
            packed = xattrs.fit_inode(attributes)
            if packed is not None:
                in_inode[number] = packed
            else:
                xattrs.check_block(entry.path, attributes)
                in_block[number] = attributes
    cuts = {}
    for directory, children in hierarchy.children.items():
        extra = LOST_FOUND_RECORD if directory == 0 and lost_found is None else 0
        names = [hierarchy.names[child] for child in children]
        cuts[directory] = directories.cut(names, form.checksums, extra)
        count = len(cuts[directory])
        blocks += count + _tree_blocks([(0, count * BLOCK)], form)
    blocks += len(in_block) + (directories.LOST_FOUND_BLOCKS if lost_found is None else 0)
    return Survey(
        hierarchy,
        numbers,
        _count_links(hierarchy, lost_found, form),
        in_inode,
        in_block,
        cuts,
        runs,
        last,
        blocks,
        lost_found is not None,
    )


def _lost_found(hierarchy: Hierarchy) -> int | None:
    """The tree's own lost+found, which takes the place of ours."""
    for child in hierarchy.children[0]:
        if hierarchy.names[child] == LOST_FOUND_NAME:
            if hierarchy.entries[child].kind != "d":
                raise BadTree("/lost+found of the tree is not a directory, but ext4 needs one")
            return child
    return None


def _number(hierarchy: Hierarchy, lost_found: int | None) -> tuple[list[int], int]:
    """Inode numbers in the order of the tree, and the last one."""
    numbers: list[int] = []
    following = FIRST_INODE + 1
    targets = hierarchy.targets
    for number in range(len(hierarchy.entries)):
        if number in targets:
            numbers.append(numbers[targets[number]])
        elif number == 0:
            numbers.append(ROOT)
        elif number == lost_found:
            numbers.append(LOST_FOUND)
        else:
            numbers.append(following)
            following += 1
    return numbers, following - 1


def _count_links(hierarchy: Hierarchy, lost_found: int | None, form: Format) -> list[int]:
    links = [1] * len(hierarchy.entries)
    for target in hierarchy.targets.values():
        links[target] += 1
        if links[target] > _MOST_LINKS:
            raise TooManyLinks(hierarchy.entries[target].path, links[target])
    for directory in hierarchy.children:
        links[directory] += 1
        if directory:
            links[hierarchy.parents[directory]] += 1
    if lost_found is None:
        links[0] += 1
    for directory in hierarchy.children:
        if form.counts_far:
            if links[directory] >= _MOST_LINKS:
                links[directory] = 1  # dir_nlink: not counted any more
        elif links[directory] > _MOST_SUBDIRECTORIES:
            raise TooManyLinks(hierarchy.entries[directory].path, links[directory])
    return links


def _content_blocks(
    number: int, entry: Entry, runs: dict[int, list[tuple[int, int]]], form: Format
) -> int:
    """Blocks for the data of a file and for the map of them; notes the runs of one with holes."""
    size, ref = entry.size, entry.ref
    limit = _LARGEST if form.extents else (12 + 1024 + 1024**2 + 1024**3) * BLOCK
    if size > limit:
        raise FileTooBig(entry.path, size, limit)
    if isinstance(ref, Content):
        if ref.holes:
            found = runs[number] = data_between(ref.holes, size)
            count = sum(-(-(stop - start) // BLOCK) for start, stop in found)
            return count + _tree_blocks(found, form)
    elif not isinstance(ref, bytes) or len(ref) != size:
        raise BadContent(entry.path, size)
    count = (size + BLOCK - 1) // BLOCK
    if count < extents.LONGEST and form.extents:
        return count
    return count + _tree_blocks([(0, size)], form)


def _tree_blocks(runs: Sequence[tuple[int, int]], form: Format) -> int:
    counts = [(start // BLOCK, -(-(stop - start) // BLOCK)) for start, stop in runs if stop > start]
    if form.extents:
        return extents.most_tree_blocks(len(counts), sum(count for _, count in counts))
    return blockmap.tree_blocks(counts)
