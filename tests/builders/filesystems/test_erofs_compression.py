"""Compressed EROFS: what is packed, fsck.erofs and the kernel unpack; what mkfs packs, Kiln."""

from __future__ import annotations

import random
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.errors import BuilderError
from builders.filesystems import plan
from builders.filesystems.options import BadOption
from builders.filesystems.workroom import Workroom
from builders.plan import Plan
from builders.readers import open_file_system
from builders.readers.source import FileSource
from builders.sinks import raw
from builders.sinks.codecs import BadLevel, NoLevels
from builders.sinks.raw import SourceChanged
from builders.tree import Content, Entry, order
from tests.builders.filesystems import judges
from tests.builders.filesystems.test_erofs import ROOT, UUID, compare_extracted, fsck
from tests.builders.filesystems.trees import sources, trees
from tests.builders.readers.test_ext4 import compare, everything

BLOCK = 4096
TIME = 10**18


def pack(
    tree: list[Entry], folder: Path, pool: bytes = b"", name: str = "image", **options: object
) -> tuple[Path, Plan]:
    (folder / "pool").write_bytes(pool)
    made = folder / f"{name}.made"
    made.unlink(missing_ok=True)
    real = sources(**{"pool": folder / "pool", str(made): made})
    given_ = {"uuid": UUID, "compression": "lz4", **options}
    planned = plan("erofs", tree, given_, Workroom(real, made))
    image = folder / name
    image.unlink(missing_ok=True)
    raw.write(planned, image, real)
    return image, planned


def text(size: int, seed: int = 0) -> bytes:
    """Words: they shrink to about a half."""
    source = random.Random(seed)
    words = [source.randbytes(source.randint(2, 9)) for _ in range(300)]
    return b"".join(source.choices(words, k=size // 2 + 1))[:size]


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@judges.needs("fsck.erofs")
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    tree=trees("pool"),
    parts=st.lists(
        st.tuples(
            st.sampled_from([text, noise, bytes]),
            st.sampled_from([1, 4095, 4096, 4097, 8193, 12288, 20000, 65536, 131073, 300_001]),
        ),
        max_size=4,
    ),
    method=st.sampled_from(["lz4", "lz4hc"]),
    cluster=st.sampled_from([2 * BLOCK, 3 * BLOCK, 16 * BLOCK, None, 1 << 20]),
    tails=st.sampled_from(["blocks", "inline"]),
)
def test_any_tree_is_read_back(
    tree: tuple[list[Entry], dict[str, bytes], bytes],
    parts: list[tuple[object, int]],
    method: str,
    cluster: int | None,
    tails: str,
) -> None:
    entries, contents, pool = tree
    mixed = b"".join(kind(size) for kind, size in parts)  # type: ignore[operator]
    mix = Entry("mixed parts", "f", 0o640, 1, 2, TIME, len(mixed), mixed or None)
    entries = sorted([*entries, mix], key=lambda entry: order(entry.path))
    contents = {**contents, mix.path: mixed}
    with TemporaryDirectory() as folder:
        image, planned = pack(
            entries, Path(folder), pool, compression=method, cluster=cluster, tails=tails
        )
        assert sorted(planned.metadata) == planned.metadata
        assert sorted(planned.segments) == planned.segments
        fsck(image)
        if judges.why_not_mount():
            out = Path(folder) / "out"
            fsck(image, f"--extract={out}", "--no-preserve")
            compare_extracted(out, entries, contents)
        else:
            judges.compare_mounted(image, entries, contents, "erofs")
        file = FileSource(image)
        compare(open_file_system(file), entries, contents)
        file.close()


def big_tree() -> tuple[list[Entry], bytes]:
    pool = text(900_000) + noise(300_000) + bytes(500_000) + text(700_001, 3)
    hole = (1_200_000, 500_000)
    whole = Entry("all", "f", 0o644, mtime=TIME, size=len(pool), ref=Content("pool", 0, (hole,)))
    middle = Entry("mid", "f", 0o644, mtime=TIME, size=1_000_000, ref=Content("pool", 777))
    return [ROOT, whole, middle], pool


def test_what_shrinks_is_compressed_and_the_rest_stays_where_it_is(tmp_path: Path) -> None:
    tree = [
        ROOT,
        Entry("noise", "f", 0o644, size=500_000, ref=Content("pool", 0)),
        Entry("small", "f", 0o644, size=300, ref=Content("pool", 0)),
        Entry("text", "f", 0o644, size=500_000, ref=Content("pool", 500_000)),
    ]
    _, planned = pack(tree, tmp_path, noise(500_000) + text(500_000))
    by_source: dict[str, int] = {}
    for segment in planned.segments:
        by_source[segment.source] = by_source.get(segment.source, 0) + segment.length
    made = str(tmp_path / "image.made")
    assert by_source["pool"] == 500_300
    assert by_source[made] < 400_000
    assert (tmp_path / "image.made").stat().st_size == by_source[made]


def test_the_bytes_do_not_depend_on_how_often_it_is_done(tmp_path: Path) -> None:
    tree, pool = big_tree()
    first, _ = pack(tree, tmp_path, pool, "one", compression="lz4hc", level=4)
    second, _ = pack(tree, tmp_path, pool, "two", compression="lz4hc", level=4)
    assert first.read_bytes() == second.read_bytes()


def test_a_higher_level_is_smaller(tmp_path: Path) -> None:
    tree, pool = big_tree()
    fast, _ = pack(tree, tmp_path, pool, compression="lz4", name="fast")
    small, _ = pack(tree, tmp_path, pool, compression="lz4hc", name="small", level=12)
    plain, _ = pack(tree, tmp_path, pool, compression="none", name="plain")
    assert small.stat().st_size < fast.stat().st_size < plain.stat().st_size


@judges.needs("mkfs.erofs")
@pytest.mark.parametrize(
    "options", [[], ["-C65536"], ["-Elegacy-compress"], ["-Elegacy-compress", "-C65536"]]
)
def test_an_erofs_of_mkfs_is_read(options: list[str], tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    contents = {
        "text": text(1_000_001),
        "noise": noise(100_000),
        "mixed": text(50_000) + noise(70_000) + bytes(90_000) + text(3),
        "small": b"x" * 10,
        "two": b"y" * 8200,
    }
    for name, data in contents.items():
        (tree / name).write_bytes(data)
    image = tmp_path / "image"
    command = ["mkfs.erofs", "-zlz4hc", *options, image, tree]
    subprocess.run(command, check=True, capture_output=True)
    found = open_file_system(FileSource(image))
    for entry in found.children(""):
        data = b"".join(part for _, part in found.runs(entry.path))
        assert data == contents[entry.path], entry.path


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"compression": "zstd"}, BadOption),
        ({"compression": "lz4hc", "level": 13}, BadLevel),
        ({"compression": "lz4", "level": 1}, NoLevels),
        ({"compression": "none", "level": 1}, BadOption),
        ({"compression": "lz4", "cluster": 4096}, BadOption),
        ({"compression": "lz4", "cluster": 10_000}, BadOption),
        ({"compression": "lz4", "cluster": 2 << 20}, BadOption),
    ],
)
def test_options_are_checked(
    options: dict[str, object], error: type[BuilderError], tmp_path: Path
) -> None:
    with pytest.raises(error):
        pack([ROOT], tmp_path, **options)


