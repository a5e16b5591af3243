"""Subvolumes: which directories are trees of their own, and what is moved into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from builders.filesystems.btrfs.items import FIRST_FREE, FS_TREE
from builders.filesystems.btrfs.options import Subvolume
from builders.filesystems.hierarchy import BadTree, Hierarchy
from builders.filesystems.options import BadOption
from builders.tree import Entry, order


class LinkBetweenSubvolumes(BadTree):
    def __init__(self, path: str, target: str) -> None:
        super().__init__(
            f"/{path} is a hard link to /{target}, which is in another subvolume",
            hint="btrfs has hard links within a subvolume only",
        )


@dataclass(slots=True)
class Volume:
    """A tree of files.

    number   of the tree: 5 for the one at the top, from 256 on for subvolumes
    root     index of the entry that is its root directory
    members  indexes of its entries, in order, the root first; without hard links
    declared what the options say of it; None for the one at the top
    """

    number: int
    root: int
    declared: Subvolume | None = None
    members: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Division:
    """All volumes, the top one first; of each entry by index its volume (its place in `volumes`)
    and its inode. A subvolume's root is in itself.
    """

    volumes: list[Volume]
    of: list[int]
    inodes: list[int]


def divide(hierarchy: Hierarchy, subvolumes: Sequence[Subvolume]) -> Division:
    """Raises BadOption for a subvolume that is no directory, LinkBetweenSubvolumes."""
    entries = hierarchy.entries
    wanted = {each.path: each for each in subvolumes}
    volumes = [Volume(FS_TREE, 0)]
    of = [0] * len(entries)
    inodes = [FIRST_FREE] * len(entries)
    for number, entry in enumerate(entries):
        declared = wanted.pop(entry.path, None) if wanted and number else None
        if declared is not None:
            if entry.kind != "d":
                raise BadOption("subvolumes", f"/{entry.path} of the tree is not a directory")
            of[number] = len(volumes)
            volumes.append(Volume(FIRST_FREE + len(volumes) - 1, number, declared))
        else:
            of[number] = of[hierarchy.parents[number]]
        target = hierarchy.targets.get(number)
        if target is not None:
            if of[target] != of[number]:
                raise LinkBetweenSubvolumes(entry.path, entries[target].path)
            inodes[number] = inodes[target]
            continue
        members = volumes[of[number]].members
        inodes[number] = FIRST_FREE + len(members)
        members.append(number)
    for path in wanted:
        raise BadOption(
            "subvolumes",
            f"the tree has no directory /{path}; a root is put into a subvolume by the mount option"
            f" subvol={path} of /",
        )
    return Division(volumes, of, inodes)


def rearrange(tree: Sequence[Entry], subvolumes: Sequence[Subvolume]) -> Sequence[Entry]:
    """The tree with the directories that subvolumes hold moved to where those are.

    Where one was moved from, an empty directory is left to mount the subvolume on. One that the
    tree does not have makes an empty subvolume.
    """
    moved = {each.holds: each.path for each in subvolumes if each.holds is not None}
    if not moved:
        return tree
    if len(moved) < sum(each.holds is not None for each in subvolumes):
        raise BadOption("subvolumes", "a directory can be in one of them only")
    top = tree[0]
    places: dict[str, str] = {}  # of each directory
    found: dict[str, Entry] = {}
    for entry in tree:
        path = entry.path
        directory, _, name = path.rpartition("/")
        above = places.get(directory, directory) if path else ""
        place = f"{above}/{name}" if above else name
        ref = entry.ref
        if entry.kind == "d":
            if path in moved:
                if path:
                    found[place] = entry._replace(path=place, xattrs=None)
                place = moved[path]
            places[path] = place
        elif entry.kind == "h":
            target, _, last = str(entry.ref).rpartition("/")
            base = places.get(target, target)
            ref = f"{base}/{last}" if base else last
        if place in found:
            raise BadOption("subvolumes", f"/{place} would be there twice")
        found[place] = entry._replace(path=place, ref=ref)
    found.setdefault("", Entry("", "d", 0o755, mtime=top.mtime))
    for path in moved.values():
        for end in (at for at, letter in enumerate(f"{path}/") if letter == "/"):
            found.setdefault(path[:end], Entry(path[:end], "d", 0o755, mtime=top.mtime))
    return sorted(found.values(), key=lambda entry: order(entry.path))
