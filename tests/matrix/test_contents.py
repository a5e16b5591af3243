"""What is in an image of each type, read back by others, is what its manifest says.

Paths, kinds, modes, owners, times, link targets, devices, extended attributes and contents, as far
as the format has them.
"""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from builders.tree import Entry
from tests.builders.filesystems import judges
from tests.kiln.test_image import need
from tests.matrix import observe
from tests.matrix.observe import Seen, run, seen
from tests.matrix.types import Images

pytestmark = pytest.mark.archive

Check = Callable[[Images, str], None]

SECOND = 10**9


def in_seconds(tree: Seen) -> Seen:
    """The tree as formats keep it whose times are whole seconds."""
    return {path: one._replace(mtime=one.mtime // SECOND * SECOND) for path, one in tree.items()}


def without_acls(tree: Seen) -> Seen:
    """The tree as squashfs keeps it, which has no names of the namespace system."""

    def kept(one: Entry) -> Entry:
        found = {name: value for name, value in (one.xattrs or {}).items() if name[:7] != "system."}
        return one._replace(xattrs=found or None)

    return {path: kept(one) for path, one in in_seconds(tree).items()}


def declared(images: Images, item: object) -> Seen:
    """The tree at a store path, with the hashes of its contents."""
    return seen(images.tree(str(item)).values(), images.read)


def compare(found: Seen, wanted: Seen) -> None:
    """Fail unless two trees are equal; tells of the first few differences."""
    assert sorted(found.keys() ^ wanted.keys())[:5] == []
    different = [(found[path], one) for path, one in wanted.items() if found[path] != one]
    assert different[:5] == []


def need_mount() -> None:
    """Skip where the kernel cannot be asked."""
    if judges.why_not_mount():
        pytest.skip(judges.why_not_mount())


def partitions(image: Path) -> list[tuple[int, int]]:
    """The partitions of a raw disk, (offset, size) in bytes, of a table that has no problems."""
    need("sfdisk", "sgdisk")
    run("sfdisk", "--verify", image)
    table = json.loads(run("sfdisk", "-J", image))["partitiontable"]
    if table["label"] == "gpt":
        assert "No problems found" in run("sgdisk", "-v", image)
    sector = table.get("sectorsize", 512)
    return [(one["start"] * sector, one["size"] * sector) for one in table["partitions"]]


def raw_disk(images: Images, kind: str) -> None:
    need_mount()
    need("e2fsck", "fsck.fat", "mcopy")
    image = images.image(kind)
    described = images.derivation(kind).arguments["partitions"]
    filled = [one for one in described if one["tree"]]
    places = partitions(image)[-len(filled) :]
    for (start, size), one in zip(places, filled, strict=True):
        if one["file_system"] == "ext4":
            run("e2fsck", "-fn", f"{image}?offset={start}")
            compare(observe.mount(image, "ext4", start), declared(images, one["tree"]))
        else:
            observe.check_fat(image, start, size)
            files = declared(images, one["tree"])
            wanted = {path: file.ref for path, file in files.items() if file.kind == "f"}
            assert observe.fat(image, start) == wanted


def converted_disk(images: Images, kind: str) -> None:
    need("qemu-img")
    image = images.image(kind)
    raw = images.image("mbr-hybrid-raw" if kind == "vhdx" else "mbr-raw")
    form = {".vhd": "vpc"}.get(image.suffix, image.suffix[1:])
    if form not in ("vpc", "vmdk"):  # qemu-img has no checks for these
        run("qemu-img", "check", "-f", form, image)
    assert "identical" in run("qemu-img", "compare", "-F", form, "-f", "raw", raw, image)


def squashfs(images: Images, kind: str) -> None:
    need_mount()
    need("unsquashfs")
    image = images.image(kind)
    tree = declared(images, images.derivation(kind).arguments["tree"])
    names = run("unsquashfs", "-no-progress", "-dest", "", "-ls", image).splitlines()
    assert {name.removeprefix("/") for name in names} == set(tree)
    compare(observe.mount(image, "squashfs"), without_acls(tree))


def erofs(images: Images, kind: str) -> None:
    need_mount()
    need("fsck.erofs")
    image = images.image(kind)
    run("fsck.erofs", image)
    compare(
        observe.mount(image, "erofs"), declared(images, images.derivation(kind).arguments["tree"])
    )


def iso(images: Images, kind: str) -> None:
    need("xorriso")
    need_mount()
    derivation = images.derivation(kind)
    image = images.image(kind)
    partitions(image)
    said = run(
        *("xorriso", "-md5", "on", "-indev", image, "-check_md5_r", "WARNING", "/", "--"),
        *("-check_media", "use=indev", "--"),
    )
    assert "File contents and their MD5 checksums match." in said
    assert "md5_match" in said
    found = observe.iso(image)
    for file in derivation.arguments["files"]:
        content = images.source(file["source"]) if "source" in file else file["text"].encode()
        assert found[file["path"]].ref == observe.sha256(content), file["path"]
    (root,) = (one for one in derivation.inputs if one.builder == "squashfs")
    tree = declared(images, root.arguments["tree"])
    compare(observe.mount(images.store.real(root.path), "squashfs"), without_acls(tree))


def tarball(images: Images, kind: str) -> None:
    tree = in_seconds(declared(images, images.derivation(kind).arguments["tree"]))
    need("tar")
    image = images.image(kind)
    found = observe.tar(image)
    names = run("tar", "--list", "--quoting-style=literal", "--file", image).splitlines()
    assert [os.path.normpath(name).removeprefix(".") for name in names] == list(found)
    if kind == "wsl2":
        assert found.pop("etc/wsl.conf").size > 0
        for each in (found, tree):
            each.pop("etc")  # its time has changed
    compare(found, tree)


def docker(images: Images, kind: str) -> None:
    tree = in_seconds(declared(images, images.derivation(kind).arguments["tree"]))
    need("skopeo")
    image = images.image(kind)
    about = json.loads(run("skopeo", "inspect", f"docker-archive:{image}"))
    with tarfile.open(image) as archive:
        (manifest,) = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
        assert len(about["Layers"]) == len(manifest["Layers"])
        layers = [tarfile.open(fileobj=archive.extractfile(name)) for name in manifest["Layers"]]
        compare(observe.layers(layers), tree)


def oci(images: Images, kind: str) -> None:
    tree = in_seconds(declared(images, images.derivation(kind).arguments["tree"]))
    layout = images.image(kind)
    need("skopeo")
    about = json.loads(run("skopeo", "inspect", f"oci:{layout}:latest"))
    blobs = [layout / "blobs/sha256" / one.removeprefix("sha256:") for one in about["Layers"]]
    compare(observe.layers(tarfile.open(blob) for blob in blobs), tree)


def cpio(images: Images, kind: str) -> None:
    need("cpio", "zstd")
    if os.geteuid() != 0:
        pytest.skip("only root can give files to others")
    tree = declared(images, images.derivation(kind).arguments["tree"])

    def unpacked(tree: Seen) -> Seen:
        """As GNU cpio leaves it: without attributes, times on files only."""
        return {
            path: one._replace(xattrs=None, mtime=one.mtime if one.kind == "f" else 0)
            for path, one in in_seconds(tree).items()
            if path
        }

    compare(unpacked(observe.cpio(images.image(kind))), unpacked(tree))


def uki(images: Images, kind: str) -> None:
    need("objcopy")
    derivation = images.derivation(kind)
    image = images.image(kind)
    for section, name in ((".linux", "linux"), (".initrd", "initrd")):
        done = subprocess.run(
            ["objcopy", "-O", "binary", f"--only-section={section}", image, "/dev/stdout"],
            capture_output=True,
            check=True,
        )
        source = images.source(derivation.arguments[name])
        assert done.stdout[: len(source)] == source
        assert not any(done.stdout[len(source) :])


CHECKS: dict[str, Check] = {
    "mbr-raw": raw_disk,
    "efi-raw": raw_disk,
    "mbr-hybrid-raw": raw_disk,
    "raw-with-offset": raw_disk,
    "qcow2": converted_disk,
    "uncompressed-qcow2": converted_disk,
    "vmdk": converted_disk,
    "vhd": converted_disk,
    "vhdx": converted_disk,
    "iso9660": iso,
    "uncompressed-iso9660": iso,
    "docker": docker,
    "oci": oci,
    "tarball": tarball,
    "wsl2": tarball,
    "squashfs": squashfs,
    "erofs": erofs,
    "cpio": cpio,
    "uki": uki,
}


def test_every_type_is_looked_at(images: Images) -> None:
    assert set(images.kinds) == set(CHECKS)


@pytest.mark.parametrize("kind", CHECKS)
def test_an_image_holds_what_its_manifest_says(images: Images, kind: str) -> None:
    CHECKS[kind](images, kind)
