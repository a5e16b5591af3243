"""From a tree to a bootable disk image, against what people's scripts do today.

    python bench/disk.py [--root DIR] [--sizes BYTES ...] [--small FILES] [--rounds N]
                         [--against NAME ...] [--work DIR]

The disk has a GPT, an EFI system partition and an ext4 root. Without --root the trees are made of
files of the packages installed on this host, one pack for each package as in Kiln's store. The
commands run in turn, each after a sync, with its output removed and what it reads in memory; what
counts are the medians and their ratios. Exit status 1 if a gate is missed.

    kiln      tree items -> disk image
    pipeline  fakeroot mke2fs -d, mkfs.vfat and mcopy, then genimage: what distributions' scripts do
    staged    the same, after a copy of the tree that a script changes before it is written
    genimage  fakeroot genimage, which calls mke2fs and mkfs.vfat by itself
    repart    systemd-repart --offline, where it has that option
    mke2fs    fakeroot mke2fs -d alone
    cat       cat of the tree's files to one file: reading and writing the bytes once
    cp        cp of the same bytes from one file to another: no files to open, nothing to decide
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import one_build, trees
from bench.timing import Gate, Series, judge, table
from bench.trees import PREFIX, UUID, Groups
from builders.errors import BuilderError
from builders.scan import scan
from builders.tree import Entry

SOURCES = {"kiln": "store", "cp": "one-file"}
"""What the commands read; the others read the tree's files."""

PEERS = ("pipeline", "staged", "genimage", "mke2fs", "cat", "cp", "repart")

AT_LEAST_A_GIGABYTE = 900_000_000
"""From this size on, start-up does not count any more in the comparison with copying."""

ESP_BYTES = 24_000_000

