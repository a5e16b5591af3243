"""The command line itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kiln.main import VERBS, VERSION, main
from tests.conftest import RunKiln

HEAVY = {"lark", "rich", "prompt_toolkit", "pysequoia", "zstandard", "asyncio", "lang.session"}


def test_version_is_that_of_the_project_file(capsys: pytest.CaptureFixture[str]) -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"kiln {VERSION}"
    assert project["project"]["version"] == VERSION


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {verb} " in out for verb in VERBS)


def test_a_wrong_verb_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imgae"]) == 2
    assert "did you mean image?" in capsys.readouterr().err


def test_starting_up_imports_nothing_heavy() -> None:
    code = "import sys, kiln.main; kiln.main.main(['--version']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(run_kiln: RunKiln, verb: str) -> None:
    ended = run_kiln(verb, "--help")
    assert ended.status == 0
    assert ended.out.startswith(f"usage: kiln {verb}")


def test_a_missing_file_is_an_error_of_usage(run_kiln: RunKiln, tmp_path: Path) -> None:
    ended = run_kiln("image", tmp_path / "none.scm")
    assert ended.status == 2
    assert "does not exist" in ended.err
    assert "Traceback" not in ended.err


def test_expressions_see_what_stands_before_them(run_kiln: RunKiln, tmp_path: Path) -> None:
    (tmp_path / "one.scm").write_text("(define-syntax-rule (twice x) (* 2 x))")
    ended = run_kiln("eval", "-f", tmp_path / "one.scm", "(define y (twice 2))", "(+ y (twice 1))")
    assert (ended.status, ended.out) == (0, "6\n")


def test_errors_of_usage_are_json_if_that_is_wanted(run_kiln: RunKiln) -> None:
    for wrong in ("none.scm", "--bogus"):
        ended = run_kiln("image", "--json", wrong)
        assert ended.status == 2
        told = json.loads(ended.err)
        assert told["event"] == "error"
        assert told["message"].startswith("kiln: error: ")
