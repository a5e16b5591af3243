"""Hashes of texts and code, without OpenSSL: loading that takes longer than all that is hashed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hashlib import blake2b
else:
    try:
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b

SIZE: Final = 32
"""Bytes."""


def hasher(data: bytes = b"") -> blake2b:
    """A hash of `data`, which more can be added to."""
    return blake2b(data, digest_size=SIZE)
