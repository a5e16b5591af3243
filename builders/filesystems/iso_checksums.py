"""Room in an ISO for the checksums by which xorriso verifies it, as libisofs keeps them.

Four things: a digest of each file, in an array behind all of them, which a file's attribute
"isofs.cx" points into and the root's "isofs.ca" locates; and three sectors of text, called tags,
with the digest of all that comes before: behind the volume descriptors, behind the directories and
behind the array. Attributes are System Use entries "AL", which pycdlib writes but cannot be asked
for: while it makes a file's record, it is told that the record is longer by one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

SECTOR = 2048
DIGEST = 16  # the bytes of an MD5
_NAMESPACE = b"\x04"  # stands for "isofs."
_LENGTH_SO_FAR = 9  # in the arguments of RockRidge.new: how long the record is without its entries
_REGULAR = 0o100000


@dataclass(frozen=True, slots=True)
class Places:
    """The sectors that the checksums have, and what is to be summed.

    superblock  the tag behind the volume descriptors
    tree        the tag behind the directories
    array       where the array begins
    files       byte offset and size of each file that has a digest, in the array's order
    """

    superblock: int
    tree: int
    array: int
    files: Sequence[tuple[int, int]]

    @property
    def end(self) -> int:
        """The sector of the last tag, behind the array."""
        return self.array + -(-DIGEST * (len(self.files) + 2) // SECTOR)


class Attribute:
    """An attribute of a file in the namespace "isofs.", as the one entry AL."""

    def __init__(self, name: bytes, value: bytes) -> None:
        named = _NAMESPACE + name
        self.length = 9 + len(named) + len(value)
        self._head = b"AL" + bytes((self.length, 1, 0, 0, len(named))) + named + b"\0"
        self.value = value

    def record(self) -> bytes:
        """The entry: its name and its value are components, each with flags and a length."""
        return self._head + bytes((len(self.value),)) + self.value


@contextmanager
def attributes() -> Iterator[None]:
    """Give every regular file and the root an Attribute, for as long as the block runs."""
    import pycdlib.rockridge

    entries: Any = pycdlib.rockridge.RockRidge
    original = entries.new

    def new(self: Any, *arguments: Any) -> Any:
        is_root, _, mode, _, _, is_link_to_moved = arguments[:6]
        if is_root:
            attribute = Attribute(b"ca", _range(0, 0))
        elif mode & 0o170000 == _REGULAR and not is_link_to_moved:
            attribute = Attribute(b"cx", _index(0))
        else:
            return original(self, *arguments)
        longer = list(arguments)
        longer[_LENGTH_SO_FAR] += attribute.length
        length = original(self, *longer)
        self.dr_entries.al_records.append(attribute)
        return length

    entries.new = new
    try:
        yield
    finally:
        entries.new = original


def lay_out(iso: Any) -> int:
    """Let pycdlib place everything, with a free sector behind the directories: give its number."""
    import pycdlib.pycdlib

    module: Any = pycdlib.pycdlib
    place_directories = module._reassign_vd_dirrecord_extents

    def with_a_sector_more(*arguments: Any) -> Any:
        end, *others = place_directories(*arguments)
        return (end + 1, *others)

    iso.pvd.add_to_space_size(SECTOR)
    module._reassign_vd_dirrecord_extents = with_a_sector_more
    try:
        iso.force_consistency()
    finally:
        module._reassign_vd_dirrecord_extents = place_directories
    # the root's continuation follows the directories and belongs to them: it changes places
    continuation = _root(iso).dr_entries.ce_record
    free: int = continuation.bl_cont_area
    continuation.update_extent(free - 1)
    return free


def reserve(iso: Any, tree: int, files: Sequence[tuple[int, int]]) -> Places:
    """Append sectors for the digests of `files` to an ISO with its tree's tag at `tree`."""
    array = iso.pvd.space_size
    places = Places(iso.version_vd.extent_location(), tree, array, files)
    (attribute,) = _root(iso).dr_entries.al_records
    attribute.value = _range(array, len(files))
    iso.pvd.add_to_space_size((places.end + 1 - array) * SECTOR)
    return places


def point(record: Any, index: int) -> None:
    """Say which digest is that of the file whose record this is; the first has the index 1."""
    (attribute,) = record.rock_ridge.dr_entries.al_records
    attribute.value = _index(index)


def _root(iso: Any) -> Any:
    """The Rock Ridge entries of the root's record of itself."""
    return iso.pvd.root_directory_record().children[0].rock_ridge


def _index(index: int) -> bytes:
    return struct.pack(">I", index)


def _range(array: int, files: int) -> bytes:
    """The sectors that are summed, and the number of digests; before each number is its length."""
    return struct.pack(">BIBIBIBB", 4, 0, 4, array, 4, files + 2, 1, DIGEST) + b"MD5"
