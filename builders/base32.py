"""Nix's base 32: digits and lower-case letters without e, o, t and u; last bits first."""

from __future__ import annotations

ALPHABET = "0123456789abcdfghijklmnpqrsvwxyz"


def encode(data: bytes) -> str:
    """`data` in base 32: ceil(8 n / 5) characters for n bytes."""
    number = int.from_bytes(data, "little")
    length = (len(data) * 8 + 4) // 5
    return "".join(ALPHABET[number >> 5 * i & 31] for i in reversed(range(length)))


def compress(digest: bytes, size: int) -> bytes:
    """Fold a digest to `size` bytes by exclusive or, as Nix does for store paths."""
    folded = bytearray(size)
    for index, byte in enumerate(digest):
        folded[index % size] ^= byte
    return bytes(folded)
