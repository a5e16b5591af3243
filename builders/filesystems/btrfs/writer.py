"""A tree as a btrfs file system: data first, then the B-trees that describe it.

Where data lies depends on nothing but the contents' sizes; the trees of files and of checksums
follow from it; what describes the nodes of all trees, its own included, is laid out again until it
needs as many nodes as it has.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from builders.filesystems.btrfs import items
from builders.filesystems.btrfs.chunks import (
    MIB,
    Chunk,
    DataSpace,
    end_of,
    metadata_chunks,
    system_chunk,
)
from builders.filesystems.btrfs.contents import Contents, Extent
from builders.filesystems.btrfs.files import LARGEST_INLINE, FileTrees
from builders.filesystems.btrfs.items import FIRST_CHUNK, FIRST_FREE, Item
from builders.filesystems.btrfs.nodes import (
    Leaf,
    NodeFormat,
    Tree,
    leaf_count,
    leaves,
    levels,
    write,
)
from builders.filesystems.btrfs.options import SECTOR, BtrfsOptions
from builders.filesystems.btrfs.subvolumes import Division, Volume, divide, rearrange
from builders.filesystems.btrfs.superblock import Device, Roots, superblocks
from builders.filesystems.hierarchy import Hierarchy, TreeDoesNotFit, by_source, index
from builders.filesystems.options import BadOption
from builders.holes import data_between
from builders.plan import Plan
from builders.tree import Content, Entry

GENERATION = 1


def plan(tree: Sequence[Entry], options: BtrfsOptions, real: Callable[[str], Path] = Path) -> Plan:
    """The file system that holds `tree`, whose first entry is its root directory.

    Contents are read, for their checksums; `real` finds their sources. The same arguments give
    the same plan. Raises TreeDoesNotFit, other subclasses of BadTree, SourceMissing,
    SourceChanged.
    """
    hierarchy = index(rearrange(tree, options.subvolumes))
    return _Writer(hierarchy, options, real).write()


@dataclass(slots=True)
class _Layout:
    """Where everything is.

    chunks  all, by address; `used`: bytes in use of each
    trees   by owner, with their addresses
    items   those of trees that describe the layout, by owner
    """

    chunks: list[Chunk]
    used: list[int]
    trees: dict[int, Tree]
    items: dict[int, list[Item]]


class _Writer:
    """Used once."""

    def __init__(
        self, hierarchy: Hierarchy, options: BtrfsOptions, real: Callable[[str], Path]
    ) -> None:
        self._hierarchy = hierarchy
        self._options = options
        self._real = real
        self._plan = Plan(0)
        self._device = options.derived("device")
        self._chunk_tree_uuid = options.derived("chunk tree")
        self._form = NodeFormat(
            options.nodesize, options.uuid.bytes, self._chunk_tree_uuid, GENERATION
        )

    def write(self) -> Plan:
        division = divide(self._hierarchy, self._options.subvolumes)
        system = system_chunk(self._options.copies)
        space = DataSpace(end_of([system]))
        contents = Contents(space, self._plan, self._real)
        try:
            extents, inline = self._place_contents(contents)
        finally:
            contents.close()
        files = FileTrees(self._hierarchy, division, extents, inline, self._form.room, GENERATION)
        form = self._form
        fixed = {v.number: leaves(files.volume(v), form) for v in division.volumes}
        fixed[items.CSUM_TREE] = leaves(contents.checksum_items(form.room - 50), form)
        fixed[items.UUID_TREE] = leaves(self._uuid_items(division), form)
        fixed[items.DATA_RELOC_TREE] = leaves(_empty_directory(FIRST_FREE), form)
        references = _data_extents(division, extents)
        counts = {owner: len(found) for owner, found in fixed.items()}
        counts[items.ROOT_TREE] = leaf_count(self._root_items(None, division), form)
        layout = self._lay_out(system, space, 0, counts, references)
        end = end_of(layout.chunks)
        self._plan.size = self._size(end)
        # half of what is left is for data in any case, the kernel decides on the other half
        free = (self._plan.size - end) // 2
        wider = self._lay_out(system, space, free, counts, references)
        if end_of(wider.chunks) <= self._plan.size:
            layout = wider
        self._finish(layout, fixed, division)
        return self._plan

    def _place_contents(
        self, contents: Contents
    ) -> tuple[dict[int, list[Extent]], dict[int, bytes]]:
        """Extents of files, and the contents of small ones, by index of the entry."""
        extents: dict[int, list[Extent]] = {}
        inline: dict[int, bytes] = {}
        entries = self._hierarchy.entries
        for number in by_source(entries):
            entry = entries[number]
            size, ref = entry.size, entry.ref
            runs = [(0, size)] if size else []
            if isinstance(ref, Content) and ref.holes:
                runs = data_between(ref.holes, size)
            if runs and size <= LARGEST_INLINE:
                inline[number] = contents.small(entry)
            else:
                extents[number] = contents.place(entry, runs)
        return extents, inline

    def _uuid_items(self, division: Division) -> list[Item]:
        found = []
        for volume in division.volumes:
            uuid = self._volume_uuid(volume)
            low, high = (int.from_bytes(uuid[at : at + 8], "little") for at in (0, 8))
            number = volume.number.to_bytes(8, "little")
            found.append((low, items.UUID_SUBVOLUME, high, number))
        return sorted(found)

    def _volume_uuid(self, volume: Volume) -> bytes:
        path = volume.declared.path if volume.declared else ""
        return self._options.derived(f"subvolume /{path}")

    # --- the layout

    def _lay_out(
        self,
        system: Chunk,
        space: DataSpace,
        free: int,
        fixed: dict[int, int],
        references: list[Item],
    ) -> _Layout:
        """Place the trees, with `free` bytes behind the data if its last chunk can have them.

        `fixed` are how many leaves the trees have that do not describe the layout. The number of
        nodes that are described grows until it is enough.
        """
        form, options = self._form, self._options
        data, data_used = space.finish(free)
        described = (items.CHUNK_TREE, items.DEV_TREE, items.FREE_SPACE_TREE, items.EXTENT_TREE)
        leaf_counts = fixed | dict.fromkeys(described, 1)
        start = end_of([system, *data])
        while True:
            counts = {owner: sum(levels(count, form)) for owner, count in leaf_counts.items()}
            in_system = counts[items.CHUNK_TREE] * form.size
            if in_system > system.length:
                raise BadOption("size", "there are more chunks than one of 8 MiB can describe")
            left = sum(counts.values()) * form.size - in_system
            metadata = metadata_chunks(start, left, options.copies, form.size)
            chunks = [system, *data, *metadata]
            used = [in_system, *data_used]
            for chunk in metadata:
                used.append(min(left, chunk.length))
                left -= used[-1]
            addresses = _addresses(metadata, form.size)
            in_chunk = _addresses([system], form.size)
            trees = {
                owner: Tree.placed(
                    owner, count, form, in_chunk if owner == items.CHUNK_TREE else addresses
                )
                for owner, count in leaf_counts.items()
            }
            made = {
                items.CHUNK_TREE: self._chunk_items(chunks, Device(0, 0, self._device, b"")),
                items.DEV_TREE: self._device_items(chunks),
                items.FREE_SPACE_TREE: _free_space_items(chunks, used),
                items.EXTENT_TREE: _extent_items(chunks, used, trees, references),
            }
            needed = {owner: leaf_count(found, form) for owner, found in made.items()}
            leaf_counts |= needed
            if all(sum(levels(count, form)) == counts[owner] for owner, count in needed.items()):
                return _Layout(chunks, used, trees, made)

    def _chunk_items(self, chunks: Sequence[Chunk], device: Device) -> list[Item]:
        made = [(items.DEV_ITEMS, items.DEV_ITEM, items.DEVICE, device.item())]
        for chunk in chunks:
            data = chunk.item(self._device)
            made.append((FIRST_CHUNK, items.CHUNK_ITEM, chunk.address, data))
        return made

    def _device_items(self, chunks: Sequence[Chunk]) -> list[Item]:
        return sorted(
            (items.DEVICE, items.DEV_EXTENT, place, chunk.device_extent(self._chunk_tree_uuid))
            for chunk in chunks
            for place in chunk.places
        )

    def _root_items(self, trees: dict[int, Tree] | None, division: Division) -> list[Item]:
        """The tree of roots; without `trees`, in their place what is as long."""
        options, hierarchy = self._options, self._hierarchy
        named = {volume.number: volume for volume in division.volumes}
        owners = [items.EXTENT_TREE, items.DEV_TREE, items.CSUM_TREE, items.UUID_TREE]
        owners += [items.FREE_SPACE_TREE, items.DATA_RELOC_TREE, *named]
        made = []
        for owner in owners:
            tree = trees[owner] if trees else Tree(owner, [(0, 0)])
            volume = named.get(owner)
            read_only = volume is not None and volume.declared and volume.declared.is_read_only
            data = items.root_item(
                address=tree.root,
                level=tree.level,
                used=len(tree.nodes) * options.nodesize,
                generation=GENERATION,
                nodesize=options.nodesize,
                directory=FIRST_FREE if volume or owner == items.DATA_RELOC_TREE else 0,
                flags=items.ROOT_READ_ONLY if read_only else 0,
                uuid=self._volume_uuid(volume) if volume else bytes(16),
                time=options.epoch if volume else 0,
            )
            made.append((owner, items.ROOT_ITEM, 0, data))
        default = items.FS_TREE
        for volume in division.volumes[1:]:
            assert volume.declared is not None
            if volume.declared.is_default:
                default = volume.number
            directory = hierarchy.parents[volume.root]
            above = division.volumes[division.of[directory]].number
            place = hierarchy.children[directory].index(volume.root) + 2
            name = hierarchy.names[volume.root]
            data = items.root_ref(division.inodes[directory], place, name)
            made.append((above, items.ROOT_REF, volume.number, data))
            made.append((volume.number, items.ROOT_BACKREF, above, data))
        # the directory of roots, in which the default is called so
        top, name = items.ROOT_TREE_DIR, b"default"
        location = (default, items.ROOT_ITEM, items.LAST)
        data = items.dir_item(location, items.DIRECTORY, name, 0)
        made += _empty_directory(top, options.epoch * 1_000_000_000, options.nodesize)
        made.append((top, items.DIR_ITEM, items.name_hash(name), data))
        made.append((items.FS_TREE, items.INODE_REF, top, items.inode_ref(0, name)))
        return sorted(made)

    # --- the plan

    def _size(self, end: int) -> int:
        """Bytes of a device whose chunks end there. Raises TreeDoesNotFit."""
        options = self._options
        if options.size is None:
            return -(-max(end + options.margin(end), options.least) // MIB) * MIB
        if options.size // SECTOR * SECTOR < end:
            needed = max(end, options.least)
            raise TreeDoesNotFit(self._hierarchy.entries, needed, options.size, "btrfs")
        return options.size

    def _finish(self, layout: _Layout, fixed: dict[int, list[Leaf]], division: Division) -> None:
        """Give the plan the nodes and the superblocks."""
        form, options, chunks, size = self._form, self._options, layout.chunks, self._plan.size
        device = Device(
            size // SECTOR * SECTOR,
            sum(chunk.length * len(chunk.places) for chunk in chunks),
            self._device,
            options.uuid.bytes,
        )
        described = dict(layout.items)
        described[items.CHUNK_TREE] = self._chunk_items(chunks, device)
        described[items.ROOT_TREE] = self._root_items(layout.trees, division)
        contents = fixed | {owner: leaves(made, form) for owner, made in described.items()}
        metadata = self._plan.metadata
        system = chunks[0]
        starts = [chunk.address for chunk in chunks]
        for owner, tree in layout.trees.items():
            for address, data in write(tree, contents[owner], form):
                chunk = chunks[bisect(starts, address) - 1]
                metadata += [(place + address - chunk.address, data) for place in chunk.places]
        trees = layout.trees
        roots = Roots(
            trees[items.ROOT_TREE],
            trees[items.CHUNK_TREE],
            trees[items.EXTENT_TREE],
            trees[items.FS_TREE],
            trees[items.DEV_TREE],
            trees[items.CSUM_TREE],
        )
        key = items.KEY.pack(FIRST_CHUNK, items.CHUNK_ITEM, system.address)
        metadata += superblocks(
            device,
            roots,
            key + system.item(self._device),
            used=sum(layout.used),
            label=options.label.encode(),
            nodesize=options.nodesize,
            generation=GENERATION,
            has_default=any(each.is_default for each in options.subvolumes),
        )
        metadata.sort(key=itemgetter(0))
        self._plan.segments.sort(key=itemgetter(0))


def _addresses(chunks: Sequence[Chunk], nodesize: int) -> Iterator[int]:
    """Of all nodes that there is room for."""
    for chunk in chunks:
        yield from range(chunk.address, chunk.address + chunk.length, nodesize)


def _empty_directory(number: int, mtime: int = 0, nbytes: int = 0) -> list[Item]:
    """The root of a tree that has nothing in it."""
    data = items.inode_item(mode=0o40755, generation=GENERATION, mtime=mtime, nbytes=nbytes)
    return [
        (number, items.INODE_ITEM, 0, data),
        (number, items.INODE_REF, number, items.inode_ref(0, b"..")),
    ]


def _data_extents(division: Division, extents: dict[int, list[Extent]]) -> list[Item]:
    """EXTENT_ITEMs of all data."""
    made = []
    for number, found in extents.items():
        root = division.volumes[division.of[number]].number
        inode = division.inodes[number]
        for offset, address, length in found:
            data = items.data_extent_item(root, inode, offset, GENERATION)
            made.append((address, items.EXTENT_ITEM, length, data))
    return made


def _extent_items(
    chunks: Sequence[Chunk], used: Sequence[int], trees: dict[int, Tree], data: list[Item]
) -> list[Item]:
    """The tree of extents: data, nodes, and how much of each chunk they take."""
    made = list(data)
    for tree in trees.values():
        item = items.tree_block_item(tree.owner, GENERATION)
        made += [(at, items.METADATA_ITEM, level, item) for at, level in tree.nodes]
    for chunk, taken in zip(chunks, used, strict=True):
        item = chunk.group_item(taken)
        made.append((chunk.address, items.BLOCK_GROUP_ITEM, chunk.length, item))
    return sorted(made)


def _free_space_items(chunks: Sequence[Chunk], used: Sequence[int]) -> list[Item]:
    """The tree of free space: of each chunk what is behind its used part."""
    made = []
    for chunk, taken in zip(chunks, used, strict=True):
        left = chunk.length - taken
        info = (1 if left else 0).to_bytes(4, "little") + bytes(4)
        made.append((chunk.address, items.FREE_SPACE_INFO, chunk.length, info))
        if left:
            made.append((chunk.address + taken, items.FREE_SPACE_EXTENT, left, b""))
    return sorted(made)
