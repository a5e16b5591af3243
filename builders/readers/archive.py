"""What is in archives as a file system: paths, and where the contents are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from builders.readers import checked_name
from builders.readers.source import DamagedImage, Source, Window
from builders.tree import Entry, order, path_bytes

_LONGEST_RUN = 1 << 20


class Content(NamedTuple):
    """`length` bytes of `source`, from `offset`."""

    source: Source
    offset: int
    length: int


class Archive:
    """A file system that is filled entry by entry; see builders.readers.FileSystem."""

    label = ""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries = {"": Entry("", "d", 0o755)}
        self._contents: dict[str, Content] = {}
        self._names: dict[str, dict[str, str]] = {"": {}}  # of each directory: name to path

    def root(self) -> Entry:
        """See FileSystem."""
        return self._entries[""]

    def children(self, path: str) -> list[Entry]:
        """See FileSystem."""
        if path not in self._names:
            raise DamagedImage(f"/{path} is not a directory")
        found = [self._entries[child] for child in self._names[path].values()]
        return sorted(found, key=lambda entry: order(entry.path))

    def runs(self, path: str) -> Iterator[tuple[int, bytes]]:
        """See FileSystem."""
        content = self._contents.get(path)
        if content is None:
            return
        for start in range(0, content.length, _LONGEST_RUN):
            length = min(_LONGEST_RUN, content.length - start)
            yield start, content.source.read(content.offset + start, length)

    def source(self, path: str) -> Source | None:
        """The content of a file; None: there is no such file, or it is empty."""
        content = self._contents.get(path)
        return Window(*content) if content else None

    def add(self, entry: Entry, content: Content | None = None) -> None:
        """Add an entry whose path is from `normal`; it takes the place of one that is there.

        Raises DamagedImage if it is in what is no directory.
        """
        path = entry.path
        if not path:
            if entry.kind == "d":
                self._entries[""] = entry
            return
        directory, _, name = path.rpartition("/")
        if directory not in self._names:
            if directory in self._entries:
                raise DamagedImage(f"/{directory} is not a directory, and /{path} is in it")
            self.add(Entry(directory, "d", 0o755))
        if not (entry.kind == "d" and path in self._names):
            self.remove(path)
        self._names[directory][name] = path
        self._entries[path] = entry
        if entry.kind == "d":
            self._names.setdefault(path, {})
        elif content is not None and content.length:
            self._contents[path] = content

    def add_link(self, path: str, target: str) -> None:
        """Add a further name of the file `target`. Raises DamagedImage if there is none."""
        entry = self._entries.get(target)
        if entry is None or entry.kind == "d":
            raise DamagedImage(f"/{path} is a further name of /{target}, which is no file")
        content = self._contents.get(target)
        if path != target:
            self.add(entry._replace(path=path), content)

    def remove(self, path: str) -> None:
        """Remove an entry, if it is there, with all that is in it."""
        if path not in self._entries or not path:
            return
        directory, _, name = path.rpartition("/")
        del self._names[directory][name]
        todo = [path]
        while todo:
            one = todo.pop()
            todo += self._names.pop(one, {}).values()
            del self._entries[one]
            self._contents.pop(one, None)

    def empty(self, path: str) -> None:
        """Remove what is in a directory, if it is there."""
        for child in list(self._names.get(path, {}).values()):
            self.remove(child)


def normal(name: str) -> str:
    """A path of an archive as trees have them. Raises DamagedImage for one that leads out of it."""
    path = ""
    for part in name.split("/"):
        if part not in ("", "."):
            checked = checked_name(path_bytes(part), path)
            path = f"{path}/{checked}" if path else checked
    return path


def of_files(kind: str, files: Sequence[tuple[str, Content]]) -> Archive:
    """An archive of nothing but files with names. Raises DamagedImage."""
    made = Archive(kind)
    for name, content in files:
        made.add(Entry(normal(name), "f", 0o444, size=content.length), content)
    return made
