"""Runs suites that are written in Scheme with SRFI 64."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from lang import errors
from lang.data import iterate
from lang.printer import write
from lang.runtime.trampoline import call
from lang.session import Session

ROOT = Path(__file__).resolve().parents[2]
_SRFI_64 = ("srfi", "srfi-64")


def failures(suite: Path, stage: Literal["configuration", "build"] = "configuration") -> list[str]:
    """What fails in the suite: each failed check, and the error that ended it, if one did.

    A suite without any check is a failure, too.
    """
    stdlib = ROOT / "stdlib"
    session = Session([stdlib], stage=stage, library_roots=[stdlib])
    current = session.value(_SRFI_64, "test-runner-current")
    runner = call(session.value(_SRFI_64, "test-runner-null"))
    call(current, runner)
    ended = []
    try:
        session.load_file(suite)
    except Exception as error:
        names = session.bound_names(session.current)
        diagnosis = errors.explain(error, session.sources, lambda: names)
        ended.append(errors.render(diagnosis, session.sources))
    if not ended and call(session.value(_SRFI_64, "test-runner-pass-count"), runner) == 0:
        ended.append(f"{suite}: no check passed")
    failed = call(session.value(_SRFI_64, "test-runner-failures"), runner)
    return [_described(result) for result in iterate(failed)] + ended


def _described(result: object) -> str:
    """One failed check: its place, its form, and what it gave."""
    facts = {pair.car.name: pair.cdr for pair in iterate(result)}
    given = "".join(
        f"\n    {name}: {write(facts[name])}"
        for name in ("expected-value", "actual-value", "actual-error", "expected-error")
        if name in facts
    )
    place = f"{facts.get('source-file', '?')}:{facts.get('source-line', '?')}"
    return f"{place}: {facts['result-kind']}: {write(facts['source-form'])}{given}"
