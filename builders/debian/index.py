"""The packages of an archive's suites, merged: compiled once into a file that is read by name.

The file is a hash table: a header (magic, length of the meta data), meta data (marshal), the table
(one unsigned 32-bit offset a bucket, and one beyond), the buckets and the list of names. A bucket
is a marshalled dict of names to (candidates, providers); a name's bucket is its CRC-32 modulo the
table's size. So opening costs the meta data, and a look-up one bucket.
"""

from __future__ import annotations

import gc
import marshal
import mmap
import os
import re
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from builders.debian.version import key
from builders.errors import BuilderError

FORMAT = 1
"""Goes into cached files' names: raise it when their layout or content changes."""

_MAGIC = b"kilnidx1"
_HEADER = len(_MAGIC) + 4

NORMAL_PRIORITY = 500


class DamagedIndex(BuilderError):
    """A compiled index that cannot be read; compiling it again helps."""


class MalformedPackages(BuilderError):
    """A Packages file that lacks what every stanza must have."""


class Package(NamedTuple):
    """A binary package that the archive offers.

    Relationship fields are texts as in Packages (control.parse_relations reads them), "" if absent.
    `size` and `installed_size` are bytes; `uris` are the whole locations of the .deb.
    """

    name: str
    version: str
    architecture: str
    filename: str
    size: int
    sha256: str
    depends: str
    pre_depends: str
    provides: str
    conflicts: str
    breaks: str
    replaces: str
    recommends: str
    essential: bool
    priority: str
    section: str
    multi_arch: str
    installed_size: int
    source: str
    description: str
    uris: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class PackagesFile:
    """One verified Packages file, uncompressed, and what its archive says about it.

    bases     base URIs that `Filename` is relative to
    priority  APT's pin priority of the suite: a candidate of a higher one wins over any version
    """

    content: bytes
    bases: tuple[str, ...]
    priority: int = NORMAL_PRIORITY
    name: str = "Packages"


