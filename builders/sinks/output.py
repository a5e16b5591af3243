"""Which sink a disk image goes to: formats and compressions by name.

Sinks are imported when something goes to them: all of them take as long as a small image.
"""

from __future__ import annotations

import uuid as uuids
from collections.abc import Iterable, Iterator
from pathlib import Path

from builders.errors import BuilderError
from builders.plan import Plan
from builders.sinks import raw

FORMATS = ("raw", "qcow2", "vmdk", "vhd", "vhdx")


class UnknownFormat(BuilderError):
    """A format of disk images that Kiln does not write."""

    def __init__(self, name: object) -> None:
        hint = f"known: {', '.join(FORMATS)}"
        if name in ("vpc", "vdi"):
            hint += f"; or have QEMU convert one: qemu-img convert -O {name} disk.qcow2 disk.{name}"
        super().__init__(f"disk images of the format {name} cannot be written", hint=hint)


def check(image_format: str, compression: str | None, level: int | None = None) -> None:
    """Raise UnknownFormat, UnknownCompression or LevelWithoutCompression: before work is done."""
    if image_format not in FORMATS:
        raise UnknownFormat(image_format)
    if compression is None:
        if level is not None and image_format != "vmdk":
            from builders.sinks.codecs import LevelWithoutCompression

            raise LevelWithoutCompression(level)
        return
    from builders.sinks import compress, qcow2

    if image_format == "qcow2" and compression in qcow2.COMPRESSIONS:
        return
    if image_format == "vmdk" and compression == "zlib":
        return
    if compression not in compress.METHODS:
        own = {"qcow2": qcow2.COMPRESSIONS, "vmdk": ("zlib",)}
        known = [*compress.METHODS, *own.get(image_format, ())]
        raise compress.UnknownCompression(compression, dict.fromkeys(known))


def write(
    plan: Plan,
    path: Path,
    real: raw.Real,
    progress: raw.ReportProgress | None = None,
    *,
    image_format: str = "raw",
    compression: str | None = None,
    level: int | None = None,
    uuid: uuids.UUID,
) -> None:
    """Write the disk that `plan` describes to the new file `path`; removed again on failure.

    image_format  one of FORMATS
    compression   of a qcow2: "zstd" or "zlib" compress its clusters; of a VMDK: None or "zlib",
                  its grains; else "gzip", "zstd" or "xz" compress the whole file, once
    level         the compression's own; None: what is worth its time
    uuid          the disk's, for formats that name it

    Raises what `check` and the sinks raise.
    """
    check(image_format, compression, level)
    if image_format == "vmdk":
        from builders.sinks import vmdk

        if compression in (None, "zlib"):
            vmdk.write(plan, path, real, progress, uuid=uuid, level=level)
            return
        from builders.sinks import compress

        pieces = vmdk.pieces(plan, real, progress, uuid=uuid)
        write_pieces(compress.compress(pieces, str(compression), level), path)
        return
    if image_format == "qcow2":
        from builders.sinks import qcow2

        if compression in (None, *qcow2.COMPRESSIONS):
            qcow2.write(plan, path, real, progress, compression=compression, level=level)
            return
        plan = qcow2.plan(plan)
    elif image_format == "vhd":
        from builders.sinks import vhd

        plan = vhd.plan(plan, uuid)
    elif image_format == "vhdx":
        from builders.sinks import vhdx

        plan = vhdx.plan(plan, uuid)
    if compression is None:
        raw.write(plan, path, real, progress)
    else:
        write_compressed(plan, path, real, progress, compression=compression, level=level)


def write_compressed(
    plan: Plan,
    path: Path,
    real: raw.Real,
    progress: raw.ReportProgress | None = None,
    *,
    compression: str,
    level: int | None = None,
) -> None:
    """Write the plan's bytes compressed by one of compress.METHODS; removed again on failure."""
    from builders.sinks import compress, stream

    blocks = stream.blocks(plan, real, compress.find(compression).block)
    if progress is not None:
        blocks = counted(blocks, plan.size, progress)
    write_pieces(compress.compress(blocks, compression, level), path)


def write_pieces(pieces: Iterable[bytes | bytearray | memoryview], path: Path) -> None:
    """Write `pieces` behind each other to the new file `path`; removed again on failure."""
    with raw.new_file(path) as descriptor:
        position = 0
        for piece in pieces:
            raw.write_all(descriptor, memoryview(piece), position)
            position += len(piece)


def counted(
    pieces: Iterable[bytes | bytearray], total: int, progress: raw.ReportProgress
) -> Iterator[bytes | bytearray]:
    """The same pieces; tells `progress` how many of their `total` bytes have been taken."""
    done = 0
    for piece in pieces:
        yield piece
        done += len(piece)
        progress(done, total)
