"""The builder "squashfs": a compressed read-only file system, made by mksquashfs from a stream.

mksquashfs reads the tree as a tar archive from its standard input, a named pipe into which the
archive is poured as it is read: there is no copy of the files, and owners need no privileges.
"""

from __future__ import annotations

import errno
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from builders.errors import BuilderError
from builders.formats import tar
from builders.mtree import read_item
from builders.plan import Plan
from builders.registry import Build, builder
from builders.sinks import stream
from builders.tree import Entry

LEVELS: Mapping[str, tuple[int, int, int] | None] = {
    "zstd": (1, 22, 3),
    "gzip": (1, 9, 9),
    "xz": None,
    "lz4": None,
    "lzo": (1, 9, 8),
    "none": None,
}
"""Methods of compression: least, highest and usual level; None: there are no levels.

zstd's usual level here is 3, not the 15 of mksquashfs: 22 times faster for an eighth more bytes.
"""

_UNCOMPRESSED = ("-noD", "-noF", "-noX")
_ACLS = "system.posix_acl_"
_METADATA = 8192  # bytes in a block of inodes
_LAST_SECOND = 0xFFFFFFFF
_BLOCK_SIZES = tuple(1 << bits for bits in range(12, 21))


class BadSquashfs(BuilderError):
    """An option is one that mksquashfs does not have."""


class CannotHold(BuilderError):
    """The tree has something that cannot be given to mksquashfs."""


class SquashfsFailed(BuilderError):
    """mksquashfs ended badly."""


@builder("squashfs")
def squashfs(build: Build) -> None:
    """Write the file system to the output, a file. Arguments:

    tree         store path of an item with a manifest
    native       native item that holds the package squashfs-tools
    compression  a name in LEVELS; null: zstd
    level        null: the usual one
    block_size   bytes, a power of two from 4096 to 1048576; null: 131072
    epoch        seconds: when the file system was made (optional)

    Access control lists are left out, which is told in the log: squashfs has none. Times are whole
    seconds. Inodes are not compressed, which is under a hundredth of the whole.

    Raise BadSquashfs, CannotHold, SquashfsFailed.
    """
    from builders import sandbox

    arguments = build.arguments
    epoch = arguments.get("epoch") or build.epoch
    tree = without_acls(read_item(build.real(arguments["tree"]), arguments["tree"]), build.log)
    check(tree)
    root = tree[0]
    command = ["/usr/bin/mksquashfs", "-", "/build/image", "-tar", *compressor(arguments)]
    command += ["-noI", "-reproducible", "-exports", "-no-progress", "-quiet"]
    command += ["-root-mode", f"{root.mode:o}"]
    pipe = build.scratch / "tree.tar"
    os.mkfifo(pipe)
    archive = tar.plan(map(_dated, tree[1:]))
    with _poured(build, archive, pipe):
        status = sandbox.run(
            command,
            binds=[sandbox.Bind(build.scratch, "/build", writable=True)],
            roots=[build.real(arguments["native"])],
            on_line=build.log,
            stdin="/build/tree.tar",
            env={"SOURCE_DATE_EPOCH": str(_LAST_SECOND)},  # the most that times can be
        )
    if status != 0:
        raise SquashfsFailed(f"mksquashfs ended with status {status}; see the build's log")
    image = build.scratch / "image"
    with image.open("r+b") as file:
        set_times(file, epoch, _seconds(root))
    image.rename(build.output)


def set_times(image: BinaryIO, made: int, root: int) -> None:
    """Write when the file system was made and when its root was changed.

    mksquashfs 4.5 takes the clock's time for the root directory of an archive, whatever it is
    told. Raises SquashfsFailed if the inodes are compressed.
    """
    head = image.read(96)
    (reference,) = struct.unpack_from("<Q", head, 32)
    (table,) = struct.unpack_from("<Q", head, 64)
    block, offset = table + (reference >> 16), (reference & 0xFFFF) + 8
    for number, byte in enumerate(struct.pack("<I", root), offset):
        later, within = divmod(number, _METADATA)  # the inode may go on in the next block
        start = block + later * (_METADATA + 2)
        image.seek(start)
        if not struct.unpack("<H", image.read(2))[0] & 0x8000:
            raise SquashfsFailed("mksquashfs has compressed the inodes, against what it was told")
        image.seek(start + 2 + within)
        image.write(bytes([byte]))
    image.seek(8)
    image.write(struct.pack("<I", made))


