"""Extended attributes of an EROFS, as they are behind inodes."""

from __future__ import annotations

import struct

from builders.filesystems.hierarchy import BadTree
from builders.tree import Entry, path_bytes

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


def area(entry: Entry) -> bytes:
    """A header of 12 bytes, then the attributes, each padded to 4 bytes. Raises XattrNotInErofs."""
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
    made = b"".join(parts)
    if (len(made) - 12) // 4 >= 0xFFFF:
        raise XattrNotInErofs(entry.path, "(all)", "are too long to be stored")
    return made


def _namespace(path: str, name: str) -> tuple[str, int]:
    for prefix, number in _NAMESPACES:
        if name.startswith(prefix):
            return prefix, number
    raise XattrNotInErofs(path, name, "is of a namespace that is not known")
