"""Packages as loose files, for builds to run: unpacked, merged-/usr, nothing configured.

Of what maintainer scripts would do, only alternatives are made (awk is mawk), as far as the scripts
name them plainly: programs find their libraries by the loader's default paths.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from builders.debian.deb import Control, item_name, read_deb
from builders.debian.fetch import fetch_derivation
from builders.debian.index import Package
from builders.derivation import Derivation
from builders.errors import BuilderError
from builders.registry import Build, builder
from builders.tree import Content, Entry

_MERGED = re.compile(r"(?:bin|sbin|lib|lib32|lib64|libo32|libx32)(?=/|$)")
_UNUSED = re.compile(r"usr/share/(?:bug|doc|doc-base|info|lintian|locale|man)(?=/|$)")
_ALTERNATIVE = re.compile(r"--(install|slave)\s+(/\S+)\s+(\S+)\s+(/\S+)(?:\s+([0-9]+))?")


class FileConflict(BuilderError):
    """Two packages have something different at the same place."""

    def __init__(self, path: str, package: str) -> None:
        super().__init__(
            f"/{path} of {package} is already there, from another package, as something else"
        )


class Alternative(NamedTuple):
    """A name that update-alternatives(1) would make a link to `target`."""

    link: str
    target: str
    priority: int


def native_derivation(
    packages: Sequence[Package], mirrors: Sequence[str] = (), name: str = "native"
) -> Derivation:
    """A store item with the files of `packages` below usr/ and etc/, as they are when unpacked.

    /bin, /lib and the like are below usr/; documentation, manual pages and translations are left
    out. The packages are laid over each other in their order.
    """
    fetched = tuple(fetch_derivation(package, mirrors) for package in packages)
    title = f"unpack {len(packages)} packages for {name}"
    if len(packages) == 1:
        name, title = item_name(packages[0], "-native"), f"unpack {packages[0]} for builds"
    return Derivation(
        name=name,
        builder="native",
        arguments={"debs": [one.path for one in fetched]},
        inputs=fetched,
        title=title,
    )


@builder("native")
def native_item(build: Build) -> None:
    """Arguments: debs, store paths of .deb files."""
    debs = [build.real(path) for path in build.arguments["debs"]]
    build.output.mkdir()
    tree = _LooseTree(build.output)
    for done, deb in enumerate(debs):
        build.progress(done, len(debs), "packages")
        with open(deb, "rb") as file:
            tree.add(file, deb.name)
    build.progress(len(debs), len(debs), "packages")
    tree.finish()


class _LooseTree:
    """Files below a directory. Links are made last, so that no name can lead out of it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._links: dict[str, str] = {}
        self._alternatives: dict[str, Alternative] = {}
        self._directories: set[str] = {""}

    def add(self, file: IO[bytes], package: str) -> None:
        def store(path: str, chunks: Iterable[memoryview]) -> Content:
            place = _place(path)
            if place is None:
                for _ in chunks:
                    pass
                return Content("")
            return Content(self._write(place, chunks, package))

        control, entries = read_deb(file, package, store)
        for entry in entries:
            self._finish_entry(entry, package)
        for alternative in alternatives(control):
            known = self._alternatives.get(alternative.link)
            if known is None or known.priority < alternative.priority:
                self._alternatives[alternative.link] = alternative

    def finish(self) -> None:
        """Make what is only possible when all files are there: symbolic links."""
        for link, target in sorted(self._links.items()):
            path = self._root / link
            if path.is_dir() and not path.is_symlink():
                continue  # a package's directory where another has a link: what is in it counts
            path.unlink(missing_ok=True)
            path.symlink_to(target)
        for name, alternative in sorted(self._alternatives.items()):
            place = _place(name)
            if place is not None and not os.path.lexists(self._root / place):
                program = _place(alternative.target)
                if program is not None and os.path.lexists(self._root / program):
                    self._vacant(place, name).symlink_to("/" + program)

    def _finish_entry(self, entry: Entry, package: str) -> None:
        place = _place(entry.path)
        if place is None:
            return
        if entry.kind == "d":
            self._make_directory(place, package)
        elif entry.kind == "l":
            self._make_directory(_parent(place), package)
            self._links[place] = str(entry.ref)
        elif entry.kind == "h":
            self._link(_place(str(entry.ref)) or "", place, package)
        elif entry.kind == "f":
            if not entry.size:
                self._write(place, (), package)
            elif isinstance(entry.ref, Content) and entry.ref.source != place:
                self._link(entry.ref.source, place, package)  # another of its names came first
            (self._root / place).chmod(0o755 if entry.mode & 0o111 else 0o644)

    def _write(self, place: str, chunks: Iterable[memoryview], package: str) -> str:
        with open(self._vacant(place, package), "xb") as file:
            for chunk in chunks:
                file.write(chunk)
        return place

    def _link(self, source: str, place: str, package: str) -> None:
        if not source:
            raise BuilderError(f"/{place} of {package} is a hard link to a file that is left out")
        self._vacant(place, package).hardlink_to(self._root / source)

    def _vacant(self, place: str, package: str) -> Path:
        """The path of `place`, in an existing directory and without anything there."""
        self._make_directory(_parent(place), package)
        if place in self._directories:
            raise FileConflict(place, package)
        path = self._root / place
        path.unlink(missing_ok=True)
        self._links.pop(place, None)
        return path

    def _make_directory(self, place: str, package: str) -> None:
        if place in self._directories:
            return
        self._make_directory(_parent(place), package)
        path = self._root / place
        if path.exists():
            raise FileConflict(place, package)
        path.mkdir()
        self._directories.add(place)


def _parent(place: str) -> str:
    return place.rpartition("/")[0]


def _place(path: str) -> str | None:
    """Where a package's path is in the item; None when it is left out."""
    path = path.lstrip("/")
    if _MERGED.match(path):
        path = f"usr/{path}"
    if not path.startswith(("usr/", "etc/")) or _UNUSED.match(path):
        return None
    return path


def alternatives(control: Control) -> Iterator[Alternative]:
    """The alternatives that the package's postinst registers, where it names them in full."""
    script = control.get("postinst", "").replace("\\\n", " ")
    priority = 0
    for kind, link, _, target, number in _ALTERNATIVE.findall(script):
        if kind == "install":
            priority = int(number or 0)
        yield Alternative(link, target, priority)
