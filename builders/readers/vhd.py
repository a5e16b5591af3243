"""VHD images of a fixed size: the disk that one holds, as a source."""

from __future__ import annotations

import struct

from builders.readers.source import NotReadable, Source, Window

_FOOTER = 512
_FIXED = 2


def disk(file: Source) -> Source | None:
    """The disk in the image `file`; None if it is no VHD. Raises NotReadable."""
    if file.size < _FOOTER:
        return None
    footer = file.read(file.size - _FOOTER, _FOOTER)
    if footer[:8] != b"conectix":
        return None
    size, kind = struct.unpack_from(">Q4xI", footer, 48)
    if kind != _FIXED or size > file.size - _FOOTER:
        raise NotReadable(
            "the VHD image is not of a fixed size",
            hint="convert it: qemu-img convert -f vpc -O raw",
        )
    return Window(file, 0, size)
