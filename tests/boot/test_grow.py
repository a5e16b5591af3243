"""A partition with the flag grow fills the disk that its image was written to."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from builders.vm import Disk, Machine
from tests.boot.harness import booted
from tests.conftest import ROOT, RunKiln

pytestmark = [
    pytest.mark.boot,
    pytest.mark.archive,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="QEMU is missing"),
]

DECLARATION = """\
(use-modules (gnu) (gnu image) (gnu system image))
(define os (primitive-load "{example}"))
(image
  (inherit (image-with-os {base} os))
  (format '{format})
  (partitions (list {before} (partition (inherit root-partition) (flags '(boot grow))))))
"""
GIB = 1 << 30


def qemu_img(*arguments: str | Path) -> None:
    subprocess.run(["qemu-img", *arguments], check=True, capture_output=True)


def table(disk: Path) -> dict[str, list[dict[str, int]]]:
    """The partition table as sfdisk(8) reads it."""
    done = subprocess.run(["sfdisk", "-J", disk], capture_output=True, text=True, check=True)
    found: dict[str, list[dict[str, int]]] = json.loads(done.stdout)["partitiontable"]
    return found


@pytest.mark.parametrize(
    ("base", "before", "kind", "form", "number"),
    [
        ("mbr-disk-image", "", "compressed-qcow2", "qcow2", 1),
        ("mbr-hybrid-disk-image", "bios-boot-partition esp-partition", "disk-image", "raw", 3),
    ],
)
def test_the_root_fills_a_larger_disk(
    run_kiln: RunKiln, tmp_path: Path, base: str, before: str, kind: str, form: str, number: int
) -> None:
    file = tmp_path / "grow.scm"
    example = ROOT / "examples/bare-bones.scm"
    file.write_text(DECLARATION.format(example=example, base=base, before=before, format=kind))
    image, disk = tmp_path / "image", tmp_path / "disk"
    ended = run_kiln("image", "-o", image, file)
    assert ended.status == 0, ended.err
    image.chmod(0o600)
    qemu_img("resize", "-f", form, image, "3G")
    with booted(Machine(disks=(Disk(image, format=form),)), patience=240) as console:
        console.log_in("alice", "kiln")
        size = int(console.command("df --output=size -B1 / | tail -1"))
        assert size > 2.8 * GIB
        assert console.command("systemctl --failed --no-legend --plain") == ""
        console.command("echo kiln | sudo -S -p '' -v")
        device = f"/dev/vda{number}"
        told = int(console.command(f"sudo -n blockdev --getsz {device}"))
        # again: nothing is left to do
        console.command("sudo -n sh -x /etc/kiln/grow-partition / 2>&1 | tail -1 | grep 'exit 0'")
        console.power_off("sudo -n poweroff")
    qemu_img("convert", "-f", form, "-O", "raw", image, disk)
    root = table(disk)["partitions"][number - 1]
    assert root["size"] == told > 2.8 * GIB / 512
    subprocess.run(["sfdisk", "--verify", "--quiet", disk], check=True, capture_output=True)
    if before:
        done = subprocess.run(["sgdisk", "-v", disk], capture_output=True, text=True, check=False)
        assert "No problems found" in done.stdout, done.stdout
    subprocess.run(
        ["e2fsck", "-fn", f"{disk}?offset={root['start'] * 512}"], check=True, capture_output=True
    )
