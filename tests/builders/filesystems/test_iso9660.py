"""ISO 9660: xorriso reads back what the tree says, on any day and wherever the clock is."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings

from builders.filesystems import iso9660, plan
from builders.filesystems.hierarchy import TreeDoesNotFit
from builders.filesystems.options import BadOption, LabelTooLong
from builders.merge import merge
from builders.readers import open_file_system
from builders.readers.source import FileSource
from builders.scan import scan
from builders.sinks import digest, raw
from builders.tree import Content, Entry
from tests.builders.filesystems import judges
from tests.builders.filesystems.trees import sources, trees
from tests.builders.readers.test_ext4 import compare

ROOT = Entry("", "d", 0o751, 5, 6, mtime=10**18)
SECOND = 10**9
SECTOR = 2048
LAST = 5869583999

pytestmark = judges.needs("xorriso")


def shown(image: Path) -> dict[str, tuple[str, int, int]]:
    """Permissions as ls shows them, owner and group by path, as xorriso reads them."""
    done = subprocess.run(
        ["xorriso", "-indev", image, "-find", "/", "-exec", "lsdl"],
        check=True,
        capture_output=True,
        text=True,
    )
    found = {}
    for line in done.stdout.splitlines():
        words = line.split(None, 8)
        path = words[8].split("' -> ")[0].strip("'")
        found[path.lstrip("/")] = (words[0], int(words[2]), int(words[3]))
    return found


def extracted(image: Path, target: Path) -> list[Entry]:
    subprocess.run(
        ["xorriso", "-osirrox", "on", "-indev", image, "-extract", "/", target],
        check=True,
        capture_output=True,
    )
    return [entry for entry in scan(target) if entry.path not in ("rr_moved", "RR_MOVED")]


def holdable(tree: Sequence[Entry]) -> list[Entry]:
    """What of the tree an ISO can hold, as it can hold it, with a directory for every file."""
    kept: list[Entry] = []
    directories = {""}
    paths = {""}
    for entry in tree:
        parent = entry.path.rpartition("/")[0]
        if entry.path and parent not in directories:
            continue
        if entry.kind in "cbps" or (entry.kind == "h" and entry.ref not in paths):
            continue
        try:
            entry.path.encode()
        except UnicodeEncodeError:
            continue
        if entry.kind == "l" and len(str(entry.ref)) > 1000:
            continue  # xorriso refuses to read longer ones
        if entry.kind == "d":
            directories.add(entry.path)
        paths.add(entry.path)
        time_ = min(max(entry.mtime // SECOND, 0), LAST) * SECOND
        kept.append(entry._replace(mtime=time_, xattrs=None))
    return kept


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=trees("pool"))
def test_any_tree_is_read_back(tree: tuple[list[Entry], dict[str, bytes], bytes]) -> None:
    entries, contents, pool = tree
    wanted = holdable(entries)
    with TemporaryDirectory() as directory:
        source = Path(directory) / "pool"
        source.write_bytes(pool)
        image = Path(directory) / "image"
        made = plan("iso9660", wanted, {"label": "Any Tree"})
        assert sorted(made.segments) == made.segments
        raw.write(made, image, sources(pool=source))
        out = Path(directory) / "out"
        seen = {entry.path: entry for entry in extracted(image, out)}
        assert set(seen) == {entry.path for entry in wanted}
        by_path = {entry.path: entry for entry in wanted}
        for entry in wanted:
            meant = by_path[str(entry.ref)] if entry.kind == "h" else entry
            there = seen[entry.path]
            if meant.kind == "f":
                assert (out / entry.path).read_bytes() == contents[meant.path]
            elif meant.kind == "l":
                assert str((out / entry.path).readlink()) == meant.ref
            if os.geteuid() == 0 and meant.kind != "l" and entry.path:
                assert there.mode == meant.mode
                assert (there.uid, there.gid, there.mtime) == (meant.uid, meant.gid, meant.mtime)


def test_owners_modes_and_times_are_shown() -> None:
    tree = merge(
        [ROOT],
        [
            Entry("a", "f", 0o4755, 1000, 33, 1_600_000_000 * SECOND, 5, b"hello"),
            Entry("sub/dir", "d", 0o1777, 7, 8, 3 * SECOND),
            Entry("l", "l", 0o777, 1, 2, 0, 1, "a"),
        ],
    )
    with TemporaryDirectory() as directory:
        image = Path(directory) / "image"
        raw.write(plan("iso9660", tree, {}), image, Path)
        found = shown(image)
    assert found[""] == ("drwxr-x--x", 5, 6)
    assert found["a"] == ("-rwsr-xr-x", 1000, 33)
    assert found["sub/dir"] == ("drwxrwxrwt", 7, 8)
    assert found["l"] == ("lrwxrwxrwx", 1, 2)


def test_many_files_of_like_names_stay_apart(tmp_path: Path) -> None:
    names = [f"{'a' * 40}{number}" for number in range(300)]
    tree = merge(
        [ROOT], [Entry(name, "f", 0o644, size=len(name), ref=name.encode()) for name in names]
    )
    image = tmp_path / "image"
    raw.write(plan("iso9660", tree, {}), image, Path)
    extracted(image, tmp_path / "out")
    assert {path.name: path.read_text() for path in (tmp_path / "out").iterdir()} == {
        name: name for name in names
    }


def test_deep_directories_are_where_they_were_beside_any_others(tmp_path: Path) -> None:
    deep = ["/".join(f"d{number}" for number in range(20)), "/".join(["n" * 255] * 14)]
    names = [*(f"{directory}/f" for directory in deep), "rr_moved/f", "rr_moved_"]
    tree = merge([ROOT], [Entry(name, "f", 0o600, size=3, ref=b"abc") for name in names])
    image = tmp_path / "image"
    raw.write(plan("iso9660", tree, {}), image, Path)
    extracted(image, tmp_path / "out")
    for name in names:
        assert (tmp_path / "out" / name).read_bytes() == b"abc"
    compare(open_file_system(FileSource(image)), tree, dict.fromkeys(names, b"abc"))


def test_a_file_of_more_than_4_gib_is_one_run_where_xorriso_looks_for_it(tmp_path: Path) -> None:
    size = (4 << 30) + 12345
    source = tmp_path / "big"
    with source.open("wb") as file:
        file.truncate(size)
        file.write(b"beginning")
        file.seek(size - 6)
        file.write(b"ending")
    whole, owner = Content(str(source)), (1000, 100)
    made = plan("iso9660", [ROOT, Entry("big", "f", 0o640, *owner, size=size, ref=whole)], {})
    assert [segment.length for segment in made.segments] == [size]
    image = tmp_path / "image"
    holed = Content(str(source), 0, ((SECTOR, size // SECTOR * SECTOR - SECTOR),))
    made = plan("iso9660", [ROOT, Entry("big", "f", 0o640, *owner, size=size, ref=holed)], {})
    raw.write(made, image, Path)
    find = ["-find", "/big", "-exec", "report_lba", "--", "-find", "/big", "-exec", "lsdl"]
    listed = subprocess.run(
        ["xorriso", "-indev", image, *find], check=True, capture_output=True, text=True
    ).stdout
    parts = [
        [int(n) for n in line.split(":")[1].split(",")[:4]]
        for line in listed.splitlines()
        if line.startswith("File data lba")
    ]
    assert {part[3] for part in parts} == {size}
    assert [part[1] * SECTOR for part in parts] == [
        made.segments[0].offset,
        made.segments[0].offset + parts[0][2] * SECTOR,
    ]
    assert "-rw-r-----" in listed
    found = open_file_system(FileSource(image))
    pieces = found.runs("big")
    assert next(pieces)[1].startswith(b"beginning")
    assert found.children("")[0].uid == 1000
    with image.open("rb") as file:
        file.seek(parts[0][1] * SECTOR + size - 6)
        assert file.read(6) == b"ending"


def test_the_day_and_the_time_zone_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = merge([ROOT], [Entry("d/f", "f", 0o644, mtime=10**18, size=2, ref=b"hi")])
    hashes = set()
    for zone, shift in (("UTC", 0), ("Asia/Tokyo", 10**6), ("America/New_York", 10**8)):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        now = time.time() + shift
        monkeypatch.setattr(time, "time", lambda now=now: now)
        hashes.add(digest.sha256(plan("iso9660", tree, {"epoch": 1_700_000_000}), Path))
        monkeypatch.undo()
    time.tzset()
    assert len(hashes) == 1


def test_pycdlib_has_the_real_clock_again() -> None:
    import pycdlib.dates

    plan("iso9660", [ROOT], {})
    assert pycdlib.dates.time is time
    with pytest.raises(LabelTooLong):
        plan("iso9660", [ROOT], {"label": "x" * 33})
    assert pycdlib.dates.time is time


def test_what_it_cannot_hold_is_refused() -> None:
    with pytest.raises(iso9660.NotInIso, match="character device"):
        plan("iso9660", [ROOT, Entry("null", "c", 0o666, ref=(1, 3))], {})
    with pytest.raises(iso9660.NotInIso, match="UTF-8"):
        plan("iso9660", [ROOT, Entry("\udcff", "f", 0o666)], {})
    with pytest.raises(iso9660.NotInIso, match="attributes"):
        plan("iso9660", [ROOT, Entry("a", "f", 0o666, xattrs={"user.a": b""})], {})
    with pytest.raises(BadOption, match="ASCII"):
        plan("iso9660", [ROOT], {"label": "Käse"})
    with pytest.raises(BadOption, match="uuid"):
        plan("iso9660", [ROOT], {"uuid": "12345678-9abc-4def-8123-456789abcdef"})
    with pytest.raises(TreeDoesNotFit):
        plan("iso9660", [ROOT, Entry("a", "f", 0o6, size=9000, ref=bytes(9000))], {"size": 20480})


def test_long_names_are_put_where_there_is_room_without_looking_everywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pycdlib.rockridge import RockRidgeContinuationBlock

    looks = 0
    original = RockRidgeContinuationBlock.add_entry

    def add_entry(block: object, length: int) -> object:
        nonlocal looks
        looks += 1
        return original(block, length)

    monkeypatch.setattr(RockRidgeContinuationBlock, "add_entry", add_entry)
    names = ["n" * (150 + number % 100) + f"{number:04d}" for number in range(1000)]
    plan("iso9660", merge([ROOT], [Entry(name, "f", 0o644) for name in names]), {})
    assert 1000 < looks < 5000
