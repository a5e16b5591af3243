"""What is around a disk, an archive or a file system: compressions, and formats of disks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from builders.debian.compression import DamagedStream, decompress
from builders.readers import qcow2, vhd, vhdx, vmdk
from builders.readers.source import DamagedImage, Source
from builders.readers.spool import spooled

_CHUNK = 1 << 18
_MOST = 4
_COMPRESSIONS = {b"\x1f\x8b\x08": ".gz", b"\xfd7zXZ\0": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}
_DISKS: dict[bytes, Callable[[Source], Source]] = {
    qcow2.MAGIC: qcow2.Qcow2,
    vhdx.MAGIC: vhdx.Vhdx,
    vmdk.MAGIC: vmdk.Vmdk,
}


def unwrap(source: Source) -> Source:
    """The bytes that an image file stands for. What is compressed is unpacked to the host's disk.

    Raises DamagedImage, NotReadable, CannotWrite.
    """
    for _ in range(_MOST):
        found = _unwrapped(source)
        if found is None:
            return source
        source = found
    raise DamagedImage(f"there are more than {_MOST} compressions or formats around each other")


def _unwrapped(source: Source) -> Source | None:
    head = source.read(0, min(8, source.size))
    for magic, suffix in _COMPRESSIONS.items():
        if head.startswith(magic):
            return _unpacked(source, suffix)
    for magic, make in _DISKS.items():
        if head.startswith(magic):
            return make(source)
    return vhd.disk(source)


def _unpacked(source: Source, suffix: str) -> Source:
    def pieces() -> Iterator[tuple[int, bytes]]:
        position = 0
        for piece in decompress(suffix, _chunks(source)):
            yield position, piece
            position += len(piece)

    try:
        return spooled(pieces())
    except DamagedStream as error:
        raise DamagedImage(f"what is compressed in the image is {error}") from None


def _chunks(source: Source) -> Iterator[bytes]:
    for start in range(0, source.size, _CHUNK):
        yield source.read(start, min(_CHUNK, source.size - start))
