"""Kernel modules: .modinfo, closures in loading order, and names that do not exist."""

from __future__ import annotations

import gzip
import lzma
import struct
from collections.abc import Iterable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from builders import kmodules
from builders.kmodules import ModuleIndex
from builders.tree import Entry, content_reader

VERSION = "6.1.0-9-test"


def ko(*pairs: str, other: bytes = b"code") -> bytes:
    """An ELF64 relocatable file with a .modinfo section, laid out as elf(5) says."""
    info = b"".join(pair.encode() + b"\0" for pair in pairs)
    names = b"\0.text\0.modinfo\0.shstrtab\0"
    body = other + info + names
    offsets = [64, 64 + len(other), 64 + len(other) + len(info)]
    sections = [(0, 0, 0), (1, offsets[0], len(other)), (7, offsets[1], len(info))]
    sections.append((16, offsets[2], len(names)))
    table = b"".join(
        struct.pack("<IIQQQQIIQQ", name, 1, 0, 0, offset, size, 0, 0, 1, 0)
        for name, offset, size in sections
    )
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 1, 62, 1, 0, 0, 64 + len(body), 0, 64, 0, 0, 64, 4, 3)
    return header + body + table


def tree(modules: dict[str, bytes], builtin: Iterable[str] = (), root: str = "lib") -> list[Entry]:
    files = {f"kernel/{name}": data for name, data in modules.items()}
    files["modules.builtin"] = "".join(f"kernel/fs/{name}.ko\n" for name in builtin).encode()
    return [
        Entry(f"{root}/modules/{VERSION}/{name}", "f", 0o644, size=len(data), ref=data)
        for name, data in sorted(files.items())
    ]


def index(entries: list[Entry]) -> ModuleIndex:
    read = content_reader(lambda _: pytest.fail("nothing is on disk"))
    return ModuleIndex(entries, read, VERSION)


def names(modules: Iterable[kmodules.Module]) -> list[str]:
    return [module.name for module in modules]


USB = {
    "usb/storage/uas.ko": ko("depends=usb-storage,usbcore,scsi_mod", "alias=usb:v*p*"),
    "usb/storage/usb-storage.ko": ko("depends=scsi_mod,usbcore"),
    "usb/usbcore.ko": ko("depends=usb-common"),
    "usb/usb-common.ko": ko("depends="),
    "scsi/scsi_mod.ko": ko("depends=scsi_common", "softdep=post: scsi_dh"),
    "scsi/scsi_common.ko": ko("depends="),
    "scsi/scsi_dh.ko": ko("depends=scsi_mod"),
    "ext4.ko": ko("depends=jbd2,built-in", "softdep=pre: crc32c nothing", "alias=fs-ext4"),
    "jbd2.ko": ko("depends="),
    "crc32c.ko": ko("depends="),
}


def test_modinfo_is_read_in_order() -> None:
    image = ko("license=GPL", "depends=a,b", "alias=x=y", "alias=z")
    expected = [("license", "GPL"), ("depends", "a,b"), ("alias", "x=y"), ("alias", "z")]
    assert kmodules.modinfo(image) == expected


@given(st.binary(max_size=200), st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_a_damaged_module_is_an_error_of_ours(junk: bytes, place: int, patch: bytes) -> None:
    image = bytearray(ko("depends=a", other=junk))
    image[place : place + len(patch)] = patch
    for data in (bytes(image), bytes(image[:place]), junk):
        try:
            kmodules.parse_module("lib/x.ko", data)
        except kmodules.NotAModule as error:
            assert "/lib/x.ko" in error.message


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        ("", bytes),
        (".xz", lzma.compress),
        (".gz", gzip.compress),
        (".zst", zstandard.ZstdCompressor(write_content_size=False).compress),
    ],
)
def test_compressed_modules_are_uncompressed(suffix: str, compress: type[bytes]) -> None:
    image = ko("depends=usb-common", "softdep=pre: a-b c post: d")
    module = kmodules.parse_module(f"lib/usb-storage.ko{suffix}", compress(image))
    assert module.name == "usb_storage"
    assert (module.depends, module.before, module.after) == (("usb_common",), ("a_b", "c"), ("d",))
    assert module.image == image


