"""The initial tree: what is in it, that the kernel can unpack it, and what its init does."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest
import zstandard

from builders import initrd, mtree
from builders.kmodules import UnknownModule
from builders.registry import Build
from builders.tree import Entry
from tests.builders.test_kmodules import VERSION, ko, tree

MODULES = {
    "drivers/virtio/virtio-blk.ko": ko("depends=virtio", "alias=virtio:d00000002v*"),
    "drivers/virtio/virtio.ko": ko("depends="),
    "fs/ext4.ko": ko("depends=", "alias=fs-ext4"),
    "drivers/md/dm-mod.ko": ko("depends="),
}


def item(store: Path, name: str, entries: list[Entry]) -> str:
    """A store item that is a tree, with its contents in the manifest; its logical path."""
    directory = store / f"{'0' * 32}-{name}"
    directory.mkdir(parents=True)
    (directory / "manifest").write_text(mtree.write(entries))
    return f"/kiln/store/{directory.name}"


def build(
    tmp_path: Path,
    *,
    modules: list[str],
    config: bytes = b"",
    busybox_path: str = "bin/busybox",
    **more: object,
) -> tuple[bytes, list[str]]:
    """The output of the builder, and its log."""
    store = tmp_path / "store"
    shutil.rmtree(store, ignore_errors=True)
    kernel = tree(MODULES, builtin=["crc32c"])
    kernel.append(Entry(f"boot/config-{VERSION}", "f", 0o644, size=len(config), ref=config or None))
    busybox = [Entry(busybox_path, "f", 0o755, size=4, ref=b"\x7fELF")]
    log: list[str] = []
    arguments = {
        "tree": item(store, "kernel", kernel),
        "busybox": item(store, "busybox", busybox),
        "modules": modules,
        **more,
    }
    output = tmp_path / "initrd"
    run = Build("initrd", arguments, output, tmp_path, store, report=lambda m: log.append(str(m)))
    initrd.initrd(run)
    return output.read_bytes(), log


def extracted(archive: bytes, directory: Path) -> Path:
    """`archive` extracted without its devices."""
    if shutil.which("cpio") is None:
        pytest.skip("cpio is not installed")
    directory.mkdir()
    command = ["cpio", "-idm", "--quiet", "--no-preserve-owner", "-f", "dev/*"]
    subprocess.run(command, input=archive, cwd=directory, check=True)
    return directory


def test_an_archive_is_compressed_as_the_kernel_can_read_it(tmp_path: Path) -> None:
    plain, _ = build(tmp_path, modules=[])
    archive = gzip.decompress(plain)
    assert archive.startswith(b"070701")
    packed, _ = build(tmp_path, modules=[], config=b"CONFIG_X=y\nCONFIG_RD_ZSTD=y\n")
    assert zstandard.ZstdDecompressor().decompress(packed) == archive


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    assert build(tmp_path, modules=["dm_mod"]) == build(tmp_path, modules=["dm_mod"])


def test_the_tree_holds_modules_their_tables_and_an_init(tmp_path: Path) -> None:
    packed, log = build(tmp_path, modules=["dm-mod", "crc32c"])
    root = extracted(gzip.decompress(packed), tmp_path / "root")
    modules = root / "lib/modules" / VERSION
    assert (modules / "modules.dep").read_text().splitlines() == [
        "dm_mod.ko:",
        "virtio.ko:",
        "virtio_blk.ko: virtio.ko",
        "ext4.ko:",
    ]
    assert (modules / "virtio_blk.ko").read_bytes() == MODULES["drivers/virtio/virtio-blk.ko"]
    assert "alias fs-ext4 ext4\n" in (modules / "modules.alias").read_text()
    assert (root / "etc/modules").read_text() == "dm_mod\n"
    assert (root / "etc/filesystems").read_text() == "ext4\n"
    assert (root / "sbin/modprobe").resolve().read_bytes() == b"\x7fELF"
    assert (root / "init").stat().st_mode & 0o777 == 0o755
    assert (root / "init").stat().st_mtime == 1
    assert any("4 modules" in line for line in log)


def test_default_modules_can_be_left_out(tmp_path: Path) -> None:
    packed, _ = build(tmp_path, modules=["virtio_blk"], default_modules=False)
    root = extracted(gzip.decompress(packed), tmp_path / "root")
    names = sorted(path.name for path in (root / "lib/modules" / VERSION).glob("*.ko"))
    assert names == ["virtio.ko", "virtio_blk.ko"]


def test_a_module_that_the_kernel_has_not_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownModule, match="no module virtio_bulk") as caught:
        build(tmp_path, modules=["virtio_bulk"])
    assert "virtio_blk" in caught.value.nearest


def test_a_busybox_item_without_busybox_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(initrd.NoBusybox, match="busybox has no usr/bin/busybox or bin/busybox"):
        build(tmp_path, modules=[], busybox_path="bin/toybox")


SCRIPT = Path(initrd.__file__).with_name("init.sh")


@pytest.mark.skipif(shutil.which("dash") is None, reason="dash is not installed")
def test_the_init_is_a_posix_script() -> None:
    subprocess.run(["dash", "-n", SCRIPT], check=True)


@pytest.mark.skipif(shutil.which("awk") is None, reason="awk is not installed")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("quiet root=UUID=1-2  ro", ["quiet", "root=UUID=1-2", "", "ro"]),
        ('"root=LABEL=my root" *', ["root=LABEL=my root", "*"]),
        ('root="LABEL=my root"', ["root=LABEL=my root"]),
    ],
)
def test_the_command_line_is_split_as_the_kernel_splits_it(
    line: str, expected: list[str], tmp_path: Path
) -> None:
    script = SCRIPT.read_text()
    start = script.index("parameters() {")
    function = script[start : script.index("\n}\n", start) + 3]
    (tmp_path / "cmdline").write_text(line + "\n")
    function = function.replace("/proc/cmdline", str(tmp_path / "cmdline"))
    told = subprocess.run(
        ["sh", "-c", function + "parameters"], check=True, capture_output=True, text=True
    )
    assert told.stdout.splitlines() == expected
