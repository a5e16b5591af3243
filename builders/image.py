"""The builder "disk-image": trees in file systems on a disk, written in one pass to the output."""

from __future__ import annotations

import math
import uuid as uuids
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from builders import filesystems
from builders.disk import (
    SECTOR,
    BadPartitions,
    BootCode,
    DiskTooSmall,
    PartitionPlan,
    PartitionsOverlap,
    Table,
    place,
    plan_disk,
    tail,
)
from builders.errors import BuilderError
from builders.filesystems.hierarchy import TreeDoesNotFit
from builders.filesystems.workroom import Workroom
from builders.mtree import read_item
from builders.plan import Plan, Segment, uncollected
from builders.registry import Build, builder
from builders.sinks import output
from builders.tree import Entry

BIOS_BOOT = uuids.UUID("21686148-6449-6e6f-744e-656564454649")
"""The GPT type of the partition that holds GRUB's core."""

_LINUX = uuids.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
_SWAP = uuids.UUID("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f")
_BASIC = uuids.UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
_ESP = uuids.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")

# What a partition is taken for by what it holds: in an MBR, in a GPT.
_TYPES: Mapping[str, tuple[int, uuids.UUID]] = {
    "swap": (0x82, _SWAP),
    "vfat": (0x0C, _BASIC),
    "fat12": (0x01, _BASIC),
    "fat16": (0x0E, _BASIC),
    "fat32": (0x0C, _BASIC),
}
_OTHERS = (0x83, _LINUX)
_ESP_TYPES = (0xEF, _ESP)

# The attribute bits of a GPT (UEFI specification 5.3.3; Discoverable Partitions Specification).
_ATTRIBUTES = {"boot": 1 << 2, "esp": 0, "read-only": 1 << 60, "no-auto": 1 << 63, "grow": 1 << 59}
_MBR_FLAGS = ("boot", "esp", "grow")  # the last one is nothing that is stored
_FAR_END = 1 << 63


class BadImage(BuilderError):
    """The arguments do not describe a disk image."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition as the derivation's arguments have it; see `disk_image`."""

    number: int
    file_system: str
    tree: str | None
    content: str | None
    size: int | None
    fills: bool
    offset: int | None
    alignment: int
    name: str
    partition_uuid: uuids.UUID | None
    type: int | uuids.UUID
    mbr_type: int | None
    flags: tuple[str, ...]
    options: Mapping[str, Any]


@builder("disk-image")
@uncollected()
def disk_image(build: Build) -> None:
    """Write the disk to the output, a file. Arguments:

    format      one of sinks.output.FORMATS: "raw" (sparse, the default), "qcow2", "vmdk", "vhd",
                "vhdx"
    compression "gzip", "zstd" or "xz" (the whole file); of a qcow2 "zstd" or "zlib" are its
                clusters', of a VMDK "zlib" its grains'; null: none, of a VMDK "zlib"
    level       the compression's own scale; null: what is worth its time
    table       "mbr", "gpt", or "hybrid": a GPT, and an MBR that has up to three of the partitions
    size        bytes of the whole; null: what is needed. With a size, the partition that `fills`,
                else the one that is booted, else the last one, of those without a size of their
                own, takes what is left, up to the next one with an offset
    disk_uuid   the disk's UUID; its first four bytes are the signature of an MBR
    partitions  list of
        file_system     a name in builders.filesystems.FILE_SYSTEMS
        tree            store path of an item with a manifest; null: no files
        content         store path of a file that an "unformatted" partition holds (optional)
        size            bytes; null: what the tree needs and some more
        fills           whether it takes what is left of the image, and `size` is the least
                        (optional)
        offset          bytes; null: behind the partition before
        alignment       bytes
        label, uuid     the file system's
        options         more options of the file system (optional)
        mkfs            words of a mkfs program's command line (builders.filesystems.mkfs; optional)
        name            in a GPT
        partition_uuid  in a GPT
        type            number (MBR) or UUID (GPT); null: what the file system is known by
        mbr_type        number: its type in the MBR of a hybrid. Null or left out: all partitions
                        but that of GRUB's core are in it, with the type their content is known by;
                        0: this one is not
        flags           of "boot", "esp", "read-only", "no-auto", "grow"
    boot        grub_bios: store path of a directory with boot.img and core.img; null: no boot code
    """
    arguments = build.arguments
    image_format = arguments.get("format") or "raw"
    compression = arguments.get("compression")
    output.check(image_format, compression, arguments.get("level"))
    output.write(
        plan_image(build),
        build.output,
        build.real,
        build.progress,
        image_format=image_format,
        compression=compression,
        level=arguments.get("level"),
        uuid=uuids.UUID(arguments["disk_uuid"]),
    )


