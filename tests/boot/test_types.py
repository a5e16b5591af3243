"""Image types boot to a login, with every boot loader.

test_bare_bones, test_grow, test_loaders and test_live_iso have the other ways of booting the same
disks and ISOs.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

import pytest

from builders.vm import Bus, Disk, Machine
from tests.boot.harness import Console, booted, secure
from tests.conftest import ROOT, RunKiln

pytestmark = [
    pytest.mark.boot,
    pytest.mark.archive,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="QEMU is missing"),
]

EXAMPLE = ROOT / "examples/bare-bones.scm"
Firmware = Literal["bios", "uefi"]


def boots(image: Path, firmware: Firmware, bus: Bus = "virtio", root: str | None = None) -> None:
    """To a login; the user logs in, no unit has failed."""
    disk = Disk(image, snapshot=True, bus=bus)
    with booted(Machine(disks=(disk,), firmware=firmware), patience=240) as console:
        console.log_in("alice", "kiln")
        assert root is None or console.command("findmnt -no FSTYPE /") == root
        is_well(console, firmware)


def is_well(console: Console, firmware: Firmware) -> None:
    """What the user who has logged in sees is right, and no unit has failed."""
    efi = console.command("test -d /sys/firmware/efi && echo yes || echo no")
    assert efi == {"bios": "no", "uefi": "yes"}[firmware]
    assert console.command("hostname") == "komputilo"
    console.command("systemctl is-system-running --wait; true", patience=240)
    assert console.command("systemctl --failed --no-legend --plain") == ""


@pytest.mark.parametrize(
    ("kind", "firmware", "bus"), [("efi-raw", "uefi", "virtio"), ("iso9660", "bios", "cdrom")]
)
def test_the_type_boots(run_kiln: RunKiln, kind: str, firmware: Firmware, bus: Bus) -> None:
    boots(run_kiln("image", "-t", kind, EXAMPLE).result, firmware, bus)


def with_loader(run_kiln: RunKiln, folder: Path, loader: str, image: str = "") -> Path:
    """The example for UEFI with another boot loader, or an `image` of it, called os there."""
    text = (
        EXAMPLE.read_text()
        .replace("(use-modules (gnu))", MODULES)
        .replace("grub-bootloader", loader)
        .replace("(timeout 1)", "")  # a unified kernel has no menu
    )
    if image:
        text = text.replace("(operating-system\n", "(define os (operating-system\n") + ")" + image
    file = folder / "os.scm"
    file.write_text(text)
    kind = () if image else ("-t", "efi-raw")
    return run_kiln("image", *kind, file).result


def test_a_unified_kernel_boots(run_kiln: RunKiln, tmp_path: Path) -> None:
    boots(with_loader(run_kiln, tmp_path, "unified-kernel-bootloader"), "uefi")


def test_systemd_boot_boots_a_volatile_root_of_erofs(run_kiln: RunKiln, tmp_path: Path) -> None:
    image = with_loader(run_kiln, tmp_path, "systemd-boot-bootloader", EROFS)
    boots(image, "uefi", root="overlay")


def test_debians_shim_boots_where_only_what_is_signed_may(
    run_kiln: RunKiln, tmp_path: Path
) -> None:
    image = with_loader(run_kiln, tmp_path, "grub-efi-signed-bootloader")
    machine = Machine(disks=(Disk(image, snapshot=True),))
    with secure(machine, tmp_path, patience=300) as console:
        console.log_in("alice", "kiln")
        assert console.command(f"od -An -tu1 -j4 /sys/firmware/efi/efivars/{SECURE}") == "1"
        is_well(console, "uefi")


SECURE = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
MODULES = "(use-modules (gnu) (gnu image) (gnu system image) (gnu bootloader systemd-boot))"
EROFS = """
(image
  (inherit (image-with-os efi-disk-image os))
  (volatile-root? #t)
  (partitions
    (list esp-partition
          (partition
            (inherit root-partition)
            (file-system "erofs")
            (file-system-options '("-z" "lz4hc"))))))
"""
