"""Unified kernel images: what objdump reads in them is what was put in."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.bootloaders import uki
from builders.bootloaders.uki import BadExecutable
from tests.builders.filesystems.judges import needs

AMD64, ARM64 = 0x8664, 0xAA64


def executable(
    *,
    machine: int = AMD64,
    section_align: int = 0x1000,
    file_align: int = 0x200,
    headers: int = 0x400,
    text: bytes = b"\xc3",
    signature: bytes = b"",
    magic: int = 0x20B,
) -> bytes:
    """A program for UEFI with one section, the PE format's way."""
    stored = -(-len(text) // file_align) * file_align
    start = 0x80
    first = -(-headers // file_align) * file_align
    address = -(-headers // section_align) * section_align
    optional = struct.pack(
        "<HBBIIIIIQIIHHHHHHIIIIHHQQQQII",
        *(magic, 2, 38, stored, 0, 0, address, address, 0x140000000),
        *(section_align, file_align, 0, 0, 0, 0, 1, 0, 0),
        *(address + section_align, headers, 0x1234, 10, 0),
        *(0x100000, 0x1000, 0x100000, 0x1000, 0, 16),
    )
    directories = bytearray(16 * 8)
    if signature:
        struct.pack_into("<II", directories, 4 * 8, first + stored, len(signature))
    size = len(optional) + len(directories)
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", start)
    coff = struct.pack("<HHIIIHH", machine, 1, 0, 0, 0, size, 0x22E)
    section = struct.pack(
        "<8sIIIIIIHHI", b".text", len(text), address, stored, first, 0, 0, 0, 0, 0x60000020
    )
    all_headers = head.ljust(start, b"\0") + b"PE\0\0" + coff + optional + directories + section
    return all_headers.ljust(first, b"\0") + text.ljust(stored, b"\0") + signature


def section(image: bytes, name: str, folder: Path) -> bytes:
    """The content of a section, cut out by objcopy."""
    source, target = folder / "image.efi", folder / "section"
    source.write_bytes(image)
    command = ["objcopy", "-O", "binary", f"--only-section={name}"]
    subprocess.run([*command, source, target], check=True, capture_output=True)
    return target.read_bytes()


CONTENTS = st.binary(min_size=1, max_size=3000)


@needs("objdump")
@needs("objcopy")
@settings(max_examples=15, deadline=None)
@given(
    initrd=st.none() | CONTENTS,
    line=st.text("abc=/ -1", max_size=600),
    text=CONTENTS,
    aligned=st.sampled_from([(0x1000, 0x200), (0x200, 0x200), (0x1000, 0x1000), (0x20, 0x20)]),
    signature=st.sampled_from([b"", b"signature" * 8]),
)
def test_all_parts_are_sections_of_a_sound_executable(
    initrd: bytes | None, line: str, text: bytes, aligned: tuple[int, int], signature: bytes
) -> None:
    stub = executable(
        section_align=aligned[0], file_align=aligned[1], text=text, signature=signature
    )
    kernel = executable(text=b"kernel")
    image = uki.unified(
        stub, kernel, command_line=line, os_release="ID=x\n", initrd=initrd, release="6.1"
    )
    expected = {".text": text, ".osrel": b"ID=x\n", ".cmdline": line.encode() + b"\0"}
    expected |= {".uname": b"6.1\0", ".linux": kernel}
    if initrd is not None:
        expected[".initrd"] = initrd
    pe = uki.read_pe(image, "it")
    end = pe.headers
    for name, size, address, stored, offset in pe.sections:
        assert image[offset : offset + size] == expected.pop(name)
        assert address % aligned[0] == 0
        assert offset % aligned[1] == stored % aligned[1] == 0
        assert address >= end
        end = address + size
    assert expected == {}
    assert end <= pe.image < end + aligned[0]
    with TemporaryDirectory() as folder:
        assert section(image, ".cmdline", Path(folder))[: len(line) + 1] == line.encode() + b"\0"
        shown = subprocess.run(
            ["objdump", "-h", f"{folder}/image.efi"], capture_output=True, text=True, check=True
        ).stdout
    names = re.findall(r"^ +\d+ (\S+)", shown, re.MULTILINE)
    assert names == [".text", ".osrel", ".cmdline", ".uname"] + [".initrd"] * (
        initrd is not None
    ) + [".linux"]
    assert b"signature" not in image


@pytest.mark.parametrize(
    ("stub", "kernel", "problem"),
    [
        (b"", executable(), "cut short"),
        (executable()[:300], executable(), "cut short"),
        (b"\x7fELF" + executable()[4:], executable(), "not a program for 64-bit UEFI"),
        (executable(magic=0x10B), executable(), "not a program for 64-bit UEFI"),
        (executable(file_align=0x180), executable(), "no power of two"),
        (executable(headers=0x1D8), executable(), "room for 1 more sections, not 2"),
        (executable(), executable(machine=ARM64), "different processors"),
        (executable(), b"not a kernel", "the kernel is not a program"),
        (executable(signature=b"s" * 64) + bytes(100), executable(), "something behind it"),
    ],
)
def test_what_cannot_be_put_together_is_refused(stub: bytes, kernel: bytes, problem: str) -> None:
    with pytest.raises(BadExecutable, match=problem):
        uki.unified(stub, kernel, command_line="quiet")


def test_a_section_is_not_added_twice() -> None:
    with pytest.raises(BadExecutable, match=r"section \.text already"):
        uki.with_sections(executable(), [(".text", b"x")])


def test_nothing_else_of_the_stub_changes() -> None:
    stub = executable(text=b"code" * 100)
    image = uki.with_sections(stub, [(".osrel", b"ID=x\n")])
    assert image[0x400 : len(stub)] == stub[0x400:]
    assert image == uki.with_sections(stub, [(".osrel", b"ID=x\n")])
    assert shutil.which("objdump") is None or len(image) == len(stub) + 0x200
