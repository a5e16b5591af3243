"""GRUB for UEFI, made by Debian's tools in the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders import mtree
from builders.bootloaders import grub
from builders.bootloaders.grub import FileSystem
from builders.bootloaders.grub_efi import grub_efi
from builders.bootloaders.uki import read_pe
from builders.debian.archive import Archive
from builders.debian.native import native_derivation
from builders.debian.resolver import resolve
from builders.debian.sources import host_sources
from builders.realise import realise
from builders.registry import Build
from builders.store import Store
from builders.tree import content_reader
from tests.conftest import Folders

pytestmark = pytest.mark.archive


def build(folder: Path, store: Path, native: str) -> Build:
    folder.mkdir()
    (folder / "scratch").mkdir()
    config = grub.loader_cfg(FileSystem("label", "my root"))
    files = [{"path": "EFI/tools/note.txt", "text": "a note"}]
    return Build(
        name="esp",
        arguments={"native": native, "config": config, "files": files},
        output=folder / "esp",
        scratch=folder / "scratch",
        store=store,
        logical="/kiln/store/esp",
    )


def test_the_tree_has_a_program_for_uefi_and_the_way_to_the_menu(
    shared_folders: Folders, tmp_path: Path
) -> None:
    index = Archive(host_sources(), shared_folders.base / "cache" / "archive").index()
    packages = resolve(index, ["grub-common", "grub-efi-amd64-bin"], essential=False)
    with Store(shared_folders.base / "store") as store:
        (native,) = realise([native_derivation(packages, name="grub-tools")], store)
        real = store.real("/kiln/store/x").parent
    first = build(tmp_path / "first", real, native)
    again = build(tmp_path / "again", real, native)
    grub_efi(first)
    grub_efi(again)
    tree = mtree.read_item(first.output, first.logical)
    paths = [entry.path for entry in tree if entry.kind == "f"]
    assert paths == ["EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/grub.cfg", "EFI/tools/note.txt"]
    read = content_reader(lambda source: first.output / source.rpartition("/")[2])
    program, config, note = [read(entry) for entry in tree if entry.kind == "f"]
    assert read_pe(program, "GRUB").machine == 0x8664
    assert b"search.fs_label 'my root' root\n" in config
    assert note == b"a note"
    for name in ("manifest", "pack"):
        assert (first.output / name).read_bytes() == (again.output / name).read_bytes()
