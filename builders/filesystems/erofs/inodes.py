"""The inodes of an EROFS, with what is behind each, and the contents, as a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from builders.filesystems.erofs import clusters, directories
from builders.filesystems.erofs.clusters import Compressed
from builders.filesystems.erofs.layout import BLOCK, COMPRESSED, INLINE, INODE, PLAIN
from builders.filesystems.erofs.placing import Placed
from builders.filesystems.hierarchy import BadContent, Hierarchy
from builders.holes import segments
from builders.plan import Plan, Segment
from builders.tree import Content, Entry, path_bytes

_MODES = {
    "f": 0o100000,
    "d": 0o040000,
    "c": 0o020000,
    "b": 0o060000,
    "p": 0o010000,
    "s": 0o140000,
    "l": 0o120000,
}


def fill(
    hierarchy: Hierarchy,
    folders: Mapping[int, list[directories.Block]],
    placed: Placed,
    first: int,
    compressed: Mapping[int, Compressed],
    cluster: int,
    made: str,
) -> Plan:
    """All but the first block.

    first       the number of the first block behind the inodes
    compressed  contents that are in the file `made`, in clusters of `cluster` bytes
    """
    area = bytearray((first - 1) * BLOCK)  # the inodes, from the second block on
    metadata: list[tuple[int, bytes]] = []
    tails: list[Segment] = []
    data: list[Segment] = []
    end = first
    for number, entry in enumerate(hierarchy.entries):
        kind = entry.kind
        if kind == "h":
            continue
        size, inline, xattrs = placed.size[number], placed.inline[number], placed.xattrs[number]
        at, full, blocks = placed.at[number], size - inline, placed.blocks[number]
        packed = compressed.get(number)
        layout = COMPRESSED if packed else INLINE if inline else PLAIN
        value = placed.data[number] if full else 0
        if kind in "cb":
            value = _device(entry)
        elif packed:
            value = packed.blocks
        INODE.pack_into(
            area,
            at - BLOCK,
            1 | layout << 1,
            1 + (len(xattrs) - 12) // 4 if xattrs else 0,
            _MODES[kind] | entry.mode,
            0,
            size,
            value,
            number + 1,
            entry.uid,
            entry.gid,
            entry.mtime // 1_000_000_000 & 0xFFFFFFFFFFFFFFFF,
            entry.mtime % 1_000_000_000,
            placed.links[number],
        )
        behind = at + INODE.size
        area[behind - BLOCK : behind - BLOCK + len(xattrs)] = xattrs
        behind += len(xattrs)
        start = placed.data[number] * BLOCK
        if blocks:
            end = max(end, placed.data[number] + blocks)
        if packed:
            behind += -behind % 8
            index = clusters.index(packed, size, cluster, placed.data[number])
            area[behind - BLOCK : behind - BLOCK + len(index)] = index
            data.append(Segment(start, made, packed.offset, blocks * BLOCK))
            continue
        if kind == "f" and isinstance(entry.ref, Content):
            data += segments(entry.ref, 0, full, start)
            tails += segments(entry.ref, full, inline, behind)
            continue
        content = _content(hierarchy, folders, placed, number)
        if full:
            metadata.append((start, content[:full]))
        area[behind - BLOCK : behind - BLOCK + inline] = content[full:]
    tails.sort()
    data.sort()
    metadata.sort()
    return Plan(end * BLOCK, [*_around(bytes(area), tails), *metadata], tails + data)


def _content(
    hierarchy: Hierarchy,
    folders: Mapping[int, list[directories.Block]],
    placed: Placed,
    number: int,
) -> bytes:
    """The content of what is not in a source."""
    entry = hierarchy.entries[number]
    if entry.kind == "d":
        return directories.content(hierarchy, placed.at, folders[number])
    if entry.kind == "l":
        return path_bytes(str(entry.ref))
    if entry.kind != "f":
        return b""
    content = entry.ref or b""
    if not isinstance(content, bytes) or len(content) != entry.size:
        raise BadContent(entry.path, entry.size)
    return content


def _device(entry: Entry) -> int:
    """The device's number as the kernel encodes one in 32 bits (new_encode_dev)."""
    if not isinstance(entry.ref, tuple) or isinstance(entry.ref, Content):
        raise BadContent(entry.path, 0)
    major, minor = entry.ref
    return minor & 0xFF | major << 8 | (minor & ~0xFF) << 12


def _around(area: bytes, tails: Sequence[Segment]) -> Iterator[tuple[int, bytes]]:
    """The inodes, from the second block on, without what `tails` will put between them."""
    position = BLOCK
    for tail in tails:
        yield position, area[position - BLOCK : tail.offset - BLOCK]
        position = tail.offset + tail.length
    yield position, area[position - BLOCK :]
