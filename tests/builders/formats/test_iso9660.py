"""ISOs that start: catalog, tables and GRUB's code are what the field's tools expect."""

from __future__ import annotations

import hashlib
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from builders import mtree
from builders.bootloaders import grub
from builders.debian.archive import Archive
from builders.debian.native import native_derivation
from builders.debian.resolver import resolve
from builders.debian.sources import host_sources
from builders.derivation import Derivation
from builders.filesystems import plan
from builders.filesystems.workroom import Workroom
from builders.formats import iso9660
from builders.formats.iso9660 import BadIso
from builders.merge import merge
from builders.readers import disk, find, open_file_system
from builders.readers.source import FileSource
from builders.realise import realise
from builders.registry import Build
from builders.sinks import raw
from builders.store import Store
from builders.tree import Entry
from tests.builders.filesystems.judges import needs
from tests.builders.readers.test_ext4 import content, everything
from tests.conftest import Folders

SECTOR = 2048
UUID = "12345678-9abc-4def-8123-456789abcdef"
STORE = "/kiln/store/"
TREE, ESP, GRUB, LOOSE = (
    f"{digit * 32}-{name}"
    for digit, name in (("1", "tree"), ("2", "esp"), ("3", "grub"), ("4", "file"))
)
ROOT = Entry("", "d", 0o755)
ELTORITO = bytes(range(256)) * 200 + b"odd"
HYBRID = b"\x90" * 510 + b"\x55\xaa"
LOADER = b"MZ" + b"loader" * 5000


def text_file(path: str, text: bytes) -> Entry:
    return Entry(path, "f", 0o644, mtime=10**18, size=len(text), ref=text)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    store = tmp_path / "store"
    for item, entries in (
        (TREE, [text_file("docs/read me", b"words\n")]),
        (ESP, [text_file("EFI/BOOT/BOOTX64.EFI", LOADER), text_file("EFI/BOOT/grub.cfg", b"x")]),
    ):
        (store / item).mkdir(parents=True)
        (store / item / "manifest").write_text(mtree.write(merge([ROOT], entries)))
    (store / GRUB).mkdir()
    (store / GRUB / "eltorito.img").write_bytes(ELTORITO)
    (store / GRUB / "boot_hybrid.img").write_bytes(HYBRID)
    (store / LOOSE).write_bytes(b"kernel" * 10_000)
    return store


def made(store: Path, **changed: Any) -> Path:
    arguments: dict[str, Any] = {
        "label": "LIVE",
        "disk_uuid": UUID,
        "tree": STORE + TREE,
        "files": [
            {"path": "boot/vmlinuz", "source": STORE + LOOSE},
            {"path": "boot/grub/grub.cfg", "text": "menuentry x { true }\n"},
        ],
        "bios": STORE + GRUB,
        "esp": STORE + ESP,
        **changed,
    }
    output = store.parent / "live.iso"
    output.unlink(missing_ok=True)
    iso9660.iso9660(Build("live.iso", arguments, output, store.parent, store))
    return output


def test_all_files_are_on_it_also_the_loaders(store: Path) -> None:
    found = open_file_system(FileSource(made(store)))
    assert found.label == "LIVE"
    assert {entry.path for entry in everything(found) if entry.kind == "f"} == {
        "EFI/BOOT/BOOTX64.EFI",
        "EFI/BOOT/grub.cfg",
        "boot/grub/boot.cat",
        "boot/grub/efi.img",
        "boot/grub/eltorito.img",
        "boot/grub/grub.cfg",
        "boot/vmlinuz",
        "docs/read me",
    }
    assert content(found, find(found, "/boot/vmlinuz")) == b"kernel" * 10_000
    assert content(found, find(found, "/docs/read me")) == b"words\n"


def test_the_partition_is_the_efi_image_with_the_loader(store: Path) -> None:
    image = FileSource(made(store))
    (partition,) = disk.partitions(image)
    esp = partition.source(image)
    whole = open_file_system(image)
    assert esp.read(0, esp.size) == content(whole, find(whole, "/boot/grub/efi.img"))
    assert esp.size >= 1_474_560
    inside = open_file_system(esp)
    assert content(inside, find(inside, "/EFI/BOOT/BOOTX64.EFI")) == LOADER


