"""GRUB: configuration that its own parser takes, boot code at the offsets of its source."""

from __future__ import annotations

import shlex
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import sandbox
from builders.bootloaders import grub
from builders.bootloaders.grub import ChainEntry, FileSystem, LinuxEntry, Serial
from builders.debian.archive import Archive
from builders.debian.native import native_derivation
from builders.debian.resolver import resolve
from builders.debian.sources import host_sources
from builders.realise import BuildFailed, realise
from builders.store import Store
from tests.conftest import Folders

UUID = "11111111-2222-3333-4444-555555555555"
ROOT = FileSystem("uuid", UUID)


def boot_img() -> bytes:
    """512 bytes with the marks of GRUB's boot.img, 0xcc elsewhere."""
    image = bytearray(b"\xcc" * 512)
    struct.pack_into("<Q", image, 0x5C, 1)
    image[0x66:0x68] = b"\xeb\x05"
    image[0x1FE:] = b"\x55\xaa"
    return bytes(image)


def core_img(length: int) -> bytes:
    """`length` bytes with the block list of GRUB's diskboot.img."""
    image = bytearray(b"\xee" * length)
    struct.pack_into("<QHH", image, 0x1F4, 2, -(-length // 512) - 1, 0x820)
    return bytes(image)


def test_the_early_configuration_finds_the_root_with_plain_commands() -> None:
    assert grub.early_cfg(ROOT).splitlines() == [
        f"search.fs_uuid {UUID} root",
        "set prefix=($root)/boot/grub",
    ]
    text = grub.early_cfg(FileSystem("label", "my root"), prefix="/grub", serial=Serial(1, 9600))
    assert text.splitlines() == [
        "serial --unit=1 --speed=9600",
        "terminal_input console serial",
        "terminal_output console serial",
        "search.fs_label 'my root' root",
        "set prefix=($root)/grub",
    ]


def test_the_menu_has_its_entries_with_their_arguments() -> None:
    entries = [
        LinuxEntry("Kiln", "/boot/vmlinuz", (f"root=UUID={UUID}", "ro", "a b"), "/boot/initrd"),
        ChainEntry("other", "+1", FileSystem("label", "win")),
    ]
    text = grub.grub_cfg(entries, root=ROOT, timeout=3, default=1, hidden=True)
    assert text.splitlines()[1:] == [
        f"search.fs_uuid {UUID} root",
        "set default=1",
        "set timeout=3",
        "set timeout_style=hidden",
        "",
        "menuentry Kiln {",
        f"  linux /boot/vmlinuz root=UUID={UUID} ro 'a b'",
        "  initrd /boot/initrd",
        "}",
        "",
        "menuentry other {",
        "  search.fs_label win root",
        "  chainloader +1",
        "}",
    ]


@given(st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), max_size=20))
def test_any_printable_title_is_one_word(title: str) -> None:
    text = grub.grub_cfg([LinuxEntry(title, "/vmlinuz")])
    line = next(line for line in text.splitlines() if line.startswith("menuentry"))
    # GRUB's quoting is the shell's for quotes and bare words.
    assert shlex.split(line) == ["menuentry", title, "{"]


@pytest.mark.parametrize("argument", ['a="b"', "it's", "a\\b"])
def test_arguments_that_grub_would_change_are_refused(argument: str) -> None:
    with pytest.raises(grub.UnsafeText, match="the kernel argument"):
        grub.grub_cfg([LinuxEntry("x", "/vmlinuz", (argument,))])


def test_text_with_controls_is_refused() -> None:
    with pytest.raises(grub.UnsafeText, match="the menu entry"):
        grub.grub_cfg([LinuxEntry("x\n}", "/vmlinuz")])


@pytest.mark.parametrize("default", [-1, 1, 7])
def test_the_default_is_an_entry(default: int) -> None:
    with pytest.raises(grub.UnknownEntry, match=str(default)):
        grub.grub_cfg([LinuxEntry("x", "/vmlinuz")], default=default)


@pytest.mark.skipif(shutil.which("grub-script-check") is None, reason="GRUB is not installed")
def test_grub_accepts_the_configuration() -> None:
    entries = [LinuxEntry('it\'s "$1" {', "/vmlinuz", ("a b", "c=$d"), "/initrd")]
    text = grub.grub_cfg(entries, root=FileSystem("label", "x y"), serial=Serial())
    subprocess.run(["grub-script-check"], input=text.encode(), check=True)


def test_at_sector_1_nothing_of_the_core_changes() -> None:
    sector, core = grub.boot_code(boot_img(), core_img(2048), any_drive=False)
    assert core == core_img(2048)
    expected = bytearray(boot_img())
    expected[0x1B8:0x1FE] = bytes(70)
    assert sector == expected


