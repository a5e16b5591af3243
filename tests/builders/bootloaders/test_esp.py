"""EFI system partitions: their trees, and where what is in them is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builders import mtree
from builders.bootloaders import esp, shim, systemd_boot
from builders.bootloaders.esp import BadEspFile, NotInItem
from builders.bootloaders.kernel_line import BadKernelArgument, kernel_line
from builders.bootloaders.systemd_boot import BadMenu, MenuEntry
from builders.pack import PackWriter
from builders.registry import Build
from builders.tree import Entry, content_reader

TREE = "/kiln/store/11111111111111111111111111111111-root"
LOOSE = "/kiln/store/22222222222222222222222222222222-native"
FILE = "/kiln/store/33333333333333333333333333333333-initrd.img"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with an item of each kind."""
    store = tmp_path / "store"
    tree = store / TREE.rpartition("/")[2]
    tree.mkdir(parents=True)
    with PackWriter(tree / "pack") as pack:
        pack.add([b"something"])
        kernel = pack.add([b"the kernel"])
    entries = [
        Entry("", "d", 0o755),
        Entry("boot", "d", 0o755),
        Entry("boot/vmlinuz-6.1", "f", 0o644, size=10, ref=kernel),
        Entry("boot/vmlinuz.hard", "h", 0, ref="boot/vmlinuz-6.1"),
        Entry("round", "l", 0o777, size=5, ref="round"),
        Entry("vmlinuz", "l", 0o777, size=16, ref="boot/vmlinuz-6.1"),
        Entry("vmlinuz.old", "l", 0o777, size=18, ref="/boot/vmlinuz.hard"),
    ]
    (tree / "manifest").write_text(mtree.write(entries))
    for path, text in {
        f"{LOOSE}/{systemd_boot.LOADER}": "systemd-boot",
        f"{LOOSE}/usr/lib/shim/shimx64.efi.signed": "shim",
        f"{LOOSE}/usr/lib/shim/mmx64.efi.signed": "mok manager",
        f"{LOOSE}/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed": "signed grub",
        FILE: "the initrd",
    }.items():
        file = store / path.removeprefix("/kiln/store/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return store


def build(store: Path, **arguments: Any) -> Build:
    return Build(
        name="esp",
        arguments=arguments,
        output=store / "esp",
        scratch=store,
        store=store,
        logical="/kiln/store/esp",
    )


def contents(build: Build) -> dict[str, bytes]:
    """What is in the files of a build's output."""
    read = content_reader(build.real)
    return {
        entry.path: read(entry)
        for entry in mtree.read_item(build.output, build.logical)
        if entry.kind == "f"
    }


@pytest.mark.parametrize(
    "source",
    [f"{TREE}/boot/vmlinuz-6.1", f"{TREE}/boot/vmlinuz.hard", f"{TREE}/vmlinuz.old"],
)
def test_a_file_of_a_tree_is_found_through_links(source: str, store: Path) -> None:
    one = build(store, files=[{"path": "EFI/Linux/x.efi", "source": source}])
    esp.esp(one)
    assert contents(one) == {"EFI/Linux/x.efi": b"the kernel"}


def test_files_of_all_kinds_of_items_and_texts(store: Path) -> None:
    files = [
        {"path": "a/initrd", "source": FILE},
        {"path": "a/b/shim", "source": f"{LOOSE}/usr/lib/shim/shimx64.efi.signed"},
        {"path": "note", "text": "é"},
        {"path": "nothing", "text": ""},
    ]
    one = build(store, files=files)
    esp.esp(one)
    assert contents(one) == {
        "a/initrd": b"the initrd",
        "a/b/shim": b"shim",
        "note": "é".encode(),
        "nothing": b"",
    }
    tree = mtree.read_item(one.output, one.logical)
    assert [entry.path for entry in tree if entry.kind == "d"] == ["", "a", "a/b"]
    assert {entry.mtime for entry in tree} == {one.epoch * 10**9}


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ([{"path": "x", "source": f"{TREE}/boot"}], NotInItem),
        ([{"path": "x", "source": f"{TREE}/round"}], NotInItem),
        ([{"path": "x", "source": f"{TREE}/boot/vmlinuz-6.2"}], NotInItem),
        ([{"path": "x", "source": TREE}], NotInItem),
        ([{"path": "x", "source": f"{LOOSE}/usr"}], NotInItem),
        ([{"path": "x"}], BadEspFile),
        ([{"path": "x", "text": "", "source": FILE}], BadEspFile),
        ([{"path": "x", "text": "", "mode": 1}], BadEspFile),
        ([{"path": "/x", "text": ""}], BadEspFile),
        ([{"path": "a/../x", "text": ""}], BadEspFile),
        ([{"path": "", "text": ""}], BadEspFile),
        ([{"path": "a/x", "text": ""}, {"path": "A/X", "text": ""}], BadEspFile),
    ],
)
def test_files_that_make_no_sense_are_refused(
    files: list[dict[str, Any]], error: type[Exception], store: Path
) -> None:
    one = build(store, files=files)
    with pytest.raises(error):
        esp.esp(one)
    assert not one.output.exists()


