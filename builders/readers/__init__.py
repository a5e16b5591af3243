"""Reads what images hold: partition tables, file systems and files, without mounting any.

An image is a `Source`, a run of bytes; a partition is a window of one; a file system in it is a
`FileSystem`, whatever its kind. Images may be anybody's: whatever a reader finds that cannot be
right is a DamagedImage, and names never lead out of their directory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Protocol

from builders.errors import BuilderError
from builders.readers.source import DamagedImage, Source
from builders.tree import Entry

MOST_LINKS = 40  # as the kernel's limit

DEEPEST = 400
"""More directories in each other are taken for damage: one that is in itself has no end."""

READERS = (
    "builders.readers.squashfs",
    "builders.readers.erofs",
    "builders.readers.btrfs",
    "builders.readers.ext4",
    "builders.readers.iso9660",
    "builders.readers.cpio",
    "builders.readers.tar",
    "builders.readers.pe",
    "builders.readers.fat",
)
"""Modules with `recognises(source) -> bool` and `open_source(source) -> FileSystem`, in the order
in which they are asked: the last ones are the least sure.
"""

_OTHERS = (
    (4086, b"SWAPSPACE2", "swap space, which holds no files"),
    (0, b"\x1f\x8b", "compressed by gzip"),
    (0, b"\xfd7zXZ\0", "compressed by xz"),
    (0, b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (0, b"XFSB", "an XFS file system"),
)


class FileSystem(Protocol):
    """A file system that is read. Paths are as in builders.tree, without symbolic links in them.

    `kind` and `label` are for people. All raise DamagedImage and OSError.
    """

    kind: str
    label: str

    def children(self, path: str) -> list[Entry]:
        """What is in a directory, sorted by name. Contents are not there: `ref` of files is None,
        and further names of a file look like files."""

    def runs(self, path: str) -> Iterator[tuple[int, bytes]]:
        """The content of a file: (offset, bytes), ascending; what is not given is zero."""

    def root(self) -> Entry:
        """The root directory."""


class UnknownContent(BuilderError):
    """No reader knows what this is."""


class NoSuchPath(BuilderError):
    """A path does not exist in an image."""

    def __init__(self, path: str, name: str, near: Sequence[str]) -> None:
        hint = f"did you mean {', '.join(near)}?" if near else None
        super().__init__(f"there is no {name} in /{path}", hint=hint)


class NotADirectory(BuilderError):
    def __init__(self, path: str) -> None:
        super().__init__(f"/{path} is not a directory")


class TooManyLinks(BuilderError):
    def __init__(self, path: str) -> None:
        super().__init__(f"/{path} leads from symbolic link to symbolic link")


def open_file_system(source: Source) -> FileSystem:
    """The file system that fills `source`. Raises UnknownContent, DamagedImage."""
    for module in READERS:
        reader = import_module(module)
        if reader.recognises(source):
            found: FileSystem = reader.open_source(source)
            return found
    for offset, magic, what in _OTHERS:
        if starts(source, offset, magic):
            raise UnknownContent(f"this is {what}: it cannot be looked into")
    raise UnknownContent(
        "there is no file system that Kiln reads",
        hint="it reads ext2, ext3, ext4, btrfs, FAT, ISO 9660, EROFS and squashfs",
    )


def starts(source: Source, offset: int, magic: bytes) -> bool:
    """Whether `magic` is at `offset`."""
    end = offset + len(magic)
    return end <= source.size and source.read(offset, len(magic)) == magic


def find(file_system: FileSystem, path: str, *, follow: bool = True) -> Entry:
    """The entry at `path`, which may begin with "/", go through links, and have "." and "..".

    follow  whether a link at the end is followed, too

    Raises NoSuchPath, NotADirectory, TooManyLinks, DamagedImage.
    """
    todo = path.split("/")[::-1]
    trail = [file_system.root()]
    links = 0
    while todo:
        name = todo.pop()
        here = trail[-1]
        if name in ("", "."):
            continue
        if here.kind != "d":
            raise NotADirectory(here.path)
        if name == "..":
            trail = trail[:-1] or trail
            continue
        children = {
            child.path.rpartition("/")[2]: child for child in file_system.children(here.path)
        }
        child = children.get(name)
        if child is None:
            raise NoSuchPath(here.path, name, get_close_matches(name, children, n=3))
        if child.kind == "l" and (follow or any(todo)):
            links += 1
            if links > MOST_LINKS:
                raise TooManyLinks(child.path)
            target = str(child.ref)
            if target.startswith("/"):
                trail = trail[:1]
            todo += target.split("/")[::-1]
        else:
            trail.append(child)
    return trail[-1]


class Directories:
    """The directories that were met in a file system. Each has one path: one that had several
    would be in itself, or be listed times without number.
    """

    def __init__(self, root: object = None) -> None:
        self._paths = {root: ""}

    def meet(self, identity: object, path: str) -> None:
        """Raise DamagedImage if this is a directory that is known by another path."""
        known = self._paths.setdefault(identity, path)
        if known != path:
            raise DamagedImage(f"/{path} and /{known} are the same directory")


def checked_name(name: bytes, directory: str) -> str:
    """A directory's entry as part of a path. Raises DamagedImage for what cannot be a name."""
    if directory.count("/") > DEEPEST:
        raise DamagedImage(f"there are more than {DEEPEST} directories in each other")
    if not name or b"/" in name or b"\0" in name or name in (b".", b".."):
        raise DamagedImage(f"/{directory} has an entry with the name {name!r}")
    return name.decode("utf-8", "surrogateescape")
