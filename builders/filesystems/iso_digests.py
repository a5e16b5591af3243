"""Fill in the checksums of an ISO, for which there is room (builders.filesystems.iso_checksums).

They cover what lies on the ISO as it is at last, tables and boot code too, so that this is the last
step. Everything is read once, and summed twice at a time: as a whole, and file by file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from operator import itemgetter

from builders.filesystems.iso_checksums import SECTOR, Places
from builders.plan import Plan
from builders.sinks import stream
from builders.sinks.raw import Real


def fill(plan: Plan, places: Places, real: Real) -> None:
    """Add the checksums to the plan. Raises SourceMissing, SourceChanged, OSError."""
    session = _Session(places)
    files = _Files(places.files)
    end = places.array * SECTOR
    with ThreadPoolExecutor(max_workers=1) as second:
        blocks = stream.blocks(plan, real)
        for base, block in zip(count(0, stream.BLOCK), blocks, strict=False):
            if base >= end:
                break
            data = memoryview(block)[: end - base]
            summed = second.submit(files.take, base, data)
            session.take(base, data)
            summed.result()
    plan.metadata += session.finish(files.digests)
    plan.metadata.sort(key=itemgetter(0))


class _Files:
    """The digests of files, of which the bytes come in their order on the ISO."""

    def __init__(self, files: Sequence[tuple[int, int]]) -> None:
        self.digests = [_md5().digest()] * len(files)  # an empty file's is there already
        self._left = sorted(
            ((offset, size, number) for number, (offset, size) in enumerate(files) if size),
            reverse=True,
        )
        self._digest = _md5()

    def take(self, base: int, data: memoryview) -> None:
        """Sum what there is of files in `data`, which is at the offset `base`."""
        end = base + len(data)
        while self._left and self._left[-1][0] < end:
            offset, size, number = self._left[-1]
            self._digest.update(data[max(offset - base, 0) : offset + size - base])
            if offset + size > end:
                break
            self.digests[number] = self._digest.digest()
            self._digest = _md5()
            self._left.pop()


class _Session:
    """The digest of all bytes from the first, and the tags that say what it is up to there."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._digest = _md5()
        self._filled: list[tuple[int, bytes]] = []

    def take(self, base: int, data: memoryview) -> None:
        """Sum the bytes at the offset `base`, with the tags in place of the room for them."""
        places = self._places
        done = 0
        for sector, name, following in (
            (places.superblock, "libisofs_sb_checksum_tag_v1", f" next={places.tree}"),
            (places.tree, "libisofs_tree_checksum_tag_v1", f" next={places.end}"),
        ):
            start = sector * SECTOR - base
            if 0 <= start < len(data):
                self._digest.update(data[done:start])
                self._tag(sector, name, following)
                done = start + SECTOR
        self._digest.update(data[done:])

    def finish(self, digests: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """The array and the tags, with their offsets."""
        places = self._places
        array = self._digest.digest() + b"".join(digests)
        array += _md5(array).digest()
        self._put(places.array, array + bytes((places.end - places.array) * SECTOR - len(array)))
        self._tag(places.end, "libisofs_checksum_tag_v1")
        return self._filled

    def _tag(self, sector: int, name: str, following: str = "") -> None:
        """A tag's text ends with its own digest."""
        text = f"{name} pos={sector} range_start=0 range_size={sector}{following}"
        text += f" md5={self._digest.hexdigest()}"
        text += f" self={_md5(text.encode()).hexdigest()}\n"
        self._put(sector, text.encode().ljust(SECTOR, b"\0"))

    def _put(self, sector: int, data: bytes) -> None:
        self._filled.append((sector * SECTOR, data))
        self._digest.update(data)


def _md5(data: bytes = b"") -> hashlib._Hash:
    return hashlib.md5(data, usedforsecurity=False)
