"""Benchmark: from a tree to qcow2 and VMDK, against qemu-img converting a raw image.

    python bench/qcow2.py [--sizes BYTES ...] [--rounds N] [--work DIR]

The trees are made of files of the packages installed on this host, as in bench/disk.py. The
commands run in turn, each after a sync, with what it reads in memory and its output removed; what
counts are the medians and their ratios. Kiln's figures include planning and reading the tree;
qemu-img's do not include making the raw image that it converts. Exit status 1 if the gate is
missed: a compressed qcow2 takes at least five times less processor time than `qemu-img convert -c`
does for one that all of QEMU's versions read.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import one_build
from bench.timing import Gate, Series, judge
from bench.trees import PREFIX, UUID, make_store, measured, packages
from builders.tree import Entry

LEAST_FASTER = 5.0

# What is measured: name, format and compression of Kiln's, and the peer's options.
PAIRS: Sequence[tuple[str, str, str | None, tuple[str, ...]]] = (
    ("qcow2", "qcow2", None, ("-O", "qcow2")),
    ("qcow2 zlib", "qcow2", "zlib", ("-c", "-O", "qcow2")),
    ("qcow2 zstd", "qcow2", "zstd", ("-c", "-O", "qcow2", "-o", "compression_type=zstd")),
    ("vmdk", "vmdk", None, ("-O", "vmdk", "-o", "subformat=streamOptimized")),
)


PARTITION = {
    "file_system": "ext4",
    "tree": PREFIX + "tree",
    "size": None,
    "uuid": UUID,
    "partition_uuid": UUID,
    "label": "root",
    "flags": ["boot"],
}


def write_image(store: Path, target: Path, image_format: str, compression: str | None) -> None:
    """Kiln's part."""
    arguments = {
        "table": "mbr",
        "disk_uuid": UUID,
        "partitions": [PARTITION],
        "format": image_format,
        "compression": compression,
    }
    one_build.build("builders.image", "disk_image", arguments, store, target)


def compare(groups: Sequence[tuple[str, list[Entry]]], rounds: int, base: Path | None) -> bool:
    """Measure one tree and print the table; whether the gate is reached."""
    with tempfile.TemporaryDirectory(prefix="kiln-bench-", dir=base) as directory:
        sources, out = Path(directory, "in"), Path(directory, "out")
        store, raw = sources / "store", sources / "disk.img"
        tree = make_store(store, groups)
        write_image(store, raw, "raw", None)
        size = raw.stat().st_blocks * 512
        print(f"{len(tree)} entries, {size / 1e6:.0f} MB in the raw image, {rounds} rounds")

        def kiln(image_format: str, compression: str | None) -> None:
            write_image(store, out / "kiln", image_format, compression)

        def qemu(options: Sequence[str]) -> None:
            subprocess.run(["qemu-img", "convert", *options, raw, out / "qemu"], check=True)

        actions: dict[str, Callable[[], None]] = {}
        for name, image_format, compression, options in PAIRS:
            actions[f"kiln {name}"] = partial(kiln, image_format, compression)
            actions[f"qemu {name}"] = partial(qemu, options)
        sizes: dict[str, int] = {}

        def weigh(name: str) -> None:
            sizes[name] = sum(path.stat().st_size for path in out.iterdir() if path.is_file())

        found = measured(actions, out, lambda name: sources, rounds, weigh)
    return report(found, sizes)


def report(found: dict[str, Series], sizes: dict[str, int]) -> bool:
    """Print medians and ratios; whether the gate is reached."""
    print(
        f"  {'':12}{'wall s':>16}{'CPU s':>16}{'MB':>14}{'ratio wall':>12}{'CPU':>7}{'MB':>7}\n"
        f"  {'':12}{'kiln':>8}{'qemu':>8}{'kiln':>8}{'qemu':>8}{'kiln':>7}{'qemu':>7}"
    )
    for name, *_ in PAIRS:
        ours, theirs = found[f"kiln {name}"], found[f"qemu {name}"]
        mine, other = sizes[f"kiln {name}"] / 1e6, sizes[f"qemu {name}"] / 1e6
        print(
            f"  {name:12}{ours.wall:8.2f}{theirs.wall:8.2f}{ours.cpu:8.2f}{theirs.cpu:8.2f}"
            f"{mine:7.0f}{other:7.0f}{theirs.wall / ours.wall:12.2f}{theirs.cpu / ours.cpu:7.2f}"
            f"{mine / other:7.2f}"
        )
    faster = found["qemu qcow2 zlib"].cpu / found["kiln qcow2 zstd"].cpu
    what = "times less CPU (zstd) than qemu-img -c"
    return judge([Gate(what, faster, least=LEAST_FASTER)])


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", type=int, nargs="+", default=[250_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="where to work; default: the temporary directory")
    arguments = parser.parse_args()
    if shutil.which("qemu-img") is None:
        print("not installed: qemu-img", file=sys.stderr)
        return 2
    results = [
        compare(list(packages(size)), arguments.rounds, arguments.work) for size in arguments.sizes
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
