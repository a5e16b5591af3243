"""qemu-img as the judge of disk images."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

NEEDS_QEMU = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="needs qemu-img")
SECTOR = 512
_NAMES = {"vhd": "vpc"}


def qemu_img(*words: str | Path) -> str:
    """What qemu-img prints; fails if it finds anything wrong."""
    done = subprocess.run(["qemu-img", *words], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def assert_same_disk(image: Path, image_format: str, raw: bytes) -> None:
    """Fail unless `image` is sound and a guest sees the bytes `raw` in it, and their size."""
    name = _NAMES.get(image_format, image_format)
    if name in ("qcow2", "vmdk", "vhdx"):
        qemu_img("check", "-f", name, image)
    reference = image.with_name("reference")
    reference.write_bytes(raw)
    size = -(-len(raw) // SECTOR) * SECTOR
    os.truncate(reference, size)
    qemu_img("compare", "-f", "raw", "-F", name, reference, image)
    reference.unlink()
    assert info(image, image_format)["virtual-size"] == size


def info(image: Path, image_format: str) -> dict[str, Any]:
    found = qemu_img("info", "--output=json", "-f", _NAMES.get(image_format, image_format), image)
    result = json.loads(found)
    assert isinstance(result, dict)
    return result
