"""What a caller can say about a btrfs file system."""

from __future__ import annotations

import hashlib
import uuid as uuids
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from builders.filesystems.options import BadOption, LabelTooLong, Types, check

SECTOR = 4096
LONGEST_LABEL = 255

_LEAST = {"dup": 114_294_784, "single": 47_185_920}
"""Bytes of a device, by profile of the metadata, that mkfs.btrfs wants and btrfs resizes to."""

SubvolumeKind = Literal["rw", "ro", "default", "default-ro"]
_KINDS: tuple[SubvolumeKind, ...] = ("rw", "ro", "default", "default-ro")


@dataclass(frozen=True, slots=True)
class Subvolume:
    """A directory of the tree that is a subvolume.

    path     where it is in the file system, without a slash before and behind
    kind     "rw", "ro" (read-only); "default" and "default-ro" are what is mounted when no other
             is asked for
    holds    the directory of the tree whose content is put there, leaving an empty directory to
             mount it on ("": the root); None: what the tree has at `path` itself
    """

    path: str
    kind: SubvolumeKind = "rw"
    holds: str | None = None

    @property
    def is_default(self) -> bool:
        return self.kind.startswith("default")

    @property
    def is_read_only(self) -> bool:
        return self.kind.endswith("ro")


@dataclass(frozen=True, slots=True, kw_only=True)
class BtrfsOptions:
    """
    uuid        of the file system; those of its device, chunks and subvolumes are derived from it
    label       at most 255 bytes of UTF-8
    size        bytes; None: as big as the tree needs, and `free`
    free        bytes beside what is used when no size is given; None: 5 % of what is used and
                64 MiB. Half is for data, of the rest the kernel makes chunks as it needs them
    metadata    how often metadata is stored: "dup", twice, as mkfs.btrfs has it, or "single"
    nodesize    bytes of a node of a B-tree
    subvolumes  see Subvolume
    epoch       seconds: when the file system was made
    """

    uuid: uuids.UUID
    label: str = ""
    size: int | None = None
    free: int | None = None
    metadata: str = "dup"
    nodesize: int = 16384
    subvolumes: tuple[Subvolume, ...] = ()
    epoch: int = 1

    def __post_init__(self) -> None:
        length = len(self.label.encode())
        if length > LONGEST_LABEL:
            raise LabelTooLong(self.label, length, LONGEST_LABEL)
        if "\0" in self.label or "\n" in self.label:
            raise BadOption("label", "it must not contain a null character or the end of a line")
        if self.metadata not in _LEAST:
            raise BadOption("metadata", f"{self.metadata!r} is neither dup nor single")
        if self.nodesize not in (4096, 8192, 16384, 32768, 65536):
            raise BadOption("nodesize", f"{self.nodesize}; a power of 2 from 4096 to 65536")
        if self.size is not None and self.size < self.least:
            raise BadOption(
                "size",
                f"{self.size:,} bytes; {self.least:,} are the least for a btrfs with its metadata "
                f"{self.metadata}",
            )
        if self.free is not None and self.free < 0:
            raise BadOption("free", "it must not be negative")
        self._check_subvolumes()

    def _check_subvolumes(self) -> None:
        paths = [each.path for each in self.subvolumes]
        for path in paths:
            if not path or any(part in ("", ".", "..") for part in path.split("/")):
                raise BadOption("subvolumes", f"{path!r} is not a path relative to the root")
            if paths.count(path) > 1:
                raise BadOption("subvolumes", f"{path} is given twice")
        if sum(each.is_default for each in self.subvolumes) > 1:
            raise BadOption("subvolumes", "there can be one default only")

    @property
    def least(self) -> int:
        """Bytes of the smallest device."""
        return _LEAST[self.metadata]

    @property
    def copies(self) -> int:
        """How often metadata is stored."""
        return 2 if self.metadata == "dup" else 1

    def margin(self, used: int) -> int:
        """How many bytes to leave free beside `used` bytes of chunks."""
        return used // 20 + (64 << 20) if self.free is None else self.free

    def derived(self, what: str) -> bytes:
        """The bytes of another UUID of the same file system (a UUID of version 8)."""
        digest = hashlib.sha256(b"btrfs\0" + self.uuid.bytes + what.encode()).digest()
        number = int.from_bytes(digest[:16], "big")
        number = number & ~(0xF << 76) | 8 << 76
        number = number & ~(0x3 << 62) | 2 << 62
        return number.to_bytes(16, "big")


_TYPES: Types = {
    "uuid": uuids.UUID,
    "label": str,
    "size": int,
    "free": int,
    "metadata": str,
    "nodesize": int,
    "subvolumes": (list, tuple),
    "epoch": int,
}


def btrfs_options(options: Mapping[str, object]) -> BtrfsOptions:
    """Options from a derivation's arguments; `subvolumes` is a list of {path, kind, holds} there.

    Raises BadOption for names and types not known.
    """
    checked = check("btrfs", _TYPES, options)
    if "uuid" not in checked:
        raise BadOption("uuid", "it must be given")
    given = checked.pop("subvolumes", ())
    assert isinstance(given, (list, tuple))
    return BtrfsOptions(**checked, subvolumes=tuple(map(_subvolume, given)))  # type: ignore[arg-type]


def _subvolume(given: object) -> Subvolume:
    if not isinstance(given, Mapping) or not set(given) <= {"path", "kind", "holds"}:
        raise BadOption("subvolumes", f"{given!r} is not an object with path, kind and holds")
    path, kind, holds = given.get("path"), given.get("kind") or "rw", given.get("holds")
    known: dict[object, SubvolumeKind] = {known: known for known in _KINDS}
    if not isinstance(path, str) or kind not in known or not isinstance(holds, (str, type(None))):
        raise BadOption("subvolumes", f"{given!r} has a value that cannot be")
    return Subvolume(path.strip("/"), known[kind], None if holds is None else holds.strip("/"))
