"""A tree's entries as a hierarchy: who is whose child, checked once for all file systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from builders.errors import BuilderError
from builders.tree import Content, Entry, path_bytes


class BadTree(BuilderError):
    """The tree is not one that a file system can hold."""


class NoRoot(BadTree):
    def __init__(self) -> None:
        super().__init__("the tree does not begin with a directory as its root")


class MissingParent(BadTree):
    def __init__(self, path: str) -> None:
        super().__init__(
            f"/{path} is in the tree before, or without, the directory that it is in",
            hint="merge the tree with an empty one: that creates parents and sorts",
        )


class DuplicatePath(BadTree):
    def __init__(self, path: str) -> None:
        super().__init__(f"/{path} is twice in the tree")


class BadName(BadTree):
    def __init__(self, path: str) -> None:
        super().__init__(f"{path!r} has a component that cannot be a file name")


class NameTooLong(BadTree):
    def __init__(self, path: str, length: int, limit: int) -> None:
        super().__init__(f"the name of /{path} has {length} bytes; {limit} are allowed")


class BadHardLink(BadTree):
    def __init__(self, path: str, target: str) -> None:
        super().__init__(
            f"/{path} is a hard link to /{target}, which is not a file earlier in the tree"
        )


class BadContent(BadTree):
    def __init__(self, path: str, size: int) -> None:
        super().__init__(f"/{path} has no content, or not one of its {size} bytes")


@dataclass(slots=True)
class Hierarchy:
    """The entries of a tree with, by index in `entries`, what they are to each other.

    names     last components, b"" for the root
    parents   the directory that the entry is in; the root's is itself
    children  of each directory, in the order of the tree
    targets   of each hard link: the entry that it is another name of
    """

    entries: Sequence[Entry]
    names: list[bytes]
    parents: list[int]
    children: dict[int, list[int]]
    targets: dict[int, int]


def index(tree: Sequence[Entry], longest_name: int = 255) -> Hierarchy:
    """Check the tree and find its structure. Raises the subclasses of BadTree above."""
    if not tree or tree[0].path or tree[0].kind != "d":
        raise NoRoot
    names: list[bytes] = []
    parents: list[int] = []
    children: dict[int, list[int]] = {}
    directories: dict[str, int] = {"": 0}
    links: list[int] = []
    for number, entry in enumerate(tree):
        path = entry.path
        kind = entry.kind
        if number:
            directory, _, last = path.rpartition("/")
            parent = directories.get(directory)
            if parent is None:
                raise MissingParent(path)
            name = last.encode("utf-8", "surrogateescape")
            if last in ("", ".", "..") or "\0" in last:
                raise BadName(path)
            if len(name) > longest_name:
                raise NameTooLong(path, len(name), longest_name)
            children[parent].append(number)
            parents.append(parent)
            names.append(name)
        else:
            parents.append(0)
            names.append(b"")
        if kind == "d":
            directories[path] = number
            children[number] = []
        elif kind == "h":
            links.append(number)
    if len({entry.path for entry in tree}) != len(tree):
        raise DuplicatePath(_first_duplicate(tree))
    return Hierarchy(tree, names, parents, children, _targets(tree, links))


def _first_duplicate(tree: Sequence[Entry]) -> str:
    seen: set[str] = set()
    for entry in tree:
        if entry.path in seen:
            return entry.path
        seen.add(entry.path)
    raise AssertionError("no duplicate")


def _targets(tree: Sequence[Entry], links: list[int]) -> dict[int, int]:
    if not links:
        return {}
    wanted = {tree[link].ref for link in links}
    places = {
        entry.path: number
        for number, entry in enumerate(tree)
        if entry.path in wanted and entry.kind not in "dh"
    }
    targets: dict[int, int] = {}
    for link in links:
        target = str(tree[link].ref)
        place = places.get(target)
        if place is None or place > link:
            raise BadHardLink(tree[link].path, target)
        targets[link] = place
    return targets


def by_source(entries: Sequence[Entry]) -> list[int]:
    """The files: generated ones, then by source (in the order in which the tree names them)."""
    ranks: dict[str, int] = {}
    keyed = []
    for number, entry in enumerate(entries):
        if entry.kind == "f":
            ref = entry.ref
            if isinstance(ref, Content):
                rank = ranks.setdefault(ref.source, len(ranks) + 1)
                keyed.append((rank, ref.offset, number))
            else:
                keyed.append((0, 0, number))
    keyed.sort()
    return [number for _, _, number in keyed]


def largest(tree: Sequence[Entry], count: int = 3) -> list[tuple[str, int]]:
    """The (path, bytes) of the biggest files: what to look at when a tree does not fit."""
    files = sorted(
        ((entry.size, path_bytes(entry.path), entry.path) for entry in tree if entry.kind == "f"),
        key=lambda item: (-item[0], item[1]),
    )
    return [(path, size) for size, _, path in files[:count]]


class TreeDoesNotFit(BadTree):
    """A file system of a given size is too small for the tree."""

    def __init__(self, tree: Sequence[Entry], needed: int, size: int, what: str) -> None:
        biggest = ", ".join(f"/{path} ({length:,} B)" for path, length in largest(tree))
        super().__init__(
            f"the tree needs {needed:,} bytes as {what}, but the size given is {size:,}: "
            f"{needed - size:,} too few",
            hint="give a bigger size, or none for one that fits"
            + (f"; the largest files are {biggest}" if biggest else ""),
        )
        self.needed = needed
        self.size = size
        self.biggest = biggest
        self.field = "size"
