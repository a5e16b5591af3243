"""Names that change their meaning in the middle of a program: a use means what it did by then."""

from __future__ import annotations

import pytest

from lang.printer import write
from lang.session import Session


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(define r (car '(1 2))) (define (car x) 'mine) (list r (car 5))", "(1 mine)"),
        ("(define old car) (define (car x) (+ 1 (old x))) (car '(1))", "2"),
        ("(define car (let ((car car)) (lambda (x) (list (car x))))) (car '(1))", "(1)"),
        ("(define (g x) (car x)) (define car cdr) (g '(1 2))", "(2)"),
        ("(define + *) (define (f) (+ 3 4)) (f)", "12"),
        ("(define list vector) (define (f) (list 1)) (define list cons*) (f)", "1"),
        ("(define-values (car cdr) (values 1 2)) (list car cdr)", "(1 2)"),
        (
            "(define (f x) (list x)) (define a (f 1))"
            " (define-syntax-rule (f x) (vector x)) (list a (f 1))",
            "((1) #(1))",
        ),
        (
            "(define-syntax-rule (ten) 10) (define (f) (ten))"
            " (define-syntax-rule (ten) 11) (list (f) (ten))",
            "(10 11)",
        ),
        (
            "(define-syntax-rule (kw a) 'a) (define l (list (kw z)))"
            " (define (kw x) (list 'fn x)) (list l (kw 1))",
            "((z) (fn 1))",
        ),
        ("(define (g) (if #t 1 2)) (define (if . x) x) (list (g) (if 1 2))", "(1 (1 2))"),
        ("(define (f) (later 1)) (define-syntax-rule (later x) (list x)) (f)", "(1)"),
        ("(define lambda 3) (let ((x 1)) (+ x lambda))", "4"),
    ],
)
def test_a_redefinition_holds_from_its_place_on(text: str, value: str) -> None:
    assert write(Session([]).eval_text(text)) == value


def test_a_variable_of_an_earlier_text_is_not_taken_back() -> None:
    session = Session([])
    module = session.user_module()
    session.eval_text("(define (car x) 'mine)", "a", module)
    assert write(session.eval_text("(define car (list car (car 1))) (cadr car)", "b", module)) == (
        "mine"
    )
