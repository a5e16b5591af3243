"""`kiln ls`, `kiln cat` and `kiln cp`: what is in an image, without root."""

from __future__ import annotations

import gzip
import os
import stat
import uuid as uuids
from pathlib import Path

import pytest

from builders.disk import PartitionPlan, plan_disk
from builders.filesystems import plan
from builders.formats import tar
from builders.formats.container import Container, write_oci
from builders.merge import merge
from builders.sinks import raw
from builders.tree import Content, Entry
from kiln.errors import UsageError
from kiln.inspect_place import Place, parse, shown
from kiln.main import main

UUID = uuids.UUID("12345678-9abc-4def-8123-456789abcdef")
LINUX = uuids.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
TIME = 1_700_000_000 * 10**9
BIG = 3 << 20
TREE = merge(
    [Entry("", "d", 0o755, mtime=TIME)],
    [
        Entry("etc", "d", 0o750, 0, 42, TIME),
        Entry("etc/name", "f", 0o640, 7, 42, TIME, 5, b"kiln\n"),
        Entry("etc/link", "l", 0o777, mtime=TIME, size=4, ref="name"),
        Entry("etc/sub/deep", "f", 0o755, mtime=TIME, size=2, ref=b"ok"),
        Entry("dev/null", "c", 0o666, mtime=TIME, ref=(1, 3)),
        Entry("bell\a", "f", 0o644, mtime=TIME),
        Entry(
            "sparse", "f", 0o644, mtime=TIME, size=BIG, ref=Content("end", 0, ((0, BIG - 4096),))
        ),
    ],
)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A disk with an EFI system partition and a root."""
    (tmp_path / "end").write_bytes(bytes(BIG - 3) + b"end")
    loader = [Entry("", "d", 0o755), Entry("LOADER.EFI", "f", 0o644, size=2, ref=b"MZ")]
    root = plan("ext4", TREE, {"uuid": UUID, "label": "wurzel"})
    esp = plan("vfat", loader, {"uuid": UUID, "label": "ESP"})
    parts = [
        PartitionPlan(plan=esp, type=LINUX, uuid=uuids.uuid5(UUID, "a"), name="EFI"),
        PartitionPlan(plan=root, type=LINUX, uuid=UUID, name="root"),
    ]
    path = tmp_path / "disk:1.raw"
    raw.write(plan_disk("gpt", parts, UUID), path, lambda name: tmp_path / name)
    return path


def test_an_image_alone_shows_its_partitions(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ls", str(image)]) == 0
    _, first, second = capsys.readouterr().out.splitlines()
    assert first.split()[0] == "1"
    assert first.split()[3:] == ["fat12", "ESP", "EFI"]
    assert second.split()[3:] == ["ext4", "wurzel", "root"]


def test_directories_are_listed_short_and_long(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ls", f"{image}:2"]) == 0
    assert capsys.readouterr().out.split() == ["bell\\x07", "dev", "etc", "lost+found", "sparse"]
    assert main(["ls", "-l", f"{image}:root:/etc"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        *("lrwxrwxrwx", "0", "0", "4", "2023-11-14", "22:13:20", "link", "->", "name")
    ]
    assert lines[1].split()[:4] == ["-rw-r-----", "7", "42", "5"]
    assert main(["ls", f"{image}:wurzel:/etc/sub"]) == 0
    assert capsys.readouterr().out.split() == ["deep"]
    assert main(["ls", f"{image}:stamm:/"]) == 1
    assert "no partition stamm" in capsys.readouterr().err
    assert main(["ls", "-lR", f"{image}:2:/dev"]) == 0
    assert "1, 3" in capsys.readouterr().out
    assert main(["ls", "-R", f"{image}:2:/etc"]) == 0
    assert capsys.readouterr().out.split() == ["link", "name", "sub", "sub/deep"]


def test_files_are_written_out(image: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["cat", f"{image}:2:/etc/link", f"{image}:1:/LOADER.EFI"]) == 0
    assert capfdbinary.readouterr().out == b"kiln\nMZ"
    assert main(["cat", f"{image}:2:/sparse"]) == 0
    assert capfdbinary.readouterr().out == bytes(BIG - 3) + b"end"


def test_files_and_directories_are_copied_with_modes_and_times(image: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    assert main(["cp", "-r", f"{image}:2:/etc", str(target)]) == 0
    assert (target / "name").read_bytes() == b"kiln\n"
    assert os.readlink(target / "link") == "name"
    assert (target / "sub/deep").read_bytes() == b"ok"
    status = (target / "name").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (0o640, TIME)
    assert target.stat().st_mtime_ns == TIME
    assert main(["cp", f"{image}:2:/sparse", f"{image}:2:/etc/name", str(target)]) == 0
    assert (target / "sparse").read_bytes() == bytes(BIG - 3) + b"end"


def test_an_image_in_an_image_is_looked_into(
    image: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    inner = gzip.compress(image.read_bytes(), 1)
    packed = Entry("live/disk.gz", "f", 0o644, size=len(inner), ref=inner)
    holder = merge([Entry("", "d", 0o755)], [packed])
    outer = tmp_path / "outer"
    raw.write(plan("ext4", holder, {"uuid": UUID}), outer, Path)
    assert main(["cat", f"{outer}:/live/disk.gz:root:/etc/name"]) == 0
    assert capfdbinary.readouterr().out == b"kiln\n"
    assert main(["ls", f"{outer}:/live/disk.gz:2:/etc"]) == 0
    assert capfdbinary.readouterr().out.split() == [b"link", b"name", b"sub"]
    assert main(["ls", f"{outer}:/live/disk.gz:/etc"]) == 1
    assert b"say /live/disk.gz:1 or /live/disk.gz:2" in capfdbinary.readouterr().err
    assert main(["ls", f"{outer}:/live:/etc"]) == 2
    assert b"/live is not a regular file" in capfdbinary.readouterr().err


def test_the_directory_of_a_container_image_is_an_image(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    tree = [entry for entry in TREE if not isinstance(entry.ref, Content)]
    layout = tmp_path / "layout"
    write_oci(Container("kiln"), [tar.plan(tree)], layout, Path)
    assert main(["cat", f"{layout}:/etc/link"]) == 0
    assert capfdbinary.readouterr().out == b"kiln\n"
    assert main(["ls", str(layout)]) == 0
    assert capfdbinary.readouterr().out.split() == [b"bell\\x07", b"dev", b"etc"]
    assert main(["ls", f"{layout}:2"]) == 2
    assert b"it has no partitions" in capfdbinary.readouterr().err


def test_devices_are_left_out_and_told(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cp", "-r", f"{image}:2:/", str(tmp_path / "all")]) == 1
    assert "/dev/null is a device: it is not copied" in capsys.readouterr().err
    assert (tmp_path / "all/etc/name").exists()


def test_a_copy_does_not_follow_links_that_are_in_its_way(image: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    target = tmp_path / "copy"
    target.mkdir()
    (target / "etc").mkdir()
    (target / "etc/sub").symlink_to(outside)
    assert main(["cp", "-r", f"{image}:2:/etc", str(target)]) == 1
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["ls", "{}:3"], 1, "no partition 3"),
        (["ls", "{}:/etc"], 1, "2 partitions with file systems"),
        (["ls", "{}:2:/ect"], 1, "did you mean etc?"),
        (["ls", "{}:2:/etc/name/x"], 1, "/etc/name is not a directory"),
        (["ls", "{}:2:/bell\a/x"], 1, "/bell\\x07 is not a directory"),
        (["ls", "{}:2:etc"], 2, "paths begin with /"),
        (["ls", "/nowhere:2"], 2, "/nowhere does not exist"),
        (["cat", "{}:2:/etc"], 2, "not a regular file"),
        (["cat", "{}:2"], 2, "name a file"),
        (["cp", "{}:2:/etc", "x"], 2, "copy it with -r"),
        (["cp", "{}:2:/etc/name", "{}:2:/etc/link", "/nowhere"], 2, "no directory"),
    ],
)
def test_what_cannot_be_is_told(
    image: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    said: str,
) -> None:
    assert main([word.format(image) for word in arguments]) == status
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_places_are_parsed_by_the_image_that_exists(tmp_path: Path) -> None:
    image = tmp_path / "a:b"
    image.touch()
    assert parse(str(image)) == Place(image)
    assert parse(f"{image}:2") == Place(image, "2")
    assert parse(f"{image}:/x:y") == Place(image, None, "/x:y")
    inner = parse(f"{image}:3:/w:/x:root:/y:z")
    assert inner == Place(image, "root", "/y:z", (("3", "/w"), (None, "/x")))
    assert parse(f"{image}:name:/x:y") == Place(image, "name", "/x:y")
    with pytest.raises(UsageError, match="does not exist"):
        parse(str(tmp_path / "c:1"))
    assert shown("a\udcffé\x1b[1m") == "a\\xffé\\x1b[1m"
