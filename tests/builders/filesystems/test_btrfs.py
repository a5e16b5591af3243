"""btrfs: btrfs check has nothing to say, the kernel shows what the tree says, and writes on."""

from __future__ import annotations

import os
import re
import subprocess
import uuid as uuids
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.filesystems import btrfs
from builders.filesystems import plan as plan_of
from builders.filesystems.btrfs import chunks
from builders.filesystems.btrfs.files import (
    SymlinkTooLong,
    TimeOutOfRange,
    TooBigForALeaf,
    TooManyLinks,
    UnknownXattr,
)
from builders.filesystems.btrfs.items import name_hash
from builders.filesystems.btrfs.subvolumes import LinkBetweenSubvolumes
from builders.filesystems.hierarchy import BadContent, TreeDoesNotFit
from builders.filesystems.options import BadOption, LabelTooLong
from builders.merge import arrange
from builders.plan import Plan
from builders.sinks import raw
from builders.sinks.raw import SourceChanged, SourceMissing
from builders.tree import Content, Entry
from tests.builders.filesystems import judges
from tests.builders.filesystems.trees import sources, trees, zeros

pytestmark = judges.needs("btrfs")

MIB = 1 << 20
BLOCK = 4096
UUID = uuids.UUID("12345678-9abc-4def-8123-456789abcdef")
ROOT = Entry("", "d", 0o755, mtime=10**18)


def options(**given: object) -> btrfs.BtrfsOptions:
    return btrfs.BtrfsOptions(**{"uuid": UUID, **given})  # type: ignore[arg-type]


def written(plan: Plan, path: Path, source: Path | None = None) -> Path:
    raw.write(plan, path, sources(pool=source or path))
    return path


def made(tree: list[Entry], path: Path, source: Path | None = None, **given: object) -> Path:
    found = btrfs.plan(tree, options(**given), sources(pool=source or path))
    return written(found, path, source)


def checked(image: Path) -> Path:
    judges.btrfs_check(image)
    return image


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    tree=trees("pool"),
    size=st.sampled_from([None, None, 200 * MIB]),
    nodesize=st.sampled_from([16384, 16384, 4096]),
    metadata=st.sampled_from(["dup", "single"]),
)
def test_any_tree_is_what_the_kernel_shows(
    tree: tuple[list[Entry], dict[str, bytes], bytes],
    size: int | None,
    nodesize: int,
    metadata: str,
) -> None:
    entries, contents, pool = tree
    if nodesize == 4096:  # longer targets do not fit into a node
        entries = [entry for entry in entries if entry.kind != "l" or entry.size < 3900]
    with TemporaryDirectory() as directory:
        source = Path(directory) / "pool"
        source.write_bytes(pool)
        given = options(size=size, label="wurzel", nodesize=nodesize, metadata=metadata)
        plan = btrfs.plan(entries, given, sources(pool=source))
        assert sorted(plan.metadata) == plan.metadata
        image = written(plan, Path(directory) / "image", source)
        assert image.stat().st_size == plan.size
        checked(image)
        if not judges.why_not_mount("btrfs"):
            judges.compare_mounted(image, entries, contents, "btrfs")


@settings(max_examples=10, deadline=None)
@given(tree=trees("pool"))
def test_pieces_of_a_plan_are_apart_and_the_plan_is_always_the_same(
    tree: tuple[list[Entry], dict[str, bytes], bytes],
) -> None:
    with TemporaryDirectory() as directory:
        source = Path(directory) / "pool"
        source.write_bytes(tree[2])
        plan = btrfs.plan(tree[0], options(), sources(pool=source))
        assert btrfs.plan(list(tree[0]), options(), sources(pool=source)) == plan
    pieces = sorted(
        [(offset, len(data)) for offset, data in plan.metadata]
        + [(segment.offset, segment.length) for segment in plan.segments]
    )
    for (offset, length), (following, _) in pairwise(pieces):
        assert offset + length <= following
    assert pieces[-1][0] + pieces[-1][1] <= plan.size


