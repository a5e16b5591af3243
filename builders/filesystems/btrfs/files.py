"""Trees of files: the items of inodes, directories, names, attributes and extents."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter

from builders.filesystems.btrfs import items
from builders.filesystems.btrfs.contents import Extent
from builders.filesystems.btrfs.items import Item
from builders.filesystems.btrfs.nodes import ITEM
from builders.filesystems.btrfs.subvolumes import Division, Volume
from builders.filesystems.ext4.inodes import TYPES
from builders.filesystems.hierarchy import BadTree, Hierarchy
from builders.tree import Entry, path_bytes

LARGEST_INLINE = 2048
"""Bytes of the biggest file that is in the tree itself, as the kernel's max_inline has it."""

_LONGEST_SYMLINK = 4095
_MOST_LINKS = 65535
_FIRST_INDEX = 2  # of a directory's entries
_NAMESPACES = ("user.", "trusted.", "security.", "btrfs.")
_ACLS = ("system.posix_acl_access", "system.posix_acl_default")

Name = tuple[int, int, bytes]
"""A name of an inode: (inode of the directory, index in it, the name)."""


class UnknownXattr(BadTree):
    def __init__(self, path: str, name: str) -> None:
        super().__init__(
            f"/{path} has the attribute {name}, of a namespace that btrfs does not know",
            hint="user., trusted., security., btrfs. and POSIX ACLs can be stored",
        )


class TooBigForALeaf(BadTree):
    """Something that has to be in one node is not."""

    def __init__(self, path: str, what: str, size: int, room: int) -> None:
        super().__init__(
            f"{what} of /{path} take {size} bytes; a node of btrfs has {room} for them"
        )


class SymlinkTooLong(BadTree):
    def __init__(self, path: str, length: int, limit: int) -> None:
        super().__init__(f"the target of the link /{path} has {length} bytes; {limit} are allowed")


class TooManyLinks(BadTree):
    def __init__(self, path: str, links: int) -> None:
        super().__init__(f"/{path} would have {links} links; {_MOST_LINKS} are allowed")


class TimeOutOfRange(BadTree):
    def __init__(self, path: str) -> None:
        super().__init__(f"the modification time of /{path} does not fit into 64 bits")