def without_acls(tree: Sequence[Entry], log: Callable[[str], object]) -> list[Entry]:
    """The tree with permissions in place of access control lists."""
    kept = []
    for entry in tree:
        xattrs = entry.xattrs or {}
        others = {name: value for name, value in xattrs.items() if not name.startswith(_ACLS)}
        if len(others) < len(xattrs):
            log(f"/{entry.path}: its access control lists are left out")
            kept.append(entry._replace(xattrs=others or None))
        else:
            kept.append(entry)
    return kept


def check(tree: Sequence[Entry]) -> None:
    """Raise CannotHold for what mksquashfs would leave out, change or stumble over."""
    if tree[0].uid or tree[0].gid or tree[0].xattrs:
        raise CannotHold(
            "the root directory has an owner or extended attributes",
            hint="mksquashfs makes it user 0's when it reads an archive; leave them out",
        )
    for entry in tree:
        if entry.kind == "s":
            raise CannotHold(f"/{entry.path} is a socket, which a squashfs cannot be given")
        if not 0 <= _seconds(entry) <= _LAST_SECOND:
            raise CannotHold(f"/{entry.path} was changed before 1970 or after 2106")
        for name in entry.xattrs or {}:
            if not name.startswith(("user.", "trusted.", "security.")):
                raise CannotHold(
                    f"/{entry.path} has the extended attribute {name}",
                    hint="squashfs stores user., trusted. and security. only",
                )


def compressor(arguments: Mapping[str, Any]) -> list[str]:
    """The options for the compression that the arguments ask for. Raises BadSquashfs."""
    method = arguments.get("compression") or "zstd"
    level, block_size = arguments.get("level"), arguments.get("block_size") or 1 << 17
    if method not in LEVELS:
        raise BadSquashfs(
            f"squashfs cannot be compressed by {method}", hint="known are " + ", ".join(LEVELS)
        )
    if block_size not in _BLOCK_SIZES:
        raise BadSquashfs(f"{block_size} is no power of two from 4096 to 1048576")
    options = ["-b", str(block_size)]
    if method == "none":
        return [*options, *_UNCOMPRESSED]
    options += ["-comp", method]
    levels = LEVELS[method]
    if levels is None:
        if level is not None:
            raise BadSquashfs(f"{method} has no compression levels")
        return options
    least, highest, usual = levels
    level = usual if level is None else level
    if not least <= level <= highest:
        raise BadSquashfs(f"{method} has levels from {least} to {highest}, not {level}")
    return [*options, "-Xcompression-level", str(level)]


def _seconds(entry: Entry) -> int:
    return entry.mtime // 1_000_000_000


def _dated(entry: Entry) -> Entry:
    """The entry with a time in whole seconds, as squashfs has them."""
    return entry._replace(mtime=_seconds(entry) * 1_000_000_000)


@contextmanager
def _poured(build: Build, archive: Plan, pipe: Path) -> Iterator[None]:
    """Write the archive into the pipe while the block runs; raises what that raised."""
    over = threading.Event()
    troubles: list[BaseException] = []

    def pour() -> None:
        try:
            descriptor = _open_for_writing(pipe, over)
            if descriptor is None:
                return
            done = 0
            with open(descriptor, "wb", buffering=0) as file:
                for block in stream.blocks(archive, build.real):
                    view = memoryview(block)
                    while view:
                        view = view[file.write(view) or 0 :]
                    done += len(block)
                    build.progress(done, archive.size)
        except BrokenPipeError:
            pass  # the reader has ended; its status tells why
        except BaseException as error:
            troubles.append(error)

    thread = threading.Thread(target=pour, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if troubles:
        raise troubles[0]


def _open_for_writing(pipe: Path, over: threading.Event) -> int | None:
    """A descriptor, once there is a reader; None when `over` was set before."""
    while True:
        try:
            descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if over.is_set():
                return None
            time.sleep(0.005)
        else:
            os.set_blocking(descriptor, True)
            return descriptor
