"""squashfs: the kernel, or unsquashfs, shows what the tree says; the same bytes each time."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from builders import mtree
from builders.debian.archive import Archive
from builders.debian.native import native_derivation
from builders.debian.resolver import resolve
from builders.debian.sources import host_sources
from builders.formats import squashfs
from builders.merge import merge
from builders.readers import find, open_file_system
from builders.readers.source import FileSource
from builders.realise import realise
from builders.registry import Build
from builders.store import Store
from builders.tree import Content, Entry
from tests.builders.filesystems import judges
from tests.builders.filesystems.trees import trees
from tests.builders.readers.test_ext4 import compare, content
from tests.conftest import Folders

SECOND = 1_000_000_000
ROOT = Entry("", "d", 0o751, mtime=1_600_000_000 * SECOND)
TREE = "11111111111111111111111111111111-tree"
NATIVE = "22222222222222222222222222222222-native"


@pytest.fixture(scope="module")
def native(shared_folders: Folders) -> Path:
    """The real path of a native item with squashfs-tools."""
    index = Archive(host_sources(), shared_folders.base / "cache" / "archive").index()
    packages = resolve(index, ["squashfs-tools"], essential=False)
    derivation = native_derivation(packages, name="squashfs-tools")
    with Store(shared_folders.base / "store") as store:
        return store.real(realise([derivation], store)[0])


def built(folder: Path, native: Path, tree: Sequence[Entry], **options: object) -> Path:
    """Run the builder on a tree whose contents are in `folder`/pool."""
    store = folder / "store"
    (store / TREE).mkdir(parents=True, exist_ok=True)
    (store / TREE / "manifest").write_text(mtree.write(tree, f"/kiln/store/{TREE}"))
    link = store / NATIVE
    if not link.exists():
        link.symlink_to(native)
    scratch = folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    output = folder / "output"
    output.unlink(missing_ok=True)
    log: list[object] = []
    arguments = {"tree": f"/kiln/store/{TREE}", "native": f"/kiln/store/{NATIVE}", **options}
    build = Build("root", arguments, output, scratch, store, report=log.append)
    try:
        squashfs.squashfs(build)
    except squashfs.SquashfsFailed as error:
        raise AssertionError(log) from error
    return output


def holdable(tree: Sequence[Entry]) -> list[Entry]:
    """The tree as a squashfs can hold it: times in seconds, no sockets."""
    kept = []
    for entry in tree:
        if entry.kind == "s":
            continue
        seconds = min(max(entry.mtime // SECOND, 0), 0xFFFFFFFF) if entry.kind != "h" else 0
        if isinstance(entry.ref, Content):
            entry = entry._replace(  # noqa: PLW2901
                ref=entry.ref._replace(source=f"/kiln/store/{TREE}/pool")
            )
        if entry.kind in "cb" and isinstance(entry.ref, tuple):
            entry = entry._replace(ref=(entry.ref[0], entry.ref[1] & 0xFFFFF))  # noqa: PLW2901
        kept.append(entry._replace(mtime=seconds * SECOND))
    return kept


@pytest.mark.archive
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.reuse, Phase.generate],  # an example takes a sandbox: no shrinking
)
@given(tree=trees("pool"))
def test_any_tree_is_what_the_kernel_shows(
    native: Path, tree: tuple[list[Entry], dict[str, bytes], bytes]
) -> None:
    if judges.why_not_mount():
        pytest.skip(judges.why_not_mount())
    entries, contents, pool = tree
    wanted = holdable(entries)
    with TemporaryDirectory() as directory:
        folder = Path(directory)
        (folder / "store" / TREE).mkdir(parents=True)
        (folder / "store" / TREE / "pool").write_bytes(pool)
        image = built(folder, native, wanted)
        judges.compare_mounted(image, wanted, contents, "squashfs")
        file = FileSource(image)
        compare(open_file_system(file), wanted, contents)
        file.close()


@pytest.mark.archive
@pytest.mark.parametrize("method", squashfs.LEVELS)
def test_every_method_gives_the_files_and_the_same_bytes(
    native: Path, method: str, tmp_path: Path
) -> None:
    text = b"".join(b"%d\n" % number for number in range(60_000))
    tree = merge(
        [ROOT],
        [
            Entry("d/text", "f", 0o640, 5, 6, SECOND, len(text), text),
            Entry("d/same", "h", 0, ref="d/text"),
            Entry("null", "c", 0o666, mtime=SECOND, ref=(1, 3)),
            Entry("link", "l", 0o777, mtime=SECOND, size=6, ref="d/text"),
        ],
    )
    image = built(tmp_path, native, tree, compression=method, epoch=1_700_000_000)
    first = image.read_bytes()
    assert built(tmp_path, native, tree, compression=method, epoch=1_700_000_000).read_bytes() == (
        first
    )
    if method not in ("lz4", "lzo"):
        found = open_file_system(FileSource(image))
        assert content(found, find(found, "/link")) == text
    assert (len(first) < len(text) * 0.9) == (method != "none")
    if shutil.which("unsquashfs") is None:
        pytest.skip("unsquashfs is not installed")
    run = subprocess.run(["unsquashfs", "-lln", image], check=True, capture_output=True, text=True)
    lines = [line.split() for line in run.stdout.splitlines() if "squashfs-root" in line]
    shown = {words[5]: (words[0], words[1]) for words in lines if len(words) > 5}
    assert shown["squashfs-root"] == ("drwxr-x--x", "0/0")
    assert shown["squashfs-root/d/text"] == ("-rw-r-----", "5/6")
    cat = subprocess.run(["unsquashfs", "-cat", image, "d/same"], check=True, capture_output=True)
    assert cat.stdout == text
    stat = subprocess.run(["unsquashfs", "-s", image], check=True, capture_output=True, text=True)
    assert "Nov 14" in stat.stdout or "Nov 15" in stat.stdout


def test_levels_and_block_sizes_are_checked() -> None:
    assert squashfs.compressor({}) == ["-b", "131072", "-comp", "zstd", "-Xcompression-level", "3"]
    assert squashfs.compressor({"compression": "xz"})[2:] == ["-comp", "xz"]
    assert squashfs.compressor({"level": 15})[-1] == "15"
    for wrong in (
        {"compression": "bzip2"},
        {"level": 23},
        {"compression": "xz", "level": 6},
        {"block_size": 1000},
    ):
        with pytest.raises(squashfs.BadSquashfs):
            squashfs.compressor(wrong)


def test_access_control_lists_are_left_out_and_told() -> None:
    log: list[str] = []
    acl = {"system.posix_acl_access": b"\2\0\0\0"}
    more = {**acl, "user.x": b"y"}
    tree = [ROOT, Entry("a", "d", 0o750, xattrs=more), Entry("b", "d", 0, xattrs=acl)]
    kept = squashfs.without_acls(tree, log.append)
    assert [entry.xattrs for entry in kept] == [None, {"user.x": b"y"}, None]
    assert log == [f"/{name}: its access control lists are left out" for name in "ab"]


def test_what_it_cannot_hold_is_refused() -> None:
    for entry in (
        Entry("s", "s", 0o666),
        Entry("early", "f", 0o644, mtime=-1),
        Entry("late", "f", 0o644, mtime=(1 << 32) * SECOND),
        Entry("odd", "f", 0o644, xattrs={"system.odd": b""}),
    ):
        with pytest.raises(squashfs.CannotHold):
            squashfs.check([ROOT, entry])
    with pytest.raises(squashfs.CannotHold):
        squashfs.check([ROOT._replace(gid=5)])
