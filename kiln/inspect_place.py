"""Places in images, as the verbs that look into them take them: IMAGE[:PARTITION][:/PATH]...

A further [:PARTITION]:/PATH looks into the file before it, which is an image itself, as in
live.iso:/live/root.squashfs:/etc.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from builders.errors import BuilderError
from builders.readers import FileSystem, UnknownContent, find, open_file_system
from builders.readers.disk import NoSuchPartition, Partition, choose, partitions
from builders.readers.source import FileSource, Source
from kiln.errors import UsageError
from kiln.terminal import escaped

SYNTAX = "IMAGE[:PARTITION][:/PATH]"
_BETWEEN = r":(?:([^:/]+):)?(?=/)"  # a path and the next one, perhaps in a partition


class NameAPartition(BuilderError):
    """An image has several file systems, and none is named."""

    def __init__(self, image: Path, there: list[Partition]) -> None:
        numbers = " or ".join(f"{image}:{one.number}" for one in there)
        super().__init__(
            f"{image} has {len(there)} partitions with file systems", hint=f"say {numbers}"
        )


class NoFileSystem(BuilderError):
    """No partition of an image has a file system that can be read."""

    def __init__(self, image: Path) -> None:
        super().__init__(
            f"no partition of {image} has a file system that Kiln reads",
            hint="kiln ls with the image alone shows what there is",
        )


@dataclass(frozen=True, slots=True)
class Place:
    """`partition` and `path` are None where they are left out.

    through  partition and path of the files, each an image in the one before, that lead there
    """

    image: Path
    partition: str | None = None
    path: str | None = None
    through: tuple[tuple[str | None, str], ...] = ()


def parse(text: str) -> Place:
    """The place that `text` means: the longest part of it that is a file is the image.

    The directory of an OCI layout is an image, too. Raises UsageError.
    """
    ends = [index for index, character in enumerate(text) if character == ":"] + [len(text)]
    for end in reversed(ends):
        image = Path(text[:end])
        if end and (image.is_file() or image.is_block_device() or is_layout(image)):
            return _parse_rest(image, text[end + 1 :])
    first = text[: ends[0]]
    what = "is a directory" if Path(first).is_dir() else "does not exist"
    raise UsageError(f"the image {first} {what}", hint=f"a place in an image is {SYNTAX}")


def is_layout(image: Path) -> bool:
    """Whether it is the directory of an OCI image layout."""
    return (image / "oci-layout").is_file()


def _parse_rest(image: Path, rest: str) -> Place:
    if not rest:
        return Place(image)
    partition: str | None = None
    path = rest
    if not rest.startswith("/"):
        partition, colon, path = rest.partition(":")
        if colon and path and not path.startswith("/"):
            raise UsageError(
                f"{path!r} is no path in an image",
                hint=f"paths begin with /: {image}:{partition}:/{path}",
            )
    if not path:
        return Place(image, partition)
    first, *rest_of_it = re.split(_BETWEEN, path)
    steps = [(partition, first), *zip(rest_of_it[::2], rest_of_it[1::2], strict=True)]
    return Place(image, *steps[-1], tuple(steps[:-1]))


@contextmanager
def disk(image: Path) -> Iterator[Source]:
    """The bytes in an image file, unpacked, open as long as the block.

    Raises DamagedImage, NotReadable, CannotWrite.
    """
    from builders.readers.wrappers import unwrap

    file = FileSource(image)
    try:
        yield unwrap(file)
    finally:
        file.close()


@contextmanager
def file_system(place: Place) -> Iterator[FileSystem]:
    """The file system that a place is in.

    Raises NoSuchPartition, NameAPartition, NoFileSystem, UnknownContent, DamagedImage, UsageError.
    """
    if is_layout(place.image):
        from builders.readers import layers, tar

        if (*place.through, (place.partition, ""))[0][0] is not None:
            raise UsageError(f"{place.image} is a container image: it has no partitions")
        yield _innermost(layers.of_directory(place.image, tar.fill), place)
        return
    partition = place.through[0][0] if place.through else place.partition
    with disk(place.image) as source:
        yield _innermost(_file_system(source, place.image, partition), place)


def _innermost(found: FileSystem, place: Place) -> FileSystem:
    """The file system that the images in images come to, of which `found` is the outermost."""
    from builders.readers.archive import Archive
    from builders.readers.spool import spooled
    from builders.readers.wrappers import unwrap

    chosen = [partition for partition, _ in place.through[1:]] + [place.partition]
    for (_, path), partition in zip(place.through, chosen, strict=False):
        entry = find(found, path)
        if entry.kind != "f":
            raise UsageError(f"{shown(path)} is not a regular file: it cannot be looked into")
        source = found.source(entry.path) if isinstance(found, Archive) else None
        inner = unwrap(source or spooled(found.runs(entry.path), entry.size))
        found = _file_system(inner, Path(path), partition)
    return found


def _file_system(source: Source, image: Path, wanted: str | None) -> FileSystem:
    if wanted is not None:
        return open_file_system(_chosen(source, wanted).source(source))
    try:
        return open_file_system(source)
    except UnknownContent:
        there = partitions(source)
        if not there:
            raise
    readable = []
    for partition in there:
        try:
            readable.append((partition, open_file_system(partition.source(source))))
        except BuilderError:
            continue
    if not readable:
        raise NoFileSystem(image)
    if len(readable) > 1:
        raise NameAPartition(image, [partition for partition, _ in readable])
    return readable[0][1]


def _chosen(source: Source, wanted: str) -> Partition:
    """The partition with this number, name or UUID, else with a file system of this label."""
    there = partitions(source)
    try:
        return choose(there, wanted)
    except NoSuchPartition:
        for one in there:
            with suppress(BuilderError):
                if open_file_system(one.source(source)).label == wanted:
                    return one
        raise


def shown(name: str) -> str:
    """A name for the terminal: what is not printable is escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return escaped(text)
