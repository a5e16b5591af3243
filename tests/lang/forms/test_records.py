"""SRFI 9 records and Guile's functional setters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lang.errors import SchemeError
from lang.session import Session

POINT = """(use-modules (srfi srfi-9) (srfi srfi-9 gnu))
(define-record-type <point> (point x y) point? (x point-x set-point-x!) (y point-y))
(define-immutable-record-type <line> (line from to) line? (from line-from set-line-from)
  (to line-to))
"""


def test_fields_are_read_and_changed(show: Callable[[str], str]) -> None:
    program = "(let ((p (point 1 2))) (set-point-x! p 5) (list (point-x p) (point-y p) (point? p)))"
    assert show(POINT + program) == "(5 2 #t)"


def test_functional_setters_leave_the_record_alone(show: Callable[[str], str]) -> None:
    program = """(let* ((l (line 1 2)) (m (set-line-from l 9)))
      (list (line-from l) (line-from m) (line-to m)))"""
    assert show(POINT + program) == "(1 9 2)"


def test_set_field_reaches_into_nested_records(show: Callable[[str], str]) -> None:
    program = """(let* ((l (line (point 1 2) 3)) (m (set-field l (line-from point-y) 7)))
      (list (point-y (line-from l)) (point-y (line-from m)) (line-to m)))"""
    assert show(POINT + program) == "(2 7 3)"


def test_an_accessor_refuses_other_values(session: Session) -> None:
    with pytest.raises(SchemeError) as caught:
        session.eval_text(POINT + "(point-x (line 1 2))")
    assert "point-x" in repr(caught.value.payload)


def test_a_constructor_of_unknown_fields_is_refused(
    refused: Callable[[str], tuple[str, str, str]],
) -> None:
    program = "(use-modules (srfi srfi-9)) (define-record-type a\n (make-a z) a? (x a-x))"
    assert refused(program)[:2] == ("the constructor names an unknown field z", "2:2")
