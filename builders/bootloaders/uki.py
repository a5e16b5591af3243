"""Unified kernel images: a kernel, its initrd and its command line in one program for UEFI.

systemd's stub (linuxx64.efi.stub) is a PE executable that looks for these in its own sections (UAPI
group, Unified Kernel Image specification); they are added behind those that it has. Alignment and
room for more section headers are what the stub's own headers say (Microsoft, PE format).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from builders.bootloaders import esp
from builders.bootloaders.kernel_line import kernel_line
from builders.errors import BuilderError
from builders.registry import Build, builder
from builders.tree import content_reader

STUB = "usr/lib/systemd/boot/efi/linuxx64.efi.stub"
"""Where Debian's package systemd-boot-efi has it."""

_PE32_PLUS = 0x20B
_HEADER = 40  # bytes of a section header
_DATA = 0x40000040  # initialised data, readable
_MOST = 0xFFFFFFFF
_CERTIFICATES = 4  # number of the data directory that says where signatures are


class BadExecutable(BuilderError):
    """A file that should be a program for UEFI is none, or has no room for what is to be added."""


class Pe(NamedTuple):
    """What there is to know of a PE32+ executable. Offsets are in the file.

    machine         the kind of processor
    coff            offset of the COFF header, behind the signature
    optional        offset of the optional header
    table           offset of the section headers
    sections        (name, virtual size, address, size in the file, offset in the file)
    section_align   what addresses are multiples of
    file_align      what offsets are multiples of
    headers         bytes of all headers: where the section headers' room ends
    image           bytes in memory
    """

    machine: int
    coff: int
    optional: int
    table: int
    sections: list[tuple[str, int, int, int, int]]
    section_align: int
    file_align: int
    headers: int
    image: int


def read_pe(data: bytes | bytearray, what: str) -> Pe:
    """The headers of the executable `data`, called `what` in errors. Raise BadExecutable."""
    try:
        (start,) = struct.unpack_from("<I", data, 0x3C)
        machine, count = struct.unpack_from("<HH", data, start + 4)
        (optional_size,) = struct.unpack_from("<H", data, start + 20)
        optional = start + 24
        (magic,) = struct.unpack_from("<H", data, optional)
        section_align, file_align = struct.unpack_from("<II", data, optional + 32)
        image, headers = struct.unpack_from("<II", data, optional + 56)
        table = optional + optional_size
        sections = []
        for number in range(count):
            fields = struct.unpack_from("<8sIIII", data, table + number * _HEADER)
            name = fields[0].rstrip(b"\0").decode("latin-1")
            sections.append((name, fields[1], fields[2], fields[3], fields[4]))
    except struct.error:
        raise BadExecutable(f"{what} is not a program for UEFI: it is cut short") from None
    if data[:2] != b"MZ" or data[start : start + 4] != b"PE\0\0" or magic != _PE32_PLUS:
        raise BadExecutable(f"{what} is not a program for 64-bit UEFI (PE32+)")
    for align in (section_align, file_align):
        if align == 0 or align & (align - 1):
            raise BadExecutable(f"{what} has sections aligned to {align} bytes, no power of two")
    return Pe(
        machine,
        start + 4,
        optional,
        table,
        sections,
        section_align,
        file_align,
        headers,
        image,
    )


