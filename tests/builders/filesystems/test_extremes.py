"""What is larger, deeper and more than in any tree that hypothesis draws, in every file system."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from builders.filesystems import plan
from builders.filesystems.workroom import Workroom
from builders.merge import merge
from builders.readers import open_file_system
from builders.readers.source import FileSource
from builders.sinks import raw
from builders.tree import Content, Entry
from tests.builders.filesystems import judges
from tests.builders.readers.test_ext4 import compare

UUID = "12345678-9abc-4def-8123-456789abcdef"
ROOT = Entry("", "d", 0o755, mtime=10**18)
KINDS = ["ext2", "ext4", "erofs", "btrfs"]
GIB = 1 << 30


def written(kind: str, tree: Sequence[Entry], folder: Path) -> Path:
    """An image of the tree that is sound to the checker of its kind."""
    image = folder / "image"
    made = plan(kind, tree, {"uuid": UUID}, Workroom(Path, folder / "made"))
    raw.write(made, image, Path)
    if kind.startswith("ext"):
        judges.e2fsck(image)
    elif kind == "btrfs":
        judges.btrfs_check(image)
    return image


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """A kind of file system that the kernel can be asked about."""
    if judges.why_not_mount():
        pytest.skip(judges.why_not_mount())
    if request.param == "btrfs" and judges.why_not_mount("btrfs"):
        pytest.skip(judges.why_not_mount("btrfs"))
    return str(request.param)


def test_deep_directories_of_short_and_of_long_names(kind: str, tmp_path: Path) -> None:
    files = ["/".join("d" * 350), "/".join(["\u00fc" * 127 + "x"] * 15), "n" * 255]
    tree = merge([ROOT], [Entry(path, "f", 0o600, size=3, ref=b"end") for path in files])
    image = written(kind, tree, tmp_path)
    contents = dict.fromkeys(files, b"end")
    judges.compare_mounted(image, tree, contents, kind)
    compare(open_file_system(FileSource(image)), tree, contents)


def test_a_file_of_more_than_4_gib(kind: str, tmp_path: Path) -> None:
    size = 4 * GIB + 5000
    source = tmp_path / "source"
    marks = {0: b"begin", 4 * GIB - 3: b"border", size - 3: b"end"}
    with source.open("wb") as file:
        for offset, text in marks.items():
            file.seek(offset)
            file.write(text)
    content = Content(str(source), 0, ((4096, 2 * GIB), (2 * GIB + 8192, 2 * GIB - 16384)))
    tree = [ROOT, Entry("big", "f", 0o644, mtime=10**18, size=size, ref=content)]
    image = written(kind, tree, tmp_path)
    assert image.stat().st_blocks * 512 < 2**20
    with judges.mounted(image, kind) as root, (root / "big").open("rb") as file:
        assert os.fstat(file.fileno()).st_size == size
        for offset, text in marks.items():
            assert os.pread(file.fileno(), len(text), offset) == text
    if kind == "erofs":
        return  # it has no holes: four GiB would be read
    pieces = list(open_file_system(FileSource(image)).runs("big"))
    for offset, text in marks.items():
        end = offset + len(text)
        assert text == b"".join(
            data[max(offset - start, 0) : end - start]
            for start, data in pieces
            if start < end and offset < start + len(data)
        )


def test_a_hundred_thousand_files_in_an_erofs(tmp_path: Path) -> None:
    if judges.why_not_mount():
        pytest.skip(judges.why_not_mount())
    names = [f"{number // 1000:02}/{number % 1000:03}" for number in range(100_000)]
    tree = merge([ROOT], [Entry(name, "f", 0o644) for name in names])
    with judges.mounted(written("erofs", tree, tmp_path), "erofs") as root:
        assert sorted(str(path.relative_to(root)) for path in root.glob("*/*")) == names
