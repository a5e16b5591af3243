"""EROFS: fsck.erofs has nothing to say, and what is read back is what the tree says."""

from __future__ import annotations

import subprocess
import uuid as uuids
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.filesystems import plan
from builders.filesystems.erofs.xattrs import XattrNotInErofs
from builders.filesystems.hierarchy import BadContent, TreeDoesNotFit
from builders.filesystems.options import BadOption, LabelTooLong
from builders.sinks import raw
from builders.tree import Content, Entry
from tests.builders.filesystems import judges
from tests.builders.filesystems.trees import sources, trees

pytestmark = judges.needs("fsck.erofs")

BLOCK = 4096
UUID = uuids.UUID("12345678-9abc-4def-8123-456789abcdef")
ROOT = Entry("", "d", 0o755, mtime=10**18)


def fsck(image: Path, *options: str) -> None:
    done = subprocess.run(
        ["fsck.erofs", *options, image], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "error" not in done.stdout.lower() + done.stderr.lower()


@pytest.mark.parametrize("tails", ["blocks", "inline"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=trees("pool"), size=st.sampled_from([None, None, 40 << 20]))
def test_any_tree_is_read_back(
    tails: str, tree: tuple[list[Entry], dict[str, bytes], bytes], size: int | None
) -> None:
    entries, contents, pool = tree
    made = plan("erofs", entries, {"uuid": UUID, "label": "root", "tails": tails, "size": size})
    assert sorted(made.metadata) == made.metadata
    assert sorted(made.segments) == made.segments
    with TemporaryDirectory() as directory:
        source = Path(directory) / "pool"
        source.write_bytes(pool)
        image = Path(directory) / "image"
        raw.write(made, image, sources(pool=source))
        assert image.stat().st_size == made.size
        fsck(image)
        if judges.why_not_mount():
            out = Path(directory) / "out"
            fsck(image, f"--extract={out}", "--no-preserve")
            compare_extracted(out, entries, contents)
        else:
            judges.compare_mounted(image, entries, contents, "erofs")


def compare_extracted(out: Path, tree: list[Entry], contents: dict[str, bytes]) -> None:
    for entry in tree:
        path = out / entry.path
        if entry.kind == "f":
            assert path.read_bytes() == contents[entry.path], entry.path
        elif entry.kind == "l":
            assert str(path.readlink()) == entry.ref
        elif entry.kind == "d":
            assert path.is_dir()


def test_directories_of_many_blocks_hold_all_their_files(tmp_path: Path) -> None:
    names = [f"file-{number:05d}-{'x' * (number % 200)}" for number in range(5000)]
    tree = [ROOT, *(Entry(name, "f", 0o600, size=5, ref=b"hello") for name in sorted(names))]
    for tails in ("blocks", "inline"):
        image = tmp_path / tails
        raw.write(plan("erofs", tree, {"uuid": UUID, "tails": tails}), image, Path)
        fsck(image, f"--extract={tmp_path / ('out-' + tails)}", "--no-preserve")
        assert sorted(path.name for path in (tmp_path / f"out-{tails}").iterdir()) == sorted(names)


def test_contents_can_be_shared_with_a_pack() -> None:
    tree = [
        ROOT,
        Entry("a", "f", 0o644, size=10_000, ref=Content("pack", 8192)),
        Entry("b", "f", 0o644, size=100, ref=Content("pack", 0)),
    ]
    made = plan("erofs", tree, {"uuid": UUID})
    assert [segment.offset % BLOCK for segment in made.segments] == [0, 0]
    assert [segment.source_offset for segment in made.segments] == [0, 8192]


def test_the_label_and_the_uuid_are_the_ones_given(tmp_path: Path) -> None:
    image = tmp_path / "image"
    raw.write(plan("erofs", [ROOT], {"uuid": UUID, "label": "wurzel"}), image, Path)
    shown = subprocess.run(
        ["blkid", "-p", "-o", "export", image], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert {f"UUID={UUID}", "LABEL=wurzel", "TYPE=erofs"} <= set(shown)


def test_what_it_cannot_hold_is_refused() -> None:
    with pytest.raises(LabelTooLong):
        plan("erofs", [ROOT], {"uuid": UUID, "label": "sixteen letters!"})
    with pytest.raises(BadOption, match="uuid"):
        plan("erofs", [ROOT], {})
    with pytest.raises(BadOption, match="tails"):
        plan("erofs", [ROOT], {"uuid": UUID, "tails": "short"})
    with pytest.raises(XattrNotInErofs):
        plan("erofs", [ROOT._replace(xattrs={"system.odd": b""})], {"uuid": UUID})
    with pytest.raises(BadContent):
        plan("erofs", [ROOT, Entry("a", "f", 0o644, size=7)], {"uuid": UUID})
    with pytest.raises(TreeDoesNotFit):
        tree = [ROOT, Entry("a", "f", 0o644, size=9000, ref=bytes(9000))]
        plan("erofs", tree, {"uuid": UUID, "size": 4096})
