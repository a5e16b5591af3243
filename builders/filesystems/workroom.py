"""What file systems that make contents of their own, compressed ones, work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Workroom:
    """
    real      where the sources of contents are
    made      a new file for what is made; its path is its name as a source, which `real` knows
    progress  takes how many bytes are done and their total
    """

    real: Callable[[str], Path]
    made: Path
    progress: Callable[[int, int], object] = lambda _done, _total: None
