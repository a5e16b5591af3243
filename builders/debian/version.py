"""Debian version numbers: order and constraints (Debian Policy 5.6.12, deb-version(7))."""

from __future__ import annotations

import re
from functools import lru_cache

from builders.errors import BuilderError

Key = tuple[int, str, str]

_PARTS = re.compile(r"([^0-9]*)([0-9]*)")
_VALID = re.compile(r"(?:([0-9]+):)?([A-Za-z0-9.+~-]*?)(?:-([A-Za-z0-9.+~]*))?", re.ASCII)

# In a part, "~" sorts before the end, the end before letters, letters before all else.
_END = "\x02"
_ORDER = {ord("~"): "\x01"} | {ord(c): chr(0x80 + ord(c)) for c in "+-."}


class InvalidVersion(BuilderError):
    """A text that is no Debian version number."""

    def __init__(self, version: str) -> None:
        super().__init__(f"{version!r} is not a Debian version number")
        self.version = version


@lru_cache(maxsize=1 << 14)
def key(version: str) -> Key:
    """A value that orders as `dpkg --compare-versions` orders. Raises InvalidVersion."""
    match = _VALID.fullmatch(version)
    if match is None or not match[2] or (match[3] is not None and not match[3]):
        raise InvalidVersion(version)
    return int(match[1] or 0), _part_key(match[2]), _part_key(match[3] or "")


def _part_key(part: str) -> str:
    # Numbers compare by value: without leading zeros, the longer one is greater.
    pieces: list[str] = []
    for other, digits in _PARTS.findall(part) if part else [("", "")]:
        if other or digits or not pieces:
            number = digits.lstrip("0")
            pieces += (other.translate(_ORDER), _END, chr(len(number)), number)
    pieces.append(_END)
    return "".join(pieces)


def satisfies(version: str, operator: str, wanted: str) -> bool:
    """Whether `version` stands in relation `operator` ("<<" "<=" "=" ">=" ">>") to `wanted`."""
    have, want = key(version), key(wanted)
    if operator == ">=":
        return have >= want
    if operator == "=":
        return have == want
    if operator == "<<":
        return have < want
    if operator == "<=":
        return have <= want
    return have > want