def plan_image(build: Build) -> Plan:
    """The plan that `disk_image` writes. Raises BadImage and the errors of what it is made of."""
    arguments = build.arguments
    table = arguments["table"]
    if table not in ("mbr", "gpt", "hybrid"):
        raise BadImage(
            f"partition tables of the type {table} cannot be written", hint="mbr, gpt or hybrid"
        )
    partitions = [
        _partition(number, table, each) for number, each in enumerate(arguments["partitions"], 1)
    ]
    try:
        return _plan(build, table, partitions)
    except PartitionsOverlap as error:
        error.part = error.number
        raise
    except DiskTooSmall as error:
        error.part = 0
        raise


def _plan(build: Build, table: Table, partitions: Sequence[Partition]) -> Plan:
    arguments = build.arguments
    plans = _plan_partitions(build, table, partitions, arguments.get("size"))
    sizes = [
        (plan.size, each.offset, each.alignment)
        for plan, each in zip(plans, partitions, strict=True)
    ]
    starts, _ = place(table, sizes)
    boot = None
    directory = (arguments.get("boot") or {}).get("grub_bios")
    if directory:
        boot = _install_grub(build, directory, table, partitions, plans, starts)
    placed = [
        PartitionPlan(
            plan=plan,
            type=each.type,
            uuid=each.partition_uuid,
            name=each.name,
            offset=start,
            active="boot" in each.flags,
            mbr_type=each.mbr_type,
            attributes=sum(_ATTRIBUTES[flag] for flag in each.flags),
        )
        for plan, each, start in zip(plans, partitions, starts, strict=True)
    ]
    uuid = uuids.UUID(arguments["disk_uuid"])
    return plan_disk(table, placed, uuid, size=arguments.get("size"), boot=boot)


def _partition(number: int, table: str, declared: Mapping[str, Any]) -> Partition:
    flags = tuple(declared.get("flags") or ())
    for flag in flags:
        if flag not in _ATTRIBUTES or (table == "mbr" and flag not in _MBR_FLAGS):
            raise BadImage(
                f"partition {number} has the flag {flag}, which the table {table} cannot store",
                hint="leave the flag out, or use a GPT",
            )
    file_system = declared["file_system"]
    kind = declared.get("type")
    known = _ESP_TYPES if "esp" in flags else _TYPES.get(file_system, _OTHERS)
    if kind is None:
        kind = known[0] if table == "mbr" else known[1]
    elif isinstance(kind, str):
        kind = uuids.UUID(kind)
    mbr_type = declared.get("mbr_type")
    if mbr_type is None and table == "hybrid" and kind != BIOS_BOOT:
        mbr_type = known[0]
    options = dict(declared.get("options") or {})
    if declared.get("mkfs"):
        from builders.filesystems import mkfs

        named = mkfs.options(file_system, declared["mkfs"])
        if "subvolumes" in named:
            named["subvolumes"] = [*options.get("subvolumes", ()), *named["subvolumes"]]
        options |= named
    for option in ("label", "uuid"):
        if declared.get(option) is not None:
            options[option] = declared[option]
    if file_system == "unformatted":
        options = {}
    own_uuid = declared.get("partition_uuid")
    return Partition(
        number,
        file_system,
        declared.get("tree"),
        declared.get("content"),
        declared.get("size"),
        bool(declared.get("fills")),
        declared.get("offset"),
        declared.get("alignment") or 1 << 20,
        declared.get("name") or "",
        uuids.UUID(own_uuid) if own_uuid else None,
        kind,
        mbr_type or None,
        flags,
        options,
    )


def _plan_partitions(
    build: Build, table: Table, partitions: Sequence[Partition], size: int | None
) -> list[Plan]:
    """Plan what is in the partitions; one of them may take what the others leave of `size`."""
    filler = _filler(partitions) if size is not None else None
    plans: dict[int, Plan] = {}
    for each in partitions:
        if each is not filler:
            plans[each.number] = _plan_partition(build, each, each.size)
    if filler is not None and size is not None:
        plans[filler.number] = _plan_filler(build, table, partitions, filler, plans, size)
    return [plans[each.number] for each in partitions]