def test_the_core_and_the_first_sector_know_where_the_core_is(store: Path) -> None:
    data = made(store).read_bytes()
    catalog = struct.unpack_from("<I", data, 17 * SECTOR + 0x47)[0] * SECTOR
    assert data[catalog + 0x20] == 0x88
    count, place = struct.unpack_from("<HI", data, catalog + 0x26)
    assert count == 4
    core = data[place * SECTOR : place * SECTOR + len(ELTORITO)]
    assert struct.unpack_from("<Q", data, 0x1B0)[0] == place * 4 + 4
    assert struct.unpack_from("<Q", core, 2548)[0] == place * 4 + 5
    assert struct.unpack_from("<III", core, 8) == (16, place, len(ELTORITO))
    padded = core[64:] + bytes(-len(core) % 4)
    words = struct.unpack(f"<{len(padded) // 4}I", padded)
    assert struct.unpack_from("<I", core, 20)[0] == sum(words) & 0xFFFFFFFF
    assert core[64:2548] == ELTORITO[64:2548]
    assert data[:0x1B0] == HYBRID[:0x1B0]


@needs("xorriso")
def test_xorriso_sees_what_it_would_have_made(store: Path) -> None:
    command = ["xorriso", "-indev", made(store), "-report_el_torito", "plain"]
    command += ["-report_system_area", "plain"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    catalog = done.stdout
    assert "El Torito boot img :   1  BIOS  y   none  0x0000" in catalog
    assert "El Torito boot img :   2  UEFI  y   none" in catalog
    assert "boot-info-table grub2-boot-info" in catalog
    assert "protective-msdos-label grub2-mbr" in catalog
    assert "GPT partition path :   1  /boot/grub/efi.img" in catalog


@needs("sgdisk")
def test_sgdisk_finds_no_problem(store: Path) -> None:
    done = subprocess.run(["sgdisk", "-v", made(store)], check=True, capture_output=True, text=True)
    assert "No problems found" in done.stdout


def verified(image: Path) -> tuple[str, dict[str, str]]:
    """What xorriso says of the checksums, and each file's as it is recorded."""
    command = ["xorriso", "-md5", "on", "-indev", image, "-check_md5_r", "WARNING", "/", "--"]
    command += ["-find", "/", "-type", "f", "-exec", "get_md5", "--"]
    command += ["-check_media", "use=indev", "--"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    lines = (line.split("  ") for line in done.stdout.splitlines())
    recorded = {words[1]: words[0] for words in lines if len(words) == 2 and len(words[0]) == 32}
    return done.stdout + done.stderr, recorded


@needs("xorriso")
def test_xorriso_verifies_each_file_and_the_whole(store: Path) -> None:
    image = made(store)
    said, recorded = verified(image)
    assert "File contents and their MD5 checksums match." in said
    tags = ("superblock tag: start=0 size=19\n", "tree tag: start=0", "session tag: start=0")
    assert all(f"Found matching MD5 {tag}" in said for tag in tags)
    assert "md5_match" in said
    found = open_file_system(FileSource(image))
    files = {entry.path for entry in everything(found) if entry.kind == "f"}
    assert recorded == {
        "/" + path.replace(" ", "\\040"): hashlib.md5(content(found, find(found, path))).hexdigest()
        for path in files - {"boot/grub/boot.cat"}  # which is no file to xorriso
    }


@needs("xorriso")
def test_a_damaged_file_is_found_and_named(store: Path) -> None:
    image = made(store)
    data = bytearray(image.read_bytes())
    data[data.index(b"kernelkernel")] ^= 1
    image.write_bytes(data)
    said, _ = verified(image)
    assert [line for line in said.splitlines() if "MISMATCH" in line] == [
        "MD5 MISMATCH: '/boot/vmlinuz'"
    ]
    assert "Found matching MD5 tree tag" in said
    assert "Found NON-MATCHING MD5 session tag" in said


@needs("xorriso")
@pytest.mark.parametrize("known", [HYBRID[:100], b"BOOTX64.EFI", b"PLEASE CONTACT DISC PUBLISHER"])
def test_damage_in_boot_code_or_directories_is_found(store: Path, known: bytes) -> None:
    image = made(store)
    data = bytearray(image.read_bytes())
    data[data.index(known) + 8] ^= 1
    image.write_bytes(data)
    assert "Image loading aborted due to MD5 mismatch of image tree" in verified(image)[0]


@needs("xorriso")
def test_checksums_are_of_files_with_long_names_links_deep_ones_and_empty_ones(
    tmp_path: Path,
) -> None:
    texts = {"n" * size: b"x" * size for size in (1, 90, *range(120, 190, 3), 255)}
    texts |= {f"many{number}": b"%d" % number * 1000 for number in range(130)}
    texts |= {"/".join(f"d{level}" for level in range(12)) + "/file": b"deep", "empty": b""}
    links = [
        Entry("again", "h", 0o644, ref="many7"),
        Entry("nothing", "h", 0o644, ref="empty"),
        Entry("s", "l", 0o777, ref="t" * 300),
    ]
    tree = merge([ROOT], [text_file(*item) for item in texts.items()], links)
    made = plan("iso9660", tree, {"size": 4 << 20}, Workroom(Path, tmp_path / "made"))
    raw.write(made, tmp_path / "image", Path)
    said, recorded = verified(tmp_path / "image")
    assert "File contents and their MD5 checksums match." in said
    texts |= {"again": texts["many7"], "nothing": b""}
    assert recorded == {"/" + path: hashlib.md5(text).hexdigest() for path, text in texts.items()}
    found = open_file_system(FileSource(tmp_path / "image"))
    assert {e.path for e in everything(found) if e.kind != "d"} == {*texts, "s"}


def test_the_same_arguments_give_the_same_bytes(store: Path) -> None:
    first = made(store).read_bytes()
    assert made(store).read_bytes() == first


@pytest.mark.parametrize("left", [{"bios": None}, {"esp": None}, {"bios": None, "esp": None}])
def test_it_does_without_one_way_of_starting_or_both(store: Path, left: dict[str, None]) -> None:
    image = made(store, **left)
    data = image.read_bytes()
    has_catalog = data[17 * SECTOR + 1 : 17 * SECTOR + 6] == b"CD001" and data[17 * SECTOR] == 0
    assert has_catalog == (len(left) == 1)
    if has_catalog:
        catalog = struct.unpack_from("<I", data, 17 * SECTOR + 0x47)[0] * SECTOR
        assert data[catalog + 1] == (0xEF if "bios" in left else 0)
    assert len(disk.partitions(FileSource(image))) == (0 if "esp" in left else 1)


def test_a_file_that_is_declared_twice_is_an_error(store: Path) -> None:
    with pytest.raises(BadIso, match="twice"):
        made(store, files=[{"path": "a", "text": ""}, {"path": "a", "text": ""}])
    with pytest.raises(BadIso, match="relative path"):
        made(store, files=[{"path": "/a", "text": ""}])


@pytest.mark.archive
def test_grub_for_isos_is_made_in_the_sandbox(shared_folders: Folders) -> None:
    index = Archive(host_sources(), shared_folders.base / "cache" / "archive").index()
    packages = resolve(index, ["grub-common", "grub-pc-bin"], essential=False)
    native = native_derivation(packages, name="grub")
    early = grub.early_cfg(grub.FileSystem("label", "LIVE"))
    images = Derivation(
        "grub-iso", "grub-iso", {"native": native.path, "early": early}, inputs=(native,)
    )
    with Store(shared_folders.base / "store") as store:
        (path,) = realise([images], store)
        core = store.real(f"{path}/eltorito.img").read_bytes()
        hybrid = store.real(f"{path}/boot_hybrid.img").read_bytes()
    assert 30_000 < len(core) < 500_000
    assert len(hybrid) == 512
