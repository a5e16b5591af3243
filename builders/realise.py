"""Makes derivations' outputs exist: what is missing, in parallel, each as soon as it can be.

Nothing below a valid output is looked at. Each output is built under a lock that dies with this
process, so several Kilns share a store and what a killed one was at is simply started again.
"""

from __future__ import annotations

import collections
import heapq
import os
import selectors
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builders import items, registry
from builders.derivation import Derivation
from builders.errors import BuilderError
from builders.events import (
    EventSink,
    Failed,
    Finished,
    Log,
    Planned,
    Progress,
    Started,
    discard,
)
from builders.locks import FileLock
from builders.pool import Worker
from builders.store import NotInStore, Store, StoreError, TemporaryDirectory, sweep_temporary
from builders.worker import Problem, Task

NETWORK_JOBS = 8
"""How many builds that wait for the network run at once, beside those that want a core."""

_TAIL = 30
_LOCK_POLL = 0.1
_SETTLE_AGE = 40
"""Seconds after which the kernel has written most of what was made: see Store.settle."""


class BuildFailed(BuilderError):  # noqa: N818
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
        self.others: tuple[BuildFailed, ...] = ()


@dataclass(slots=True)
class _Job:
    """A derivation that is to be built, and how far that is."""

    derivation: Derivation
    order: int
    waits_for: int = 0
    users: list[_Job] = field(default_factory=list)
    lock: FileLock | None = None
    directory: Path = Path()
    started: float = 0.0
    tail: collections.deque[str] = field(default_factory=lambda: collections.deque(maxlen=_TAIL))

    @property
    def path(self) -> str:
        return self.derivation.path

    @property
    def output(self) -> Path:
        return self.directory / self.path.rpartition("/")[2]


def realise(
    derivations: Sequence[Derivation],
    store: Store,
    *,
    events: EventSink = discard,
    jobs: int | None = None,
    keep_failed: bool = False,
    mirrors: Sequence[str] = (),
) -> list[str]:
    """Make the outputs of `derivations` valid and return their store paths.

    jobs         how many builds may use a core at once (default: one for each core)
    keep_failed  keep what a failed build left; BuildFailed.kept says where
    mirrors      URI prefixes that network builders may prefer

    Raises BuildFailed when a build fails (after those that run have ended; no new ones are
    started), StoreError when the store cannot be written. When interrupted, kills what runs;
    what was finished stays.
    """
    paths = [derivation.path for derivation in derivations]
    store.hold()
    if len(store.valid(paths)) == len(set(paths)):
        return paths
    store.recover()
    todo = _missing(derivations, store)
    if not todo:
        return paths
    _check_sources(todo, store)
    kinds = collections.Counter(job.derivation.builder for job in todo)
    events(Planned("", len(todo), tuple(sorted(kinds.items()))))
    sweep_temporary(store)
    if store.idle_seconds() > _SETTLE_AGE:
        threading.Thread(target=store.settle, daemon=True).start()
    try:
        with TemporaryDirectory(store) as directory:
            run = _Run(store, directory, events, jobs or len(os.sched_getaffinity(0)))
            run.keep_failed = keep_failed
            run.mirrors = tuple(mirrors)
            run.all(todo)
    except OSError as error:
        raise store.error(error) from error
    return paths


def title(derivation: Derivation) -> str:
    """A short phrase for people that says what building `derivation` is."""
    return derivation.title or f"build {derivation.name}"


def missing(derivations: Sequence[Derivation], store: Store) -> list[Derivation]:
    """What `realise` would build, inputs first."""
    if len(store.valid([one.path for one in derivations])) == len({*derivations}):
        return []
    return [job.derivation for job in _missing(derivations, store)]


def _missing(derivations: Sequence[Derivation], store: Store) -> list[_Job]:
    graph = _inputs_first(derivations, set())
    todo = _inputs_first(derivations, store.valid([one.path for one in graph]))
    jobs = {one.path: _Job(one, order) for order, one in enumerate(todo)}
    for job in jobs.values():
        for path in {one.path for one in job.derivation.inputs}:
            if path in jobs:
                job.waits_for += 1
                jobs[path].users.append(job)
    return list(jobs.values())


