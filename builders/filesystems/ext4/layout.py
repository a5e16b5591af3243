"""Where everything fixed is in an ext4 file system, and what is left for content.

The space is groups of 32,768 blocks. Groups 0, 1 and the powers of 3, 5 and 7 begin with a
superblock, the descriptors of all groups and blocks reserved for descriptors to come. In ext4
each 16 groups form a flex group: the bitmaps and inode tables of all are at its beginning.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from operator import itemgetter

from builders.filesystems.ext4.options import (
    BLOCK,
    BLOCKS_PER_GROUP,
    FIRST_INODE,
    INODES_PER_BLOCK,
    Format,
)

_MOST_INODES = 32768  # in a group: a bit each in one block
_LAST_GROUP_DATA = 50  # blocks; a last group with less behind its metadata is not worth having


class OutOfSpace(Exception):
    """There are no free blocks left; internal, the plan says it in the user's terms."""


class TooManyInodes(Exception):
    """More inodes than the groups can number; internal as well."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """The sizes that follow from the number of blocks and inodes, in blocks."""

    form: Format
    blocks: int
    groups: int
    inodes_per_group: int
    descriptors: int
    reserved_descriptors: int
    journal: int

    @property
    def table(self) -> int:
        """Blocks of a group's inode table."""
        return self.inodes_per_group // INODES_PER_BLOCK

    @property
    def super_zone(self) -> int:
        """Blocks at the start of a group that has a superblock."""
        return 1 + self.descriptors + self.reserved_descriptors

    def overhead(self) -> int:
        """All blocks that do not hold files or directories."""
        copies = sum(has_superblock(group) for group in range(self.groups))
        resize = 1 if self.reserved_descriptors else 0
        return copies * self.super_zone + self.groups * (2 + self.table) + self.journal + resize

    def last_group_is_too_small(self) -> bool:
        rest = self.blocks % BLOCKS_PER_GROUP
        if rest == 0 or self.groups == 1:
            return False
        zone = self.super_zone if has_superblock(self.groups - 1) else 0
        return rest < zone + 2 + self.table + _LAST_GROUP_DATA


def has_superblock(group: int) -> bool:
    """Whether a group holds a copy of the superblock (sparse_super)."""
    if group <= 1:
        return True
    for base in (3, 5, 7):
        power = base
        while power < group:
            power *= base
        if power == group:
            return True
    return False


def journal_size(blocks: int) -> int:
    """What mke2fs takes for a file system of so many blocks (ext2fs_default_journal_size)."""
    for limit, size in (
        (2048, 0),
        (32768, 1024),
        (256 << 10, 4096),
        (512 << 10, 8192),
        (4096 << 10, 16384),
        (8192 << 10, 32768),
        (16384 << 10, 65536),
        (32768 << 10, 131072),
    ):
        if blocks < limit:
            return size
    return 262144


