"""Manifests: trees in the mtree(5) format, one entry a line, full paths.

    #mtree
    . type=dir mode=0755 uid=0 gid=0 time=1.0
    ./usr/bin/tmux type=file mode=0755 uid=0 gid=0 time=1.0 size=1093 contents=pack offset=8192

Keywords of mtree(5) are used where it has them (`contents` is a path, here of a pack, relative to
the manifest's own directory or a full logical store path). Ours are
`offset=`         where in `contents` the bytes begin
`inline=`         the bytes themselves, base64
`holes=`          "offset+length,..." runs of the content that are zero and not to be read
`hardlink=`       the path, earlier in the manifest, that the entry is another name of
`xattr.<name>=`   a value, base64

Bytes of names that are not printable ASCII are `\\ooo` as vis(3) writes them. `sha256`, `nlink` and
other keywords that say nothing an entry holds are read over. `time` is seconds and nanoseconds
(after a point, as mtree(5) has it: an integer, "1.5" is 1 s and 5 ns); a time before 1970 has
negative seconds and positive nanoseconds.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from builders.errors import BuilderError
from builders.tree import Content, Entry, Kind, path_bytes

_TYPES: dict[Kind, str] = {
    "d": "dir",
    "f": "file",
    "l": "link",
    "h": "file",
    "c": "char",
    "b": "block",
    "p": "fifo",
    "s": "socket",
}
_KINDS: dict[str, Kind] = {name: kind for kind, name in _TYPES.items() if kind != "h"}

# Characters that stand for themselves: printable ASCII without the ones that vis(3), mtree(5) and
# its glob patterns give a meaning, and "=" and "," which separate in values.
_ODD = re.compile(r"[^!\"$%&'()+\-./0-9:;<>@A-Z\]^_`a-z{|}~]")
_ESCAPE = re.compile(r"\\([0-3][0-7][0-7])")

# The lines of nearly every entry, as `write` makes them. Other lines take the slow road.
_USUAL = re.compile(
    r"\.(?:/([^\s\\]+))? type=(dir|file|link) (mode=[0-7]+ uid=\d+ gid=\d+ time=-?\d+\.\d+)"
    r"(?: size=(\d+)(?: contents=([^\s\\]+) offset=(\d+))?)?(?: link=([^\s\\]+))?"
)
_ATTRIBUTES = re.compile(r"mode=([0-7]+) uid=(\d+) gid=(\d+) time=(-?\d+)\.(\d+)")


class BadManifest(BuilderError):
    """A line of a manifest says something that cannot be read."""

    def __init__(self, line_number: int, line: str, problem: str) -> None:
        super().__init__(
            f"line {line_number} of a manifest: {problem}: {line[:120]}",
            hint="the manifest is damaged, or was not written by Kiln; build its item again",
        )


def encode(text: str) -> str:
    """`text` as one mtree(5) word."""
    if _ODD.search(text) is None:
        return text
    return "".join(
        character if _ODD.match(character) is None else _octal(character) for character in text
    )


def _octal(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in path_bytes(character))


def decode(word: str) -> str:
    """The text of which `word` is the encoding. Raises ValueError for an escape of another form."""
    if "\\" not in word:
        return word
    plain = _ESCAPE.sub("", word)
    if "\\" in plain:
        raise ValueError("unknown escape sequence")
    octets = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), word)
    return octets.encode("latin-1").decode("utf-8", "surrogateescape")


# --- writing


def write(entries: Iterable[Entry], base: str = "") -> str:
    """The manifest of `entries`; contents under the directory `base` are written relative to it."""
    entries = entries if isinstance(entries, list) else list(entries)
    links = Counter(entry.ref for entry in entries if entry.kind == "h")
    prefix = base + "/" if base else ""
    lines = ["#mtree"]
    for entry in entries:
        path, kind, mode, uid, gid, mtime, size, ref, xattrs = entry
        word = "./" + encode(path) if path else "."
        if kind == "h":
            lines.append(f"{word} type=file hardlink=./{encode(str(ref))}")
            continue
        seconds, nanoseconds = divmod(mtime, 1_000_000_000)
        line = (
            f"{word} type={_TYPES[kind]} mode={mode:04o} uid={uid} gid={gid}"
            f" time={seconds}.{nanoseconds}"
        )
        if kind == "f":
            line += f" size={size}"
            if isinstance(ref, Content):
                source = ref.source
                if prefix and source.startswith(prefix):
                    source = source[len(prefix) :]
                line += f" contents={encode(source)} offset={ref.offset}"
                if ref.holes:
                    line += " holes=" + ",".join(f"{start}+{length}" for start, length in ref.holes)
            elif ref:
                assert isinstance(ref, bytes)
                line += " inline=" + base64.b64encode(ref).decode()
            if links and path in links:
                line += f" nlink={links[path] + 1}"
        elif kind == "l":
            line += f" link={encode(str(ref))}"
        elif kind in "cb":
            assert isinstance(ref, tuple)
            line += f" device=linux,{ref[0]},{ref[1]}"
        if xattrs:
            for name in sorted(xattrs):
                line += f" xattr.{encode(name)}={base64.b64encode(xattrs[name]).decode()}"
        lines.append(line)
    lines.append("")
    return "\n".join(lines)


# --- reading


def read(text: str, base: str = "") -> list[Entry]:
    """The entries of a manifest, in its order; relative contents are put under `base`.

    Raises BadManifest.
    """
    entries: list[Entry] = []
    add = entries.append
    usual = _USUAL.fullmatch
    make = Entry._make
    content = Content._make
    defaults: dict[str, str] = {}
    sources: dict[str, str] = {}
    known: dict[str, tuple[int, int, int, int]] = {}  # many entries share mode, owner and time
    for number, line in enumerate(text.split("\n"), 1):
        match = usual(line) if not defaults else None
        if match is None:
            entry = _read_line(number, line, base, defaults)
            if entry is not None:
                add(entry)
            continue
        path, kind, attributes, size, source, offset, link = match.groups("")
        four = known.get(attributes)
        if four is None:
            four = known[attributes] = _attributes(attributes)
        if kind == "file" and size:
            ref = None
            if source:
                full = sources.get(source)
                if full is None:
                    full = sources[source] = _under(base, source)
                ref = content((full, int(offset), ()))
            add(make((path, "f", *four, int(size), ref, None)))
        elif kind == "dir":
            add(make((path, "d", *four, 0, None, None)))
        elif kind == "link" and link:
            add(make((path, "l", *four, len(path_bytes(link)), link, None)))
        else:
            raise BadManifest(number, line, "a file without size or a link without target")
    return entries


def _attributes(text: str) -> tuple[int, int, int, int]:
    match = _ATTRIBUTES.fullmatch(text)
    assert match is not None
    mode, uid, gid, seconds, nanoseconds = match.groups()
    time = int(seconds) * 1_000_000_000 + int(nanoseconds)
    return int(mode, 8), int(uid), int(gid), time


def read_item(directory: Path, logical: str) -> list[Entry]:
    """The tree of the item that is at `directory` and has the store path `logical`."""
    return read((directory / "manifest").read_text("ascii"), logical)


def _under(base: str, source: str) -> str:
    return source if source.startswith("/") or not base else f"{base}/{source}"


def _read_line(number: int, line: str, base: str, defaults: dict[str, str]) -> Entry | None:
    """One line of any form that mtree(5) allows with full paths; None when it holds no entry."""
    line = line.strip()
    if not line or line.startswith("#"):
        return None
    words = line.split()
    fields = dict(defaults)
    for word in words[1:]:
        key, _, value = word.partition("=")
        fields[key] = value
    if words[0] == "/set":
        defaults.update(fields)
        return None
    if words[0] == "/unset":
        for key in words[1:]:
            defaults.pop(key, None)
        return None
    try:
        return _entry(words[0], fields, base)
    except (KeyError, ValueError) as error:
        problem = f"no {error} is given" if isinstance(error, KeyError) else str(error)
        raise BadManifest(number, line, problem) from None


def _entry(word: str, fields: Mapping[str, str], base: str) -> Entry:
    path = _path(word)
    kind = _KINDS.get(fields["type"])
    if kind is None:
        raise ValueError(f"unknown type {fields['type']}")
    if "hardlink" in fields:
        return Entry(path, "h", 0, ref=_path(fields["hardlink"]))
    seconds, _, nanoseconds = fields.get("time", "0").partition(".")
    size = 0
    ref: Content | bytes | str | tuple[int, int] | None = None
    if kind == "f":
        size = int(fields["size"])
        if "contents" in fields:
            ref = Content(
                _under(base, decode(fields["contents"])),
                int(fields.get("offset", "0")),
                _holes(fields.get("holes", "")),
            )
        elif "inline" in fields:
            ref = base64.b64decode(fields["inline"], validate=True)
    elif kind == "l":
        ref = decode(fields["link"])
        size = len(path_bytes(ref))
    elif kind in "cb":
        _, major, minor = fields["device"].split(",")
        ref = (int(major), int(minor))
    xattrs = {
        decode(key[6:]): base64.b64decode(value, validate=True)
        for key, value in fields.items()
        if key.startswith("xattr.")
    }
    return Entry(
        path,
        kind,
        int(fields["mode"], 8),
        int(fields.get("uid", "0")),
        int(fields.get("gid", "0")),
        int(seconds) * 1_000_000_000 + int(nanoseconds or "0"),
        size,
        ref,
        xattrs or None,
    )


def _path(word: str) -> str:
    if word == ".":
        return ""
    if not word.startswith("./"):
        raise ValueError("a path that does not begin with ./")
    return decode(word[2:])


def _holes(text: str) -> tuple[tuple[int, int], ...]:
    holes = []
    for run in text.split(",") if text else ():
        start, _, length = run.partition("+")
        holes.append((int(start), int(length)))
    return tuple(holes)
