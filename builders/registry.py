"""What can build: the table of builders, and what a builder gets to work with.

The table says where a builder's function lives and which modules its output depends on, so that
the output path of a derivation is known without importing any builder.
"""

from __future__ import annotations

import hashlib
import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from builders.errors import BuilderError

SOURCE_ROOT: Final = Path(__file__).resolve().parent.parent
"""The directory that holds the packages builders, lang and stdlib."""

STORE_PREFIX: Final = "/kiln/store"
"""Where store items are, as derivations, manifests, sandboxes and images see them."""

SOURCE_DATE_EPOCH: Final = 1
"""Seconds since 1970: the time stamp of everything that has no better one."""

STAGED_LIBRARY: Final = (
    "stdlib.srfi",
    "stdlib.ice-9",
    "stdlib.ice_9",
    "stdlib.rnrs",
    "stdlib.scheme",
    "stdlib.guix.build",
    "stdlib.gnu.build",
)
"""The parts of the library that staged code may import: what its output depends on."""

PROGRESS_INTERVAL = 0.05
"""Seconds between two progress reports of one build."""


class UnknownBuilder(BuilderError):
    """A derivation names a builder that is not in the table, or whose module lacks it."""


@dataclass(frozen=True, slots=True)
class BuilderSpec:
    """Where a builder is and how it is to be run.

    module      the module that defines it, with `@builder(name)`; imported in workers only
    code        modules, packages or single directories (dotted, below the source root) whose text
                the output depends on; a change to any of them changes the output path
    network     it waits for the network rather than for a core: run many of them at once
    references  what a finished output keeps alive: "scan": the inputs whose hashes occur in it;
                "inputs": all its inputs, unseen; "none": nothing, it stands by itself
    hashed      record a hash of the contents, for `Store.verify` (costs one read of the output)
    """

    module: str
    code: tuple[str, ...]
    network: bool = False
    references: Literal["scan", "inputs", "none"] = "scan"
    hashed: bool = True


_TREE_CODE: Final = ("builders.mtree", "builders.merge", "builders.pack", "builders.tree")

_DEB_CODE: Final = (
    "builders.debian.deb",
    "builders.debian.compression",
    "builders.debian.control",
    "builders.debian.tar",
    "builders.mtree",
    "builders.pack",
    "builders.tree",
)
"""What reads .debs depends on."""

_PLANNED_CODE: Final = (
    "builders.crc32c",
    "builders.holes",
    "builders.mtree",
    "builders.pack",
    "builders.plan",
    "builders.tree",
)
"""What plans files out of trees and writes them depends on."""

