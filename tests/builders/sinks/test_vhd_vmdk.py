"""VHD and VMDK: geometry, odd sizes, limits."""

from __future__ import annotations

import uuid as uuids
from pathlib import Path

import pytest

from builders.plan import Plan, Segment
from builders.sinks import raw, vhd, vmdk
from tests.builders.sinks.qemu import NEEDS_QEMU, assert_same_disk, info, qemu_img
from tests.builders.sinks.test_raw import expected

MIB = 1 << 20
UUID = uuids.UUID("ffffffff-9abc-4def-8123-456789abcdef")


@NEEDS_QEMU
@pytest.mark.parametrize("sectors", [1, 17, 2048, 12_345, 1_000_003])
def test_a_vhd_has_the_size_of_the_disk_whatever_geometry_can_say(
    sectors: int, tmp_path: Path
) -> None:
    plan = Plan(sectors * 512, [(sectors * 512 - 3, b"end")])
    raw.write(vhd.plan(plan, UUID), tmp_path / "image", Path)
    assert_same_disk(tmp_path / "image", "vhd", expected(plan, b""))


@NEEDS_QEMU
@pytest.mark.parametrize("mebibytes", [3, 100, 504, 2000, 140_000])
def test_the_geometry_is_the_one_that_qemu_computes(mebibytes: int, tmp_path: Path) -> None:
    image = tmp_path / "image"
    qemu_img("create", "-f", "vpc", "-o", "subformat=fixed", image, f"{mebibytes}M")
    with open(image, "rb") as file:
        file.seek(-512, 2)
        theirs = file.read()
    size = int.from_bytes(theirs[48:56], "big")  # what the geometry can express
    ours = vhd.footer(size, UUID)
    assert ours[40:64] == theirs[40:64]  # sizes, geometry, type


def test_a_vhd_says_so_if_the_disk_is_too_large() -> None:
    with pytest.raises(vhd.TooLargeForVhd, match="3,298,534,883,328"):
        vhd.plan(Plan(3 << 40), UUID)


@NEEDS_QEMU
def test_a_vmdk_over_many_tables(tmp_path: Path) -> None:
    source = bytes(range(256)) * 4096
    (tmp_path / "source").write_bytes(source)
    plan = Plan(
        500 * MIB + 512,
        [(0, b"head"), (33 * MIB - 5, b"0123456789"), (500 * MIB, b"tail" * 128)],
        [Segment(100 * MIB + 1, "source", 0, MIB)],
    )
    image = tmp_path / "image"
    vmdk.write(plan, image, lambda name: tmp_path / name, uuid=UUID)
    assert_same_disk(image, "vmdk", expected(plan, source))
    assert info(image, "vmdk")["format-specific"]["data"]["create-type"] == "streamOptimized"
    assert image.stat().st_size < MIB
    assert b"CID=fffffffe\n" in image.read_bytes()[:2048]


def test_a_vmdk_does_not_depend_on_threads(tmp_path: Path) -> None:
    plan = Plan(64 * MIB, [(offset, b"data" * 50_000) for offset in range(0, 60 * MIB, MIB)])
    for threads in (1, 4):
        vmdk.write(plan, tmp_path / f"{threads}", Path, uuid=UUID, threads=threads)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "4").read_bytes()


def test_a_vmdk_says_so_if_the_disk_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(vmdk.TooLargeForVmdk):
        vmdk.write(Plan(3 << 40), tmp_path / "image", Path, uuid=UUID)
    assert not (tmp_path / "image").exists()
