"""Realising derivations for a verb: dry runs, links to results, copies of them."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from builders.derivation import Derivation
from builders.events import Event, EventSink, Planned
from builders.store import Store


def realise(
    derivations: Sequence[Derivation],
    store: Store,
    events: EventSink,
    arguments: argparse.Namespace,
) -> list[str]:
    """Build what is missing, and all of it again for --check; returns the store paths."""
    from builders.realise import realise as run
    from builders.realise import rebuild

    planned = []

    def watched(event: Event) -> None:
        if isinstance(event, Planned):
            planned.append(event)
        events(event)

    paths = run(
        derivations,
        store,
        events=watched,
        jobs=arguments.jobs,
        keep_failed=arguments.keep_failed,
    )
    if arguments.check:
        rebuild(
            derivations,
            store,
            events=events,
            jobs=arguments.jobs,
            keep_failed=arguments.keep_failed,
        )
    elif not planned and not arguments.quiet and not arguments.json:
        print("kiln: nothing to build, all of it is there", file=sys.stderr)
    if arguments.save:
        store.add_root(Path(arguments.save), paths[0])
    return paths


def dry_run(derivations: Sequence[Derivation], store: Store) -> int:
    """Print what `realise` would do."""
    from builders.realise import missing, title
    from kiln.batches import packages

    todo = missing(derivations, store)
    if not todo:
        print("nothing to build")
        return 0
    fetched = sum(int(str(one.arguments["size"])) for one in todo if one.builder == "fetch")
    counts = Counter(one.builder for one in todo)
    for one in todo:
        if one.builder not in ("fetch", "unpack-deb"):
            print(f"would {title(one)}")
    if counts["unpack-deb"]:
        print(f"would unpack {packages(counts['unpack-deb'])}")
    if counts["fetch"]:
        print(f"would fetch {packages(counts['fetch'])}, {fetched / 1e6:.1f} MB")
    return 0


def print_derivations(derivations: Sequence[Derivation]) -> None:
    """Print the path and the text of each."""
    for derivation in derivations:
        print(derivation.path)
        print(derivation.serialise().decode())