def test_a_source_that_has_become_shorter_is_an_error(tmp_path: Path) -> None:
    tree = [ROOT, Entry("a", "f", 0o644, size=10_000, ref=Content("pool", 0))]
    with pytest.raises(SourceChanged):
        pack(tree, tmp_path, b"q" * 9999)


def test_there_is_no_compression_without_room() -> None:
    with pytest.raises(BadOption, match="no room"):
        plan("erofs", [ROOT], {"uuid": UUID, "compression": "lz4"})


@cache
def small() -> bytes:
    files = [
        Entry("noise", "f", 0o644, size=9000, ref=noise(9000)),
        Entry("text", "f", 0o644, size=150_001, ref=text(150_001)),
        Entry("zeros", "f", 0o644, size=100_000, ref=bytes(100_000)),
    ]
    with TemporaryDirectory() as folder:
        image, _ = pack([ROOT, *files], Path(folder), cluster=32 << 10)
        return image.read_bytes()


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damage_is_an_error_of_its_own(data: st.DataObject) -> None:
    """In the superblock, inodes, indexes and the beginning of what is compressed."""
    damaged = bytearray(small())
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(1024, 1200) | st.integers(4096, 9000))
        damaged[place] = data.draw(st.sampled_from([0, 1, 2, 3, 8, 0x7F, 0x80, 0xFF]))
    with TemporaryDirectory() as folder:
        (Path(folder) / "image").write_bytes(damaged)
        file = FileSource(Path(folder) / "image")
        try:
            found = open_file_system(file)
            for entry in everything(found):
                for _, part in zip(range(1000), found.runs(entry.path), strict=False):
                    assert len(part[1]) <= 12 << 20
        except BuilderError:
            pass
        finally:
            file.close()
