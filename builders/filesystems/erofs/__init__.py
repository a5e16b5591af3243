"""EROFS, a read-only file system: smaller and simpler than any other, and compressed if wanted.

The superblock is in the first block; inodes of 64 bytes follow, each with its extended attributes
and, perhaps, the last part of its content or where its clusters are; then come whole blocks of
content, those of one source in the order in which they are in it. (Linux, fs/erofs/erofs_fs.h.)
"""

from __future__ import annotations

import struct
import uuid as uuids
from collections.abc import Mapping, Sequence

from builders.crc32c import crc32c, finish
from builders.filesystems.erofs import clusters, directories
from builders.filesystems.erofs.inodes import fill
from builders.filesystems.erofs.layout import BLOCK, SLOT
from builders.filesystems.erofs.placing import data_order, place
from builders.filesystems.hierarchy import TreeDoesNotFit, index
from builders.filesystems.options import BadOption, LabelTooLong, check
from builders.filesystems.workroom import Workroom
from builders.plan import Plan
from builders.tree import Entry

_MAGIC = 0xE0F5E1E2
_SUPERBLOCK = 1024  # its offset
_BITS = 12  # of a block's size
_FEATURES = 3  # checksum, times are those of modification
_PADDED_LZ4, _BIG_CLUSTERS = 1, 2  # what a reader has to know
_LZ4 = 1 << 0

_TYPES = {
    "size": int,
    "label": str,
    "uuid": uuids.UUID,
    "epoch": int,
    "tails": str,
    "compression": str,
    "level": int,
    "cluster": int,
}


def make(
    name: str,
    tree: Sequence[Entry],
    options: Mapping[str, object],
    room: Workroom | None = None,
) -> Plan:
    """The EROFS that holds `tree`. Options:

    uuid         must be given
    label        at most 15 bytes
    size         bytes; what is behind the file system is zero
    compression  "lz4" (fast), "lz4hc" (smaller, unpacked as fast) or "none" (the default); needs
                 the `room`. What it does not make smaller is not compressed
    level        of lz4hc, 1 to 12
    cluster      bytes of content that are compressed together, whole blocks, 1 MiB at most; 128 KiB
    tails        "blocks": contents are whole blocks, which can be shared with the store (the
                 default if nothing is compressed);
                 "inline": the last part of a content is put behind its inode where that saves a
                 block (else the default)
    epoch        seconds: when it was made

    Raises BadOption and BadTree's subclasses; with compression codecs.BadLevel and what reading and
    writing raise.
    """
    checked = check(name, _TYPES, options)
    uuid, size = checked.get("uuid"), checked.get("size")
    if not isinstance(uuid, uuids.UUID):
        raise BadOption("uuid", "it must be given")
    label = str(checked.get("label", ""))
    if len(label.encode()) > 15:
        raise LabelTooLong(label, len(label.encode()), 15)
    method = clusters.method(
        checked.get("compression"), checked.get("level"), checked.get("cluster")
    )
    tails = checked.get("tails", "inline" if method else "blocks")
    if tails not in ("blocks", "inline"):
        raise BadOption("tails", f"{tails!r} is neither blocks nor inline")
    epoch = checked.get("epoch", 1)
    assert isinstance(epoch, int)
    hierarchy = index(tree)
    folders = {number: directories.blocks_of(hierarchy, number) for number in hierarchy.children}
    order = data_order(tree)
    compressed: dict[int, clusters.Compressed] = {}
    if method is not None:
        if room is None:
            raise BadOption("compression", "there is no room here for compressed contents")
        compressed = clusters.compress(tree, order, method, room)
    placed, first = place(
        hierarchy, folders, order, compressed, method, inline_files=tails == "inline"
    )
    made = str(room.made) if room else ""
    cluster = method.cluster if method else 0
    plan = fill(hierarchy, folders, placed, first, compressed, cluster, made)
    total = plan.size // BLOCK
    if isinstance(size, int):
        if size < plan.size:
            raise TreeDoesNotFit(tree, plan.size, size, "EROFS")
        plan.size = size
    superblock = bytearray(BLOCK - _SUPERBLOCK)
    struct.pack_into("<III", superblock, 0, _MAGIC, 0, _FEATURES)
    root, inodes = placed.at[0] // SLOT, len(tree) - len(hierarchy.targets)
    struct.pack_into("<BBHQQI", superblock, 12, _BITS, 0, root, inodes, epoch, 0)
    struct.pack_into("<III16s16s", superblock, 36, total, 0, 0, uuid.bytes, label.encode())
    if compressed:
        struct.pack_into("<IH", superblock, 80, _PADDED_LZ4 | _BIG_CLUSTERS, _LZ4)
        struct.pack_into("<HHH10x", superblock, 128, 14, clusters.MAX_DISTANCE, cluster // BLOCK)
    struct.pack_into("<I", superblock, 4, finish(crc32c(0, bytes(superblock))))
    plan.metadata.insert(0, (_SUPERBLOCK, bytes(superblock)))
    return plan
