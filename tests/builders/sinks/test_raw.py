"""Raw images: the bytes of the plan, sparse, whatever the kernel lets us do."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import resource
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.plan import Plan, Segment, data_size
from builders.sinks import digest, raw
from tests.builders.filesystems.judges import mounted, why_not_mount

MIB = 1 << 20
BLOCK = 4096


def expected(plan: Plan, source: bytes) -> bytes:
    image = bytearray(plan.size)
    for offset, data in plan.metadata:
        image[offset : offset + len(data)] = data
    for offset, _, start, length in plan.segments:
        image[offset : offset + length] = source[start : start + length]
    return bytes(image)


def poured(plan: Plan, source: bytes, directory: Path) -> bytes:
    (directory / "source").write_bytes(source)
    raw.write(plan, directory / "image", lambda name: directory / name)
    data = (directory / "image").read_bytes()
    (directory / "image").unlink()
    return data


@st.composite
def plans(draw: st.DrawFn) -> tuple[Plan, bytes]:
    source = b"".join(
        bytes([byte]) * length
        for byte, length in draw(
            st.lists(
                st.tuples(st.integers(0, 3), st.sampled_from([1, 4096, 70_000, 300_000])),
                min_size=1,
                max_size=6,
            )
        )
    )
    position = 0
    plan = Plan(0)
    for _ in range(draw(st.integers(0, 12))):
        position += draw(st.sampled_from([0, 0, 1, 512, 4096, 5 * MIB]))
        if draw(st.booleans()):
            length = draw(st.sampled_from([1, 512, 4096, 300_000]))
            plan.metadata.append((position, bytes([draw(st.integers(0, 2))]) * length))
        else:
            start = draw(st.integers(0, len(source) - 1))
            length = draw(st.integers(1, len(source) - start))
            plan.segments.append(Segment(position, "source", start, length))
        position += length
    plan.size = position + draw(st.sampled_from([0, 1, MIB]))
    return plan, source


@settings(max_examples=60, deadline=None)
@given(plans())
def test_an_image_is_what_the_plan_says(case: tuple[Plan, bytes]) -> None:
    plan, source = case
    with TemporaryDirectory() as directory:
        image = poured(plan, source, Path(directory))
        assert image == expected(plan, source)
        said = digest.sha256(plan, lambda name: Path(directory) / name)
        assert said == hashlib.sha256(image).hexdigest()


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY])
@pytest.mark.parametrize("start", [5, BLOCK])
def test_where_blocks_cannot_be_shared_the_bytes_are_the_same(
    number: int, start: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> int:
        raise OSError(number, os.strerror(number))

    source = os.urandom(4 * MIB + 17)
    plan = Plan(4 * MIB, [(0, b"head")], [Segment(BLOCK, "source", start, 3 * MIB + 7)])
    monkeypatch.setattr(fcntl, "ioctl", refuse)
    assert poured(plan, source, tmp_path) == expected(plan, source)


@pytest.mark.skipif(why_not_mount("btrfs") != "", reason=why_not_mount("btrfs"))
def test_large_contents_share_the_blocks_of_their_source_on_a_file_system_that_can(
    tmp_path: Path,
) -> None:
    disk = tmp_path / "btrfs"
    disk.touch()
    os.truncate(disk, 128 * MIB)
    subprocess.run(["mkfs.btrfs", "-q", disk], check=True)
    source = os.urandom(2 * MIB)
    plan = Plan(4 * MIB, [(0, b"head")], [Segment(BLOCK, "source", BLOCK, MIB + 7)])
    with mounted(disk, "btrfs", "rw") as directory:
        (directory / "source").write_bytes(source)
        raw.write(plan, directory / "image", lambda name: directory / name)
        assert (directory / "image").read_bytes() == expected(plan, source)
        command = ["filefrag", "-sv", directory / "image"]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        extents = [line.split() for line in told.splitlines() if "shared" in line]
        assert sum(int(words[5].rstrip(":")) for words in extents) == MIB // BLOCK, told


def test_contents_of_a_pack_that_follow_each_other_are_one_run() -> None:
    pack = "/kiln/store/x-y/pack"
    segments = [
        Segment(0, pack, 8192, 100),
        Segment(4096, pack, 12288, 4096),
        Segment(8192, pack, 16384, 5),
        Segment(12288, pack, 24576, 5),
    ]
    assert list(raw.runs(Plan(16384, [], segments))) == [
        Segment(0, pack, 8192, 8197),
        Segment(12288, pack, 24576, 5),
    ]
    loose = [segment._replace(source="/home/pack") for segment in segments]
    assert list(raw.runs(Plan(16384, [], loose))) == [
        loose[0],
        Segment(4096, "/home/pack", 12288, 4101),
        loose[3],
    ]


def test_padding_does_not_hide_what_is_between_two_contents() -> None:
    pack = "/kiln/store/x-y/pack"
    segments = [Segment(0, pack, 8192, 3584), Segment(4096, pack, 12288, 5)]
    plan = Plan(8192, [(3584, b"h" * 512)], segments)
    assert list(raw.runs(plan)) == segments


def test_zeros_take_no_space(tmp_path: Path) -> None:
    (tmp_path / "zeros").write_bytes(bytes(200_000))
    plan = Plan(
        1 << 40, [(5 * MIB, bytes(MIB)), (1 << 39, b"x")], [Segment(0, "zeros", 0, 200_000)]
    )
    raw.write(plan, tmp_path / "image", lambda name: tmp_path / name)
    status = (tmp_path / "image").stat()
    assert status.st_size == 1 << 40
    assert status.st_blocks * 512 <= 64 * 1024


@pytest.mark.parametrize("length", [100, MIB])
def test_a_source_that_became_shorter_is_an_error(length: int, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(length - 1))
    plan = Plan(2 * MIB, [], [Segment(0, "source", 0, length)])
    with pytest.raises(raw.SourceChanged, match="source"):
        raw.write(plan, tmp_path / "image", lambda name: tmp_path / name)
    assert not (tmp_path / "image").exists()
    with pytest.raises(raw.SourceMissing):
        raw.write(plan, tmp_path / "image", lambda name: tmp_path / "gone")


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    plan = Plan(8 * MIB, [(4 * MIB, b"x" * 100_000)])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, limits[1]))
    try:
        with pytest.raises(raw.CannotWrite) as caught:
            raw.write(plan, tmp_path / "image", Path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "image" in caught.value.message
    assert "100,000 bytes" in (caught.value.hint or "")
    assert not (tmp_path / "image").exists()


def test_a_file_that_exists_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "image").write_text("mine")
    with pytest.raises(raw.CannotWrite):
        raw.write(Plan(5), tmp_path / "image", Path)
    assert (tmp_path / "image").read_text() == "mine"


def test_progress_rises_to_all_bytes(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(3 * MIB))
    plan = Plan(9 * MIB, [(8 * MIB, b"end")], [Segment(0, "source", 0, 3 * MIB)])
    seen: list[tuple[int, int]] = []
    raw.write(
        plan,
        tmp_path / "image",
        lambda name: tmp_path / name,
        lambda done, total: seen.append((done, total)),
        sync=True,
    )
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (data_size(plan), data_size(plan))
