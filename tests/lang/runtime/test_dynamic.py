"""Parameters and fluids."""

from __future__ import annotations

import pytest

from lang.errors import SchemeError
from lang.printer import write
from lang.session import Session


@pytest.fixture(scope="module")
def session() -> Session:
    return Session([])


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("(define p (make-parameter 1)) (list (p) (parameterize ((p 2)) (p)) (p))", "(1 2 1)"),
        ("(define p (make-parameter 1 (lambda (x) (* x 10))))"
         "(list (p) (parameterize ((p 2)) (p)))",
         "(10 20)"),
        ("(define p (make-parameter 1)) (p 5) (p)", "5"),
        ("(define p (make-parameter 1))"
         "(catch #t (lambda () (parameterize ((p 2)) (car 5))) (lambda _ (p)))", "1"),
        ("(define p (make-parameter 1))"
         "(call/cc (lambda (k) (parameterize ((p 2)) (k (p)))))", "2"),
        ("(define a (make-parameter 1)) (define b (make-parameter 2))"
         "(parameterize ((a (b)) (b (a))) (list (a) (b)))", "(2 1)"),
        ("(define f (make-fluid 1)) (list (with-fluids ((f 2)) (fluid-ref f)) (fluid-ref f))",
         "(2 1)"),
        ("(define f (make-fluid)) (fluid-set! f 3) (fluid-ref f)", "3"),
        ("(list (fluid? (make-fluid)) (fluid? 1) (parameter? (make-parameter 1)) (parameter? car))",
         "(#t #f #t #f)"),
        ("(define f (make-fluid 1)) ((fluid->parameter f))", "1"),
        ("(parameter? current-output-port)", "#t"),
    ],
)  # fmt: skip
def test_bindings_hold_for_the_time_of_a_call(session: Session, text: str, result: str) -> None:
    assert write(session.eval_text(text)) == result


def test_a_converter_that_fails_leaves_all_parameters_alone(session: Session) -> None:
    text = """
    (define a (make-parameter 1)) (define b (make-parameter 2 (lambda (x) (+ x 0))))
    (catch #t (lambda () (parameterize ((a 5) (b 'no)) #f)) (lambda _ (list (a) (b))))"""
    assert write(session.eval_text(text)) == "(1 2)"


def test_only_parameters_can_be_parameterized(session: Session) -> None:
    with pytest.raises(SchemeError, match="Wrong type"):
        session.eval_text("(parameterize ((car 1)) 1)")
    with pytest.raises(SchemeError, match="unbound fluid"):
        session.eval_text("(fluid-ref (make-unbound-fluid))")