class FileTrees:
    """Makes the items of volumes.

    extents  of files by index of the entry, unless they are in `inline`
    inline   contents of small files
    room     bytes that a leaf has for an item's data and its position
    """

    def __init__(
        self,
        hierarchy: Hierarchy,
        division: Division,
        extents: Mapping[int, list[Extent]],
        inline: Mapping[int, bytes],
        room: int,
        generation: int,
    ) -> None:
        self._hierarchy = hierarchy
        self._division = division
        self._extents = extents
        self._inline = inline
        self._room = room - ITEM
        self._generation = generation
        self._names: dict[int, list[Name]] = {}
        for directory, children in hierarchy.children.items():
            parent = division.inodes[directory]
            for place, child in enumerate(children, _FIRST_INDEX):
                if not division.location(child, directory)[1]:
                    target = hierarchy.targets.get(child, child)
                    name = (parent, place, hierarchy.names[child])
                    self._names.setdefault(target, []).append(name)

    def volume(self, volume: Volume) -> list[Item]:
        """All items of a volume's tree, sorted. Raises BadTree's subclasses."""
        made: list[Item] = []
        entries = self._hierarchy.entries
        for number in volume.members:
            before = len(made)
            entry = entries[number]
            made += self._inode(number, entry, is_root=number == volume.root)
            for item in made[before:]:
                if len(item.data) > self._room:
                    what = "the extended attributes" if item.type == items.XATTR_ITEM else "names"
                    raise TooBigForALeaf(entry.path, what, len(item.data), self._room)
        return made

    def _inode(self, number: int, entry: Entry, *, is_root: bool) -> Iterator[Item]:
        inode = self._division.inodes[number]
        names = [(inode, 0, b"..")] if is_root else self._names[number]
        if len(names) > _MOST_LINKS:
            raise TooManyLinks(entry.path, len(names))
        extents: Iterable[Item] = ()
        size = nbytes = device = 0
        if entry.kind == "f":
            size = entry.size
            extents = list(self._content(number, inode))
            nbytes = sum(length for _, _, length in self._extents.get(number, ()))
            nbytes += len(self._inline.get(number, b""))
        elif entry.kind == "l":
            target = path_bytes(str(entry.ref))
            size = nbytes = len(target)
            limit = min(_LONGEST_SYMLINK, self._room - len(items.inline_extent(b"", 0)))
            if size > limit:
                raise SymlinkTooLong(entry.path, size, limit)
            data = items.inline_extent(target, self._generation)
            extents = [Item(inode, items.EXTENT_DATA, 0, data)]
        elif entry.kind == "d":
            children = self._hierarchy.children[number]
            size = 2 * sum(len(self._hierarchy.names[child]) for child in children)
        elif entry.kind in "cb" and isinstance(entry.ref, tuple):
            device = int(entry.ref[0]) << 20 | int(entry.ref[1])
        try:
            data = items.inode_item(
                mode=TYPES[entry.kind] | entry.mode,
                generation=self._generation,
                uid=entry.uid,
                gid=entry.gid,
                mtime=entry.mtime,
                size=size,
                nbytes=nbytes,
                links=len(names),
                device=device,
            )
        except struct.error:
            raise TimeOutOfRange(entry.path) from None
        yield Item(inode, items.INODE_ITEM, 0, data)
        yield from self._references(inode, names)
        if entry.xattrs:
            yield from self._xattrs(inode, entry.path, entry.xattrs)
        if entry.kind == "d":
            yield from self._directory(number, inode)
        yield from extents

    def _references(self, inode: int, names: list[Name]) -> Iterator[Item]:
        """INODE_REFs, an item for each directory; what one has no room for as INODE_EXTREFs."""
        if len(names) == 1:
            ((parent, place, name),) = names
            yield Item(inode, items.INODE_REF, parent, items.inode_ref(place, name))
            return
        extended: list[tuple[int, bytes]] = []
        for parent, group in groupby(sorted(names), key=itemgetter(0)):
            data = b""
            for _, place, name in group:
                reference = items.inode_ref(place, name)
                if len(data) + len(reference) <= self._room:
                    data += reference
                else:
                    key = items.extref_hash(parent, name)
                    extended.append((key, items.inode_extref(parent, place, name)))
            yield Item(inode, items.INODE_REF, parent, data)
        yield from _by_hash(inode, items.INODE_EXTREF, extended)

    def _xattrs(self, inode: int, path: str, xattrs: Mapping[str, bytes]) -> Iterator[Item]:
        hashed = []
        for text, value in sorted(xattrs.items()):
            if not text.startswith(_NAMESPACES) and text not in _ACLS:
                raise UnknownXattr(path, text)
            name = path_bytes(text)
            if len(name) > 255 or len(value) > 0xFFFF:
                raise TooBigForALeaf(path, "the extended attributes", len(value), self._room)
            data = items.dir_item((0, 0, 0), items.XATTR, name, self._generation, value)
            hashed.append((items.name_hash(name), data))
        return _by_hash(inode, items.XATTR_ITEM, hashed)

    def _directory(self, number: int, inode: int) -> Iterator[Item]:
        hierarchy, division = self._hierarchy, self._division
        hashed = []
        indexed = []
        for place, child in enumerate(hierarchy.children[number], _FIRST_INDEX):
            target, is_volume = division.location(child, number)
            location = (
                (target, items.ROOT_ITEM, items.LAST)
                if is_volume
                else (
                    target,
                    items.INODE_ITEM,
                    0,
                )
            )
            kind = hierarchy.entries[hierarchy.targets.get(child, child)].kind
            name = hierarchy.names[child]
            data = items.dir_item(location, items.FILE_TYPES[kind], name, self._generation)
            hashed.append((items.name_hash(name), data))
            indexed.append(Item(inode, items.DIR_INDEX, place, data))
        yield from _by_hash(inode, items.DIR_ITEM, hashed)
        yield from indexed

    def _content(self, number: int, inode: int) -> Iterator[Item]:
        small = self._inline.get(number)
        if small is not None:
            data = items.inline_extent(small, self._generation)
            yield Item(inode, items.EXTENT_DATA, 0, data)
        for offset, address, length in self._extents.get(number, ()):
            data = items.regular_extent(address, length, self._generation)
            yield Item(inode, items.EXTENT_DATA, offset, data)


def _by_hash(inode: int, kind: int, hashed: list[tuple[int, bytes]]) -> Iterator[Item]:
    """An item for each hash; what has the same is together."""
    hashed.sort(key=itemgetter(0))
    for key, group in groupby(hashed, key=itemgetter(0)):
        yield Item(inode, kind, key, b"".join(data for _, data in group))
