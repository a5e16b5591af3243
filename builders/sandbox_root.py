"""The file tree that a sandboxed program sees, laid out from inside fresh namespaces.

A tmpfs with nothing of the host's but what is asked for: native items as /usr, binds, the harmless
devices, a /proc of its own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from builders import isolation
from builders import namespaces as ns

_BASE = Path("/tmp")  # a directory that every host has; what is in it stays reachable
_OLD = Path("/.host")
_LOWER = Path("/.lower")

_LINKS = {
    "dev/ptmx": "pts/ptmx",
    "bin": "usr/bin",
    "sbin": "usr/sbin",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
}
_DIRECTORIES = ("dev/pts", "dev/shm", "proc", "usr", "etc", "build", "var/tmp", "run", "tmp")


@dataclass(frozen=True, slots=True)
class Bind:
    """Show the host's file or directory `source` (absolute) at `target`."""

    source: Path
    target: str
    writable: bool = False


def enter(binds: Sequence[Bind], roots: Sequence[Path]) -> None:
    """Make such a tree this process's root: see builders.sandbox.run.

    Needs its own mount and pid namespaces. Raises NamespaceError.
    """
    trees = [Path(os.path.realpath(root / "usr")) for root in roots]
    ns.make_private()
    ns.mount("tmpfs", _BASE, "tmpfs", ns.MS_NOSUID | ns.MS_NODEV, "mode=755,size=50%")
    (_BASE / _OLD.name).mkdir()
    ns.change_root(_BASE, _OLD.name)
    os.umask(0o022)
    for name in _DIRECTORIES:
        (Path("/") / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (Path("/") / name).chmod(0o1777)
    for name, target in _LINKS.items():
        (Path("/") / name).symlink_to(target)
    _devices()
    isolation.show_processes(_host(Path("/proc")), Path("/proc"))
    _accounts()
    _native(trees)
    for root in roots:
        _configuration(_host(root / "etc"))
    for one in sorted(binds, key=lambda one: Path(one.target).parts):
        _show(one)
    ns.unmount(_OLD)
    _OLD.rmdir()


def _host(path: Path) -> Path:
    """Where the host's `path` is while its root is still there."""
    return _OLD / path.relative_to("/")


def _devices() -> None:
    isolation.show_devices(_host(Path("/dev")), Path("/dev"))
    ns.mount("devpts", "/dev/pts", "devpts", ns.MS_NOSUID, "newinstance,ptmxmode=0666,mode=620")
    ns.mount("tmpfs", "/dev/shm", "tmpfs", ns.MS_NOSUID | ns.MS_NODEV, "mode=1777")


def _accounts() -> None:
    nobody = "nobody:x:65534:65534:nobody:/homeless:/bin/false\n"
    Path("/etc/passwd").write_text(f"root:x:0:0:root:/homeless:/bin/sh\n{nobody}")
    Path("/etc/group").write_text("root:x:0:\ntty:x:5:\nnogroup:x:65534:\n")
    Path("/etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")


def _native(trees: Sequence[Path]) -> None:
    """Show several `usr` directories as one at /usr, read-only; the first wins."""
    usr = Path("/usr")
    if len(trees) == 1:
        ns.bind(_host(trees[0]), usr)
    elif trees:
        for number, tree in enumerate(trees):
            place = _LOWER / str(number)
            place.mkdir(parents=True)
            ns.bind(_host(tree), place)
        lower = ":".join(str(_LOWER / str(number)) for number in range(len(trees)))
        try:
            ns.mount("overlay", usr, "overlay", ns.MS_RDONLY, f"lowerdir={lower}")
        except ns.NamespaceError:  # before Linux 5.11, or a file system that cannot be a layer
            link_farm([_LOWER / str(number) for number in range(len(trees))], usr)
        else:
            for number in range(len(trees)):
                ns.unmount(_LOWER / str(number))
                (_LOWER / str(number)).rmdir()
            _LOWER.rmdir()


def _configuration(etc: Path) -> None:
    """Copy what a native item has in etc/ to /etc, where more can be put, unless it is there."""
    for directory, names, files in os.walk(etc):
        place = "/etc" / Path(directory).relative_to(etc)
        place.mkdir(exist_ok=True)
        for name in files + names:
            source = Path(directory, name)
            if os.path.lexists(place / name):
                continue
            if source.is_symlink():
                (place / name).symlink_to(source.readlink())
            elif source.is_file():
                (place / name).write_bytes(source.read_bytes())


def link_farm(trees: Sequence[Path], target: Path) -> None:
    """Make `target`, a directory, look like the trees on top of each other, by links into them."""
    layers: dict[str, list[Path]] = {}
    for tree in trees:
        for child in tree.iterdir():
            layers.setdefault(child.name, []).append(child)
    for name, children in sorted(layers.items()):
        top = children[0]
        if len(children) > 1 and top.is_dir() and not top.is_symlink():
            (target / name).mkdir()
            link_farm([one for one in children if one.is_dir()], target / name)
        elif top.is_symlink():
            (target / name).symlink_to(top.readlink())
        else:
            (target / name).symlink_to(top)


def _show(bind: Bind) -> None:
    source, target = _host(bind.source), Path(bind.target)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    if source.is_dir():
        target.mkdir(exist_ok=True)
    elif not target.exists():
        target.touch()
    ns.bind(source, target, writable=bind.writable)
