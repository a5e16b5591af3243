"""Images of the types that tests/boot does not log in to: each boots up to its own init.

What starts is firmware, boot loader, kernel, initrd and, once the root is found and switched to,
systemd. A container's root, and a file system without a kernel, start nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from builders.vm import Bus, Disk, Machine
from tests.boot.harness import booted
from tests.matrix.types import Images

pytestmark = [
    pytest.mark.boot,
    pytest.mark.archive,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="QEMU is missing"),
]

SWITCHED = r"Welcome to (\x1b\[[\d;]*m)?Debian"
"""What systemd says when it is the first process of the root. (GRUB welcomes to GRUB, above a menu
that has Debian in it.)"""


def boots(machine: Machine) -> None:
    """Fail unless the machine gets to its own init."""
    with booted(machine, patience=120) as console:
        console.expect(SWITCHED)


@pytest.mark.parametrize(
    ("kind", "form", "bus"),
    [
        ("raw-with-offset", "raw", "virtio"),
        ("uncompressed-qcow2", "qcow2", "virtio"),
        ("vmdk", "vmdk", "virtio"),
        ("vhd", "vpc", "virtio"),
        ("vhdx", "vhdx", "virtio"),
        ("uncompressed-iso9660", "raw", "cdrom"),
    ],
)
def test_a_bios_starts_it(images: Images, kind: str, form: str, bus: Bus) -> None:
    disk = Disk(images.image(kind), format=form, bus=bus, read_only=bus == "cdrom", snapshot=True)
    boots(Machine(disks=(disk,)))


@pytest.mark.parametrize(
    ("kind", "form", "bus"),
    [
        ("mbr-hybrid-raw", "raw", "virtio"),
        ("vhdx", "vhdx", "virtio"),
        ("iso9660", "raw", "cdrom"),
        ("uncompressed-iso9660", "raw", "cdrom"),
    ],
)
def test_uefi_starts_it(images: Images, kind: str, form: str, bus: Bus) -> None:
    image = images.image(kind)
    disk = Disk(image, format=form, bus=bus, read_only=bus == "cdrom", snapshot=True)
    boots(Machine(disks=(disk,), firmware="uefi"))


def test_uefi_starts_a_unified_kernel_that_holds_the_root(images: Images, tmp_path: Path) -> None:
    folder = tmp_path / "esp/EFI/BOOT"
    folder.mkdir(parents=True)
    shutil.copy(images.image("uki"), folder / "BOOTX64.EFI")
    esp = ("-drive", f"if=virtio,format=raw,readonly=on,file=fat:{tmp_path / 'esp'}")
    boots(Machine(firmware="uefi", memory=3072, extra=esp))


def test_a_kernel_unpacks_a_cpio_archive_as_its_root(images: Images, tmp_path: Path) -> None:
    kernel = tmp_path / "vmlinuz"
    kernel.write_bytes(images.source(images.derivation("uki").arguments["linux"]))
    root = images.image("cpio")
    boots(Machine(kernel=kernel, initrd=root, kernel_arguments=("console=ttyS0",), memory=3072))
