"""Unpacked packages put together as dpkg would have, and laid out as files to be configured.

`place` decides, without touching a disk, what is where and whose it is; `lay_out` writes it.
Paths are canonical: they lead through no symbolic link, so writing stays within the root.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from builders.debian.control import parse_relations
from builders.debian.dpkgdb import Unpacked
from builders.debian.version import satisfies
from builders.errors import BuilderError
from builders.tree import Content, Entry, order

MERGED = ("bin", "sbin", "lib", "lib64")
"""Directories that are links into /usr in every root; the following only where they are used."""
_MERGED_WHERE_USED = ("lib32", "libo32", "libx32")
_MOST_LINKS = 40  # as the kernel's limit
_SMALL = 1 << 20


class FileConflict(BuilderError):
    """Two packages have the same file and neither replaces the other."""


class LinkLoop(BuilderError):
    """A path in a package leads through a loop of symbolic links."""


@dataclass
class Layout:
    """A root that is not written yet.

    entries  by canonical path, the parent of each entry included
    listed   of each package, by name, its paths as dpkg lists them
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    listed: dict[str, list[str]] = field(default_factory=dict)
    _places: dict[str, str] = field(default_factory=dict)

    def locate(self, path: str) -> str:
        """The canonical path of `path`: no component but the last is a symbolic link."""
        parent, _, name = path.rpartition("/")
        if not parent:
            return path
        directory = self._directory(parent)
        return f"{directory}/{name}" if directory else name

    def _directory(self, path: str, depth: int = 0) -> str:
        """The canonical path of the directory that `path` leads to; it need not exist."""
        known = self._places.get(path)
        if known is not None:
            return known
        if depth > _MOST_LINKS:
            raise LinkLoop(
                f"/{path} leads through a loop of symbolic links",
                hint="two of the packages do not belong together; leave one out",
            )
        parent, _, name = path.rpartition("/")
        directory = self._directory(parent, depth) if parent else ""
        place = f"{directory}/{name}" if directory else name
        entry = self.entries.get(place)
        if entry is None:
            return place
        if entry.kind == "l":
            target = str(entry.ref)
            place = "" if target.startswith("/") else directory
            for component in target.split("/"):
                if component == "..":
                    place = place.rpartition("/")[0]
                elif component not in ("", "."):
                    step = f"{place}/{component}" if place else component
                    place = self._directory(step, depth + 1)
        self._places[path] = place
        return place


def place(packages: Sequence[tuple[Unpacked, Sequence[Entry]]], *, time: int) -> Layout:
    """Put packages together in their order, with /bin and the like merged into /usr.

    A directory belongs to the first package that has it, and stays one (or a link to one) in the
    later ones; of two packages with the same file, the one that Replaces the other keeps it.
    `time` (ns) is the mtime of what no package has. Raises FileConflict, LinkLoop.
    """
    layout = Layout()
    owners: dict[str, Unpacked] = {}
    entries = layout.entries
    _add_base(layout, packages, time)
    for package, tree in packages:
        listed = layout.listed[package.name] = []
        contents: dict[str, Entry] = {}  # of this package's files, for its hard links
        for entry in tree:
            raw = entry.path
            listed.append(f"/{raw}" if raw else "/.")
            path = layout.locate(raw)
            if entry.kind == "f":
                contents[raw] = entry
            old, owner = entries.get(path), owners.get(path)
            if old is not None:
                contested = owner not in (None, package) and "d" not in (old.kind, entry.kind)
                if _stays(path, old, owner, entry, package):
                    if contested:
                        listed.pop()
                    continue
                if contested and owner is not None:
                    _unlist(layout, owner, path)
            _add_parents(entries, path, time)
            owners[path] = package
            kept = entry
            if entry.kind == "h":
                kept = _link_or_copy(layout, entry, contents, owners, package)
            entries[path] = kept._replace(path=path)
    return layout


def _stays(path: str, old: Entry, owner: Unpacked | None, entry: Entry, package: Unpacked) -> bool:
    """Whether what `owner` (None: nobody in particular) has at `path` stays when `package` comes
    with `entry`. Raises FileConflict.
    """
    if entry.kind == "d" and old.kind in "dl":
        return owner is not None or old.kind == "l"
    if old.kind == "d" and entry.kind == "l":
        return True  # dpkg leaves a directory that is there
    if "d" not in (old.kind, entry.kind):
        if owner is None:
            return entry.kind != "l"
        if owner is package:  # in /bin and /usr/bin, say: the one may be a link to the other
            return entry.kind == "l"
        if _replaces(package, owner):
            return False
        if _replaces(owner, package):
            return True
    raise _conflict(path, owner, package)


def _add_base(
    layout: Layout, packages: Sequence[tuple[Unpacked, Sequence[Entry]]], time: int
) -> None:
    tops = {entry.path.partition("/")[0] for _, tree in packages for entry in tree}
    layout.entries[""] = Entry("", "d", 0o755, mtime=time)
    for name in (*MERGED, *(name for name in _MERGED_WHERE_USED if name in tops)):
        _add_parents(layout.entries, f"usr/{name}/", time)
        layout.entries[name] = Entry(name, "l", 0o777, 0, 0, time, len(name) + 4, f"usr/{name}")


def _add_parents(entries: dict[str, Entry], path: str, time: int) -> None:
    parent = path.rpartition("/")[0]
    known = entries.get(parent)
    if known is not None and known.kind != "d":
        raise FileConflict(
            f"/{parent} is a file in one package and a directory in another",
            hint="they cannot be installed together; leave one of them out",
        )
    if known is None:
        _add_parents(entries, parent, time)
        entries[parent] = Entry(parent, "d", 0o755, mtime=time)


