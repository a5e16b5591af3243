"""Draws what builders report: live on a terminal, plain lines in a pipe, JSON for scripts."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from builders.events import (
    Event,
    EventSink,
    Failed,
    Finished,
    Log,
    Planned,
    Started,
    Waiting,
)
from kiln.escapes import escaped
from kiln.workspace import is_terminal

LONG = 1.0
"""Seconds after which a job is worth a line of its own when it ends."""


@contextmanager
def shown(style: str = "auto", *, verbose: bool = False) -> Iterator[EventSink]:
    """An event sink that draws on standard error until the block ends.

    `style` is auto, plain, json or quiet; `verbose` shows the builds' own output.
    """
    if style == "quiet":
        yield lambda _event: None
    elif style == "json":
        yield _json
    elif style == "plain" or not is_terminal():
        yield _Plain(verbose)
    else:
        from kiln.live import live

        with live(verbose) as sink:
            yield sink


def _json(event: Event) -> None:
    record = {"event": type(event).__name__.lower(), **asdict(event)}
    print(json.dumps(record), file=sys.stderr, flush=True)


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


class _Plain:
    """A line when a long job starts or ends; no control characters."""

    def __init__(self, verbose: bool) -> None:
        self.verbose = verbose
        self.running: dict[str, Started] = {}
        self.waiting: set[str] = set()
        self.batches = Batches()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Planned):
            self._say(f"kiln: {plan_text(event)}")
            self.batches.plan(event)
        elif isinstance(event, Started):
            self.running[event.job] = event
            if event.builder in self.batches.counts:
                self.batches.start(event.builder)
            elif event.job not in self.waiting:
                self._say(f"kiln: {event.title}")
        elif isinstance(event, Waiting):
            self.waiting.add(event.job)
            if event.builder not in self.batches.counts:
                self._say(f"kiln: {event.title}: waiting for another Kiln that is at it")
        elif isinstance(event, Finished):
            self._finish(self.running.pop(event.job), event.seconds)
        elif isinstance(event, Failed):
            self._say(f"kiln: {self.running.pop(event.job).title}: failed")
        elif isinstance(event, Log) and self.verbose:
            self._say(f"  | {printable(event.line)}")

    def _finish(self, job: Started, taken: float) -> None:
        title, seconds = job.title, taken
        if job.builder in self.batches.counts:
            title = self.batches.title(job.builder)
            seconds = self.batches.end(job.builder) or 0.0
        if seconds >= LONG:
            self._say(f"kiln: {title}: done in {seconds:.1f} s")

    def _say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


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


_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
"""What moves the cursor or changes colours on a terminal."""


def printable(line: str) -> str:
    """A line that a build printed, without what would disturb a terminal."""
    plain = _ESCAPES.sub("", line.rpartition("\r")[2] or line.rstrip("\r"))
    return escaped(plain, keep="\t")
