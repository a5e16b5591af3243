"""The builder "directory-tree": a directory of the store as a tree that file systems can hold."""

from __future__ import annotations

from collections.abc import Mapping

from builders import attributes, mtree
from builders.attributes import Attributes
from builders.errors import BuilderError
from builders.merge import merge
from builders.registry import Build, builder
from builders.scan import scan
from builders.tree import Entry


class NotADirectory(BuilderError):
    """What should fill a file system is a single file, or nothing at all."""

    def __init__(self, source: str, *, there: bool) -> None:
        what = "is a single file" if there else "does not exist"
        super().__init__(
            f"what is to fill a file system {what}: {source}",
            hint="an initializer is a directory, or leaves one at #$output",
        )
        self.part = 0


class NoOwners(BuilderError):
    """A file was given to someone, where files have no owners."""

    def __init__(self, path: str, owner: tuple[int, int], where: str) -> None:
        super().__init__(
            f"/{path} belongs to {owner[0]}:{owner[1]}, and {where} has no owners of files",
            hint="choose another file system, or leave chown out: who mounts it says whose all is",
        )
        self.part = 0


@builder("directory-tree")
def directory_tree(build: Build) -> None:
    """Make an item with a manifest of a directory; contents stay where they are. Arguments:

    source   store path of the directory
    below    names of links at its top to items with manifests (optional): where the directory has
             such a link, that tree lies below its files, in the place of the link
    attributes  the name of a file at its top (optional), left out of the tree: what files are,
             from a recording; without it, the modes are those of the store
    ownerless   what the tree is for (optional), if all there has to belong to root

    What comes from such trees is as it is there, directories that both have, too, unless they were
    given to someone; all else belongs to root, or whom it was given to, with the build's epoch as
    time stamp. Raise NotADirectory, NoOwners and what merge raises.
    """
    source = build.arguments["source"]
    directory = build.real(source)
    if not directory.is_dir():
        raise NotADirectory(source, there=directory.exists())
    time = build.epoch * 1_000_000_000
    entries = scan(directory, source=source, owner=(0, 0), time=time, reproducible=True)
    known: dict[str, Attributes] = {}
    if name := build.arguments.get("attributes"):
        known = attributes.read(directory / name)
        if where := build.arguments.get("ownerless"):
            for path, given in known.items():
                if given.owner:
                    raise NoOwners(path, given.owner, where)
        entries = [_with(entry, known.get(entry.path)) for entry in entries if entry.path != name]
    names = build.arguments.get("below") or []
    items = [entry.ref for entry in entries if entry.path in names and isinstance(entry.ref, str)]
    if items:
        trees = [mtree.read_item(build.real(item), item) for item in items]
        below = {entry.path: entry for tree in trees for entry in tree if entry.kind == "d"}
        own = [
            over
            for entry in entries
            if entry.path not in names
            and (over := _over(entry, below.get(entry.path), known)) is not None
        ]
        entries = merge(*trees, own, time=time)
    build.output.mkdir()
    (build.output / "manifest").write_text(mtree.write(entries, build.logical), "ascii")


def _with(entry: Entry, given: Attributes | None) -> Entry:
    """The entry of a file as its attributes have it."""
    if given is None or entry.kind == "h":
        return entry
    mode = entry.mode if entry.kind == "l" else given.mode
    uid, gid = given.owner or (entry.uid, entry.gid)
    entry = entry._replace(mode=mode, uid=uid, gid=gid)
    if given.xattrs:
        entry = entry._replace(xattrs={**(entry.xattrs or {}), **given.xattrs})
    if given.device:
        kind, major, minor = given.device
        entry = entry._replace(kind="c" if kind == "c" else "b", size=0, ref=(major, minor))
    return entry


def _over(entry: Entry, below: Entry | None, known: Mapping[str, Attributes]) -> Entry | None:
    """What lies over the directory `below`, if there is one, at the place of an entry: a directory
    only gives it the owner that it was given itself, if any.
    """
    if entry.kind != "d" or below is None:
        return entry
    owner = known[entry.path].owner if entry.path in known else None
    return below._replace(uid=owner[0], gid=owner[1]) if owner else None