def _replaces(package: Unpacked, other: Unpacked) -> bool:
    return any(
        relation.name == other.name
        and (
            not relation.operator
            or satisfies(other.fields["Version"], relation.operator, relation.version)
        )
        for alternatives in parse_relations(package.fields.get("Replaces", ""))
        for relation in alternatives
    )


def _conflict(path: str, owner: Unpacked | None, package: Unpacked) -> FileConflict:
    hint = "they cannot be installed together; leave one of them out"
    if owner is None:
        return FileConflict(f"package {package.name} has /{path}, a directory, as a file")
    for one in (package, owner):
        if "dpkg-divert" in one.members.get("preinst", ""):
            return FileConflict(
                f"package {one.name} diverts /{path}, of which packages {owner.name} and "
                f"{package.name} both have one",
                hint="Kiln cannot divert files between new packages; leave one of the two out",
            )
    return FileConflict(f"packages {owner.name} and {package.name} both have /{path}", hint=hint)


def _unlist(layout: Layout, loser: Unpacked, path: str) -> None:
    listed = layout.listed[loser.name]
    listed[:] = [name for name in listed if layout.locate(name[1:]) != path]


def _link_or_copy(
    layout: Layout,
    entry: Entry,
    contents: Mapping[str, Entry],
    owners: Mapping[str, Unpacked],
    package: Unpacked,
) -> Entry:
    """A hard link within the package, or the file itself when its first name went to another."""
    target = layout.locate(str(entry.ref))
    if owners.get(target) is package:
        return entry._replace(ref=target)
    return contents[str(entry.ref)]


class Laid(NamedTuple):
    """What a file looked like just after it was written; times in ns."""

    inode: int
    changed: int
    modified: int


def lay_out(
    entries: Mapping[str, Entry],
    root: Path,
    real: Callable[[str], Path],
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Laid]:
    """Write the tree into the empty directory `root`; `real` finds the packs.

    Owners, devices and attributes are left to the manifest. Returns how each path was left.
    """
    top = os.fspath(root)
    ordered = sorted(entries.values(), key=lambda entry: order(entry.path))
    directories = [entry for entry in ordered if entry.kind == "d"]
    files = [entry for entry in ordered if entry.kind == "f"]
    laid: dict[str, Laid] = {}
    before = os.umask(0)
    try:
        for entry in directories:
            if entry.path:
                Path(top, entry.path).mkdir(0o700)
        _write_files(files, top, real, laid, progress)
        for entry in ordered:
            path = f"{top}/{entry.path}"
            if entry.kind == "l":
                Path(path).symlink_to(str(entry.ref))
            elif entry.kind == "p":
                os.mkfifo(path, entry.mode)
            elif entry.kind == "h":
                os.link(f"{top}/{entry.ref!s}", path)
                continue
            elif entry.kind in "cb":
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, entry.mode))
            else:
                continue
            os.utime(path, ns=(entry.mtime, entry.mtime), follow_symlinks=False)
            laid[entry.path] = _laid(os.lstat(path))
        for entry in reversed(directories):
            path = f"{top}/{entry.path}"
            Path(path).chmod(entry.mode)
            os.utime(path, ns=(entry.mtime, entry.mtime))
            laid[entry.path] = _laid(os.lstat(path))
        for entry in ordered:  # a link changed the time of what it links to
            if entry.kind == "h":
                laid[entry.path] = laid[str(entry.ref)] = _laid(os.lstat(f"{top}/{entry.path}"))
    finally:
        os.umask(before)
    return laid


def _write_files(
    files: Sequence[Entry],
    top: str,
    real: Callable[[str], Path],
    laid: dict[str, Laid],
    progress: Callable[[int, int], None],
) -> None:
    """Pack by pack, in the order of the contents: each pack is read once from end to end."""
    total = sum(entry.size for entry in files)
    done = 0

    def key(entry: Entry) -> tuple[str, int]:
        return entry.ref[:2] if isinstance(entry.ref, Content) else ("", 0)

    pack, descriptor = "", -1
    try:
        for entry in sorted(files, key=key):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            target = os.open(f"{top}/{entry.path}", flags, entry.mode)
            try:
                if isinstance(entry.ref, Content):
                    if entry.ref.source != pack:
                        if descriptor >= 0:
                            os.close(descriptor)
                        pack = entry.ref.source
                        descriptor = os.open(real(pack), os.O_RDONLY | os.O_CLOEXEC)
                    _copy(descriptor, entry.ref.offset, target, entry.size, entry.path)
                elif isinstance(entry.ref, bytes):
                    os.write(target, entry.ref)
                if entry.mode > 0o777:  # writing took the set-id bits away
                    os.fchmod(target, entry.mode)
                os.utime(target, ns=(entry.mtime, entry.mtime))
                laid[entry.path] = _laid(os.fstat(target))
            finally:
                os.close(target)
            done += entry.size
            progress(done, total)
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _copy(source: int, offset: int, target: int, size: int, path: str) -> None:
    """Copy from a pack; large contents without passing through this process."""
    copied = 0
    while copied < size:
        if size <= _SMALL:
            count = os.write(target, os.pread(source, size - copied, offset + copied))
        else:
            count = os.sendfile(target, source, offset + copied, size - copied)
        if not count:
            raise EOFError(f"/{path}: its content in the store is cut short")
        copied += count


def _laid(status: os.stat_result) -> Laid:
    return Laid(status.st_ino, status.st_ctime_ns, status.st_mtime_ns)
