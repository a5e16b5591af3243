"""QEMU's command lines, and when KVM is trusted."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from builders import vm
from builders.vm import Disk, Firmware, Machine, command_line

INTEL = "processor\t: 0\nflags\t\t: fpu vme vmx sse\n"
NESTED = "processor\t: 0\nflags\t\t: fpu vme sse vmxish\n"
IMAGE = Path("/images/a,b.img")


def pairs(command: list[str], option: str) -> list[str]:
    return [value for key, value in itertools.pairwise(command) if key == option]


def test_a_machine_without_anything_is_headless_with_a_serial_line() -> None:
    command = command_line(Machine(), kvm=False)
    assert command[0] == "qemu-system-x86_64"
    assert pairs(command, "-serial") == ["stdio"]
    assert pairs(command, "-display") == ["none"]
    assert pairs(command, "-accel") == ["tcg,thread=multi"]
    assert pairs(command, "-m") == ["1024"]
    assert "-kernel" not in command
    assert "-no-reboot" not in command


def test_with_a_monitor_the_guest_gets_the_interrupt_key() -> None:
    assert pairs(command_line(Machine(monitor=True), kvm=False), "-serial") == ["mon:stdio"]


def test_kvm_takes_the_processor_of_the_host() -> None:
    command = command_line(Machine(processors=4), kvm=True)
    assert pairs(command, "-accel") == ["kvm"]
    assert pairs(command, "-cpu") == ["host"]
    assert pairs(command, "-smp") == ["4"]


def test_a_disk_is_a_drive_and_a_device_and_boots_in_order() -> None:
    disks = (Disk(IMAGE, snapshot=True), Disk(Path("x:1.qcow2"), "qcow2", "nvme", read_only=True))
    command = command_line(Machine(disks=disks), kvm=False)
    assert pairs(command, "-drive") == [
        "if=none,format=raw,id=disk0,snapshot=on,file=/images/a,,b.img",
        "if=none,format=qcow2,id=disk1,readonly=on,file=./x:1.qcow2",
    ]
    devices = pairs(command, "-device")
    assert "virtio-blk-pci,drive=disk0,bootindex=1" in devices
    assert "nvme,serial=kiln1,drive=disk1,bootindex=2" in devices


def test_uefi_has_its_code_read_only_and_its_variables_not() -> None:
    firmware = Firmware(Path("code.fd"), Path("vars.fd"))
    command = command_line(Machine(firmware="uefi"), kvm=False, firmware=firmware)
    assert pairs(command, "-machine") == ["q35"]
    assert pairs(command, "-drive") == [
        "if=pflash,format=raw,unit=0,readonly=on,file=code.fd",
        "if=pflash,format=raw,unit=1,file=vars.fd",
    ]


def test_a_kernel_is_started_with_its_arguments() -> None:
    machine = Machine(
        kernel=Path("vmlinuz"), initrd=Path("initrd"), kernel_arguments=("ro", "console=ttyS0")
    )
    command = command_line(machine, kvm=False)
    assert pairs(command, "-append") == ["ro console=ttyS0"]
    assert pairs(command, "-initrd") == ["initrd"]


def test_ports_are_forwarded_from_this_host_only() -> None:
    command = command_line(Machine(forwards=((2222, 22),)), kvm=False)
    assert pairs(command, "-netdev") == ["user,id=net0,hostfwd=tcp:127.0.0.1:2222-:22"]
    assert pairs(command_line(Machine(network=False), kvm=False), "-netdev") == []


@pytest.mark.parametrize(
    ("cpuinfo", "paravirtual", "writable", "why"),
    [
        (INTEL, False, True, None),
        (INTEL.replace("vmx", "svm"), False, True, None),
        (INTEL, True, True, "kvm_pvm"),
        (NESTED, False, True, "neither VT-x nor AMD-V"),
        ("", False, True, "neither VT-x nor AMD-V"),
        (INTEL, False, False, "/dev/kvm"),
    ],
)
def test_kvm_is_trusted_with_a_processor_that_helps(
    cpuinfo: str, paravirtual: bool, writable: bool, why: str | None
) -> None:
    told = vm.why_no_kvm(cpuinfo=cpuinfo, paravirtual=paravirtual, writable=writable)
    assert (told is None) if why is None else (told is not None and why in told)


def test_firmware_is_a_pair_of_files(tmp_path: Path) -> None:
    with pytest.raises(vm.NoFirmware):
        vm.find_firmware([str(tmp_path)])
    (tmp_path / "OVMF_CODE_4M.fd").touch()
    (tmp_path / "OVMF_CODE.fd").touch()
    (tmp_path / "OVMF_VARS.fd").touch()
    found = vm.find_firmware([str(tmp_path / "none"), str(tmp_path)])
    assert found == Firmware(tmp_path / "OVMF_CODE.fd", tmp_path / "OVMF_VARS.fd")


def program(directory: Path, script: str) -> str:
    path = directory / "qemu"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_a_run_gives_the_status_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    firmware = Firmware(tmp_path / "code", tmp_path / "vars")
    firmware.variables.write_bytes(b"template")
    monkeypatch.setattr(vm, "find_firmware", lambda: firmware)
    machine = Machine(program=program(tmp_path, "exit 7"), firmware="uefi", acceleration="tcg")
    with vm.prepared(machine) as command:
        (variables,) = [d for d in pairs(command, "-drive") if "unit=1" in d]
        copy = Path(variables.rpartition("file=")[2])
        assert copy.read_bytes() == b"template"
    assert not copy.exists()
    assert vm.run(machine) == 7


def test_a_missing_qemu_and_a_kvm_that_is_demanded_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(vm.NoQemu, match="qemu-nowhere is not installed"):
        vm.run(Machine(program="qemu-nowhere"))
    monkeypatch.setattr(vm, "host_why_no_kvm", lambda: "it is broken")
    qemu = program(tmp_path, "exit 0")
    with pytest.raises(vm.NoKvm, match="it is broken"):
        vm.run(Machine(program=qemu, acceleration="kvm"))
    with vm.prepared(Machine(program=qemu)) as command:
        assert pairs(command, "-accel") == ["tcg,thread=multi"]


def test_a_cd_is_on_a_bus_that_kernels_for_clouds_know() -> None:
    cd = Disk(Path("a.iso"), bus="cdrom", read_only=True)
    for firmware, device in (("bios", "ide-cd,"), ("uefi", "scsi-cd,")):
        machine = Machine(disks=(cd,), firmware="bios" if firmware == "bios" else "uefi")
        line = command_line(machine, kvm=False)
        assert next(word for word in line if "-cd," in word).startswith(device)
