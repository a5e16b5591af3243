"""Jobs that come in hundreds, told of as one; and a plan of jobs in words."""

from __future__ import annotations

import time

from builders.events import Planned

LONG = 1.0
"""Seconds after which a job is worth a line of its own when it ends."""

MANY = {"fetch": "fetch", "unpack-deb": "unpack"}
"""Builders that run a hundred times in a build, and what they do with packages: their runs are
counted, not told one by one."""


class Batches:
    """The jobs of each builder in MANY, as one: how many there are, and when all have ended."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._left: dict[str, int] = {}
        self._since: dict[str, float] = {}

    def plan(self, plan: Planned) -> None:
        """So many jobs will come."""
        self.counts = {builder: count for builder, count in plan.kinds if builder in MANY}
        self._left = dict(self.counts)

    def start(self, builder: str) -> None:
        """One begins."""
        self._since.setdefault(builder, time.monotonic())

    def end(self, builder: str) -> float | None:
        """One has ended; gives the seconds that all took when it is the last."""
        self._left[builder] -= 1
        if self._left[builder]:
            return None
        return time.monotonic() - self._since[builder]

    def title(self, builder: str) -> str:
        """A short phrase for all jobs of a builder."""
        return f"{MANY[builder]} {packages(self.counts[builder])}"


def plan_text(plan: Planned) -> str:
    """What is going to be done, in a line."""
    counts = dict(plan.kinds)
    parts = []
    for builder, verb in MANY.items():
        count = counts.pop(builder, 0)
        if count:
            parts.append(f"{packages(count)} to {verb}")
    rest = sum(counts.values())
    if rest:
        parts.append(f"{rest} {'thing' if rest == 1 else 'things'} to build")
    return ", ".join(parts)


def packages(count: int) -> str:
    """So many packages, in words."""
    return f"{count} {'package' if count == 1 else 'packages'}"
