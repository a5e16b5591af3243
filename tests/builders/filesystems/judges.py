"""Outside judges of file systems: fsck programs and the kernel's own mount."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from builders.scan import scan
from builders.tree import Content, Entry


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


def e2fsck(image: Path) -> None:
    """Fail unless e2fsck finds nothing at all to say against the file system."""
    done = subprocess.run(
        ["e2fsck", "-fn", image],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def btrfs_check(image: Path) -> None:
    """Fail unless btrfs check finds nothing to say against trees and checksums."""
    done = subprocess.run(
        ["btrfs", "check", "--check-data-csum", image],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "no error found" in said, said
    assert "warning" not in said.lower(), said


def compare_restored(image: Path, tree: Sequence[Entry], contents: Mapping[str, bytes]) -> None:
    """As far as btrfs restore can tell: kinds, permissions, owners, targets and contents."""
    with TemporaryDirectory() as directory:
        subprocess.run(
            ["btrfs", "restore", "-S", "-m", image, directory], check=True, capture_output=True
        )
        for entry in tree:
            path = Path(directory) / entry.path
            if entry.kind == "f":
                assert path.read_bytes() == contents[entry.path], entry.path
                assert path.stat().st_mode & 0o7777 == entry.mode
            elif entry.kind == "l":
                assert str(path.readlink()) == entry.ref
            elif entry.kind == "d":
                assert path.is_dir()


_MAKERS = {"ext4": ("4M", "mke2fs", "-q", "-t", "ext4"), "btrfs": ("120M", "mkfs.btrfs", "-q")}


@cache
def why_not_mount(kind: str = "ext4") -> str:
    """Why the kernel cannot be asked to mount an image; "" if it can."""
    size, *command = _MAKERS[kind]
    if os.geteuid() != 0:
        return "only root can mount"
    if shutil.which(command[0]) is None:
        return f"{command[0]} is not installed"
    with TemporaryDirectory() as directory:
        image = Path(directory) / "image"
        subprocess.run(["truncate", "-s", size, image], check=True)
        subprocess.run([*command, image], check=True, capture_output=True)
        try:
            with mounted(image, kind):
                return ""
        except subprocess.CalledProcessError:
            return f"there are no loop devices here, or no {kind} in the kernel"


@contextmanager
def mounted(image: Path, kind: str = "ext4", options: str = "ro") -> Iterator[Path]:
    with TemporaryDirectory() as directory:
        subprocess.run(
            ["mount", "-t", kind, "-o", f"loop,{options}", image, directory],
            check=True,
            capture_output=True,
        )
        try:
            yield Path(directory)
        finally:
            subprocess.run(["umount", directory], check=True)


def compare_mounted(
    image: Path, tree: Sequence[Entry], contents: Mapping[str, bytes], kind: str = "ext4"
) -> None:
    """Fail unless the kernel shows the tree, field by field, and the contents."""
    with mounted(image, kind) as root:
        seen = [entry for entry in scan(root) if entry.path != "lost+found"]
        assert [plain(entry) for entry in seen] == [plain(entry) for entry in tree]
        for entry in tree:
            if entry.kind == "f":
                assert (root / entry.path).read_bytes() == contents[entry.path], entry.path


def plain(entry: Entry) -> Entry:
    """The entry without where its content is kept."""
    if isinstance(entry.ref, (Content, bytes)):
        return entry._replace(ref=None)
    return entry


def compare_extracted(image: Path, tree: Sequence[Entry], contents: Mapping[str, bytes]) -> None:
    """As far as debugfs can tell: names, kinds, permissions, targets and contents."""
    with TemporaryDirectory() as directory:
        subprocess.run(
            ["debugfs", "-R", f"rdump / {directory}", image], check=True, capture_output=True
        )
        root = Path(directory)
        for entry in tree:
            path = root / entry.path
            if entry.kind == "f":
                assert path.read_bytes() == contents[entry.path], entry.path
            elif entry.kind == "l":
                assert str(path.readlink()) == entry.ref
            elif entry.kind == "d":
                assert path.is_dir()
