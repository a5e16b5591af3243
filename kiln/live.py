"""Progress on a terminal, by rich: a line for the whole, one for downloads, one a running job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from builders import events
from builders.events import Event, EventSink
from kiln.progress import LONG, MANY


@contextmanager
def live(verbose: bool) -> Iterator[EventSink]:
    """An event sink that redraws a few lines at the bottom of the terminal."""
    console = Console(stderr=True, highlight=False)
    jobs = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    with jobs:
        yield _Live(jobs, verbose)


class _Live:
    def __init__(self, progress: Progress, verbose: bool) -> None:
        self.progress = progress
        self.verbose = verbose
        self.tasks: dict[str, TaskID] = {}
        self.titles: dict[str, str] = {}
        self.kinds: dict[str, str] = {}
        self.totals: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, events.Planned):
            names = {"fetch": "fetch packages", "unpack-deb": "unpack packages"}
            for builder, count in event.kinds:
                if builder in MANY:
                    self.totals[builder] = self.progress.add_task(names[builder], total=count)
        elif isinstance(event, events.Started):
            self.titles[event.job] = event.title
            self.kinds[event.job] = event.builder
            if event.builder not in self.totals:
                self.tasks[event.job] = self.progress.add_task(event.title, total=None)
        elif isinstance(event, events.Progress):
            if event.job in self.tasks:
                self.progress.update(self.tasks[event.job], completed=event.done, total=event.total)
        elif isinstance(event, events.Log):
            if self.verbose:
                self.progress.console.print(f"  | {event.line}", markup=False)
        elif isinstance(event, events.Finished):
            self._end(event.job)
            if event.seconds >= LONG and self.kinds.get(event.job) not in MANY:
                title = self.titles.get(event.job, event.job)
                self.progress.console.print(f"{title}: {event.seconds:.1f} s", markup=False)
        elif isinstance(event, events.Failed):
            self._end(event.job)

    def _end(self, job: str) -> None:
        task = self.tasks.pop(job, None)
        if task is not None:
            self.progress.remove_task(task)
        elif self.kinds.get(job) in self.totals:
            self.progress.advance(self.totals[self.kinds[job]])
