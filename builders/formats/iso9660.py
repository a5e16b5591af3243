"""The builder "iso9660": an ISO that starts from CD and from USB, on a BIOS and on UEFI.

From a CD, firmware looks into the El Torito catalog. From a USB stick it sees a disk: a BIOS
starts its first sector, UEFI the EFI system partition in its GPT, which is the very file that the
catalog names. Where GRUB's core lies is written by hand into the core and the first sector, as
xorriso does for `--grub2-mbr` and `--grub2-boot-info`.
"""

from __future__ import annotations

import struct
import uuid as uuids
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from builders.bootloaders import esp
from builders.bootloaders.grub import BadBootImage
from builders.disk import MIB, BootCode, PartitionPlan, plan_disk
from builders.errors import BuilderError
from builders.filesystems import iso_digests, vfat
from builders.filesystems.iso9660 import ElTorito, Laid, lay_out
from builders.filesystems.iso_checksums import SECTOR
from builders.merge import merge
from builders.mtree import read_item
from builders.plan import Plan, join, uncollected
from builders.registry import Build, builder
from builders.sinks import raw
from builders.tree import Content, Entry, content_reader

_BIOS_IMAGE = "boot/grub/eltorito.img"
_EFI_IMAGE = "boot/grub/efi.img"
_CATALOG = "boot/grub/boot.cat"
_ESP = uuids.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
_FLOPPY = 1_474_560  # the least size of the EFI system partition: what old firmware expects
_PVD = 16  # the sector of the primary volume descriptor
_CORE_IN_HYBRID = 0x1B0  # in boot_hybrid.img: u64, the sector (of 512 bytes) of the core
_CORE = 2048  # in eltorito.img: behind cdboot.img
_BLOCKS = _CORE + 0x1F4  # in eltorito.img: u64, the sector of the rest of the core
_TABLE = slice(8, 64)  # of the boot information, in eltorito.img


class BadIso(BuilderError):
    """The arguments do not describe an ISO."""


@builder("iso9660")
@uncollected()
def iso9660(build: Build) -> None:
    """Write an ISO to the output, a file. Arguments:

    label      the volume's name, at most 32 characters of ASCII
    disk_uuid  the disk's UUID, as seen when the ISO is on a stick; the partition's follows from it
    tree       store path of an item with a manifest, what the ISO holds; null: nothing
    files      list of more files (optional)
        path     relative; directories are made
        text     the content, or
        source   the store path of a file, or the path of a file in an item with a tree or with
                 loose files: "/kiln/store/…-root/boot/vmlinuz-6.1.0"
    bios       store path of what "grub-iso" made; null: not for a BIOS
    esp        store path of an item with the tree of an EFI system partition ("grub-efi",
               "systemd-boot", "shim" ...), which the ISO shows, too; null: not for UEFI
    epoch      seconds: the date of the volume (optional)

    Raise BadIso, and what lay_out, merge, esp.find and vfat raise.
    """
    raw.write(plan_iso(build), build.output, build.real, build.progress)


def plan_iso(build: Build) -> Plan:
    """The plan that `iso9660` writes, for which everything on it is read once, to sum it."""
    laid, plan = _lay_out(build)
    assert laid.checksums is not None
    iso_digests.fill(plan, laid.checksums, build.real)
    return plan


def _lay_out(build: Build) -> tuple[Laid, Plan]:
    """The ISO, and what it is as a disk: without checksums yet."""
    arguments = build.arguments
    now = build.epoch * 1_000_000_000
    added = _files(build, arguments.get("files") or (), now)
    for path, content in (
        (_BIOS_IMAGE, _bios_image(build)),
        (_EFI_IMAGE, _efi_image(build)),
    ):
        if content is not None:
            added.append(Entry(path, "f", 0o644, mtime=now, size=len(content), ref=content))
    trees: list[Sequence[Entry]] = [[Entry("", "d", 0o755, mtime=now)]]
    if arguments.get("tree"):
        trees.append(read_item(build.real(arguments["tree"]), arguments["tree"]))
    if arguments.get("esp"):
        # a loader that was started from a CD sees the ISO's files, not those of the EFI image
        trees.append(read_item(build.real(arguments["esp"]), arguments["esp"]))
    tree = merge(*trees, added, time=now)
    present = {entry.path for entry in added}
    boot = ElTorito(
        bios=_BIOS_IMAGE if _BIOS_IMAGE in present else None,
        efi=_EFI_IMAGE if _EFI_IMAGE in present else None,
        catalog=_CATALOG,
    )
    bootable = boot.bios is not None or boot.efi is not None
    epoch = arguments.get("epoch") or build.epoch
    label = arguments["label"]
    laid = lay_out(tree, label, epoch, boot if bootable else None, checksums=True)
    if not bootable:
        return laid, laid.plan
    uuid = uuids.UUID(arguments["disk_uuid"])
    hybrid = None
    if boot.bios is not None:
        _install_core(laid, boot.bios)
        hybrid = build.real(f"{arguments['bios']}/boot_hybrid.img").read_bytes()
    sizes = {entry.path: entry.size for entry in added}
    return laid, as_disk(laid, boot, sizes, uuid, hybrid)


