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


@cache
def why_not_mount() -> str:
    """Why the kernel cannot be asked to mount an image; "" if it can."""
    if os.geteuid() != 0:
        return "only root can mount"
    if shutil.which("mke2fs") is None:
        return "mke2fs is not installed"
    with TemporaryDirectory() as directory:
        image = Path(directory) / "image"
        image.touch()
        os.truncate(image, 4 << 20)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", image], check=True, capture_output=True)
        try:
            with mounted(image):
                return ""
        except subprocess.CalledProcessError:
            return "there are no loop devices here"


@contextmanager
def mounted(image: Path, kind: str = "ext4") -> Iterator[Path]:
    with TemporaryDirectory() as directory:
        subprocess.run(
            ["mount", "-t", kind, "-o", "loop,ro", image, directory],
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
