"""Compressed streams: the same bytes however they are cut and by however many threads."""

from __future__ import annotations

import gzip
import io
import lzma
import random
import zlib

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.plan import Plan
from builders.sinks import codecs, compress, stream

MIB = 1 << 20


def unpack(name: str, data: bytes) -> bytes:
    if name == "zstd":
        reader = zstandard.ZstdDecompressor().stream_reader(
            io.BytesIO(data), read_across_frames=True
        )
        return reader.read()
    return gzip.decompress(data) if name == "gzip" else lzma.decompress(data)


@pytest.mark.parametrize("name", compress.METHODS)
@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 5 * MIB + 3])
def test_what_was_packed_comes_out(name: str, size: int) -> None:
    data = (random.Random(size).randbytes(1000) * (size // 1000 + 1))[:size]
    assert unpack(name, b"".join(compress.compress([data], name))) == data


@pytest.mark.parametrize("name", compress.METHODS)
def test_neither_pieces_nor_threads_change_the_bytes(name: str) -> None:
    data = random.Random(1).randbytes(MIB) + b"text" * MIB + bytes(3 * MIB)
    whole = b"".join(compress.compress([data], name, threads=1))
    cut = [data[:5], data[5 : MIB + 7], data[MIB + 7 :]]
    assert b"".join(compress.compress(cut, name, threads=3)) == whole


@pytest.mark.parametrize("name", compress.METHODS)
def test_for_kernels_all_is_one_frame_and_threads_do_not_change_it(name: str) -> None:
    data = random.Random(1).randbytes(MIB) + b"text" * 5 * MIB
    packed = b"".join(compress.for_kernels([data[:7], data[7:]], name, 1, threads=1))
    assert b"".join(compress.for_kernels([data], name, 1, threads=3)) == packed
    if name == "zstd":
        frame = zstandard.ZstdDecompressor().decompressobj()
        assert frame.decompress(packed) == data
        assert frame.unused_data == b""
    elif name == "xz":
        stream = lzma.LZMADecompressor(lzma.FORMAT_XZ)
        assert stream.decompress(packed) == data
        assert stream.check == lzma.CHECK_CRC32
    else:
        assert gzip.decompress(packed) == data


@pytest.mark.parametrize("name", compress.METHODS)
def test_holes_are_cheap_and_read_as_zeros(name: str) -> None:
    plan = Plan(200 * MIB + 5, [(100 * MIB, b"data")])
    blocks = stream.blocks(plan, lambda _: pytest.fail("no source"), compress.find(name).block)
    packed = b"".join(compress.compress(blocks, name))
    assert len(packed) < MIB
    expected = bytes(100 * MIB) + b"data" + bytes(100 * MIB + 1)
    assert unpack(name, packed) == expected


def test_higher_levels_make_less_of_it() -> None:
    data = "".join(f"line {number} of a text\n" for number in range(50_000)).encode()
    sizes = [len(b"".join(compress.compress([data], "gzip", level))) for level in (1, 2, 6, 9)]
    assert sizes[-1] < sizes[0]
    for level in (1, 3, 9):
        assert gzip.decompress(b"".join(compress.compress([data], "gzip", level))) == data


def test_unknown_methods_and_levels_are_errors_at_once() -> None:
    with pytest.raises(compress.UnknownCompression, match="bzip2"):
        compress.compress([], "bzip2")
    for name, level in (("gzip", 0), ("zstd", 23), ("xz", 10)):
        with pytest.raises(codecs.BadLevel):
            compress.compress([], name, level)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_checksums_of_parts_give_that_of_the_whole(one: bytes, two: bytes) -> None:
    columns = compress.crc_columns(len(two))
    joined = compress.crc_after(zlib.crc32(one), columns) ^ zlib.crc32(two)
    assert joined == zlib.crc32(one + two)


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=50), max_size=20), st.integers(1, 40))
def test_regrouped_pieces_are_blocks_of_one_size(pieces: list[bytes], size: int) -> None:
    blocks = list(stream.regroup(pieces, size))
    assert b"".join(blocks) == b"".join(pieces)
    assert all(len(block) == size for block in blocks[:-1])
    assert all(0 < len(block) <= size for block in blocks)


def test_an_error_while_reading_reaches_the_caller() -> None:
    def pieces() -> object:
        yield bytes(3 * MIB)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        b"".join(compress.compress(pieces(), "gzip"))  # type: ignore[arg-type]