_LOADER = bytes(range(1, 251)) * (ESP_BYTES // 250)
ESP: Groups = [
    (
        "esp",
        [
            Entry("EFI", "d", 0o755),
            Entry("EFI/BOOT", "d", 0o755),
            Entry("EFI/BOOT/BOOTX64.EFI", "f", 0o644, size=ESP_BYTES, ref=_LOADER),
            Entry("EFI/debian", "d", 0o755),
            Entry("EFI/debian/grub.cfg", "f", 0o644, size=9, ref=b"# a file\n"),
        ],
    )
]


def _partition(file_system: str, tree: str, flag: str) -> dict[str, object]:
    return {
        "file_system": file_system,
        "tree": PREFIX + tree,
        "size": None,
        "uuid": UUID,
        "partition_uuid": UUID[:-1] + str(len(tree)),
        "label": tree,
        "flags": [flag],
    }


IMAGE = {
    "table": "gpt",
    "disk_uuid": UUID,
    "partitions": [_partition("fat32", "esp", "esp"), _partition("ext4", "tree", "boot")],
}
"""The arguments of the builder "disk-image"."""


def write_image(store: Path, output: Path) -> int:
    """Kiln's part; how many bytes it gave the kernel to write."""
    return one_build.build("builders.image", "disk_image", IMAGE, store, output)


DISK = """image disk.img {{
    hdimage {{ partition-table-type = "gpt" }}
    partition esp {{ partition-type-uuid = "U" image = "esp.vfat" }}
    partition root {{ partition-type-uuid = "L" image = "root.ext4" }}
}}
"""
PARTS = """image esp.vfat {{ vfat {{}} mountpoint = "/efi" size = 36M }}
image root.ext4 {{
    ext4 {{ use-mke2fs = true extraargs = "-N {inodes}" }}
    mountpoint = "/"
    size = {size}
}}
"""
REPART = {
    "10-esp.conf": "[Partition]\nType=esp\nFormat=vfat\nCopyFiles={esp}:/\nSizeMinBytes=40M\n",
    "20-root.conf": "[Partition]\nType=root\nFormat=ext4\nCopyFiles={root}:/\nMinimize=guess\n",
}


class Commands:
    """What is measured; each leaves its output in work/out."""

    def __init__(self, work: Path, tree: Sequence[Entry]) -> None:
        content = sum(-(-entry.size // 4096) * 4096 for entry in tree if entry.kind == "f")
        inodes = len(tree)
        self.size = f"{int(content * 1.25 / 1024) + inodes // 3 + 64 * 1024}k"
        self.inodes = str(inodes + 1024)
        self.work, self.out, self.root = work, work / "out", work / "root"
        (work / "empty").mkdir()

    def all(self) -> dict[str, Callable[[], None]]:
        """The commands by name, those that this host has."""
        found = {
            "kiln": self.kiln,
            "pipeline": self.pipeline,
            "staged": self.staged,
            "genimage": self.genimage,
            "mke2fs": self.mke2fs,
            "cat": self.cat,
            "cp": self.cp,
        }
        if repart_is_offline():
            found["repart"] = self.repart
        return found

    def kiln(self) -> None:
        write_image(self.work / "store", self.out / "disk.img")

    def mke2fs(self, root: Path | None = None) -> None:
        options = ("-q", "-F", "-t", "ext4", "-b", "4096", "-N", self.inodes)
        target = self.out / "root.ext4"
        run("fakeroot", "mke2fs", *options, "-d", root or self.root, target, self.size)

    def pipeline(self, root: Path | None = None) -> None:
        self.mke2fs(root)
        esp = self.out / "esp.vfat"
        run("truncate", "-s", "36M", esp)
        run("mkfs.vfat", "-F", "32", "-n", "ESP", esp)
        run("mcopy", "-s", "-i", esp, self.work / "esp/EFI", "::")
        self._genimage(DISK.format(), self.work / "empty")

    def staged(self) -> None:
        staging = self.out / "staging"
        run("cp", "-a", self.root, staging)
        self.pipeline(staging)

    def genimage(self) -> None:
        staging = self.out / "root"
        staging.mkdir()
        text = DISK.format() + PARTS.format(size=self.size, inodes=self.inodes)
        (self.root / "efi").mkdir(exist_ok=True)
        run("cp", "-a", self.work / "esp/EFI", self.root / "efi")
        try:
            self._genimage(text, self.root, "fakeroot")
        finally:
            shutil.rmtree(self.root / "efi")

    def _genimage(self, text: str, root: Path, *before: str) -> None:
        config = self.out / "genimage.cfg"
        config.write_text(text)
        run(
            *(*before, "genimage", "--config", config, "--rootpath", root),
            *("--tmppath", self.out / "tmp", "--inputpath", self.out),
            *("--outputpath", self.out / "images"),
        )

    def repart(self) -> None:
        definitions = self.out / "repart.d"
        definitions.mkdir()
        for name, text in REPART.items():
            (definitions / name).write_text(text.format(esp=self.work / "esp", root=self.root))
        run(
            *("fakeroot", "systemd-repart", "--offline=yes", "--empty=create", "--size=auto"),
            *("--dry-run=no", f"--definitions={definitions}", self.out / "repart.img"),
        )

    def cp(self) -> None:
        run("cp", "--reflink=never", self.work / "one-file", self.out / "copy")

    def cat(self) -> None:
        run("sh", "-c", f"find {self.root} -type f -print0 | xargs -0 cat > {self.out / 'cat'}")


def run(*command: str | Path) -> None:
    """Run a command that has to succeed, with nothing to be seen of it."""
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr.decode()[-1000:]}")


def repart_is_offline() -> bool:
    """Whether this host's systemd-repart works on files, without loop devices and root."""
    if shutil.which("systemd-repart") is None:
        return False
    told = subprocess.run(["systemd-repart", "--help"], capture_output=True, text=True, check=True)
    return "--offline" in told.stdout


def compare(
    title: str, groups: Groups, rounds: int, base: Path, against: Sequence[str] | None
) -> bool:
    """Measure one tree and print the result; whether the gates are reached.

    against  names of commands; None: all
    """
    with tempfile.TemporaryDirectory(prefix="kiln-bench-", dir=base) as directory:
        work = Path(directory)
        tree = trees.make_store(work / "store", groups)
        trees.make_root(work / "root", tree, work / "store")
        esp = trees.make_store(work / "store", ESP, "esp")
        trees.make_root(work / "esp", esp, work / "store")
        size = trees.make_one_file(work / "store", work / "one-file")
        print(f"{title}: {len(tree)} entries, {size / 1e6:.0f} MB, {rounds} rounds")
        image = work / "disk.img"
        written = write_image(work / "store", image) / (image.stat().st_blocks * 512)
        commands = Commands(work, tree).all()
        if against is not None:
            commands = {name: commands[name] for name in ("kiln", *against) if name in commands}
        found = trees.measured(
            commands,
            work / "out",
            lambda name: work / SOURCES.get(name, "root"),
            rounds,
        )
    print(table(found.values(), found["kiln"]))
    return judge(gates(found, size, written))


def gates(found: dict[str, Series], size: int, written: float) -> list[Gate]:
    """The bounds that the medians have to keep."""
    kiln = found["kiln"]
    result = [Gate("bytes written for one that is allocated", written, most=1.01)]
    if "pipeline" in found:
        pipeline = found["pipeline"]
        result += [
            Gate("times faster than the pipeline", pipeline.wall / kiln.wall, least=5),
            Gate("times less CPU than the pipeline", pipeline.cpu / kiln.cpu, least=4),
        ]
    if "mke2fs" in found:
        less = found["mke2fs"].cpu / kiln.cpu
        result.append(Gate("times less CPU than mke2fs -d", less, least=2))
    for name in ("genimage", "staged", "repart"):
        if name in found:
            faster = found[name].wall / kiln.wall
            result.append(Gate(f"times faster than {name}", faster, least=10))
    if "cat" in found and size >= AT_LEAST_A_GIGABYTE:
        slower = kiln.wall / found["cat"].wall
        result.append(Gate("times the time of reading and writing the bytes", slower, most=1.5))
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--root", type=Path, help="measure this tree")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000_000_000, 250_000_000])
    parser.add_argument("--small", type=int, default=100_000, help="how many small files; 0: none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", nargs="+", choices=PEERS, help="measure these only")
    parser.add_argument("--work", type=Path, help="where to work; default: the temporary directory")
    arguments = parser.parse_args()
    tools = ("fakeroot", "mke2fs", "genimage", "mkfs.vfat", "mcopy")
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        print(f"not installed: {', '.join(missing)}", file=sys.stderr)
        return 2
    try:
        if arguments.root:
            wanted: list[tuple[str, Groups]] = [
                (str(arguments.root), [("root", scan(arguments.root))])
            ]
        else:
            wanted = [(f"{size / 1e9} GB", list(trees.packages(size))) for size in arguments.sizes]
            if arguments.small:
                groups = trees.small_files(arguments.small // 100, 100, 1000)
                wanted.append((f"{arguments.small} small files", groups))
        results = [
            compare(title, groups, arguments.rounds, arguments.work, arguments.against)
            for title, groups in wanted
        ]
    except BuilderError as error:
        print(error.message, file=sys.stderr)
        return 2
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
