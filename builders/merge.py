"""Trees laid over each other: no content is touched, only entries are chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from builders.errors import BuilderError
from builders.tree import Entry, Kind, order

_NAMES: dict[Kind, str] = {
    "d": "a directory",
    "f": "a file",
    "l": "a symbolic link",
    "h": "a file",
    "c": "a character device",
    "b": "a block device",
    "p": "a fifo",
    "s": "a socket",
}
_MOST_LINKS = 40  # as the kernel's limit


class TreeConflict(BuilderError):
    """Two trees have a directory and something else at the same path."""

    def __init__(self, path: str, old: Kind, new: Kind) -> None:
        super().__init__(
            f"/{path} is {_NAMES[old]} in one tree and {_NAMES[new]} in another",
            hint="leave one of the two out, or give it another name",
        )
        self.path = path


class LinkLoop(BuilderError):
    """A path leads through symbolic links that lead to each other."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"/{path} leads through a loop of symbolic links",
            hint="one of the links must point to a directory",
        )


class DanglingHardLink(BuilderError):
    """A hard link names an entry that is not in the tree, or a directory."""

    def __init__(self, path: str, target: str) -> None:
        super().__init__(f"/{path} is a hard link to /{target}, which is not a file of the tree")


def merge(*trees: Iterable[Entry], time: int = 0) -> list[Entry]:
    """One tree of all; where two have the same path, the later tree's entry is taken.

    Directories that a path needs and no tree lists are made (0755, root, mtime `time` ns). A path
    through a symbolic link to a directory lands where the link points ("lib/x" in "usr/lib/x" when
    lib is a link to usr/lib); a directory over such a link leaves the link. A file that is replaced
    stays what it was under its other hard links. Raises TreeConflict, LinkLoop, DanglingHardLink.
    """
    merged = _Merged(time)
    for number, tree in enumerate(trees):
        if number == 0 and merged.adopt(tree):
            continue
        for entry in tree:
            merged.put(entry)
    return arrange(merged.entries.values())


def without(tree: Iterable[Entry], paths: Iterable[str]) -> list[Entry]:
    """`tree` without `paths` and what is below them; hard links that stay keep the content."""
    removed = set(paths)
    kept: dict[str, Entry] = {}
    gone: dict[str, Entry] = {}
    for entry in tree:
        path = entry.path
        if path in removed or path.rpartition("/")[0] in gone:
            gone[path] = entry
        else:
            kept[path] = entry
    for path, entry in kept.items():
        if entry.kind == "h" and isinstance(entry.ref, str) and entry.ref in gone:
            heir = gone[entry.ref]
            if heir.kind == "h":
                kept[path] = entry._replace(ref=heir.ref)
            else:
                kept[path] = heir._replace(path=path)
                gone[entry.ref] = entry._replace(ref=path)
    return arrange(kept.values())


def arrange(entries: Iterable[Entry]) -> list[Entry]:
    """The entries in the order of trees; of the names of one file the first is the file itself.

    Raises DanglingHardLink.
    """
    result = sorted(entries, key=lambda entry: order(entry.path))
    links = [(index, entry) for index, entry in enumerate(result) if entry.kind == "h"]
    if not links:
        return result
    targets = {entry.ref for _, entry in links}
    place = {entry.path: index for index, entry in enumerate(result) if entry.path in targets}
    for index, entry in links:
        target = str(entry.ref)
        at = place.get(target)
        while at is not None and result[at].kind == "h":  # its file was met later in the order
            target = str(result[at].ref)
            at = place.get(target)
        if at is None or result[at].kind == "d":
            raise DanglingHardLink(entry.path, target)
        if at > index:
            result[index] = result[at]._replace(path=entry.path)
            result[at] = Entry(target, "h", 0, ref=entry.path)
            place[entry.path] = index
        else:
            result[index] = Entry(entry.path, "h", 0, ref=target)
    return result


class _Merged:
    """The tree so far: entries by path, and which paths are links to which."""

    def __init__(self, time: int) -> None:
        self.entries: dict[str, Entry] = {"": Entry("", "d", 0o755, mtime=time)}
        self._time = time
        self._links: dict[str, list[str]] = {}
        self._places: dict[str, str] = {"": ""}

    def adopt(self, tree: Iterable[Entry]) -> bool:
        """Take a whole first tree when it needs no thought: sorted, complete, links not crossed."""
        if not isinstance(tree, Sequence):
            return False
        directories = {""}
        for entry in tree:
            path = entry.path
            if path and path.rpartition("/")[0] not in directories:
                return False
            if entry.kind == "d":
                directories.add(path)
        taken = {entry.path: entry for entry in tree}
        if len(taken) != len(tree):
            return False
        self.entries.update(taken)
        for entry in tree:
            if entry.kind == "h":
                self._links.setdefault(str(entry.ref), []).append(entry.path)
        return True

    def put(self, entry: Entry) -> None:
        path, kind = entry.path, entry.kind
        place = self._landing(path)
        old = self.entries.get(place)
        if kind == "d":
            if old is not None and old.kind == "l":
                self._directory(path)
                return
            if old is not None and old.kind != "d":
                raise TreeConflict(place, old.kind, kind)
        elif old is not None:
            if old.kind == "d":
                raise TreeConflict(place, old.kind, kind)
            self._displace(old)
        if kind == "h":
            target = self._landing(str(entry.ref))
            entry = entry._replace(ref=target)
            self._links.setdefault(target, []).append(place)
        elif kind == "l" or (old is not None and old.kind == "l"):
            self._places = {"": ""}
        self.entries[place] = entry if place == path else entry._replace(path=place)

    def _landing(self, path: str) -> str:
        parent, _, name = path.rpartition("/")
        if not parent:
            return path
        directory = self._directory(parent)
        return f"{directory}/{name}" if directory else name

    def _displace(self, old: Entry) -> None:
        """`old` is about to be replaced; its other names inherit what it was."""
        if old.kind == "h":
            names = self._links.get(str(old.ref), [])
            if old.path in names:
                names.remove(old.path)
            return
        heirs = self._links.pop(old.path, None)
        if heirs:
            first, *rest = heirs
            self.entries[first] = old._replace(path=first)
            for name in rest:
                self.entries[name] = self.entries[name]._replace(ref=first)
            if rest:
                self._links[first] = rest

    def _directory(self, path: str, depth: int = 0) -> str:
        """Where the directory `path` really is; it and its parents are made if need be."""
        place = self._places.get(path)
        if place is not None:
            return place
        if depth > _MOST_LINKS:
            raise LinkLoop(path)
        parent, _, name = path.rpartition("/")
        directory = self._directory(parent, depth)
        place = f"{directory}/{name}" if directory else name
        entry = self.entries.get(place)
        if entry is None:
            self.entries[place] = Entry(place, "d", 0o755, mtime=self._time)
        elif entry.kind == "l":
            place = self._follow(directory, str(entry.ref), path, depth)
        elif entry.kind != "d":
            raise TreeConflict(place, entry.kind, "d")
        self._places[path] = place
        return place

    def _follow(self, directory: str, target: str, path: str, depth: int) -> str:
        """The directory that the link target `target`, read in `directory`, means."""
        place = "" if target.startswith("/") else directory
        for name in target.split("/"):
            if name in ("", "."):
                continue
            if name == "..":
                place = place.rpartition("/")[0]
            else:
                if depth >= _MOST_LINKS:
                    raise LinkLoop(path)
                place = self._directory(f"{place}/{name}" if place else name, depth + 1)
        return place
