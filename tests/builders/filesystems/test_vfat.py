"""FAT: fsck.fat has nothing to say, and mtools reads back what the tree says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.filesystems import plan
from builders.filesystems.hierarchy import BadTree, TreeDoesNotFit
from builders.filesystems.options import BadOption, LabelTooLong
from builders.filesystems.vfat.names import BadFatName
from builders.filesystems.vfat.survey import DirectoryTooLarge, NotInFat, SameName
from builders.merge import TreeConflict, merge
from builders.sinks import raw
from builders.tree import Content, Entry
from tests.builders.filesystems.judges import needs

MIB = 1 << 20
UUID = "12345678-9abc-4def-8123-456789abcdef"
ROOT = Entry("", "d", 0o755, mtime=1_700_000_000 * 10**9)

pytestmark = [needs("fsck.fat"), needs("mcopy")]

NAMES = st.one_of(
    st.sampled_from(
        [
            "README",
            "grub.cfg",
            "BOOTX64.EFI",
            "efi",
            "Mixed.txt",
            "UPPER.low",
            "a.b.c",
            ".hidden",
            "x" * 255,
            "É.TXT",
            "名前.txt",
            "long file.name",
        ]
    ),
    st.text("abcXYZ019-_ .é~", min_size=1, max_size=40).filter(
        lambda name: name[-1] not in ". " and name not in (".", "..")
    ),
)
FILES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join),
    st.sampled_from([b"", b"x", b"y" * 512, b"z" * 5000, b"w" * 300_000]),
    max_size=12,
)


def fsck(image: Path) -> None:
    done = subprocess.run(["fsck.fat", "-n", image], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "\n".join(done.stdout.splitlines()[1:]).count("\n") == 0, done.stdout


def extracted(image: Path, target: Path) -> dict[str, bytes]:
    target.mkdir()
    subprocess.run(
        ["mcopy", "-s", "-n", "-i", image, "::/", target],
        check=True,
        capture_output=True,
        env={"MTOOLS_SKIP_CHECK": "0", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    return {
        str(path.relative_to(target)): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file()
    }


@settings(max_examples=40, deadline=None)
@given(
    files=FILES,
    kind=st.sampled_from(["vfat", "fat12", "fat16", "fat32"]),
    size=st.sampled_from([None, None, 40 * MIB, 100 * MIB, 600 * MIB]),
)
def test_any_tree_is_read_back(files: dict[str, bytes], kind: str, size: int | None) -> None:
    if kind in ("fat12", "fat16") and size == 600 * MIB:
        size = None
    try:
        tree = merge(
            [ROOT],
            [
                Entry(path, "f", 0o644, size=len(text), ref=text or None)
                for path, text in files.items()
            ],
        )
        made = plan(kind, tree, {"uuid": UUID, "size": size, "label": "data"})
    except (BadTree, TreeConflict):
        return
    with TemporaryDirectory() as directory:
        image = Path(directory) / "image"
        raw.write(made, image, Path)
        fsck(image)
        assert extracted(image, Path(directory) / "out") == files


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        ("vfat", MIB, "FAT12"),
        ("vfat", 31 * MIB, "FAT16"),
        ("vfat", 512 * MIB, "FAT32"),
        ("fat32", 34 * MIB, "FAT32"),
        ("fat32", 2048 * MIB, "FAT32"),
        ("fat12", 2880 * 512, "FAT12"),
        ("fat12", 30 * MIB, "FAT12"),
        ("fat16", 5 * MIB, "FAT16"),
        ("fat16", 1024 * MIB, "FAT16"),
    ],
)
def test_kinds_and_sizes(kind: str, size: int, expected: str, tmp_path: Path) -> None:
    source = tmp_path / "pool"
    source.write_bytes(b"q" * 100_000)
    tree = [
        ROOT,
        Entry("EFI", "d", 0o755),
        Entry("EFI/loader.efi", "f", 0o644, size=100_000, ref=Content("pool")),
    ]
    made = plan(kind, tree, {"uuid": UUID, "size": size, "label": "ESP"})
    if size >= 512 * MIB:  # clusters of 4 KiB: contents can be shared
        assert made.segments[0].offset % 4096 == 0
    image = tmp_path / "image"
    raw.write(made, image, lambda name: tmp_path / name)
    fsck(image)
    assert extracted(image, tmp_path / "out") == {"EFI/loader.efi": b"q" * 100_000}
    with image.open("rb") as file:
        assert expected in file.read(512).decode("latin-1")


def test_names_of_one_case_need_no_long_name(tmp_path: Path) -> None:
    files = {"BOOTX64.EFI": 1, "grub.cfg": 1, "vmlinuz": 1, "UPPER.low": 1, "lower.UP": 1}
    files |= {"Mixed.txt": 2, "longer name.txt": 3, "ﬁ": 2, "x.html": 2}
    tree = merge([ROOT], [Entry(name, "f", 0o644) for name in files])
    made = plan("vfat", tree, {"uuid": UUID})
    raw.write(made, tmp_path / "image", Path)
    fsck(tmp_path / "image")
    assert extracted(tmp_path / "image", tmp_path / "out") == dict.fromkeys(files, b"")
    root = next(data for _, data in made.metadata if data.startswith(b"BOOTX64 EFI"))
    assert len(root) == 32 * sum(files.values())


@pytest.mark.parametrize("kind", ["fat12", "fat16", "fat32"])
def test_all_sizes_are_sound(kind: str, tmp_path: Path) -> None:
    first, last = {"fat12": (1, 30), "fat16": (3, 1000), "fat32": (34, 3000)}[kind]
    sound = 0
    for step in range(25):
        size = int(first * (last / first) ** (step / 24)) * MIB + step * 512
        try:
            made = plan(
                kind, [ROOT, Entry("a", "f", 0o644, size=1, ref=b"a")], {"uuid": UUID, "size": size}
            )
        except BadOption:
            continue  # too few clusters for the kind
        raw.write(made, tmp_path / "image", Path)
        fsck(tmp_path / "image")
        (tmp_path / "image").unlink()
        sound += 1
    assert sound > 20


def test_short_names_are_told_apart(tmp_path: Path) -> None:
    files = {f"long name {number}.text": bytes([number]) for number in range(30)}
    tree = merge([ROOT], [Entry(n, "f", 0o644, size=1, ref=b) for n, b in files.items()])
    raw.write(plan("vfat", tree, {"uuid": UUID}), tmp_path / "image", Path)
    fsck(tmp_path / "image")
    assert extracted(tmp_path / "image", tmp_path / "out") == files


def test_no_short_name_is_what_another_file_is_called(tmp_path: Path) -> None:
    files = {"LONG name.txt": b"long", "LONGNA~1.TXT": b"short", "Longna~2.txt": b"mixed"}
    files |= {"long names.txt": b"next", "~": b"", "a~\u00e9": b""}
    tree = merge(
        [ROOT], [Entry(n, "f", 0o644, size=len(b), ref=b or None) for n, b in files.items()]
    )
    raw.write(plan("vfat", tree, {"uuid": UUID}), tmp_path / "image", Path)
    fsck(tmp_path / "image")
    for name, text in files.items():  # mtype writes all files that are called so
        command = ["mtype", "-i", tmp_path / "image", f"::/{name}"]
        utf8 = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
        done = subprocess.run(command, check=True, capture_output=True, env=utf8)
        assert done.stdout == text


def test_holes_are_neither_read_nor_written(tmp_path: Path) -> None:
    size = 60 * MIB
    source = tmp_path / "pool"
    with source.open("wb") as file:
        file.truncate(size)
        file.seek(size - 3)
        file.write(b"end")
    content = Content("pool", 0, ((0, size - 4096),))
    made = plan("vfat", [ROOT, Entry("a", "f", 0o644, size=size, ref=content)], {"uuid": UUID})
    assert [segment.length for segment in made.segments] == [4096]
    raw.write(made, tmp_path / "image", lambda name: tmp_path / name)
    fsck(tmp_path / "image")
    assert extracted(tmp_path / "image", tmp_path / "out") == {"a": source.read_bytes()}


@pytest.mark.parametrize("character", '"*:<>?\\|\x01\x1f')
def test_a_name_that_fat_forbids_is_refused_with_its_path(character: str) -> None:
    path = f"some/where/a{character}b"
    tree = merge([ROOT], [Entry(path, "f", 0o644)])
    with pytest.raises(BadFatName, match=re.escape(f"/{path} cannot be in a FAT")):
        plan("vfat", tree, {"uuid": UUID})


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (Entry("a", "l", 0o777, size=1, ref="b"), NotInFat),
        (Entry("a", "c", 0o600, ref=(1, 3)), NotInFat),
        (Entry("a", "f", 0o644, size=1 << 32, ref=Content("x")), NotInFat),
        (Entry("a:b", "f", 0o644), BadFatName),
        (Entry("a.", "f", 0o644), BadFatName),
        (Entry("\udcff", "f", 0o644), BadFatName),
        (Entry("README", "f", 0o644), SameName),
        (Entry("big", "f", 0o644, size=9 * MIB, ref=Content("x")), TreeDoesNotFit),
    ],
)
def test_what_fat_cannot_hold_is_refused(entry: Entry, error: type[BadTree]) -> None:
    tree = merge([ROOT, Entry("readme", "f", 0o644)], [entry])
    with pytest.raises(error):
        plan("vfat", tree, {"uuid": UUID, "size": 8 * MIB})


def test_a_directory_of_many_long_names_is_quick_and_has_an_end(tmp_path: Path) -> None:
    files = [Entry(f"d/many long names {n:05}.text", "f", 0o644) for n in range(20000)]
    tree = [ROOT, Entry("d", "d", 0o755), *files]
    raw.write(plan("fat16", tree, {"uuid": UUID}), tmp_path / "image", Path)
    fsck(tmp_path / "image")
    more = [Entry(f"d/more long names {n:05}.text", "f", 0o644) for n in range(2000)]
    with pytest.raises(DirectoryTooLarge, match="the directory /d takes 66,002 entries"):
        plan("fat16", [*tree, *more], {"uuid": UUID})


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"label": "twelve chars"}, LabelTooLong),
        ({"label": "a/b"}, BadOption),
        ({"label": " a"}, BadOption),
        ({"label": "a "}, BadOption),
        ({"label": "NO NAME"}, BadOption),
        ({"uuid": None}, BadOption),
        ({"size": 1000}, BadOption),
        ({"size": 2 << 40}, BadOption),
        ({"inodes": 5}, BadOption),
    ],
)
def test_options_are_checked(options: dict[str, object], error: type[BadOption]) -> None:
    with pytest.raises(error):
        plan("fat32", [ROOT], {"uuid": UUID, **options})


def test_a_label_is_as_declared(tmp_path: Path) -> None:
    image = tmp_path / "image"
    raw.write(plan("fat16", [ROOT], {"uuid": UUID, "label": "My data"}), image, Path)
    assert image.read_bytes().count(b"My data    ") == 2
    fsck(image)