def _round(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def with_sections(stub: bytes, sections: Sequence[tuple[str, bytes]]) -> bytes:
    """The executable `stub` with more sections, (name, content), in this order.

    A signature of the stub's, which would no longer hold, is left out. Raise BadExecutable.
    """
    pe = read_pe(stub, "the stub")
    result = bytearray(_unsigned(stub, pe))
    count = len(pe.sections)
    first_data = min((offset for *_, size, offset in pe.sections if size), default=pe.headers)
    room = (min(pe.headers, first_data) - pe.table) // _HEADER - count
    if len(sections) > room:
        raise BadExecutable(f"the stub has room for {room} more sections, not {len(sections)}")
    names = {name for name, *_ in pe.sections}
    address = max((start + size for _, size, start, _, _ in pe.sections), default=pe.headers)
    for number, (name, content) in enumerate(sections):
        if name in names or len(name) > 8:
            raise BadExecutable(f"the stub has a section {name} already, or its name is too long")
        names.add(name)
        address = _round(address, pe.section_align)
        result += bytes(-len(result) % pe.file_align)
        offset = len(result)
        stored = _round(len(content), pe.file_align)
        result += content
        result += bytes(stored - len(content))
        struct.pack_into(
            "<8sIIIIIIHHI",
            result,
            pe.table + (count + number) * _HEADER,
            name.encode(),
            len(content),
            address,
            stored,
            offset,
            0,
            0,
            0,
            0,
            _DATA,
        )
        address += len(content)
    image = _round(address, pe.section_align)
    if image > _MOST or len(result) > _MOST:
        raise BadExecutable("kernel and initrd have more than 4 GiB together")
    struct.pack_into("<H", result, pe.coff + 2, count + len(sections))
    struct.pack_into("<II", result, pe.coff + 8, 0, 0)  # symbols that lay behind the sections
    struct.pack_into("<I", result, pe.optional + 56, image)
    struct.pack_into("<I", result, pe.optional + 64, 0)  # no checksum: firmware looks at none
    return bytes(result)


def _unsigned(data: bytes, pe: Pe) -> bytes:
    """`data` without the signatures that it ends with."""
    (directories,) = struct.unpack_from("<I", data, pe.optional + 108)
    if directories <= _CERTIFICATES:
        return data
    place = pe.optional + 112 + 8 * _CERTIFICATES
    offset, size = struct.unpack_from("<II", data, place)
    if not size:
        return data
    if _round(offset + size, 8) < len(data):
        raise BadExecutable("the stub has a signature, and something behind it")
    return data[:place] + bytes(8) + data[place + 8 : offset]


def unified(
    stub: bytes,
    kernel: bytes,
    *,
    command_line: str,
    os_release: str = "",
    initrd: bytes | None = None,
    release: str | None = None,
) -> bytes:
    """The unified kernel image. `release` is the kernel's version. Raise BadExecutable."""
    if read_pe(kernel, "the kernel").machine != read_pe(stub, "the stub").machine:
        raise BadExecutable("the stub and the kernel are for different processors")
    sections = []
    if os_release:
        sections.append((".osrel", os_release.encode()))
    sections.append((".cmdline", command_line.encode() + b"\0"))
    if release is not None:
        sections.append((".uname", release.encode() + b"\0"))
    if initrd is not None:
        sections.append((".initrd", initrd))
    sections.append((".linux", kernel))  # last: some stubs unpack it where it lies
    return with_sections(stub, sections)


@builder("uki")
def uki(build: Build) -> None:
    """Write a unified kernel image, for EFI/BOOT/BOOTX64.EFI or EFI/Linux, to the output, a file.

    packages    items, unpacked or native, that hold the package systemd-boot-efi
    linux       the kernel: a store path, with the path in the item
    initrd      likewise; null or left out: none
    arguments   list of the kernel's
    os_release  text of os-release(5), from which a menu takes its title (optional)
    release     the kernel's version (optional)

    Raise BadExecutable, BadKernelArgument, NotInItem.
    """
    arguments = build.arguments

    def content(source: Any) -> bytes | None:
        return content_reader(build.real)(esp.find(build, source)) if source else None

    image = unified(
        esp.find_in(build, arguments["packages"], STUB, "systemd-boot-efi"),
        content(arguments["linux"]) or b"",
        command_line=kernel_line(arguments["arguments"]),
        os_release=arguments.get("os_release") or "",
        initrd=content(arguments.get("initrd")),
        release=arguments.get("release"),
    )
    build.output.write_bytes(image)
