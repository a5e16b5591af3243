"""Names of files in FAT: the short one that all have, the long one that most need."""

from __future__ import annotations

import struct
from collections.abc import Collection

from builders.filesystems.hierarchy import BadTree

ENTRY = 32
"""Bytes of a directory entry."""

_SHORT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'()-@^_`{}~")
_FORBIDDEN = frozenset('"*/:<>?\\|')
_LONGEST = 255  # UTF-16 units
_UNITS = 13  # in an entry
_LONG_NAME = 0x0F
_LAST = 0x40


class BadFatName(BadTree):
    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"/{path} cannot be in a FAT file system: {problem}")


def check(path: str, name: str) -> None:
    """Raise BadFatName for a name that FAT cannot hold."""
    if any(character in _FORBIDDEN or character < " " for character in name):
        raise BadFatName(path, 'its name has one of "*/:<>?\\| or a control character')
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise BadFatName(path, "its name is not UTF-8")
    if name[-1] in ". ":
        raise BadFatName(path, "its name ends with a point or a space")
    if len(name.encode("utf-16-le")) // 2 > _LONGEST:
        raise BadFatName(path, f"its name has more than {_LONGEST} UTF-16 units")


def short(name: str, taken: Collection[bytes]) -> tuple[bytes, bool]:
    """The 11 bytes of a short name that is not in `taken`, and whether it is the name itself."""
    base, point, extension = name.rpartition(".")
    if not point or not base:
        base, extension = name, ""
    fits = 0 < len(base) <= 8 and len(extension) <= 3 and _SHORT.issuperset(base + extension)
    if fits:
        exact = (base.ljust(8) + extension.ljust(3)).encode("ascii")
        if exact not in taken:
            return exact, True
    stem = _cleaned(base) or "_"
    end = _cleaned(extension)[:3].ljust(3)
    number = 1
    while True:
        mark = f"~{number}"
        candidate = ((stem[: 8 - len(mark)] + mark).ljust(8) + end).encode("ascii")
        if candidate not in taken:
            return candidate, False
        number += 1


def _cleaned(text: str) -> str:
    return "".join(
        character if character in _SHORT else "_"
        for character in text.upper()
        if character not in " ."
    )


def entries_of(name: str, exact: bool) -> int:
    """How many directory entries a file takes."""
    return 1 if exact else 1 + -(-len(name.encode("utf-16-le")) // (2 * _UNITS))


def long_entries(name: str, short_name: bytes) -> bytes:
    """The entries that hold the long name: the last part first, before the short one's."""
    checksum = 0
    for byte in short_name:
        checksum = (((checksum & 1) << 7) + (checksum >> 1) + byte) & 0xFF
    units = name.encode("utf-16-le")
    count = -(-len(units) // (2 * _UNITS))
    if len(units) % (2 * _UNITS):
        units = (units + b"\0\0").ljust(count * 2 * _UNITS, b"\xff")
    entries = []
    for number in range(count, 0, -1):
        part = units[(number - 1) * 2 * _UNITS : number * 2 * _UNITS]
        order = number | (_LAST if number == count else 0)
        entries.append(
            struct.pack(
                "<B10sBBB12sH4s",
                order,
                part[:10],
                _LONG_NAME,
                0,
                checksum,
                part[10:22],
                0,
                part[22:],
            )
        )
    return b"".join(entries)
