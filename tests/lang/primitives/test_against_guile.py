"""Guile itself is the judge of what the default environment's procedures do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lang.printer import write
from lang.reader import read_all
from lang.session import Session
from lang.sources import SourceMap

HERE = Path(__file__).parent
STDLIB = Path(__file__).parents[3] / "stdlib"
JUDGE = HERE / "judge.scm"
FILES = (
    HERE / "expressions.scm",
    HERE / "lexical.scm",
    HERE / "numbers.scm",
    HERE.parents[1] / "stdlib" / "expressions.scm",
    HERE.parents[1] / "stdlib" / "rnrs.scm",
)


def guile_says(file: Path) -> list[str]:
    done = subprocess.run(
        ["guile", "--no-auto-compile", "-s", str(JUDGE), str(file)],
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    return [line[3:] for line in done.stdout.split("\n") if line.startswith("=> ")]


def kiln_says(file: Path) -> list[str]:
    session = Session([STDLIB])
    module = session.user_module()
    answers = []
    for form in read_all(SourceMap().add("expressions", file.read_text(encoding="utf-8"))):
        text = write(form)
        if text.startswith(
            ("(use-modules", "(import ", "(define ", "(define-record-type ", "(library ")
        ):
            session.eval_text(text, module=module)
            answers.append("")
            continue
        try:
            value = session.eval_text(f"(call-with-values (lambda () {text}) list)", module=module)
            answers.append(write(value))
        except Exception:  # what inlined code raises is explained later
            answers.append("error")
    return answers


@pytest.mark.skipif(shutil.which("guile") is None, reason="guile is not installed")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_values_and_errors_are_those_of_guile(file: Path) -> None:
    forms = read_all(SourceMap().add("expressions", file.read_text(encoding="utf-8")))
    different = [
        f"{write(form)}\n  guile: {theirs}\n  kiln:  {ours}"
        for form, theirs, ours in zip(forms, guile_says(file), kiln_says(file), strict=True)
        if ours and theirs != ours
    ]
    assert not different, "\n".join(different)
