"""tar archives (POSIX.1-2001, "pax") of trees, as plans: headers are metadata, contents segments.

Everything an entry says is kept: owners as numbers, times to the nanosecond, extended attributes
as `SCHILY.xattr.` records, the way GNU tar, libarchive and the container tools have them. A header
goes without records where the plain one (ustar) holds all of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from builders.errors import BuilderError
from builders.holes import segments
from builders.plan import Plan, Segment
from builders.tree import Content, Entry, path_bytes

BLOCK = 512
RECORD = 20 * BLOCK
"""An archive's size is a multiple of this, as tar(1) has it."""

_TYPES = {"f": b"0", "h": b"1", "l": b"2", "c": b"3", "b": b"4", "d": b"5", "p": b"6"}
_NANO = 1_000_000_000
_NAME, _PREFIX = 100, 155
_ID_LIMIT = 1 << 21
_SIZE_LIMIT = 1 << 33


class NotInTar(BuilderError):
    """An entry that an archive has no way to hold."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"/{path}: a tar archive cannot hold {what}", hint="remove it")
        self.path = path


def plan(entries: Iterable[Entry]) -> Plan:
    """The archive of `entries`: sorted, parents first, as trees are. Raises NotInTar.

    Names are relative without "./", directories end in "/", the root is "./".
    """
    metadata: list[tuple[int, bytes]] = []
    data: list[Segment] = []
    start = 0  # where the headers gathered begin
    headers: list[bytes] = []
    position = 0
    for entry in entries:
        head = member(entry)
        headers.append(head)
        position += len(head)
        if entry.kind != "f" or not entry.size:
            continue
        padding = -entry.size % BLOCK
        if isinstance(entry.ref, Content):
            metadata.append((start, b"".join(headers)))
            data += segments(entry.ref, 0, entry.size, position)
            headers = []
            start = position + entry.size + padding
        elif isinstance(entry.ref, bytes):
            headers += [entry.ref, bytes(padding)]
        else:
            raise TypeError(f"/{entry.path} has {entry.size} bytes and no content")
        position += entry.size + padding
    if headers:
        metadata.append((start, b"".join(headers)))
    size = -(-(position + 2 * BLOCK) // RECORD) * RECORD
    return Plan(size, metadata, data)


def member(entry: Entry) -> bytes:
    """The header of one member, with a pax header before it if it needs one. Raises NotInTar."""
    kind = _TYPES.get(entry.kind)
    if kind is None:
        raise NotInTar(entry.path, "a socket")
    name = path_bytes(entry.path)
    if entry.kind == "d":
        name = name + b"/" if name else b"./"
    link = path_bytes(str(entry.ref)) if entry.kind in "lh" else b""
    size = entry.size if entry.kind == "f" else 0
    seconds, nanoseconds = divmod(entry.mtime, _NANO)
    records: list[tuple[bytes, bytes]] = []
    prefix = b""
    if len(name) > _NAME:
        prefix, name = _split(name)
        if not prefix:
            records.append((b"path", name))
            name = name[:_NAME]
    if len(link) > _NAME:
        records.append((b"linkpath", link))
        link = link[:_NAME]
    if nanoseconds or not 0 <= seconds < _SIZE_LIMIT:
        records.append((b"mtime", _decimal(entry.mtime)))
        seconds = max(0, min(seconds, _SIZE_LIMIT - 1))
    owner = [entry.uid, entry.gid]
    for index, key in enumerate((b"uid", b"gid")):
        if owner[index] >= _ID_LIMIT:
            records.append((key, b"%d" % owner[index]))
            owner[index] = 0
    stored = size
    if size >= _SIZE_LIMIT:
        records.append((b"size", b"%d" % size))
        stored = 0
    for attribute in sorted(entry.xattrs or {}):
        # As GNU tar: "=" would end the keyword.
        keyword = path_bytes(attribute).replace(b"%", b"%25").replace(b"=", b"%3D")
        records.append((b"SCHILY.xattr." + keyword, (entry.xattrs or {})[attribute]))
    major, minor = (0, 0)
    if entry.kind in "cb":
        assert isinstance(entry.ref, tuple) and not isinstance(entry.ref, Content)
        major, minor = entry.ref
        if max(major, minor) >= _ID_LIMIT:
            raise NotInTar(entry.path, f"the device number {major}:{minor}")
    ustar = header(
        name, kind, stored, mode=entry.mode, owner=(owner[0], owner[1]), seconds=seconds,
        link=link, device=(major, minor), prefix=prefix,
    )  # fmt: skip
    return _pax(records) + ustar if records else ustar


def header(
    name: bytes,
    kind: bytes,
    size: int,
    *,
    mode: int = 0o644,
    owner: tuple[int, int] = (0, 0),
    seconds: int = 0,
    link: bytes = b"",
    device: tuple[int, int] = (0, 0),
    prefix: bytes = b"",
) -> bytes:
    """One header block of the format ustar; everything has to fit its field."""
    block = b"".join(
        (
            name.ljust(_NAME, b"\0"),
            b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, *owner, size, seconds),
            b" " * 8,  # the checksum counts as blanks
            kind,
            link.ljust(_NAME, b"\0"),
            b"ustar\x0000",
            bytes(64),  # no names of owners
            b"%07o\0%07o\0" % device,
            prefix.ljust(_PREFIX + 12, b"\0"),
        )
    )
    return b"%b%06o\0 %b" % (block[:148], sum(block), block[156:])


def _split(name: bytes) -> tuple[bytes, bytes]:
    """`name` as prefix and name at a "/"; an empty prefix if it does not fit so."""
    cut = name.find(b"/", max(len(name) - _NAME - 1, 1), len(name) - 1)
    if 0 < cut <= _PREFIX:
        return name[:cut], name[cut + 1 :]
    return b"", name


def _decimal(nanoseconds: int) -> bytes:
    """Seconds as a decimal number, without zeros at its end."""
    sign = b"-" if nanoseconds < 0 else b""
    seconds, rest = divmod(abs(nanoseconds), _NANO)
    return b"%b%d.%09d" % (sign, seconds, rest) if rest else b"%b%d" % (sign, seconds)


def _pax(records: list[tuple[bytes, bytes]]) -> bytes:
    """An extended header (type x) with `records`, padded."""
    lines = [_record(key, value) for key, value in records]
    try:
        for key, value in records:
            if not key.startswith(b"SCHILY."):
                value.decode("utf-8")
    except UnicodeDecodeError:
        lines.insert(0, _record(b"hdrcharset", b"BINARY"))
    body = b"".join(lines)
    return header(b"././@PaxHeader", b"x", len(body)) + body + bytes(-len(body) % BLOCK)


def _record(key: bytes, value: bytes) -> bytes:
    """`length key=value` and a newline; the length counts itself."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    if len(str(length)) > len(str(rest)):
        length = rest + len(str(length))
    return b"%d %b=%b\n" % (length, key, value)
