"""Decompression of streams, in pieces of bounded size, whatever the compressed bytes claim."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

PIECE = 1 << 18
"""Bytes that a piece of decompressed data has at most; with zstd, usually."""

_ZSTD_INPUT = 2048
"""Bytes given to zstd at once: it returns all that they stand for, at most 64 MiB."""


class DamagedStream(Exception):
    """Compressed data that is damaged, truncated or of an unknown kind."""


class _Decompressor(Protocol):
    """What bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib's decompressor with the interface of the others."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(31)
        self._tail = b""
        self._full = False

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        # After a full piece there may be more, even when all input is consumed.
        return not self._tail and not self._full

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        piece = self._zlib.decompress(self._tail + data, max_length)
        self._tail = self._zlib.unconsumed_tail
        self._full = len(piece) == max_length
        return piece


_MAKE: dict[str, Callable[[], _Decompressor]] = {
    ".xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ),
    ".lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE),
    ".bz2": bz2.BZ2Decompressor,
    ".gz": _Gzip,
}


def decompress(suffix: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The content of `chunks`, compressed as `suffix` says: "", .xz, .zst, .gz, .bz2 or .lzma.

    Several compressed streams after each other are one, as for xz(1) and gzip(1). Raises
    DamagedStream.
    """
    if suffix == "":
        return chunks
    if suffix == ".zst":
        return _zstd(chunks)
    if suffix not in _MAKE:
        raise DamagedStream(f"the compression {suffix} is not known")
    return _streams(chunks, _MAKE[suffix])


def _streams(chunks: Iterator[bytes], make: Callable[[], _Decompressor]) -> Iterator[bytes]:
    decompressor: _Decompressor | None = None
    try:
        for chunk in chunks:
            data = chunk
            while True:
                if decompressor is None:
                    data = data.lstrip(b"\0")  # padding between streams
                    if not data:
                        break
                    decompressor = make()
                piece = decompressor.decompress(data, PIECE)
                data = b""
                if piece:
                    yield piece
                if decompressor.eof:
                    data = decompressor.unused_data
                    decompressor = None
                elif decompressor.needs_input:
                    break
    except (lzma.LZMAError, zlib.error, OSError, EOFError) as error:
        raise DamagedStream(f"damaged ({error})") from error
    if decompressor is not None:
        raise DamagedStream("truncated")


def _zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    import zstandard

    # Levels that Debian uses need far less than this window.
    make = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj
    decompressor = None
    try:
        for compressed in _sliced(chunks):
            data = compressed
            while data:
                if decompressor is None:
                    decompressor = make(write_size=PIECE)
                piece = decompressor.decompress(data)
                data = b""
                if piece:
                    yield piece
                if decompressor.eof:
                    data = decompressor.unused_data
                    decompressor = None
    except zstandard.ZstdError as error:
        raise DamagedStream(f"damaged ({error})") from error
    if decompressor is not None:
        raise DamagedStream("truncated")


def _sliced(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), _ZSTD_INPUT):
            yield chunk[start : start + _ZSTD_INPUT]
