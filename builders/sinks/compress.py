"""Streams compressed on all cores: gzip, zstd and xz files that their tools unpack.

A stream is cut in blocks of a fixed size, which are compressed each by itself and put together in
one file: the bytes depend on neither the number of threads nor how the input came. Blocks of a
hole (`stream.zeros`) are compressed once.
"""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from builders.errors import BuilderError
from builders.sinks import codecs
from builders.sinks.parallel import cores, in_order
from builders.sinks.stream import regroup, zeros

Pieces = Iterable[bytes | bytearray | memoryview]


class UnknownCompression(BuilderError):
    """A compression that Kiln does not write, or not for this kind of output."""

    def __init__(self, name: object, known: Iterable[str]) -> None:
        super().__init__(f"there is no compression {name}", hint=f"known: {', '.join(known)}")


class _Packed(NamedTuple):
    """A compressed block: its bytes, its length before, its CRC-32 (gzip only)."""

    data: bytes
    length: int
    checksum: int = 0


@dataclass(frozen=True, slots=True)
class Method:
    """A way to compress: blocks of `block` bytes, each by itself, then `assemble`d to a file."""

    name: str
    suffix: str
    block: int
    level: int
    packer: Callable[[int], Callable[[codecs.Data], _Packed]]
    assemble: Callable[[Iterator[_Packed]], Iterator[bytes]]


def compress(
    pieces: Pieces, name: str, level: int | None = None, *, threads: int | None = None
) -> Iterator[bytes]:
    """Yield the compressed file of the stream that `pieces` are.

    name   "gzip", "zstd" or "xz"
    level  the method's own scale; None: what is worth its time

    Raises UnknownCompression, codecs.BadLevel and codecs.CompressionUnavailable at once.
    """
    method = find(name)
    pack = method.packer(method.level if level is None else level)
    hole = zeros(method.block)
    packed_hole: list[_Packed] = []

    def pack_block(block: bytes | bytearray) -> _Packed:
        if block is not hole:
            return pack(block)
        if not packed_hole:
            packed_hole.append(pack(block))
        return packed_hole[0]

    return method.assemble(in_order(pack_block, regroup(pieces, method.block), threads))


def for_kernels(
    pieces: Pieces, name: str, level: int | None = None, *, threads: int | None = None
) -> Iterator[bytes]:
    """`compress` for what Linux unpacks as its first root: one member, frame or stream.

    The kernel takes a second frame for rubbish, and has no CRC-64 (Documentation/staging/xz.rst).
    Raises what `compress` raises.
    """
    method = find(name)
    level = method.level if level is None else level
    if name == "zstd":
        return codecs.zstd_stream(pieces, level, threads or cores())
    if name == "xz":
        blocks = regroup(pieces, method.block)
        return _xz(in_order(_xz_packer(level, lzma.CHECK_CRC32), blocks, threads), b"\0\x01")
    return compress(pieces, name, level, threads=threads)


def find(name: str) -> Method:
    """The method of a name. Raises UnknownCompression."""
    try:
        return METHODS[name]
    except (KeyError, TypeError):
        raise UnknownCompression(name, METHODS) from None


# --- gzip (RFC 1952): one member, its blocks flushed to bytes


def _gzip_packer(level: int) -> Callable[[codecs.Data], _Packed]:
    deflate = codecs.deflate(level, flush_only=True)
    return lambda data: _Packed(deflate(data), len(data), zlib.crc32(data))


def _gzip(packed: Iterator[_Packed]) -> Iterator[bytes]:
    yield b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # no name, no time, an unknown system
    checksum = length = 0
    columns: dict[int, tuple[int, ...]] = {}
    for each in packed:
        yield each.data
        if each.length not in columns:
            columns[each.length] = crc_columns(each.length)
        checksum = crc_after(checksum, columns[each.length]) ^ each.checksum
        length += each.length
    yield b"\x03\0" + struct.pack("<II", checksum, length & 0xFFFFFFFF)


