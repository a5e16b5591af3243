"""The trees that images hold, as programs and libraries of others read them.

Each function gives entries by path, with `ref` as in builders.tree but for files: there it is the
SHA-256 of the content.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from builders.scan import scan
from builders.tree import Entry, Kind

Seen = dict[str, Entry]


def run(*words: str | Path) -> str:
    """The output of a judge that has to be content."""
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words[0]}: {done.stdout}{done.stderr}"
    return done.stdout


def seen(entries: Iterable[Entry], read: Callable[[Entry], bytes]) -> Seen:
    """The entries with hashes for contents."""
    return {
        one.path: one._replace(ref=sha256(read(one))) if one.kind == "f" else one for one in entries
    }


def sha256(data: bytes) -> str:
    """The hash of a content."""
    return hashlib.sha256(data).hexdigest()


def directory(root: Path) -> Seen:
    """A directory of this host, as root sees it."""
    return seen(scan(root), lambda one: (root / one.path).read_bytes())


@contextmanager
def mounted(image: Path, kind: str, offset: int = 0) -> Iterator[Path]:
    """The file system at an offset of an image, mounted by the kernel."""
    with TemporaryDirectory() as place:
        run("mount", "-t", kind, "-o", f"loop,ro,offset={offset}", image, place)
        try:
            yield Path(place)
        finally:
            run("umount", place)


def mount(image: Path, kind: str, offset: int = 0) -> Seen:
    """What the kernel sees in the file system at an offset of an image."""
    with mounted(image, kind, offset) as root:
        found = directory(root)
    found.pop("lost+found", None)
    return found


def check_fat(image: Path, offset: int, size: int) -> None:
    """Fail if fsck.fat has something to say of `size` bytes of an image."""
    with NamedTemporaryFile(dir="/var/tmp") as copy, image.open("rb") as disk:
        disk.seek(offset)
        copy.write(disk.read(size))
        copy.flush()
        run("fsck.fat", "-n", "-v", copy.name)


def fat(image: Path, offset: int) -> dict[str, str]:
    """The hashes of the files in a FAT file system, by path, as mtools reads them."""
    with TemporaryDirectory() as place:
        run("mcopy", "-s", "-i", f"{image}@@{offset}", "::/*", place)
        return {path: str(one.ref) for path, one in directory(Path(place)).items() if one.size}


def iso(image: Path) -> Seen:
    """What xorriso extracts of an ISO."""
    with TemporaryDirectory() as place:
        run("xorriso", "-osirrox", "on", "-indev", image, "-extract", "/", place)
        return directory(Path(place))


def cpio(archive: Path) -> Seen:
    """What GNU cpio unpacks, run by root, of an archive compressed by zstd."""
    with TemporaryDirectory() as place:
        command = 'zstd -dcq < "$1" | cpio -idm --quiet --no-absolute-filenames -D "$2"'
        run("sh", "-c", command, "sh", archive, place)
        return directory(Path(place))


_KINDS: dict[bytes, Kind] = {
    tarfile.REGTYPE: "f",
    tarfile.DIRTYPE: "d",
    tarfile.SYMTYPE: "l",
    tarfile.LNKTYPE: "h",
    tarfile.CHRTYPE: "c",
    tarfile.BLKTYPE: "b",
    tarfile.FIFOTYPE: "p",
}
_WHITEOUT = ".wh."
_XATTR = "SCHILY.xattr."


def tar(archive: Path) -> Seen:
    """The members of a tar archive, compressed or not, as Python's library reads them."""
    with tarfile.open(archive, errorlevel=2) as members:
        return dict(_members(members))


def layers(archives: Iterable[tarfile.TarFile]) -> Seen:
    """The tree that the layers of a container image make, the lowest first."""
    found: Seen = {}
    for archive in archives:
        for path, entry in _members(archive):
            folder, _, name = path.rpartition("/")
            if name.startswith(_WHITEOUT):
                found.pop(f"{folder}/{name.removeprefix(_WHITEOUT)}".lstrip("/"))
            else:
                found[path] = entry
    return found


def _members(archive: tarfile.TarFile) -> Iterator[tuple[str, Entry]]:
    for member in archive:
        path = os.path.normpath(member.name).removeprefix("./").removeprefix(".")
        kind = _KINDS[member.type]
        ref: str | tuple[int, int] | None = None
        size = 0
        if kind == "f":
            content = archive.extractfile(member)
            assert content is not None
            data = content.read()
            size, ref = len(data), sha256(data)
        elif kind in "lh":
            ref = member.linkname.removeprefix("./") if kind == "h" else member.linkname
            size = len(os.fsencode(member.linkname)) if kind == "l" else 0
        elif kind in "cb":
            ref = (member.devmajor, member.devminor)
        xattrs = {
            name.removeprefix(_XATTR): os.fsencode(value)
            for name, value in member.pax_headers.items()
            if name.startswith(_XATTR)
        }
        time = round(float(member.mtime)) * 10**9
        owner = (member.uid, member.gid)
        yield path, Entry(path, kind, member.mode, *owner, time, size, ref, xattrs or None)
