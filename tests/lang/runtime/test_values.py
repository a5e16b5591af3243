"""Several values: where one is wanted they are the first one, as in Guile, and never an object."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lang.data import Values
from lang.printer import write
from lang.session import Session

STDLIB = Path(__file__).resolve().parents[3] / "stdlib"
TWO = "(define (two) (values 1 2)) (define unknown (list two)) "


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("(+ 1 (two))", "2"),
        ("(list (two) (values 3 4))", "(1 3)"),
        ("(let ((x (two))) (list x))", "(1)"),
        ("(list ((car unknown)))", "(1)"),
        ("(map (lambda (x) (values x 'no)) '(1 2))", "(1 2)"),
        ("(define x ((car unknown))) x", "1"),
        ("(define x 0) (set! x (two)) x", "1"),
        ("(vector (floor/ 7 2) (call/cc (lambda (k) (k 5 6))))", "#(3 5)"),
        ("(list (eval '(values 1 2) (current-module)))", "(1)"),
        ("(list (dynamic-wind list two list) (force (delay (two))))", "(1 1)"),
        ("(list (catch #t two list) (with-exception-handler list two))", "(1 1)"),
        ("(if ((lambda () (values #f 1))) 'yes 'no)", "no"),
        ("(begin ((car unknown)) 3)", "3"),
        ("(define (none) (values)) (for-each (lambda (x) (none)) '(1)) (begin (none) 3)", "3"),
        ("(define k #f) (list (call/cc (lambda (c) (set! k c) (two))))", "(1)"),
        ("(define k #f) (call/cc (lambda (c) (set! k c))) (map (lambda (x) (two)) '(0))", "(1)"),
    ],
)
def test_one_value_is_the_first(session: Session, text: str, result: str) -> None:
    assert write(session.eval_text(TWO + text)) == result


@pytest.mark.parametrize(
    "text",
    [
        "(two)",
        "(dynamic-wind list two list)",
        "(catch #t two list)",
        "(parameterize () (two))",
        "(with-exception-handler list two)",
        "(with-exception-handler (lambda (e) (two)) (lambda () (raise-continuable 0)))",
        "(call/cc (lambda (k) (two)))",
        "(call/cc (lambda (k) (k 1 2)))",
        "(call-with-prompt 'p (lambda () (abort-to-prompt 'p)) (lambda (k) (two)))",
        "(eval '(values 1 2) (current-module))",
        "(apply values '(1 2))",
        "(let loop ((n 3)) (if (= n 0) (two) (loop (- n 1))))",
        "(exact-integer-sqrt 3)",
        "(floor/ 5 3)",
    ],
)
def test_values_are_passed_on(session: Session, text: str) -> None:
    assert session.eval_text(TWO + text) == Values((1, 2))
    received = session.eval_text(f"{TWO} (call-with-values (lambda () {text}) list)")
    assert write(received) == "(1 2)"


@pytest.mark.parametrize(
    "producer",
    [
        "(partition even? '(1 2))",
        "(span even? '(2 1))",
        "(split-at '(2 1) 1)",
        "(car+cdr '((2) 1))",
    ],
)
def test_the_library_gives_values(producer: str) -> None:
    session = Session([STDLIB])
    show: Callable[[str], str] = lambda text: write(  # noqa: E731
        session.eval_text(f"(use-modules (srfi srfi-1)) {text}")
    )
    assert show(f"(call-with-values (lambda () {producer}) list)") == "((2) (1))"
    assert show(f"(list {producer})") == "((2))"
