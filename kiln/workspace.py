"""What the verbs share: the user's folders, the store, Debian's index, a Scheme session."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kiln.errors import EvaluationFailed, UsageError

if TYPE_CHECKING:
    from builders.debian.index import Index
    from builders.debian.sources import Suite
    from builders.events import Event, EventSink
    from builders.store import Store
    from lang.diagnosis import Diagnosis
    from lang.modules import Module
    from lang.session import Session

T = TypeVar("T")

LIBRARY = Path(__file__).resolve().parent.parent / "stdlib"
"""The library that configurations import."""


def cache_folder() -> Path:
    """Where what can be made again is kept: $XDG_CACHE_HOME/kiln."""
    from builders.folders import user_folder

    return user_folder("XDG_CACHE_HOME", ".cache") / "kiln"


def package_sources() -> tuple[Suite, ...]:
    """The suites that packages come from: those of the file $KILN_SOURCES, else the host's own."""
    from builders.debian.sources import host_sources, parse_deb822, parse_one_line

    named = os.environ.get("KILN_SOURCES")
    if not named:
        return host_sources()
    parse = parse_deb822 if named.endswith(".sources") else parse_one_line
    return tuple(parse(Path(named).read_text(encoding="utf-8"), origin=named))


def _discard(event: Event) -> None:
    """The sink of whom events do not interest; builders are imported when they are needed."""


def open_index(events: EventSink = _discard, *, update: bool = False) -> Index:
    """The index of `package_sources`, fetched if there is none or `update` is true."""
    from builders.debian.archive import Archive

    archive = Archive(package_sources(), cache_folder() / "archive")
    return archive.index(events, update=update)


def open_session(load_path: Sequence[Path] = ()) -> Session:
    """A session that finds modules in `load_path` and then in Kiln's library."""
    from lang.session import Session

    return Session(
        [*load_path, LIBRARY],
        cache=cache_folder() / "scheme",
        library_roots=[LIBRARY],
    )


@contextmanager
def workspace(events: EventSink = _discard) -> Iterator[Store]:
    """The user's store, open, with everything set for lowering."""
    from builders.store import Store
    from stdlib.context import Context, lowering

    with Store() as store, lowering(Context(store, lambda: open_index(events))):
        yield store


def evaluate(session: Session, action: Callable[[], T]) -> T:
    """Run `action`, which runs Scheme in `session`; errors of it become EvaluationFailed."""
    from builders.errors import BuilderError
    from lang.deep import run_deep
    from lang.errors import explain, render

    try:
        return run_deep(action)
    except (BuilderError, OSError, KeyboardInterrupt):
        raise
    except Exception as error:
        names = _visible_names
        diagnosis = explain(
            error, session.sources, lambda: names(session), session.exporters, session.advice
        )
        if _said_by_library(diagnosis, session):
            diagnosis.location = None
        text = render(diagnosis, session.sources)
        raise EvaluationFailed(text if diagnosis.location else f"kiln: {text}") from error


def _said_by_library(diagnosis: Diagnosis, session: Session) -> bool:
    """Is this a message of the library's about what it was given by no file, but by an option?"""
    source = session.sources.named(diagnosis.location.file) if diagnosis.location else None
    told = diagnosis.kind in ("misc-error", "%exception")
    return told and source is not None and source.library


def _visible_names(session: Session) -> set[str]:
    """Every name that means something in the modules of the user's files and expressions."""
    user = (module for name, module in session.modules.items() if name[0].startswith("guile-user"))
    return set().union(*map(session.bound_names, user))


def evaluate_file(session: Session, name: str, module: Module | None = None) -> Any:
    """The value of the last form of the file `name`, in `module` or one of its own."""
    path = existing_file(name)
    return evaluate(session, lambda: session.load_file(path, module))


def existing_file(name: str) -> Path:
    """The path of a file named on the command line; raises UsageError if there is none."""
    path = Path(name)
    what = None
    if not name or not path.exists():
        what = "does not exist"
    elif path.is_dir():
        what = "is a directory"
    elif not os.access(path, os.R_OK):
        what = "cannot be read: its permissions forbid it"
    if what is not None:
        raise UsageError(f"the file {name or repr(name)} {what}")
    return path
