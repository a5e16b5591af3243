"""The builder "debian-root": unpacked packages to a configured root, as a tree.

Any user's build on any day gives the same bytes: owners come from what scripts said, not from who
ran them (builders.debian.recorder); files newer than the build's begin get the snapshot's date.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from builders import mtree, pack
from builders.debian import dpkgdb
from builders.debian.collect import collect, pack_new
from builders.debian.configure import configure
from builders.debian.dpkgdb import Unpacked
from builders.debian.layout import Layout, lay_out, place
from builders.debian.normalise import normalise
from builders.debian.recorder import Record
from builders.derivation import Derivation
from builders.registry import STORE_PREFIX, Build, builder
from builders.tree import Entry, ReadContent, content_reader

if TYPE_CHECKING:
    from builders.debian.index import Package

_NANOSECONDS = 1_000_000_000
_MOUNT_POINTS = {"dev": 0o755, "proc": 0o555, "sys": 0o555, "run": 0o755, "tmp": 0o1777}
_AWKS = ("mawk", "gawk", "original-awk")
_POLICY = "usr/sbin/policy-rc.d"
_NO_SERVICES = "#!/bin/sh\nexit 101\n"
_SYSTEMD = "usr/lib/systemd/systemd"
_MACHINE_ID = "6b696c6e" * 4 + "\n"


def root_derivation(
    packages: Sequence[Package],
    uris: Sequence[str],
    *,
    name: str = "root",
    date: int,
    provided: Sequence[str] = (),
) -> Derivation:
    """The root that `packages`, resolved and in the order to unpack, make when configured.

    uris      of mirrors that have them
    date      seconds: the archive snapshot's; no file is newer, and scripts take it for today
    provided  virtual packages that others depend on and that the image has otherwise; an empty
              package is registered for them, so that dpkg and apt find nothing amiss
    """
    from builders.debian.deb import unpack_derivation

    inputs = tuple(unpack_derivation(package, uris) for package in packages)
    return Derivation(
        name,
        "debian-root",
        {
            "packages": [one.path for one in inputs],
            "architecture": next(
                (one.architecture for one in packages if one.architecture != "all"), "amd64"
            ),
            "date": date,
            "provided": list(provided),
        },
        inputs=inputs,
        title=f"configure {len(packages)} packages",
    )


@builder("debian-root")
def build(build: Build) -> None:
    """Output: a directory with `manifest` and `pack`. Contents that configuring left alone refer
    to the packs of the packages. Raises what builders.debian.{layout,configure,chroot} raise.
    """
    arguments = build.arguments
    date: int = arguments["date"]
    packages = [
        (read_control(build.real(path)), mtree.read_item(build.real(path), path))
        for path in arguments["packages"]
    ]
    if arguments["provided"]:
        packages.insert(0, (stand_in(arguments["provided"]), []))
    root = build.scratch / "root"
    root.mkdir()
    since = time.time_ns()
    layout = place(packages, time=date * _NANOSECONDS)
    read = content_reader(build.real)
    add_database(
        layout, [package for package, _ in packages], read, arguments["architecture"], date
    )
    laid = lay_out(layout.entries, root, build.real)
    recorder = configure(
        root,
        [package for package, _ in packages],
        owned_by_others(layout.entries),
        date=date,
        log=build.log,
        progress=lambda done, total: build.progress(done, total, "packages"),
    )
    entries = collect(
        root,
        layout.entries,
        laid,
        recorder.records,
        recorder.switched,
        build.real,
        since=since,
        time=date * _NANOSECONDS,
    )
    build.output.mkdir()
    entries = normalise(entries, content_reader(_reader(build)), date=date)
    entries = pack_new(entries, build.output / pack.NAME, f"{build.logical}/{pack.NAME}")
    (build.output / "manifest").write_text(mtree.write(entries, build.logical), "ascii")


def _reader(build: Build) -> Callable[[str], Path]:
    """Finds contents in the store and in the configured root alike."""
    return lambda source: (
        build.real(source) if source.startswith(STORE_PREFIX + "/") else Path(source)
    )


def read_control(item: Path) -> Unpacked:
    """What the unpacked item of a package says of the package."""
    control = json.loads((item / "control.json").read_text("utf-8"))
    return Unpacked(control["fields"], control["members"])


def stand_in(provided: Sequence[str]) -> Unpacked:
    """A package without files that provides the virtual packages `provided`."""
    return Unpacked(
        {
            "Package": "kiln-provided",
            "Version": "1",
            "Architecture": "all",
            "Maintainer": "Kiln <root@localhost>",
            "Provides": ", ".join(provided),
            "Description": "stands for what Kiln put into this system itself",
        },
        {"md5sums": ""},
    )


def add_database(
    layout: Layout,
    packages: Sequence[Unpacked],
    read: ReadContent,
    architecture: str,
    date: int,
) -> None:
    """Add to the layout what scripts need to find besides the packages' files: dpkg's database,
    mount points, a policy that no service be started, an awk before one is chosen, and an identity
    of the machine, without which systemd-tmpfiles makes nothing.
    """
    time = date * _NANOSECONDS
    entries = layout.entries

    def directory(path: str, mode: int = 0o755) -> None:
        parent = path.rpartition("/")[0]
        if parent and parent not in entries:
            directory(parent)
        entries.setdefault(path, Entry(path, "d", mode, mtime=time))

    def file(path: str, text: str, mode: int) -> None:
        data = text.encode("utf-8", "surrogateescape")
        entries[path] = Entry(path, "f", mode, mtime=time, size=len(data), ref=data)

    for name, mode in _MOUNT_POINTS.items():
        directory(name, mode)
    for name in dpkgdb.directories():
        directory(name)
    digests: dict[str, str] = {}
    for package in packages:
        summed = "md5sums" in package.members
        for path in package.conffiles if summed else layout.listed[package.name]:
            entry = entries.get(layout.locate(path[1:]))
            if entry is not None and entry.kind == "h":
                entry = entries[str(entry.ref)]
            if entry is not None and entry.kind == "f":
                digests[path] = hashlib.md5(read(entry), usedforsecurity=False).hexdigest()
    texts = dpkgdb.files(packages, layout.listed, digests, architecture)
    for path, (text, mode) in texts.items():
        file(path, text, mode)
    if _POLICY not in entries:
        directory("usr/sbin")
        file(_POLICY, _NO_SERVICES, 0o755)
    if _SYSTEMD in entries:
        directory("etc")
        file("etc/machine-id", _MACHINE_ID, 0o444)
    awk = next((name for name in _AWKS if f"usr/bin/{name}" in entries), None)
    if awk and "usr/bin/awk" not in entries:
        entries["usr/bin/awk"] = Entry("usr/bin/awk", "l", 0o777, 0, 0, time, len(awk), awk)


def owned_by_others(entries: Mapping[str, Entry]) -> dict[str, Record]:
    """What the packages themselves say of owners, devices and attributes, by path."""
    records = {}
    for path, entry in entries.items():
        if entry.kind == "h":
            continue
        if entry.uid or entry.gid or entry.xattrs or entry.kind in "cb":
            record = Record(entry.uid, entry.gid, dict(entry.xattrs or {}))
            if entry.kind in "cb":
                assert isinstance(entry.ref, tuple)
                record.device = (entry.kind, *entry.ref)
            records[path] = record
    return records
