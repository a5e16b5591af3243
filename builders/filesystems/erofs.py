"""EROFS without compression: a read-only file system, smaller and simpler than any other.

The superblock is in the first block; inodes of 64 bytes follow, each with its extended attributes
and, perhaps, the last part of its content; then come whole blocks of content, those of one source
in the order in which they are in it. (Linux, fs/erofs/erofs_fs.h.)
"""

from __future__ import annotations

import struct
import uuid as uuids
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from builders.filesystems.ext4.checksum import crc32c, finish
from builders.filesystems.hierarchy import BadContent, BadTree, Hierarchy, TreeDoesNotFit, index
from builders.filesystems.options import BadOption, LabelTooLong, check
from builders.plan import Plan, Segment
from builders.tree import Content, Entry, path_bytes

BLOCK = 4096
_MAGIC = 0xE0F5E1E2
_SUPERBLOCK = 1024  # its offset
_SLOT = 32  # inodes begin at multiples of it and are numbered by them
_INODE = struct.Struct("<HHHHQIIIIQII16x")
_DIRENT = struct.Struct("<QHBB")
_PLAIN, _INLINE = 0, 2  # i_format: where the content is

_TYPES = {"size": int, "label": str, "uuid": uuids.UUID, "epoch": int, "tails": str}
_FILE_TYPES = {"f": 1, "d": 2, "c": 3, "b": 4, "p": 5, "s": 6, "l": 7}
_MODES = {
    "f": 0o100000,
    "d": 0o040000,
    "c": 0o020000,
    "b": 0o060000,
    "p": 0o010000,
    "s": 0o140000,
    "l": 0o120000,
}
_NAMESPACES = (
    ("user.", 1),
    ("system.posix_acl_access", 2),
    ("system.posix_acl_default", 3),
    ("trusted.", 4),
    ("security.", 6),
)


class XattrNotInErofs(BadTree):
    """An extended attribute is of an unknown namespace, or too long."""

    def __init__(self, path: str, name: str, problem: str) -> None:
        super().__init__(f"the extended attribute {name} of /{path} {problem} in EROFS")


@dataclass(slots=True)
class _Placed:
    """Of each entry, by index; hard links have nothing.

    size    bytes of content, of a directory: of its blocks
    xattrs  the area behind the inode
    at      byte offset of the inode
    inline  bytes of content behind inode and attributes; the rest is at `data`
    data    number of the first block of content
    links   names
    """

    size: list[int]
    xattrs: list[bytes]
    at: list[int]
    inline: list[int]
    data: list[int]
    links: list[int]


def make(name: str, tree: Sequence[Entry], options: Mapping[str, object]) -> Plan:
    """The EROFS that holds `tree`. Options:

    uuid   must be given
    label  at most 15 bytes
    size   bytes; what is behind the file system is zero
    tails  "blocks" (the default): contents are whole blocks, which can be shared with the store;
           "inline": the last part of a content is put behind its inode where that saves a block
    epoch  seconds: when it was made

    Raises BadOption and BadTree's subclasses.
    """
    checked = check(name, _TYPES, options)
    uuid, size = checked.get("uuid"), checked.get("size")
    if not isinstance(uuid, uuids.UUID):
        raise BadOption("uuid", "it must be given")
    label = str(checked.get("label", ""))
    if len(label.encode()) > 15:
        raise LabelTooLong(label, len(label.encode()), 15)
    tails = checked.get("tails", "blocks")
    if tails not in ("blocks", "inline"):
        raise BadOption("tails", f"{tails!r} is neither blocks nor inline")
    epoch = checked.get("epoch", 1)
    assert isinstance(epoch, int)
    hierarchy = index(tree)
    blocks = {number: _directory_blocks(hierarchy, number) for number in hierarchy.children}
    placed, first = _place(hierarchy, blocks, inline_files=tails == "inline")
    plan = _fill(hierarchy, blocks, placed, first)
    total = plan.size // BLOCK
    if isinstance(size, int):
        if size < plan.size:
            raise TreeDoesNotFit(tree, plan.size, size, "EROFS")
        plan.size = size
    inodes = len(tree) - len(hierarchy.targets)
    root = placed.at[0] // _SLOT
    superblock = _superblock(root, inodes, total, uuid, label, epoch)
    plan.metadata.insert(0, (_SUPERBLOCK, superblock))
    return plan