def test_a_closure_has_each_module_after_what_it_needs() -> None:
    order = names(index(tree(USB, builtin=["built-in"])).closure(["uas", "ext4"]))
    assert sorted(order) == sorted(path.split("/")[-1][:-3].replace("-", "_") for path in USB)
    for before, after in [
        ("usb_common", "usbcore"),
        ("usbcore", "usb_storage"),
        ("usb_storage", "uas"),
        ("scsi_common", "scsi_mod"),
        ("scsi_mod", "scsi_dh"),
        ("jbd2", "ext4"),
        ("crc32c", "ext4"),
    ]:
        assert order.index(before) < order.index(after)


def test_modprobe_loads_a_list_from_right_to_left() -> None:
    modules = index(tree(USB, builtin=["built-in"])).closure(["uas"])
    for name, needs in kmodules.dependency_lists(modules).items():
        loaded: set[str] = set()
        for module in [*reversed(needs), name]:
            direct = next(m for m in modules if m.name == module).depends
            assert loaded.issuperset(direct), (name, needs)
            loaded.add(module)
    tables = kmodules.module_tables(modules)
    assert "usbcore.ko: usb_common.ko\n" in tables["modules.dep"]
    assert tables["modules.alias"] == "alias usb:v*p* uas\n"


def test_builtin_modules_need_no_file() -> None:
    modules = index(tree(USB, builtin=["built-in", "virtio_blk"]))
    assert names(modules.closure(["virtio-blk", "built-in"])) == []


def test_an_unknown_module_names_its_neighbours() -> None:
    modules = index(tree(USB, builtin=["virtio_blk"]))
    with pytest.raises(kmodules.UnknownModule) as caught:
        modules.closure(["usb-stroage"])
    assert "usb_storage" in caught.value.nearest
    assert VERSION in caught.value.message
    with pytest.raises(kmodules.UnknownModule) as caught:
        modules.closure(["virtio_blok"])
    assert caught.value.nearest == ("virtio_blk",)
    assert names(modules.closure([], ["nothing", "jbd2"])) == ["jbd2"]


@given(st.data())
def test_any_graph_without_loops_is_ordered(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 9))
    needs = {
        f"m{i}": data.draw(st.lists(st.sampled_from([f"m{j}" for j in range(i)]), unique=True))
        if i
        else []
        for i in range(count)
    }
    files = {f"{name}.ko": ko("depends=" + ",".join(direct)) for name, direct in needs.items()}
    wanted = data.draw(st.lists(st.sampled_from(sorted(needs)), unique=True))
    modules = index(tree(files)).closure(wanted)
    seen: set[str] = set()
    for module in modules:
        assert seen.issuperset(module.depends)
        seen.add(module.name)
    assert seen.issuperset(wanted)


def test_softdeps_may_form_a_loop() -> None:
    files = {"a.ko": ko("softdep=pre: b"), "b.ko": ko("softdep=pre: a")}
    assert sorted(names(index(tree(files)).closure(["a"]))) == ["a", "b"]


@pytest.mark.parametrize("root", ["lib", "usr/lib"])
def test_the_only_kernel_is_found(root: str) -> None:
    entries = tree(USB, root=root)
    assert kmodules.only_kernel(entries, None) == VERSION
    assert kmodules.only_kernel(entries, VERSION) == VERSION
    assert "uas" in index(entries)


def test_no_kernel_and_several_are_errors() -> None:
    with pytest.raises(kmodules.NoKernel, match="no kernel modules"):
        kmodules.only_kernel([], None)
    second = [entry._replace(path=entry.path.replace("6.1", "6.2")) for entry in tree(USB)]
    with pytest.raises(kmodules.NoKernel, match=r"several kernels: 6.1.0-9-test, 6.2"):
        kmodules.only_kernel(tree(USB) + second, None)
    with pytest.raises(kmodules.NoKernel, match=r"no modules of kernel 5.10; it has 6.1.0-9-test"):
        kmodules.only_kernel(tree(USB), "5.10")
