"""The trees that benchmarks write: as items of a store for Kiln, as loose files for the peers.

Made of files of the packages installed on this host, one pack for each package as in Kiln's store;
or of many small files.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bench.timing import Series, interleaved, settle
from builders import mtree
from builders.merge import merge
from builders.pack import NAME, PackWriter
from builders.tree import Content, Entry

Groups = Sequence[tuple[str, list[Entry]]]
"""Names of packs, and the entries whose contents are in each."""

UUID = "8c1e3b5a-6f0d-4c57-9a52-0d8f4e1b7c3d"
PREFIX = "/kiln/store/"
_LISTS = Path("/var/lib/dpkg/info")
_CHUNK = 1 << 20


def packages(size: int) -> Iterator[tuple[str, list[Entry]]]:
    """Installed packages and their trees, in order of name, until `size` bytes are together; before
    them the links that their paths go through."""
    yield "merged-usr", _merged_usr()
    total = 0
    for listing in sorted(_LISTS.glob("*.list")):
        entries = []
        for line in listing.read_text().splitlines():
            path = Path(line)
            if line == "/." or not path.is_absolute() or not os.path.lexists(path):
                continue
            entry = _lstat(path)
            if entry is not None and total + entry.size <= size:
                entries.append(entry)
                total += entry.size if entry.kind == "f" else 0
        yield listing.stem, entries
        if total >= size * 0.98:
            return


def _lstat(path: Path) -> Entry | None:
    status = path.lstat()
    name = str(path).lstrip("/")
    common = (status.st_mode & 0o7777, status.st_uid, status.st_gid, status.st_mtime_ns)
    if path.is_symlink():
        target = os.readlink(path)  # Path.readlink() would tidy it
        return Entry(name, "l", 0o777, *common[1:], len(os.fsencode(target)), target)
    if path.is_dir():
        return Entry(name, "d", *common)
    if path.is_file():
        ref = Content(str(path)) if status.st_size else None
        return Entry(name, "f", *common, status.st_size, ref)
    return None


def _merged_usr() -> list[Entry]:
    """The links of a merged /usr, through which packages' paths go."""
    found = [Entry("", "d", 0o755)]
    for name in ("bin", "sbin", "lib", "lib64", "lib32", "libx32"):
        link = Path("/", name)
        if link.is_symlink():
            target = str(link.readlink())
            found.append(Entry(name, "l", 0o777, 0, 0, 0, len(target), target))
    return found


def make_store(store: Path, groups: Groups, name: str = "tree") -> list[Entry]:
    """Write a pack for each group and the manifest of all, the item `name`; the merged tree."""
    trees: list[list[Entry]] = []
    for group, entries in groups:
        item = store / f"pack-{group.replace(':', '-')}"
        item.mkdir(parents=True)
        packed = []
        with PackWriter(item / NAME) as pack:
            for entry in entries:
                if entry.kind == "f" and entry.size:
                    content = pack.add(_pieces(entry))
                    source = f"{PREFIX}{item.name}/{NAME}"
                    packed.append(entry._replace(ref=content._replace(source=source)))
                else:
                    packed.append(entry)
        trees.append(packed)
    tree = merge(*trees)
    (store / name).mkdir()
    (store / name / "manifest").write_text(mtree.write(tree))
    return tree


def _pieces(entry: Entry) -> Iterator[bytes]:
    if isinstance(entry.ref, bytes):
        yield entry.ref
        return
    assert isinstance(entry.ref, Content)
    with open(entry.ref.source, "rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def make_root(root: Path, tree: Sequence[Entry], store: Path) -> None:
    """The same tree as loose files, for the peers."""
    for entry in tree:
        path = root / entry.path
        if entry.kind == "d":
            path.mkdir(parents=True, exist_ok=True)
        elif entry.kind == "l":
            path.symlink_to(str(entry.ref))
        elif entry.kind == "h":
            os.link(root / str(entry.ref), path)
        elif entry.kind == "f":
            with open(path, "wb") as file:
                if isinstance(entry.ref, Content):
                    with open(store / entry.ref.source[len(PREFIX) :], "rb") as pack:
                        os.sendfile(file.fileno(), pack.fileno(), entry.ref.offset, entry.size)
            path.chmod(entry.mode)


def small_files(directories: int, files: int, size: int) -> Groups:
    """`directories` of `files` each, of `size` bytes that are not the same."""
    entries = [Entry("", "d", 0o755)]
    for number in range(directories):
        folder = f"d{number:05}"
        entries.append(Entry(folder, "d", 0o755))
        for one in range(files):
            content = (b"%d %d\n" % (number, one)).ljust(size, b".")[:size]
            entries.append(Entry(f"{folder}/f{one:06}", "f", 0o644, size=size, ref=content))
    return [("small", entries)]


def make_one_file(store: Path, target: Path) -> int:
    """All contents of a store in one file; its size."""
    with open(target, "wb") as one:
        for pack in sorted(store.glob(f"*/{NAME}")):
            with open(pack, "rb") as file:
                shutil.copyfileobj(file, one, _CHUNK)
    return target.stat().st_size


def measured(
    actions: Mapping[str, Callable[[], None]],
    out: Path,
    sources: Callable[[str], Path],
    rounds: int,
    after: Callable[[str], object] = lambda name: None,
) -> dict[str, Series]:
    """Run actions in turn, each with `out` empty and the files below its `sources` in memory."""

    def before(name: str) -> None:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        settle(sources(name))

    return interleaved(actions, rounds, before=before, after=after)
