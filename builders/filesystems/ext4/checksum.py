"""CRC-32C (Castagnoli), as metadata_csum wants it.

Functions take and give the register as the kernel has it between two calls after the one
inversion at the start: `finish` makes of it the value that is stored on disk.
"""

from __future__ import annotations

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


def pure_crc32c(data: bytes, crc: int = 0) -> int:
    """CRC-32C of `data` continuing `crc`: slow, and the same as the C library's."""
    if not _TABLE:
        _TABLE.extend(_table())
    table = _TABLE
    crc ^= _ALL
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ _ALL


try:
    import google_crc32c
except ImportError:
    crc32c = pure_crc32c
else:
    _extend = google_crc32c.extend

    def crc32c(data: bytes, crc: int = 0) -> int:
        """CRC-32C of `data` continuing `crc`."""
        return _extend(crc, data)  # type: ignore[no-any-return]


def finish(crc: int) -> int:
    """The value stored on disk: ext4 leaves the final inversion of CRC-32C out."""
    return crc ^ _ALL
