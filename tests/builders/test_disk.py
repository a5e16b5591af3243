"""Disks: what sfdisk and sgdisk say of our tables, and where things are."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid as uuids
from pathlib import Path

import pytest

from builders import disk
from builders.plan import Plan
from builders.sinks import raw

MIB = 1 << 20
UUID = uuids.UUID("12345678-9abc-4def-8123-456789abcdef")
LINUX = uuids.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


def nothing(source: str) -> Path:
    raise AssertionError(source)


def part(size: int, **options: object) -> disk.PartitionPlan:
    return disk.PartitionPlan(plan=Plan(size), **{"type": 0x83, **options})  # type: ignore[arg-type]


def gpt_part(size: int, number: int, **options: object) -> disk.PartitionPlan:
    uuid = uuids.uuid5(UUID, str(number))
    return part(size, **{"type": LINUX, "uuid": uuid, "name": f"part {number}", **options})


def sfdisk(path: Path) -> dict[str, object]:
    done = subprocess.run(["sfdisk", "--json", path], capture_output=True, check=True)
    table: dict[str, object] = json.loads(done.stdout)["partitiontable"]
    return table


@needs("sfdisk")
def test_an_mbr_is_what_sfdisk_reads(tmp_path: Path) -> None:
    code = disk.BootCode(bytes([0x90]) * 512, b"core" * 300)
    plan = disk.plan_disk(
        "mbr",
        [part(5 * MIB, active=True), part(3 * MIB, type=0x82), part(MIB, offset=20 * MIB)],
        UUID,
        boot=code,
    )
    image = tmp_path / "disk"
    raw.write(plan, image, nothing)
    table = sfdisk(image)
    assert (table["label"], table["id"]) == ("dos", "0x78563412")
    partitions = table["partitions"]
    assert [(p["start"], p["size"], p["type"]) for p in partitions] == [  # type: ignore[attr-defined]
        (2048, 10240, "83"),
        (12288, 6144, "82"),
        (40960, 2048, "83"),
    ]
    assert partitions[0]["bootable"] is True  # type: ignore[index]
    subprocess.run(["sfdisk", "--verify", image], check=True, capture_output=True)
    data = image.read_bytes()
    assert data[:440] == bytes([0x90]) * 440
    assert data[510:512] == b"\x55\xaa"
    assert data[512 : 512 + 1200] == b"core" * 300
    assert len(data) == 21 * MIB


@needs("sgdisk")
def test_a_gpt_is_sound_to_sgdisk(tmp_path: Path) -> None:
    plan = disk.plan_disk(
        "gpt", [gpt_part(5 * MIB, 1, attributes=1 << 2), gpt_part(MIB + 512, 2)], UUID
    )
    image = tmp_path / "disk"
    raw.write(plan, image, nothing)
    verdict = subprocess.run(["sgdisk", "-v", image], capture_output=True, text=True, check=True)
    assert "No problems found" in verdict.stdout
    shown = subprocess.run(["sgdisk", "-i", "1", image], capture_output=True, text=True, check=True)
    assert str(uuids.uuid5(UUID, "1")).upper() in shown.stdout
    assert "'part 1'" in shown.stdout
    assert "Attribute flags: 0000000000000004" in shown.stdout
    shown = subprocess.run(["sgdisk", "-p", image], capture_output=True, text=True, check=True)
    assert str(UUID).upper() in shown.stdout


@needs("sgdisk")
def test_a_hybrid_has_both_tables(tmp_path: Path) -> None:
    plan = disk.plan_disk(
        "hybrid",
        [
            gpt_part(MIB, 1),
            gpt_part(4 * MIB, 2, mbr_type=0xEF),
            gpt_part(5 * MIB, 3, mbr_type=0x83, active=True),
        ],
        UUID,
        boot=disk.BootCode(bytes([0x90]) * 512),
    )
    image = tmp_path / "disk"
    raw.write(plan, image, nothing)
    verdict = subprocess.run(["sgdisk", "-v", image], capture_output=True, text=True, check=True)
    assert "No problems found" in verdict.stdout
    shown = subprocess.run(["sgdisk", "-p", image], capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in shown.stdout.splitlines()[-3:]] == ["1", "2", "3"]
    dos = subprocess.run(
        ["sfdisk", "--json", "--label-nested", "dos", image], capture_output=True, check=True
    )
    table = json.loads(dos.stdout)["partitiontable"]
    assert table["id"] == "0x78563412"
    assert [(p["start"], p["size"], p["type"], p.get("bootable")) for p in table["partitions"]] == [
        (1, 4095, "ee", None),
        (4096, 8192, "ef", None),
        (12288, 10240, "83", True),
    ]


def test_what_is_in_a_partition_is_shifted_to_it() -> None:
    plan = disk.plan_disk(
        "mbr",
        [disk.PartitionPlan(plan=Plan(MIB, [(512, b"x")]), type=0x83, offset=4 * MIB)],
        UUID,
    )
    assert plan.metadata[1:] == [(4 * MIB + 512, b"x")]
    assert plan.size == 5 * MIB


@pytest.mark.parametrize(
    ("table", "partitions", "options", "error"),
    [
        ("mbr", [part(MIB)] * 5, {}, disk.TooManyPartitions),
        ("mbr", [part(MIB, offset=MIB), part(MIB, offset=MIB)], {}, disk.PartitionsOverlap),
        ("mbr", [part(MIB, offset=0)], {}, disk.PartitionsOverlap),
        ("mbr", [part(MIB, offset=1000)], {}, disk.BadPartitions),
        ("mbr", [part(8 * MIB)], {"size": 4 * MIB}, disk.DiskTooSmall),
        ("gpt", [gpt_part(8 * MIB, 1)], {"size": 9 * MIB}, disk.DiskTooSmall),
        ("mbr", [part(3 << 40)], {}, disk.DiskTooBig),
        ("mbr", [part(MIB, type=LINUX)], {}, disk.BadPartitions),
        ("gpt", [part(MIB)], {}, disk.BadPartitions),
        ("gpt", [gpt_part(MIB, 1, name="x" * 37)], {}, disk.BadPartitions),
        ("hybrid", [gpt_part(MIB, n, mbr_type=0x83) for n in range(4)], {}, disk.TooManyPartitions),
        ("hybrid", [gpt_part(3 << 40, 1, mbr_type=0x83)], {}, disk.DiskTooBig),
        ("hybrid", [part(MIB)], {}, disk.BadPartitions),
        ("mbr", [part(MIB)], {"boot": disk.BootCode(b"", bytes(MIB))}, disk.NoRoomForBootCode),
    ],
)
def test_what_cannot_be_is_refused(
    table: disk.Table, partitions: list[disk.PartitionPlan], options: dict, error: type
) -> None:  # type: ignore[type-arg]
    with pytest.raises(error):
        disk.plan_disk(table, partitions, UUID, **options)


def test_a_size_is_rounded_up_to_whole_sectors() -> None:
    assert disk.plan_disk("mbr", [part(MIB)], UUID, size=9 * MIB + 700).size == 9 * MIB + 1024
