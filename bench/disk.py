"""Benchmark 1: from a tree to a bootable disk image, against fakeroot, mke2fs -d and genimage.

    python bench/disk.py [--root DIR] [--sizes BYTES ...] [--rounds N] [--work DIR]

Without --root the trees are made of files of the packages installed on this host, one pack for each
package as in Kiln's store. The commands run in turn, each after a sync, with its output removed and
what it reads in memory; what counts are the medians and their ratios. Exit status 1 if a gate is
missed.

    kiln      tree item -> disk image (MBR and ext4)
    peers     fakeroot mke2fs -d, then genimage: what distributions' scripts do
    mke2fs    fakeroot mke2fs -d alone
    cat       cat of the tree's files to one file: copying the bytes
    cp        cp of the same bytes from one file to another: no files to open, nothing to decide
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.timing import Gate, Series, interleaved, judge, settle, table
from builders import mtree
from builders.errors import BuilderError
from builders.merge import merge
from builders.pack import NAME, PackWriter
from builders.scan import scan
from builders.tree import Content, Entry

LEAST_FASTER = 4.0
MOST_SLOWER_THAN_COPY = 1.7
UUID = "8c1e3b5a-6f0d-4c57-9a52-0d8f4e1b7c3d"
PREFIX = "/kiln/store/"
LISTS = Path("/var/lib/dpkg/info")
CHUNK = 1 << 20
SOURCES = {"kiln": "store", "cp": "one-file"}
"""What the commands read; the others read the tree's files."""


def packages(size: int) -> Iterator[tuple[str, list[Entry]]]:
    """Installed packages and their trees, in order of name, until `size` bytes are together."""
    total = 0
    for listing in sorted(LISTS.glob("*.list")):
        entries = []
        for line in listing.read_text().splitlines():
            path = Path(line)
            if line == "/." or not path.is_absolute() or not os.path.lexists(path):
                continue
            entry = lstat(path)
            if entry is not None and total + entry.size <= size:
                entries.append(entry)
                total += entry.size if entry.kind == "f" else 0
        yield listing.stem, entries
        if total >= size * 0.98:
            return


def lstat(path: Path) -> Entry | None:
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


def merged_usr() -> list[Entry]:
    """The links of a merged /usr, through which packages' paths go."""
    found = [Entry("", "d", 0o755)]
    for name in ("bin", "sbin", "lib", "lib64", "lib32", "libx32"):
        link = Path("/", name)
        if link.is_symlink():
            target = str(link.readlink())
            found.append(Entry(name, "l", 0o777, 0, 0, 0, len(target), target))
    return found


def make_store(store: Path, groups: Sequence[tuple[str, list[Entry]]]) -> list[Entry]:
    """Write a pack for each group and the manifest of all; the merged tree."""
    trees = [merged_usr()] if len(groups) > 1 else []
    for name, entries in groups:
        item = store / f"pack-{name.replace(':', '-')}"
        item.mkdir(parents=True)
        packed = []
        with PackWriter(item / NAME) as pack:
            for entry in entries:
                if isinstance(entry.ref, Content):
                    content = pack.add(read(Path(entry.ref.source)))
                    source = f"{PREFIX}{item.name}/{NAME}"
                    packed.append(entry._replace(ref=content._replace(source=source)))
                else:
                    packed.append(entry)
        trees.append(packed)
    tree = merge(*trees)
    (store / "tree").mkdir()
    (store / "tree" / "manifest").write_text(mtree.write(tree))
    return tree


