"""Copy files and directories out of a disk image.

Permissions and times are kept; the owner is whoever copies. Devices, fifos and sockets are left
out, which is told, and is an error at the end.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from pathlib import Path

from builders.readers import FileSystem, find
from builders.tree import Entry, path_bytes
from kiln.errors import UsageError
from kiln.inspect_place import SYNTAX, file_system, parse, shown

_SPECIAL = {"c": "a device", "b": "a device", "p": "a fifo", "s": "a socket"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("places", nargs="+", metavar=SYNTAX, help="a file in an image")
    parser.add_argument("target", metavar="TARGET", help="a directory, or the copy's name")
    parser.add_argument("-r", "--recursive", action="store_true", help="directories with all below")


def run(arguments: argparse.Namespace) -> int:
    """Copy; 1 if something had to be left out."""
    target = Path(arguments.target)
    if len(arguments.places) > 1 and not target.is_dir():
        raise UsageError(f"{target} is no directory, and several files are to be copied there")
    complete = True
    for place in map(parse, arguments.places):
        if place.path is None:
            raise UsageError(f"name a file in {place.image}", hint=f"as in {SYNTAX}")
        with file_system(place) as found:
            entry = find(found, place.path)
            if entry.kind == "d" and not arguments.recursive:
                raise UsageError(f"{shown(place.path)} is a directory", hint="copy it with -r")
            name = entry.path.rpartition("/")[2]
            copy = target / _name(name) if target.is_dir() and name else target
            complete &= _copy(found, entry, copy)
    return 0 if complete else 1


def _name(name: str) -> str:
    """A name in the host's encoding of file names."""
    return os.fsdecode(path_bytes(name))


def _copy(found: FileSystem, entry: Entry, target: Path) -> bool:
    """Copy an entry and what is below it; False if something was left out."""
    if entry.kind == "d":
        return _copy_directory(found, entry, target)
    if entry.kind in _SPECIAL:
        what = f"/{shown(entry.path)} is {_SPECIAL[entry.kind]}"
        print(f"kiln: warning: {what}: it is not copied", file=sys.stderr)
        return False
    if entry.kind == "l":
        if target.is_symlink():
            target.unlink()
        target.symlink_to(_name(str(entry.ref)))
    else:
        _copy_file(found, entry, target)
    os.utime(target, ns=(entry.mtime, entry.mtime), follow_symlinks=False)
    return True


def _copy_directory(found: FileSystem, entry: Entry, target: Path) -> bool:
    # a link that an image has in the directory's place must not lead elsewhere
    if target.is_symlink() or not target.is_dir():
        target.mkdir()
    complete = True
    for child in found.children(entry.path):
        complete &= _copy(found, child, target / _name(child.path.rpartition("/")[2]))
    target.chmod(stat.S_IRWXU | entry.mode & 0o777)
    os.utime(target, ns=(entry.mtime, entry.mtime))
    return complete


def _copy_file(found: FileSystem, entry: Entry, target: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(target, flags, 0o600)
    try:
        for offset, data in found.runs(entry.path):
            done = 0
            while done < len(data):
                done += os.pwrite(descriptor, data[done:], offset + done)
        os.ftruncate(descriptor, entry.size)
        os.fchmod(descriptor, entry.mode & 0o777)
    finally:
        os.close(descriptor)
