"""A live ISO of a small root: starts from USB, by BIOS and UEFI; its root is an overlay.

From CD, the ISOs of the image types do (test_types and the matrix).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from builders import mtree
from builders.bootloaders import grub
from builders.debian.archive import Archive
from builders.debian.deb import unpack_derivation
from builders.debian.native import native_derivation
from builders.debian.resolver import resolve
from builders.debian.sources import host_sources
from builders.derivation import Derivation
from builders.initrd import initrd_derivation
from builders.merge import merge
from builders.realise import realise
from builders.store import Store
from builders.tree import Entry, content_reader
from builders.vm import Disk, Machine
from tests.boot.harness import booted
from tests.conftest import Folders

pytestmark = [
    pytest.mark.boot,
    pytest.mark.archive,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="QEMU is missing"),
]

LABEL = "KILN_LIVE"
INIT = """#!/bin/sh
export PATH=/bin
echo "root is $(grep ' / ' /proc/mounts)"
echo "medium is $(grep medium /proc/mounts)"
echo text >/written && echo "it can be written"
exec sh
"""


@dataclass(frozen=True)
class Live:
    """An ISO, and what it was made of."""

    iso: Path
    squashfs: Path


def add_root(store: Store, folder: Path, busybox: bytes) -> str:
    """An item with the tree of a root of busybox alone."""
    entries = [Entry(name, "d", 0o755) for name in ("bin", "sbin", "dev", "proc", "sys", "run")]
    entries += [
        Entry(f"bin/{name}", "l", 0o777, size=7, ref="busybox")
        for name in ("sh", "grep", "echo", "poweroff")
    ]
    entries += [
        Entry("bin/busybox", "f", 0o755, size=len(busybox), ref=busybox),
        Entry("sbin/init", "f", 0o755, size=len(INIT), ref=INIT.encode()),
    ]
    folder.mkdir()
    tree = merge([Entry("", "d", 0o755)], entries)
    (folder / "manifest").write_text(mtree.write(tree))
    return store.add_path("live-root", folder)


@pytest.fixture(scope="module")
def live(shared_folders: Folders, tmp_path_factory: pytest.TempPathFactory) -> Live:
    index = Archive(host_sources(), shared_folders.base / "cache" / "archive").index()

    def native(*names: str) -> Derivation:
        return native_derivation(resolve(index, names, essential=False), name=names[-1])

    meta = index.best("linux-image-amd64")
    assert meta is not None
    name = next(word for word in meta.depends.split() if word.startswith("linux-image-"))
    packages = [index.best(name.rstrip(",")), index.best("busybox-static")]
    kernel, busybox = (unpack_derivation(one) for one in packages if one is not None)
    initrd = initrd_derivation(kernel, busybox)
    with Store(shared_folders.base / "store") as store:
        realise([kernel, busybox], store)
        read = content_reader(store.real)
        tree = mtree.read_item(store.real(busybox.path), busybox.path)
        program = read(next(entry for entry in tree if entry.path.endswith("bin/busybox")))
        tree = mtree.read_item(store.real(kernel.path), kernel.path)
        vmlinuz = next(entry.path for entry in tree if entry.path.startswith("boot/vmlinuz-"))
        root = add_root(store, tmp_path_factory.mktemp("live") / "root", program)
        derivations = iso_derivations(native, kernel, vmlinuz, initrd, root)
        squashfs, iso = realise(derivations, store)
        return Live(store.real(iso), store.real(squashfs))


def iso_derivations(
    native: object, kernel: Derivation, vmlinuz: str, initrd: Derivation, root: str
) -> tuple[Derivation, Derivation]:
    """The squashfs and the ISO of the root."""
    assert callable(native)
    tools = native("squashfs-tools")
    squashfs = Derivation(
        "root.squashfs",
        "squashfs",
        {"tree": root, "native": tools.path},
        inputs=(tools,),
        sources=(root,),
    )
    volume = grub.FileSystem("label", LABEL)
    bios_native = native("grub-common", "grub-pc-bin")
    bios = Derivation(
        "grub-iso",
        "grub-iso",
        {
            "native": bios_native.path,
            "early": grub.early_cfg(volume, serial=grub.Serial()),
        },
        inputs=(bios_native,),
    )
    efi_native = native("grub-common", "grub-efi-amd64-bin")
    esp = Derivation(
        "grub-efi",
        "grub-efi",
        {"native": efi_native.path, "config": grub.loader_cfg(volume)},
        inputs=(efi_native,),
    )
    arguments = (
        f"root=LABEL={LABEL}",
        "kiln.image=/live/root.squashfs",
        "kiln.volatile=1",
        "console=ttyS0",
        "quiet",
    )
    menu = [grub.LinuxEntry("Live", "/boot/vmlinuz", arguments, "/boot/initrd.img")]
    iso = Derivation(
        "live.iso",
        "iso9660",
        {
            "label": LABEL,
            "disk_uuid": "12345678-9abc-4def-8123-456789abcdef",
            "tree": None,
            "files": [
                {"path": "boot/vmlinuz", "source": f"{kernel.path}/{vmlinuz}"},
                {"path": "boot/initrd.img", "source": initrd.path},
                {"path": "live/root.squashfs", "source": squashfs.path},
                {"path": "boot/grub/grub.cfg", "text": grub.grub_cfg(menu, timeout=0)},
            ],
            "bios": bios.path,
            "esp": esp.path,
        },
        inputs=(kernel, initrd, squashfs, bios, esp),
    )
    return squashfs, iso


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_it_starts_from_usb_by_all_firmware(live: Live, firmware: str) -> None:
    machine = Machine(
        disks=(Disk(live.iso, bus="usb", read_only=True),),
        memory=1024,
        firmware="bios" if firmware == "bios" else "uefi",
        network=False,
    )
    with booted(machine, patience=150) as console:
        console.expect(r"root is overlay / overlay rw")
        console.expect(r"medium is /dev/sda /run/kiln/medium iso9660 ro")
        console.expect("it can be written")
        console.take_prompt()
        console.power_off("poweroff -f")
