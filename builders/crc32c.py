"""CRC-32C (Castagnoli), as file systems and disk formats check their metadata by it.

Checksums are of several pieces, one continuing the other; `finish` makes of the last the value
that ext4 and EROFS store.
"""

from __future__ import annotations

from collections.abc import Callable

_ALL = 0xFFFFFFFF
_POLYNOMIAL = 0x82F63B78


def _table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


_TABLE: list[int] = []


def pure_crc32c(crc: int, data: bytes) -> int:
    """CRC-32C of `data` continuing `crc`, 0 at first: slow, and the same as the C library's."""
    if not _TABLE:
        _TABLE.extend(_table())
    table = _TABLE
    crc ^= _ALL
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ _ALL


crc32c: Callable[[int, bytes], int]
"""`pure_crc32c`, by the C library if it is installed."""

try:
    from google_crc32c import extend as crc32c
except ImportError:
    crc32c = pure_crc32c


def finish(crc: int) -> int:
    """The value that ext4 and EROFS store: they leave the final inversion of CRC-32C out."""
    return crc ^ _ALL
