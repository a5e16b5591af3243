"""The builder "file-system": a tree as the file of one file system, without a disk around it."""

from __future__ import annotations

from builders import filesystems
from builders.filesystems.workroom import Workroom
from builders.mtree import read_item
from builders.registry import Build, builder
from builders.sinks import output, raw


@builder("file-system")
def file_system(build: Build) -> None:
    """Write the file system to the output, a file. Arguments:

    file_system  a name in builders.filesystems.FILE_SYSTEMS
    tree         store path of an item with a manifest
    options      the file system's: size, label, uuid …
    compression  "gzip", "zstd" or "xz" of the whole file; null: none

    Raise what builders.filesystems.plan and the sinks raise.
    """
    arguments = build.arguments
    tree = read_item(build.real(arguments["tree"]), arguments["tree"])
    room = Workroom(build.real, build.scratch / "made", build.progress)
    plan = filesystems.plan(arguments["file_system"], tree, arguments["options"], room)
    compression = arguments.get("compression")
    if compression is None:
        raw.write(plan, build.output, build.real, build.progress)
    else:
        output.write_compressed(
            plan, build.output, build.real, build.progress, compression=compression
        )
