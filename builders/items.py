"""Finished outputs as files: made read-only and timeless, hashed, searched for references."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from builders.errors import BuilderError
from builders.registry import SOURCE_DATE_EPOCH

HASH_LENGTH = 32
_BLOCK = 1 << 20
_TIME = (SOURCE_DATE_EPOCH * 10**9, SOURCE_DATE_EPOCH * 10**9)


class BadOutput(BuilderError):
    """An output is missing or holds something that the store does not keep."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is known of an output: bytes in its files, a hex hash, the candidates found in it.

    The hash of a file that is not executable is that of its contents alone.
    """

    size: int
    sha256: str | None
    found: tuple[str, ...]


class _Finder:
    """Looks for any of many 32-character hashes, each followed by "-", in one pass."""

    def __init__(self, candidates: Collection[str]) -> None:
        self.wanted = {candidate.encode() for candidate in candidates}
        self.found: set[bytes] = set()

    def block(self, data: bytes, before: bytes) -> bytes:
        """Search `data`, which follows `before`; returns what the next call needs of it."""
        # Hashes have no "-" in them: cutting there leaves each at the end of a piece.
        *pieces, last = (before + data).split(b"-")
        if pieces:
            long = [piece[-HASH_LENGTH:] for piece in pieces if len(piece) >= HASH_LENGTH]
            self.found |= self.wanted.intersection(long)
        return last[-HASH_LENGTH:]


def seal(path: Path, candidates: Collection[str] = (), *, hashed: bool = True) -> Sealed:
    """Make the output at `path` ready for the store and tell what is in it.

    Files become 0444 or 0555, directories 0555 (the topmost one when it is in its place: see
    `close`), all times the epoch. Raises BadOutput.
    """
    return _walk(path, candidates, hashed=hashed, change=True)


def examine(path: Path) -> Sealed:
    """What `seal` would tell, without touching anything."""
    return _walk(path, (), hashed=True, change=False)


def close(path: Path) -> None:
    """Take the right to write from the topmost directory of an item; it needs it to be moved."""
    if not path.is_symlink() and path.is_dir():
        path.chmod(0o555)


def remove(path: Path) -> None:
    """Remove an item or anything else, read-only or not; nothing there is fine."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    path.chmod(0o700)
    for directory, names, _files in os.walk(path):
        for name in names:
            child = Path(directory, name)
            if not child.is_symlink():
                child.chmod(0o700)
    shutil.rmtree(path)


def difference(one: Path, other: Path) -> str | None:
    """Where two outputs differ in what the store keeps of them, in words; None if nowhere."""
    ours, theirs = dict(_entries(one)), dict(_entries(other))
    for relative in sorted(ours.keys() ^ theirs.keys()):
        return f"{relative or 'the output'} is only in one of them"
    for relative, file in ours.items():
        name = relative or "the output"
        kinds = [_kind(path) for path in (file, theirs[relative])]
        if kinds[0] != kinds[1]:
            return f"{name} is of another kind"
        if kinds[0] == "l" and os.readlink(file) != os.readlink(theirs[relative]):
            return f"{name} leads elsewhere"
        if kinds[0] in "fx" and (offset := _first_difference(file, theirs[relative])) is not None:
            return f"{name} differs from byte {offset} on"
    return None


def _kind(file: str) -> str:
    mode = os.lstat(file).st_mode
    if stat.S_ISREG(mode):
        return "x" if mode & 0o111 else "f"
    return "l" if stat.S_ISLNK(mode) else "d"


def _first_difference(one: str, other: str) -> int | None:
    """The offset of the first byte in which two files differ."""
    with open(one, "rb") as left, open(other, "rb") as right:
        offset = 0
        while True:
            ours, theirs = left.read(_BLOCK), right.read(_BLOCK)
            if ours != theirs:
                pairs = enumerate(zip(ours, theirs, strict=False))
                shorter = min(len(ours), len(theirs))
                return offset + next((place for place, (a, b) in pairs if a != b), shorter)
            if not ours:
                return None
            offset += len(ours)


def _walk(path: Path, candidates: Collection[str], *, hashed: bool, change: bool) -> Sealed:
    finder = _Finder(candidates) if candidates else None
    digest = hashlib.sha256()
    size = 0
    for relative, file in _entries(path):
        try:
            status = os.lstat(file)
        except FileNotFoundError:
            raise BadOutput("the build ended well but made no output") from None
        mode = status.st_mode
        content = ""
        if stat.S_ISREG(mode):
            kind = "x" if mode & 0o111 else "f"
            size += status.st_size
            if change:
                Path(file).chmod(0o555 if kind == "x" else 0o444)
            if hashed or finder:
                content = _read(file, finder)
        elif stat.S_ISLNK(mode):
            kind = "l"
            target = os.fsencode(Path(file).readlink())
            content = target.hex()
            if finder:
                finder.block(target, b"")
        elif stat.S_ISDIR(mode):
            kind = "d"
            if change:
                Path(file).chmod(0o555 if relative else 0o755)
        else:
            raise BadOutput(
                f"{relative or 'the output'} is a socket, a pipe or a device",
                hint="the store keeps files, directories and symbolic links; a tree with devices "
                "in it is written as a manifest",
            )
        if not relative and kind == "f":
            return _single(file, status, content, finder, change=change)
        digest.update(f"{kind}\0".encode() + os.fsencode(relative) + f"\0{content}\0".encode())
        if change:
            os.utime(file, ns=_TIME, follow_symlinks=False)
    return Sealed(size, digest.hexdigest() if hashed else None, _found(finder))


def _single(
    file: str, status: os.stat_result, content: str, finder: _Finder | None, *, change: bool
) -> Sealed:
    if change:
        os.utime(file, ns=_TIME)
    return Sealed(status.st_size, content or None, _found(finder))


def _found(finder: _Finder | None) -> tuple[str, ...]:
    return tuple(sorted(one.decode() for one in finder.found)) if finder else ()


def _read(file: str, finder: _Finder | None) -> str:
    digest = hashlib.sha256()
    tail = b""
    with open(file, "rb", buffering=0) as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            if finder:
                tail = finder.block(block, tail)
    return digest.hexdigest()


def _entries(path: Path) -> Iterator[tuple[str, str]]:
    """(relative path, real path) of all in `path`, itself ("") first, in the order of names."""
    yield "", str(path)
    if path.is_symlink() or not path.is_dir():
        return
    for directory, names, files in os.walk(path):
        names.sort()
        for name in sorted(files + names):
            real = f"{directory}/{name}"
            yield real[len(str(path)) + 1 :], real
