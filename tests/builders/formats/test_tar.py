"""tar archives: Python's tarfile and GNU tar read every entry back as it is in the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.formats import tar
from builders.merge import arrange
from builders.scan import scan
from builders.sinks import raw
from builders.tree import Content, Entry
from tests.builders.filesystems.trees import trees

TYPES = {"f": b"0", "h": b"1", "l": b"2", "c": b"3", "b": b"4", "d": b"5", "p": b"6"}


def written(tree: list[Entry], pool: bytes, directory: Path) -> Path:
    (directory / "pool").write_bytes(pool)
    raw.write(tar.plan(tree), directory / "tar", lambda name: directory / name)
    return directory / "tar"


def without_sockets(tree: list[Entry]) -> list[Entry]:
    return [entry for entry in tree if entry.kind != "s"]


@settings(max_examples=80, deadline=None)
@given(trees("pool"))
def test_tarfile_reads_every_entry(case: tuple[list[Entry], dict[str, bytes], bytes]) -> None:
    tree, contents, pool = case
    tree = without_sockets(tree)
    with TemporaryDirectory() as directory:
        path = written(tree, pool, Path(directory))
        assert path.stat().st_size % tar.RECORD == 0
        with tarfile.open(path, encoding="utf-8", errors="surrogateescape") as archive:
            members = archive.getmembers()
            assert [member.name for member in members] == [entry.path or "." for entry in tree]
            for entry, member in zip(tree, members, strict=True):
                check(entry, member)
                if entry.kind == "f":
                    content = archive.extractfile(member)
                    assert content is not None
                    assert content.read() == contents[entry.path]


def check(entry: Entry, member: tarfile.TarInfo) -> None:
    assert member.type == TYPES[entry.kind]
    if entry.kind == "h":
        assert member.linkname == entry.ref
        return
    assert (member.mode, member.uid, member.gid) == (entry.mode, entry.uid, entry.gid)
    assert (member.uname, member.gname) == ("", "")
    seconds = Decimal(member.pax_headers.get("mtime", str(int(member.mtime))))
    assert int(seconds * 1_000_000_000) == entry.mtime
    if entry.kind == "l":
        assert member.linkname == entry.ref
    if entry.kind in "cb":
        assert (member.devmajor, member.devminor) == entry.ref
    found = {
        name.removeprefix("SCHILY.xattr."): value.encode("utf-8", "surrogateescape")
        for name, value in member.pax_headers.items()
        if name.startswith("SCHILY.xattr.")
    }
    assert found == (entry.xattrs or {})


def complaints(errors: bytes) -> list[bytes]:
    """What GNU tar says, but that times are odd and that names need not be UTF-8."""
    return [
        line
        for line in errors.splitlines()
        if b"time stamp" not in line and b"hdrcharset" not in line
    ]


@settings(max_examples=20, deadline=None)
@given(trees("pool"))
def test_gnu_tar_finds_nothing_wrong(
    case: tuple[list[Entry], dict[str, bytes], bytes],
) -> None:
    if shutil.which("tar") is None:
        pytest.skip("GNU tar is not installed")
    tree, _, pool = case
    tree = without_sockets(tree)
    with TemporaryDirectory() as directory:
        path = written(tree, pool, Path(directory))
        done = subprocess.run(
            ["tar", "--list", "--quoting-style=escape", "--file", path],
            check=False,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C"},
        )
        assert done.returncode == 0, done.stderr
        assert complaints(done.stderr) == []
        assert len(done.stdout.splitlines()) == len(tree)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make all kinds of files")
@pytest.mark.skipif(shutil.which("tar") is None, reason="GNU tar is not installed")
def test_gnu_tar_unpacks_the_tree(tmp_path: Path) -> None:
    long = "/".join(["d" * 80, "e" * 80, "f" * 80])
    parents = [long[:80], long[:161], long]
    time = 1_600_000_000_123_456_789
    tree = arrange(
        [
            Entry("", "d", 0o755, 1, 2, time),
            *(Entry(parent, "d", 0o2750, 5, 6, 10**18) for parent in parents),
            Entry(f"{long}/{'x' * 200}", "f", 0o4755, 7, 8, time, 3, b"abc"),
            Entry("empty", "f", 0o600, mtime=-5 * 10**9),
            Entry("sparse", "f", 0o644, 3_000_000, 4, 1, 9000, Content("pool", 0)),
            Entry("other", "h", 0, ref="empty"),
            Entry("link", "l", 0o777, mtime=5, size=150, ref="t" * 150),
            Entry("fifo", "p", 0o600, mtime=7 * 10**9),
            Entry("caps", "f", 0o755, mtime=9, size=1, ref=b"x", xattrs={"user.a": b"\0\n="}),
            Entry("é" * 60, "f", 0o644, mtime=2**33 * 10**9 + 1),
            Entry("\udcff" * 101, "f", 0o644, mtime=3),
        ]
    )
    archive = written(tree, bytes(5000) + b"z" * 4000, tmp_path)
    target = tmp_path / "out"
    target.mkdir()
    flags = ["--xattrs", "--xattrs-include=*", "--numeric-owner", "--same-owner"]
    for action in (["--extract", "--preserve-permissions"], ["--compare"]):
        done = subprocess.run(
            ["tar", *action, *flags, "--directory", target, "--file", archive],
            check=False,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C"},
        )
        assert (done.returncode, done.stdout) == (0, b""), done.stderr
        assert complaints(done.stderr) == []
    found = {entry.path: entry for entry in scan(target)}
    assert set(found) == {entry.path for entry in tree}
    for entry in tree:
        other = found[entry.path]
        if "h" in (entry.kind, other.kind):
            assert (target / entry.path).stat().st_nlink == 2
            continue
        assert (other.kind, other.mode, other.uid, other.gid) == entry[1:5]
        assert other.mtime == entry.mtime, entry.path
        assert other.size == entry.size
        assert (other.xattrs or {}) == (entry.xattrs or {})
        if entry.kind == "l":
            assert other.ref == entry.ref
    assert (target / "sparse").read_bytes() == bytes(5000) + b"z" * 4000


def test_a_socket_is_refused_with_its_path() -> None:
    with pytest.raises(tar.NotInTar, match="/run/socket"):
        tar.plan([Entry("run/socket", "s", 0o600)])


@given(st.text("ab/", min_size=1, max_size=300).filter(lambda text: not text.startswith("/")))
def test_names_are_whole_whatever_their_length(name: str) -> None:
    name = "/".join(part for part in name.split("/") if part) or "a"
    data = tar.member(Entry(name, "f", 0o644)) + bytes(1024)
    assert tarfile.TarInfo.frombuf(data[-1536:-1024], "utf-8", "strict").mode == 0o644
    with TemporaryDirectory() as directory:
        Path(directory, "tar").write_bytes(data)
        with tarfile.open(Path(directory, "tar")) as archive:
            assert archive.getnames() == [name]


def test_files_of_more_than_eight_gib_say_their_size() -> None:
    size = 9 << 30
    plan = tar.plan([Entry("big", "f", 0o644, size=size, ref=Content("pool", 0, ((0, size - 5),)))])
    assert plan.size >= size
    assert plan.segments[0].length == 5
    info = tarfile.TarInfo.frombuf(plan.metadata[0][1][:512], "utf-8", "strict")
    assert info.type == b"x"
    assert b" size=%d\n" % size in plan.metadata[0][1]
