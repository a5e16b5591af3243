"""The builder "directory-tree": a directory of the store as a tree that file systems can hold."""

from __future__ import annotations

from builders import mtree
from builders.errors import BuilderError
from builders.registry import Build, builder
from builders.scan import scan


class NotADirectory(BuilderError):
    """What should fill a file system is a single file."""


@builder("directory-tree")
def directory_tree(build: Build) -> None:
    """Make an item with a manifest of a directory; contents stay where they are. Arguments:

    source   store path of the directory

    All belongs to root, with the build's epoch as time stamp. Raise NotADirectory.
    """
    source = build.arguments["source"]
    directory = build.real(source)
    if not directory.is_dir():
        raise NotADirectory(
            f"{build.name} is to fill a file system and is a single file",
            hint="an initializer leaves a directory at #$output",
        )
    entries = scan(directory, source=source, owner=(0, 0), time=build.epoch * 1_000_000_000)
    build.output.mkdir()
    (build.output / "manifest").write_text(mtree.write(entries, build.logical), "ascii")
