"""A file tree as a value: sorted entries, contents by reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["d", "f", "l", "h", "c", "b", "p", "s"]
"""Directory, file, symbolic link, hard link, character and block device, fifo, socket."""


class Content(NamedTuple):
    """Bytes that exist already: `offset` in the file `source`.

    `source` is a store path with its file ("/kiln/store/…-tmux/pack") or an absolute host path.
    `holes` lists (offset, length) runs, within the content, that are zero and not to be read.
    """

    source: str
    offset: int = 0
    holes: tuple[tuple[int, int], ...] = ()


class Entry(NamedTuple):
    """One path of a tree.

    path      relative, "/" between components, "" for the root; undecodable bytes are
              surrogate escapes (os.fsdecode)
    mode      permission bits, 0o7777 at most
    mtime     nanoseconds since the epoch
    size      bytes; of files and, for links, of the target
    ref       f: Content, or bytes for small generated files (None when size is 0)
              l: the target; h: the path of the entry, earlier in the tree, that it is
              c, b: (major, minor); d, p, s: None
    xattrs    names with their namespace ("security.capability") to values as the kernel shows them
    """

    path: str
    kind: Kind
    mode: int
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    size: int = 0
    ref: Content | bytes | str | tuple[int, int] | None = None
    xattrs: Mapping[str, bytes] | None = None


def path_bytes(path: str) -> bytes:
    """The bytes of a path of a tree, whatever the locale is."""
    return path.encode("utf-8", "surrogateescape")


def order(path: str) -> bytes:
    """Sort key of the order of trees: by components, bytewise, parents first."""
    return path.encode("utf-8", "surrogateescape").replace(b"/", b"\0")


ReadContent = Callable[[Entry], bytes]
"""Gives the whole content of an entry of kind "f"."""


def content_reader(real: Callable[[str], Path]) -> ReadContent:
    """The reader of trees whose contents are in memory or in files; `real` finds sources on disk.

    Its result raises OSError when a source cannot be read, EOFError when one is too short.
    """

    def read(entry: Entry) -> bytes:
        if isinstance(entry.ref, Content):
            with real(entry.ref.source).open("rb") as source:
                source.seek(entry.ref.offset)
                data = source.read(entry.size)
            if len(data) != entry.size:
                raise EOFError(f"/{entry.path}: its content in {entry.ref.source} is cut short")
            return data
        if isinstance(entry.ref, bytes):
            return entry.ref
        return b""

    return read