def test_shim_comes_first_and_finds_grub_beside_it(store: Path) -> None:
    one = build(store, packages=[TREE, LOOSE], config="search\n")
    shim.shim(one)
    assert contents(one) == {
        "EFI/BOOT/BOOTX64.EFI": b"shim",
        "EFI/BOOT/grubx64.efi": b"signed grub",
        "EFI/BOOT/mmx64.efi": b"mok manager",
        "EFI/debian/grub.cfg": b"search\n",
    }


def test_a_missing_file_is_told_with_its_package(store: Path) -> None:
    with pytest.raises(NotInItem, match=r"usr/lib/shim/shimx64\.efi\.signed") as caught:
        shim.shim(build(store, packages=[TREE], config=""))
    assert "shim-signed" in (caught.value.hint or "")


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "title": f"{name}!", "linux": f"{TREE}/vmlinuz", "arguments": [], **more}


def test_systemd_boot_has_each_kernel_once(store: Path) -> None:
    entries = [
        entry("one", initrd=FILE, arguments=["root=LABEL=x", "b c=1"]),
        entry("two", linux=f"{TREE}/boot/vmlinuz-6.1", initrd=FILE),
        entry("three", linux=f"{TREE}/vmlinuz.old", initrd=None),
        {"id": "four", "title": "other", "efi": "/EFI/other.efi", "arguments": ["x"]},
    ]
    one = build(store, packages=[LOOSE], entries=entries, default="two", timeout=-1, editor=False)
    systemd_boot.systemd_boot(one)
    assert contents(one) == {
        "EFI/BOOT/BOOTX64.EFI": b"systemd-boot",
        "kiln/initrd.img": b"the initrd",
        "kiln/vmlinuz": b"the kernel",
        "loader/entries/one.conf": b"title one!\nsort-key 0000\nlinux /kiln/vmlinuz\n"
        b'initrd /kiln/initrd.img\noptions root=LABEL=x "b c=1"\n',
        "loader/entries/two.conf": b"title two!\nsort-key 0001\nlinux /kiln/vmlinuz\n"
        b"initrd /kiln/initrd.img\n",
        "loader/entries/three.conf": b"title three!\nsort-key 0002\nlinux /kiln/vmlinuz\n",
        "loader/entries/four.conf": b"title other\nsort-key 0003\nefi /EFI/other.efi\noptions x\n",
        "loader/loader.conf": b"default two.conf\ntimeout menu-force\neditor no\n",
    }


def test_files_of_one_name_are_kept_apart(store: Path) -> None:
    entries = [entry("one"), entry("two", linux=f"{LOOSE}/other/vmlinuz")]
    other = store / LOOSE.rpartition("/")[2] / "other/vmlinuz"
    other.parent.mkdir()
    other.write_text("another kernel")
    one = build(store, packages=[LOOSE], entries=entries)
    systemd_boot.systemd_boot(one)
    found = contents(one)
    assert found["kiln/vmlinuz"] == b"the kernel"
    assert found["kiln/1/vmlinuz"] == b"another kernel"
    assert b"/kiln/1/vmlinuz" in found["loader/entries/two.conf"]
    assert found["loader/loader.conf"] == b"default one.conf\ntimeout 5\neditor yes\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"entries": [entry("a"), entry("a")]}, "two menu entries are called a"),
        ({"entries": [entry("a/b")]}, "cannot name a menu entry"),
        ({"entries": [entry("a", titel="x")]}, "described with titel"),
        ({"entries": [entry("a", title="x\ny")]}, "the title"),
        ({"entries": [entry("a")], "default": "b"}, "menu entry b is the default"),
        ({"entries": []}, "the menu has no entries"),
        ({"entries": [entry("a", initrd=f"{TREE}/boot/none")]}, "a!: .* has no file /boot/none"),
    ],
)
def test_menus_that_cannot_be_are_refused(
    arguments: dict[str, Any], problem: str, store: Path
) -> None:
    with pytest.raises(BadMenu, match=problem):
        systemd_boot.systemd_boot(build(store, packages=[LOOSE], **arguments))


def test_a_unified_image_needs_no_entry(store: Path) -> None:
    files = [{"path": "EFI/Linux/kiln.efi", "source": FILE}]
    one = build(store, packages=[LOOSE], entries=[], files=files, timeout=0)
    systemd_boot.systemd_boot(one)
    assert contents(one)["loader/loader.conf"] == b"default *\ntimeout 0\neditor yes\n"


def test_arguments_with_blanks_are_quoted_as_the_kernel_reads_them() -> None:
    assert kernel_line([]) == ""
    assert kernel_line(["root=LABEL=my root", "quiet", "a='b'"]) == (
        "\"root=LABEL=my root\" quiet a='b'"
    )


@pytest.mark.parametrize("argument", ["", 'a="b"', "a\nb", "\0"])
def test_arguments_that_the_kernel_would_change_are_refused(argument: str) -> None:
    with pytest.raises(BadKernelArgument):
        systemd_boot.entry_conf(MenuEntry("x", "x", "/vmlinuz", (argument,)))
