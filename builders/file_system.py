"""The builder "file-system": a tree as the file of one file system, without a disk around it."""

from __future__ import annotations

from builders import filesystems
from builders.filesystems import mkfs
from builders.filesystems.workroom import Workroom
from builders.mtree import read_item
from builders.plan import uncollected
from builders.registry import Build, builder
from builders.sinks import output, raw
from builders.tree import Entry


@builder("file-system")
@uncollected()
def file_system(build: Build) -> None:
    """Write the file system to the output, a file. Arguments:

    file_system  a name in builders.filesystems.FILE_SYSTEMS
    tree         store path of an item with a manifest; null: no files
    options      the file system's: size, label, uuid …
    mkfs         words of a mkfs program's command line (builders.filesystems.mkfs; optional)
    compression  "gzip", "zstd" or "xz" of the whole file; null: none

    Raise what builders.filesystems.plan and the sinks raise.
    """
    arguments = build.arguments
    tree = [Entry("", "d", 0o755, mtime=build.epoch * 1_000_000_000)]
    if arguments["tree"] is not None:
        tree = read_item(build.real(arguments["tree"]), arguments["tree"])
    kind = arguments["file_system"]
    options = arguments["options"] | mkfs.options(kind, arguments.get("mkfs") or ())
    room = Workroom(build.real, build.scratch / "made", build.progress)
    plan = filesystems.plan(kind, tree, options, room)
    compression = arguments.get("compression")
    if compression is None:
        raw.write(plan, build.output, build.real, build.progress)
    else:
        output.write_compressed(
            plan, build.output, build.real, build.progress, compression=compression
        )
