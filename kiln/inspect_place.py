"""Places in images, as the verbs that look into them take them: IMAGE[:PARTITION][:/PATH]...

A further :/PATH looks into the file before it, an image itself: live.iso:/live/root.squashfs:/etc.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builders.errors import BuilderError
from builders.readers import FileSystem, UnknownContent, find, open_file_system
from builders.readers.disk import Partition, choose, partitions
from builders.readers.source import FileSource, Source
from kiln.report import UsageError

SYNTAX = "IMAGE[:PARTITION][:/PATH]"


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

    through  the files, images themselves, that lead from the partition to where `path` is
    """

    image: Path
    partition: str | None = None
    path: str | None = None
    through: tuple[str, ...] = ()


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
    *through, last = re.split(":(?=/)", path)
    return Place(image, partition, last, tuple(through))


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

        if place.partition is not None:
            raise UsageError(f"{place.image} is a container image: it has no partitions")
        yield _inner(layers.of_directory(place.image, tar.fill), place)
        return
    with disk(place.image) as source:
        yield _inner(_file_system(source, place), place)


def _inner(found: FileSystem, place: Place) -> FileSystem:
    """The file system in the image that the files that the place leads through come to."""
    from builders.readers.archive import Archive
    from builders.readers.spool import spooled
    from builders.readers.wrappers import unwrap

    for path in place.through:
        entry = find(found, path)
        if entry.kind != "f":
            raise UsageError(f"{shown(path)} is not a regular file: it cannot be looked into")
        source = found.source(entry.path) if isinstance(found, Archive) else None
        inner = unwrap(source or spooled(found.runs(entry.path), entry.size))
        found = _file_system(inner, Place(Path(entry.path)))
    return found


def _file_system(source: Source, place: Place) -> FileSystem:
    if place.partition is not None:
        partition = choose(partitions(source), place.partition)
        return open_file_system(partition.source(source))
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
        raise NoFileSystem(place.image)
    if len(readable) > 1:
        raise NameAPartition(place.image, [partition for partition, _ in readable])
    return readable[0][1]


def shown(name: str) -> str:
    """A name for the terminal: what is not printable is escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in text
    )
