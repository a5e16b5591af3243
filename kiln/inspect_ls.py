"""List what is in a disk image: its partitions, or a directory of a file system in it."""

from __future__ import annotations

import argparse
import stat
import time
from collections.abc import Iterator

from builders.errors import BuilderError
from builders.readers import FileSystem, UnknownContent, find, open_file_system
from builders.readers.disk import Partition, partitions
from builders.readers.source import Source
from builders.tree import Entry
from kiln.inspect_place import SYNTAX, Place, disk, file_system, is_layout, parse, shown

_KINDS = {
    "d": stat.S_IFDIR,
    "f": stat.S_IFREG,
    "l": stat.S_IFLNK,
    "c": stat.S_IFCHR,
    "b": stat.S_IFBLK,
    "p": stat.S_IFIFO,
    "s": stat.S_IFSOCK,
    "h": stat.S_IFREG,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("places", nargs="+", metavar=SYNTAX, help="an image, or a place in one")
    parser.add_argument(
        "-l", "--long", action="store_true", help="with permissions, owner, size and time"
    )
    parser.add_argument("-R", "--recursive", action="store_true", help="directories, too")


def run(arguments: argparse.Namespace) -> int:
    """Print the lists."""
    for place in map(parse, arguments.places):
        lines = _lines(place, long=arguments.long, recursive=arguments.recursive)
        for line in lines:
            print(line)
    return 0


def _lines(place: Place, *, long: bool, recursive: bool) -> Iterator[str]:
    if place.path is None and place.partition is None and not is_layout(place.image):
        with disk(place.image) as source:
            try:
                open_file_system(source)
            except UnknownContent:
                there = partitions(source)
                if not there:
                    raise
                yield from _table(source, there)
                return
    with file_system(place) as found:
        entry = find(found, place.path or "/", follow=not long)
        if entry.kind == "d":
            yield from _directory(found, entry.path, entry.path, long=long, recursive=recursive)
        else:
            yield _line(entry, entry.path, long=long)


def _directory(
    found: FileSystem, path: str, top: str, *, long: bool, recursive: bool
) -> Iterator[str]:
    for entry in found.children(path):
        name = entry.path[len(top) :].lstrip("/")
        yield _line(entry, name, long=long)
        if recursive and entry.kind == "d":
            yield from _directory(found, entry.path, top, long=long, recursive=True)


def _line(entry: Entry, name: str, *, long: bool) -> str:
    text = shown(name)
    if not long:
        return text
    mode = stat.filemode(_KINDS[entry.kind] | entry.mode)
    size = str(entry.size)
    if isinstance(entry.ref, tuple) and entry.kind in "cb":
        size = f"{entry.ref[0]}, {entry.ref[1]}"
    if entry.kind == "l":
        text += f" -> {shown(str(entry.ref))}"
    return f"{mode} {entry.uid:>5} {entry.gid:>5} {size:>12} {_date(entry.mtime)} {text}"


def _date(nanoseconds: int) -> str:
    """As ISO 8601, in UTC."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(nanoseconds // 1_000_000_000))
    except (OverflowError, ValueError):
        return f"@{nanoseconds // 1_000_000_000}"


def _table(source: Source, there: list[Partition]) -> Iterator[str]:
    yield f"{'':>4} {'offset':>15} {'size':>15}  {'file system':<11} {'label':<16} name"
    for one in there:
        try:
            found = open_file_system(one.source(source))
            kind, label = found.kind, found.label
        except BuilderError:
            kind, label = "-", ""
        line = f"{one.number:>4} {one.offset:>15,} {one.size:>15,}  {kind:<11} {shown(label):<16}"
        yield f"{line} {shown(one.name)}".rstrip()
