"""Each writer from a tree to its file, against what a user would run instead.

    python bench/writers.py [FORMAT ...] [--sizes BYTES ...] [--small FILES] [--rounds N]

The trees are those of bench/disk.py. Kiln and its peers run in turn, each after a sync, with its
output removed and what it reads in memory; what counts are the medians and their ratios. Kiln's
figures include starting Python and reading the manifest. Exit status 1 if a gate is missed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import one_build, trees
from bench.timing import Gate, Series, judge, table
from bench.trees import PREFIX, UUID, Groups
from builders.tree import Entry

ROOT = Path(__file__).resolve().parent.parent
NATIVE = PREFIX + "native"
"""An item with the programs of the packages of `Format.native`, for writers that run one."""


@dataclass(frozen=True)
class Format:
    """A format that is measured.

    builder    the name and module of Kiln's builder, and its arguments beside the tree
    peers      shell commands by name; $root is the tree, $out what is to be made, $size its size
    least_cpu  how many times less processor time than the first peer Kiln has to take
    most_cpu   how many times the processor time of the first peer it may take
    native     the Debian package whose program Kiln runs
    plain      the tree has files and directories only, in names that differ by more than case
    """

    builder: tuple[str, str]
    arguments: Mapping[str, Any]
    peers: Mapping[str, str]
    least_cpu: float | None = None
    most_cpu: float | None = None
    native: str | None = None
    plain: bool = False
    tools: Sequence[str] = field(default=())


def _file_system(name: str, peers: Mapping[str, str], tools: str, **rest: Any) -> Format:
    arguments = {"file_system": name, "options": {"uuid": UUID, **rest.pop("options", {})}}
    builder = ("builders.file_system", "file_system")
    return Format(builder, arguments, peers, tools=tools.split(), **rest)


def _tar(compression: str | None, peers: Mapping[str, str]) -> Format:
    arguments = {"format": "tar", "compression": compression}
    return Format(("builders.archive_image", "archive_image"), arguments, peers, tools=["tar"])


_SQUASHFS = "-comp zstd -Xcompression-level 3 -quiet -no-progress"

FORMATS: dict[str, Format] = {
    "ext4": _file_system(
        "ext4",
        {"mke2fs -d": "fakeroot mke2fs -q -F -t ext4 -b 4096 -N $inodes -d $root $out $size"},
        "fakeroot mke2fs",
        least_cpu=2,
    ),
    "btrfs": _file_system(
        "btrfs",
        {
            "mkfs.btrfs -r": "truncate -s $size $out && mkfs.btrfs -q -U "
            f"{UUID} --rootdir $root $out"
        },
        "mkfs.btrfs",
        least_cpu=1.4,
    ),
    "vfat": _file_system(
        "fat32",
        {
            "mkfs.vfat, mcopy": "truncate -s $size $out && mkfs.vfat -F 32 $out"
            " && mcopy -s -i $out $root/* ::"
        },
        "mkfs.vfat mcopy",
        plain=True,
    ),
    "erofs": _file_system(
        "erofs",
        {"mkfs.erofs": f"mkfs.erofs -U {UUID} -T 1 $out $root"},
        "mkfs.erofs",
        most_cpu=1.3,
    ),
    "erofs-lz4": _file_system(
        "erofs",
        {"mkfs.erofs -zlz4": f"mkfs.erofs -zlz4 -C131072 -U {UUID} -T 1 $out $root"},
        "mkfs.erofs",
        options={"compression": "lz4"},
        most_cpu=1.5,
    ),
    "erofs-lz4hc": _file_system(
        "erofs",
        {"mkfs.erofs -zlz4hc": f"mkfs.erofs -zlz4hc -C131072 -U {UUID} -T 1 $out $root"},
        "mkfs.erofs",
        options={"compression": "lz4hc"},
        most_cpu=1.3,
    ),
    "iso9660": Format(
        ("builders.formats.iso9660", "iso9660"),
        {"label": "BENCH", "disk_uuid": UUID},
        {"xorriso": "xorriso -as mkisofs -quiet -R --md5 -V BENCH -o $out $root"},
        tools=["xorriso"],
    ),
    "squashfs": Format(
        ("builders.formats.squashfs", "squashfs"),
        {"native": NATIVE, "compression": "zstd"},
        {
            "cp -a, mksquashfs": "cp -a $root $out.staging"
            f" && mksquashfs $out.staging $out {_SQUASHFS}",
            "mksquashfs": f"mksquashfs $root $out {_SQUASHFS}",
        },
        native="squashfs-tools",
        tools=["mksquashfs"],
    ),
    "tar": _tar(None, {"tar": "tar --xattrs -cf $out -C $root ."}),
    "tar.gz": _tar("gzip", {"tar | gzip": "tar --xattrs -czf $out -C $root ."}),
    "tar.zst": _tar("zstd", {"tar | zstd": "tar --xattrs --zstd -cf $out -C $root ."}),
}


def plain(groups: Groups) -> Groups:
    """What a FAT can hold of trees: files and directories, one of those that differ in case."""
    seen: set[str] = set()
    result = []
    for name, entries in groups:
        kept = []
        for entry in entries:
            folded = entry.path.lower()
            parent = folded.rpartition("/")[0]
            known = folded in seen or (parent and parent not in seen)
            if entry.kind in "fd" and not known and not set(entry.path) & set(':*?"<>|\\'):
                seen.add(folded)
                kept.append(entry)
        result.append((name, kept))
    return result


class Place:
    """A tree on the disk, as an item and as loose files, and where what is made of it goes."""

    def __init__(self, work: Path, groups: Groups) -> None:
        self.store, self.root, self.out = work / "store", work / "root", work / "out"
        self.tree: Sequence[Entry] = trees.make_store(self.store, groups)
        trees.make_root(self.root, self.tree, self.store)
        content = sum(-(-one.size // 4096) * 4096 for one in self.tree if one.kind == "f")
        self.bytes = content
        self.variables = {
            "root": str(self.root),
            "out": str(self.out / "peer"),
            "size": f"{int(content * 1.25 / 1024) + len(self.tree) // 3 + 65536}k",
            "inodes": str(len(self.tree) + 1024),
        }

    def prepare(self, package: str) -> None:
        """Have Kiln make the native item of a package."""
        code = f'(computed-file "n" #~(symlink #+(specification->package "{package}") #$output))'
        command = [sys.executable, "-m", "kiln", "build", "-q", "-e", code]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        (self.store / "native").unlink(missing_ok=True)
        link = Path(done.stdout.splitlines()[-1])
        (self.store / "native").symlink_to(link.parent / link.readlink().parts[3])

    def kiln(self, name: str) -> None:
        """Run Kiln's writer in a process of its own."""
        about = FORMATS[name]
        arguments = {"tree": PREFIX + "tree", **about.arguments}
        one_build.build(*about.builder, arguments, self.store, self.out / "kiln")

    def peer(self, script: str) -> None:
        """Run a shell command."""
        env = {**os.environ, "LC_ALL": "C.UTF-8", **self.variables}
        done = subprocess.run(["sh", "-ec", script], env=env, capture_output=True, check=False)
        if done.returncode:
            sys.exit(f"{script}: {done.stderr.decode()[-1000:]}")


