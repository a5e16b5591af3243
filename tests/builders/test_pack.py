"""Packs: contents come back, padded, and holes are where zeros are."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.pack import BLOCK, NAME, SMALLEST_HOLE, PackWriter, is_padded, nonzero_runs

RUNS = st.lists(
    st.tuples(st.sampled_from(b"\0\0ab"), st.sampled_from([1, 100, 4096, 65536, 70000, 1 << 20])),
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(RUNS, max_size=5))
def test_contents_come_back_and_holes_are_zero(contents: list[list[tuple[int, int]]]) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / NAME
        with PackWriter(path) as pack:
            places = [pack.add(bytes([b]) * n for b, n in runs) for runs in contents]
        data = path.read_bytes()
        assert len(data) % BLOCK == 0
        end = 0
        for place, runs in zip(places, contents, strict=True):
            expected = b"".join(bytes([byte]) * count for byte, count in runs)
            assert place.source == NAME
            assert place.offset == end
            assert data[place.offset :][: len(expected)] == expected
            end += -(-len(expected) // BLOCK) * BLOCK
            assert not any(data[place.offset + len(expected) : end])
            for start, length in place.holes:
                assert length >= SMALLEST_HOLE
                assert start % BLOCK == 0
                assert start + length <= len(expected)
                assert not any(expected[start : start + length])
        assert end == len(data)


def test_long_zeros_take_no_space_and_are_one_hole(tmp_path: Path) -> None:
    size = 64 << 20
    with PackWriter(tmp_path / NAME) as pack:
        content = pack.add([b"x", *(bytes(1 << 20) for _ in range(64))])
    assert content.holes == ((BLOCK, size + 1 - BLOCK),)
    assert (tmp_path / NAME).stat().st_blocks * 512 < 1 << 20


def test_only_packs_of_the_store_are_taken_as_padded() -> None:
    assert is_padded("/kiln/store/abc-x/pack")
    assert not is_padded("/home/user/pack")
    assert not is_padded("/kiln/store/abc-x/notes")


def test_runs_of_data_leave_whole_zero_blocks_out() -> None:
    data = bytes(BLOCK) + b"a" * BLOCK + bytes(2 * BLOCK) + b"b"
    assert nonzero_runs(data, len(data)) == [(BLOCK, 2 * BLOCK), (4 * BLOCK, 4 * BLOCK + 1)]
