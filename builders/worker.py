"""The process that builders run in: takes tasks from a socket, answers with what happens.

Messages are lines of JSON. A task goes one way; any number of ("log", line) and ("progress", done,
total, unit), then one ("done", sealed) or ("failed", problem), come back under the task's number.
A worker is a fresh interpreter, not a fork: the caller may have threads. It dies with its parent.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from builders import items, registry
from builders.errors import BuilderError

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker has to know to build a derivation; field names as in registry.Build.

    module      where the builder is
    candidates  32-character hashes of store paths to look for in the output
    hashed      whether to hash the output
    fixed       the hex SHA-256 that the output must have
    log         the file for the build's log, if it says anything
    """

    number: int
    builder: str
    module: str
    name: str
    arguments: Mapping[str, Any]
    output: str
    scratch: str
    store: str
    logical: str
    inputs: tuple[str, ...]
    partial: str
    mirrors: tuple[str, ...]
    candidates: tuple[str, ...]
    hashed: bool
    fixed: str | None
    log: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a task failed. `kind` is the exception's class name; `full`: no space was left; `part`:
    which part of the derivation it is about, `field`: which field of that.
    """

    kind: str
    message: str
    hint: str | None = None
    full: bool = False
    part: int | None = None
    field: str | None = None


class WrongContents(BuilderError):
    """A file that was to have a given hash has another one."""


Answer = Callable[[tuple[Any, ...]], None]


def main() -> None:
    """Serve tasks until the parent hangs up. Arguments: socket, tasks at once, parent."""
    descriptor, capacity, parent = (int(argument) for argument in sys.argv[1:4])
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        return
    os.umask(0o022)
    connection = socket.socket(fileno=descriptor)
    lock = threading.Lock()

    def answer(number: int) -> Answer:
        def send(message: tuple[Any, ...]) -> None:
            line = json.dumps((number, *message)).encode() + b"\n"
            with lock:
                connection.sendall(line)

        return send

    with _runner(capacity) as run, connection.makefile("rb") as stream:
        for line in stream:
            task = Task(**json.loads(line))
            run(perform, task, answer(task.number))


@contextmanager
def _runner(capacity: int) -> Iterator[Callable[..., object]]:
    if capacity == 1:  # in the main thread: builders may then fork
        yield lambda function, *arguments: function(*arguments)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(capacity) as pool:
        yield pool.submit


def perform(task: Task, answer: Answer) -> None:
    """Run a task to its end and seal what it made."""
    log = _LogFile(Path(task.log))

    def report(message: tuple[Any, ...]) -> None:
        if message[0] == "log":
            log.write(message[1])
        answer(message)

    try:
        sealed = _build(task, report)
    except Exception as error:
        problem = _problem(error)
        if problem.kind == "InternalError":
            for line in traceback.format_exc().splitlines():
                report(("log", line))
        log.close()
        answer(("failed", asdict(problem)))
    else:
        log.close()
        answer(("done", asdict(sealed)))


def _build(task: Task, report: Answer) -> items.Sealed:
    output, scratch = Path(task.output), Path(task.scratch)
    scratch.mkdir()
    function = registry.load(task.builder, task.module)
    function(
        registry.Build(
            name=task.name,
            arguments=task.arguments,
            output=output,
            scratch=scratch,
            store=Path(task.store),
            logical=task.logical,
            inputs=tuple(task.inputs),
            partial=Path(task.partial),
            mirrors=tuple(task.mirrors),
            report=report,
        )
    )
    if not os.path.lexists(output):
        raise items.BadOutput("the build ended well but made no output")
    sealed = items.seal(output, task.candidates, hashed=task.hashed or task.fixed is not None)
    if task.fixed is not None and sealed.sha256 != task.fixed:
        if os.path.lexists(task.partial):
            items.remove(Path(task.partial))
        raise WrongContents(
            f"{task.name} should have the SHA-256 {task.fixed}, but what came has {sealed.sha256}",
            hint="the source was changed, or damaged on its way; try again or another mirror",
        )
    items.remove(scratch)
    return sealed


def _problem(error: Exception) -> Problem:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full:
        return Problem(type(error).__name__, "no space is left on the disk", full=True)
    if isinstance(error, BuilderError):
        return Problem(
            type(error).__name__, error.message, error.hint, part=error.part, field=error.field
        )
    if isinstance(error, OSError):
        return Problem(type(error).__name__, str(error))
    return Problem("InternalError", f"{type(error).__name__}: {error}")


class _LogFile:
    """A gzip file that comes into being with its first line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None

    def write(self, line: str) -> None:
        if self._file is None:
            import gzip

            self._file = gzip.open(self._path, "wt", 1, "utf-8", "surrogateescape")
        self._file.write(line + "\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


if __name__ == "__main__":
    main()
