"""Ways of booting a small system from our disks that no image type in test_types has."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from builders import mtree
from builders.bootloaders import grub
from builders.bootloaders.grub import FileSystem, LinuxEntry
from builders.debian.archive import Archive
from builders.debian.deb import unpack_derivation
from builders.debian.index import Index
from builders.debian.native import native_derivation
from builders.debian.resolver import resolve
from builders.debian.sources import host_sources
from builders.derivation import Derivation
from builders.image import BIOS_BOOT
from builders.initrd import initrd_derivation
from builders.merge import merge
from builders.realise import realise
from builders.store import Store
from builders.tree import Entry
from builders.vm import Disk, Machine
from tests.boot.harness import booted, secure
from tests.conftest import Folders

pytestmark = [
    pytest.mark.boot,
    pytest.mark.archive,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="QEMU is missing"),
]

MIB = 1 << 20
UUID = "11111111-2222-3333-4444-555555555555"
ARGUMENTS = ("console=ttyS0", f"root=UUID={UUID}", "ro")
INIT = b"""#!/bin/sh
if [ -d /sys/firmware/efi ]; then way=UEFI; else way=BIOS; fi
echo "the root was reached by $way: $(cat /proc/cmdline)"
grep " / " /proc/mounts
poweroff -f
"""


@dataclass(frozen=True)
class Parts:
    """What disks are made of: items of the store, and the kernel's version."""

    store: Path
    index: Index
    kernel: Derivation
    busybox: Derivation
    initrd: Derivation
    root: str
    version: str

    @property
    def linux(self) -> str:
        """The kernel in its item."""
        return f"{self.kernel.path}/boot/vmlinuz-{self.version}"

    def unpacked(self, *names: str) -> list[Derivation]:
        """Packages as items, without what they depend on."""
        packages = [self.index.best(name) for name in names]
        return [unpack_derivation(package) for package in packages if package is not None]

    def native(self, *names: str) -> Derivation:
        """Packages as an item of programs that run."""
        return native_derivation(resolve(self.index, names, essential=False), name="grub-tools")


