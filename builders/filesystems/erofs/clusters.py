"""Compressed contents of an EROFS (Linux, fs/erofs/erofs_fs.h: "big pclusters", LZ4 with padding).

A content is cut into clusters of one size. Each is compressed by itself, if that saves a block, and
stored in whole blocks, zeros before the compressed bytes; else its blocks are stored as they are.
An index behind the inode has eight bytes for each block of the content: what kind of cluster it
belongs to, and where that begins.
"""

from __future__ import annotations

import os
import struct
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from builders.filesystems.erofs.layout import BLOCK
from builders.filesystems.hierarchy import BadContent
from builders.filesystems.options import BadOption
from builders.filesystems.workroom import Workroom
from builders.holes import data_runs
from builders.sinks.codecs import Codec, lz4, lz4hc
from builders.sinks.parallel import in_order
from builders.sinks.raw import CannotWrite, Sources, write_all
from builders.sinks.stream import zeros
from builders.tree import Content, Entry

METHODS: dict[str, Callable[[int | None], Codec]] = {"lz4": lz4, "lz4hc": lz4hc}
USUAL_CLUSTER = 128 << 10
_SMALLEST, _LARGEST = 2 * BLOCK, 1 << 20
MAX_DISTANCE = 0xFFFF
"""How far LZ4 looks back, in bytes."""

_BATCH = 1 << 20  # bytes that one thread gets at once
_INDEX = struct.Struct("<HHI")
_DISTANCES = struct.Struct("<HHHH")
_MAP = struct.Struct("<HHHBB8x")  # the header and a gap
_PLAIN, _HEAD, _NONHEAD = 0, 1, 2
_COUNT_OF_BLOCKS = 1 << 11  # in place of a distance, in the second block of a cluster
_BIG_CLUSTERS = 2


@dataclass(frozen=True, slots=True)
class Compressed:
    """A content in the file of the workroom.

    offset  bytes, in that file
    blocks  how many it takes
    stored  of each cluster the blocks that it takes; 0: it is not compressed
    """

    offset: int
    blocks: int
    stored: array[int]