def torture(pool: Path) -> tuple[list[Entry], dict[str, bytes]]:
    """Collisions of hashes, many links, big attributes, many extents and holes, all at once."""
    runs = 600
    fragmented = b"".join(b"d" * BLOCK + bytes(BLOCK) for _ in range(runs)) + b"end"
    random = os.urandom(70 * MIB)  # over the copy of the superblock
    pool.write_bytes(fragmented.ljust(len(fragmented) + BLOCK - 3, b"\0") + random)
    place = len(fragmented) + BLOCK - 3
    contents = {
        "fragmented": fragmented,
        "random": random,
        "deep/inline": b"i" * 2048,
        "deep/sector": b"s" * 2049,
        "jofsdkozio": b"",
    }
    acl = bytes.fromhex("0200000001000600ffffffff02000400e803000004000400ffffffff")
    acl += bytes.fromhex("10000400ffffffff20000400ffffffff")
    acls = {"system.posix_acl_access": acl}
    one, other = "jofsdkozio", "yipaolackd"
    assert name_hash(one.encode()) == name_hash(other.encode())
    entries = [
        ROOT,
        Entry("deep", "d", 0o1777, xattrs={"user.big": b"v" * 16000, "user.small": b""}),
        Entry("deep/inline", "f", 0o6755, -1 & 0xFFFFFFFE, 5, -1, 2048, b"i" * 2048),
        Entry("deep/sector", "f", 0o644, 0, 0, 7, 2049, b"s" * 2049, acls),
        Entry(
            "fragmented",
            "f",
            0o600,
            size=len(fragmented),
            ref=Content("pool", 0, zeros(fragmented)),
        ),
        Entry("random", "f", 0o600, size=len(random), ref=Content("pool", place)),
        Entry(one, "f", 0o600, xattrs={f"user.{one}": b"1", f"user.{other}": b"22"}),
        Entry(other, "d", 0o700),
        *(Entry(f"deep/z{n:04}{'n' * 200}", "h", 0, ref="deep/inline") for n in range(300)),
    ]
    return arrange(entries), contents


def test_collisions_many_links_and_a_superblock_within_the_data(tmp_path: Path) -> None:
    entries, contents = torture(tmp_path / "pool")
    image = checked(made(entries, tmp_path / "image", tmp_path / "pool"))
    if judges.why_not_mount("btrfs"):
        pytest.skip(judges.why_not_mount("btrfs"))
    judges.compare_mounted(image, entries, contents, "btrfs")


def test_btrfs_restore_finds_what_is_there(tmp_path: Path) -> None:
    content = os.urandom(300_000)
    tree = [
        ROOT,
        Entry("big", "f", 0o640, size=300_000, ref=content),
        Entry("d", "d", 0o750),
        Entry("d/link", "l", 0o777, size=6, ref="../big"),
        Entry("d/small", "f", 0o4755, size=5, ref=b"small"),
        Entry("e", "d", 0o700),
    ]
    image = made(tree, tmp_path / "image")
    judges.compare_restored(image, tree, {"big": content, "d/small": b"small"})


def test_trees_over_many_chunks_are_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "_MOST_DATA", 5 * MIB)
    monkeypatch.setattr(chunks, "_MOST_METADATA", 2 * MIB)
    content = os.urandom(62 * MIB)
    small = {f"s{number:04}": b"%d" % number * 100 for number in range(3000)}
    tree = [ROOT, Entry("big", "f", 0o644, size=len(content), ref=content)]
    tree += [Entry(name, "f", 0o644, size=len(text), ref=text) for name, text in small.items()]
    image = checked(made(tree, tmp_path / "image"))
    if judges.why_not_mount("btrfs"):
        pytest.skip(judges.why_not_mount("btrfs"))
    judges.compare_mounted(image, tree, {"big": content, **small}, "btrfs")


def test_the_kernel_writes_to_it_and_it_stays_sound(tmp_path: Path) -> None:
    if judges.why_not_mount("btrfs"):
        pytest.skip(judges.why_not_mount("btrfs"))
    content = os.urandom(3000)
    tree = [ROOT] + [Entry(f"f{n:03}", "f", 0o644, size=3000, ref=content) for n in range(500)]
    image = made(tree, tmp_path / "image")
    with judges.mounted(image, "btrfs", "rw") as root:
        (root / "new").write_bytes(os.urandom(20 * MIB))
        for number in range(0, 500, 2):
            (root / f"f{number:03}").unlink()
        (root / "f001").write_bytes(b"short")
        subprocess.run(["btrfs", "subvolume", "snapshot", root, root / "copy"], check=True)
        subprocess.run(["sync", "-f", root], check=True)
        done = subprocess.run(
            ["btrfs", "scrub", "start", "-B", root], capture_output=True, text=True, check=True
        )
        assert "no errors found" in done.stdout
    checked(image)