def read(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
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


def write_image(store: Path, output: Path) -> None:
    """What the process that is measured does: exactly what the builder "disk-image" does."""
    from builders import image
    from builders.registry import Build

    partition = {
        "file_system": "ext4",
        "tree": PREFIX + "tree",
        "size": None,
        "uuid": UUID,
        "partition_uuid": UUID,
        "label": "root",
        "flags": ["boot"],
    }
    image.disk_image(
        Build(
            name="disk",
            arguments={"table": "mbr", "disk_uuid": UUID, "partitions": [partition]},
            output=output,
            scratch=store,
            store=store,
        )
    )


GENIMAGE = """image disk.img {
    hdimage {}
    partition root { partition-type = 0x83 image = "root.ext4" }
}
"""


def commands(work: Path, tree: Sequence[Entry]) -> dict[str, Callable[[], None]]:
    """What is measured, by name; each leaves its output in work/out."""
    content = sum(-(-entry.size // 4096) * 4096 for entry in tree if entry.kind == "f")
    size = f"{int(content * 1.25 / 1024) + 64 * 1024}k"
    out, root, config = work / "out", work / "root", work / "genimage.cfg"
    config.write_text(GENIMAGE)
    (work / "empty").mkdir()

    def run(*command: str | Path) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kiln() -> None:
        run(sys.executable, __file__, "--write", work / "store", out / "disk.img")

    def mke2fs() -> None:
        options = ("-q", "-F", "-t", "ext4", "-b", "4096", "-d", root)
        run("fakeroot", "mke2fs", *options, out / "root.ext4", size)

    def peers() -> None:
        mke2fs()
        run(
            *("genimage", "--config", config, "--rootpath", work / "empty"),
            *("--tmppath", out / "tmp", "--inputpath", out, "--outputpath", out / "images"),
        )

    def cp() -> None:
        run("cp", "--reflink=never", work / "one-file", out / "copy")

    def cat() -> None:
        script = f"find {root} -type f -print0 | xargs -0 cat > {out / 'cat'}"
        run("sh", "-c", script)

    return {"kiln": kiln, "peers": peers, "mke2fs": mke2fs, "cat": cat, "cp": cp}


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


def compare(title: str, groups: Sequence[tuple[str, list[Entry]]], rounds: int, base: Path) -> bool:
    """Measure one tree and print the result; whether the gates are reached."""
    with tempfile.TemporaryDirectory(prefix="kiln-bench-", dir=base) as directory:
        work = Path(directory)
        tree = make_store(work / "store", groups)
        make_root(work / "root", tree, work / "store")
        with open(work / "one-file", "wb") as one:
            for pack in sorted((work / "store").glob(f"*/{NAME}")):
                with open(pack, "rb") as file:
                    shutil.copyfileobj(file, one, CHUNK)
        size = (work / "one-file").stat().st_size
        print(f"{title}: {len(tree)} entries, {size / 1e6:.0f} MB, {rounds} rounds")
        found = measured(
            commands(work, tree),
            work / "out",
            lambda name: work / SOURCES.get(name, "root"),
            rounds,
        )
    kiln = found["kiln"]
    print(table(found.values(), kiln))
    return judge(
        [
            Gate(
                "times faster than mke2fs -d and genimage",
                found["peers"].wall / kiln.wall,
                least=LEAST_FASTER,
            ),
            Gate(
                "times the time of copying the bytes",
                kiln.wall / found["cat"].wall,
                most=MOST_SLOWER_THAN_COPY,
            ),
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--root", type=Path, help="measure this tree")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000_000_000, 250_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=Path, help="where to work; default: the temporary directory")
    parser.add_argument("--write", type=Path, nargs=2, metavar=("STORE", "OUT"), help="internal")
    arguments = parser.parse_args()
    if arguments.write:
        write_image(*arguments.write)
        return 0
    missing = [tool for tool in ("fakeroot", "mke2fs", "genimage") if shutil.which(tool) is None]
    if missing:
        print(f"not installed: {', '.join(missing)}", file=sys.stderr)
        return 2
    try:
        if arguments.root:
            trees = [(str(arguments.root), [("root", scan(arguments.root))])]
        else:
            trees = [(f"{size / 1e9} GB", list(packages(size))) for size in arguments.sizes]
        results = [
            compare(title, groups, arguments.rounds, arguments.work) for title, groups in trees
        ]
    except BuilderError as error:
        print(error.message, file=sys.stderr)
        return 2
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
