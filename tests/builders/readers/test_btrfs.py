"""What is read from btrfs is what was written, by Kiln, by mkfs.btrfs and by the kernel."""

from __future__ import annotations

import os
import subprocess
import uuid as uuids
from bisect import bisect_right
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings

from builders.errors import BuilderError
from builders.filesystems import btrfs as writer
from builders.merge import merge
from builders.readers import open_file_system
from builders.readers.btrfs import Btrfs
from builders.readers.source import CutShort, DamagedImage, FileSource
from builders.sinks import raw
from builders.tree import Entry
from tests.builders.filesystems.judges import mounted, needs, why_not_mount
from tests.builders.filesystems.trees import sources, trees
from tests.builders.readers.test_ext4 import compare, content, everything

UUID = uuids.UUID("12345678-9abc-4def-8123-456789abcdef")
ROOT = Entry("", "d", 0o755, mtime=10**18)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=trees("pool"))
def test_any_tree_is_read_back(tree: tuple[list[Entry], dict[str, bytes], bytes]) -> None:
    entries, contents, pool = tree
    with TemporaryDirectory() as directory:
        source = Path(directory) / "pool"
        source.write_bytes(pool)
        image = Path(directory) / "image"
        options = writer.BtrfsOptions(uuid=UUID, label="wurzel")
        real = sources(pool=source)
        raw.write(writer.plan(entries, options, real), image, real)
        file = FileSource(image)
        file_system = open_file_system(file)
        assert (file_system.kind, file_system.label) == ("btrfs", "wurzel")
        compare(file_system, entries, contents)
        file.close()


def test_subvolumes_are_directories(tmp_path: Path) -> None:
    tree = merge([ROOT], [Entry("home/alice/f", "f", 0o600, 7, 7, 0, 3, b"abc")])
    found = (writer.Subvolume("@", "default", ""), writer.Subvolume("@home", "ro", "home"))
    options = writer.BtrfsOptions(uuid=UUID, subvolumes=found)
    raw.write(writer.plan(tree, options), tmp_path / "image", Path)
    file_system = open_file_system(FileSource(tmp_path / "image"))
    seen = {entry.path: entry for entry in everything(file_system)}
    assert list(seen) == ["@", "@/home", "@home", "@home/alice", "@home/alice/f"]
    assert content(file_system, seen["@home/alice/f"]) == b"abc"


@needs("mkfs.btrfs")
def test_what_mkfs_writes_is_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "sub/deep").mkdir(parents=True)
    files = {f"sub/file{number}": b"x" * number for number in range(0, 3000, 37)}
    files["sub/deep/large"] = bytes(range(256)) * 20_000
    for path, text in files.items():
        (root / path).write_bytes(text)
    (root / "link").symlink_to("sub/deep")
    image = tmp_path / "image"
    command = ["mkfs.btrfs", "-q", "--rootdir", root, image]
    subprocess.run(["truncate", "-s", "120M", image], check=True)
    subprocess.run(command, check=True, capture_output=True)
    file_system = open_file_system(FileSource(image))
    entries = {entry.path: entry for entry in everything(file_system)}
    assert {path for path, entry in entries.items() if entry.kind == "f"} == set(files)
    for path, text in files.items():
        assert content(file_system, entries[path]) == text
    assert entries["link"].ref == "sub/deep"


@pytest.mark.parametrize("compression", ["zstd", "zlib"])
def test_what_the_kernel_compressed_is_read(compression: str, tmp_path: Path) -> None:
    if why_not_mount("btrfs"):
        pytest.skip(why_not_mount("btrfs"))
    image = tmp_path / "image"
    plan = writer.plan([ROOT], writer.BtrfsOptions(uuid=UUID, size=120 << 20))
    raw.write(plan, image, Path)
    files = {
        "long": b"all work and no play\n" * 50_000,
        "short": b"s" * 1000,
        "mixed": os.urandom(100_000) + bytes(300_000) + b"end" * 9000,
    }
    with mounted(image, "btrfs", f"rw,compress-force={compression}") as root:
        for name, text in files.items():
            (root / name).write_bytes(text)
        (root / "sub").mkdir()
        os.link(root / "short", root / "sub/other")
    file_system = open_file_system(FileSource(image))
    seen = {entry.path: entry for entry in everything(file_system)}
    for name, text in {**files, "sub/other": files["short"]}.items():
        assert content(file_system, seen[name]) == text


def test_damage_is_an_error_of_its_own(tmp_path: Path) -> None:
    tree = merge([ROOT], [Entry("d/f", "f", 0o644, size=5000, ref=b"q" * 5000)])
    image = tmp_path / "image"
    plan = writer.plan(tree, writer.BtrfsOptions(uuid=UUID, size=120 << 20))
    raw.write(plan, image, Path)
    refused = 0
    with image.open("r+b") as file:
        for place, data in plan.metadata:
            for start in range(0, len(data), 512):
                good = data[start : start + 512]
                if not any(good) and start:
                    continue
                for pattern in (b"\xff" * len(good), bytes(len(good)), b"\x01\x80" * 256):
                    os.pwrite(file.fileno(), pattern[: len(good)], place + start)
                    try:
                        file_system = open_file_system(FileSource(image))
                        for entry in everything(file_system):
                            if entry.kind == "f" and entry.size < 1 << 20:
                                content(file_system, entry)
                    except BuilderError:
                        refused += 1
                os.pwrite(file.fileno(), good, place + start)
    assert refused > 10
    os.truncate(image, 20 << 20)
    with pytest.raises(CutShort):
        everything(open_file_system(FileSource(image)))


def test_a_node_that_is_named_more_than_once_is_damage(tmp_path: Path) -> None:
    """Nodes that all name one node, level below level, would be read times without number."""
    tree = [ROOT, *(Entry(f"{number:04}", "f", 0o644) for number in range(500))]
    image = tmp_path / "image"
    raw.write(writer.plan(tree, writer.BtrfsOptions(uuid=UUID, size=120 << 20)), image, Path)
    found = open_file_system(FileSource(image))
    assert isinstance(found, Btrfs)
    address = found._places[""][0]
    start, _, place = found._chunks[bisect_right(found._starts, address) - 1]
    top = place + address - start + 101
    with image.open("r+b") as file:
        file.seek(top)
        pointers = file.read(2 * 33)
        file.seek(top + 33 + 17)
        file.write(pointers[17:25])
    with pytest.raises(DamagedImage, match="is not the one wanted"):
        everything(open_file_system(FileSource(image)))
