"""Scanning: a directory as it is."""

from __future__ import annotations

import os
import socket
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.pack import SMALLEST_HOLE
from builders.scan import CannotScan, scan
from builders.tree import Content, Entry


def test_every_kind_is_seen_as_it_is(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "b").mkdir(parents=True)
    (root / "b" / "file").write_bytes(b"hello")
    (root / "b" / "file").chmod(0o4755)
    os.utime(root / "b" / "file", ns=(0, 1_234_567_890_123_456_789))
    (root / "b-link").symlink_to("./b//é")
    os.link(root / "b" / "file", root / "zzz")
    os.mkfifo(root / "fifo")
    (root / "empty").touch()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
    tree = {entry.path: entry for entry in scan(root, source="/kiln/store/x-y", owner=(0, 5))}
    assert list(tree) == ["", "b", "b/file", "b-link", "empty", "fifo", "socket", "zzz"]
    file = tree["b/file"]
    assert file == Entry(
        "b/file", "f", 0o4755, 0, 5, 1_234_567_890_123_456_789, 5, Content("/kiln/store/x-y/b/file")
    )
    assert tree["b-link"].ref == "./b//é"
    assert tree["b-link"].size == 7
    assert tree["zzz"] == Entry("zzz", "h", 0, ref="b/file")
    assert tree["empty"].ref is None
    assert [tree[name].kind for name in ("fifo", "socket")] == ["p", "s"]


def test_times_can_be_fixed(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert {entry.mtime for entry in scan(tmp_path, time=5)} == {5}


def test_holes_are_known(tmp_path: Path) -> None:
    with open(tmp_path / "sparse", "wb") as file:
        file.write(b"x" * 4096)
        file.seek(8 << 20)
        file.write(b"end")
    entry = scan(tmp_path)[1]
    if (tmp_path / "sparse").stat().st_blocks * 512 >= 8 << 20:
        pytest.skip("the file system has no holes")
    assert isinstance(entry.ref, Content)
    assert entry.ref.holes == ((4096, (8 << 20) - 4096),)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40), st.integers(0, 4095)), max_size=6))
def test_holes_follow_from_the_content_alone(runs: list[tuple[bool, int, int]]) -> None:
    content = b"".join(bytes([data]) * (4096 * count - less) for data, count, less in runs)
    with TemporaryDirectory() as folder:
        dense, sparse = Path(folder, "dense"), Path(folder, "sparse")
        dense.write_bytes(content)
        with open(sparse, "wb") as file:
            for start in range(0, len(content), 4096):
                if any(block := content[start : start + 4096]):
                    file.seek(start)
                    file.write(block)
            file.truncate(len(content))
        found = [entry.ref for entry in scan(Path(folder), source="/x", reproducible=True)[1:]]
    holes = [ref.holes if isinstance(ref, Content) else () for ref in found]
    assert holes[0] == holes[1]
    expected, position = [], 0
    blocks = [content[start : start + 4096] for start in range(0, len(content), 4096)]
    for zero, run in groupby(blocks, lambda block: not any(block)):
        length = sum(map(len, run))
        if zero and length >= SMALLEST_HOLE:
            expected.append((position, length))
        position += length
    assert list(holes[0]) == expected


def test_names_that_are_not_utf8_survive(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")).touch()
    assert [entry.path for entry in scan(tmp_path)] == ["", "\udcff\udcfe"]


def test_extended_attributes_are_seen(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    try:
        os.setxattr(tmp_path / "a", "user.x", b"\0\1")
    except OSError:
        pytest.skip("the file system has no extended attributes")
    assert scan(tmp_path)[1].xattrs == {"user.x": b"\0\1"}
    assert scan(tmp_path, xattrs=False)[1].xattrs is None


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotScan, match="nowhere"):
        scan(tmp_path / "nowhere")
