"""What is read from ext file systems is what was written, by Kiln and by mke2fs."""

from __future__ import annotations

import struct
import subprocess
import uuid as uuids
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings

from builders.errors import BuilderError
from builders.filesystems import plan
from builders.merge import merge
from builders.readers import FileSystem, ext4, open_file_system
from builders.readers.source import CutShort, DamagedImage, FileSource
from builders.sinks import raw
from builders.tree import Content, Entry
from tests.builders.filesystems.judges import needs
from tests.builders.filesystems.trees import sources, trees

UUID = uuids.UUID("12345678-9abc-4def-8123-456789abcdef")
ROOT = Entry("", "d", 0o755, mtime=10**18)


def everything(file_system: FileSystem, path: str = "") -> list[Entry]:
    """All entries below `path`, sorted."""
    found = []
    for child in file_system.children(path):
        found.append(child)
        if child.kind == "d":
            found += everything(file_system, child.path)
    return found


def content(file_system: FileSystem, entry: Entry) -> bytes:
    data = bytearray(entry.size)
    for offset, part in file_system.runs(entry.path):
        data[offset : offset + len(part)] = part
    assert len(data) == entry.size
    return bytes(data)


def expected(tree: Sequence[Entry]) -> list[Entry]:
    """The tree with names in place of hard links, and without contents."""
    by_path = {entry.path: entry for entry in tree}
    wanted = []
    for entry in tree:
        meant = by_path[str(entry.ref)] if entry.kind == "h" else entry
        ref = None if meant.kind == "f" else meant.ref
        wanted.append(meant._replace(path=entry.path, ref=ref, xattrs=meant.xattrs or None))
    return wanted


def compare(file_system: FileSystem, tree: Sequence[Entry], contents: Mapping[str, bytes]) -> None:
    seen = [file_system.root(), *everything(file_system)]
    seen = [entry for entry in seen if entry.path != "lost+found"]
    wanted = expected(tree)
    assert seen == wanted
    links = {entry.path: str(entry.ref) for entry in tree if entry.kind == "h"}
    for entry in seen:
        if entry.kind == "f":
            assert content(file_system, entry) == contents[links.get(entry.path, entry.path)]


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=trees("pool"))
def test_any_tree_is_read_back(
    kind: str, tree: tuple[list[Entry], dict[str, bytes], bytes]
) -> None:
    entries, contents, pool = tree
    with TemporaryDirectory() as directory:
        source = Path(directory) / "pool"
        source.write_bytes(pool)
        image = Path(directory) / "image"
        made = plan(kind, entries, {"uuid": UUID, "label": "wurzel"})
        raw.write(made, image, sources(pool=source))
        file = FileSource(image)
        file_system = open_file_system(file)
        assert (file_system.kind, file_system.label) == (kind, "wurzel")
        compare(file_system, entries, contents)
        file.close()


def test_a_file_of_many_extents_is_read_back(tmp_path: Path) -> None:
    size = 3000 * 8192
    holes = tuple((number * 8192, 4096) for number in range(3000))
    with (tmp_path / "big").open("wb") as file:
        file.truncate(size)
        for number in range(3000):
            file.seek(number * 8192 + 4096)
            file.write(b"%04d" % number * 1024)
    entry = Entry("big", "f", 0o644, size=size, ref=Content("big", 0, holes))
    for kind in ("ext2", "ext4"):
        image = tmp_path / kind
        raw.write(plan(kind, [ROOT, entry], {"uuid": UUID}), image, lambda _: tmp_path / "big")
        file_system = open_file_system(FileSource(image))
        assert content(file_system, entry) == (tmp_path / "big").read_bytes()


@needs("mke2fs")
@pytest.mark.parametrize("features", [["ext4"], ["ext4", "-b", "1024"], ["ext2"], ["ext3"]])
def test_what_mke2fs_writes_is_read(features: list[str], tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "sub/deep").mkdir(parents=True)
    files = {f"sub/file{number}": b"x" * number for number in range(0, 3000, 37)}
    files["sub/deep/large"] = bytes(range(256)) * 20_000
    for path, text in files.items():
        (root / path).write_bytes(text)
    (root / "link").symlink_to("sub/deep")
    image = tmp_path / "image"
    command = ["mke2fs", "-q", "-t", *features, "-d", root, image, "32M"]
    subprocess.run(command, check=True, capture_output=True)
    file_system = open_file_system(FileSource(image))
    entries = {entry.path: entry for entry in everything(file_system)}
    assert {path for path, entry in entries.items() if entry.kind == "f"} == set(files)
    for path, text in files.items():
        assert content(file_system, entries[path]) == text
    assert entries["link"].ref == "sub/deep"


def test_damage_is_an_error_of_its_own(tmp_path: Path) -> None:
    tree = merge([ROOT], [Entry("d/f", "f", 0o644, size=5000, ref=b"q" * 5000)])
    image = tmp_path / "image"
    raw.write(plan("ext4", tree, {"uuid": UUID, "size": 1 << 22}), image, Path)
    good = image.read_bytes()
    refused = 0
    for start in range(0, len(good), 512):
        if not any(good[start : start + 512]):
            continue
        for pattern in (b"\xff" * 512, bytes(512), b"\x01\x80" * 256):
            image.write_bytes(good[:start] + pattern + good[start + 512 :])
            try:
                file_system = open_file_system(FileSource(image))
                for entry in everything(file_system):
                    if entry.kind == "f" and entry.size < 1 << 20:
                        content(file_system, entry)
            except (DamagedImage, ext4.NotSupported, BuilderError):
                refused += 1
    assert refused > 10
    image.write_bytes(good[:100_000])
    with pytest.raises(CutShort):
        everything(open_file_system(FileSource(image)))


@pytest.mark.parametrize("kind", ["ext4", "ext2"])
def test_a_map_of_blocks_that_leads_to_itself_ends(kind: str, tmp_path: Path) -> None:
    """Each block of the map names one and the same block, hundreds of times, five deep."""
    image = tmp_path / "image"
    options = {"uuid": UUID, "size": 1 << 23, "features": {"metadata_csum": False}}
    if kind == "ext2":
        del options["features"]
    raw.write(plan(kind, [ROOT, Entry("a", "f", 0o644)], options), image, Path)
    found = open_file_system(FileSource(image))
    assert isinstance(found, ext4.Ext4)
    entry = found.children("")[0]
    free = 2000  # a block that nothing uses, and those behind it
    with image.open("r+b") as file:
        if kind == "ext4":
            root = struct.pack("<HHHHI", 0xF30A, 4, 4, 5, 0)
            root += struct.pack("<IIHH", 0, free, 0, 0) * 4
            for depth in range(5):
                node = struct.pack("<HHHHI", 0xF30A, 340, 340, 4 - depth, 0)
                child = struct.pack("<IIHH", 0, free + depth + 1, 0, 0)
                leaf = struct.pack("<IHHI", 0, 32769, 0, 0)  # of zeros, which are not written
                file.seek((free + depth) * 4096)
                file.write(node + (child if depth < 4 else leaf) * 340)
        else:
            root = struct.pack("<15I", *[0] * 12, free, free, free)
            file.seek(free * 4096)
            file.write(struct.pack("<I", free) * 1024)
        place = found._table(0) + (found.links("a")[0] - 1) * 256
        file.seek(place + 4)
        file.write(struct.pack("<I", 0xFFFFFFFF))
        file.seek(place + 40)
        file.write(root)
    with pytest.raises(DamagedImage, match="blocks of inode"):
        for _ in open_file_system(FileSource(image)).runs(entry.path):
            pass
