"""Write files of a disk image to the standard output."""

from __future__ import annotations

import argparse
import sys
from itertools import chain

from builders.readers import FileSystem, find
from builders.tree import Entry
from kiln.errors import UsageError
from kiln.inspect_place import SYNTAX, file_system, parse, shown

_ZEROS = bytes(1 << 20)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("places", nargs="+", metavar=SYNTAX, help="a file in an image")


def run(arguments: argparse.Namespace) -> int:
    """Write the files, one after the other."""
    for place in map(parse, arguments.places):
        if place.path is None:
            raise UsageError(f"name a file in {place.image}", hint=f"as in {SYNTAX}")
        with file_system(place) as found:
            entry = find(found, place.path)
            if entry.kind != "f":
                raise UsageError(f"{shown(place.path)} is not a regular file")
            _write(found, entry)
    return 0


def _write(found: FileSystem, entry: Entry) -> None:
    output = sys.stdout.buffer
    position = 0
    for offset, data in chain(found.runs(entry.path), [(entry.size, b"")]):
        while position < offset:
            position += output.write(_ZEROS[: offset - position])
        position += output.write(data)
    output.flush()
