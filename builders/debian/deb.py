"""Debian packages (deb(5)): read as a stream, checked, and unpacked into a manifest and a pack.

Nothing of the package's tree is created on the host: owners, devices and set-id bits are written
down only. A package that does what no well-made package does is refused, with the reason and path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from builders import mtree
from builders.debian.compression import DamagedStream, decompress
from builders.debian.control import MalformedControl, parse_stanza
from builders.debian.fetch import fetch_derivation
from builders.debian.tar import DamagedTar, Header, Stream, headers
from builders.derivation import Derivation
from builders.errors import BuilderError
from builders.pack import NAME as PACK
from builders.pack import PackWriter
from builders.registry import Build, builder
from builders.tree import Content, Entry, Kind, order, path_bytes

if TYPE_CHECKING:
    from builders.debian.index import Package

_BLOCK = 1 << 18
_CONTROL_LIMIT = 64 << 20
"""Bytes of an unpacked control archive; the largest in Debian is a tenth of it."""

_KINDS: dict[bytes, Kind] = {
    b"0": "f",
    b"\0": "f",
    b"7": "f",
    b"1": "h",
    b"2": "l",
    b"3": "c",
    b"4": "b",
    b"5": "d",
    b"6": "p",
}

StoreContent = Callable[[str, Iterable[memoryview]], Content]
"""Keeps the content of a path's file, given in pieces, and tells where it is."""


class BadPackage(BuilderError):
    """A .deb that is damaged or hostile."""

    def __init__(self, package: str, reason: str) -> None:
        super().__init__(
            f"{package}: {reason}", hint="nothing of it was installed; get it from another mirror"
        )
        self.package = package
        self.reason = reason


class Control(dict[str, str]):
    """The members of a package's control archive, as texts by name, with `fields` of "control"."""

    def __init__(self, members: dict[str, str]) -> None:
        super().__init__(members)
        self.fields = parse_stanza(members["control"], what="its control file")
        for name in ("Package", "Version", "Architecture"):
            if not self.fields.get(name):
                raise MalformedControl(f"its control file has no field {name}")


def read_deb(file: IO[bytes], name: str, store: StoreContent) -> tuple[Control, list[Entry]]:
    """Read a package: its control data, and its tree in the order of trees.

    `store` is called once for each file that is not empty. `name` is for messages. Raises
    BadPackage.
    """
    try:
        members = _members(file)
        _expect_version(next(members, None))
        control: Control | None = None
        for member, chunks in members:
            stem, _, _ = member.partition(".tar")
            if member.startswith("_"):
                continue  # deb(5): for others to use
            if stem == "control" and control is None:
                limited = _limited(_decompressed(member, chunks), _CONTROL_LIMIT)
                control = _read_control(Stream(limited))
            elif stem == "data" and control is not None:
                limit = _data_limit(control.fields)
                stream = Stream(_limited(_decompressed(member, chunks), limit))
                entries = _read_tree(stream, store)
                for later, _ in members:
                    if not later.startswith("_"):
                        raise _Refused(f"has the unexpected member {later} after its data")
                return control, entries
            else:
                raise _Refused(f"has the member {member} where deb(5) allows none")
        raise _Refused(f"has no {'data' if control else 'control'} member")
    except (_Refused, DamagedTar) as error:
        raise BadPackage(name, str(error)) from error
    except MalformedControl as error:
        raise BadPackage(name, error.message) from error


class _Refused(Exception):
    """Why a package is not acceptable."""


def _data_limit(fields: dict[str, str]) -> int:
    """Bytes that the data archive may have: far more than it says, far less than a bomb."""
    size = fields.get("Installed-Size", "0")
    return 4 * 1024 * (int(size) if size.isdecimal() else 0) + (256 << 20)


# --- ar(5)

_HEADER = re.compile(rb"([!-~]+?)/? *\0*([0-9 ]{12})[0-9 ]{6}[0-9 ]{6}[0-7 ]{8}([0-9 ]{10})`\n")