def _inputs_first(derivations: Sequence[Derivation], stop: set[str]) -> list[Derivation]:
    """All that `derivations` need, each after its inputs, without what is below `stop`."""
    found: list[Derivation] = []
    seen = set(stop)
    stack: list[tuple[Derivation | None, Iterator[Derivation]]] = [(None, iter(derivations))]
    while stack:
        owner, rest = stack[-1]
        for one in rest:
            if one.path not in seen:
                seen.add(one.path)
                stack.append((one, iter(one.inputs)))
                break
        else:
            stack.pop()
            if owner is not None:
                found.append(owner)
    return found


def _check_sources(todo: Sequence[_Job], store: Store) -> None:
    sources = {source for job in todo for source in job.derivation.sources}
    lost = sorted(sources - store.valid(sources))
    if lost:
        raise NotInStore(
            f"{lost[0]} is to be read by a build but is not in the store",
            hint="it was collected or damaged: evaluate the configuration again",
        )


class _Run:
    """One realisation at work: ready jobs, workers, and what failed."""

    def __init__(self, store: Store, directory: Path, events: EventSink, jobs: int) -> None:
        self.store = store
        self.directory = directory
        self.events = events
        self.capacity = {True: NETWORK_JOBS, False: jobs}
        self.keep_failed = False
        self.mirrors: tuple[str, ...] = ()
        # One heap for what waits for the network, one for what wants a core.
        self.ready: dict[bool, list[tuple[int, _Job]]] = {True: [], False: []}
        self.locked_out: list[_Job] = []
        self.workers: dict[bool, list[Worker]] = {True: [], False: []}
        self.running: dict[int, tuple[_Job, Worker]] = {}
        self.failures: list[BuildFailed] = []
        self.selector = selectors.DefaultSelector()
        self.tasks = 0

    def all(self, todo: Sequence[_Job]) -> None:
        for job in todo:
            if job.waits_for == 0:
                self._push(job)
        try:
            while True:
                self._start_ready()
                if not self.running and (self.failures or not self.locked_out):
                    break
                timeout = _LOCK_POLL if self.locked_out else None
                for key, _mask in self.selector.select(timeout):
                    self._receive(key.data)
                self._retry_locks()
        finally:
            for worker in [one for pool in self.workers.values() for one in pool]:
                worker.kill()
            for job, _worker in self.running.values():
                self._unlock(job)
            self.selector.close()
        if self.failures:
            first = min(self.failures, key=lambda failure: failure.derivation.path)
            first.others = tuple(one for one in self.failures if one is not first)
            raise first

    # Starting

    def _push(self, job: _Job) -> None:
        network = registry.spec(job.derivation.builder).network
        heapq.heappush(self.ready[network], (job.order, job))

    def _start_ready(self) -> None:
        for network, ready in self.ready.items():
            while ready and not self.failures:
                worker = self._worker(network)
                if worker is None:
                    break
                _order, job = heapq.heappop(ready)
                self._start(job, worker)

    def _retry_locks(self) -> None:
        jobs, self.locked_out = self.locked_out, []
        for job in jobs:
            self._push(job)

    def _worker(self, network: bool) -> Worker | None:
        """A worker that has time, a new one if there may be one more, or None."""
        pool = self.workers[network]
        for worker in pool:
            if worker.load < worker.capacity:
                return worker
        at_once = NETWORK_JOBS if network else 1
        if len(pool) * at_once >= self.capacity[network]:
            return None
        worker = Worker(at_once, self.directory / f"worker-{network:d}-{len(pool)}")
        pool.append(worker)
        self.selector.register(worker.socket, selectors.EVENT_READ, worker)
        return worker

    def _start(self, job: _Job, worker: Worker) -> None:
        lock = self.store.lock(job.path)
        if not lock.acquire():
            self.locked_out.append(job)
            return
        job.lock = lock
        if self.store.valid([job.path]):  # another Kiln made it in the meantime
            self._unlock(job)
            self.events(Finished(job.path, 0.0))
            self._release_users(job)
            return
        job.started = time.monotonic()
        self.tasks += 1
        job.directory = self.directory / str(self.tasks)
        self.events(Started(job.path, title(job.derivation), job.derivation.builder))
        self.running[self.tasks] = (job, worker)
        worker.send(self._task(self.tasks, job))

    def _task(self, number: int, job: _Job) -> Task:
        derivation = job.derivation
        spec = registry.spec(derivation.builder)
        candidates: list[str] = []
        if spec.references == "scan" and derivation.fixed_sha256 is None:
            candidates = self.store.closure(_reads(derivation))
        base = job.path.rpartition("/")[2]
        return Task(
            number=number,
            builder=derivation.builder,
            module=spec.module,
            name=derivation.name,
            arguments=derivation.arguments,
            output=str(job.output),
            scratch=str(job.directory / "scratch"),
            store=str(self.store.root),
            logical=job.path,
            inputs=tuple(_reads(derivation)),
            partial=str(self.store.state / "partial" / base),
            mirrors=self.mirrors,
            candidates=tuple(_hash(path) for path in candidates),
            hashed=spec.hashed,
            fixed=derivation.fixed_sha256,
            log=str(self.store.log_file(job.path)),
        )

    # Listening

    def _receive(self, worker: Worker) -> None:
        for message in worker.receive():
            self._handle(message)
        if worker.ended:
            self._bury(worker)

    def _handle(self, message: list[Any]) -> None:
        number, kind, *rest = message
        job, worker = self.running[number]
        if kind == "log":
            job.tail.append(rest[0])
            self.events(Log(job.path, rest[0]))
        elif kind == "progress":
            self.events(Progress(job.path, *rest))
        else:
            del self.running[number]
            worker.load -= 1
            if kind == "done":
                self._finish(job, items.Sealed(**rest[0]))
            else:
                self._fail(job, Problem(**rest[0]))

    def _bury(self, worker: Worker) -> None:
        self.selector.unregister(worker.socket)
        for pool in self.workers.values():
            if worker in pool:
                pool.remove(worker)
        words = worker.bury()
        for number in [n for n, (_job, one) in self.running.items() if one is worker]:
            job, _worker = self.running.pop(number)
            self._fail(job, Problem("WorkerDied", words, "was the machine out of memory?"))

    def _finish(self, job: _Job, sealed: items.Sealed) -> None:
        spec = registry.spec(job.derivation.builder)
        references: Sequence[str] = ()
        if job.derivation.fixed_sha256 is not None or spec.references == "none":
            pass
        elif spec.references == "inputs":
            references = _reads(job.derivation)
        elif sealed.found:
            found = set(sealed.found)
            closure = self.store.closure(_reads(job.derivation))
            references = [path for path in closure if _hash(path) in found]
        try:
            self.store.adopt(job.output, job.path, sealed, references)
        except StoreError as error:
            self._fail(job, Problem(type(error).__name__, error.message, error.hint))
            return
        items.remove(self.store.state / "partial" / job.path.rpartition("/")[2])
        items.remove(job.directory)
        self._unlock(job)
        self.events(Finished(job.path, time.monotonic() - job.started))
        self._release_users(job)

    def _release_users(self, job: _Job) -> None:
        for user in job.users:
            user.waits_for -= 1
            if user.waits_for == 0:
                self._push(user)

    def _fail(self, job: _Job, problem: Problem) -> None:
        if problem.full:
            full = self.store.full()
            problem = Problem("StoreFull", full.message, full.hint)
        log_file = self.store.log_file(job.path)
        kept = None
        if self.keep_failed:
            kept = self.store.state / "failed" / job.output.name
            kept.parent.mkdir(exist_ok=True)
            items.remove(kept)
            job.directory.rename(kept)
        else:
            items.remove(job.directory)
        self._unlock(job)
        failure = BuildFailed(
            job.derivation, problem, job.tail, log_file if log_file.exists() else None, kept
        )
        self.failures.append(failure)
        self.events(Failed(job.path, problem.message))

    def _unlock(self, job: _Job) -> None:
        if job.lock is not None:
            job.lock.release()
            job.lock = None


def _reads(derivation: Derivation) -> list[str]:
    return sorted({*(one.path for one in derivation.inputs), *derivation.sources})


def _hash(path: str) -> str:
    return path.rpartition("/")[2][: items.HASH_LENGTH]
