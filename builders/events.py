"""What builders tell about their work; drawing it is the caller's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the job called `job` (a store path or another unique name)."""

    job: str


@dataclass(frozen=True, slots=True)
class Planned(Event):
    """A realisation will run `total` derivations; `kinds` counts them by builder name."""

    total: int
    kinds: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Started(Event):
    """A job began. `title` is a short phrase for people: "unpack tmux 3.3a-3"."""

    title: str
    builder: str = ""


@dataclass(frozen=True, slots=True)
class Waiting(Event):
    """Another process is at the job; it begins, or is found finished, when that one has ended."""

    title: str
    builder: str = ""


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """`done` of `total` (None: unknown) units ("B" for bytes, else a plural noun)."""

    done: int
    total: int | None
    unit: str = "B"


@dataclass(frozen=True, slots=True)
class Log(Event):
    """A line of output from a job."""

    line: str


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """A job ended well after `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """A job failed."""

    message: str


EventSink = Callable[[Event], None]


def discard(_event: Event) -> None:
    """The sink for callers that do not care."""
