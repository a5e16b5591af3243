"""GRUB's menu knows the declared keyboard layout, and is drawn on a screen."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders.bootloaders import grub
from builders.bootloaders.grub import FileSystem, LinuxEntry
from builders.bootloaders.grub_keymap import PACKAGES
from builders.debian.archive import Archive
from builders.debian.native import native_derivation
from builders.debian.resolver import resolve
from builders.debian.sources import host_sources
from builders.derivation import Derivation
from builders.realise import BuildFailed, realise
from builders.store import Store
from builders.vm import Disk, Machine
from tests.boot.harness import BootFailed, booted
from tests.conftest import Folders

pytestmark = [
    pytest.mark.boot,
    pytest.mark.archive,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="QEMU is missing"),
]

UUID = "11111111-2222-3333-4444-555555555555"


def keymap(folders: Folders, **arguments: Any) -> Derivation:
    index = Archive(host_sources(), folders.base / "cache" / "archive").index()
    native = native_derivation(resolve(index, PACKAGES, essential=False), name="keymap-tools")
    return Derivation("x.gkb", "grub-keymap", {"native": native.path, **arguments}, (native,))


def test_a_key_is_what_is_printed_on_it_in_germany(shared_folders: Folders, tmp_path: Path) -> None:
    index = Archive(host_sources(), shared_folders.base / "cache" / "archive").index()
    packages = resolve(index, ["grub-common", "grub-pc-bin"], essential=False)
    tools = native_derivation(packages, name="grub-tools")
    early = grub.early_cfg(FileSystem("uuid", UUID), serial=grub.Serial())
    bios = grub.grub_bios_derivation(tools, early=early)
    layout = keymap(shared_folders, layout="de", variant="nodeadkeys", options=["ctrl:nocaps"])
    menu = grub.grub_cfg(
        [LinuxEntry("nothing", "/vmlinuz")],
        timeout=-1,
        serial=grub.Serial(),
        keymap="/boot/grub/layout.gkb",
        font="/boot/grub/euro.pf2",
    )
    menu += "menuentry last --hotkey=z {\n  echo the last one was chosen\n  halt\n}\n"
    with Store(shared_folders.base / "store") as store:
        made, keys = realise([bios, layout], store)
        files = [
            {"path": "boot/grub/grub.cfg", "text": menu},
            {"path": "boot/grub/layout.gkb", "source": keys},
            {"path": "boot/grub/euro.pf2", "source": f"{tools.path}/usr/share/grub/euro.pf2"},
        ]
        tree = Derivation("tree", "esp", {"files": files}, (layout, tools))
        root = {"file_system": "ext4", "tree": tree.path, "uuid": UUID, "flags": ["boot"]}
        arguments = {
            "table": "mbr",
            "size": None,
            "disk_uuid": UUID,
            "partitions": [root],
            "boot": {"grub_bios": made},
        }
        image = Derivation("disk.img", "disk-image", arguments, (tree, bios))
        disk = store.real(realise([image], store)[0])
    control = tmp_path / "control"
    machine = Machine(disks=(Disk(disk, snapshot=True),), network=False, memory=128)
    extra = ("-qmp", f"unix:{control},server=on,wait=off", "-vga", "std")
    with booted(replace(machine, extra=extra), patience=30) as console:
        console.expect(" last")
        assert "error" not in console.transcript
        with socket.socket(socket.AF_UNIX) as commands:
            commands.connect(str(control))
            tell(commands, "qmp_capabilities")
            key = [{"type": "qcode", "data": "y"}]  # the one that has a z in Germany
            picture = tmp_path / "screen.ppm"
            tell(commands, "screendump", filename=str(picture))
            assert width(picture) in (640, 800, 1024, 1280)  # text mode has 720
            for _ in range(10):  # GRUB begins to listen when the first key is pressed
                tell(commands, "send-key", keys=key)
                with contextlib.suppress(BootFailed):
                    console.expect("the last one was chosen", patience=1)
                    return
        pytest.fail(console.transcript)


def width(picture: Path) -> int:
    """Of a PPM, which begins with "P6", width and height."""
    return int(picture.read_bytes()[:100].split()[1])


def tell(control: socket.socket, command: str, **arguments: Any) -> None:
    """Give QEMU a command of its machine protocol."""
    message = {"execute": command, "arguments": arguments}
    control.sendall(json.dumps(message).encode() + b"\n")
    answer = b""
    while b'"return"' not in answer:
        assert b'"error"' not in answer, answer
        answer += control.recv(65536)


def test_layouts_that_there_are_not_are_told(shared_folders: Folders) -> None:
    with (
        Store(shared_folders.base / "store") as store,
        pytest.raises(BuildFailed, match="keyboard layout 'dee'"),
    ):
        realise([keymap(shared_folders, layout="dee")], store)