BUILDERS: dict[str, BuilderSpec] = {
    "fetch": BuilderSpec(
        "builders.debian.fetch", ("builders.debian.fetch",), network=True, references="none"
    ),
    "unpack-deb": BuilderSpec(
        "builders.debian.deb",
        _DEB_CODE,
        references="none",
    ),
    "native": BuilderSpec(
        "builders.debian.native",
        (
            "builders.debian.native",
            *_DEB_CODE,
        ),
        references="none",
    ),
    "debian-root": BuilderSpec(
        "builders.debian.root",
        (
            "builders.debian.root",
            "builders.debian.layout",
            "builders.debian.dpkgdb",
            "builders.debian.control",
            "builders.debian.version",
            "builders.debian.configure",
            "builders.debian.chroot",
            "builders.debian.seccomp",
            "builders.debian.recorder",
            "builders.debian.collect",
            "builders.debian.normalise",
            "builders.isolation",
            "builders.namespaces",
            "builders.mtree",
            "builders.merge",
            "builders.pack",
            "builders.tree",
        ),
        references="inputs",
    ),
    "initrd": BuilderSpec(
        "builders.initrd",
        (
            "builders.initrd",
            "builders.cpio",
            "builders.kmodules",
            "builders.mtree",
            "builders.tree",
        ),
        references="none",
    ),
    "system-tree": BuilderSpec(
        "builders.system_tree",
        (
            "builders.system_tree",
            "builders.accounts",
            "builders.mtree",
            "builders.merge",
            "builders.scan",
            "builders.pack",
            "builders.tree",
        ),
        references="inputs",
    ),
    "grub-bios": BuilderSpec("builders.bootloaders.grub", ("builders.bootloaders.grub",)),
    "esp": BuilderSpec(
        "builders.bootloaders.esp",
        ("builders.bootloaders.esp", *_TREE_CODE),
    ),
    "grub-efi": BuilderSpec(
        "builders.bootloaders.grub_efi",
        (
            "builders.bootloaders.grub_efi",
            "builders.bootloaders.grub",
            "builders.bootloaders.esp",
            *_TREE_CODE,
        ),
    ),
    "grub-keymap": BuilderSpec(
        "builders.bootloaders.grub_keymap",
        ("builders.bootloaders.grub_keymap",),
        references="none",
    ),
    "shim": BuilderSpec(
        "builders.bootloaders.shim",
        ("builders.bootloaders.shim", "builders.bootloaders.esp", *_TREE_CODE),
    ),
    "systemd-boot": BuilderSpec(
        "builders.bootloaders.systemd_boot",
        (
            "builders.bootloaders.systemd_boot",
            "builders.bootloaders.kernel_line",
            "builders.bootloaders.esp",
            *_TREE_CODE,
        ),
    ),
    "uki": BuilderSpec(
        "builders.bootloaders.uki",
        (
            "builders.bootloaders.uki",
            "builders.bootloaders.kernel_line",
            "builders.bootloaders.esp",
            *_TREE_CODE,
        ),
        references="none",
    ),
    "disk-image": BuilderSpec(
        "builders.image",
        (
            "builders.image",
            "builders.disk",
            "builders.filesystems",
            "builders.sinks",
            "builders.bootloaders.grub",
            *_PLANNED_CODE,
        ),
        references="none",
        hashed=False,
    ),
    "file-system": BuilderSpec(
        "builders.file_system",
        (
            "builders.file_system",
            "builders.filesystems",
            "builders.sinks",
            *_PLANNED_CODE,
        ),
        references="none",
        hashed=False,
    ),
    "directory-tree": BuilderSpec(
        "builders.directory_tree",
        (
            "builders.directory_tree",
            "builders.attributes",
            "builders.merge",
            "builders.mtree",
            "builders.pack",
            "builders.scan",
            "builders.tree",
        ),
        references="inputs",
    ),
    "grub-iso": BuilderSpec(
        "builders.bootloaders.grub_iso",
        ("builders.bootloaders.grub_iso", "builders.bootloaders.grub"),
        references="none",
    ),
    "iso9660": BuilderSpec(
        "builders.formats.iso9660",
        (
            "builders.formats.iso9660",
            "builders.bootloaders.esp",
            "builders.bootloaders.grub",
            "builders.disk",
            "builders.filesystems",
            "builders.sinks",
            "builders.merge",
            *_PLANNED_CODE,
        ),
        references="none",
        hashed=False,
    ),
    "squashfs": BuilderSpec(
        "builders.formats.squashfs",
        (
            "builders.formats.squashfs",
            "builders.formats.tar",
            "builders.sinks",
            *_PLANNED_CODE,
        ),
        references="none",
        hashed=False,
    ),
    "archive-image": BuilderSpec(
        "builders.archive_image",
        (
            "builders.archive_image",
            "builders.formats.container",
            "builders.formats.layers",
            "builders.formats.tar",
            "builders.formats.wsl",
            "builders.sinks",
            "builders.cpio",
            "builders.merge",
            *_PLANNED_CODE,
        ),
        references="none",
        hashed=False,
    ),
    "staged": BuilderSpec(
        "builders.staged",
        (
            "builders.staged",
            "builders.attributes",
            "builders.recording",
            "builders.debian.recorder",
            "builders.debian.seccomp",
            "builders.sandbox",
            "builders.sandbox_root",
            "builders.isolation",
            "builders.namespaces",
            "lang",
            *STAGED_LIBRARY,
        ),
    ),
}
"""Builders by name. A builder's owner keeps its line right; tests may add their own."""


