"""Images of the first example: judged by others, built once, the same for everyone."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT, Folders, RunKiln

pytestmark = pytest.mark.archive

EXAMPLE = ROOT / "examples/bare-bones.scm"
SECTOR = 512


def built(err: str) -> dict[str, int]:
    """How many derivations of each builder were planned, from the events of --json."""
    for line in err.splitlines():
        event = json.loads(line)
        if event["event"] == "planned":
            return dict(event["kinds"])
    return {}


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def need(*tools: str) -> None:
    """Skip unless the tools are installed."""
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


@pytest.fixture(scope="module")
def image(run_kiln: RunKiln) -> Path:
    """The image, built by whoever runs the tests."""
    return run_kiln("image", EXAMPLE).result


def test_the_partition_table_is_sound(image: Path) -> None:
    need("sfdisk")
    done = subprocess.run(
        ["sfdisk", "--verify", image], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    dump = subprocess.run(["sfdisk", "-J", image], capture_output=True, text=True, check=True)
    (partition,) = json.loads(dump.stdout)["partitiontable"]["partitions"]
    assert partition["bootable"]
    assert partition["type"] == "83"
    assert partition["start"] * SECTOR == 1 << 20


def test_the_root_file_system_is_clean(image: Path) -> None:
    need("e2fsck")
    done = subprocess.run(
        ["e2fsck", "-fn", f"{image}?offset={1 << 20}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_has_no_name_of_the_host(image: Path) -> None:
    store = str(image.parent).encode()
    with open(image, "rb") as file:
        tail = b""
        while block := file.read(1 << 24):
            assert store not in tail + block
            tail = block[-len(store) :]


def test_a_second_build_builds_nothing(run_kiln: RunKiln, image: Path) -> None:
    again = run_kiln("image", "--json", EXAMPLE)
    assert built(again.err) == {}
    assert again.result == image


def test_a_new_host_name_leaves_the_packages_alone(
    run_kiln: RunKiln, image: Path, tmp_path: Path
) -> None:
    other = tmp_path / "os.scm"
    other.write_text(EXAMPLE.read_text().replace('"komputilo"', f'"box{os.getpid()}"'))
    ended = run_kiln("image", "--json", other)
    assert ended.result != image
    assert set(built(ended.err)) == {"grub-bios", "system-tree", "disk-image"}


def test_a_copy_has_the_same_bytes_and_holes(
    run_kiln: RunKiln, image: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "disk.img"
    assert run_kiln("image", "-o", copy, EXAMPLE).status == 0
    assert digest(copy) == digest(image)
    assert copy.stat().st_blocks <= image.stat().st_blocks
    assert os.access(copy, os.W_OK)


def test_an_ordinary_user_on_another_day_gets_the_same_bytes(
    run_kiln: RunKiln, image: Path, shared_folders: Folders, ordinary_folders: Folders
) -> None:
    """Built from scratch in other folders, by another user if root runs the tests."""
    if ordinary_folders is shared_folders:
        pytest.skip("only root can build as somebody else, too")
    index = ordinary_folders.base / "cache/kiln/archive"
    shutil.rmtree(index, ignore_errors=True)
    shutil.copytree(shared_folders.base / "cache/kiln/archive", index)
    subprocess.run(["chown", "-R", str(ordinary_folders.owner), ordinary_folders.base], check=True)
    env = {}
    (library,) = [*Path("/usr/lib").glob("*/faketime/libfaketime.so.1")] or [None]
    if library is not None:
        env = {"LD_PRELOAD": str(library), "FAKETIME": "+3d", "FAKETIME_DONT_RESET": "1"}
    other = run_kiln("image", EXAMPLE, folders=ordinary_folders, env=env).result
    assert other != image
    assert other.name == image.name
    assert digest(other) == digest(image)


def test_a_dry_run_says_what_would_be_done(run_kiln: RunKiln, tmp_path: Path) -> None:
    ended = run_kiln("image", "-n", EXAMPLE, folders=Folders(tmp_path / "empty"))
    assert ended.status == 0, ended.err
    assert re.search(r"would fetch \d+ packages, \d+\.\d MB", ended.out)
    assert "would write the disk image" in ended.out
    assert not list((tmp_path / "empty/store").glob("*.img"))


def test_an_image_is_called_what_it_says_in_every_format(run_kiln: RunKiln, tmp_path: Path) -> None:
    files = []
    for kind in ("squashfs", "cpio", "uki", "erofs", "tarball", "oci"):
        files.append(tmp_path / f"{kind}.scm")
        files[-1].write_text(
            f"""(use-modules (gnu) (gnu image) (gnu system image))
(image (inherit (image-with-os docker-image (primitive-load "{EXAMPLE}")))
  (name 'mine) (format '{kind}) (compression 'zstd))"""
        )
    ended = run_kiln("image", "-d", *files)
    assert re.findall(r"^/kiln/store/[0-9a-z]+-(\S+)$", ended.out, re.MULTILINE) == [
        "mine.squashfs",
        "mine.cpio",
        "mine.efi",
        "mine.erofs.zst",
        "mine.tar.zst",
        "mine",
    ]


def test_a_container_of_a_host_with_capitals_has_a_name(run_kiln: RunKiln, tmp_path: Path) -> None:
    file = tmp_path / "os.scm"
    file.write_text(EXAMPLE.read_text().replace('"komputilo"', '"KomPutilo"'))
    ended = run_kiln("image", "-d", "-t", "docker", file)
    assert '"name":"komputilo"' in ended.out
