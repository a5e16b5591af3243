"""What planning a file system costs for each inode, in processor time and in memory.

    python bench/inodes.py [FILE-SYSTEM ...] [--files N] [--rounds N]

Trees of small files, in directories of a hundred and all in one directory, are planned: no content
is read or written but what the plan itself needs. Each run is a process of its own; the medians
count. Exit status 1 if a gate is missed: 12 microseconds and 3 KB for an inode, and at most 1.3
times the time for a file in a directory that is ten times larger (linear, not quadratic).
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.timing import Gate, judge
from bench.trees import UUID, small_files
from builders.merge import arrange

FILE_SYSTEMS = ("ext4", "fat32", "erofs", "btrfs")
MOST_IN_ONE = {"fat32": 60_000}
"""How many files a directory can have, where that is few."""

_KB = 1024


def plan(name: str, directories: int, files: int) -> tuple[float, float]:
    """Microseconds and bytes for an inode, of planning a tree in this process."""
    from builders import filesystems

    ((_pack, entries),) = small_files(directories, files, 64)
    tree = arrange(entries)
    filesystems.plan(name, tree[:1], {"uuid": UUID})  # imports do not count
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    made = filesystems.plan(name, tree, {"uuid": UUID})
    spent = time.process_time() - start
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert made.size > 0
    return spent * 1e6 / len(tree), (after - before) * _KB / len(tree)


def measured(name: str, directories: int, files: int, rounds: int) -> tuple[float, float]:
    """The medians of runs in processes of their own."""
    runs = []
    for _ in range(rounds):
        command = [sys.executable, __file__, "--plan", name, str(directories), str(files)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout))
    return statistics.median(one[0] for one in runs), statistics.median(one[1] for one in runs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", metavar="FILE-SYSTEM", help=", ".join(FILE_SYSTEMS))
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plan", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.plan:
        name, directories, files = arguments.plan
        print(json.dumps(plan(name, int(directories), int(files))))
        return 0
    reached = True
    count = arguments.files
    for name in arguments.names or FILE_SYSTEMS:
        spread = measured(name, count // 100, 100, arguments.rounds)
        most = min(count, MOST_IN_ONE.get(name, count))
        flat = [measured(name, 1, files, arguments.rounds) for files in (most // 10, most)]
        print(f"{name}: {count} files: {spread[0]:.1f} us and {spread[1] / _KB:.2f} KB an inode")
        reached &= judge(
            [
                Gate("microseconds an inode", spread[0], most=12),
                Gate("KB an inode", spread[1] / _KB, most=3),
                Gate("microseconds an inode in one directory", flat[1][0], most=25),
                Gate(
                    "times that of a directory of a tenth as many",
                    flat[1][0] / flat[0][0],
                    most=1.3,
                ),
            ]
        )
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