def _files(build: Build, declared: Sequence[Mapping[str, Any]], now: int) -> list[Entry]:
    entries: dict[str, Entry] = {}
    for file in declared:
        path = str(file.get("path") or "")
        if path in entries or any(name in ("", ".", "..") for name in path.split("/")):
            raise BadIso(f"{path!r} is twice in the ISO, or is no relative path of a file")
        ref: Content | bytes | None
        if "text" in file:
            ref = file["text"].encode()
            size = len(ref)
        else:
            found = esp.find(build, file["source"])
            size = found.size
            ref = found.ref if isinstance(found.ref, (Content, bytes)) else None
        entries[path] = Entry(path, "f", 0o644, mtime=now, size=size, ref=ref if size else None)
    return list(entries.values())


def _bios_image(build: Build) -> bytes | None:
    if not build.arguments.get("bios"):
        return None
    image = build.real(f"{build.arguments['bios']}/eltorito.img").read_bytes()
    if len(image) < _BLOCKS + 12:
        raise BadBootImage("eltorito.img is not made by grub-mkimage -O i386-pc-eltorito")
    return image


def _efi_image(build: Build) -> bytes | None:
    """The EFI system partition as a FAT file system, in memory: it holds a boot loader only."""
    item = build.arguments.get("esp")
    if not item:
        return None
    read = content_reader(build.real)
    tree = [
        entry._replace(ref=read(entry)) if entry.kind == "f" and entry.size else entry
        for entry in read_item(build.real(item), item)
    ]
    uuid = uuids.uuid5(uuids.UUID(build.arguments["disk_uuid"]), "esp file system")
    plan = vfat.make("vfat", tree, {"uuid": uuid, "label": "ESP", "free": 64 << 10})
    if plan.size < _FLOPPY:
        plan = vfat.make("vfat", tree, {"uuid": uuid, "label": "ESP", "size": _FLOPPY})
    image = bytearray(plan.size)
    for offset, data in plan.metadata:
        image[offset : offset + len(data)] = data
    return bytes(image)


def _install_core(laid: Laid, path: str) -> None:
    """Write into GRUB's core where it lies: the boot information table, and its own list."""
    place = laid.offsets[path]
    metadata = laid.plan.metadata
    number = next(n for n, (offset, _) in enumerate(metadata) if offset == place)
    metadata[number] = (place, installed(metadata[number][1], place))


def installed(image: bytes, place: int) -> bytes:
    """`image`, an eltorito.img, for the byte offset `place` on the ISO."""
    patched = bytearray(image)
    struct.pack_into("<Q", patched, _BLOCKS, (place + _CORE) // 512 + 1)
    whole = bytes(patched[_TABLE.stop :]) + bytes(-len(patched) % 4)
    checksum = sum(word for (word,) in struct.iter_unpack("<I", whole)) & 0xFFFFFFFF
    table = struct.pack("<IIII40x", _PVD, place // SECTOR, len(image), checksum)
    patched[_TABLE] = table
    return bytes(patched)


def as_disk(
    laid: Laid,
    boot: ElTorito,
    sizes: Mapping[str, int],
    uuid: uuids.UUID,
    hybrid: bytes | None,
) -> Plan:
    """The ISO with a GPT whose partition is the EFI image, and a first sector that BIOSes start.

    hybrid  boot_hybrid.img; None: no code in the first sector
    """
    code = bytearray(hybrid or b"")
    if boot.bios is not None and code:
        first = (laid.offsets[boot.bios] + _CORE) // 512
        struct.pack_into("<Q", code, _CORE_IN_HYBRID, first)
    partitions = []
    if boot.efi is not None:
        partitions.append(
            PartitionPlan(
                plan=Plan(sizes[boot.efi]),  # its bytes are the ISO's
                type=_ESP,
                uuid=uuids.uuid5(uuid, "esp"),
                name="EFI",
                offset=laid.offsets[boot.efi],
            )
        )
    end = laid.plan.size
    size = -(-(end + 33 * 512) // MIB) * MIB
    table = plan_disk("gpt", partitions, uuid, size=size, boot=BootCode(bytes(code)))
    plan = join(size, [(0, laid.plan), (0, table)])
    plan.metadata.sort(key=itemgetter(0))
    return plan