def _superblock(
    root: int, inodes: int, blocks: int, uuid: uuids.UUID, label: str, epoch: int
) -> bytes:
    data = bytearray(BLOCK - _SUPERBLOCK)
    features = 3  # checksum, times are those of modification
    struct.pack_into("<III", data, 0, _MAGIC, 0, features)
    struct.pack_into("<BBHQQI", data, 12, 12, 0, root, inodes, epoch, 0)
    struct.pack_into("<III16s16sI", data, 36, blocks, 0, 0, uuid.bytes, label.encode(), 0)
    struct.pack_into("<I", data, 4, finish(crc32c(0, bytes(data))))
    return bytes(data)


# --- directories


Block = list[tuple[bytes, int]]
"""The (name, index of the entry) pairs of one block of a directory."""


def _directory_blocks(hierarchy: Hierarchy, directory: int) -> list[Block]:
    names = [(hierarchy.names[child], child) for child in hierarchy.children[directory]]
    names += [(b".", directory), (b"..", hierarchy.parents[directory])]
    names.sort()
    blocks: list[Block] = [[]]
    used = 0
    for pair in names:
        length = _DIRENT.size + len(pair[0])
        if used + length > BLOCK:
            blocks.append([])
            used = 0
        blocks[-1].append(pair)
        used += length
    return blocks


def _length(block: Block) -> int:
    return sum(_DIRENT.size + len(name) for name, _ in block)


