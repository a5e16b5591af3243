"""The terminal: whether there is one, and text for it, from wherever that comes."""

from __future__ import annotations

import os
import re
import sys


def is_terminal() -> bool:
    """May progress be drawn?"""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def escaped(text: str, keep: str = "") -> str:
    """The text with all that is not printable, but the characters `keep`, as escape sequences."""
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)


_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
"""What moves the cursor or changes colours on a terminal."""


def printable(line: str) -> str:
    """A line that a build printed, without what would disturb a terminal."""
    plain = _ESCAPES.sub("", line.rpartition("\r")[2] or line.rstrip("\r"))
    return escaped(plain, keep="\t")