def test_data_has_half_of_what_is_free_and_metadata_room_to_grow(tmp_path: Path) -> None:
    names = (f"{number:05}" for number in range(12000))
    tree = [ROOT] + [Entry(name, "f", 0o644, size=2000, ref=b"m" * 2000) for name in names]
    tree.append(Entry("z", "f", 0o644, size=70 * MIB, ref=bytes(70 * MIB)))
    image = checked(made(tree, tmp_path / "image", free=200 * MIB))
    dump = subprocess.run(
        ["btrfs", "inspect-internal", "dump-tree", "-t", "extent", image],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.findall(
        r"BLOCK_GROUP_ITEM (\d+)\).*\n.*used (\d+) chunk_objectid 256 flags (\w+)", dump
    )
    data = [int(length) - int(used) for length, used, kind in found if kind == "DATA"]
    assert 100 * MIB <= sum(data) <= 101 * MIB
    ((length, used),) = [(int(a), int(b)) for a, b, kind in found if kind == "METADATA"]
    assert used < 0.75 * length  # from 80 % on the kernel takes all there is for another chunk


def test_twenty_thousand_files_in_a_directory(tmp_path: Path) -> None:
    names = (f"file-number-{number:06}" for number in range(20000))
    tree = [ROOT, *(Entry(name, "f", 0o644, size=1, ref=b"x") for name in names)]
    checked(written(btrfs.plan(tree, options()), tmp_path / "image"))


def test_every_sparse_file_has_its_size(tmp_path: Path) -> None:
    pool = tmp_path / "pool"
    pool.write_bytes(b"")
    size = 6 << 30
    os.truncate(pool, size)
    with pool.open("r+b") as file:
        os.pwrite(file.fileno(), b"end", size - 3)
    holes = ((0, size - BLOCK),)
    tree = [
        ROOT,
        Entry("big", "f", 0o644, size=size, ref=Content("pool", 0, holes)),
        Entry("hole", "f", 0o644, size=100, ref=Content("pool", 0, ((0, 100),))),
    ]
    image = checked(made(tree, tmp_path / "image", pool))
    assert image.stat().st_size < 200 * MIB
    if not judges.why_not_mount("btrfs"):
        with judges.mounted(image, "btrfs") as root, (root / "big").open("rb") as file:
            assert os.pread(file.fileno(), 8, size - 8) == b"\0\0\0\0\0end"
            assert (root / "hole").read_bytes() == bytes(100)


def test_a_huge_file_system_costs_little_and_has_all_superblocks(tmp_path: Path) -> None:
    image = checked(made([ROOT], tmp_path / "image", size=300 << 30))
    assert image.stat().st_blocks * 512 < 4 * MIB
    with image.open("rb") as file:
        for place in (64 << 10, 64 << 20, 256 << 30):
            assert os.pread(file.fileno(), 8, place + 64) == b"_BHRfS_M"


def superblock(image: Path) -> dict[str, str]:
    done = subprocess.run(
        ["btrfs", "inspect-internal", "dump-super", image],
        capture_output=True,
        text=True,
        check=True,
    )
    return {words[0]: words[1] for line in done.stdout.splitlines() if (words := line.split())[1:]}


def test_the_features_are_those_of_mkfs(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    made([ROOT], ours, size=600 * MIB, label="root")
    theirs.touch()
    os.truncate(theirs, 600 * MIB)
    subprocess.run(["mkfs.btrfs", "-q", "-L", "root", "-U", str(UUID), theirs], check=True)
    left, right = superblock(ours), superblock(theirs)
    same = ["csum_type", "fsid", "label", "total_bytes", "sectorsize", "nodesize", "root_dir"]
    same += ["num_devices", "compat_flags", "compat_ro_flags", "magic"]
    assert {name: left[name] for name in same} == {name: right[name] for name in same}
    # mkfs leaves it to the kernel to say that nodes are bigger than pages
    assert int(left["incompat_flags"], 16) == int(right["incompat_flags"], 16) | 0x20


SUBVOLUMES = [
    ROOT,
    Entry("etc", "d", 0o755),
    Entry("etc/motd", "f", 0o644, size=2, ref=b"hi"),
    Entry("home", "d", 0o755, 0, 0, 5 * 10**9),
    Entry("home/alice", "d", 0o700, 1000, 1000),
    Entry("home/alice/x", "f", 0o600, 1000, 1000, 0, 5000, b"x" * 5000),
    Entry("home/alice/y", "h", 0, ref="home/alice/x"),
]


def listed(root: Path) -> str:
    done = subprocess.run(
        ["btrfs", "subvolume", "list", root], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_directories_become_subvolumes_in_their_place(tmp_path: Path) -> None:
    found = (btrfs.Subvolume("home"), btrfs.Subvolume("home/alice", "ro"))
    image = checked(made(SUBVOLUMES, tmp_path / "image", subvolumes=found))
    if judges.why_not_mount("btrfs"):
        pytest.skip(judges.why_not_mount("btrfs"))
    with judges.mounted(image, "btrfs", "rw") as root:
        assert [line.split()[-1] for line in listed(root).splitlines()] == ["home", "home/alice"]
        assert (root / "home/alice/y").read_bytes() == b"x" * 5000
        assert (root / "home/alice").stat().st_uid == 1000
        (root / "home/new").write_bytes(b"")
        with pytest.raises(OSError, match="Read-only"):
            (root / "home/alice/new").write_bytes(b"")
    with judges.mounted(image, "btrfs", "ro,subvol=home") as root:
        assert sorted(path.name for path in root.iterdir()) == ["alice", "new"]
    checked(image)


def test_a_root_and_homes_are_moved_to_where_they_are_mounted_from(tmp_path: Path) -> None:
    found = (
        btrfs.Subvolume("@", "default", ""),
        btrfs.Subvolume("vols/@home", "rw", "home"),
        btrfs.Subvolume("@snapshots", "rw", ".snapshots"),
    )
    image = checked(made(SUBVOLUMES, tmp_path / "image", subvolumes=found))
    if judges.why_not_mount("btrfs"):
        pytest.skip(judges.why_not_mount("btrfs"))
    with judges.mounted(image, "btrfs") as root:  # the default
        assert sorted(path.name for path in root.iterdir()) == ["etc", "home"]
        assert list((root / "home").iterdir()) == []
        assert (root / "etc/motd").read_bytes() == b"hi"
    with judges.mounted(image, "btrfs", "ro,subvol=vols/@home") as root:
        assert (root / "alice/y").stat().st_nlink == 2
    with judges.mounted(image, "btrfs", "ro,subvolid=5") as root:
        assert sorted(path.name for path in root.iterdir()) == ["@", "@snapshots", "vols"]


def test_a_tree_that_just_fits_fits_and_a_sector_less_does_not(tmp_path: Path) -> None:
    tree = [ROOT] + [Entry(f"f{n}", "f", 0o644, size=MIB, ref=b"q" * MIB) for n in range(150)]
    exact = btrfs.plan(tree, options(free=0)).size
    checked(made(tree, tmp_path / "image", size=exact))
    with pytest.raises(TreeDoesNotFit) as caught:
        btrfs.plan(tree, options(size=exact - BLOCK))
    assert f"{exact:,} bytes as btrfs" in caught.value.message
    assert "4,096 too few" in caught.value.message
    assert "/f0" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("tree", "error"),
    [
        ([ROOT, Entry("a", "f", 0o644, size=5)], BadContent),
        ([ROOT, Entry("a", "f", 0o644, size=5000, ref=b"four")], BadContent),
        ([ROOT, Entry("a", "l", 0o777, size=4096, ref="t" * 4096)], SymlinkTooLong),
        ([ROOT, Entry("a", "f", 0o644, mtime=2**63 * 10**9)], TimeOutOfRange),
        ([ROOT, Entry("a", "f", 0o644, xattrs={"mac.x": b""})], UnknownXattr),
        ([ROOT, Entry("a", "f", 0o644, xattrs={"user.x": bytes(16300)})], TooBigForALeaf),
        ([ROOT, Entry("a", "f", 0o644, size=3, ref=Content("/nowhere"))], SourceMissing),
        ([ROOT, Entry("a", "f", 0o644, size=3, ref=Content("/dev/null"))], SourceChanged),
        (
            [
                ROOT,
                Entry("a", "f", 0o644),
                *(Entry(f"b{n:05}", "h", 0, ref="a") for n in range(65535)),
            ],
            TooManyLinks,
        ),
    ],
)
def test_a_tree_that_btrfs_cannot_hold_is_refused(tree: list[Entry], error: type) -> None:
    with pytest.raises(error):
        btrfs.plan(tree, options())


def test_hard_links_stay_within_a_subvolume() -> None:
    tree = [ROOT, Entry("a", "d", 0o755), Entry("a/f", "f", 0o644), Entry("b", "h", 0, ref="a/f")]
    with pytest.raises(LinkBetweenSubvolumes):
        btrfs.plan(tree, options(subvolumes=(btrfs.Subvolume("a"),)))


@pytest.mark.parametrize(
    ("given_options", "error"),
    [
        ({"label": "l" * 256}, LabelTooLong),
        ({"label": "a\0"}, BadOption),
        ({"size": 100 * MIB}, BadOption),
        ({"free": -1}, BadOption),
        ({"metadata": "raid1"}, BadOption),
        ({"nodesize": 5000}, BadOption),
        ({"uuid": "zz"}, BadOption),
        ({"uuid": None}, BadOption),
        ({"blue": 1}, BadOption),
        ({"subvolumes": [{"path": "missing"}]}, BadOption),
        ({"subvolumes": [{"path": "../x"}]}, BadOption),
        ({"subvolumes": [{"path": "x", "kind": "wo"}]}, BadOption),
        ({"subvolumes": [{"path": "x"}, {"path": "/x/"}]}, BadOption),
        ({"subvolumes": ["x"]}, BadOption),
    ],
)
def test_options_are_checked_by_name(given_options: dict[str, object], error: type) -> None:
    with pytest.raises(error) as caught:
        plan_of("btrfs", [ROOT], {"uuid": str(UUID), **given_options})
    assert next(iter(given_options)) in str(caught.value)