def _directory(hierarchy: Hierarchy, placed: _Placed, blocks: list[Block]) -> bytes:
    """The content of a directory: in each block the records, then the names."""
    result = b""
    for block in blocks:
        result += bytes(-len(result) % BLOCK)
        offset = _DIRENT.size * len(block)
        records = []
        for name, number in block:
            inode = hierarchy.targets.get(number, number)
            kind = _FILE_TYPES[hierarchy.entries[inode].kind]
            records.append(_DIRENT.pack(placed.at[inode] // _SLOT, offset, kind, 0))
            offset += len(name)
        result += b"".join(records) + b"".join(name for name, _ in block)
    return result


# --- places


def _place(
    hierarchy: Hierarchy, blocks: Mapping[int, list[Block]], *, inline_files: bool
) -> tuple[_Placed, int]:
    """Where everything goes, and the number of the first block behind the inodes."""
    count = len(hierarchy.entries)
    placed = _Placed([0] * count, [b""] * count, [0] * count, [0] * count, [0] * count, [1] * count)
    for target in hierarchy.targets.values():
        placed.links[target] += 1
    position = BLOCK
    for number, entry in enumerate(hierarchy.entries):
        kind = entry.kind
        if kind == "h":
            continue
        if kind == "d":
            made = blocks[number]
            placed.size[number] = (len(made) - 1) * BLOCK + _length(made[-1])
            children = hierarchy.children[number]
            placed.links[number] = 2 + sum(hierarchy.entries[one].kind == "d" for one in children)
        elif kind == "f":
            placed.size[number] = entry.size
        elif kind == "l":
            placed.size[number] = len(path_bytes(str(entry.ref)))
        xattrs = placed.xattrs[number] = _xattrs(entry)
        header = _INODE.size + len(xattrs)
        tail = placed.size[number] % BLOCK
        if tail and header + tail <= BLOCK and (kind in "dl" or inline_files):
            placed.inline[number] = tail
            if position % BLOCK + header + tail > BLOCK:  # it must not go over a block's end
                position += -position % BLOCK
            header += tail
        placed.at[number] = position
        position += header + -header % _SLOT
    first = -(-position // BLOCK)
    cursor = first
    for number in _data_order(hierarchy.entries):
        placed.data[number] = cursor
        cursor += -(-(placed.size[number] - placed.inline[number]) // BLOCK)
    return placed, first


def _data_order(entries: Sequence[Entry]) -> list[int]:
    """Directories and links first, then files as they are in their sources."""
    ranks: dict[str, int] = {}
    keys: list[tuple[int, int, int]] = []
    for number, entry in enumerate(entries):
        if entry.kind == "f" and isinstance(entry.ref, Content):
            rank = ranks.setdefault(entry.ref.source, len(ranks) + 1)
            keys.append((rank, entry.ref.offset, number))
        elif entry.kind in "dfl":
            keys.append((0, 0, number))
    return [number for _, _, number in sorted(keys)]


def _xattrs(entry: Entry) -> bytes:
    """A header of 12 bytes, then the attributes, each padded to 4 bytes."""
    if not entry.xattrs:
        return b""
    parts = [bytes(12)]
    for name in sorted(entry.xattrs):
        value = entry.xattrs[name]
        prefix, namespace = _namespace(entry.path, name)
        rest = path_bytes(name[len(prefix) :])
        if len(rest) > 255 or len(value) > 0xFFFF:
            raise XattrNotInErofs(entry.path, name, "is too long to be stored")
        part = struct.pack("<BBH", len(rest), namespace, len(value)) + rest + value
        parts.append(part + bytes(-len(part) % 4))
    area = b"".join(parts)
    if (len(area) - 12) // 4 >= 0xFFFF:
        raise XattrNotInErofs(entry.path, "(all)", "are too long to be stored")
    return area


def _namespace(path: str, name: str) -> tuple[str, int]:
    for prefix, number in _NAMESPACES:
        if name.startswith(prefix):
            return prefix, number
    raise XattrNotInErofs(path, name, "is of a namespace that is not known")


# --- contents


def _fill(
    hierarchy: Hierarchy, blocks: Mapping[int, list[Block]], placed: _Placed, first: int
) -> Plan:
    area = bytearray((first - 1) * BLOCK)  # the inodes, from the second block on
    metadata: list[tuple[int, bytes]] = []
    tails: list[Segment] = []
    segments: list[Segment] = []
    end = first
    for number, entry in enumerate(hierarchy.entries):
        kind = entry.kind
        if kind == "h":
            continue
        size, inline, xattrs = placed.size[number], placed.inline[number], placed.xattrs[number]
        at, full = placed.at[number], size - inline
        _INODE.pack_into(
            area,
            at - BLOCK,
            1 | (_INLINE if inline else _PLAIN) << 1,
            1 + (len(xattrs) - 12) // 4 if xattrs else 0,
            _MODES[kind] | entry.mode,
            0,
            size,
            _device(entry) if kind in "cb" else placed.data[number] if full else 0,
            number + 1,
            entry.uid,
            entry.gid,
            entry.mtime // 1_000_000_000 & 0xFFFFFFFFFFFFFFFF,
            entry.mtime % 1_000_000_000,
            placed.links[number],
        )
        behind = at + _INODE.size
        area[behind - BLOCK : behind - BLOCK + len(xattrs)] = xattrs
        behind += len(xattrs)
        start = placed.data[number] * BLOCK
        if full:
            end = max(end, placed.data[number] + -(-full // BLOCK))
        if kind == "f" and isinstance(entry.ref, Content):
            segments += _segments(entry.ref, 0, full, start)
            tails += _segments(entry.ref, full, inline, behind)
            continue
        content = _content(hierarchy, blocks, placed, number)
        if full:
            metadata.append((start, content[:full]))
        area[behind - BLOCK : behind - BLOCK + inline] = content[full:]
    tails.sort()
    segments.sort()
    metadata.sort()
    return Plan(end * BLOCK, [*_around(bytes(area), tails), *metadata], tails + segments)


def _content(
    hierarchy: Hierarchy, blocks: Mapping[int, list[Block]], placed: _Placed, number: int
) -> bytes:
    """The content of what is not in a source."""
    entry = hierarchy.entries[number]
    if entry.kind == "d":
        return _directory(hierarchy, placed, blocks[number])
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


def _segments(content: Content, start: int, length: int, target: int) -> Iterator[Segment]:
    """What puts `length` bytes from `start` of the content at `target`; holes are left out."""
    position, end = start, start + length
    for hole, hole_length in (*content.holes, (end, 0)):
        stop = min(hole, end)
        if stop > position:
            yield Segment(
                target + position - start,
                content.source,
                content.offset + position,
                stop - position,
            )
        position = max(position, hole + hole_length)


def _around(area: bytes, tails: Sequence[Segment]) -> Iterator[tuple[int, bytes]]:
    """The inodes, from the second block on, without what `tails` will put between them."""
    position = BLOCK
    for tail in tails:
        yield position, area[position - BLOCK : tail.offset - BLOCK]
        position = tail.offset + tail.length
    yield position, area[position - BLOCK :]
