"""newc archives: GNU cpio reads back what was written, and so does the format's definition."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import cpio
from builders.tree import Content, Entry, order

TREE = [
    Entry("", "d", 0o755),
    Entry("bin", "d", 0o755, mtime=86400 * 10**9),
    Entry("bin/sh", "l", 0o777, size=7, ref="busybox"),
    Entry("dev", "d", 0o755),
    Entry("dev/console", "c", 0o600, ref=(5, 1)),
    Entry("dev/sda", "b", 0o660, 0, 6, ref=(8, 0)),
    Entry("etc", "d", 0o750, 3, 4),
    Entry("etc/empty", "f", 0o600),
    Entry("etc/name", "f", 0o644, mtime=86400 * 10**9 + 5, size=5, ref=b"kiln\n"),
    Entry("etc/other", "h", 0, ref="etc/name"),
    Entry("etc/pipe", "p", 0o600),
    Entry("etc/suid", "f", 0o4755, 1000, 1000, size=1, ref=b"x"),
]


def parsed(archive: bytes) -> list[tuple[str, list[int], bytes]]:
    """(name, the thirteen fields, data) of each member, by the format's definition."""
    members = []
    position = 0
    while True:
        assert archive[position : position + 6] == b"070701"
        digits = archive[position + 6 : position + 110]
        fields = [int(digits[i : i + 8], 16) for i in range(0, 104, 8)]
        size, name_size = fields[6], fields[11]
        name = archive[position + 110 : position + 110 + name_size - 1]
        assert archive[position + 110 + name_size - 1] == 0
        start = -(-(position + 110 + name_size) // 4) * 4
        members.append((os.fsdecode(name), fields, archive[start : start + size]))
        position = -(-(start + size) // 4) * 4
        if name == b"TRAILER!!!":
            assert not any(archive[position:])
            return members


def test_members_have_type_mode_owner_time_and_data() -> None:
    archive = b"".join(cpio.archive(TREE))
    assert len(archive) % 512 == 0
    members = {name: (fields, data) for name, fields, data in parsed(archive)}
    assert list(members) == [*(entry.path for entry in TREE if entry.path), "TRAILER!!!"]
    fields, data = members["etc/suid"]
    assert fields[1:4] == [stat.S_IFREG | 0o4755, 1000, 1000]
    assert data == b"x"
    assert members["bin"][0][5] == 86400
    assert members["dev/console"][0][9:11] == [5, 1]
    assert members["bin/sh"] == (members["bin/sh"][0], b"busybox")
    assert stat.S_ISBLK(members["dev/sda"][0][1])


def test_names_of_one_file_share_an_inode_and_the_last_has_the_data() -> None:
    members = {name: (fields, data) for name, fields, data in parsed(b"".join(cpio.archive(TREE)))}
    first, last = members["etc/name"], members["etc/other"]
    assert first[0][0] == last[0][0]
    assert first[0][4] == last[0][4] == 2
    assert (first[1], last[1]) == (b"", b"kiln\n")
    inodes = [fields[0] for name, (fields, _) in members.items() if name != "etc/other"]
    assert len(set(inodes)) == len(inodes)


@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is not installed")
def test_gnu_cpio_extracts_the_tree(tmp_path: Path) -> None:
    tree = [entry for entry in TREE if entry.kind not in "cb"]
    archive = b"".join(cpio.archive(tree))
    subprocess.run(
        ["cpio", "-idm", "--quiet", "--no-preserve-owner"], input=archive, cwd=tmp_path, check=True
    )
    assert (tmp_path / "etc/name").read_bytes() == b"kiln\n"
    assert (tmp_path / "etc/other").stat().st_ino == (tmp_path / "etc/name").stat().st_ino
    assert (tmp_path / "bin/sh").readlink() == Path("busybox")
    assert (tmp_path / "etc/name").stat().st_mtime == 86400
    assert stat.S_ISFIFO((tmp_path / "etc/pipe").stat().st_mode)


@given(
    st.dictionaries(
        st.binary(min_size=1, max_size=30)
        .map(lambda name: name.replace(b"/", b"_").replace(b"\0", b"^"))
        .filter(lambda name: name not in (b".", b"..", b"TRAILER!!!")),
        st.binary(max_size=50),
        max_size=8,
    )
)
def test_any_names_and_contents_come_back(files: dict[bytes, bytes]) -> None:
    names = {name.decode("utf-8", "surrogateescape"): data for name, data in files.items()}
    tree = [Entry(name, "f", 0o644, size=len(data), ref=data) for name, data in names.items()]
    tree.sort(key=lambda entry: order(entry.path))
    archive = b"".join(cpio.archive(tree))
    back = {name: data for name, _, data in parsed(archive) if name != "TRAILER!!!"}
    assert back == names
    assert archive == b"".join(cpio.archive(tree))


def test_contents_elsewhere_come_from_the_reader() -> None:
    entry = Entry("a", "f", 0o644, size=3, ref=Content("/kiln/store/x/pack"))
    members = parsed(b"".join(cpio.archive([entry], lambda _: b"abc")))
    assert members[0][2] == b"abc"
    with pytest.raises(TypeError, match="give a reader"):
        list(cpio.archive([entry]))


@pytest.mark.parametrize(
    "entry",
    [
        Entry("a", "f", 0o644, xattrs={"user.x": b"1"}),
        Entry("a", "f", 0o644, mtime=-(10**9)),
        Entry("a", "f", 0o644, uid=1 << 32),
        Entry("TRAILER!!!", "f", 0o644),
    ],
)
def test_what_newc_has_no_room_for_is_refused(entry: Entry) -> None:
    with pytest.raises(cpio.NotInCpio, match=r"/?(a|TRAILER!!!): "):
        list(cpio.archive([entry]))
