"""Programs for UEFI, unified kernels among them: each section is a file (PE format, COFF)."""

from __future__ import annotations

import struct

from builders.readers import starts
from builders.readers.archive import Archive, Content, of_files
from builders.readers.source import DamagedImage, Source

_SECTION = 40
_MOST_SECTIONS = 96


def recognises(source: Source) -> bool:
    """Whether there are the headers of a program."""
    if not starts(source, 0, b"MZ") or source.size < 64:
        return False
    (at,) = struct.unpack("<I", source.read(60, 4))
    return starts(source, at, b"PE\0\0")


def open_source(source: Source) -> Archive:
    """The sections, by their names. Raises DamagedImage."""
    (at,) = struct.unpack("<I", source.read(60, 4))
    count, optional = struct.unpack("<2xH12xH2x", source.read(at + 4, 20))
    if count > _MOST_SECTIONS:
        raise DamagedImage("the program has more sections than there can be")
    table = source.read(at + 24 + optional, count * _SECTION)
    files = []
    for raw_name, used, _, stored, offset in struct.iter_unpack("<8sIIII16x", table):
        name = raw_name.rstrip(b"\0").decode("utf-8", "surrogateescape")
        length = min(used, stored)
        if offset + length > source.size:
            raise DamagedImage(f"the section {name} of the program reaches over its end")
        files.append((name, Content(source, offset, length)))
    return of_files("pe", files)
