"""Draws what builders report: live on a terminal, plain lines in a pipe, JSON for scripts."""

from __future__ import annotations

import json
import sys
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
from kiln.batches import LONG, Batches, plan_text
from kiln.terminal import is_terminal, printable


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
