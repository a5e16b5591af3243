"""(gnu uuids): reading UUIDs and deriving them."""

from __future__ import annotations

import re
from typing import Any

from lang.data import Symbol, python_list
from lang.runtime.library import Library
from lang.runtime.signals import misc_error

LIBRARY = Library("gnu", "uuids")

_NAMESPACE = "6b696c6e-0000-5000-8000-6465636c6172"
_PATTERNS = {
    "dce": (r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "8-4-4-4-12 hex digits"),
    "fat": (r"[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}", "4-4 hex digits"),
    "iso9660": (r"\d{4}(-\d\d){6}", "YYYY-MM-DD-hh-mm-ss-cc"),
}


@LIBRARY.procedure("parse-uuid")
def parse_uuid(text: str, kind: Symbol) -> str:
    """The UUID `text` in its usual spelling; `kind` is dce, fat or iso9660."""
    name = {"fat32": "fat", "fat16": "fat", "ext4": "dce"}.get(kind.name, kind.name)
    if name not in _PATTERNS:
        misc_error("uuid", "unknown kind of UUID ~a; there are dce, fat and iso9660", kind)
    pattern, shape = _PATTERNS[name]
    if not re.fullmatch(pattern, text):
        misc_error("uuid", "~s is no UUID of type ~a: that is ~a", text, kind, shape)
    return text.lower() if name == "dce" else text.upper()


@LIBRARY.procedure("derived-uuid")
def derived_uuid(parts: Any) -> str:
    """A version-5 UUID (RFC 9562, 5.5) of the strings in `parts`."""
    from uuid import UUID, uuid5

    return str(uuid5(UUID(_NAMESPACE), "\0".join(python_list(parts))))
