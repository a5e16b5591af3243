"""Options of mkfs programs come to file systems that show them, and are sound."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from builders.filesystems import plan
from builders.filesystems.mkfs import PROGRAMS, BadMkfsOption, options
from builders.filesystems.options import BadOption
from builders.filesystems.workroom import Workroom
from builders.sinks import raw
from builders.tree import Entry
from tests.builders.filesystems import judges

MIB = 1 << 20
UUID = "12345678-9abc-4def-8123-456789abcdef"
TREE = [
    Entry("", "d", 0o755, mtime=10**18),
    *(Entry(f"d{n}", "d", 0o755, mtime=10**18) for n in range(40)),
    *(Entry(f"f{n:03}", "f", 0o644, size=9000, ref=b"x" * 9000) for n in range(60)),
]


def made(kind: str, words: str, directory: Path, size: int | None = None) -> Path:
    """The file system of TREE that Kiln writes with the options `words`."""
    image = directory / "image"
    image.unlink(missing_ok=True)
    given = {"uuid": UUID, "size": size, **options(kind, words.split())}
    tree = TREE[:1] if kind == "swap" else TREE
    raw.write(plan(kind, tree, given), image, Path)
    return image


def dumped(image: Path) -> dict[str, str]:
    """What dumpe2fs(8) says of the superblock."""
    done = subprocess.run(["dumpe2fs", "-h", image], capture_output=True, text=True, check=True)
    return {
        name.strip(): value.strip()
        for name, _, value in (line.partition(":") for line in done.stdout.splitlines())
    }


FEATURES = (
    *("has_journal", "64bit", "metadata_csum", "extent", "flex_bg", "dir_index"),
    "resize_inode",
)


@judges.needs("e2fsck")
@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("kind", ["ext2", "ext4"])
def test_a_feature_of_ext_is_switched(kind: str, feature: str, tmp_path: Path) -> None:
    for mark in ("", "^"):
        image = made(kind, f"-O {mark}{feature}", tmp_path, 160 * MIB)
        judges.e2fsck(image)
        has = dumped(image)["Filesystem features"].split()
        assert (feature in has) == (not mark), has


@judges.needs("e2fsck")
@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("-m 0", "Reserved block count", "0"),
        ("-m 12.5", "Reserved block count", str(int(40 * MIB // 4096 * 0.125))),
        ("-N 4096", "Inode count", "4096"),
        ("-i 4096", "Inode count", "10240"),
        ("-J size=8", "Total journal size", "8M"),
        ("-e remount-ro", "Errors behavior", "Remount read-only"),
        ("-E hash_seed=" + UUID, "Directory Hash Seed", UUID),
        ("-G 4", "Flex block group size", "4"),
        ("-b4096 -I 256", "Block size", "4096"),
        ("-O ^64bit,^metadata_csum", "Block count", "10240"),
    ],
)
def test_what_an_option_says_is_in_the_superblock(
    words: str, field: str, value: str, tmp_path: Path
) -> None:
    image = made("ext4", words, tmp_path, 40 * MIB)
    judges.e2fsck(image)
    assert dumped(image)[field] == value


@judges.needs("debugfs")
def test_the_owner_of_the_root_is_who_is_said_to_be(tmp_path: Path) -> None:
    image = made("ext4", "-E root_owner=1000:100,nodiscard", tmp_path)
    judges.e2fsck(image)
    shown = subprocess.run(
        ["debugfs", "-R", "stat <2>", image], capture_output=True, text=True, check=True
    ).stdout
    assert "User:  1000   Group:   100" in shown


@judges.needs("e2fsck")
def test_a_journal_can_be_left_out_and_put_into_ext2(tmp_path: Path) -> None:
    features = dumped(made("ext2", "-j -J size=4", tmp_path))["Filesystem features"]
    assert "has_journal" in features
    judges.e2fsck(tmp_path / "image")


@judges.needs("fsck.fat")
@pytest.mark.parametrize(
    ("kind", "words", "size", "text"),
    [
        ("vfat", "-F 32", 40 * MIB, "FAT32"),
        ("vfat", "-F16", 40 * MIB, "FAT16"),
        ("fat16", "-s 4 -S 512", 40 * MIB, "2048 bytes per cluster"),
        ("vfat", "-s 64 -F 32", None, "32768 bytes per cluster"),
        ("fat16", "-r 1024", 40 * MIB, "1024 root directory entries"),
        ("fat12", "-r 16", None, "128 root directory entries"),
    ],
)
def test_an_option_of_fat_is_seen_by_its_judge(
    kind: str, words: str, size: int | None, text: str, tmp_path: Path
) -> None:
    image = made(kind, words, tmp_path, size)
    done = subprocess.run(
        ["fsck.fat", "-n", "-v", image], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    if text.startswith("FAT"):
        shown = image.read_bytes()[:90]
        assert text.encode() in shown
    else:
        assert text in done.stdout, done.stdout


@judges.needs("btrfs")
def test_a_btrfs_has_its_subvolumes(tmp_path: Path) -> None:
    image = tmp_path / "image"
    words = ["--subvol", "d1", "--subvol=ro:d2", "-m", "single", "--nodesize", "4k"]
    words += ["-O", "no-holes,extref", "--csum", "crc32c", "-dsingle"]
    raw.write(plan("btrfs", TREE, {"uuid": UUID, **options("btrfs", words)}), image, Path)
    subprocess.run(["btrfs", "check", image], check=True, capture_output=True)
    shown = subprocess.run(
        ["btrfs", "inspect-internal", "dump-tree", "-t", "root", image],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "name d1" in shown
    assert "name d2" in shown


def test_the_serial_of_a_fat_is_its_uuid(tmp_path: Path) -> None:
    image = tmp_path / "image"
    raw.write(plan("fat16", TREE[:1], {"uuid": "1234-ABCD", "size": 8 * MIB}), image, Path)
    assert image.read_bytes()[39:43] == bytes.fromhex("CDAB3412")


@pytest.mark.parametrize(
    ("kind", "words", "message"),
    [
        ("ext4", "-O casefold", "casefold is none of has_journal"),
        ("ext4", "-m 60", "percentage from 0 to 50"),
        ("ext4", "-z", "-z of mke2fs is not understood"),
        ("ext4", "-N", "needs a value"),
        ("ext4", "-L x", "field label"),
        ("ext4", "-m 1 -m 2", "twice"),
        ("ext4", "-b 1024", "always have 4096"),
        ("ext4", "-E stride=4", "stride=4 is not understood"),
        ("fat32", "-i 12345678", "field uuid"),
        ("fat32", "-s 3", "power of two"),
        ("fat32", "-S 4096", "always have 512"),
        ("swap", "-p 65536", "always have 4096"),
        ("erofs", "-z zstd", "lz4hc,LEVEL is wanted"),
        ("erofs", "-z lz4hc,13", "levels from 1 to 12"),
        ("erofs", "-C 5000", "multiple of 4096"),
        ("btrfs", "-d dup", "stored once"),
        ("btrfs", "--subvol big:x", "PATH is wanted"),
        ("btrfs", "-O zoned", "the features always are extref"),
        ("btrfs", "-n 10k", "a power of two"),
        ("btrfs", "--csum xxhash", "always are crc32c"),
        ("btrfs", "--label=x", "by the partition's field label"),
        ("unformatted", "-x", "takes no options"),
    ],
)
def test_what_cannot_be_honoured_is_refused(kind: str, words: str, message: str) -> None:
    with pytest.raises(BadMkfsOption) as caught:
        options(kind, words.split())
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("kind", "words"),
    [("ext2", "-O extra_isize"), ("ext4", "-O ^filetype"), ("fat16", "-F 32"), ("ext3", "-G 4")],
)
def test_what_contradicts_the_file_system_is_refused(kind: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadOption):
        made(kind, words, tmp_path, 40 * MIB)


def test_every_program_of_the_table_takes_no_words_to_mean_nothing() -> None:
    assert all(options(kind, []) == {} for kind in PROGRAMS)


@judges.needs("dump.erofs")
def test_an_erofs_is_compressed_as_it_is_told(tmp_path: Path) -> None:
    tree = [TREE[0], Entry("f", "f", 0o644, size=300_000, ref=b"word " * 60_000)]
    sizes = {}
    for words in ("", "-zlz4", "-z lz4hc,12 -C 65536"):
        made_ = tmp_path / f"made{len(sizes)}"
        room = Workroom(Path, made_)
        image = tmp_path / "image"
        given = {"uuid": UUID, **options("erofs", words.split())}
        raw.write(plan("erofs", tree, given, room), image, Path)
        shown = subprocess.run(
            ["dump.erofs", "-s", image], check=True, capture_output=True, text=True
        ).stdout
        assert ("big_pcluster" in shown) == bool(words)
        sizes[words] = image.stat().st_size
        image.unlink()
    assert sizes["-zlz4"] <= sizes["-z lz4hc,12 -C 65536"] < sizes[""]
