"""Text for a terminal, from wherever it comes."""

from __future__ import annotations


def escaped(text: str, keep: str = "") -> str:
    """The text with all that is not printable, but the characters `keep`, as escape sequences."""
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)
