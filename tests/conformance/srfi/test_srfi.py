"""One suite a SRFI, in Scheme; Guile judges the suites of those that it has."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lang.data import python_list
from lang.printer import write
from lang.session import Session

HERE = Path(__file__).parent
STDLIB = HERE.parents[2] / "stdlib"
SUITES = sorted(HERE.glob("srfi-*.scm"), key=lambda file: int(file.stem.removeprefix("srfi-")))
RUN = HERE / "run.scm"
NOT_IN_GUILE = frozenset({"srfi-87"})
"""What Guile has in its core, without a module of that name."""


def ids(file: Path) -> str:
    return file.stem


@pytest.mark.parametrize("suite", SUITES, ids=ids)
def test_suite_passes(suite: Path, tmp_path: Path) -> None:
    for modules in ("compiled", "from the cache"):
        session = Session([STDLIB], cache=tmp_path)
        module = session.user_module()
        session.eval_text(RUN.read_text(encoding="utf-8"), module=module)
        run = f"(with-output-to-string (lambda () (set! result (run {write(str(suite))}))))"
        said = session.eval_text(f"(define result #f) {run}", module=module)
        passed, failed = python_list(session.eval_text("result", module=module))
        assert not failed, f"{modules}: {said}"
        assert passed


@pytest.mark.skipif(shutil.which("guile") is None, reason="guile is not installed")
@pytest.mark.parametrize(
    "suite", [suite for suite in SUITES if suite.stem not in NOT_IN_GUILE], ids=ids
)
def test_guile_agrees_with_the_suite(suite: Path) -> None:
    text = f"(load {write(str(RUN))}) (write (run {write(str(suite))}))"
    done = subprocess.run(
        ["guile", "--no-auto-compile", "-c", text],
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    assert done.stdout.endswith(" 0)"), done.stdout
