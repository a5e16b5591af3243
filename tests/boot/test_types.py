"""Image types boot to a login, with every boot loader.

test_loaders and test_live_iso have the other ways of booting the same disks and ISOs.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

import pytest

from builders.vm import Bus, Disk, Machine, NoFirmware, find_firmware
from tests.boot.harness import booted
from tests.conftest import ROOT, RunKiln

pytestmark = [
    pytest.mark.boot,
    pytest.mark.archive,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="QEMU is missing"),
]

EXAMPLE = ROOT / "examples/bare-bones.scm"
Firmware = Literal["bios", "uefi"]


def boots(image: Path, firmware: Firmware, bus: Bus = "virtio", form: str = "raw") -> None:
    """To a login; the user logs in, no unit has failed, the machine is put out."""
    if firmware == "uefi":
        try:
            find_firmware()
        except NoFirmware as error:
            pytest.skip(error.message)
    disk = Disk(image, snapshot=True, bus=bus, format=form)
    with booted(Machine(disks=(disk,), firmware=firmware), patience=240) as console:
        console.log_in("alice", "kiln")
        efi = console.command("test -d /sys/firmware/efi && echo yes || echo no")
        assert efi == {"bios": "no", "uefi": "yes"}[firmware]
        assert console.command("hostname") == "komputilo"
        console.command("systemctl is-system-running --wait; true", patience=240)
        assert console.command("systemctl --failed --no-legend --plain") == ""
        console.command("echo kiln | sudo -S -p '' -v")
        console.power_off("sudo -n poweroff")


@pytest.mark.parametrize(
    ("kind", "firmware", "bus", "form"),
    [
        ("efi-raw", "uefi", "virtio", "raw"),
        ("mbr-hybrid-raw", "bios", "virtio", "raw"),
        ("qcow2", "bios", "virtio", "qcow2"),
        ("iso9660", "bios", "cdrom", "raw"),
    ],
)
def test_the_type_boots(
    run_kiln: RunKiln, kind: str, firmware: Firmware, bus: Bus, form: str
) -> None:
    boots(run_kiln("image", "-t", kind, EXAMPLE).result, firmware, bus, form)


@pytest.mark.parametrize("loader", ["systemd-boot-bootloader", "unified-kernel-bootloader"])
def test_the_loader_boots(run_kiln: RunKiln, tmp_path: Path, loader: str) -> None:
    text = (
        EXAMPLE.read_text()
        .replace("(use-modules (gnu))", MODULES)
        .replace("grub-bootloader", loader)
    )
    file = tmp_path / "os.scm"
    file.write_text(text)
    boots(run_kiln("image", "-t", "efi-raw", file).result, "uefi")


MODULES = "(use-modules (gnu) (gnu bootloader systemd-boot))"


def test_what_is_written_to_a_volatile_root_is_gone(run_kiln: RunKiln) -> None:
    image = run_kiln("image", "--volatile", EXAMPLE).result
    with booted(Machine(disks=(Disk(image, snapshot=True),)), patience=240) as console:
        console.log_in("alice", "kiln")
        assert console.command("findmnt -no FSTYPE /") == "overlay"
        assert console.command("systemctl --failed --no-legend --plain") == ""
        console.command("echo kiln | sudo -S -p '' -v")
        console.power_off("sudo -n poweroff")