@dataclass(slots=True)
class Build:
    """One run of a builder.

    name       the derivation's
    arguments  the derivation's, JSON values
    output     create a file, a directory or a symbolic link here, and nothing beside it
    scratch    an empty private directory, removed afterwards
    inputs     the store paths of what it may read: the derivation's inputs and sources
    store      the directory that holds the items
    logical    the store path that `output` will have: "/kiln/store/<hash>-<name>"
    partial    nothing, or what an earlier attempt at this very output put here to be resumed
               (a file or a directory); removed once the build is registered
    mirrors    URI prefixes that the user prefers; a network builder may try them first
    epoch      time stamp for generated files, in seconds
    report     takes ("log", line) and ("progress", done, total, unit); the default drops them
    """

    name: str
    arguments: Mapping[str, Any]
    output: Path
    scratch: Path
    store: Path
    logical: str = ""
    inputs: tuple[str, ...] = ()
    partial: Path = Path("/nonexistent")
    mirrors: tuple[str, ...] = ()
    epoch: int = SOURCE_DATE_EPOCH
    report: Callable[[tuple[Any, ...]], None] = lambda _message: None
    _reported: float = field(default=0.0, repr=False)
    _told: tuple[Any, ...] = field(default=(), repr=False)

    def real(self, logical: str) -> Path:
        """Where the store path `logical` (an item, or a file in one) is on this host.

        A file in the scratch directory is itself.
        """
        if logical.startswith(f"{self.scratch}/"):
            return Path(logical)
        return real_path(self.store, logical)

    def closure(self, paths: list[str]) -> list[str]:
        """`paths` and all that they refer to, sorted; all must be inputs or known to them."""
        from builders.store import Store

        with Store(self.store) as store:
            return store.closure(paths)

    def log(self, line: str) -> None:
        """Keep a line of output in the build's log and show it to whoever watches."""
        self.report(("log", line))

    def progress(self, done: int, total: int | None, unit: str = "B") -> None:
        """Tell how far the work is; cheap enough for every block that is written."""
        now = time.monotonic()
        if now - self._reported >= PROGRESS_INTERVAL or done == total:
            self._reported = now
            message = ("progress", done, total, unit)
            if message != self._told:
                self._told = message
                self.report(message)


BuilderFunction = Callable[[Build], None]

_functions: dict[str, BuilderFunction] = {}


def builder(name: str) -> Callable[[BuilderFunction], BuilderFunction]:
    """Declare a function to be the builder `name` of the table."""

    def declare(function: BuilderFunction) -> BuilderFunction:
        _functions[name] = function
        return function

    return declare


def spec(name: str) -> BuilderSpec:
    """The table's line for `name`; raises UnknownBuilder."""
    try:
        return BUILDERS[name]
    except KeyError:
        known = ", ".join(sorted(BUILDERS))
        raise UnknownBuilder(f"there is no builder {name!r}", hint=f"known: {known}") from None


def load(name: str, module: str) -> BuilderFunction:
    """The function of the builder `name`, importing its module; raises UnknownBuilder."""
    if name not in _functions:
        importlib.import_module(module)
    try:
        return _functions[name]
    except KeyError:
        raise UnknownBuilder(f"module {module} does not define the builder {name!r}") from None


def real_path(store: Path, logical: str) -> Path:
    """Where `logical`, a store path with or without trailing components, is below `store`."""
    if not logical.startswith(STORE_PREFIX + "/"):
        raise BuilderError(f"{logical} is not a path in the store ({STORE_PREFIX}/…)")
    return store / logical[len(STORE_PREFIX) + 1 :]


@cache
def code_hash(modules: tuple[str, ...]) -> str:
    """A hex hash of the source texts of `modules`; missing ones count as empty."""
    digest = hashlib.sha256()
    for module in modules:
        for file in source_files(module):
            digest.update(f"{file.relative_to(SOURCE_ROOT)}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def source_files(module: str) -> list[Path]:
    """The files of a module, package or directory below the source root, if it is there."""
    path = SOURCE_ROOT.joinpath(*module.split("."))
    file = path.with_name(path.name + ".py")
    if file.is_file():
        return [file]
    return sorted(
        child
        for child in path.rglob("*")
        if child.suffix in (".py", ".scm", ".lark", ".sh") and child.is_file()
    )
