"""Tar archives read from a stream: ustar, GNU long names and pax headers (tar(5), POSIX pax)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_BLOCK = 512
_LONG_LIMIT = 1 << 20
"""Bytes of one name or of one extended header."""


class DamagedTar(Exception):
    """A tar archive that is truncated, or in which something cannot be."""


class Stream:
    """Pieces of bytes, read in any lengths without copying more than at their borders."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._chunk = b""
        self._position = 0
        self.offset = 0

    def read(self, size: int) -> bytes:
        """`size` bytes, or fewer at the end."""
        start = self._position
        piece = self._chunk[start : start + size]
        self._position += len(piece)
        while len(piece) < size and self._advance():
            more = self._chunk[: size - len(piece)]
            self._position = len(more)
            piece += more
        self.offset += len(piece)
        return piece

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes, or fewer at the end."""
        while size:
            if self._position >= len(self._chunk) and not self._advance():
                return
            piece = memoryview(self._chunk)[self._position : self._position + size]
            self._position += len(piece)
            self.offset += len(piece)
            size -= len(piece)
            yield piece

    def _advance(self) -> bool:
        self._chunk = next(self._chunks, b"")
        self._position = 0
        return bool(self._chunk)


class Header(NamedTuple):
    """One entry; `mtime` is nanoseconds, `type` tar's own letter.

    The content belongs to `headers`' iteration: it is there until the next entry is asked for.
    """

    path: str
    type: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    link: str
    device: tuple[int, int]
    xattrs: dict[str, bytes]
    stream: Stream

    def content(self) -> Iterator[memoryview]:
        """The file's bytes in pieces; raises DamagedTar when the archive has fewer."""
        remaining = self.size
        for piece in self.stream.pieces(remaining):
            remaining -= len(piece)
            yield piece
        if remaining:
            raise DamagedTar(f"is truncated: /{self.path} lacks {remaining} bytes")


def headers(stream: Stream) -> Iterator[Header]:
    """The entries of the archive, to its very end. Raises DamagedTar."""
    pax: dict[str, bytes] = {}
    defaults: dict[str, bytes] = {}
    long_name = long_link = ""
    while True:
        block = stream.read(_BLOCK)
        if len(block) < _BLOCK:
            raise DamagedTar(f"is truncated: its archive ends at byte {stream.offset}")
        if not any(block):
            _expect_zeros(stream)
            return
        _verify(block, stream.offset - _BLOCK)
        kind = block[156:157]
        size = _number(block[124:136])
        if kind in b"LKxg":
            content = _extension(stream, size)
            if kind == b"L":
                long_name = _text(content)
            elif kind == b"K":
                long_link = _text(content)
            elif kind == b"x":
                pax = _pax_records(content)
            else:
                defaults |= _pax_records(content)
            continue
        header = _header(block, kind, size, stream)
        if long_name or long_link:
            header = header._replace(path=long_name or header.path, link=long_link or header.link)
        if pax or defaults:
            header = _extended(header, defaults | pax)
        pax, long_name, long_link = {}, "", ""
        if kind in b"123456":
            header = header._replace(
                size=0
            )  # links and directories have no content, but may say so
        end = stream.offset + header.size
        yield header
        _skip(stream, end - stream.offset)
        _skip(stream, -header.size % _BLOCK)


def _header(block: bytes, kind: bytes, size: int, stream: Stream) -> Header:
    path = _text(block[:100])
    if block[257:263] == b"ustar\0" and block[345]:
        path = f"{_text(block[345:500])}/{path}"
    device = (0, 0)
    if kind in b"34":
        device = (_number(block[329:337]), _number(block[337:345]))
    return Header(
        path,
        kind,
        _number(block[100:108]) & 0o7777,
        _number(block[108:116]),
        _number(block[116:124]),
        size,
        _number(block[136:148]) * 1_000_000_000,
        _text(block[157:257]) if kind in b"12" else "",
        device,
        {},
        stream,
    )


def _verify(block: bytes, offset: int) -> None:
    wanted = _number(block[148:156])
    if sum(block) - sum(block[148:156]) + 8 * ord(" ") != wanted:
        raise DamagedTar(f"has a damaged header at byte {offset} of its archive")


def _number(field: bytes) -> int:
    """An octal number, or a GNU base-256 one, which may be negative."""
    if field[0] & 0x80:
        bits = 8 * len(field) - 1
        value = int.from_bytes(field, "big") - (1 << bits)  # the highest bit only marks it
        return value - (value >> bits - 1 << bits)
    digits = field.partition(b"\0")[0].strip()
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        raise DamagedTar(f"has a damaged number in its archive: {field!r}") from None


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _extension(stream: Stream, size: int) -> bytes:
    if size > _LONG_LIMIT:
        raise DamagedTar(f"has an extended header of {size} bytes")
    content = stream.read(size)
    if len(content) < size:
        raise DamagedTar("is truncated in an extended header")
    _skip(stream, -size % _BLOCK)
    return content


def _pax_records(data: bytes) -> dict[str, bytes]:
    """Records "<length> <keyword>=<value>\\n"."""
    records: dict[str, bytes] = {}
    position = 0
    while position < len(data):
        space = data.find(b" ", position)
        digits = data[position:space]
        end = position + int(digits) if space > 0 and digits.isdigit() else 0
        keyword, equals, value = data[space + 1 : end].partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise DamagedTar("has a damaged extended header")
        records[keyword.decode("utf-8", "surrogateescape")] = value[:-1]
        position = end
    return records


def _extended(header: Header, records: dict[str, bytes]) -> Header:
    """The header with what pax records say in place of its own fields."""
    changes: dict[str, object] = {}
    xattrs: dict[str, bytes] = {}
    try:
        for keyword, value in records.items():
            if keyword in ("path", "linkpath"):
                changes[keyword.replace("linkpath", "link")] = _text(value)
            elif keyword in ("uid", "gid", "size"):
                changes[keyword] = int(value)
            elif keyword == "mtime":
                seconds, _, fraction = value.decode("ascii").partition(".")
                nanoseconds = int((fraction + "0" * 9)[:9])
                before = -1 if seconds.startswith("-") else 1  # of the fraction, too
                changes["mtime"] = int(seconds) * 1_000_000_000 + before * nanoseconds
            elif keyword.startswith("SCHILY.xattr."):
                xattrs[keyword.removeprefix("SCHILY.xattr.")] = value
            elif keyword.startswith("GNU.sparse."):
                raise DamagedTar(f"has the sparse file {header.path}, which Kiln does not read")
    except ValueError:
        raise DamagedTar(f"has a damaged extended header for {header.path}") from None
    return header._replace(**changes, xattrs=xattrs)  # type: ignore[arg-type]


def _skip(stream: Stream, size: int) -> None:
    skipped = sum(len(piece) for piece in stream.pieces(size))
    if skipped < size:
        raise DamagedTar(f"is truncated: its archive ends at byte {stream.offset}")


def _expect_zeros(stream: Stream) -> None:
    """After the first empty block: all the rest is zero, and at least another block of it."""
    length = 0
    while piece := stream.read(1 << 16):
        length += len(piece)
        if any(piece):
            raise DamagedTar("has data after the end of its archive")
    if length < _BLOCK:
        raise DamagedTar("is truncated: the end of its archive is missing")
