"""Extended attributes: 92 bytes in the inode, else one block.

Entries grow from the front, values from the back. Values of POSIX ACLs have a form on disk that
is not the one that the kernel shows to programs.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

from builders.crc32c import crc32c, finish
from builders.filesystems.ext4.options import BLOCK
from builders.filesystems.hierarchy import BadTree

_MAGIC = 0xEA020000
_MASK = 0xFFFFFFFF
_IN_INODE = 92  # 256 - 160 - the magic number
_HEADER = 32  # of a block

# Longest prefixes first where one begins with another.
_PREFIXES = (
    ("user.", 1),
    ("system.posix_acl_access", 2),
    ("system.posix_acl_default", 3),
    ("trusted.", 4),
    ("security.", 6),
    ("system.", 7),
)
_ACCESS, _DEFAULT = 2, 3
_ENTRY = struct.Struct("<BBHIII")


class UnknownXattr(BadTree):
    def __init__(self, path: str, name: str) -> None:
        super().__init__(
            f"/{path} has the attribute {name}, of a namespace that ext4 does not know",
            hint="user., trusted., security. and system. can be stored; leave the others out",
        )


class XattrsTooBig(BadTree):
    def __init__(self, path: str, size: int) -> None:
        super().__init__(
            f"the extended attributes of /{path} take {size} bytes; ext4 has a block of "
            f"{BLOCK - _HEADER} for them"
        )


class Attribute(NamedTuple):
    """An attribute as ext4 stores it: number of its namespace, rest of the name, value."""

    namespace: int
    name: bytes
    value: bytes


def attributes(path: str, xattrs: Mapping[str, bytes]) -> list[Attribute]:
    """In the order that the kernel looks them up. Raises UnknownXattr."""
    found = []
    for name, value in xattrs.items():
        prefix, namespace = _namespace(path, name)
        if namespace in (_ACCESS, _DEFAULT):
            found.append(Attribute(namespace, b"", _acl_on_disk(path, name, value)))
        else:
            rest = name[len(prefix) :].encode("utf-8", "surrogateescape")
            found.append(Attribute(namespace, rest, value))
    return sorted(found, key=lambda each: (each.namespace, len(each.name), each.name))


def _namespace(path: str, name: str) -> tuple[str, int]:
    for prefix, namespace in _PREFIXES:
        if name.startswith(prefix):
            return prefix, namespace
    raise UnknownXattr(path, name)


def _acl_on_disk(path: str, name: str, value: bytes) -> bytes:
    """Version 2 of 8-byte entries -> version 1; only named users and groups keep their id."""
    if len(value) < 4 or len(value) % 8 != 4 or value[:4] != b"\2\0\0\0":
        raise BadTree(f"/{path} has a value of {name} that is no POSIX ACL of version 2")
    parts = [struct.pack("<I", 1)]
    for tag, permissions, who in struct.iter_unpack("<HHI", value[4:]):
        short = struct.pack("<HH", tag, permissions)
        parts.append(short + struct.pack("<I", who) if tag in (0x02, 0x08) else short)
    return b"".join(parts)


def _padded(data: bytes) -> int:
    return (len(data) + 3) & ~3


def _needed(attributes: list[Attribute]) -> int:
    return 4 + sum(_ENTRY.size + _padded(each.name) + _padded(each.value) for each in attributes)


def fit_inode(attributes: list[Attribute]) -> bytes | None:
    """The bytes behind the 160 of the inode; None when the attributes need a block."""
    if _needed(attributes) > _IN_INODE:
        return None
    return struct.pack("<I", _MAGIC) + _place(attributes, [0] * len(attributes), _IN_INODE, 0)


def check_block(path: str, attributes: list[Attribute]) -> None:
    """Raise XattrsTooBig if the attributes do not fit in one block."""
    needed = _needed(attributes)
    if needed > BLOCK - _HEADER:
        raise XattrsTooBig(path, needed)


def block(attributes: list[Attribute], number: int, seed: int, checksums: bool) -> bytes:
    """The attribute block that is stored as block `number` and belongs to one inode."""
    hashes = [_hash(each) for each in attributes]
    combined = 0
    for value in hashes:
        if value == 0:  # one entry that must not be shared: neither must the block
            combined = 0
            break
        combined = ((combined << 16) & _MASK) ^ (combined >> 16) ^ value
    body = _place(attributes, hashes, BLOCK - _HEADER, _HEADER)
    checksum = 0
    if checksums:
        header = struct.pack("<IIIII12x", _MAGIC, 1, 1, combined, 0)
        crc = crc32c(crc32c(seed, struct.pack("<Q", number)), header + body)
        checksum = finish(crc)
    return struct.pack("<IIIII12x", _MAGIC, 1, 1, combined, checksum) + body


def _place(attributes: list[Attribute], hashes: list[int], room: int, base: int) -> bytes:
    """Entries and values in `room` bytes; offsets of values are counted from `base` before it."""
    area = bytearray(room)
    position = 0
    end = room
    for each, value_hash in zip(attributes, hashes, strict=True):
        namespace, name, value = each
        end -= _padded(value)
        area[end : end + len(value)] = value
        offset = end + base if value else 0
        _ENTRY.pack_into(area, position, len(name), namespace, offset, 0, len(value), value_hash)
        position += _ENTRY.size
        area[position : position + len(name)] = name
        position += _padded(name)
    return bytes(area)


def _hash(attribute: Attribute) -> int:
    result = 0
    for byte in attribute.name:
        result = ((result << 5) & _MASK) ^ (result >> 27) ^ byte
    value = attribute.value + bytes(-len(attribute.value) % 4)
    for (word,) in struct.iter_unpack("<I", value):
        result = ((result << 16) & _MASK) ^ (result >> 16) ^ word
    return result