@dataclass(frozen=True, slots=True)
class Method:
    """`name` is in METHODS; `cluster`: bytes of content that are compressed together."""

    name: str
    level: int | None
    cluster: int

    def index_size(self, size: int) -> int:
        """Bytes of the index of a content of `size` bytes."""
        return _MAP.size + _INDEX.size * -(-size // BLOCK)


def method(name: object, level: object, cluster: object) -> Method | None:
    """The method that options of make name; None: nothing is compressed. Raises BadOption."""
    if name in (None, "none"):
        if level is not None or cluster is not None:
            raise BadOption("compression", "there is none, but its level or cluster is given")
        return None
    if name not in METHODS:
        raise BadOption("compression", f"{name!r} is neither {', '.join(METHODS)} nor none")
    size = USUAL_CLUSTER if cluster is None else cluster
    if not isinstance(size, int) or not _SMALLEST <= size <= _LARGEST or size % BLOCK:
        raise BadOption(
            "cluster", f"{size} is no multiple of {BLOCK} from {_SMALLEST} to {_LARGEST}"
        )
    assert isinstance(name, str)
    assert level is None or isinstance(level, int)
    METHODS[name](level)  # is the level one?
    return Method(name, level, size)


def compress(
    entries: Sequence[Entry], order: Sequence[int], how: Method, room: Workroom
) -> dict[int, Compressed]:
    """Compress the contents of those of `entries` where it saves something, in this `order`.

    Raises SourceMissing, SourceChanged, CannotWrite, BadContent.
    """
    pack = _packer(METHODS[how.name](how.level))
    total = sum(entries[number].size for number in order if _is_long(entries[number]))
    found: dict[int, Compressed] = {}
    offset = start = done = 0
    stored = array("H")
    try:
        descriptor = os.open(room.made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotWrite(str(room.made), None, error) from None
    try:
        with Sources(room.real) as sources:
            batches = _batches(entries, order, how.cluster, sources)
            for batch, packed in in_order(lambda batch: (batch, [*map(pack, batch)]), batches):
                for (number, last, data), (count, made) in zip(batch, packed, strict=True):
                    write_all(descriptor, memoryview(made), offset)
                    offset += len(made)
                    stored.append(count)
                    done += len(data)
                    if not last:
                        continue
                    size = entries[number].size
                    if offset - start + how.index_size(size) < size:
                        found[number] = Compressed(start, (offset - start) // BLOCK, stored)
                    else:
                        offset = start
                    start, stored = offset, array("H")
                room.progress(done, 2 * total)
        os.ftruncate(descriptor, offset)
    except OSError as error:
        raise CannotWrite(str(room.made), None, error) from None
    finally:
        os.close(descriptor)
    return found


def _is_long(entry: Entry) -> bool:
    """Whether there is something to be saved: a file of more than a block."""
    return entry.kind == "f" and entry.size > BLOCK


Piece = tuple[int, bool, bytes | bytearray]
"""Number of the entry, whether this is its last cluster, and the cluster."""


def _batches(
    entries: Sequence[Entry], order: Sequence[int], cluster: int, sources: Sources
) -> Iterator[list[Piece]]:
    batch: list[Piece] = []
    used = 0
    for number in order:
        entry = entries[number]
        if not _is_long(entry):
            continue
        for start in range(0, entry.size, cluster):
            data = _read(entry, start, min(cluster, entry.size - start), sources)
            batch.append((number, start + cluster >= entry.size, data))
            used += len(data)
            if used >= _BATCH:
                yield batch
                batch, used = [], 0
    if batch:
        yield batch


def _read(entry: Entry, start: int, length: int, sources: Sources) -> bytes | bytearray:
    """`length` bytes from `start` of the content."""
    content = entry.ref
    if isinstance(content, bytes) and len(content) == entry.size:
        return content[start : start + length]
    if not isinstance(content, Content):
        raise BadContent(entry.path, entry.size)
    pieces = list(data_runs(content, start, length))
    if not pieces:
        return zeros(length)
    data = bytearray(length)
    view = memoryview(data)
    for position, size in pieces:
        target = view[position - start : position - start + size]
        sources.read(content.source, content.offset + position, target)
    return data


def _packer(codec: Codec) -> Callable[[Piece], tuple[int, bytes | bytearray]]:
    """From a cluster to how many blocks it takes (0: it is not compressed) and those blocks."""
    holes: dict[int, tuple[int, bytes | bytearray]] = {}

    def pack(piece: Piece) -> tuple[int, bytes | bytearray]:
        data = piece[2]
        is_hole = data is zeros(len(data))
        if is_hole and len(data) in holes:
            return holes[len(data)]
        packed: bytes | bytearray = codec(data)
        count = -(-len(packed) // BLOCK)
        made: tuple[int, bytes | bytearray]
        if count < -(-len(data) // BLOCK):
            made = count, bytes(-len(packed) % BLOCK) + packed
        else:
            made = 0, data + bytes(-len(data) % BLOCK) if len(data) % BLOCK else data
        if is_hole:
            holes[len(data)] = made
        return made

    return pack


def index(content: Compressed, size: int, cluster: int, first: int) -> bytes:
    """What is behind the inode of a content of `size` bytes whose blocks begin with `first`."""
    parts = [_MAP.pack(0, 0, _BIG_CLUSTERS, 0, 0)]
    block = first
    for number, stored in enumerate(content.stored):
        length = min(cluster, size - number * cluster)
        whole, rest = divmod(length, BLOCK)
        if not stored:
            count = whole + bool(rest)
            parts += [_INDEX.pack(_PLAIN, 0, block + each) for each in range(count)]
            block += count
            continue
        parts.append(_INDEX.pack(_HEAD, 0, block))
        for each in range(1, whole):
            back = stored | _COUNT_OF_BLOCKS if each == 1 else each
            parts.append(_DISTANCES.pack(_NONHEAD, 0, back, whole - each))
        if rest:  # where the content ends, as the beginning of nothing
            parts.append(_INDEX.pack(_PLAIN, rest, 0))
        block += stored
    return b"".join(parts)
