"""Encodings of ports: which there are, text to bytes and back, with the byte order marks of
UTF-16 and UTF-32."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Final

_MARKS: Final = {
    "utf-16": ((codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF16_LE, "utf-16-le")),
    "utf-32": ((codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF32_LE, "utf-32-le")),
}
"""Encodings that a mark tells the byte order of; without one it is the first, as in Guile."""


def codec(name: str) -> str | None:
    """What Python calls the encoding `name` of text, or None if it has none such."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    return found.name if found._is_text_encoding else None


def marked(data: bytes, encoding: str) -> tuple[int, str]:
    """How long the byte order mark of `data` is, and the encoding with its byte order."""
    for mark, ordered in _MARKS.get(encoding, ()):
        if data.startswith(mark):
            return len(mark), ordered
    return 0, _MARKS[encoding][0][1] if encoding in _MARKS else encoding


def decoded(data: bytes, encoding: str, errors: str = "replace") -> str:
    """The text that `data` is. Raises UnicodeDecodeError if `errors` is "strict"."""
    skipped, ordered = marked(data, encoding)
    return data[skipped:].decode(ordered, errors)


def encoder(encoding: str, errors: str = "replace") -> Callable[[str], bytes]:
    """A function that gives the bytes of piece after piece of a text, a mark before the first.

    It raises UnicodeEncodeError if `errors` is "strict".
    """
    due, ordered = _MARKS[encoding][0] if encoding in _MARKS else (b"", encoding)

    def encode(text: str) -> bytes:
        nonlocal due
        data = text.encode(ordered, errors)
        mark, due = due, b""
        return mark + data

    return encode
