"""Modules: imports, exports, and libraries."""

from __future__ import annotations

from pathlib import Path

import pytest

from lang.errors import SchemeSyntaxError
from lang.printer import write
from lang.session import Session

LIBRARY = """(define-module (my lib)
  #:export (one two show (inner . outer) with-hidden))
(define one 1)
(define two 2)
(define hidden 'hidden)
(define inner 'inner)
(define-syntax-rule (show x) (list 'x hidden one))
(define-syntax-rule (with-hidden name body) (let ((hidden 0) (name one)) body))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "my").mkdir()
    (tmp_path / "my" / "lib.scm").write_text(LIBRARY)
    return tmp_path


def value(path: Path, program: str) -> str:
    """What `program` writes, with `path` on the load path."""
    return write(Session([path]).eval_text(program))


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("(use-modules (my lib)) (list one two outer)", "(1 2 inner)"),
        ("(use-modules ((my lib) #:select (one (two . zwei)))) (list one zwei)", "(1 2)"),
        ("(use-modules ((my lib) #:prefix l:)) (list l:one l:two)", "(1 2)"),
        ("(use-modules ((my lib) #:hide (one))) (define one 'mine) (list one two)", "(mine 2)"),
        (
            "(use-modules ((my lib) #:renamer (symbol-prefix-proc 'x-))) (list x-one)",
            "(1)",
        ),
        ("(define hidden 3) (use-modules (my lib)) (show a)", "(a hidden 1)"),
        ("(use-modules (my lib)) (with-hidden a (+ a 1))", "2"),
        ("(@ (my lib) two)", "2"),
        ("(@@ (my lib) hidden)", "hidden"),
        ("(define-module (x) #:autoload (my lib) (one)) one", "1"),
        ("(import (only (my lib) one)) one", "1"),
        ("(import (rename (prefix (my lib) p:) (p:one uno))) (list uno p:two)", "(1 2)"),
        ("(import (except (my lib) one)) two", "2"),
    ],
)
def test_imports(path: Path, program: str, answer: str) -> None:
    assert value(path, program) == answer


def test_a_module_can_pass_on_what_others_export(path: Path) -> None:
    (path / "all.scm").write_text(
        "(define-module (all) #:use-module (my lib) #:re-export (one) "
        "#:re-export-modules ((my lib)))"
    )
    assert value(path, "(use-modules (all)) (list one two (show 5))") == "(1 2 (5 hidden 1))"


def test_modules_that_import_each_other_load(path: Path) -> None:
    (path / "a.scm").write_text(
        "(define-module (a) #:use-module (b) #:export (fa)) (define (fa n) (if n (fb #f) 'a))"
    )
    (path / "b.scm").write_text(
        "(define-module (b) #:use-module (a) #:export (fb)) (define (fb n) (if n (fa #f) 'b))"
    )
    assert value(path, "(use-modules (a) (b)) (list (fa #t) (fb #t))") == "(b a)"


def test_public_definitions_are_exported(path: Path) -> None:
    (path / "p.scm").write_text("(define-module (p)) (define-public (f) 1) (define g 2)")
    assert value(path, "(use-modules (p)) (f)") == "1"
    with pytest.raises(NameError):
        value(path, "(use-modules (p)) g")


def test_libraries_of_r7rs(path: Path) -> None:
    program = """(define-library (stack) (export push (rename pop-one pop))
      (import (scheme base)) (begin (define (push x s) (cons x s)) (define (pop-one s) (cdr s))))
    (import (prefix (stack) s:)) (s:pop (s:push 1 '(2)))"""
    assert value(path, program) == "(2)"


def test_a_missing_module_is_reported_with_near_names(path: Path) -> None:
    session = Session([path])
    with pytest.raises(SchemeSyntaxError) as caught:
        session.eval_text("\n (use-modules (my libb))")
    assert caught.value.message == "there is no module (my libb)"
    assert caught.value.hint == "did you mean (my lib)?"
    assert caught.value.position is not None
    assert str(session.sources.location(caught.value.position)) == "<eval>:2:15"


def test_selecting_what_is_not_exported_is_refused(path: Path) -> None:
    with pytest.raises(SchemeSyntaxError, match="does not export") as caught:
        value(path, "(use-modules ((my lib) #:select (onee)))")
    assert caught.value.hint == "did you mean one?"


def test_a_module_that_fails_to_load_is_tried_again(path: Path) -> None:
    (path / "bad.scm").write_text("(define-module (bad)) (if)")
    session = Session([path])
    for _ in range(2):
        with pytest.raises(SchemeSyntaxError):
            session.import_module(("bad",))


def test_visible_names_are_own_imported_and_core(path: Path) -> None:
    session = Session([path])
    module = session.user_module()
    session.eval_text("(use-modules (my lib)) (define mine 1)", module=module)
    assert {"mine", "one", "car", "let"} <= session.bound_names(module)
