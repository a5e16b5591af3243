"""Progress on a terminal, by rich: a line for all downloads, one for all unpacking, one for each
other job that runs. Bars and times stay in their columns, whatever the jobs are called."""

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
from rich.table import Column

from builders import events
from builders.events import Event, EventSink
from kiln.batches import LONG, Batches
from kiln.terminal import printable

_WIDE = 60
"""Columns from which on there is room for a bar of full length."""


@contextmanager
def live(verbose: bool) -> Iterator[EventSink]:
    """An event sink that redraws a few lines at the bottom of the terminal."""
    console = Console(stderr=True, highlight=False)
    jobs = Progress(
        SpinnerColumn(),
        BarColumn(bar_width=20 if console.width >= _WIDE else 8),
        TaskProgressColumn(table_column=Column(width=4, justify="right")),
        TimeElapsedColumn(),
        TextColumn(
            "{task.description}",
            markup=False,
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
        console=console,
        transient=True,
        expand=True,
    )
    with jobs:
        yield _Live(jobs, verbose)


class _Live:
    def __init__(self, progress: Progress, verbose: bool) -> None:
        self.progress = progress
        self.verbose = verbose
        self.tasks: dict[str, TaskID] = {}
        """The lines, by the name of a job or, for what there is much of, of a builder."""
        self.running: dict[str, events.Started] = {}
        self.batches = Batches()

    def __call__(self, event: Event) -> None:
        if isinstance(event, events.Planned):
            self.batches.plan(event)
        elif isinstance(event, events.Started):
            self._start(event)
        elif isinstance(event, events.Waiting):
            if event.builder not in self.batches.counts:
                self._line(event.job, f"wait for another Kiln: {event.title}", None)
        elif isinstance(event, events.Progress):
            task = self.tasks.get(event.job)
            if task is not None:
                # one more than all: a job runs until it says that it has finished
                total = event.total + 1 if event.total else None
                self.progress.update(task, completed=event.done, total=total)
        elif isinstance(event, events.Log):
            if self.verbose:
                self._say(f"  | {printable(event.line)}")
        elif isinstance(event, events.Finished):
            self._finish(self.running.pop(event.job), event.seconds)
        elif isinstance(event, events.Failed):
            self._remove(event.job)

    def _start(self, job: events.Started) -> None:
        self.running[job.job] = job
        if job.builder not in self.batches.counts:
            self._line(job.job, job.title, None)
            return
        self.batches.start(job.builder)
        if job.builder not in self.tasks:
            count = self.batches.counts[job.builder]
            self._line(job.builder, self.batches.title(job.builder), count)

    def _finish(self, job: events.Started, taken: float) -> None:
        if job.builder not in self.batches.counts:
            self._remove(job.job)
            self._ended(job.title, taken)
            return
        seconds = self.batches.end(job.builder)
        if seconds is None:
            self.progress.advance(self.tasks[job.builder])
        else:
            self._remove(job.builder)
            self._ended(self.batches.title(job.builder), seconds)

    def _line(self, name: str, title: str, total: int | None) -> None:
        self._remove(name)
        self.tasks[name] = self.progress.add_task(title, total=total)

    def _remove(self, name: str) -> None:
        task = self.tasks.pop(name, None)
        if task is not None:
            self.progress.remove_task(task)

    def _ended(self, title: str, seconds: float) -> None:
        if seconds >= LONG:
            self._say(f"{title}: {seconds:.1f} s")

    def _say(self, line: str) -> None:
        self.progress.console.print(line, markup=False, soft_wrap=True)
