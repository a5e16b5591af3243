"""Start a disk image in a virtual machine, its console on this terminal."""

from __future__ import annotations

import argparse
from pathlib import Path

from kiln.report import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("image", metavar="IMAGE", help="a disk image that Kiln made")
    parser.add_argument("-m", "--memory", type=int, default=1024, metavar="MIB", help="memory")
    parser.add_argument("--persist", action="store_true", help="keep what is written to the disk")
    parser.add_argument("--ssh", type=int, metavar="PORT", help="forward PORT to the guest's 22")


def run(arguments: argparse.Namespace) -> int:
    """Run QEMU until the machine is off."""
    from builders import vm

    image = Path(arguments.image)
    if not image.is_file():
        raise UsageError(f"there is no image {image}")
    machine = vm.Machine(
        disks=(vm.Disk(image, snapshot=not arguments.persist),),
        memory=arguments.memory,
        forwards=((arguments.ssh, 22),) if arguments.ssh else (),
    )
    return vm.run(machine)
