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
def test_suite_passes(suite: Path) -> None:
    session = Session([STDLIB])
    text = f"{RUN.read_text(encoding='utf-8')}\n(define r #f)"
    module = session.user_module()
    session.eval_text(text, module=module)
    said = session.eval_text(
        f"(with-output-to-string (lambda () (set! r (run {write(str(suite))}))))", module=module
    )
    passed, failed = python_list(session.eval_text("r", module=module))
    assert not failed, said
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
