"""The initial tree in a machine, under Debian's kernels, with a root of busybox alone."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from builders import mtree
from builders.debian.archive import Archive
from builders.debian.deb import unpack_derivation
from builders.debian.sources import host_sources
from builders.initrd import initrd_derivation
from builders.realise import realise
from builders.store import Store
from builders.tree import content_reader
from builders.vm import Bus, Disk, Machine
from tests.boot.harness import booted
from tests.conftest import Folders

pytestmark = [
    pytest.mark.boot,
    pytest.mark.archive,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="QEMU is missing"),
    pytest.mark.skipif(shutil.which("mke2fs") is None, reason="mke2fs is missing"),
]

UUID = "11111111-2222-3333-4444-555555555555"
INIT = """#!/bin/sh
export PATH=/bin
echo "root is $(grep ' / ' /proc/mounts)"
echo text >/written && echo "it can be written"
exec sh
"""


@dataclass(frozen=True)
class Built:
    """A kernel, its initial tree and the program of busybox."""

    kernel: Path
    initrd: Path
    busybox: bytes


def built(package: str, folders: Folders, modules: Sequence[str] = ()) -> Built:
    """Fetch and build for the kernel on which the Debian meta package `package` depends."""
    index = Archive(host_sources(), folders.base / "cache" / "archive").index()
    meta = index.best(package)
    assert meta is not None
    name = next(word for word in meta.depends.split() if word.startswith("linux-image-"))
    packages = [index.best(name.rstrip(",")), index.best("busybox-static")]
    kernel, busybox = (unpack_derivation(one) for one in packages if one is not None)
    initrd = initrd_derivation(kernel, busybox, modules)
    with Store(folders.base / "store") as store:
        realise([kernel, busybox, initrd], store)
        read = content_reader(store.real)
        kernel_tree = mtree.read_item(store.real(kernel.path), kernel.path)
        image = next(entry for entry in kernel_tree if entry.path.startswith("boot/vmlinuz-"))
        vmlinuz = folders.base / image.path.rpartition("/")[2]
        vmlinuz.write_bytes(read(image))
        tree = mtree.read_item(store.real(busybox.path), busybox.path)
        program = next(entry for entry in tree if entry.path.endswith("bin/busybox"))
        return Built(vmlinuz, store.real(initrd.path), read(program))


@pytest.fixture(scope="module")
def cloud(shared_folders: Folders) -> Built:
    shared_folders.base.mkdir(parents=True, exist_ok=True)
    return built("linux-image-cloud-amd64", shared_folders, ["dm_mod"])


@pytest.fixture(scope="module")
def generic(shared_folders: Folders) -> Built:
    shared_folders.base.mkdir(parents=True, exist_ok=True)
    return built("linux-image-amd64", shared_folders)


def machine(
    one: Built, directory: Path, *arguments: str, bus: Bus = "virtio", init: str = INIT
) -> Machine:
    """A machine whose disk is an ext4 file system with busybox and an init."""
    root = directory / "root"
    for name in ("bin", "sbin", "dev", "proc", "sys", "run"):
        (root / name).mkdir(parents=True)
    (root / "bin/busybox").write_bytes(one.busybox)
    for name in ("sh", "grep", "echo", "poweroff", "lsmod"):
        (root / "bin" / name).symlink_to("busybox")
    (root / "sbin/real-init").write_text(init)
    (root / "sbin/init").symlink_to("/sbin/real-init")
    for path in ("bin/busybox", "sbin/real-init"):
        (root / path).chmod(0o755)
    disk = directory / "disk"
    identity = ["-L", "my root", "-U", UUID]
    subprocess.run(["mke2fs", "-q", "-t", "ext4", *identity, "-d", root, disk, "8M"], check=True)
    return Machine(
        disks=(Disk(disk, bus=bus, snapshot=True),),
        memory=512,
        processors=1,
        network=False,
        kernel=one.kernel,
        initrd=one.initrd,
        kernel_arguments=("console=ttyS0", "quiet", *arguments),
    )


def test_the_root_is_found_by_uuid_and_mounted_writable(cloud: Built, tmp_path: Path) -> None:
    with booted(machine(cloud, tmp_path, f"root=UUID={UUID}"), patience=60) as console:
        assert console.expect(r"root is (\S+) / ext4 rw")[1] == "/dev/vda"
        console.expect("it can be written")
        console.take_prompt()
        assert "dm_mod" in console.command("lsmod")
        console.power_off("poweroff -f")


def test_a_volatile_root_found_by_a_label_with_a_blank(cloud: Built, tmp_path: Path) -> None:
    arguments = ('"root=LABEL=my root"', "kiln.volatile=1", "rootfstype=ext4")
    with booted(machine(cloud, tmp_path, *arguments), patience=60) as console:
        console.expect(r"root is overlay / overlay rw")
        console.expect("it can be written")


def test_a_root_that_does_not_appear_is_told_with_what_there_is(
    cloud: Built, tmp_path: Path
) -> None:
    arguments = ("root=LABEL=nowhere", "kiln.rootwait=2")
    with booted(machine(cloud, tmp_path, *arguments), patience=60) as console:
        told = console.expect(r"kiln: no root file system: ([^\r]*)\r")[1]
        assert told == "LABEL=nowhere did not appear within 2 s. There are: vda"
        console.expect("This is a shell")


def test_with_panic_the_machine_starts_again_without_a_root(cloud: Built, tmp_path: Path) -> None:
    arguments = ("root=/dev/vdz", "kiln.rootwait=0", "panic=1")
    with (
        booted(machine(cloud, tmp_path, *arguments), patience=60) as console,
        pytest.raises(AssertionError, match="the kernel panicked"),
    ):
        console.expect("this never comes")
    assert "kiln: no root file system: /dev/vdz did not appear" in console.transcript


def test_a_root_without_init_is_told(cloud: Built, tmp_path: Path) -> None:
    arguments = ("root=/dev/vda", "ro", "init=/sbin/nothing")
    with booted(machine(cloud, tmp_path, *arguments), patience=60) as console:
        console.expect("kiln: the root file system has no /sbin/nothing")


@pytest.mark.parametrize("bus", ["sata", "scsi", "nvme", "usb"])
def test_disks_of_all_kinds_are_found(bus: Bus, generic: Built, tmp_path: Path) -> None:
    one = machine(generic, tmp_path, f"root=UUID={UUID}", bus=bus)
    with booted(replace(one, processors=2), patience=90) as console:
        assert console.expect(r"root is (\S+) / ext4 rw")[1].startswith("/dev/")
