"""kiln repl through a pipe, on a dumb terminal, and on one with everything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

pexpect = pytest.importorskip("pexpect")

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[=>])|[\r\x00]")
BUSY = '(begin (display (string-append "busy-" "now\\n")) (let loop () (loop)))'
"""It shows a text that is not in it, and goes on for ever."""
UP, CTRL_C, CTRL_D = "\x1b[A", "\x03", "\x04"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled modules, shared by the tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def environment(tmp_path: Path, cache: Path) -> dict[str, str]:
    """A user's, who has a home of their own."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "KILN_STORE": str(tmp_path / "store"),
        "XDG_CACHE_HOME": str(cache),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "LANG": "C.UTF-8",
    }


Pipe = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def pipe(environment: dict[str, str], tmp_path: Path) -> Pipe:
    """Runs the REPL with a text as its input."""

    def run(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kiln", "repl", *arguments]
        return subprocess.run(
            command,
            input=text,
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


# ---------------------------------------------------------------- pipes


def test_through_a_pipe_only_values_are_printed(pipe: Pipe) -> None:
    done = pipe('(+ 1 2)\n(define (f)\n  "x")\n(f) (display "shown")\n$1')
    assert done.stdout == '$1 = 3\n$2 = "x"\nshown\n$3 = 3\n'
    assert done.stderr == ""
    assert done.returncode == 0


def test_an_error_in_a_pipe_has_its_line_and_the_rest_goes_on(pipe: Pipe) -> None:
    done = pipe("(define (f x)\n  (car x))\n(f 5)\n,nothing\n(f '(1))\n")
    assert done.stdout == "$1 = 1\n"
    assert done.stderr == (
        "<stdin>:2:3: error: car: Wrong type argument in position 1 (expecting a pair): 5\n"
        "    (car x))\n"
        "    ^\n"
        "  in f, <stdin>:2:3\n"
        "  called at <stdin>:3:1\n"
        "error: there is no command ,nothing\n"
        "hint: ,help lists the commands\n"
    )
    assert done.returncode == 1


def test_a_pipe_that_stops_in_the_middle_is_an_error(pipe: Pipe) -> None:
    done = pipe("1\n(list 1\n")
    assert done.stdout == "$1 = 1\n"
    assert done.stderr.startswith("<stdin>:2:1: error: ( is never closed\n")
    assert done.returncode == 1


def test_bytes_that_are_no_text_are_an_error_of_the_program(
    environment: dict[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "kiln", "repl"]
    done = subprocess.run(
        command, input=b'"\xff"\n', env=environment, cwd=tmp_path, capture_output=True, check=False
    )
    assert done.stdout.decode() == '$1 = "�"\n'


def test_exit_ends_with_its_status(pipe: Pipe) -> None:
    done = pipe("(exit 3)\n1\n")
    assert (done.returncode, done.stdout) == (3, "")
    assert pipe(",quit\n1\n").stdout == ""


def test_a_file_is_loaded_first(pipe: Pipe, tmp_path: Path) -> None:
    (tmp_path / "my.scm").write_text("(define secret 42)\n(+ secret 1)\n")
    assert pipe("secret\n", "my.scm").stdout == "$1 = 43\n$2 = 42\n"
    done = pipe("", "none.scm")
    assert done.returncode == 2
    assert "none.scm does not exist" in done.stderr


def test_a_file_with_an_error_leaves_the_conversation(pipe: Pipe, tmp_path: Path) -> None:
    (tmp_path / "bad.scm").write_text("(define a 1)\n(car a)\n")
    done = pipe("(+ 1 1)\n", "bad.scm")
    assert done.stdout == "$1 = 2\n"
    assert done.stderr.startswith("bad.scm:2:1: error: car:")
    assert done.returncode == 1


def test_build_and_lower(pipe: Pipe) -> None:
    done = pipe(
        "(use-modules (guix gexp))\n"
        ',build (plain-file "greeting" "hello")\n'
        "(call-with-input-file $1 (lambda (port) (read port)))\n"
        ',lower (computed-file "later" #~(mkdir #$output))\n'
        ",build 5\n"
    )
    first, *lines = done.stdout.splitlines()
    assert re.fullmatch(r'\$1 = ".*/store/[0-9a-z]{32}-greeting"', first)
    assert re.fullmatch(r"/kiln/store/[0-9a-z]{32}-later", lines[1])
    assert lines[2].startswith("$3 = #<derivation /kiln/store/")
    assert lines[3].endswith("(not built)")
    assert "kiln: error: 5 cannot be built" in done.stderr


def test_an_operating_system_is_lowered_as_an_image() -> None:
    from kiln.lowering import is_declaration
    from kiln.workspace import open_session

    session = open_session()
    assert not is_declaration(session, 5)
    text = (
        "(use-modules (gnu))"
        '(operating-system (host-name "a") (timezone "UTC") (file-systems %base-file-systems)'
        " (bootloader (bootloader-configuration (bootloader grub-bootloader))))"
    )
    assert is_declaration(session, session.eval_text(text))


def test_a_closed_pipe_is_no_error_of_ours(environment: dict[str, str], tmp_path: Path) -> None:
    command = f"yes 1 | head -n 5000 | '{sys.executable}' -m kiln repl | head -n 1"
    done = subprocess.run(
        command,
        shell=True,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "$1 = 1\n"
    assert done.stderr == ""


# ---------------------------------------------------------------- terminals

Terminal = Callable[..., "pexpect.spawn"]


@pytest.fixture
def terminal(environment: dict[str, str], tmp_path: Path) -> Iterator[Terminal]:
    """Starts the REPL on a terminal of its own."""
    started: list[pexpect.spawn] = []

    def start(term: str = "xterm-256color", **variables: str) -> pexpect.spawn:
        child = pexpect.spawn(
            sys.executable,
            ["-m", "kiln", "repl"],
            env={**environment, "TERM": term, **variables},
            cwd=str(tmp_path),
            encoding="utf-8",
            timeout=20,
            dimensions=(30, 90),
            echo=False,
        )
        started.append(child)
        if term != "dumb":
            # the place of the cursor, which the editor asks a terminal for
            child.expect_exact("\x1b[6n")
            child.send("\x1b[1;1R")
        child.expect_exact("kiln>")
        return child

    yield start
    for child in started:
        child.close(force=True)


def test_a_dumb_terminal_gets_prompts_and_no_escape_codes(terminal: Terminal) -> None:
    child = terminal("dumb")
    child.sendline("(list 1")
    child.sendline("2)")
    child.expect_exact("$1 = (1 2)")
    child.expect_exact("kiln> ")
    child.sendline(BUSY)
    child.expect_exact("busy-now")
    child.send(CTRL_C)
    child.expect_exact("interrupted")
    child.expect_exact("kiln> ")
    child.send("(abandoned")
    child.send(CTRL_C)
    child.expect_exact("kiln> ")
    child.sendline(",module (guix gexp)")
    child.expect_exact("kiln (guix gexp)> ")
    child.send(CTRL_D)
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0
    assert "\x1b" not in child.before


def shown(child: pexpect.spawn, text: str) -> str:
    """What has been drawn until `text` was seen, without escape codes."""
    child.expect_exact(text)
    return ESCAPES.sub("", child.before)


def test_expressions_of_several_lines_are_edited_and_coloured(terminal: Terminal) -> None:
    child = terminal()
    child.send('(define (f x)\r(string-append "a" x))\r')
    child.expect_exact("\x1b[0;34mdefine")
    child.expect_exact('\x1b[0;32m"a"')
    child.expect_exact("kiln>")
    child.send('(f "b")\r')
    child.expect_exact("$1 = ")
    child.expect_exact('\x1b[0;32m"ab"')


def test_tab_completes_names_fields_and_files(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("one")
    child = terminal()
    child.send("(use-modules (gnu system file-sy\t))\r")
    child.expect_exact("kiln>")
    child.send('(file-system-mount-p\t (file-system (mount-p\t "/x") (device "d") (type "t")))\r')
    child.expect_exact("$1 = ")
    child.expect_exact('"/x"')
    child.expect_exact("kiln>")
    child.send('(string-append "wor\t" "!")\r')
    child.expect_exact("$2 = ")
    child.expect_exact('"words.txt!"')


def test_history_outlives_the_session(terminal: Terminal, tmp_path: Path) -> None:
    child = terminal()
    child.send("(+ 40\r2)\r")
    child.expect_exact("$1 = ")
    child.expect_exact("kiln>")
    child.send(CTRL_D)
    child.expect(pexpect.EOF)
    history = tmp_path / "state" / "kiln" / "history"
    assert "+(+ 40\n+   2)\n" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0
    again = terminal()
    again.send(UP + "\r")
    again.expect_exact("$1 = ")
    again.expect_exact("42")


def test_a_history_that_cannot_be_written_is_done_without(
    terminal: Terminal, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("a file, no directory")
    child = terminal()
    child.send("(+ 1 1)\r")
    child.expect_exact("$1 = ")


def test_ctrl_c_clears_the_line_and_stops_evaluation(terminal: Terminal) -> None:
    child = terminal()
    child.send("(abandoned " + CTRL_C)
    child.expect_exact("kiln>")
    child.send(BUSY + "\r")
    child.expect_exact("busy-now")
    child.send(CTRL_C)
    child.expect_exact("interrupted")
    child.expect_exact("kiln>")
    child.send("(+ 1 2)\r")
    child.expect_exact("$1 = ")


def test_no_color_is_respected(terminal: Terminal) -> None:
    child = terminal(NO_COLOR="1")
    child.send('(string-append "a" "b")\r')
    child.expect_exact('$1 = "ab"')


def test_errors_and_what_programs_print_have_lines_of_their_own(terminal: Terminal) -> None:
    child = terminal(NO_COLOR="1")
    child.send('(begin (display "half") (car 1))\r')
    text = shown(child, "error: car:")
    assert "half\n<input 1>:1:25: " in text


def test_a_pasted_text_of_many_forms_is_evaluated_as_a_whole(terminal: Terminal) -> None:
    child = terminal(NO_COLOR="1")
    pasted = '(define (g x)\n  "Doc of g."\n  (* x 2))\n\n; a comment\n(g 4)\n"two\nlines"'
    child.send(f"\x1b[200~{pasted}\x1b[201~\r")
    child.expect_exact("$1 = 8")
    child.expect_exact('$2 = "two\\nlines"')
    child.expect_exact("kiln>")
    child.send(",describe g\r")
    child.expect_exact("Doc of g.")


def test_an_error_does_not_lose_the_session_nor_does_an_interrupted_build(
    terminal: Terminal,
) -> None:
    child = terminal(NO_COLOR="1")
    child.send("(define kept 41) (car kept)\r")
    child.expect_exact("error: car:")
    child.expect_exact("kiln>")
    child.send("(use-modules (guix gexp))\r")
    child.expect_exact("kiln>")
    child.send(',build (computed-file "long" #~(begin (sleep 60) (mkdir #$output)))\r')
    child.expect_exact("build long")
    child.expect_exact("0:00:01")
    child.send(CTRL_C)
    child.expect_exact("interrupted")
    child.expect_exact("kiln>")
    child.send("(+ kept 1)\r")
    child.expect_exact("$1 = 42")
    child.send(CTRL_D)
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0
