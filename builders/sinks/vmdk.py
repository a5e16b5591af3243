"""VMDK images of the type streamOptimized (VMware's Virtual Disk Format 5.0): what OVA files hold.

Grains of 64 KiB, each a zlib stream, follow each other; their tables come behind them, and a
copy of the header at the very end says where.
"""

from __future__ import annotations

import struct
import uuid as uuids
import zlib
from array import array
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from builders.errors import BuilderError
from builders.plan import Plan, data_size
from builders.sinks import codecs, raw
from builders.sinks.parallel import in_order
from builders.sinks.stream import windows, zeros

_SECTOR = 512
_GRAIN = 1 << 16
_GRAIN_SECTORS = _GRAIN // _SECTOR
_TABLE_ENTRIES = 512
_TABLE_SECTORS = 4
_DESCRIPTOR_SECTORS = 20
_OVERHEAD_SECTORS = 128
_AT_END = (1 << 64) - 1
_FLAGS = 1 | 1 << 16 | 1 << 17  # line ends can be checked; compressed grains; markers
_MARKER_TABLE, _MARKER_DIRECTORY, _MARKER_FOOTER, _MARKER_END = 1, 2, 3, 0
_WINDOW = 1 << 20
_FLUSH = 4 << 20
_LEVEL = 1
_ZLIB_WINDOW = 15
_LARGEST = (1 << 32) * _SECTOR - _GRAIN  # tables hold sectors of the file in 32 bits

_DESCRIPTOR = """# Disk DescriptorFile
version=1
CID={cid:08x}
parentCID=ffffffff
createType="streamOptimized"

# Extent description
RW {sectors} SPARSE "{name}"

# The Disk Data Base
#DDB

ddb.virtualHWVersion = "10"
ddb.geometry.cylinders = "{cylinders}"
ddb.geometry.heads = "255"
ddb.geometry.sectors = "63"
ddb.adapterType = "lsilogic"
"""


class TooLargeForVmdk(BuilderError):
    def __init__(self, size: int) -> None:
        super().__init__(
            f"a disk of {size:,} bytes does not fit in a VMDK, which holds {_LARGEST:,} at most",
            hint="declare a smaller image, or another format",
        )


def write(
    source: Plan,
    path: Path,
    real: raw.Real,
    progress: raw.ReportProgress | None = None,
    *,
    uuid: uuids.UUID,
    level: int | None = None,
    threads: int | None = None,
) -> None:
    """Write the disk that `source` plans to the new VMDK file `path`; removed again on failure.

    A size that is no multiple of 512 is rounded up. The first bytes of `uuid` are the content ID;
    `level` is zlib's, None: the fastest. Raises TooLargeForVmdk, SourceChanged, SourceMissing,
    CannotWrite, codecs.BadLevel.
    """
    if source.size > _LARGEST:
        raise TooLargeForVmdk(source.size)
    codec = codecs.deflate(_LEVEL if level is None else level, _ZLIB_WINDOW)
    with raw.new_file(path) as descriptor:
        position = 0
        buffer = bytearray()
        for piece in _pieces(source, real, codec, uuid, threads, progress):
            buffer += piece
            if len(buffer) >= _FLUSH:
                raw.write_all(descriptor, memoryview(buffer), position)
                position += len(buffer)
                buffer = bytearray()
        raw.write_all(descriptor, memoryview(buffer), position)


def pieces(
    source: Plan,
    real: raw.Real,
    progress: raw.ReportProgress | None = None,
    *,
    uuid: uuids.UUID,
    threads: int | None = None,
) -> Iterator[bytes]:
    """The VMDK that `write` makes, its grains uncompressed, from its beginning to its end.

    For who compresses the whole of it. Raises what `write` raises.
    """
    if source.size > _LARGEST:
        raise TooLargeForVmdk(source.size)
    return _pieces(source, real, partial(zlib.compress, level=0), uuid, threads, progress)


def _pieces(
    source: Plan,
    real: raw.Real,
    codec: codecs.Codec,
    uuid: uuids.UUID,
    threads: int | None,
    progress: raw.ReportProgress | None,
) -> Iterator[bytes]:
    """The file from its beginning to its end; every piece is whole sectors."""
    sectors = -(-source.size // _SECTOR)
    yield _header(sectors, _AT_END)
    yield _description(sectors, uuid)
    yield zeros((_OVERHEAD_SECTORS - 1 - _DESCRIPTOR_SECTORS) * _SECTOR)
    position = _OVERHEAD_SECTORS
    tables: dict[int, array[int]] = {}

    def grains(window: tuple[int, bytearray]) -> list[tuple[int, bytes]]:
        return list(_grains(*window, codec))

    total = data_size(source)
    done = 0
    for found in in_order(grains, windows(source, real, _WINDOW), threads):
        for number, data in found:
            table, index = divmod(number, _TABLE_ENTRIES)
            if table not in tables:
                tables[table] = array("I", zeros(4 * _TABLE_ENTRIES))
            tables[table][index] = position
            yield data
            position += len(data) // _SECTOR
        if progress is not None:
            done = min(done + _WINDOW, total)
            progress(done, total)
    directory = [0] * -(-sectors // (_GRAIN_SECTORS * _TABLE_ENTRIES))
    for number, entries in sorted(tables.items()):
        yield _marker(_TABLE_SECTORS, _MARKER_TABLE)
        directory[number] = position + 1
        yield struct.pack(f"<{_TABLE_ENTRIES}I", *entries)
        position += 1 + _TABLE_SECTORS
    packed = struct.pack(f"<{len(directory)}I", *directory)
    packed += bytes(-len(packed) % _SECTOR)
    yield _marker(len(packed) // _SECTOR, _MARKER_DIRECTORY)
    yield packed
    yield _marker(1, _MARKER_FOOTER)
    yield _header(sectors, position + 1)
    yield _marker(0, _MARKER_END)


def _grains(offset: int, window: bytearray, codec: codecs.Codec) -> Iterator[tuple[int, bytes]]:
    """The grains of a window that are not zero: number, and marker with compressed bytes."""
    zero = zeros(_GRAIN)
    with memoryview(window) as view:
        for start in range(0, len(window), _GRAIN):
            if window.startswith(zero, start):
                continue
            data = codec(view[start : start + _GRAIN])
            grain = struct.pack("<QI", (offset + start) // _SECTOR, len(data)) + data
            yield (offset + start) // _GRAIN, grain + bytes(-len(grain) % _SECTOR)


def _header(sectors: int, directory: int) -> bytes:
    """The header of a disk of `sectors`; the grain directory is at the sector `directory`."""
    return struct.pack(
        "<4sIIQQQQIQQQB4sH433x",
        b"KDMV",
        3,
        _FLAGS,
        sectors,
        _GRAIN_SECTORS,
        1,
        _DESCRIPTOR_SECTORS,
        _TABLE_ENTRIES,
        0,  # no second directory
        directory,
        _OVERHEAD_SECTORS,
        0,
        b"\n \r\n",
        1,  # deflate
    )


def _description(sectors: int, uuid: uuids.UUID) -> bytes:
    text = _DESCRIPTOR.format(
        cid=int.from_bytes(uuid.bytes[:4], "big") & 0xFFFFFFFE,  # all ones would say "none"
        sectors=sectors,
        name="disk.vmdk",
        cylinders=max(1, sectors // (255 * 63)),
    )
    return text.encode("ascii").ljust(_DESCRIPTOR_SECTORS * _SECTOR, b"\0")


def _marker(sectors: int, kind: int) -> bytes:
    return struct.pack("<QII496x", sectors, 0, kind)
