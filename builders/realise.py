"""Makes derivations' outputs exist: what is missing, in parallel, each as soon as it can be.

Nothing below a valid output is looked at. Each output is built under a lock that dies with this
process, so several Kilns share a store and what a killed one was at is simply started again.
"""

from __future__ import annotations

import collections
import os
from collections.abc import Iterator, Sequence

from builders.derivation import Derivation
from builders.events import EventSink, Planned, discard
from builders.job import BuildFailed, Job, title
from builders.store import NotInStore, Store, TemporaryDirectory, sweep_temporary

__all__ = ["BuildFailed", "missing", "realise", "rebuild", "title"]

_SETTLE_AGE = 40
"""Seconds after which the kernel has written most of what was made: see Store.settle."""


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
    _run(todo, store, events, jobs, keep_failed, mirrors)
    return paths


def rebuild(
    derivations: Sequence[Derivation],
    store: Store,
    *,
    events: EventSink = discard,
    jobs: int | None = None,
    keep_failed: bool = False,
) -> None:
    """Build `derivations`, whose outputs are valid, again and compare what comes out.

    Nothing in the store changes. Raises BuildFailed, of kind NotReproducible when an output
    differs in a byte; its message names the file and the offset.
    """
    todo = [Job(one, order) for order, one in enumerate(dict.fromkeys(derivations))]
    _run(todo, store, events, jobs, keep_failed, (), again=True)


def _run(
    todo: Sequence[Job],
    store: Store,
    events: EventSink,
    jobs: int | None,
    keep_failed: bool,
    mirrors: Sequence[str],
    again: bool = False,
) -> None:
    # This takes longer to import than a realisation with nothing to do takes.
    import threading

    from builders.scheduler import Run

    kinds = collections.Counter(job.derivation.builder for job in todo)
    events(Planned("", len(todo), tuple(sorted(kinds.items()))))
    sweep_temporary(store)
    if store.idle_seconds() > _SETTLE_AGE:
        threading.Thread(target=store.settle, daemon=True).start()
    try:
        with TemporaryDirectory(store) as directory:
            run = Run(store, directory, events, jobs or len(os.sched_getaffinity(0)))
            run.keep_failed = keep_failed
            run.again = again
            run.mirrors = tuple(mirrors)
            run.all(todo)
    except OSError as error:
        raise store.error(error) from error


def missing(derivations: Sequence[Derivation], store: Store) -> list[Derivation]:
    """What `realise` would build, inputs first."""
    if len(store.valid([one.path for one in derivations])) == len({*derivations}):
        return []
    return [job.derivation for job in _missing(derivations, store)]


def _missing(derivations: Sequence[Derivation], store: Store) -> list[Job]:
    graph = _inputs_first(derivations, set())
    todo = _inputs_first(derivations, store.valid([one.path for one in graph]))
    jobs = {one.path: Job(one, order) for order, one in enumerate(todo)}
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


def _check_sources(todo: Sequence[Job], store: Store) -> None:
    sources = {source for job in todo for source in job.derivation.sources}
    lost = sorted(sources - store.valid(sources))
    if lost:
        raise NotInStore(
            f"{lost[0]} is to be read by a build but is not in the store",
            hint="it was collected or damaged: evaluate the configuration again",
        )