def _filler(partitions: Sequence[Partition]) -> Partition | None:
    unsized = [each for each in partitions if each.size is None]
    booted = [each for each in unsized if "boot" in each.flags]
    candidates = [each for each in partitions if each.fills] or booted or unsized
    return candidates[-1] if candidates else None


def _plan_filler(
    build: Build,
    table: Table,
    partitions: Sequence[Partition],
    filler: Partition,
    plans: Mapping[int, Plan],
    size: int,
) -> Plan:
    """Plan the partition `filler` for what the others' `plans` leave of `size`. Raises
    DiskTooSmall.
    """
    whole = room = size - tail(table)
    before: list[tuple[int, int | None, int]] = []
    step = filler.alignment
    for each in partitions:
        if each.number > filler.number:
            if each.offset is not None:
                room = min(room, each.offset)
                break
            step = math.lcm(step, each.alignment)  # so all behind it move by as much as it grows
        length = 0 if each is filler else plans[each.number].size
        before.append((length, each.offset, each.alignment))
    _, end = place(table, before)
    left = (room - end) // step * step
    least = filler.size or 0
    biggest = ""
    if left > 0 and left >= least:
        try:
            return _plan_partition(build, filler, left)
        except TreeDoesNotFit as error:  # what is too small is the disk
            least, biggest = error.needed, error.biggest
    if room < whole:  # the one with an offset is in its way, however large the disk is
        return _plan_partition(build, filler, filler.size)
    lacking = -(-max(least, 1) // step) * step - (room - end)
    raise DiskTooSmall(size + lacking, size, biggest)


def _plan_partition(build: Build, partition: Partition, size: int | None) -> Plan:
    try:
        if partition.content is not None:
            return _blob(build, partition.content, size)
        tree = [Entry("", "d", 0o755, mtime=build.epoch * 1_000_000_000)]
        if partition.tree is not None:
            tree = read_item(build.real(partition.tree), partition.tree)
        options = {**partition.options, "size": size}
        room = Workroom(build.real, build.scratch / f"made-{partition.number}", build.progress)
        return filesystems.plan(partition.file_system, tree, options, room)
    except BuilderError as error:
        error.message = f"partition {partition.number}: {error.message}"
        error.args = (error.message,)
        error.part = partition.number
        raise


def _blob(build: Build, content: str, size: int | None) -> Plan:
    """The bytes of the file `content` as a partition of whole sectors."""
    file = build.real(content)
    if not file.is_file():
        what = "is a directory" if file.is_dir() else "does not exist"
        raise BadImage(f"what should be its content {what}: {content}", hint="name a file")
    length = file.stat().st_size
    room = -(-length // SECTOR) * SECTOR if size is None else size
    if length > room:
        raise BadImage(
            f"its content has {length:,} bytes, it has {room:,}: {length - room:,} too few",
            hint="give it a bigger size, or none",
        )
    return Plan(room, [], [Segment(0, content, 0, length)])


def _install_grub(
    build: Build,
    directory: str,
    table: Table,
    partitions: Sequence[Partition],
    plans: list[Plan],
    starts: Sequence[int],
) -> BootCode:
    """GRUB's code for a BIOS: its core in the gap of an MBR disk, else in a BIOS boot partition."""
    from builders.bootloaders import grub

    boot = build.real(f"{directory}/boot.img").read_bytes()
    core = build.real(f"{directory}/core.img").read_bytes()
    if table == "mbr":
        first = min(starts, default=_FAR_END)
        try:
            return BootCode(*grub.boot_code(boot, core, lba=1, sectors=first // SECTOR - 1))
        except grub.NoRoom as error:
            error.part, error.field = partitions[starts.index(first)].number, "offset"
            raise
    for number, each in enumerate(partitions):
        if each.type == BIOS_BOOT:
            lba, sectors = starts[number] // SECTOR, plans[number].size // SECTOR
            try:
                sector, placed = grub.boot_code(boot, core, lba=lba, sectors=sectors)
            except grub.NoRoom as error:
                error.part, error.field = each.number, "size"
                raise
            plans[number] = Plan(plans[number].size, [(0, placed)])
            return BootCode(sector)
    raise BadPartitions(
        "GRUB for a BIOS needs a place for its core in a GPT",
        hint=f"declare an unformatted partition of 1 MiB with the type {BIOS_BOOT}",
    )