@given(st.integers(1, 2**40), st.integers(513, 20000))
def test_elsewhere_both_images_are_told_where_the_core_is(lba: int, length: int) -> None:
    sector, core = grub.boot_code(boot_img(), core_img(length), lba=lba)
    assert struct.unpack_from("<Q", sector, 0x5C) == (lba,)
    assert sector[0x66:0x68] == b"\x90\x90"
    assert struct.unpack_from("<QH", core, 0x1F4) == (lba + 1, len(core) // 512 - 1)
    assert len(core) % 512 == 0
    assert core[length:] == bytes(len(core) - length)


def test_a_core_that_does_not_fit_is_an_error() -> None:
    assert grub.boot_code(boot_img(), core_img(63 * 512), sectors=63)
    with pytest.raises(grub.NoRoom, match="needs 64 sectors of 512 bytes and has 63"):
        grub.boot_code(boot_img(), core_img(63 * 512 + 1), sectors=63)


@pytest.mark.parametrize(
    ("boot", "core"),
    [
        (bytes(512), core_img(2048)),
        (boot_img()[:511], core_img(2048)),
        (boot_img(), bytes(2048)),
        (boot_img(), core_img(2048) + bytes(512)),
        (boot_img(), b""),
    ],
)
def test_other_files_are_not_taken_for_grub(boot: bytes, core: bytes) -> None:
    with pytest.raises(grub.BadBootImage):
        grub.boot_code(boot, core)


IMAGES = Path("/usr/lib/grub/i386-pc")


@pytest.mark.skipif(
    shutil.which("grub-mkimage") is None or not IMAGES.is_dir(), reason="GRUB is not installed"
)
def test_the_real_images_have_room_in_the_gap_with_all_modules(tmp_path: Path) -> None:
    core = tmp_path / "core.img"
    early = tmp_path / "early.cfg"
    early.write_text(grub.early_cfg(ROOT, serial=Serial()))
    command = ["grub-mkimage", "-O", "i386-pc", "-p", "/boot/grub", "-c", early, "-o", core]
    subprocess.run([*command, *grub.BIOS_MODULES], check=True)
    sector, placed = grub.boot_code((IMAGES / "boot.img").read_bytes(), core.read_bytes())
    assert len(sector) == 512
    assert len(placed) < 2047 * 512


@pytest.mark.archive
def test_grub_accepts_a_configuration_with_everything(
    shared_folders: Folders, tmp_path: Path
) -> None:
    index = Archive(host_sources(), shared_folders.base / "cache" / "archive").index()
    native = native_derivation(resolve(index, ["grub-common"], essential=False), name="grub-common")
    entries = [LinuxEntry("it's", "/vmlinuz", ("a b",), "/initrd", FileSystem("uuid", "x"))]
    menu = grub.grub_cfg(
        entries,
        root=ROOT,
        serial=Serial(),
        hidden=True,
        keymap="/x.gkb",
        font="/x.pf2",
        theme=grub.Theme(("800x600", "auto"), "white/blue", "black/white", "/x.png"),
    )
    (tmp_path / "grub.cfg").write_text(menu + grub.loader_cfg(ROOT))
    said: list[str] = []
    with Store(shared_folders.base / "store") as store:
        (path,) = realise([native], store)
        status = sandbox.run(
            ["/usr/bin/grub-script-check", "/build/grub.cfg"],
            binds=[sandbox.Bind(tmp_path, "/build")],
            roots=[store.real(path)],
            on_line=said.append,
        )
    assert (status, said) == (0, [])


@pytest.mark.archive
def test_the_builder_makes_the_images_in_the_sandbox(shared_folders: Folders) -> None:
    index = Archive(host_sources(), shared_folders.base / "cache" / "archive").index()
    packages = resolve(index, ["grub-common", "grub-pc-bin"], essential=False)
    native = native_derivation(packages, name="grub")
    early = grub.early_cfg(ROOT, serial=Serial())
    images = grub.grub_bios_derivation(native, early=early)
    bad = grub.grub_bios_derivation(native, modules=["no_such_module"])
    with Store(shared_folders.base / "store") as store:
        (path,) = realise([images], store)
        core = store.real(path + "/core.img").read_bytes()
        sector, placed = grub.boot_code(store.real(path + "/boot.img").read_bytes(), core, lba=2048)
        assert struct.unpack_from("<Q", sector, 0x5C) == (2048,)
        assert 100_000 < len(placed) < 400_000
        with pytest.raises(BuildFailed, match="grub-mkimage"):
            realise([bad], store)