def crc_columns(length: int) -> tuple[int, ...]:
    """What `length` zero bytes do to each bit of a CRC-32, as a matrix over GF(2): 32 columns."""
    step = tuple((0xEDB88320 if bit == 0 else 1 << (bit - 1)) for bit in range(32))  # one zero bit
    result = tuple(1 << bit for bit in range(32))
    count = 8 * length
    while count:
        if count & 1:
            result = tuple(crc_after(column, step) for column in result)
        step = tuple(crc_after(column, step) for column in step)
        count >>= 1
    return result


def crc_after(checksum: int, columns: tuple[int, ...]) -> int:
    """The matrix applied: what has to be XORed to the CRC-32 of the bytes that follow."""
    result = 0
    for bit, column in enumerate(columns):
        if checksum >> bit & 1:
            result ^= column
    return result


# --- zstd (RFC 8878, section 3.1): frames behind each other


def _zstd_packer(level: int) -> Callable[[codecs.Data], _Packed]:
    encode = codecs.zstd(level, checksum=True)
    return lambda data: _Packed(encode(data), len(data))


def _zstd(packed: Iterator[_Packed]) -> Iterator[bytes]:
    empty = True
    for each in packed:
        empty = False
        yield each.data
    if empty:
        yield codecs.zstd(1, checksum=True)(b"")


# --- xz (the .xz file format 1.1.0): one stream of many blocks, as `xz -T` writes it

_XZ_HEADER = 12
_XZ_FOOTER = 12


def _xz_packer(level: int, check: int = lzma.CHECK_CRC64) -> Callable[[codecs.Data], _Packed]:
    codecs.check_level("xz", level)

    def pack(data: codecs.Data) -> _Packed:
        return _Packed(lzma.compress(data, lzma.FORMAT_XZ, check, level), len(data))

    return pack


def _xz(packed: Iterator[_Packed], flags: bytes = b"\0\x04") -> Iterator[bytes]:
    """Take the block out of each one-block stream and write one index for all (section 4).

    `flags` name the check of the blocks (section 2.1.1.2): 1 is CRC32, 4 is CRC64.
    """
    yield b"\xfd7zXZ\0" + flags + _crc32(flags)
    records = bytearray()
    count = 0
    for each in packed:
        # The footer says how long the index is; its one record how long the block (sections 2, 4).
        (stored,) = struct.unpack_from("<I", each.data, len(each.data) - 8)
        index = each.data[-_XZ_FOOTER - 4 * (stored + 1) : -_XZ_FOOTER]
        unpadded, _ = _read_integer(index, 2)
        yield each.data[_XZ_HEADER : -_XZ_FOOTER - len(index)]
        records += _integer(unpadded) + _integer(each.length)
        count += 1
    index = b"\0" + _integer(count) + records
    index += bytes(-len(index) % 4)
    index += _crc32(index)
    yield index
    footer = struct.pack("<I", len(index) // 4 - 1) + flags
    yield _crc32(footer) + footer + b"YZ"


def _crc32(data: bytes) -> bytes:
    return struct.pack("<I", zlib.crc32(data))


def _integer(number: int) -> bytes:
    """Seven bits a byte, the lowest first (section 1.2)."""
    result = bytearray()
    while number > 0x7F:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    result.append(number)
    return bytes(result)


def _read_integer(data: bytes, offset: int) -> tuple[int, int]:
    """The integer at `offset` and the offset behind it."""
    number = shift = 0
    while True:
        byte = data[offset]
        offset += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, offset


METHODS: Mapping[str, Method] = {
    "gzip": Method("gzip", ".gz", 1 << 20, 1, _gzip_packer, _gzip),
    "zstd": Method("zstd", ".zst", 4 << 20, 3, _zstd_packer, _zstd),
    "xz": Method("xz", ".xz", 16 << 20, 6, _xz_packer, _xz),
}
"""Ways to compress by name."""
