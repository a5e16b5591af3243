"""Start an image, or that of a declaration, in a virtual machine, its console on this terminal.

What the machine writes to its disk is forgotten when it stops, unless --persist asks otherwise.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from kiln import options, workspace
from kiln.errors import UsageError

if TYPE_CHECKING:
    from builders.vm import Bus, Disk, Machine

_MAGIC = {b"QFI\xfb": "qcow2", b"KDMV": "vmdk", b"conectix": "vpc", b"vhdxfile": "vhdx"}
_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ": "xz"}
_CD = slice(0x8001, 0x8006)
"""Where ISO 9660 says what it is."""


class Found(NamedTuple):
    """What an image is to a machine: QEMU's name for its format, its drive, what starts it."""

    format: str
    bus: Bus
    firmware: Literal["bios", "uefi"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument(
        "image", metavar="FILE", help="an image, or a declaration (.scm) to make one of"
    )
    parser.add_argument(
        "--uefi", action="store_true", help="start it by UEFI, not by a BIOS (needs ovmf)"
    )
    parser.add_argument("--graphic", action="store_true", help="open a window for its screen")
    parser.add_argument(
        "-m",
        "--memory",
        type=options.positive,
        default=1024,
        metavar="MIB",
        help="memory (default: 1024)",
    )
    parser.add_argument("--persist", action="store_true", help="keep what is written to the disk")
    parser.add_argument(
        "--ssh",
        type=_port,
        metavar="PORT",
        help="forward PORT of this machine to the guest's SSH server",
    )
    options.add_load_path(parser)
    parser.epilog = """examples:
  kiln run os.scm                          builds what is missing, then starts it
  kiln run --ssh 2222 disk.img             and then: ssh -p 2222 USER@localhost
  kiln run --graphic -m 4096 live.iso"""


def _port(text: str) -> int:
    number = options.positive(text)
    if number > 0xFFFF:
        raise argparse.ArgumentTypeError(f"{text} is no port: they end at 65535")
    return number


def run(arguments: argparse.Namespace) -> int:
    """Run QEMU until the machine is off; a declaration is made an image first."""
    from builders import vm

    image = workspace.existing_file(arguments.image)
    if arguments.graphic and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
        raise UsageError("there is no screen here to open a window on", hint="leave --graphic away")
    declaration = image.suffix == ".scm"
    if arguments.persist and (declaration or _in_store(image)):
        raise UsageError(
            "what the store holds cannot be changed",
            hint="make an image of your own: kiln image -o disk.img",
        )
    if declaration:
        vm.check(_machine(arguments, None, "uefi" if arguments.uefi else "bios"))
        image = _made(image, arguments)
    found = recognised(image)
    disk = vm.Disk(image, format=found.format, bus=found.bus, snapshot=not arguments.persist)
    machine = _machine(arguments, disk, "uefi" if arguments.uefi else found.firmware)
    vm.check(machine)
    _greet(arguments)
    return vm.run(machine)


def _machine(
    arguments: argparse.Namespace, disk: Disk | None, firmware: Literal["bios", "uefi"]
) -> Machine:
    from builders.vm import Machine

    return Machine(
        disks=(disk,) if disk is not None else (),
        memory=arguments.memory,
        firmware=firmware,
        forwards=((arguments.ssh, 22),) if arguments.ssh else (),
        display="gtk" if arguments.graphic else "none",
    )


def _greet(arguments: argparse.Namespace) -> None:
    from builders.vm import host_why_no_kvm

    slow = host_why_no_kvm()
    if slow is not None:
        print(f"kiln: the machine will be slow, without KVM: {slow}", file=sys.stderr)
    if arguments.ssh:
        print(f"kiln: to log in: ssh -p {arguments.ssh} USER@localhost", file=sys.stderr)
    print("kiln: Ctrl-A x ends the machine; Ctrl-C goes to it", file=sys.stderr)


def _in_store(image: Path) -> bool:
    from builders.store import default_root

    return image.resolve().is_relative_to(default_root().resolve())


def _made(declaration: Path, arguments: argparse.Namespace) -> Path:
    """The image of a declaration, built if it has changed."""
    from kiln import image

    parser = argparse.ArgumentParser()
    image.configure(parser)
    folders = [f"--load-path={folder}" for folder in arguments.load_path]
    (path,) = image.build(
        parser.parse_args([*folders, str(declaration)]),
        default_type="efi-raw" if arguments.uefi else "mbr-raw",
    )
    return Path(path)


def recognised(image: Path) -> Found:
    """What kind of disk an image is, by its content. Raises UsageError for what is none."""
    with open(image, "rb") as file:
        head = file.read(_CD.stop)
        end = file.seek(0, os.SEEK_END)
        file.seek(max(end - 512, 0))
        tail = file.read()
    for magic, method in _COMPRESSED.items():
        if head.startswith(magic):
            raise UsageError(
                f"{image} is compressed", hint=f"{method} -d < {image} > disk.img unpacks it"
            )
    formats = [name for magic, name in _MAGIC.items() if head.startswith(magic)]
    if formats or tail.startswith(b"conectix"):
        return _virtual(image, formats[0] if formats else "vpc")
    if head[_CD] == b"CD001":
        return Found("raw", "cdrom", "bios")
    if head[510:512] != b"\x55\xaa":
        raise UsageError(
            f"{image} is no disk that a machine can start from",
            hint="kiln image -t mbr-raw, qcow2 or iso9660 makes one; a declaration ends in .scm",
        )
    return Found("raw", "virtio", _firmware(head))


def _virtual(image: Path, format: str) -> Found:
    """A disk in a format of virtual machines; what starts it is seen if Kiln can read it."""
    from builders.errors import BuilderError
    from kiln.inspect_place import disk

    try:
        with disk(image) as source:
            return Found(format, "virtio", _firmware(source.read(0, 1024)))
    except BuilderError:  # a variant that only QEMU knows
        return Found(format, "virtio", "bios")


def _firmware(head: bytes) -> Literal["bios", "uefi"]:
    """UEFI for a GPT without boot code for a BIOS."""
    return "uefi" if not any(head[:440]) and head[512:520] == b"EFI PART" else "bios"
