"""Draws what builders report: live on a terminal, plain lines in a pipe, JSON for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from builders.events import Event, EventSink, Failed, Finished, Log, Planned, Started
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
    print(json.dumps(record, ensure_ascii=False), file=sys.stderr, flush=True)


class _Plain:
    """A line when a long job starts or ends; no control characters."""

    def __init__(self, verbose: bool) -> None:
        self.verbose = verbose
        self.titles: dict[str, str] = {}
        self.quiet: set[str] = set()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Planned):
            self._say(f"kiln: {plan_text(event)}")
        elif isinstance(event, Started):
            self.titles[event.job] = event.title
            if event.builder not in MANY:
                self._say(f"kiln: {event.title}")
        elif isinstance(event, Finished):
            title = self.titles.pop(event.job, None)
            if title and event.seconds >= LONG:
                self._say(f"kiln: {title}: done in {event.seconds:.1f} s")
        elif isinstance(event, Failed):
            self._say(f"kiln: {self.titles.pop(event.job, event.job)}: failed")
        elif isinstance(event, Log) and self.verbose:
            self._say(f"  | {event.line}")

    def _say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


MANY = frozenset({"fetch", "unpack-deb"})
"""Builders that run a hundred times in a build: they are counted, not told one by one."""

_WORDS = {
    "fetch": ("package to fetch", "packages to fetch"),
    "unpack-deb": ("package to unpack", "packages to unpack"),
}


def plan_text(plan: Planned) -> str:
    """What is going to be done, in a line."""
    counts = dict(plan.kinds)
    parts = []
    for builder, (one, many) in _WORDS.items():
        count = counts.pop(builder, 0)
        if count:
            parts.append(f"{count} {one if count == 1 else many}")
    rest = sum(counts.values())
    if rest:
        parts.append(f"{rest} {'thing' if rest == 1 else 'things'} to build")
    return ", ".join(parts)
