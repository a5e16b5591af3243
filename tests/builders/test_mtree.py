"""Manifests: every tree survives being written and read, in mtree(5)'s own terms."""

from __future__ import annotations

import shutil
import string
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import mtree
from builders.tree import Content, Entry, Kind

Ref = Content | bytes | str | tuple[int, int] | None
Xattrs = dict[str, bytes] | None
FILE_NAMES = st.binary(min_size=1, max_size=40).map(
    lambda name: name.replace(b"/", b"_").replace(b"\0", b"^").decode("utf-8", "surrogateescape")
)
PATHS = st.lists(FILE_NAMES, min_size=1, max_size=4).map("/".join)
TIMES = st.integers(-(2**31) * 10**9, 2**34 * 10**9)
IDS = st.integers(0, 2**32 - 1)
XATTRS = st.none() | st.dictionaries(
    st.text(string.printable, min_size=1, max_size=8).map("user.".__add__),
    st.binary(max_size=20),
    min_size=1,
    max_size=3,
)
HOLES = st.lists(st.tuples(st.integers(0, 2**40), st.integers(1, 2**40)), max_size=3).map(tuple)
CONTENTS = (
    st.none()
    | st.binary(min_size=1, max_size=30)
    | st.builds(Content, PATHS.map("/kiln/store/".__add__), st.integers(0, 2**40), HOLES)
)


def length(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


MODES = st.integers(0, 0o7777)
ATTRIBUTES = st.tuples(MODES, IDS, IDS, TIMES)
DEVICES = st.tuples(st.integers(0, 4095), st.integers(0, 2**20 - 1))


def made(
    path: str,
    kind: Kind,
    attributes: tuple[int, int, int, int],
    size: int,
    ref: Ref,
    xattrs: Xattrs,
) -> Entry:
    return Entry(path, kind, *attributes, size, ref, xattrs)


ENTRIES = st.one_of(
    st.builds(made, PATHS, st.sampled_from("dps"), ATTRIBUTES, st.just(0), st.none(), XATTRS),
    st.builds(made, PATHS, st.just("f"), ATTRIBUTES, st.integers(0, 2**50), CONTENTS, XATTRS),
    st.builds(made, PATHS, st.sampled_from("cb"), ATTRIBUTES, st.just(0), DEVICES, XATTRS),
    st.builds(
        lambda path, attributes, target, xattrs: made(
            path, "l", attributes, length(target), target, xattrs
        ),
        PATHS,
        ATTRIBUTES,
        PATHS,
        XATTRS,
    ),
    st.builds(lambda path, target: made(path, "h", (0, 0, 0, 0), 0, target, None), PATHS, PATHS),
)


@given(st.lists(ENTRIES, max_size=8))
def test_reading_gives_what_was_written(entries: list[Entry]) -> None:
    text = mtree.write(entries)
    assert text.isascii()
    assert len(text.splitlines()) == len(entries) + 1
    assert mtree.read(text) == entries


@given(st.lists(ENTRIES, max_size=8))
def test_the_fast_road_and_the_slow_road_agree(entries: list[Entry]) -> None:
    lines = mtree.write(entries).split("\n")
    slow = "\n".join(line + " " if line else line for line in lines)
    assert mtree.read(slow) == mtree.read("\n".join(lines))


def test_contents_beside_the_manifest_are_relative() -> None:
    base = "/kiln/store/abc-tmux"
    own = Entry("a", "f", 0o644, size=1, ref=Content(f"{base}/pack", 4096))
    other = Entry("b", "f", 0o644, size=1, ref=Content("/kiln/store/xyz-less/pack", 0))
    text = mtree.write([own, other], base)
    assert "contents=pack offset=4096" in text
    assert mtree.read(text, base) == [own, other]
    assert mtree.read(text, "/kiln/store/new")[0].ref == Content("/kiln/store/new/pack", 4096)


def test_an_item_is_read_with_its_logical_path(tmp_path: Path) -> None:
    (tmp_path / "manifest").write_text(
        mtree.write([Entry("a", "f", 0o644, size=1, ref=Content("pack"))])
    )
    (entry,) = mtree.read_item(tmp_path, "/kiln/store/h-n")
    assert entry.ref == Content("/kiln/store/h-n/pack")


def test_defaults_and_keywords_of_others_are_understood() -> None:
    text = """#mtree
        /set type=file uid=3 gid=4 mode=644
        ./a size=5 time=7.9 sha256=00ff contents=/x
        ./b type=dir nlink=3 optional
        /unset uid
        ./c type=link link=a\\040b time=1
    """
    assert mtree.read(text) == [
        Entry("a", "f", 0o644, 3, 4, 7_000_000_009, 5, Content("/x")),
        Entry("b", "d", 0o644, 3, 4),
        Entry("c", "l", 0o644, 0, 4, 1_000_000_000, 3, "a b"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "usr/bin type=dir mode=0755",
        "./a type=cheese mode=0755",
        "./a mode=0755",
        "./a type=dir mode=0999",
        "./a type=file mode=0644 uid=0 gid=0 time=0.0",
        "./a type=link mode=0644 uid=0 gid=0 time=0.0",
        "./a type=link mode=0644 uid=0 gid=0 time=0.0 size=4",
        "./a type=char mode=0644 device=linux,1",
        "./a\\x41 type=dir mode=0755",
        "./a type=file mode=0644 size=1 inline=!!",
        "./a type=file mode=0644 size=1 contents=p holes=1-2",
    ],
)
def test_a_damaged_line_is_named(line: str) -> None:
    with pytest.raises(mtree.BadManifest) as caught:
        mtree.read(f"#mtree\n. type=dir mode=0755\n{line}\n")
    assert "line 3" in caught.value.message


@pytest.mark.skipif(shutil.which("bsdtar") is None, reason="bsdtar is not installed")
def test_libarchive_reads_our_manifests(tmp_path: Path) -> None:
    (tmp_path / "m").write_text(
        mtree.write(
            [
                Entry("", "d", 0o755),
                Entry("a b", "d", 0o755, mtime=10**9),
                Entry("a b/é", "l", 0o777, ref="x"),
            ]
        )
    )
    listing = subprocess.run(["bsdtar", "-tf", tmp_path / "m"], capture_output=True, check=True)
    assert len(listing.stdout.splitlines()) == 3
