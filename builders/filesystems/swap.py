"""Swap space: a page with a header, and nothing else."""

from __future__ import annotations

import struct
import uuid as uuids
from collections.abc import Mapping, Sequence

from builders.filesystems.hierarchy import BadTree
from builders.filesystems.options import BadOption, LabelTooLong, check
from builders.plan import Plan
from builders.tree import Entry

_PAGE = 4096
_SIGNATURE = b"SWAPSPACE2"
_MOST_PAGES = 1 << 32
_LEAST_PAGES = 10  # mkswap(8) makes none that is smaller


def make(name: str, tree: Sequence[Entry], options: Mapping[str, object]) -> Plan:
    """Swap space of `size` bytes. Raises BadOption; BadTree for a tree."""
    checked = check(name, {"size": int, "label": str, "uuid": uuids.UUID}, options)
    size, label, uuid = checked.get("size"), checked.get("label", ""), checked.get("uuid")
    if not isinstance(size, int) or size < _LEAST_PAGES * _PAGE:
        raise BadOption("size", f"swap space has no size of its own: give {10 * _PAGE} or more")
    if size > _MOST_PAGES * _PAGE:
        raise BadOption("size", f"{size:,} bytes; {_MOST_PAGES * _PAGE:,} are the most")
    if not isinstance(uuid, uuids.UUID):
        raise BadOption("uuid", "it must be given")
    encoded = str(label).encode()
    if len(encoded) > 16:
        raise LabelTooLong(str(label), len(encoded), 16)
    if len(tree) > 1:
        raise BadTree("swap space cannot hold files")
    pages = size // _PAGE
    header = bytearray(_PAGE)
    # version, last page, bad pages, UUID, label: behind 1024 bytes for boot code
    struct.pack_into("<III16s16s", header, 1024, 1, pages - 1, 0, uuid.bytes, encoded)
    header[-len(_SIGNATURE) :] = _SIGNATURE
    return Plan(size, [(0, bytes(header))])
