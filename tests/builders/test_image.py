"""The builder "disk-image": from its arguments to a file that outside programs agree with."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from builders import disk, image, mtree
from builders.bootloaders import grub
from builders.errors import BuilderError
from builders.filesystems import UnknownFileSystem
from builders.filesystems.hierarchy import TreeDoesNotFit
from builders.filesystems.options import BadOption
from builders.pack import PackWriter
from builders.registry import Build
from builders.tree import Content, Entry

MIB = 1 << 20
UUID = "12345678-9abc-4def-8123-456789abcdef"
TREE = "/kiln/store/t-system"
GRUB = "/kiln/store/g-grub"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    item = tmp_path / "store" / "t-system"
    item.mkdir(parents=True)
    with PackWriter(item / "pack") as pack:
        content = pack.add([b"hello\n"])
    entries = [
        Entry("", "d", 0o755),
        Entry("etc", "d", 0o755),
        Entry("etc/motd", "f", 0o644, size=6, ref=content),
    ]
    (item / "manifest").write_text(mtree.write(entries))
    boot = tmp_path / "store" / "g-grub"
    boot.mkdir()
    (boot / "boot.img").write_bytes(b"\xeb".ljust(510, b"\1") + b"\x55\xaa")
    core = bytearray(5 * 512)
    struct.pack_into("<QHH", core, 0x1F4, 2, 4, 0x820)
    (boot / "core.img").write_bytes(core)
    return tmp_path / "store"


def build(store: Path, name: str = "disk.img", **arguments: Any) -> Build:
    defaults = {"table": "mbr", "size": None, "disk_uuid": UUID, "partitions": [root()]}
    return Build(
        name=name,
        arguments={**defaults, **arguments},
        output=store / name,
        scratch=store,
        store=store,
    )


def root(**options: Any) -> dict[str, Any]:
    return {
        "file_system": "ext4",
        "tree": TREE,
        "size": None,
        "offset": None,
        "alignment": MIB,
        "label": "root",
        "name": "root",
        "uuid": UUID,
        "partition_uuid": UUID,
        "type": None,
        "flags": ["boot"],
        **options,
    }


def test_a_tree_becomes_a_bootable_disk(store: Path) -> None:
    one = build(store, boot={"grub_bios": GRUB})
    image.disk_image(one)
    data = one.output.read_bytes()
    assert data[450] == 0x83
    assert data[446] == 0x80
    assert data[512:1024][0x1F4:0x1FC] == (2).to_bytes(8, "little")
    partition = store / "partition"
    partition.write_bytes(data[MIB:])
    if shutil.which("debugfs"):
        subprocess.run(["e2fsck", "-fn", partition], check=True, capture_output=True)
        shown = subprocess.run(
            ["debugfs", "-R", "cat /etc/motd", partition], check=True, capture_output=True
        )
        assert shown.stdout == b"hello\n"
    again = build(store, "again.img", boot={"grub_bios": GRUB})
    image.disk_image(again)
    assert again.output.read_bytes() == data


def test_a_size_of_the_image_is_filled_by_the_root(store: Path) -> None:
    swap = root(file_system="swap", tree=None, size=2 * MIB, flags=[], label=None)
    plan = image.plan_image(build(store, size=64 * MIB, partitions=[root(), swap]))
    assert plan.size == 64 * MIB
    sector = plan.metadata[0][1]
    first, count = struct.unpack_from("<II", sector, 446 + 8)
    second, swap_count = struct.unpack_from("<II", sector, 462 + 8)
    assert (first, count) == (2048, 61 * 2048)
    assert (second, swap_count) == (62 * 2048, 2 * 2048)
    assert sector[462 + 4] == 0x82


def test_a_root_with_a_size_fills_an_image_that_is_made_larger(store: Path) -> None:
    def partitions(size: int, *others: dict[str, Any]) -> list[tuple[int, int]]:
        fixed = root(size=8 * MIB, fills=True)
        plan = image.plan_image(build(store, size=size, partitions=[fixed, *others]))
        assert plan.size == size
        table = [struct.unpack_from("<II", plan.metadata[0][1], 454 + 16 * n) for n in range(2)]
        return [(start // 2048, count // 2048) for start, count in table]

    def other(**options: Any) -> dict[str, Any]:
        return root(tree=None, size=2 * MIB, label=None, flags=[], **options)

    assert partitions(64 * MIB) == [(1, 63), (0, 0)]
    assert partitions(64 * MIB, other(alignment=4 * MIB)) == [(1, 56), (60, 2)]
    assert partitions(64 * MIB, other(offset=32 * MIB)) == [(1, 31), (32, 2)]
    assert partitions(11 * MIB, other()) == [(1, 8), (9, 2)]
    with pytest.raises(disk.DiskTooSmall, match="1,048,064 too few"):
        partitions(10 * MIB + 512, other())
    with pytest.raises(disk.PartitionsOverlap):
        partitions(64 * MIB, other(offset=8 * MIB))


def test_the_core_goes_to_the_bios_boot_partition_of_a_gpt(store: Path) -> None:
    bios = root(
        file_system="unformatted",
        tree=None,
        size=MIB,
        type=str(image.BIOS_BOOT),
        flags=[],
        partition_uuid="22345678-9abc-4def-8123-456789abcdef",
    )
    plan = image.plan_image(
        build(store, table="gpt", partitions=[bios, root()], boot={"grub_bios": GRUB})
    )
    sector = plan.metadata[0][1]
    (lba,) = struct.unpack_from("<Q", sector, 0x5C)
    assert lba == 2048
    offset, core = plan.metadata[1]
    assert offset == MIB
    assert struct.unpack_from("<Q", core, 0x1F4) == (2049,)


@pytest.mark.parametrize("table", ["mbr", "gpt", "hybrid"])
def test_an_esp_is_read_by_others_where_the_table_says(table: str, store: Path) -> None:
    for tool in ("sfdisk", "sgdisk", "fsck.fat", "mcopy"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    esp = root(file_system="vfat", label="ESP", flags=["esp"], name="EFI System")
    one = build(store, table=table, partitions=[esp, root(offset=8 * MIB)])
    image.disk_image(one)
    if table != "mbr":
        verdict = subprocess.run(["sgdisk", "-v", one.output], capture_output=True, check=True)
        assert b"No problems found" in verdict.stdout
    told = subprocess.run(["sfdisk", "--json", one.output], capture_output=True, check=True)
    found = json.loads(told.stdout)["partitiontable"]["partitions"][0]
    assert found["type"] in ("ef", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B")
    partition = store / "partition"
    start, size = found["start"] * 512, found["size"] * 512
    partition.write_bytes(one.output.read_bytes()[start : start + size])
    subprocess.run(["fsck.fat", "-n", partition], capture_output=True, check=True)
    shown = subprocess.run(
        ["mtype", "-i", f"{one.output}@@{start}", "::/etc/motd"], capture_output=True, check=True
    )
    assert shown.stdout == b"hello\n"


def test_a_hybrid_lists_all_but_the_place_of_grubs_core_in_its_mbr(store: Path) -> None:
    bios = root(file_system="unformatted", tree=None, size=MIB, type=str(image.BIOS_BOOT), flags=[])
    esp = root(file_system="vfat", tree=None, size=MIB, flags=["esp"])
    data = root(flags=[], mbr_type=0)
    partitions = [bios, esp, root(), data]
    plan = image.plan_image(
        build(store, table="hybrid", partitions=partitions, boot={"grub_bios": GRUB})
    )
    sector = plan.metadata[0][1]
    assert struct.unpack_from("<Q", sector, 0x5C) == (2048,)
    assert [sector[0x1BE + 16 * n + 4] for n in range(4)] == [0xEE, 0xEF, 0x83, 0]
    assert [sector[0x1BE + 16 * n] for n in range(4)] == [0, 0, 0x80, 0]


def test_too_little_room_for_grub_is_an_error_of_the_partition(store: Path) -> None:
    parts = [root(offset=MIB), root(offset=2048)]
    with pytest.raises(disk.PartitionsOverlap):
        image.plan_image(build(store, partitions=parts, boot={"grub_bios": GRUB}))
    with pytest.raises(grub.NoRoom) as mbr:
        image.plan_image(build(store, partitions=parts[1:], boot={"grub_bios": GRUB}))
    assert (mbr.value.part, mbr.value.field) == (1, "offset")
    gap = root(file_system="unformatted", tree=None, size=512, type=str(image.BIOS_BOOT), flags=[])
    with pytest.raises(grub.NoRoom) as gpt:
        image.plan_image(
            build(store, table="gpt", partitions=[root(), gap], boot={"grub_bios": GRUB})
        )
    assert (gpt.value.part, gpt.value.field) == (2, "size")


def fill(store: Path) -> None:
    """A tree of 9 MiB."""
    big = Entry("big", "f", 0o644, size=9 * MIB, ref=Content("pack", 0))
    (store / "t-system" / "manifest").write_text(mtree.write([Entry("", "d", 0o755), big]))


def test_what_is_too_small_is_told_apart(store: Path) -> None:
    fill(store)
    with pytest.raises(TreeDoesNotFit) as root_size:
        image.plan_image(build(store, partitions=[root(size=MIB)]))
    assert (root_size.value.part, root_size.value.field) == (1, "size")
    with pytest.raises(disk.DiskTooSmall) as disk_size:
        image.plan_image(build(store, size=3 * MIB))
    assert (disk_size.value.part, disk_size.value.field) == (0, "size")
    assert "/big" in (disk_size.value.hint or "")
    enough = disk_size.value.needed
    assert image.plan_image(build(store, size=enough)).size == enough
    with pytest.raises(disk.DiskTooSmall):
        image.plan_image(build(store, size=enough - 512))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"table": "apm"}, image.BadImage),
        ({"partitions": [root(flags=["no-auto"])]}, image.BadImage),
        ({"partitions": [root(file_system="zfs")]}, UnknownFileSystem),
        ({"partitions": [root(options={"colour": 1})]}, BadOption),
        ({"partitions": [root(uuid="x")]}, BadOption),
        ({"partitions": [root(label="seventeen letters")]}, BadOption),
        ({"partitions": [root(size=MIB)]}, TreeDoesNotFit),
        ({"size": MIB}, disk.DiskTooSmall),
        ({"table": "gpt", "boot": {"grub_bios": GRUB}}, disk.BadPartitions),
        ({"boot": {"grub_bios": GRUB}, "partitions": [root(offset=2048)]}, grub.NoRoom),
        ({"partitions": [root(tree=None, content="/kiln/store/no-blob")]}, image.BadImage),
        ({"partitions": [root(tree=None, content=TREE)]}, image.BadImage),
    ],
)
def test_what_cannot_be_made_is_an_error_before_anything_is_written(
    store: Path, arguments: dict[str, Any], error: type[BuilderError]
) -> None:
    one = build(store, **arguments)
    if one.arguments["partitions"][0].get("size") == MIB:
        fill(store)
    with pytest.raises(error):
        image.disk_image(one)
    assert not one.output.exists()
