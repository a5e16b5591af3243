"""A tree as an ext4 file system: every block has its place before the first is written.

Directories come first, together; then the journal; then contents, those of one source in the order
in which they are in it, so that a pack is read and written, or shared, in long runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from builders.crc32c import crc32c
from builders.filesystems.ext4 import blockmap, directories, extents, inodes, xattrs
from builders.filesystems.ext4.groups import finish_groups
from builders.filesystems.ext4.inodes import USES_EXTENTS, InodeTable
from builders.filesystems.ext4.journal import RESIZE_SIZE, journal_superblock, resize_inode
from builders.filesystems.ext4.layout import (
    Geometry,
    OutOfSpace,
    Space,
    TooManyInodes,
    fitting,
    fixed,
    has_superblock,
)
from builders.filesystems.ext4.options import BLOCK, BLOCKS_PER_GROUP, EXT4, Ext4Options, Format
from builders.filesystems.ext4.superblock import JournalMap, superblock
from builders.filesystems.ext4.survey import (
    FAST_SYMLINK,
    LOST_FOUND_NAME,
    Survey,
    survey,
)
from builders.filesystems.hierarchy import TreeDoesNotFit, by_source, index
from builders.plan import Plan, Segment
from builders.tree import Content, Entry, path_bytes

_SECTORS = BLOCK // 512
_FILE_TYPES = {"f": 1, "d": 2, "c": 3, "b": 4, "p": 5, "s": 6, "l": 7}
_RETRY = 64  # blocks


def plan(tree: Sequence[Entry], options: Ext4Options, form: Format = EXT4) -> Plan:
    """The file system that holds `tree`, whose first entry is its root directory.

    The same arguments give the same plan. Raises TreeDoesNotFit, other subclasses of BadTree.
    """
    if options.root_owner is not None:
        uid, gid = options.root_owner
        tree = [tree[0]._replace(uid=uid, gid=gid), *tree[1:]]
    found = survey(index(tree), form)
    journal = None if options.journal is None else options.journal // BLOCK
    if options.size is not None:
        smallest = fitting(form, found.blocks, found.inodes, inodes=None, journal=journal)
        try:
            layout = fixed(
                form,
                options.size // BLOCK,
                found.inodes,
                inodes=options.inodes,
                journal=journal,
                bytes_per_inode=options.bytes_per_inode,
            )
            if found.blocks + layout.overhead() > layout.blocks:
                raise OutOfSpace
            return _Writer(found, layout, options, options.size).write()
        except (OutOfSpace, TooManyInodes):
            needed = BLOCK * max(smallest.blocks, options.size // BLOCK + 1)
            raise TreeDoesNotFit(tree, needed, options.size, form.name) from None
    free = options.free_blocks(found.blocks)
    wanted = found.blocks + free
    spare_inodes = free * BLOCK // options.bytes_per_inode
    while True:
        layout = fitting(
            form,
            wanted,
            found.inodes + spare_inodes,
            inodes=options.inodes,
            journal=journal,
            bytes_per_inode=options.bytes_per_inode,
        )
        try:
            return _Writer(found, layout, options, layout.blocks * BLOCK).write()
        except OutOfSpace:
            # group metadata cut the free space into more runs than was foreseen
            wanted += _RETRY


class _Writer:
    """Gives all of a surveyed tree its place in a layout; used once."""

    def __init__(self, found: Survey, layout: Geometry, options: Ext4Options, size: int) -> None:
        self._survey = found
        self._entries = found.hierarchy.entries
        self._layout = layout
        self._options = options
        self._form = layout.form
        self._time = options.epoch * 1_000_000_000
        self._plan = Plan(size)
        self._seed = crc32c(0, options.uuid.bytes) if self._form.checksums else 0
        self._space = Space(layout)
        self._inodes = InodeTable(found.inodes, self._seed, self._form.checksums)
        self._directories: dict[int, int] = {}  # how many, by group
        self._xattr_blocks: dict[int, int] = {}

    def write(self) -> Plan:
        """Raises OutOfSpace."""
        self._inodes.put(1, 0, 0, 0, self._time, 0, 0, 0, 0, b"")
        self._put_xattrs()
        if not self._survey.own_lost_found:
            self._put_lost_found()
        for directory in self._survey.hierarchy.children:
            self._put_directory(directory)
        journal = self._put_journal()
        self._put_resize_inode()
        for number, entry in enumerate(self._entries):
            if entry.kind == "l":
                self._put_symlink(number, entry)
            elif entry.kind in "cbps":
                self._put_special(number, entry)
        self._put_files()
        self._put_groups(journal)
        self._plan.metadata.sort(key=itemgetter(0))
        self._plan.segments.sort(key=itemgetter(0))
        return self._plan

    def _put(self, block: int, data: bytes) -> None:
        self._plan.metadata.append((block * BLOCK, data))

    def _inode(
        self, number: int, entry: Entry, size: int, blocks: int, flags: int, iblock: bytes
    ) -> None:
        """The inode of a tree's entry that has `blocks` blocks beside the one of its attributes."""
        found = self._survey
        xattr_block = self._xattr_blocks.get(number, 0)
        self._inodes.put(
            found.numbers[number],
            inodes.TYPES[entry.kind] | entry.mode,
            entry.uid,
            entry.gid,
            entry.mtime,
            size,
            found.links[number],
            (blocks + (1 if xattr_block else 0)) * _SECTORS,
            flags,
            iblock,
            xattr_block,
            found.inode_xattrs.get(number, b""),
        )

    def _map(self, inode: int, runs: Sequence[extents.Run]) -> tuple[int, bytes, int]:
        """Flags and i_block for a file of `runs`, and how many blocks the map itself took."""
        if self._form.extents:
            iblock, taken = extents.tree(
                runs,
                self._inodes.seed(inode),
                checksums=self._form.checksums,
                take=self._space.take_one,
                put=self._put,
            )
            return USES_EXTENTS, iblock, taken
        iblock, taken = blockmap.tree(runs, take=self._space.take_one, put=self._put)
        return 0, iblock, taken

    def _put_xattrs(self) -> None:
        for number, attributes in self._survey.block_xattrs.items():
            block = self._xattr_blocks[number] = self._space.take_one()
            self._put(block, xattrs.block(attributes, block, self._seed, self._form.checksums))

    # --- directories

    def _put_directory(self, directory: int) -> None:
        hierarchy, numbers = self._survey.hierarchy, self._survey.numbers
        entries, targets = self._entries, hierarchy.targets
        inode = numbers[directory]
        children = hierarchy.children[directory]
        cuts = self._survey.cuts[directory]
        seed = self._inodes.seed(inode)
        blocks = []
        for start, stop in cuts:
            records = directories.dots(inode, numbers[hierarchy.parents[directory]])
            if start:
                records = []
            elif directory == 0 and not self._survey.own_lost_found:
                records.append((inodes.LOST_FOUND, LOST_FOUND_NAME, directories.DIRECTORY))
            records += [
                (
                    numbers[child],
                    hierarchy.names[child],
                    _FILE_TYPES[entries[targets.get(child, child)].kind],
                )
                for child in children[start:stop]
            ]
            blocks.append(directories.block(records, seed, self._form.checksums))
        flags, iblock, taken = self._map(inode, self._put_blocks(blocks))
        count = len(blocks) + taken
        self._inode(directory, entries[directory], len(blocks) * BLOCK, count, flags, iblock)
        self._note_directory(inode)

    def _put_lost_found(self) -> None:
        number, checksums = inodes.LOST_FOUND, self._form.checksums
        seed = self._inodes.seed(number)
        blocks = [directories.block(directories.dots(number, inodes.ROOT), seed, checksums)]
        empty = directories.block((), seed, checksums)
        blocks += [empty] * (directories.LOST_FOUND_BLOCKS - 1)
        flags, iblock, taken = self._map(number, self._put_blocks(blocks))
        count = len(blocks) + taken
        size = len(blocks) * BLOCK
        mode = inodes.TYPES["d"] | 0o700
        self._inodes.put(number, mode, 0, 0, self._time, size, 2, count * _SECTORS, flags, iblock)
        self._note_directory(number)

    def _note_directory(self, inode: int) -> None:
        group = (inode - 1) // self._layout.inodes_per_group
        self._directories[group] = self._directories.get(group, 0) + 1

    def _put_blocks(self, blocks: Sequence[bytes]) -> list[extents.Run]:
        """Give whole blocks their place, in one run if there is one."""
        runs = []
        logical = 0
        for start, count in self._space.take(len(blocks)):
            self._put(start, b"".join(blocks[logical : logical + count]))
            runs.append((logical, start, count))
            logical += count
        return runs

    # --- inodes of the file system's own

    def _put_journal(self) -> JournalMap | None:
        count = self._layout.journal
        if not count:
            return None
        runs = []
        logical = 0
        for start, length in self._space.take(count):
            runs.append((logical, start, length))
            logical += length
        self._put(runs[0][1], journal_superblock(count))
        flags, iblock, taken = self._map(inodes.JOURNAL, runs)
        mode = inodes.TYPES["f"] | 0o600
        sectors = (count + taken) * _SECTORS
        size = count * BLOCK
        self._inodes.put(inodes.JOURNAL, mode, 0, 0, self._time, size, 1, sectors, flags, iblock)
        return JournalMap(iblock, size)

    def _put_resize_inode(self) -> None:
        if not self._layout.reserved_descriptors:
            return
        iblock, count = resize_inode(self._layout, self._space.take_one(), self._put)
        mode = inodes.TYPES["f"] | 0o600
        self._inodes.put(
            inodes.RESIZE, mode, 0, 0, self._time, RESIZE_SIZE, 1, count * _SECTORS, 0, iblock
        )

    # --- the tree's files

    def _put_symlink(self, number: int, entry: Entry) -> None:
        target = path_bytes(str(entry.ref))
        if len(target) < FAST_SYMLINK:
            self._inode(number, entry, len(target), 0, 0, target)
            return
        block = self._space.take_one()
        self._put(block, target)
        flags, iblock, _ = self._map(self._survey.numbers[number], [(0, block, 1)])
        self._inode(number, entry, len(target), 1, flags, iblock)

    def _put_special(self, number: int, entry: Entry) -> None:
        iblock = b""
        if isinstance(entry.ref, tuple) and entry.kind in "cb":
            major, minor = int(entry.ref[0]), int(entry.ref[1])
            iblock = inodes.device(major, minor)
        self._inode(number, entry, 0, 0, 0, iblock)

    def _put_files(self) -> None:
        found, space, put = self._survey, self._space, self._inodes.put
        numbers, links, xattrs_of, runs = found.numbers, found.links, found.inode_xattrs, found.runs
        add_segment, add_metadata = self._plan.segments.append, self._plan.metadata.append
        uses_extents = self._form.extents
        empty = extents.EMPTY if uses_extents else blockmap.EMPTY
        flags = USES_EXTENTS if uses_extents else 0
        for number in by_source(self._entries):
            _, _, mode, uid, gid, mtime, size, ref, _ = entry = self._entries[number]
            count = (size + BLOCK - 1) // BLOCK
            if size == 0:
                self._inode(number, entry, 0, 0, flags, empty)
            elif (
                # nearly every file: one run that is free from here on
                count <= space.stop - space.start
                and count <= extents.LONGEST
                and uses_extents
                and number not in runs
                and number not in self._xattr_blocks
            ):
                start = space.start
                space.start += count
                if isinstance(ref, Content):
                    add_segment(Segment(start * BLOCK, ref[0], ref[1], size))
                else:
                    assert isinstance(ref, bytes)
                    add_metadata((start * BLOCK, ref))
                put(
                    numbers[number],
                    0o100000 | mode,
                    uid,
                    gid,
                    mtime,
                    size,
                    links[number],
                    count * _SECTORS,
                    USES_EXTENTS,
                    extents.one(start, count),
                    0,
                    xattrs_of.get(number, b""),
                )
            else:
                self._put_runs(number, entry, runs.get(number, [(0, size)]))

    def _put_runs(self, number: int, entry: Entry, data: Sequence[tuple[int, int]]) -> None:
        """A file that is not simply one run: `data` are its (start, stop) bytes between holes."""
        ref = entry.ref
        runs = []
        total = 0
        for begin, end in data:
            position = begin
            count = (end - begin + BLOCK - 1) // BLOCK
            total += count
            for start, length in self._space.take(count):
                size = min(length * BLOCK, end - position)
                if isinstance(ref, Content):
                    place = ref.offset + position
                    self._plan.segments.append(Segment(start * BLOCK, ref.source, place, size))
                else:
                    assert isinstance(ref, bytes)
                    self._put(start, ref[position : position + size])
                runs.append((position // BLOCK, start, length))
                position += length * BLOCK
        flags, iblock, taken = self._map(self._survey.numbers[number], runs)
        self._inode(number, entry, entry.size, total + taken, flags, iblock)

    # --- what describes all of it

    def _put_groups(self, journal: JournalMap | None) -> None:
        layout, space = self._layout, self._space
        used = self._survey.inodes
        groups = finish_groups(
            layout,
            space.places,
            space.free_runs(),
            used,
            self._directories,
            self._seed,
            self._put,
        )
        per_group = layout.inodes_per_group
        table = self._inodes.data
        for group, place in enumerate(space.places.tables):
            first = group * per_group
            if first < used:
                last = min(first + per_group, used)
                self._put(place, bytes(table[first * 256 : last * 256]))
        for group in range(layout.groups):
            if has_superblock(group):
                data = superblock(layout, groups, self._options, journal, group)
                begin = group * BLOCKS_PER_GROUP * BLOCK
                self._plan.metadata.append((begin if group else 1024, data))
                self._plan.metadata.append((begin + BLOCK, groups.descriptors))