class Index:
    """A compiled index, open for look-ups.

    snapshot  names the state of all suites together: a hash of their Release files
    date      seconds since 1970: the newest Date of these files
    """

    def __init__(self, path: Path) -> None:
        """Open the file; raises DamagedIndex when it is none."""
        self.path = path
        try:
            with open(path, "rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            if self._map[: len(_MAGIC)] != _MAGIC:
                raise ValueError("wrong magic")
            length = int.from_bytes(self._map[len(_MAGIC) : _HEADER], "little")
            meta = marshal.loads(self._map[_HEADER : _HEADER + length])
            self.snapshot: str = meta["snapshot"]
            self.date: int = meta["date"]
            self._essential: tuple[str, ...] = meta["essential"]
            self._bases: tuple[tuple[str, ...], ...] = meta["bases"]
            self._buckets: int = meta["buckets"]
            self._names: tuple[int, int] = meta["names"]
            self._table = _HEADER + length
            if len(self._map) != meta["length"] + self._table:
                raise ValueError("wrong length")
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise DamagedIndex(f"cannot read the package index {path}: {error}") from error
        self._data = self._table + 4 * (self._buckets + 1)
        self._known: dict[str, tuple[list[Package], tuple[str, ...]]] = {}

    def candidates(self, name: str) -> list[Package]:
        """All versions of the package, the one to install first; [] when there is none."""
        return self._find(name)[0]

    def best(self, name: str) -> Package | None:
        """The version that is installed when nothing else is said."""
        candidates = self._find(name)[0]
        return candidates[0] if candidates else None

    def providers(self, name: str) -> tuple[str, ...]:
        """The names, sorted, of other packages of which some version provides `name`."""
        return self._find(name)[1]

    def essential(self) -> tuple[str, ...]:
        """The names, sorted, of the packages that are Essential."""
        return self._essential

    def names(self) -> list[str]:
        """The names of all packages, sorted; virtual ones are not among them."""
        start, length = self._names
        begin = self._data + start
        return self._map[begin : begin + length].decode().split()

    def search(self, words: Sequence[str]) -> Iterator[Package]:
        """The packages that have all `words` in name or short description, by name."""
        wanted = [word.lower() for word in words]
        for name in self.names():
            package = self.best(name)
            if package is not None:
                text = f"{name} {package.description}".lower()
                if all(word in text for word in wanted):
                    yield package

    def nearest(self, name: str, count: int = 3) -> tuple[str, ...]:
        """Existing names that were probably meant, the likeliest first."""
        # Few names qualify by their length and letters; comparing with all of them takes seconds.
        letters = set(name)
        plausible = [
            other
            for other in self.names()
            if abs(len(other) - len(name)) <= 3 and len(letters ^ set(other)) <= 4
        ]
        near = get_close_matches(name, plausible, count, 0.7)
        if len(near) < count and len(name) > 3:
            longer = [other for other in self.names() if other.startswith(name)]
            near += [other for other in sorted(longer, key=len) if other not in near]
        return tuple(near[:count])

    def _find(self, name: str) -> tuple[list[Package], tuple[str, ...]]:
        found = self._known.get(name)
        if found is None:
            entry = 4 * (zlib.crc32(name.encode()) % self._buckets) + self._table
            begin = int.from_bytes(self._map[entry : entry + 4], "little") + self._data
            end = int.from_bytes(self._map[entry + 4 : entry + 8], "little") + self._data
            raw, providers = marshal.loads(self._map[begin:end]).get(name, ((), ()))
            found = self._known[name] = ([self._package(name, fields) for fields in raw], providers)
        return found

    def _package(self, name: str, fields: tuple[Any, ...]) -> Package:
        filename = fields[2]
        uris = tuple(f"{base}/{filename}" for base in self._bases[fields[-1]])
        return Package._make((name, *fields[:-1], uris))


# Fields in the order in which Package has them; those left out are handled by name.
_TEXTS = (
    b"Depends",
    b"Pre-Depends",
    b"Provides",
    b"Conflicts",
    b"Breaks",
    b"Replaces",
    b"Recommends",
)
_FIELDS = (
    *_TEXTS,
    b"Package",
    b"Version",
    b"Architecture",
    b"Filename",
    b"Size",
    b"SHA256",
    b"Essential",
    b"Priority",
    b"Section",
    b"Multi-Arch",
    b"Installed-Size",
    b"Source",
    b"Description",
)
_FIELD = re.compile(rb"^(%s): *(.*)$" % b"|".join(_FIELDS), re.MULTILINE)
_PROVIDED = re.compile(r"(?:^|,)\s*([A-Za-z0-9][A-Za-z0-9+.-]*)")
_FOLD = b"\x01"


def file_name(snapshot: str, bases: object, architecture: str) -> str:
    """The name of the compiled index; marshal's format is this Python's own."""
    import hashlib

    text = f"{FORMAT} {sys.implementation.cache_tag} {snapshot} {bases} {architecture}"
    return hashlib.sha256(text.encode()).hexdigest()[:32] + ".index"


def compile_index(
    path: Path, files: Iterable[PackagesFile], *, snapshot: str, date: int, architecture: str
) -> None:
    """Write the index of `files` to `path`, atomically.

    Of several versions the one with the highest (suite priority, version) is best; of the same
    version in two suites, the earlier file's is kept. Raises MalformedPackages.
    """
    enabled = gc.isenabled()
    gc.disable()  # a million live tuples and no cycles: collecting doubles the time
    try:
        packages, provided, bases = _collect(files, architecture)
        data = _serialise(packages, provided, bases, snapshot, date)
    finally:
        if enabled:
            gc.enable()
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with open(temporary, "wb") as file:
            file.writelines(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


_Candidates = dict[str, list[tuple[int, tuple[Any, ...]]]]


def _collect(
    files: Iterable[PackagesFile], architecture: str
) -> tuple[_Candidates, dict[str, set[str]], list[tuple[str, ...]]]:
    packages: _Candidates = {}
    provided: dict[str, set[str]] = {}
    bases: list[tuple[str, ...]] = []
    for number, file in enumerate(files):
        bases.append(file.bases)
        for name, fields in _stanzas(file):
            if fields[1] not in (architecture, "all"):
                continue
            known = packages.setdefault(name, [])
            if any(other[0] == fields[0] for _, other in known):
                continue
            known.append((file.priority, (*fields, number)))
            if fields[7]:
                for virtual in _PROVIDED.findall(fields[7]):
                    if virtual != name:
                        provided.setdefault(virtual, set()).add(name)
    for known in packages.values():
        if len(known) > 1:
            known.sort(key=lambda one: (one[0], key(one[1][0])), reverse=True)
    return packages, provided, bases


def _stanzas(file: PackagesFile) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Name and the other fields, in the order of Package from `version` to `description`."""
    data = file.content.replace(b"\n ", _FOLD).replace(b"\n\t", _FOLD)
    find = _FIELD.findall
    for stanza in data.split(b"\n\n"):
        fields = {name: value.decode() for name, value in find(stanza)}
        if not fields:
            if stanza.strip():
                raise MalformedPackages(f"{file.name}: a stanza without any known field")
            continue
        if stanza.count(_FOLD):
            fields = {
                name: value.partition("\x01")[0]
                if name == b"Description"
                else value.replace("\x01", " ")
                for name, value in fields.items()
            }
        get = fields.get
        try:
            name = sys.intern(fields[b"Package"])
            yield (
                name,
                (
                    fields[b"Version"],
                    sys.intern(fields[b"Architecture"]),
                    fields[b"Filename"].removeprefix("./"),
                    int(fields[b"Size"]),
                    fields[b"SHA256"],
                    *[get(text, "") for text in _TEXTS],
                    get(b"Essential") == "yes",
                    sys.intern(get(b"Priority", "optional")),
                    sys.intern(get(b"Section", "")),
                    sys.intern(get(b"Multi-Arch", "no")),
                    int(get(b"Installed-Size", "0")) * 1024,
                    get(b"Source", name).partition(" ")[0],
                    get(b"Description", ""),
                ),
            )
        except (KeyError, ValueError) as error:
            name = fields.get(b"Package", "a stanza without name")
            raise MalformedPackages(f"{file.name}: {name}: bad or missing field {error}") from None


def _serialise(
    packages: _Candidates,
    provided: dict[str, set[str]],
    bases: list[tuple[str, ...]],
    snapshot: str,
    date: int,
) -> list[bytes]:
    names = sorted(packages.keys() | provided.keys())
    count = max(16, len(names))
    buckets: list[dict[str, Any]] = [{} for _ in range(count)]
    for name in names:
        candidates = tuple(fields for _, fields in packages.get(name, ()))
        providers = tuple(sorted(provided.get(name, ())))
        buckets[zlib.crc32(name.encode()) % count][name] = (candidates, providers)
    table = array("I")
    chunks: list[bytes] = []
    offset = 0
    for bucket in buckets:
        table.append(offset)
        chunks.append(marshal.dumps(bucket))
        offset += len(chunks[-1])
    table.append(offset)
    if sys.byteorder == "big":
        table.byteswap()
    listing = "\n".join(sorted(packages)).encode()
    # Fields are (version, ..., essential at 12, ..., file): see _stanzas.
    essential = tuple(sorted(name for name, known in packages.items() if known[0][1][12]))
    meta = marshal.dumps(
        {
            "snapshot": snapshot,
            "date": date,
            "essential": essential,
            "bases": tuple(bases),
            "buckets": count,
            "names": (offset, len(listing)),
            "length": 4 * len(table) + offset + len(listing),
        }
    )
    return [_MAGIC, len(meta).to_bytes(4, "little"), meta, table.tobytes(), *chunks, listing]
