"""FAT, ISO 9660, EROFS, tables, qcow2: what was written, by Kiln or others, is what is read."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import tracemalloc
import uuid as uuids
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.disk import PartitionPlan, plan_disk
from builders.errors import BuilderError
from builders.filesystems import plan
from builders.merge import merge
from builders.plan import Plan
from builders.readers import (
    NoSuchPath,
    NotADirectory,
    TooManyLinks,
    UnknownContent,
    disk,
    find,
    open_file_system,
)
from builders.readers.qcow2 import Qcow2
from builders.readers.source import DamagedImage, FileSource, NotReadable
from builders.sinks import raw
from builders.tree import Entry
from tests.builders.filesystems.judges import needs
from tests.builders.filesystems.test_iso9660 import holdable
from tests.builders.filesystems.test_vfat import FILES
from tests.builders.filesystems.trees import sources, trees
from tests.builders.readers.test_ext4 import compare, content, everything

UUID = uuids.UUID("12345678-9abc-4def-8123-456789abcdef")
LINUX = uuids.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
ROOT = Entry("", "d", 0o755, mtime=1_700_000_000 * 10**9)
MIB = 1 << 20

Drawn = tuple[list[Entry], dict[str, bytes], bytes]


def written(made: Plan, directory: str | Path, pool: bytes = b"") -> FileSource:
    source = Path(directory) / "pool"
    source.write_bytes(pool)
    image = Path(directory) / "image"
    image.unlink(missing_ok=True)
    raw.write(made, image, sources(pool=source))
    return FileSource(image)


@pytest.mark.parametrize("tails", ["blocks", "inline"])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=trees("pool"))
def test_any_tree_is_read_from_erofs(tails: str, tree: Drawn) -> None:
    entries, contents, pool = tree
    with TemporaryDirectory() as directory:
        made = plan("erofs", entries, {"uuid": UUID, "label": "wurzel", "tails": tails})
        file = written(made, directory, pool)
        found = open_file_system(file)
        assert (found.kind, found.label) == ("erofs", "wurzel")
        compare(found, entries, contents)
        file.close()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=trees("pool"))
def test_any_tree_is_read_from_iso9660(tree: Drawn) -> None:
    entries, contents, pool = tree
    wanted = holdable(entries)
    with TemporaryDirectory() as directory:
        file = written(plan("iso9660", wanted, {"label": "Some CD"}), directory, pool)
        found = open_file_system(file)
        assert (found.kind, found.label) == ("iso9660", "Some CD")
        compare(found, wanted, contents)
        file.close()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    files=FILES,
    kind=st.sampled_from(["vfat", "fat16", "fat32"]),
    size=st.sampled_from([None, 40 * MIB]),
)
def test_any_tree_is_read_from_fat(files: dict[str, bytes], kind: str, size: int | None) -> None:
    try:
        entries = [
            Entry(path, "f", 0o644, mtime=10**18, size=len(text), ref=text or None)
            for path, text in files.items()
        ]
        made = plan(kind, merge([ROOT], entries), {"uuid": UUID, "size": size, "label": "DATA"})
    except BuilderError:
        return
    with TemporaryDirectory() as directory:
        file = written(made, directory)
        found = open_file_system(file)
        assert found.label == "DATA"
        seen = [entry for entry in everything(found) if entry.kind == "f"]
        assert {entry.path: content(found, entry) for entry in seen} == files
        assert {entry.mtime for entry in seen} <= {10**18}
        file.close()


@needs("mkfs.fat")
@needs("mcopy")
@pytest.mark.parametrize("bits", ["12", "16", "32"])
def test_a_fat_of_mkfs_and_mtools_is_read(bits: str, tmp_path: Path) -> None:
    image = tmp_path / "image"
    size = {"12": 2 * MIB, "16": 32 * MIB, "32": 64 * MIB}[bits]
    with image.open("wb") as file:
        file.truncate(size)
    command = ["mkfs.fat", "-F", bits, "-s", "1", "-n", "LABEL", image]
    subprocess.run(command, check=True, capture_output=True)
    tree = tmp_path / "Some Folder"
    tree.mkdir()
    texts = {f"File {number}.txt": b"%d" % number * number * 7 for number in range(120)}
    texts["UPPER.TXT"] = b"short"
    for name, text in texts.items():
        (tree / name).write_bytes(text)
    command = ["mcopy", "-s", "-i", image, tree, "::/"]
    subprocess.run(command, check=True, capture_output=True)
    found = open_file_system(FileSource(image))
    assert (found.kind, found.label) == (f"fat{bits}", "LABEL")
    seen = {entry.path: entry for entry in everything(found)}
    assert set(seen) == {"Some Folder"} | {f"Some Folder/{name}" for name in texts}
    for name, text in texts.items():
        assert content(found, seen[f"Some Folder/{name}"]) == text


def test_fat_is_read_without_what_pyfatfs_cannot_import_everywhere() -> None:
    """PyFatFS itself needs pkg_resources, which setuptools 82 has removed."""
    code = "import sys, pyfatfs.PyFat; print({'fs', 'pkg_resources'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), kind=st.sampled_from(["fat12", "fat16"]))
def test_damage_of_a_fat_is_an_error_of_its_own(kind: str, data: st.DataObject) -> None:
    """Chains that go round, directories in themselves, names of half characters."""
    good = bytearray(small_fat(kind))
    places = [found.start() for found in re.finditer(rb"[^\0q]", good)]
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.sampled_from(places))
        good[place] = data.draw(st.sampled_from([0, 1, 2, 3, 5, 0x0F, 0x10, 0x41, 0xD8, 0xFF]))
    with TemporaryDirectory() as directory:
        (Path(directory) / "image").write_bytes(good)
        file = FileSource(Path(directory) / "image")
        try:
            found = open_file_system(file)
            for entry in everything(found):
                if entry.kind == "f":
                    assert sum(len(part) for _, part in found.runs(entry.path)) <= file.size
        except BuilderError:
            pass
        finally:
            file.close()


@cache
def small_fat(kind: str) -> bytes:
    files = [
        Entry(f"dir/long name {number}.text", "f", 0o644, size=3000, ref=b"q" * 3000)
        for number in range(4)
    ]
    with TemporaryDirectory() as directory:
        image = Path(directory) / "image"
        raw.write(plan(kind, merge([ROOT], files), {"uuid": UUID}), image, Path)
        return image.read_bytes()


@needs("xorriso")
def test_an_iso_of_xorriso_is_read(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    deep = tree / "/".join(f"level-{number}" for number in range(10))
    deep.mkdir(parents=True)
    (deep / "file").write_bytes(b"q" * 5000)
    (tree / "link").symlink_to("/abs/../x")
    image = tmp_path / "image"
    command = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "VOL", "-o", image, tree]
    subprocess.run(command, check=True, capture_output=True)
    found = open_file_system(FileSource(image))
    entry = find(found, str((deep / "file").relative_to(tree)))
    assert content(found, entry) == b"q" * 5000
    assert find(found, "/link", follow=False).ref == "/abs/../x"


@needs("sfdisk")
def test_partitions_are_those_that_sfdisk_made(tmp_path: Path) -> None:
    image = tmp_path / "image"
    for table, script in (
        ("dos", "1:size=2M,type=83\n2:size=20M,type=5\n5:size=3M,type=83\n6:size=4M,type=83\n"),
        ("gpt", 'size=2M,name="first"\nsize=3M,name="zweite"\n'),
    ):
        with image.open("wb") as file:
            file.truncate(40 * MIB)
        command = ["sfdisk", "-q", image]
        text = f"label: {table}\n{script}"
        subprocess.run(command, input=text, text=True, check=True, capture_output=True)
        listed = subprocess.run(
            ["sfdisk", "-d", image], check=True, capture_output=True, text=True
        ).stdout
        wanted = []
        for line in listed.splitlines():
            if "start=" in line and "type=5" not in line:
                fields = line.partition(":")[2].split(",")
                start, size = (int(field.split("=")[1]) * 512 for field in fields[:2])
                wanted.append((start, size))
        found = disk.partitions(FileSource(image))
        assert sorted((one.offset, one.size) for one in found) == sorted(wanted)
        if table == "dos":
            assert [one.number for one in found] == [1, 5, 6]
        else:
            assert [one.name for one in found] == ["first", "zweite"]
            with image.open("r+b") as file:
                file.seek(512)
                file.write(b"damaged!")
            assert disk.partitions(FileSource(image)) == found


def small_disk(tmp_path: Path) -> Path:
    tree = merge([ROOT], [Entry("etc/name", "f", 0o644, size=6, ref=b"kiln\r\n")])
    part = plan("ext4", tree, {"uuid": UUID, "label": "root"})
    whole = plan_disk("gpt", [PartitionPlan(plan=part, type=LINUX, uuid=UUID, name="Wurzel")], UUID)
    image = tmp_path / "disk.raw"
    raw.write(whole, image, Path)
    return image


def test_partitions_are_chosen_by_number_name_and_uuid(tmp_path: Path) -> None:
    there = disk.partitions(FileSource(small_disk(tmp_path)))
    for wanted in ("1", "Wurzel", str(UUID).upper()):
        assert disk.choose(there, wanted) is there[0]
    with pytest.raises(disk.NoSuchPartition, match="no partition 2"):
        disk.choose(there, "2")


@needs("qemu-img")
@pytest.mark.parametrize(
    "options", [[], ["-c"], ["-c", "-o", "compression_type=zstd"], ["-o", "cluster_size=4096"]]
)
def test_a_qcow2_image_is_the_disk_in_it(options: list[str], tmp_path: Path) -> None:
    image = small_disk(tmp_path)
    packed = tmp_path / "disk.qcow2"
    command = ["qemu-img", "convert", "-O", "qcow2", *options, image, packed]
    subprocess.run(command, check=True, capture_output=True)
    source, plain = Qcow2(FileSource(packed)), FileSource(image)
    assert source.size == plain.size
    for offset in range(0, source.size, MIB):
        length = min(MIB, source.size - offset)
        assert source.read(offset, length) == plain.read(offset, length)


def test_no_more_is_unpacked_of_a_qcow2_than_a_cluster(tmp_path: Path) -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(64 * MIB))
    image = tmp_path / "image"
    header = struct.pack(">4sIQIIQIIQ", b"QFI\xfb", 3, 0, 0, 21, MIB, 0, 1, 1 << 21)
    header = header.ljust(72, b"\0") + struct.pack(">QQQIIB", 8, 0, 0, 4, 112, 1)
    entry = 1 << 62 | (len(bomb) // 512 + 1) << 49 | 3 << 21
    with image.open("wb") as file:
        for offset, data in (
            (0, header),
            (1 << 21, struct.pack(">Q", 2 << 21)),
            (2 << 21, struct.pack(">Q", entry)),
            (3 << 21, bomb.ljust(1 << 20, b"\0")),
        ):
            file.seek(offset)
            file.write(data)
    tracemalloc.start()
    assert Qcow2(FileSource(image)).read(0, 4096) == bytes(4096)
    assert tracemalloc.get_traced_memory()[1] < 20 * MIB
    tracemalloc.stop()


@needs("qemu-img")
def test_a_qcow2_image_with_a_backing_file_is_refused(tmp_path: Path) -> None:
    image = small_disk(tmp_path)
    over = tmp_path / "over.qcow2"
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "raw", over]
    subprocess.run(command, check=True)
    with pytest.raises(NotReadable):
        Qcow2(FileSource(over))


def test_paths_go_through_links_and_what_is_missing_has_near_names(tmp_path: Path) -> None:
    tree = merge(
        [ROOT],
        [
            Entry("usr/bin/tool", "f", 0o755, size=1, ref=b"x"),
            Entry("bin", "l", 0o777, size=7, ref="usr/bin"),
            Entry("usr/top", "l", 0o777, size=1, ref="/"),
            Entry("a", "l", 0o777, size=1, ref="b"),
            Entry("b", "l", 0o777, size=1, ref="a"),
        ],
    )
    found = open_file_system(written(plan("ext4", tree, {"uuid": UUID}), tmp_path))
    assert find(found, "/bin/tool").path == "usr/bin/tool"
    assert find(found, "/bin/../top/bin/./tool").path == "usr/bin/tool"
    assert find(found, "/bin", follow=False).kind == "l"
    assert find(found, "/../..").path == ""
    with pytest.raises(NoSuchPath, match="no tol in /usr/bin") as caught:
        find(found, "/bin/tol")
    assert caught.value.hint == "did you mean tool?"
    with pytest.raises(NotADirectory):
        find(found, "/bin/tool/x")
    with pytest.raises(TooManyLinks):
        find(found, "/a")


@needs("debugfs")
def test_a_directory_that_is_in_itself_or_twice_ends(tmp_path: Path) -> None:
    tree = merge([ROOT], [Entry("d/e", "d", 0o755), Entry("a", "d", 0o755)])
    image = tmp_path / "image"
    for link in ("link d d/loop", "link d/e a/e"):
        image.unlink(missing_ok=True)
        raw.write(plan("ext4", tree, {"uuid": UUID}), image, Path)
        subprocess.run(["debugfs", "-w", "-R", link, image], check=True, capture_output=True)
        with pytest.raises(DamagedImage, match="are the same directory"):
            everything(open_file_system(FileSource(image)))


def test_a_directory_of_fat_that_is_in_itself_ends(tmp_path: Path) -> None:
    tree = merge([ROOT], [Entry("D/E", "d", 0o755)])
    made = plan("fat12", tree, {"uuid": UUID})
    image = tmp_path / "image"
    raw.write(made, image, Path)
    data = bytearray(image.read_bytes())
    outer, inner = (data.index(name.ljust(11)) for name in (b"D", b"E"))
    data[inner + 26 : inner + 28] = data[outer + 26 : outer + 28]
    image.write_bytes(data)
    with pytest.raises(DamagedImage, match="/D/E and /D are the same directory"):
        everything(open_file_system(FileSource(image)))


def test_directories_that_are_too_deep_are_an_error(tmp_path: Path) -> None:
    tree = merge([ROOT], [Entry("/".join("d" * 403), "d", 0o755)])
    with pytest.raises(DamagedImage, match="400 directories"):
        everything(open_file_system(written(plan("erofs", tree, {"uuid": UUID}), tmp_path)))


def test_what_is_no_file_system_is_named(tmp_path: Path) -> None:
    for data, named in (
        (b"\x1f\x8b" + bytes(100), "gzip"),
        (bytes(4086) + b"SWAPSPACE2", "swap"),
        (b"", "no file system"),
    ):
        (tmp_path / "image").write_bytes(data)
        with pytest.raises(UnknownContent, match=named):
            open_file_system(FileSource(tmp_path / "image"))


@pytest.mark.parametrize("kind", ["erofs", "vfat", "iso9660"])
def test_damage_is_an_error_of_its_own(kind: str, tmp_path: Path) -> None:
    entries = [Entry(f"d/f{number}", "f", 0o644, size=3000, ref=b"q" * 3000) for number in range(4)]
    options = {} if kind == "iso9660" else {"uuid": UUID}
    image = tmp_path / "image"
    raw.write(plan(kind, merge([ROOT], entries), options), image, Path)
    good = image.read_bytes()
    outcomes = set()
    for start in range(0, len(good), 64):
        if not any(good[start : start + 64]) or good[start : start + 64] == b"q" * 64:
            continue
        for pattern in (b"\xff" * 64, b"\x01\x80" * 32):
            image.write_bytes(good[:start] + pattern + good[start + 64 :])
            file = FileSource(image)
            try:
                found = open_file_system(file)
                for entry in everything(found):
                    if entry.kind == "f" and entry.size < MIB:
                        content(found, entry)
                outcomes.add("read")
            except (DamagedImage, BuilderError, AssertionError):
                outcomes.add("refused")
            finally:
                file.close()
    assert "refused" in outcomes