def geometry(form: Format, blocks: int, inodes: int, journal: int | None) -> Geometry:
    """The layout of `blocks` with `inodes` or more; `journal` blocks, None for the usual.

    Raises TooManyInodes.
    """
    groups = -(-blocks // BLOCKS_PER_GROUP)
    per_group = max(-(-inodes // groups), 16)
    per_group = (per_group + 15) & ~15
    if per_group > _MOST_INODES:
        raise TooManyInodes
    descriptors = -(-groups * form.descriptor // BLOCK)
    reserved = 0
    if blocks < 1 << 32 and form.resizable:
        most_groups = -(-min(blocks * 1024, 0xFFFFFFFF) // BLOCKS_PER_GROUP)
        reserved = max(0, min(-(-most_groups * form.descriptor // BLOCK) - descriptors, 1024))
    if not form.journal:
        journal = 0
    return Geometry(
        form,
        blocks,
        groups,
        per_group,
        descriptors,
        reserved,
        journal_size(blocks) if journal is None else journal,
    )


def fixed(
    form: Format,
    blocks: int,
    needed: int,
    *,
    inodes: int | None,
    journal: int | None,
    bytes_per_inode: int = 16384,
) -> Geometry:
    """The layout inside exactly `blocks`, for `needed` inodes or more.

    A last group that is too small for its own metadata is left out. Raises TooManyInodes.
    """
    while True:
        wanted = max(needed, inodes or blocks * BLOCK // bytes_per_inode)
        found = geometry(form, blocks, wanted, journal)
        if not found.last_group_is_too_small():
            return found
        blocks -= blocks % BLOCKS_PER_GROUP


def fitting(
    form: Format,
    content: int,
    needed: int,
    *,
    inodes: int | None,
    journal: int | None,
    bytes_per_inode: int = 16384,
) -> Geometry:
    """The smallest layout with room for `content` blocks and `needed` inodes beside the metadata.

    `content` includes what is to stay free.
    """
    blocks = max(content, 64)
    while True:
        wanted = max(needed, inodes or blocks * BLOCK // bytes_per_inode)
        try:
            found = geometry(form, blocks, wanted, journal)
        except TooManyInodes:
            blocks = -(-wanted // _MOST_INODES) * BLOCKS_PER_GROUP
            continue
        lacking = content + found.overhead() - blocks
        if lacking > 0:
            blocks += lacking
        elif found.last_group_is_too_small():
            blocks += 1
        else:
            return found


@dataclass(slots=True)
class GroupPlaces:
    """Of each group, the blocks of its block bitmap, inode bitmap and inode table."""

    block_bitmaps: list[int]
    inode_bitmaps: list[int]
    tables: list[int]


class Space:
    """The free blocks. `start`..`stop` is the run that is being filled, from its beginning.

    Taking is strictly ascending, so what was taken is all that is not free any more.
    """

    def __init__(self, layout: Geometry) -> None:
        self._layout = layout
        self._free: list[list[int]] = []
        previous = 0
        for group in range(layout.groups):
            if has_superblock(group):
                begin = group * BLOCKS_PER_GROUP
                if begin > previous:
                    self._free.append([previous, begin])
                previous = min(begin + layout.super_zone, layout.blocks)
        if previous < layout.blocks:
            self._free.append([previous, layout.blocks])
        self.places = self._place_groups()
        self._free = [run for run in self._free if run[1] > run[0]]
        self._next = 0
        self.start = self.stop = 0

    def _place_groups(self) -> GroupPlaces:
        layout = self._layout
        places = GroupPlaces([], [], [])
        flex = layout.form.flex
        for first in range(0, layout.groups, flex):
            count = min(flex, layout.groups - first)
            begin = first * BLOCKS_PER_GROUP
            for bitmaps in (places.block_bitmaps, places.inode_bitmaps):
                at = self._first_fit(begin, count)
                bitmaps.extend(range(at, at + count))
            for _ in range(count):
                places.tables.append(self._first_fit(begin, layout.table))
        return places

    def _first_fit(self, begin: int, count: int) -> int:
        """Take `count` blocks in one run at or behind `begin`."""
        free = self._free
        behind = bisect_right(free, begin, key=itemgetter(1))
        for number in range(behind, len(free)):
            run = free[number]
            at = max(run[0], begin)
            if run[1] - at >= count:
                if at == run[0]:
                    run[0] += count
                else:
                    free.insert(number, [run[0], at])
                    run[0] = at + count
                return at
        raise OutOfSpace

    def take(self, count: int) -> list[tuple[int, int]]:
        """The next `count` free blocks, as (first, count) runs. Raises OutOfSpace."""
        runs = []
        while count:
            room = self.stop - self.start
            if room == 0:
                if self._next >= len(self._free):
                    raise OutOfSpace
                self.start, self.stop = self._free[self._next]
                self._next += 1
                continue
            part = min(room, count)
            runs.append((self.start, part))
            self.start += part
            count -= part
        return runs

    def take_one(self) -> int:
        ((block, _),) = self.take(1)
        return block

    def free_runs(self) -> list[tuple[int, int]]:
        """The (start, stop) runs that are left."""
        rest = [(start, stop) for start, stop in self._free[self._next :]]
        return [(self.start, self.stop), *rest] if self.stop > self.start else rest


def inodes_needed(entries: int) -> int:
    """How many inodes a tree of so many files and directories, without its root, takes."""
    return FIRST_INODE + entries
