"""Runs jobs as soon as they can be, as many at once as there are cores and connections for."""

from __future__ import annotations

import heapq
import os
import selectors
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from builders import items, registry
from builders.derivation import Derivation
from builders.events import EventSink, Failed, Finished, Log, Progress, Started, Waiting
from builders.job import BuildFailed, Job, title
from builders.pool import Worker
from builders.store import Store, StoreError
from builders.worker import Problem, Task

NETWORK_JOBS = 8
"""How many builds that wait for the network run at once, beside those that want a core."""

_LOCK_POLL = 0.1


class Run:
    """One realisation at work: ready jobs, workers, and what failed.

    keep_failed  keep what a failed build left
    again        build though the output is there, and compare instead of keeping
    """

    def __init__(self, store: Store, directory: Path, events: EventSink, jobs: int) -> None:
        self.store = store
        self.directory = directory
        self.events = events
        self.capacity = {True: NETWORK_JOBS, False: jobs}
        self.keep_failed = False
        self.again = False
        self.mirrors: tuple[str, ...] = ()
        # One heap for what waits for the network, one for what wants a core.
        self.ready: dict[bool, list[tuple[int, Job]]] = {True: [], False: []}
        self.locked_out: list[Job] = []
        self.waiting: set[str] = set()
        self.workers: dict[bool, list[Worker]] = {True: [], False: []}
        self.running: dict[int, tuple[Job, Worker]] = {}
        self.failures: list[BuildFailed] = []
        self.selector = selectors.DefaultSelector()
        self.tasks = 0

    def all(self, todo: Sequence[Job]) -> None:
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

    def _push(self, job: Job) -> None:
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

    def _start(self, job: Job, worker: Worker) -> None:
        lock = self.store.lock(job.path)
        if not lock.acquire():
            if job.path not in self.waiting:
                self.waiting.add(job.path)
                self.events(Waiting(job.path, title(job.derivation), job.derivation.builder))
            self.locked_out.append(job)
            return
        job.lock = lock
        if not self.again and self.store.valid([job.path]):  # another Kiln made it meanwhile
            self._unlock(job)
            self.events(Started(job.path, title(job.derivation), job.derivation.builder))
            self.events(Finished(job.path, 0.0))
            self._release_users(job)
            return
        job.started = time.monotonic()
        self.tasks += 1
        job.output = self.directory / _base(job.path)
        job.scratch = self.directory / f"scratch-{self.tasks}"
        self.events(Started(job.path, title(job.derivation), job.derivation.builder))
        self.running[self.tasks] = (job, worker)
        worker.send(self._task(self.tasks, job))

    def _task(self, number: int, job: Job) -> Task:
        derivation = job.derivation
        spec = registry.spec(derivation.builder)
        candidates: list[str] = []
        if spec.references == "scan" and derivation.fixed_sha256 is None:
            candidates = self.store.closure(_reads(derivation))
        return Task(
            number=number,
            builder=derivation.builder,
            module=spec.module,
            name=derivation.name,
            arguments=derivation.arguments,
            output=str(job.output),
            scratch=str(job.scratch),
            store=str(self.store.root),
            logical=job.path,
            inputs=tuple(_reads(derivation)),
            partial=str(self.store.state / "partial" / _base(job.path)),
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

    def _finish(self, job: Job, sealed: items.Sealed) -> None:
        if self.again:
            if difference := items.difference(self.store.real(job.path), job.output):
                message = f"it is not built the same twice: {difference}"
                self._fail(job, Problem("NotReproducible", message, "-K keeps the second result"))
                return
            items.remove(job.output)
        else:
            try:
                self.store.adopt(job.output, job.path, sealed, self._references(job, sealed))
            except StoreError as error:
                self._fail(job, Problem(type(error).__name__, error.message, error.hint))
                return
        items.remove(self.store.state / "partial" / _base(job.path))
        self._unlock(job)
        self.events(Finished(job.path, time.monotonic() - job.started))
        self._release_users(job)

    def _references(self, job: Job, sealed: items.Sealed) -> Sequence[str]:
        spec = registry.spec(job.derivation.builder)
        if job.derivation.fixed_sha256 is not None or spec.references == "none":
            return ()
        if spec.references == "inputs":
            return _reads(job.derivation)
        found = set(sealed.found)
        if not found:
            return ()
        return [path for path in self.store.closure(_reads(job.derivation)) if _hash(path) in found]

    def _release_users(self, job: Job) -> None:
        for user in job.users:
            user.waits_for -= 1
            if user.waits_for == 0:
                self._push(user)

    def _fail(self, job: Job, problem: Problem) -> None:
        if problem.full:
            full = self.store.full()
            problem = Problem("StoreFull", full.message, full.hint)
        log_file = self.store.log_file(job.path)
        kept = self._keep(job) if self.keep_failed else None
        items.remove(job.output)
        items.remove(job.scratch)
        self._unlock(job)
        failure = BuildFailed(
            job.derivation, problem, job.tail, log_file if log_file.exists() else None, kept
        )
        self.failures.append(failure)
        self.events(Failed(job.path, problem.message))

    def _keep(self, job: Job) -> Path:
        """Save what a failed build left from being removed."""
        kept = self.store.state / "failed" / job.output.name
        items.remove(kept)
        kept.mkdir(parents=True)
        for place, name in ((job.output, job.output.name), (job.scratch, "scratch")):
            if os.path.lexists(place):
                place.rename(kept / name)
        return kept

    def _unlock(self, job: Job) -> None:
        if job.lock is not None:
            job.lock.release()
            job.lock = None


def _reads(derivation: Derivation) -> list[str]:
    return sorted({*(one.path for one in derivation.inputs), *derivation.sources})


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _hash(path: str) -> str:
    return _base(path)[: items.HASH_LENGTH]
