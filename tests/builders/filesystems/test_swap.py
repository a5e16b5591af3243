"""Swap space and unformatted partitions."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from builders.filesystems import UnknownFileSystem, plan
from builders.filesystems.hierarchy import BadTree
from builders.filesystems.options import BadOption, LabelTooLong
from builders.sinks import raw
from builders.tree import Entry
from tests.builders.filesystems.judges import needs

UUID = "12345678-9abc-4def-8123-456789abcdef"
ROOT = Entry("", "d", 0o755)


@needs("blkid")
def test_blkid_knows_our_swap(tmp_path: Path) -> None:
    image = tmp_path / "image"
    raw.write(plan("swap", [ROOT], {"uuid": UUID, "label": "swap", "size": 1 << 20}), image, Path)
    shown = subprocess.run(
        ["blkid", "-p", "-o", "export", image], check=True, capture_output=True, text=True
    ).stdout
    assert {"TYPE=swap", "LABEL=swap", f"UUID={UUID}"} <= set(shown.splitlines())


@needs("mkswap")
def test_the_header_is_the_one_of_mkswap(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    raw.write(plan("swap", [ROOT], {"uuid": UUID, "label": "l", "size": 1 << 20}), ours, Path)
    theirs.write_bytes(bytes(1 << 20))
    subprocess.run(["mkswap", "-q", "-U", UUID, "-L", "l", theirs], check=True, capture_output=True)
    assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        ("swap", {"uuid": UUID}, BadOption),
        ("swap", {"size": 1 << 20}, BadOption),
        ("swap", {"uuid": UUID, "size": 1 << 45}, BadOption),
        ("swap", {"uuid": UUID, "size": 1 << 20, "label": "x" * 17}, LabelTooLong),
        ("unformatted", {}, BadOption),
        ("xfs", {}, UnknownFileSystem),
    ],
)
def test_what_is_wanting_is_said(name: str, options: dict[str, object], error: type) -> None:
    with pytest.raises(error):
        plan(name, [ROOT], options)


def test_files_have_no_place_there() -> None:
    tree = [ROOT, Entry("a", "f", 0o644)]
    for name, options in (
        ("swap", {"uuid": UUID, "size": 1 << 20}),
        ("unformatted", {"size": 512}),
    ):
        with pytest.raises(BadTree):
            plan(name, tree, options)
    assert plan("unformatted", [ROOT], {"size": 512}).size == 512
