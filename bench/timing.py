"""What all benchmarks share: runs in turn, on two clocks, and medians, tables and gates of them.

Everything that is compared runs in the same rounds, one after the other, so that a machine whose
speed changes slows all of them. Seconds throughout.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Clock: TypeAlias = Callable[[], float]
"""Seconds of processor time that were used up to now."""


def commands_cpu() -> float:
    """The clock of commands: the processor time, user's and system's, of those that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def thread_cpu() -> float:
    """The clock of functions: the processor time of this thread."""
    return time.thread_time()


class Series:
    """The runs of one thing that is measured."""

    def __init__(self, name: str, clock: Clock = commands_cpu) -> None:
        self.name = name
        self.clock = clock
        self.walls: list[float] = []
        self.cpus: list[float] = []

    def run(self, action: Callable[[], T]) -> T:
        """Measure one run; gives what `action` gives."""
        before, start = self.clock(), time.perf_counter()
        result = action()
        self.add(time.perf_counter() - start, self.clock() - before)
        return result

    def add(self, wall: float, cpu: float) -> None:
        """Take a run that was measured elsewhere."""
        self.walls.append(wall)
        self.cpus.append(cpu)

    @property
    def wall(self) -> float:
        """The median of wall-clock time."""
        return statistics.median(self.walls)

    @property
    def cpu(self) -> float:
        """The median of processor time."""
        return statistics.median(self.cpus)


def interleaved(
    actions: Mapping[str, Callable[[], object]],
    rounds: int,
    *,
    clock: Clock = commands_cpu,
    before: Callable[[str], object] = lambda name: None,
    after: Callable[[str], object] = lambda name: None,
) -> dict[str, Series]:
    """Each action once a round, in order; `before` and `after` a run are not measured."""
    found = {name: Series(name, clock) for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            before(name)
            found[name].run(action)
            after(name)
    return found


def settle(sources: Path | None = None) -> None:
    """Get what was written to the disk, and the files below `sources` into memory."""
    os.sync()
    if sources is not None:
        script = 'find "$0" -type f -print0 | xargs -0 cat | cat > /dev/null'
        subprocess.run(["sh", "-c", script, sources], check=True)


def table(rows: Iterable[Series], base: Series) -> str:
    """The medians of each row, and how many times those of `base` they are."""
    present = [row for row in rows if row.walls]
    width = max(len(row.name) for row in present)
    lines = [f"  {'':{width}} {'wall s':>8} {'CPU s':>8} {'wall ratio':>11} {'CPU ratio':>10}"]
    for row in present:
        lines.append(
            f"  {row.name:{width}} {row.wall:8.3f} {row.cpu:8.3f}"
            f" {row.wall / base.wall:11.2f} {row.cpu / base.cpu:10.2f}"
        )
    return "\n".join(lines)


class Gate:
    """A bound that a figure has to keep: `least` or `most`."""

    def __init__(
        self, what: str, figure: float, *, least: float | None = None, most: float | None = None
    ) -> None:
        self.what = what
        self.figure = figure
        self.least = least
        self.most = most

    @property
    def reached(self) -> bool:
        """Whether the figure is within the bound."""
        return (self.least is None or self.figure >= self.least) and (
            self.most is None or self.figure <= self.most
        )

    def __str__(self) -> str:
        bounds = [
            f"{word} {bound:g}"
            for word, bound in (("at least", self.least), ("at most", self.most))
            if bound is not None
        ]
        verdict = "reached" if self.reached else "MISSED"
        return f"{self.what}: {self.figure:.2f} (gate: {' and '.join(bounds)}): {verdict}"


def judge(gates: Sequence[Gate]) -> bool:
    """Print the gates; whether all are reached."""
    for gate in gates:
        print(f"  {gate}")
    return all(gate.reached for gate in gates)