def compare(name: str, place: Place, rounds: int) -> bool:
    """Measure one format and print the result; whether the gate is reached."""
    about = FORMATS[name]
    missing = [tool for tool in about.tools if shutil.which(tool) is None]
    if missing:
        print(f" {name}: not installed: {', '.join(missing)}")
        return True
    actions: dict[str, Callable[[], None]] = {f"kiln {name}": partial(place.kiln, name)}
    actions |= {peer: partial(place.peer, script) for peer, script in about.peers.items()}
    if about.native is not None:
        place.prepare(about.native)
    sizes: dict[str, int] = {}

    def weigh(action: str) -> None:
        made = place.out / ("kiln" if action.startswith("kiln") else "peer")
        sizes[action] = made.stat().st_blocks * 512

    found = trees.measured(
        actions,
        place.out,
        lambda action: place.store if action.startswith("kiln") else place.root,
        rounds,
        weigh,
    )
    kiln, first = list(found.values())[:2]
    print(table(found.values(), kiln))
    print("  MB: " + ", ".join(f"{action} {size / 1e6:.1f}" for action, size in sizes.items()))
    return judge(_gates(about, kiln, first))


def _gates(about: Format, kiln: Series, peer: Series) -> list[Gate]:
    if about.least_cpu is not None:
        what = f"times less CPU than {peer.name}"
        return [Gate(what, peer.cpu / kiln.cpu, least=about.least_cpu)]
    if about.most_cpu is not None:
        return [Gate(f"times the CPU of {peer.name}", kiln.cpu / peer.cpu, most=about.most_cpu)]
    return []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("--sizes", type=int, nargs="*", default=[250_000_000, 1_000_000_000])
    parser.add_argument("--small", type=int, default=100_000, help="how many small files; 0: none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="where to work; default: the temporary directory")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.formats) - set(FORMATS)):
        parser.error(f"no format {', '.join(unknown)}; there are {', '.join(FORMATS)}")
    wanted = [(f"{size / 1e9} GB", list(trees.packages(size))) for size in arguments.sizes]
    if arguments.small:
        groups = list(trees.small_files(arguments.small // 100, 100, 1000))
        wanted.append((f"{arguments.small} small files", groups))
    reached = True
    for title, groups in wanted:
        for limited in (False, True):
            names = [
                name for name in arguments.formats or FORMATS if FORMATS[name].plain == limited
            ]
            if not names:
                continue
            with tempfile.TemporaryDirectory(prefix="kiln-bench-", dir=arguments.work) as work:
                place = Place(Path(work), plain(groups) if limited else groups)
                count = len(place.tree)
                print(f"{title}: {count} entries, {place.bytes / 1e6:.0f} MB", flush=True)
                for name in names:
                    reached &= compare(name, place, arguments.rounds)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