@pytest.fixture(scope="module")
def parts(shared_folders: Folders, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    index = Archive(host_sources(), shared_folders.base / "cache" / "archive").index()
    meta = index.best("linux-image-cloud-amd64")
    assert meta is not None
    name = next(word for word in meta.depends.split() if word.startswith("linux-image-"))
    found = [index.best(name.rstrip(",")), index.best("busybox-static")]
    kernel, busybox = (unpack_derivation(one) for one in found if one is not None)
    initrd = initrd_derivation(kernel, busybox)
    version = name.rstrip(",").removeprefix("linux-image-")
    folder = tmp_path_factory.mktemp("root")
    with Store(shared_folders.base / "store") as store:
        realise([kernel, busybox, initrd], store)
        tree = root_tree(store, kernel, busybox, initrd, version)
        root = added(store, tree, folder)
        base = shared_folders.base / "store"
        return Parts(base, index, kernel, busybox, initrd, root, version)


def added(store: Store, tree: Sequence[Entry], folder: Path) -> str:
    """The path of an item of the tree."""
    (folder / "manifest").write_text(mtree.write(tree), "ascii")
    return store.add_path("loader-test-root", folder, recursive=True)


def root_tree(
    store: Store,
    kernel: Derivation,
    busybox: Derivation,
    initrd: Derivation,
    version: str,
    boot: str = "/boot",
    arguments: tuple[str, ...] = ARGUMENTS,
) -> list[Entry]:
    """A root with busybox, the kernel, its initrd, a menu of GRUB's and an init.

    GRUB finds the directory /boot at `boot`.
    """
    menu = grub.grub_cfg(
        [LinuxEntry("Kiln", f"{boot}/vmlinuz-{version}", arguments, f"{boot}/initrd.img")],
        timeout=0,
        serial=grub.Serial(),
    )
    files = {
        "boot/initrd.img": store.real(initrd.path).read_bytes(),
        "boot/grub/grub.cfg": menu.encode(),
    }
    entries = [Entry(path, "f", 0o644, size=len(b), ref=b) for path, b in files.items()]
    entries.append(Entry("sbin/init", "f", 0o755, size=len(INIT), ref=INIT))
    entries += [Entry(name, "d", 0o755) for name in ("dev", "proc", "run", "sys", "bin", "sbin")]
    for applet in ("sh", "cat", "dmesg", "grep", "poweroff"):
        entries.append(Entry(f"bin/{applet}", "l", 0o777, size=7, ref="busybox"))
    trees = [mtree.read_item(store.real(item.path), item.path) for item in (kernel, busybox)]
    wanted = ("boot/vmlinuz", "bin/busybox", "usr/bin/busybox")
    taken = [entry for tree in trees for entry in tree if entry.path.startswith(wanted)]
    taken = [entry._replace(path=entry.path.removeprefix("usr/")) for entry in taken]
    return merge([Entry("", "d", 0o755)], entries, taken)


def loader(
    parts: Parts, builder: str, inputs: Sequence[Derivation], **arguments: Any
) -> Derivation:
    """A derivation of a boot loader's files; what it needs is among `inputs`."""
    return Derivation(f"{builder}-test", builder, arguments, tuple(inputs))


def partition(number: int, file_system: str, tree: str | None, **more: Any) -> dict[str, Any]:
    uuid = f"{number}2345678-9abc-4def-8123-456789abcdef"
    return {"file_system": file_system, "tree": tree, "partition_uuid": uuid, "uuid": uuid, **more}


def disk(
    parts: Parts,
    esp: Derivation | None,
    *,
    table: Literal["mbr", "gpt", "hybrid"] = "gpt",
    bios: Derivation | None = None,
    root: Mapping[str, Any] | None = None,
) -> Path:
    """An image with a root, an ESP of `esp`'s tree and boot code of `bios`; either may lack.

    `root`: what its partition has in place of an ext4 with the parts' root.
    """
    declared = []
    if bios is not None and table != "mbr":
        declared.append(
            partition(1, "unformatted", None, size=MIB, type=str(BIOS_BOOT), name="bios")
        )
    if esp is not None:
        declared.append(
            partition(2, "vfat", esp.path, size=40 * MIB, label="ESP", flags=["esp"], name="esp")
        )
    rooted = {"file_system": "ext4", "tree": parts.root, **(root or {})}
    declared.append(partition(3, **rooted, uuid=UUID, flags=["boot"], name="root"))
    arguments: Mapping[str, Any] = {
        "table": table,
        "size": None,
        "disk_uuid": UUID,
        "partitions": declared,
        "boot": {"grub_bios": bios.path if bios else None},
    }
    inputs = tuple(each for each in (esp, bios) if each is not None)
    image = Derivation("disk.img", "disk-image", arguments, inputs, (rooted["tree"],))
    with Store(parts.store) as store:
        (path,) = realise([image], store)
        return store.real(path)


def grub_for_bios(parts: Parts) -> Derivation:
    early = grub.early_cfg(FileSystem("uuid", UUID), serial=grub.Serial())
    return grub.grub_bios_derivation(parts.native("grub-common", "grub-pc-bin"), early=early)


def grub_for_uefi(parts: Parts) -> Derivation:
    native = parts.native("grub-common", "grub-efi-amd64-bin")
    config = grub.loader_cfg(FileSystem("uuid", UUID))
    return loader(parts, "grub-efi", [native], native=native.path, config=config)


def unified(parts: Parts) -> Derivation:
    (package,) = parts.unpacked("systemd-boot-efi")
    return loader(
        parts,
        "uki",
        [package, parts.kernel, parts.initrd],
        packages=[package.path],
        linux=parts.linux,
        initrd=parts.initrd.path,
        arguments=list(ARGUMENTS),
        os_release='ID=kiln\nPRETTY_NAME="Kiln unified"\nVERSION_ID=1\n',
        release=parts.version,
    )


def machine(image: Path, firmware: Literal["bios", "uefi"]) -> Machine:
    return Machine(
        disks=(Disk(image, snapshot=True),), firmware=firmware, network=False, reboots=False
    )


def reaches_the_root(image: Path, firmware: Literal["bios", "uefi"]) -> str:
    """Boot; the kernel's command line."""
    with booted(machine(image, firmware), patience=120) as console:
        found = console.expect(r"the root was reached by (\w+): ([^\r\n]*)\r")
        assert found[1] == firmware.upper()
        console.expect_end()
        return found[2]


@pytest.fixture(scope="module")
def hybrid(parts: Parts) -> Path:
    return disk(parts, grub_for_uefi(parts), bios=grub_for_bios(parts))


def test_a_bios_finds_grub_on_a_gpt(hybrid: Path) -> None:
    assert reaches_the_root(hybrid, "bios").startswith("BOOT_IMAGE=")


def test_uefi_finds_grub_on_an_mbr(parts: Parts) -> None:
    image = disk(parts, grub_for_uefi(parts), table="mbr", bios=grub_for_bios(parts))
    assert reaches_the_root(image, "uefi").startswith("BOOT_IMAGE=")


def test_systemd_boot_starts_its_default_entry(parts: Parts) -> None:
    (package,) = parts.unpacked("systemd-boot-efi")
    entries = [
        {"id": "other", "title": "Other", "linux": parts.linux, "initrd": None, "arguments": []},
        {
            "id": "kiln",
            "title": "Kiln",
            "linux": parts.linux,
            "initrd": parts.initrd.path,
            "arguments": [*ARGUMENTS, "by=systemd-boot", "with a blank=1"],
        },
    ]
    esp = loader(
        parts,
        "systemd-boot",
        [package, parts.kernel, parts.initrd],
        packages=[package.path],
        entries=entries,
        default="kiln",
        timeout=0,
    )
    line = reaches_the_root(disk(parts, esp), "uefi")
    assert '"with a blank=1"' in line
    assert "by=systemd-boot" in line


def test_systemd_boot_finds_a_unified_kernel_image(parts: Parts) -> None:
    (package,) = parts.unpacked("systemd-boot-efi")
    image = unified(parts)
    esp = loader(
        parts,
        "systemd-boot",
        [package, image],
        packages=[package.path],
        entries=[],
        timeout=0,
        files=[{"path": "EFI/Linux/kiln.efi", "source": image.path}],
    )
    assert reaches_the_root(disk(parts, esp), "uefi") == " ".join(ARGUMENTS)


def test_grub_and_the_initrd_find_a_root_in_a_subvolume_of_btrfs(
    parts: Parts, tmp_path: Path
) -> None:
    arguments = (*ARGUMENTS, "rootfstype=btrfs", "rootflags=subvol=systems/@")
    initrd = initrd_derivation(parts.kernel, parts.busybox, ["btrfs"])
    boot = "/systems/@/boot"
    with Store(parts.store) as store:
        realise([initrd], store)
        tree = root_tree(store, parts.kernel, parts.busybox, initrd, parts.version, boot, arguments)
        root = added(store, tree, tmp_path)
    early = grub.early_cfg(FileSystem("uuid", UUID), prefix=f"{boot}/grub", serial=grub.Serial())
    bios = grub.grub_bios_derivation(
        parts.native("grub-common", "grub-pc-bin"),
        early=early,
        modules=[*grub.BIOS_MODULES, "btrfs"],
    )
    subvolumes = [{"path": "systems/@", "holds": ""}, {"path": "@opt", "holds": "opt"}]
    btrfs = {"file_system": "btrfs", "tree": root, "options": {"subvolumes": subvolumes}}
    image = disk(parts, None, table="mbr", bios=bios, root=btrfs)
    with booted(machine(image, "bios"), patience=120) as console:
        console.expect("the root was reached by BIOS")
        console.expect(r"btrfs ro,[^\r\n]*subvol=/systems/@")
        console.expect_end()


def test_secure_boot_refuses_a_grub_that_nobody_signed(hybrid: Path, tmp_path: Path) -> None:
    with secure(machine(hybrid, "uefi"), tmp_path) as console:
        console.expect("Access Denied")
