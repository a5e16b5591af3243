"""Trees of files: the items of inodes, directories, names, attributes and extents."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
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
        self._places = [0] * len(hierarchy.entries)  # in their directories
        for children in hierarchy.children.values():
            for place, child in enumerate(children, _FIRST_INDEX):
                self._places[child] = place
        self._links: dict[int, list[int]] = {}  # the hard links to an entry
        for link, target in hierarchy.targets.items():
            self._links.setdefault(target, []).append(link)

    def volume(self, volume: Volume) -> Iterator[Item]:
        """All items of a volume's tree, sorted. Raises BadTree's subclasses."""
        entries, inodes = self._hierarchy.entries, self._division.inodes
        for number in volume.members:
            inode = inodes[number]
            if number == volume.root:
                names = [(inode, 0, b"..")]
            else:
                names = [self._name(number)]
                if number in self._links:
                    names += map(self._name, self._links[number])
            yield from self._inode(number, inode, entries[number], names)

    def _name(self, number: int) -> Name:
        hierarchy = self._hierarchy
        directory = self._division.inodes[hierarchy.parents[number]]
        return directory, self._places[number], hierarchy.names[number]

    def _inode(self, number: int, inode: int, entry: Entry, names: list[Name]) -> list[Item]:
        """An inode's items in the order of their keys."""
        path, kind, mode, uid, gid, mtime, _, ref, attributes = entry
        size = nbytes = device = 0
        extents: list[Item] = []
        if kind == "f":
            size = entry.size
            small = self._inline.get(number)
            if small is not None:
                nbytes = size
                data = items.inline_extent(small, self._generation)
                extents.append((inode, items.EXTENT_DATA, 0, data))
            else:
                nbytes = self._add_extents(extents, number, inode)
        elif kind == "l":
            target = path_bytes(str(ref))
            size = nbytes = len(target)
            limit = min(_LONGEST_SYMLINK, self._room - len(items.inline_extent(b"", 0)))
            if size > limit:
                raise SymlinkTooLong(path, size, limit)
            data = items.inline_extent(target, self._generation)
            extents.append((inode, items.EXTENT_DATA, 0, data))
        elif kind == "d":
            children = self._hierarchy.children[number]
            size = 2 * sum(len(self._hierarchy.names[child]) for child in children)
        elif kind in "cb" and isinstance(ref, tuple):
            device = int(ref[0]) << 20 | int(ref[1])
        links = len(names)
        if links > _MOST_LINKS:
            raise TooManyLinks(path, links)
        generation = self._generation
        try:
            data = items.inode_item(
                TYPES[kind] | mode, generation, uid, gid, mtime, size, nbytes, links, device
            )
        except struct.error:
            raise TimeOutOfRange(path) from None
        made: list[Item] = [(inode, items.INODE_ITEM, 0, data)]
        if links == 1:
            parent, place, name = names[0]
            made.append((inode, items.INODE_REF, parent, items.inode_ref(place, name)))
        else:
            made += self._references(inode, names)
        if attributes:
            made += self._xattrs(inode, path, attributes)
        if kind == "d":
            made += self._directory(number, inode, path)
        made += extents
        return made

    def _references(self, inode: int, names: list[Name]) -> list[Item]:
        """INODE_REFs, an item for each directory; what one has no room for as INODE_EXTREFs."""
        made: list[Item] = []
        extended: dict[int, bytes] = {}
        for parent, group in groupby(sorted(names), key=itemgetter(0)):
            data = b""
            for _, place, name in group:
                reference = items.inode_ref(place, name)
                if len(data) + len(reference) <= self._room:
                    data += reference
                else:
                    key = items.extref_hash(parent, name)
                    extended[key] = extended.get(key, b"") + items.inode_extref(parent, place, name)
            made.append((inode, items.INODE_REF, parent, data))
        return made + [(inode, items.INODE_EXTREF, *item) for item in sorted(extended.items())]

    def _xattrs(self, inode: int, path: str, xattrs: Mapping[str, bytes]) -> list[Item]:
        hashed: dict[int, bytes] = {}
        for text, value in sorted(xattrs.items()):
            if not text.startswith(_NAMESPACES) and text not in _ACLS:
                raise UnknownXattr(path, text)
            name = path_bytes(text)
            if len(name) > 255 or len(value) > 0xFFFF:
                raise TooBigForALeaf(path, "the extended attributes", len(value), self._room)
            data = items.dir_item((0, 0, 0), items.XATTR, name, self._generation, value)
            key = items.name_hash(name)
            hashed[key] = hashed.get(key, b"") + data
        return self._by_hash(inode, items.XATTR_ITEM, hashed, path, "the extended attributes")

    def _directory(self, number: int, inode: int, path: str) -> list[Item]:
        """DIR_ITEMs by the hashes of names, then DIR_INDEXes."""
        hierarchy, division, generation = self._hierarchy, self._division, self._generation
        entries, targets, file_types = hierarchy.entries, hierarchy.targets, items.FILE_TYPES
        inodes, of, own = division.inodes, division.of, division.of[number]
        hashed: dict[int, bytes] = {}
        indexed: list[Item] = []
        for place, child in enumerate(hierarchy.children[number], _FIRST_INDEX):
            if of[child] == own:
                location = (inodes[child], items.INODE_ITEM, 0)
            else:
                location = (division.volumes[of[child]].number, items.ROOT_ITEM, items.LAST)
            name = hierarchy.names[child]
            kind = entries[targets.get(child, child)].kind
            data = items.dir_item(location, file_types[kind], name, generation)
            key = items.name_hash(name)
            hashed[key] = hashed[key] + data if key in hashed else data
            indexed.append((inode, items.DIR_INDEX, place, data))
        return self._by_hash(inode, items.DIR_ITEM, hashed, path, "names of equal hashes") + indexed

    def _by_hash(
        self, inode: int, kind: int, hashed: Mapping[int, bytes], path: str, what: str
    ) -> list[Item]:
        """Items in the order of hashes. Raises TooBigForALeaf."""
        for data in hashed.values():
            if len(data) > self._room:
                raise TooBigForALeaf(path, what, len(data), self._room)
        return [(inode, kind, key, data) for key, data in sorted(hashed.items())]

    def _add_extents(self, made: list[Item], number: int, inode: int) -> int:
        """Append a file's extents; how many bytes they take."""
        nbytes = 0
        for offset, address, length in self._extents[number]:
            data = items.regular_extent(address, length, self._generation)
            made.append((inode, items.EXTENT_DATA, offset, data))
            nbytes += length
        return nbytes
