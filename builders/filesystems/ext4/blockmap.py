"""Which blocks a file of ext2 or ext3 has: twelve pointers in the inode, then indirect blocks."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from builders.filesystems.ext4.extents import Run
from builders.filesystems.ext4.options import BLOCK

_DIRECT = 12
_POINTERS = BLOCK // 4
_SPANS = (1, _POINTERS, _POINTERS**2)

EMPTY = bytes(60)


def tree(
    runs: Sequence[Run], *, take: Callable[[], int], put: Callable[[int, bytes], None]
) -> tuple[bytes, int]:
    """i_block for `runs`, and how many blocks `take` gave for pointers, filled by `put`.

    A null pointer is a hole. Raises OverflowError for a file beyond triple indirection.
    """
    level: dict[int, int] = {}  # logical block -> physical block
    for logical, physical, count in runs:
        level.update((logical + number, physical + number) for number in range(count))
    roots = [level.pop(number, 0) for number in range(_DIRECT)]
    taken = 0
    first = _DIRECT
    for depth in (1, 2, 3):
        span = _POINTERS**depth
        part = {
            number - first: level.pop(number)
            for number in [each for each in level if each < first + span]
        }
        root, used = _indirect(part, depth, take, put)
        roots.append(root)
        taken += used
        first += span
    if level:
        raise OverflowError("a file beyond triple indirection")
    return struct.pack("<15I", *roots), taken


def _indirect(
    pointers: dict[int, int],
    depth: int,
    take: Callable[[], int],
    put: Callable[[int, bytes], None],
) -> tuple[int, int]:
    """The block through which `pointers` are reached, and how many blocks that took."""
    if not pointers:
        return 0, 0
    block = take()
    taken = 1
    table = [0] * _POINTERS
    if depth == 1:
        for number, physical in pointers.items():
            table[number] = physical
    else:
        span = _SPANS[depth - 1]
        parts: dict[int, dict[int, int]] = {}
        for number, physical in pointers.items():
            parts.setdefault(number // span, {})[number % span] = physical
        for place, part in sorted(parts.items()):
            table[place], used = _indirect(part, depth - 1, take, put)
            taken += used
    put(block, struct.pack(f"<{_POINTERS}I", *table))
    return block, taken


def tree_blocks(runs: Sequence[tuple[int, int]]) -> int:
    """How many blocks of pointers a file with these (logical, count) runs needs."""
    total = 0
    leaves: set[int] = set()
    for logical, count in runs:
        start = max(logical, _DIRECT)
        if logical + count > start:
            leaves.update(
                range(
                    (start - _DIRECT) // _POINTERS, (logical + count - 1 - _DIRECT) // _POINTERS + 1
                )
            )
    total += len(leaves)
    doubles = {(leaf - 1) // _POINTERS for leaf in leaves if leaf >= 1}
    total += len(doubles)  # the double indirect block, and the second level of the triple one
    return total + (1 if any(number >= 1 for number in doubles) else 0)
