"""Sessions: files, values, reflection, depth."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from lang.deep import run_deep
from lang.errors import ReadError
from lang.printer import write
from lang.session import Session

ROOT = Path(__file__).parents[2]


def test_a_file_gives_the_value_of_its_last_form(tmp_path: Path) -> None:
    file = tmp_path / "os.scm"
    file.write_text("(define x 1)\n(+ x 1)\n")
    session = Session([])
    assert session.load_file(file) == 2
    assert session.load_file(file) == 2, "in a fresh module each time"


def test_an_empty_text_has_no_value() -> None:
    assert write(Session([]).eval_text("")) == "#<unspecified>"


def test_definitions_stay_in_a_module_that_is_used_again() -> None:
    session = Session([])
    module = session.user_module()
    session.eval_text("(define x 1) (define-syntax-rule (y) (+ x 1))", module=module)
    assert session.eval_text("(y)", module=module) == 2
    session.eval_text("(define x 5)", module=module)
    assert session.eval_text("(y)", module=module) == 6


def test_variables_of_modules_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "m.scm").write_text("(define-module (m) #:export (x)) (define x 3)")
    session = Session([tmp_path])
    assert session.value(("m",), "x") == 3
    with pytest.raises(KeyError, match=r"\(m\) has no variable y"):
        session.value(("m",), "y")


def test_included_and_loaded_files_are_found_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "part.scm").write_text("(define part 7)")
    (tmp_path / "a.scm").write_text('(include "part.scm") part')
    (tmp_path / "b.scm").write_text('(load "part.scm") part')
    session = Session([])
    assert session.load_file(tmp_path / "a.scm") == 7
    assert session.load_file(tmp_path / "b.scm") == 7


def test_programs_can_evaluate_data() -> None:
    assert Session([]).eval_text("(define x 4) (eval '(+ x 1) (current-module))") == 5


def test_sources_under_a_library_root_are_marked(tmp_path: Path) -> None:
    (tmp_path / "m.scm").write_text("(define-module (m))")
    session = Session([tmp_path], library_roots=[tmp_path])
    session.import_module(("m",))
    source = session.sources.named(str(tmp_path / "m.scm"))
    assert source is not None and source.library


INTERRUPTED = """import os, re, signal
from lang import interrupts
from lang.deep import run_deep
interrupts.prepare()
def loop():
    os.kill(os.getpid(), signal.SIGINT)
    while True: pass
for _ in range(3):
    try: run_deep(loop)
    except KeyboardInterrupt: print("interrupted", flush=True)
run_deep(lambda: print("stuck", flush=True) or re.match("(a+)+$", "a" * 40 + "b"))
"""


def test_an_interrupt_is_passed_on_and_a_second_one_does_not_wait_for_c_code() -> None:
    running = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    said = [running.stdout.readline() for _ in range(4)]
    assert said == [*["interrupted\n"] * 3, "stuck\n"]
    for _ in range(100):
        running.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            running.wait(0.05)
            break
    running.kill()
    assert running.wait() == -signal.SIGINT


def test_deep_work_is_done_on_one_thread() -> None:
    outer, inner = run_deep(lambda: (threading.get_ident(), run_deep(threading.get_ident)))
    assert outer == inner != threading.get_ident()


def test_what_deep_work_raises_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        run_deep(lambda: 1 // 0)


def test_the_collector_is_on_again_after_loading() -> None:
    Session([]).eval_text("1")
    assert gc.isenabled()


def test_files_may_have_a_byte_order_mark_and_any_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "os.scm"
    file.write_bytes(b'\xef\xbb\xbf"a\r\nb"\r\n')
    assert Session([]).load_file(file) == "a\nb"


def test_files_that_are_not_utf_8_are_refused_where_they_are_not(tmp_path: Path) -> None:
    file = tmp_path / "os.scm"
    file.write_bytes(b'(define x 1)\n(define y "\xe9")')
    session = Session([])
    with pytest.raises(ReadError) as caught:
        session.load_file(file)
    assert caught.value.message == "the byte E9 is not UTF-8"
    assert str(session.sources.location(caught.value.position)) == f"{file}:2:12"
