"""File systems by name: each is a module that makes a plan of a tree.

A module of the table has `make(name, tree, options) -> Plan`: `name` is the one in the table,
`options` are values of JSON. All file systems know the options `size` (bytes; None: as big as the
tree needs), `label` and `uuid`, and raise BadOption for one that they do not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module

from builders.errors import BuilderError
from builders.filesystems.workroom import Workroom
from builders.plan import Plan, uncollected
from builders.tree import Entry

FILE_SYSTEMS = {
    "btrfs": "builders.filesystems.btrfs",
    "iso9660": "builders.filesystems.iso9660",
    "erofs": "builders.filesystems.erofs",
    "ext2": "builders.filesystems.ext4",
    "ext3": "builders.filesystems.ext4",
    "ext4": "builders.filesystems.ext4",
    "swap": "builders.filesystems.swap",
    "unformatted": "builders.filesystems.unformatted",
    "vfat": "builders.filesystems.vfat",
    "fat12": "builders.filesystems.vfat",
    "fat16": "builders.filesystems.vfat",
    "fat32": "builders.filesystems.vfat",
}

READING = ("btrfs", "erofs", "iso9660")
"""Those that read contents, to compress them or for checksums: their `make` takes a Workroom after
the options, or None if there is none.
"""


class UnknownFileSystem(BuilderError):
    """No file system has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"file systems of the type {name} cannot be written",
            hint="known are " + ", ".join(sorted(FILE_SYSTEMS)),
        )


@uncollected()
def plan(
    name: str,
    tree: Sequence[Entry],
    options: Mapping[str, object],
    room: Workroom | None = None,
) -> Plan:
    """The file system `name` that holds `tree`; without `room` it cannot be compressed, an ISO has
    no checksums, and sources of contents are paths of the host.

    Raises UnknownFileSystem, BadOption, BadTree.
    """
    module = FILE_SYSTEMS.get(name)
    if module is None:
        raise UnknownFileSystem(name)
    make = import_module(module).make
    more = (room,) if name in READING else ()
    made: Plan = make(name, tree, options, *more)
    return made
