"""The builder "directory-tree": a directory of the store as a tree that file systems can hold."""

from __future__ import annotations

from builders import mtree
from builders.errors import BuilderError
from builders.merge import merge
from builders.registry import Build, builder
from builders.scan import scan
from builders.tree import Entry, path_bytes


class NotADirectory(BuilderError):
    """What should fill a file system is a single file, or nothing at all."""

    def __init__(self, source: str, *, there: bool) -> None:
        what = "is a single file" if there else "does not exist"
        super().__init__(
            f"what is to fill a file system {what}: {source}",
            hint="an initializer is a directory, or leaves one at #$output",
        )
        self.part = 0


@builder("directory-tree")
def directory_tree(build: Build) -> None:
    """Make an item with a manifest of a directory; contents stay where they are. Arguments:

    source   store path of the directory
    below    names of links at its top to items with manifests (optional): where the directory has
             such a link, that tree lies below its files, in the place of the link
    modes    the name of a file at its top (optional), left out of the tree: MODE PATH NUL of all
             files as they were before the store made them read-only

    What comes from such trees is as it is there, directories that both have, too; all else belongs
    to root, with the build's epoch as time stamp. Raise NotADirectory and what merge raises.
    """
    source = build.arguments["source"]
    directory = build.real(source)
    if not directory.is_dir():
        raise NotADirectory(source, there=directory.exists())
    time = build.epoch * 1_000_000_000
    entries = scan(directory, source=source, owner=(0, 0), time=time, reproducible=True)
    if modes := build.arguments.get("modes"):
        known_modes = _modes((directory / modes).read_bytes())
        entries = [
            entry._replace(mode=known_modes.get(path_bytes(entry.path), entry.mode))
            if entry.kind not in "hl"
            else entry
            for entry in entries
            if entry.path != modes
        ]
    names = build.arguments.get("below") or []
    items = [entry.ref for entry in entries if entry.path in names and isinstance(entry.ref, str)]
    if items:
        trees = [mtree.read_item(build.real(item), item) for item in items]
        known = {entry.path for tree in trees for entry in tree if entry.kind == "d"}
        own = [entry for entry in entries if not _is_there(entry, known, names)]
        entries = merge(*trees, own, time=time)
    build.output.mkdir()
    (build.output / "manifest").write_text(mtree.write(entries, build.logical), "ascii")


def _modes(recorded: bytes) -> dict[bytes, int]:
    lines = (line.partition(b" ") for line in recorded.split(b"\0")[:-1])
    return {path: int(mode, 8) for mode, _, path in lines}


def _is_there(entry: Entry, directories: set[str], links: list[str]) -> bool:
    return entry.path in links or (entry.kind == "d" and entry.path in directories)
