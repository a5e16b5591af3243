"""`kiln ls` and `kiln cat` look into an image of every type that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT, RunKiln

pytestmark = pytest.mark.archive

EXAMPLE = ROOT / "examples/bare-bones.scm"
PLACES = {
    "efi-raw": ":kiln-root",
    "mbr-hybrid-raw": ":kiln-root",
    "vhdx": ":kiln-root",
    "iso9660": ":/live/root.squashfs",
    "uncompressed-iso9660": ":/live/root.squashfs",
    "uki": ":/.initrd",
}
"""Where the root is; of the others it is what there is."""

KINDS = (
    *("mbr-raw", "efi-raw", "mbr-hybrid-raw", "raw-with-offset", "qcow2", "uncompressed-qcow2"),
    *("vmdk", "vhd", "vhdx", "iso9660", "uncompressed-iso9660", "docker", "oci", "tarball"),
    *("wsl2", "squashfs", "erofs", "cpio", "uki"),
)


def look(run_kiln: RunKiln, verb: str, *arguments: str | Path) -> str:
    ended = run_kiln(verb, *arguments)
    assert ended.status == 0, ended.err
    return ended.out


def test_all_types_are_known_here(run_kiln: RunKiln) -> None:
    listed = look(run_kiln, "image", "--list-image-types")
    assert [line.split()[0] for line in listed.splitlines()] == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_root_can_be_looked_into(run_kiln: RunKiln, kind: str) -> None:
    image = run_kiln("image", "-t", kind, EXAMPLE).result
    root = f"{image}{PLACES.get(kind, '')}"
    assert look(run_kiln, "cat", f"{root}:/etc/hostname") == "komputilo\n"
    shadow = look(run_kiln, "ls", "-l", f"{root}:/etc/shadow").split()
    assert shadow[:3] == ["-rw-r-----", "0", "42"]


def test_a_compressed_disk_can_be_looked_into(run_kiln: RunKiln) -> None:
    image = run_kiln("image", "-t", "mbr-raw", "--compress", "zstd", EXAMPLE).result
    assert look(run_kiln, "cat", f"{image}:/etc/hostname") == "komputilo\n"
