"""What a tree needs of a FAT file system of any size: names, directories, an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from builders.filesystems.hierarchy import BadTree, Hierarchy, by_source, index
from builders.filesystems.vfat import names
from builders.tree import Entry

_LARGEST = 0xFFFFFFFF
_MOST_ENTRIES = 65536  # of a directory
_MOST_IN_ROOT = 65520  # of the root of FAT12 and FAT16


class NotInFat(BadTree):
    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"/{path} is {what}, which a FAT file system cannot hold")


class SameName(BadTree):
    def __init__(self, path: str) -> None:
        super().__init__(f"/{path} differs from another name in its directory by case only")


class DirectoryTooLarge(BadTree):
    def __init__(self, path: str, count: int) -> None:
        super().__init__(
            f"the directory /{path} takes {count:,} entries with its files' long names; "
            f"{_MOST_ENTRIES:,} are the most of FAT",
            hint="spread the files over several directories",
        )


_OTHER_KINDS = {
    "h": "another name of a file",
    "l": "a symbolic link",
    "c": "a character device",
    "b": "a block device",
    "p": "a fifo",
    "s": "a socket",
}


@dataclass(frozen=True, slots=True)
class Survey:
    """Entries are named by their index in the tree.

    shorts       short names
    directories  bytes of the directories' entries
    files        those of one source together and in its order
    """

    hierarchy: Hierarchy
    shorts: Mapping[int, names.Short]
    directories: Mapping[int, int]
    files: Sequence[int]

    def clusters(self, cluster: int, *, root: bool) -> dict[int, int]:
        """How many clusters, of `cluster` bytes, each directory and file takes, in their order.

        root    whether the root directory is in clusters, too
        """
        entries = self.hierarchy.entries
        counts = {
            number: -(-size // cluster)
            for number, size in self.directories.items()
            if number or root
        }
        for number in self.files:
            counts[number] = -(-entries[number].size // cluster)
        return counts

    def root_entries(self, least: int = 512) -> int:
        """Entries that the root of FAT12 and FAT16 has room for: `least`, or more."""
        count = self.directories[0] // names.ENTRY
        if count > _MOST_IN_ROOT:
            raise BadTree("the root directory has more files than a FAT12 or FAT16 can hold")
        return max(least, -(-count // 128) * 128)


def survey(tree: Sequence[Entry]) -> Survey:
    """Check all entries and give them short names. Raise BadTree's subclasses."""
    hierarchy = index(tree)
    entries = hierarchy.entries
    shorts: dict[int, names.Short] = {}
    directories: dict[int, int] = {}
    for directory, children in hierarchy.children.items():
        given = names.ShortNames(entries[child].path.rpartition("/")[2] for child in children)
        folded: set[str] = set()
        count = 2 if directory else 1  # "." and "..", or the label
        for child in children:
            entry = entries[child]
            if entry.kind not in "fd":
                raise NotInFat(entry.path, _OTHER_KINDS[entry.kind])
            if entry.size > _LARGEST:
                raise NotInFat(entry.path, "a file of 4 GiB or more")
            name = entry.path.rpartition("/")[2]
            names.check(entry.path, name)
            key = names.folded(name)
            if key in folded:
                raise SameName(entry.path)
            folded.add(key)
            short = shorts[child] = given.give(name)
            count += names.entries_of(name, short.exact)
        if count > _MOST_ENTRIES:
            raise DirectoryTooLarge(entries[directory].path, count)
        directories[directory] = count * names.ENTRY
    return Survey(hierarchy, shorts, directories, by_source(entries))
