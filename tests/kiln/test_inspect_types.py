"""`kiln ls`, `cat` and `cp` look into an image of every type that there is."""

from __future__ import annotations

import os
import stat
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
def test_the_root_can_be_looked_into(run_kiln: RunKiln, kind: str, tmp_path: Path) -> None:
    image = run_kiln("image", "-t", kind, EXAMPLE).result
    root = f"{image}{PLACES.get(kind, '')}"
    assert look(run_kiln, "cat", f"{root}:/etc/hostname") == "komputilo\n"
    names = look(run_kiln, "ls", f"{root}:/").split()
    assert {"bin", "etc", "usr"} <= set(names)
    shadow = look(run_kiln, "ls", "-l", f"{root}:/etc/shadow").split()
    assert shadow[:3] == ["-rw-r-----", "0", "42"]
    look(run_kiln, "cp", f"{root}:/usr/bin/env", tmp_path / "env")
    assert (tmp_path / "env").read_bytes()[:4] == b"\x7fELF"
    assert stat.S_IMODE((tmp_path / "env").stat().st_mode) == 0o755
    assert os.access(tmp_path / "env", os.X_OK)


@pytest.mark.parametrize("method", ["gzip", "zstd", "xz"])
def test_a_compressed_disk_can_be_looked_into(run_kiln: RunKiln, method: str) -> None:
    image = run_kiln("image", "-t", "mbr-raw", "--compress", method, EXAMPLE).result
    assert look(run_kiln, "cat", f"{image}:/etc/hostname") == "komputilo\n"
