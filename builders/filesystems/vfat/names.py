"""Names of files in FAT: the short one that all have, the long one that most need."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from typing import NamedTuple

from builders.filesystems.hierarchy import BadTree

ENTRY = 32
"""Bytes of a directory entry."""

_SHORT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'()-@^_`{}~")
_FORBIDDEN = re.compile(r'["*/:<>?\\|\x00-\x1f]')
_NOT_TEXT = re.compile("[\ud800-\udfff]")
_DROPPED = re.compile("[ .]")
_REPLACED = re.compile(r"[^A-Z0-9!#$%&'()\-@^_`{}~]")
_LONGEST = 255  # UTF-16 units
_UNITS = 13  # in an entry
_LONG_NAME = 0x0F
_LAST = 0x40
_LOWER_BASE, _LOWER_EXTENSION = 0x08, 0x10


class Short(NamedTuple):
    """A short name: its 11 bytes, whether it is the name itself, and the flags that say which of
    its parts are shown in lower case (Windows NT's; all of today's readers know them).
    """

    name: bytes
    exact: bool
    case: int = 0


class BadFatName(BadTree):
    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"/{path} cannot be in a FAT file system: {problem}")


def check(path: str, name: str) -> None:
    """Raise BadFatName for a name that FAT cannot hold."""
    if _FORBIDDEN.search(name):
        raise BadFatName(path, 'its name has one of "*/:<>?\\| or a control character')
    if not name.isascii() and _NOT_TEXT.search(name):
        raise BadFatName(path, "its name is not UTF-8")
    if name[-1] in ". ":
        raise BadFatName(path, "its name ends with a point or a space")
    if 2 * len(name) > _LONGEST and len(name.encode("utf-16-le")) // 2 > _LONGEST:
        raise BadFatName(path, f"its name has more than {_LONGEST} UTF-16 units")


def folded(name: str) -> str:
    """What is the same for two names that FAT takes for one."""
    if name.isascii():
        return name.upper()
    return "".join(upper if len(upper := c.upper()) == 1 else c for c in name)


class ShortNames:
    """The short names of one directory, all different, also from `names`, all that are in it."""

    def __init__(self, names: Iterable[str]) -> None:
        # who asks for a name gets whatever has it, be it the long one or the short one
        self._taken: set[bytes] = set()
        self._said = {_padded(*_parts(name.upper())) for name in names if "~" in name}
        self._last: dict[tuple[str, str], int] = {}

    def give(self, name: str) -> Short:
        """A short name for `name`, taken from now on."""
        base, extension = _parts(name)
        short = _exact(name, base, extension)
        if short is None:
            short = Short(self._numbered(_cleaned(base) or "_", _cleaned(extension)[:3]), False)
        self._taken.add(short.name)
        return short

    def _numbered(self, stem: str, extension: str) -> bytes:
        key = (stem[:6], extension)  # of those, earlier numbers are known to be taken
        number = self._last.get(key, 0)
        while True:
            number += 1
            mark = f"~{number}"
            base = stem[: 8 - len(mark)] + mark
            candidate = _padded(base, extension)
            if candidate not in self._taken and candidate not in self._said:
                self._last[key] = number
                return candidate


def _exact(name: str, base: str, extension: str) -> Short | None:
    """The short name that is `name` itself, if there is one."""
    upper, upper_extension = base.upper(), extension.upper()
    if not (
        name.isascii()
        and 0 < len(base) <= 8
        and len(extension) <= 3
        and _SHORT.issuperset(upper + upper_extension)
        and base in (upper, base.lower())
        and extension in (upper_extension, extension.lower())
    ):
        return None
    case = 0 if base == upper else _LOWER_BASE
    case |= 0 if extension == upper_extension else _LOWER_EXTENSION
    return Short(_padded(upper, upper_extension), True, case)


def _parts(name: str) -> tuple[str, str]:
    """The name and its extension."""
    base, point, extension = name.rpartition(".")
    return (base, extension) if point and base else (name, "")


def _padded(base: str, extension: str) -> bytes:
    """As in a directory's entry."""
    return (base.ljust(8) + extension.ljust(3)).encode("ascii", "replace")


def _cleaned(text: str) -> str:
    return _REPLACED.sub("_", _DROPPED.sub("", text.upper()))


def entries_of(name: str, exact: bool) -> int:
    """How many directory entries a file takes."""
    if exact:
        return 1
    units = len(name) if name.isascii() else len(name.encode("utf-16-le")) // 2
    return 1 - -units // _UNITS


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
