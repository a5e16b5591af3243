"""Start a disk image in a virtual machine, its console on this terminal."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kiln.report import UsageError

_FORMATS = {".qcow2": "qcow2", ".vmdk": "vmdk", ".vhd": "vpc", ".vhdx": "vhdx"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument(
        "image", metavar="FILE", help="a disk image, or a declaration to make one of"
    )
    parser.add_argument(
        "--uefi", action="store_true", help="start it by UEFI, not by a BIOS (needs ovmf)"
    )
    parser.add_argument("--graphic", action="store_true", help="open a window for its screen")
    parser.add_argument("-m", "--memory", type=int, default=1024, metavar="MIB", help="memory")
    parser.add_argument("--persist", action="store_true", help="keep what is written to the disk")
    parser.add_argument("--ssh", type=int, metavar="PORT", help="forward PORT to the guest's 22")


def run(arguments: argparse.Namespace) -> int:
    """Run QEMU until the machine is off; a declaration is made an image first."""
    from builders import vm

    image = Path(arguments.image)
    if not image.is_file():
        raise UsageError(f"there is no file {image}")
    if image.suffix == ".scm":
        if arguments.persist:
            raise UsageError(
                "what the store holds cannot be changed",
                hint="make an image of your own: kiln image -o disk.img",
            )
        image = _made(image, arguments.uefi)
    disk = vm.Disk(
        image,
        format=_FORMATS.get(image.suffix, "raw"),
        bus="cdrom" if image.suffix == ".iso" else "virtio",
        snapshot=not arguments.persist,
    )
    machine = vm.Machine(
        disks=(disk,),
        memory=arguments.memory,
        firmware="uefi" if arguments.uefi or _starts_by_uefi_only(image) else "bios",
        forwards=((arguments.ssh, 22),) if arguments.ssh else (),
        display="gtk" if arguments.graphic else "none",
    )
    print("kiln: Ctrl-A x ends the machine; Ctrl-C goes to it", file=sys.stderr)
    return vm.run(machine)


def _made(declaration: Path, uefi: bool) -> Path:
    """The image of a declaration, built if it has changed."""
    from kiln import image

    parser = argparse.ArgumentParser()
    image.configure(parser)
    kind = "efi-raw" if uefi else "mbr-raw"
    (path,) = image.build(parser.parse_args(["-t", kind, str(declaration)]))
    return Path(path)


def _starts_by_uefi_only(image: Path) -> bool:
    """Is this a disk with a GPT and no boot code for a BIOS?"""
    with open(image, "rb") as file:
        sector, header = file.read(440), file.read(80)[72:]
        return not any(sector) and header == b"EFI PART"
