"""Virtual machines: QEMU's command line for an image, and a run of it.

The accelerator is decided by looking at the host: a KVM that is there but cannot run a stock kernel
(nested guests whose processor has neither VT-x nor AMD-V) makes QEMU stop without ending.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from builders.errors import BuilderError

Bus = Literal["virtio", "scsi", "sata", "ide", "nvme", "usb", "cdrom"]
Acceleration = Literal["auto", "kvm", "tcg"]

_FIRMWARE_DIRECTORIES = ("/usr/share/OVMF", "/usr/share/edk2/x64", "/usr/share/edk2/ovmf")
_FIRMWARE_NAMES = (
    ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
    ("OVMF_CODE.4m.fd", "OVMF_VARS.4m.fd"),
    ("OVMF_CODE.fd", "OVMF_VARS.fd"),
)


class NoQemu(BuilderError):
    """QEMU is not installed."""

    def __init__(self, program: str) -> None:
        super().__init__(f"{program} is not installed", hint="install the package qemu-system-x86")


class NoFirmware(BuilderError):
    """UEFI firmware for virtual machines is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "no UEFI firmware for virtual machines is installed",
            hint="install the package ovmf, or run the image with the BIOS",
        )


class NoKvm(BuilderError):
    """KVM was demanded and does not work here."""

    def __init__(self, why: str) -> None:
        super().__init__(f"KVM cannot be used: {why}", hint="leave the accelerator to Kiln")


class NoPort(BuilderError):
    """A port that is to be forwarded cannot be listened on."""

    def __init__(self, port: int, why: str) -> None:
        super().__init__(f"port {port} cannot be used: {why}", hint="choose another one")