def _members(file: IO[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The members' names and contents, in pieces; what is not read of one is passed over."""
    if file.read(8) != b"!<arch>\n":
        raise _Refused("is not a Debian package (no ar archive)")
    end = file.seek(0, 2)
    position = 8
    while position < end:
        file.seek(position)
        header = file.read(60)
        match = _HEADER.fullmatch(header) if len(header) == 60 else None
        if match is None or not match[3].strip():
            raise _Refused(f"has garbage in place of a member at byte {position}")
        size = int(match[3])
        position += 60
        if position + size > end:
            raise _Refused(f"is truncated: member {match[1].decode()} ends beyond the file")
        yield match[1].decode(), _pieces(file, size)
        position += size + size % 2


def _pieces(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size:
        piece = file.read(min(size, _BLOCK))
        if not piece:
            raise _Refused("is truncated")
        size -= len(piece)
        yield piece


def _expect_version(member: tuple[str, Iterator[bytes]] | None) -> None:
    if member is None or member[0] != "debian-binary":
        raise _Refused("is not a Debian package (no debian-binary member)")
    version = b"".join(member[1])[:64]
    if not re.match(rb"2\.[0-9]+\n", version):
        shown = version.split(b"\n")[0].decode("latin-1")
        raise _Refused(f"has format version {shown!r}; Kiln reads 2")


# --- limits


def _decompressed(member: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The content of "data.tar.xz" and the like."""
    try:
        yield from decompress(member.partition(".tar")[2], chunks)
    except DamagedStream as error:
        raise _Refused(f"cannot be read: {member}: {error}") from error


def _limited(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    for chunk in chunks:
        limit -= len(chunk)
        if limit < 0:
            raise _Refused("unpacks to far more than its Installed-Size says")
        yield chunk


# --- the two archives


def _read_control(stream: Stream) -> Control:
    members: dict[str, str] = {}
    for header in headers(stream):
        path = _path(header)
        if header.type == b"5" and path == "":
            continue
        if _KINDS.get(header.type) != "f" or "/" in path or not path:
            raise _Refused(f"has {path or '/'} in its control archive, which is no plain file")
        if path in members:
            raise _Refused(f"has {path} twice in its control archive")
        members[path] = b"".join(header.content()).decode("utf-8", "surrogateescape")
    if "control" not in members:
        raise _Refused("has no control file")
    return Control(members)


def _read_tree(stream: Stream, store: StoreContent) -> list[Entry]:
    tree: dict[str, Entry] = {}
    parents: set[str] = set()
    for header in headers(stream):
        path = _path(header)
        kind = _KINDS.get(header.type)
        if kind is None:
            shown = header.type.decode("latin-1")
            raise _Refused(f"has /{path} of the unknown tar type {shown!r}")
        if kind == "f" and header.path.endswith("/"):
            kind = "d"  # as tar wrote directories before POSIX
        _check_place(path, kind, tree, parents)
        size = 0
        ref: Content | str | tuple[int, int] | None = None
        if kind == "f":
            size = header.size
            if size:
                ref = store(path, header.content())
        elif kind == "l":
            ref = header.link
            size = len(path_bytes(ref))
            if not ref:
                raise _Refused(f"has the symbolic link /{path} without a target")
        elif kind == "h":
            ref = _linked(path, header, tree)
        elif kind in "cb":
            ref = header.device
        tree[path] = Entry(
            path,
            kind,
            header.mode,
            header.uid,
            header.gid,
            header.mtime,
            size,
            ref,
            header.xattrs or None,
        )
    return _sorted(tree)


def _sorted(tree: dict[str, Entry]) -> list[Entry]:
    """In the order of trees; of a file's names the first holds it, the others are links to it."""
    entries = [tree[path] for path in sorted(tree, key=order)]
    if not any(entry.kind == "h" for entry in entries):
        return entries
    first: dict[str, str] = {}
    result: list[Entry] = []
    for entry in entries:
        holder = str(entry.ref) if entry.kind == "h" else entry.path
        if holder not in first:
            first[holder] = entry.path
            result.append(tree[holder]._replace(path=entry.path))
        else:
            result.append(Entry(entry.path, "h", 0, ref=first[holder]))
    return result


def _path(header: Header) -> str:
    """The path of an entry as trees have it; raises _Refused for one that leads elsewhere."""
    path = header.path
    if path.startswith("/"):
        raise _Refused(f"has the absolute path {path}")
    if "\n" in path:
        raise _Refused(f"has a path with a line break: {path!r}")
    components = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in components:
        raise _Refused(f"has the path {path}, which leads out of its tree")
    return "/".join(components)


def _check_place(path: str, kind: Kind, tree: dict[str, Entry], parents: set[str]) -> None:
    """Refuse an entry that another one contradicts, or that goes through something else."""
    known = tree.get(path)
    if known is not None and known.kind != kind:
        raise _Refused(f"has /{path} twice, as different things")
    if kind != "d" and (path == "" or path in parents):
        raise _Refused(f"has /{path} as a directory and as something else")
    parent = path.rpartition("/")[0]
    while parent and parent not in parents:
        above = tree.get(parent)
        if above is not None and above.kind != "d":
            what = "the symbolic link" if above.kind == "l" else "the file"
            raise _Refused(f"has /{path}, which goes through {what} /{parent}")
        parents.add(parent)
        parent = parent.rpartition("/")[0]


def _linked(path: str, header: Header, tree: dict[str, Entry]) -> str:
    target = _path(header._replace(path=header.link))
    entry = tree.get(target)
    if entry is not None and entry.kind == "h":
        entry = tree[str(entry.ref)]
    if entry is None or entry.kind == "d" or entry.path == path:
        raise _Refused(f"has the hard link /{path} to /{target}, which is no file before it")
    return entry.path


# --- the builder


def item_name(package: Package, suffix: str = "") -> str:
    """A name for store items of the package: "tmux-3.3a-3"."""
    return re.sub(r"[^A-Za-z0-9+._?=-]", "_", f"{package.name}-{package.version}{suffix}")


def unpack_derivation(package: Package, mirrors: Sequence[str] = ()) -> Derivation:
    """The package's tree as a store item: a directory with

    manifest      the tree (builders.mtree), contents in "pack"
    pack          the files' contents (builders.pack)
    control.json  {"fields": the control file's fields in its order, "members": the other members of
                  the control archive, name to text}; bytes that are not UTF-8 as surrogate escapes
    """
    fetched = fetch_derivation(package, mirrors)
    return Derivation(
        name=item_name(package),
        builder="unpack-deb",
        arguments={"deb": fetched.path},
        inputs=(fetched,),
        title=f"unpack {package}",
    )


@builder("unpack-deb")
def unpack_item(build: Build) -> None:
    """Arguments: deb, the store path of a .deb."""
    unpack(build.real(build.arguments["deb"]), build.output, build.progress)


def unpack(
    deb: Path, output: Path, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> None:
    """Make the directory `output` from the file `deb`; see unpack_derivation. Raises BadPackage."""
    output.mkdir()
    total = deb.stat().st_size
    with open(deb, "rb") as file, PackWriter(output / PACK) as pack:

        def store(_path: str, chunks: Iterable[memoryview]) -> Content:
            content = pack.add(chunks)
            progress(file.tell(), total)
            return content

        control, entries = read_deb(file, deb.name, store)
    (output / "manifest").write_text(mtree.write(entries), "ascii")
    members = {name: text for name, text in control.items() if name != "control"}
    data = {"fields": control.fields, "members": members}
    (output / "control.json").write_text(json.dumps(data, indent=1) + "\n", "ascii")
