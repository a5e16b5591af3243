"""Compressors that give the same bytes on every machine, each safe to use in many threads.

The bytes are those of one version of a library: another one's may differ, and unpack to the same.

Deflate is zlib's. ISA-L would take a quarter of its time, but at its levels 1 and 2 one block in
some ten thousand comes out otherwise in another run.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from builders.errors import BuilderError

if TYPE_CHECKING:
    from zstandard import ZstdCompressor

Data = bytes | bytearray | memoryview
Codec = Callable[[Data], bytes]

LEVELS = {"deflate": (1, 9), "zstd": (1, 19), "xz": (0, 9), "lz4hc": (1, 12)}
_USUAL_LZ4HC = 9


class CompressionUnavailable(BuilderError):
    """A library that compresses is not installed."""

    def __init__(self, method: str, package: str) -> None:
        super().__init__(
            f"{method} needs the Python package {package}, which is not installed",
            hint=f"python -m pip install {package}",
        )


class BadLevel(BuilderError):
    """A compression level that the method does not know."""

    def __init__(self, method: str, level: int) -> None:
        low, high = LEVELS[method]
        super().__init__(f"{method} has no level {level}", hint=f"levels are {low} to {high}")


class NoLevels(BuilderError):
    """A level of a method that has none."""

    def __init__(self, method: str) -> None:
        super().__init__(f"{method} has no compression levels", hint="leave the level out")


class LevelWithoutCompression(BuilderError):
    """A level is asked for where nothing is compressed."""

    def __init__(self, level: int) -> None:
        super().__init__(
            f"there is a compression level, {level}, but no compression",
            hint="leave the level out, or say how to compress",
        )


def check_level(method: str, level: int) -> None:
    """Raise BadLevel if `level` is none of the method's."""
    low, high = LEVELS[method]
    if not low <= level <= high:
        raise BadLevel(method, level)


def deflate(level: int, window: int = -15, *, flush_only: bool = False) -> Codec:
    """Deflate (RFC 1951): `window` as in zlib, negative for raw, positive with zlib's header.

    `flush_only` ends at a byte's boundary without a last block, so that more may follow.
    Raises BadLevel.
    """
    check_level("deflate", level)
    flush = zlib.Z_SYNC_FLUSH if flush_only else zlib.Z_FINISH

    def compress(data: Data) -> bytes:
        stream = zlib.compressobj(level, zlib.DEFLATED, window, 9)
        return stream.compress(data) + stream.flush(flush)

    return compress


def zstd(level: int, *, checksum: bool = False) -> Codec:
    """Zstandard (RFC 8878): one frame with its content's size.

    Raises BadLevel, CompressionUnavailable.
    """
    check_level("zstd", level)
    zstandard = _zstandard()
    local = threading.local()

    def compress(data: Data) -> bytes:
        compressor: ZstdCompressor | None = getattr(local, "compressor", None)
        if compressor is None:
            compressor = local.compressor = zstandard.ZstdCompressor(
                level=level, write_checksum=checksum
            )
        return compressor.compress(data)

    return compress


def zstd_stream(pieces: Iterable[Data], level: int, threads: int) -> Iterator[bytes]:
    """Zstandard (RFC 8878): one frame of all pieces; the bytes do not depend on the threads.

    Raises BadLevel, CompressionUnavailable at once.
    """
    check_level("zstd", level)
    zstandard = _zstandard()
    compressor = zstandard.ZstdCompressor(level=level, threads=threads, write_checksum=True)
    stream = compressor.compressobj()

    def packed() -> Iterator[bytes]:
        for piece in pieces:
            if data := stream.compress(piece):
                yield data
        yield stream.flush()

    return packed()


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError:
        raise CompressionUnavailable("zstd", "zstandard") from None
    return zstandard


def lz4(level: int | None = None) -> Codec:
    """LZ4, its fast way: a bare block. Raises NoLevels, CompressionUnavailable."""
    if level is not None:
        raise NoLevels("lz4")
    block = _lz4_block()
    return lambda data: bytes(block.compress(data, store_size=False))


def lz4hc(level: int | None = None) -> Codec:
    """LZ4 with its thorough search: a bare block. Raises BadLevel, CompressionUnavailable."""
    level = _USUAL_LZ4HC if level is None else level
    check_level("lz4hc", level)
    block = _lz4_block()
    return lambda data: bytes(
        block.compress(data, mode="high_compression", compression=level, store_size=False)
    )


def _lz4_block() -> Any:
    try:
        import lz4.block
    except ImportError:
        raise CompressionUnavailable("lz4", "lz4") from None
    return lz4.block
