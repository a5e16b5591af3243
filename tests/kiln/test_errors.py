"""What a user sees who makes a mistake: the place, the line, a caret, what to do; status 1."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.derivation import Derivation
from builders.job import BuildFailed
from builders.worker import Problem
from kiln.report import describe
from tests.conftest import RunKiln

DECLARATION = """\
(use-modules (gnu))
(operating-system
  (host-name "box")
  (timezone "Europe/Berlin")
  (bootloader (bootloader-configuration (bootloader grub-bootloader)))
  (file-systems (cons (file-system (device (file-system-label "root"))
                                   (mount-point "/") (type "ext4"))
                      %base-file-systems)){more})
"""


def declaration(more: str = "", **replacements: str) -> str:
    """A whole declaration with further fields, and texts replaced."""
    text = DECLARATION.replace("{more}", "\n  " + more if more else "")
    for old, new in replacements.items():
        text = text.replace(old.replace("_", "-"), new)
    return text


CASES = {
    "an unclosed parenthesis": ("(define x\n  (list 1 2)\n", 1, 1, "never closed"),
    "a sum without its end": ("(+ 1 2\n", 1, 1, "error: ( is never closed"),
    "an unbound variable": (declaration("(packages %base-pakages)"), 9, 13, "%base-packages"),
    "an unknown field": (declaration(host_name="hostname"), 3, 3, "host-name"),
    "a missing field": (
        declaration().replace('  (timezone "Europe/Berlin")\n', ""),
        2,
        1,
        "timezone",
    ),
    "a value of the wrong type": (declaration("(packages 42)"), 9, 3, "list of packages"),
    "a bad host name": (declaration().replace('"box"', '"my box"'), 3, 3, "host name"),
    "a module that is not there": ("(use-modules (gnu systm))\n", 1, 14, "gnu system"),
    "a call with too many arguments": ("(car 1 2)\n", 1, 1, "car"),
    "an index out of range": ("(vector-ref (vector 1) 5)\n", 1, 1, "range"),
    "something else than a declaration": ("(+ 1 2)\n", None, None, "ends in"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_error_names_its_place(run_kiln: RunKiln, tmp_path: Path, case: str) -> None:
    text, line, column, word = CASES[case]
    file = tmp_path / "os.scm"
    file.write_text(text)
    ended = run_kiln("image", "-n", file.name, cwd=tmp_path)
    assert ended.status == 1, ended.err
    assert "Traceback" not in ended.err
    assert word in ended.err
    if line is not None:
        assert ended.err.startswith(f"os.scm:{line}:{column}: error: "), ended.err
        shown = ended.err.splitlines()
        assert text.splitlines()[line - 1].strip() in shown[1]
        assert shown[2].strip().startswith("^")


@pytest.mark.archive
def test_an_unknown_package_is_an_error_where_it_is_named(
    run_kiln: RunKiln, tmp_path: Path
) -> None:
    file = tmp_path / "os.scm"
    file.write_text(declaration('(packages (cons (specification->package "tmxu") %base-packages))'))
    ended = run_kiln("image", "-n", "os.scm", cwd=tmp_path)
    assert ended.status == 1
    assert "\nos.scm:9:19: error: " in "\n" + ended.err
    assert "tmxu" in ended.err
    assert "tmux" in ended.err


def test_a_build_that_fails_is_shown_where_its_code_is_written(
    run_kiln: RunKiln, tmp_path: Path
) -> None:
    file = tmp_path / "it.scm"
    file.write_text('(use-modules (gnu))\n(computed-file "it"\n  #~(car (list #$output 1) 2))\n')
    ended = run_kiln("build", "it.scm", cwd=tmp_path)
    assert ended.status == 1
    assert "it.scm:3:3: error: cannot build it: " in ended.err
    assert "\n    #~(car (list #$output 1) 2))\n    ^\n" in ended.err
    assert "| " in ended.err  # what the build itself said
    assert "Traceback" not in ended.err


def test_what_is_there_already_is_said_to_be(run_kiln: RunKiln) -> None:
    for _ in range(2):
        ended = run_kiln("build", "-e", '(computed-file "n" #~(mkdir #$output))')
        assert ended.status == 0, ended.err
    assert ended.err == "kiln: nothing to build, all of it is there\n"


def test_a_subvolume_wants_a_btrfs(run_kiln: RunKiln, tmp_path: Path) -> None:
    file = tmp_path / "os.scm"
    file.write_text(declaration().replace('(type "ext4"))', '(type "ext4") (options "subvol=@"))'))
    ended = run_kiln("image", "-n", "os.scm", cwd=tmp_path)
    assert ended.status == 1
    assert "subvolume @, but its partition is ext4" in ended.err, ended.err
    assert "os.scm:6:23: error: " in ended.err


def test_the_error_of_a_build_is_at_the_field_that_it_is_about(tmp_path: Path) -> None:
    file = tmp_path / "image.scm"
    file.write_text('(image (size 5)\n  (partitions (list (partition (label "a")\n (size 6)))))\n')
    places = {0: (str(file), 1, 1), 1: (str(file), 2, 21)}
    made = Derivation("disk.img", "disk-image", {}, places=places)
    for problem, line, column in (
        (Problem("TreeDoesNotFit", "m", part=1, field="size"), 3, 2),
        (Problem("TreeDoesNotFit", "m", part=1, field="offset"), 2, 21),
        (Problem("DiskTooSmall", "m", part=0, field="size"), 1, 8),
        (Problem("TreeDoesNotFit", "m", field="size"), 1, 8),
    ):
        assert describe(BuildFailed(made, problem)).startswith(f"{file}:{line}:{column}: error:")
    assert describe(BuildFailed(made, Problem("StoreFull", "m"))).startswith("kiln: error:")