@dataclass(frozen=True, slots=True)
class Disk:
    """An image as a drive. `snapshot`: what is written is forgotten when the machine stops."""

    image: Path
    format: str = "raw"
    bus: Bus = "virtio"
    snapshot: bool = False
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of the PC kind.

    memory          MiB
    kernel, initrd  start this kernel directly, with `kernel_arguments`, in place of a boot loader
    forwards        (host port, guest port) of TCP connections to 127.0.0.1; with none and `network`
                    the guest only connects outwards
    monitor         Ctrl-A stands before commands to QEMU ("x" ends it); Ctrl-C goes to the guest
    display         what -display takes: "none", "gtk", "curses" ...; with "none" there is no VGA
                    and the console is the serial line
    extra           further arguments for QEMU, last
    """

    disks: tuple[Disk, ...] = ()
    memory: int = 1024
    processors: int = 2
    firmware: Literal["bios", "uefi"] = "bios"
    acceleration: Acceleration = "auto"
    kernel: Path | None = None
    initrd: Path | None = None
    kernel_arguments: tuple[str, ...] = ()
    network: bool = True
    forwards: tuple[tuple[int, int], ...] = ()
    monitor: bool = False
    display: str = "none"
    reboots: bool = True
    program: str = "qemu-system-x86_64"
    extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Firmware:
    """UEFI: the code, read-only, and the file of variables, which the machine writes."""

    code: Path
    variables: Path


def command_line(machine: Machine, *, kvm: bool, firmware: Firmware | None = None) -> list[str]:
    """QEMU's arguments, the program first; the serial line is on standard input and output.

    `firmware` is that of a machine with "uefi".
    """
    q35 = machine.firmware == "uefi" or any(disk.bus == "sata" for disk in machine.disks)
    command = [machine.program, "-nodefaults", "-no-user-config"]
    command += ["-machine", "q35" if q35 else "pc"]
    command += ["-accel", "kvm" if kvm else "tcg,thread=multi", "-cpu", "host" if kvm else "qemu64"]
    command += ["-m", str(machine.memory), "-smp", str(machine.processors)]
    if firmware is not None:
        command += ["-drive", _drive("pflash", firmware.code, "unit=0", "readonly=on")]
        command += ["-drive", _drive("pflash", firmware.variables, "unit=1")]
    if machine.display == "none":
        command += ["-display", "none"]
    else:
        command += ["-display", machine.display, "-vga", "std"]
        command += ["-device", "qemu-xhci,id=input", "-device", "usb-tablet,bus=input.0"]
    command += ["-serial", "mon:stdio" if machine.monitor else "stdio", "-monitor", "none"]
    if machine.kernel is not None:
        command += ["-kernel", str(machine.kernel)]
        if machine.initrd is not None:
            command += ["-initrd", str(machine.initrd)]
        command += ["-append", " ".join(machine.kernel_arguments)]
    for number, disk in enumerate(machine.disks):
        command += _disk(number, disk, q35=q35)
    if machine.network:
        forwards = "".join(
            f",hostfwd=tcp:127.0.0.1:{host}-:{guest}" for host, guest in machine.forwards
        )
        command += ["-netdev", f"user,id=net0{forwards}"]
        command += ["-device", "virtio-net-pci,netdev=net0,romfile="]
    command += ["-device", "virtio-rng-pci"]
    if not machine.reboots:
        command.append("-no-reboot")
    return [*command, *machine.extra]


def _drive(interface: str, path: Path, *options: str, format: str = "raw") -> str:
    """The value of -drive. What stands before a colon would be a protocol to QEMU."""
    name = str(path)
    escaped = (f"./{name}" if ":" in name and not path.is_absolute() else name).replace(",", ",,")
    return ",".join([f"if={interface}", f"format={format}", *options, f"file={escaped}"])


_DEVICES: dict[Bus, tuple[str, ...]] = {
    "virtio": ("virtio-blk-pci,{drive}",),
    "scsi": ("virtio-scsi-pci,id=scsi{n}", "scsi-hd,bus=scsi{n}.0,{drive}"),
    "sata": ("ide-hd,bus=ide.{n},{drive}",),
    "ide": ("ide-hd,bus=ide.{n},{drive}",),
    "nvme": ("nvme,serial=kiln{n},{drive}",),
    "usb": ("qemu-xhci,id=usb{n}", "usb-storage,bus=usb{n}.0,{drive}"),
    "cdrom": ("ide-cd,bus=ide.{n},{drive}",),
}
# The buses of a q35 named "ide" are AHCI's, which Debian's kernel for clouds does not know.
_Q35_CDROM = ("virtio-scsi-pci,id=scsi{n}", "scsi-cd,bus=scsi{n}.0,{drive}")


def _disk(number: int, disk: Disk, *, q35: bool) -> list[str]:
    options = [f"id=disk{number}"]
    if disk.snapshot:
        options.append("snapshot=on")
    if disk.read_only or disk.bus == "cdrom":
        options.append("readonly=on")
    drive = f"drive=disk{number},bootindex={number + 1}"  # 0 is that of -kernel
    arguments = ["-drive", _drive("none", disk.image, *options, format=disk.format)]
    for device in _Q35_CDROM if q35 and disk.bus == "cdrom" else _DEVICES[disk.bus]:
        # The controller of a "pc" has two buses, that of a q35 six.
        arguments += ["-device", device.format(n=number if q35 else number % 2, drive=drive)]
    return arguments


def why_no_kvm(*, cpuinfo: str, paravirtual: bool, writable: bool) -> str | None:
    """Why KVM cannot be used, or None.

    cpuinfo      the text of /proc/cpuinfo
    paravirtual  whether the module kvm_pvm is loaded: KVM without a processor's help, under which
                 a stock guest dies
    writable     whether this user may open /dev/kvm
    """
    if not writable:
        return "/dev/kvm cannot be opened"
    if paravirtual:
        return "the host offers kvm_pvm, which does not run stock kernels"
    flags = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
    if flags is None or not {"vmx", "svm"} & set(flags[1].split()):
        return "the processor has neither VT-x nor AMD-V"
    return None


def host_why_no_kvm() -> str | None:
    """`why_no_kvm` of this host."""
    return why_no_kvm(
        cpuinfo=Path("/proc/cpuinfo").read_text(),
        paravirtual=Path("/sys/module/kvm_pvm").exists(),
        writable=os.access("/dev/kvm", os.R_OK | os.W_OK),
    )


def find_firmware(directories: Sequence[str] = _FIRMWARE_DIRECTORIES) -> Firmware:
    """The host's UEFI firmware with the template of its variables. Raise NoFirmware."""
    for directory in map(Path, directories):
        for code, variables in _FIRMWARE_NAMES:
            if (directory / code).is_file() and (directory / variables).is_file():
                return Firmware(directory / code, directory / variables)
    raise NoFirmware


def check(machine: Machine) -> None:
    """Raise NoQemu, NoFirmware, NoKvm or NoPort if the host has not what the machine needs."""
    if shutil.which(machine.program) is None:
        raise NoQemu(machine.program)
    if machine.firmware == "uefi":
        find_firmware()
    if machine.acceleration == "kvm" and (why := host_why_no_kvm()) is not None:
        raise NoKvm(why)
    for port, _guest in machine.forwards:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise NoPort(port, error.strerror or str(error)) from error


@contextmanager
def prepared(machine: Machine) -> Iterator[list[str]]:
    """The command line for this host. What it needs besides the images lives as long as the block.

    Raise what `check` raises.
    """
    check(machine)
    kvm = machine.acceleration != "tcg" and host_why_no_kvm() is None
    machine = replace(machine, program=shutil.which(machine.program) or machine.program)
    if machine.firmware == "bios":
        yield command_line(machine, kvm=kvm)
        return
    template = find_firmware()
    with tempfile.TemporaryDirectory(prefix="kiln-vm-") as directory:
        variables = Path(directory) / "variables.fd"
        shutil.copyfile(template.variables, variables)
        yield command_line(machine, kvm=kvm, firmware=Firmware(template.code, variables))


def run(machine: Machine) -> int:
    """Run the machine with its serial line on this terminal until it stops; QEMU's exit status.

    Its `monitor` is on. Raise what `check` raises.
    """
    with prepared(replace(machine, monitor=True)) as command:
        return subprocess.run(command, check=False).returncode
