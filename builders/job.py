"""One derivation on its way to being built, and the error when that fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from builders.derivation import Derivation
from builders.errors import BuilderError
from builders.locks import FileLock

if TYPE_CHECKING:
    from builders.worker import Problem

_TAIL = 30


class BuildFailed(BuilderError):
    """A build failed.

    derivation  what was to be built
    log         its last lines
    log_file    all of them (gzip), if there are any
    kept        where what it left is, if that was asked for
    kind        the name of the class of the error in the builder
    others      those that failed beside it
    """

    def __init__(
        self,
        derivation: Derivation,
        problem: Problem,
        log: Sequence[str] = (),
        log_file: Path | None = None,
        kept: Path | None = None,
    ) -> None:
        super().__init__(f"cannot {title(derivation)}: {problem.message}", hint=problem.hint)
        self.derivation = derivation
        self.log = tuple(log)
        self.log_file = log_file
        self.kept = kept
        self.kind = problem.kind
        self.part = problem.part
        self.field = problem.field
        self.others: tuple[BuildFailed, ...] = ()


@dataclass(slots=True)
class Job:
    """A derivation that is to be built, and how far that is."""

    derivation: Derivation
    order: int
    waits_for: int = 0
    users: list[Job] = field(default_factory=list)
    lock: FileLock | None = None
    output: Path = Path()
    scratch: Path = Path()
    started: float = 0.0
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL))

    @property
    def path(self) -> str:
        """The store path of the output."""
        return self.derivation.path


def title(derivation: Derivation) -> str:
    """A short phrase for people that says what building `derivation` is."""
    return derivation.title or f"build {derivation.name}"
