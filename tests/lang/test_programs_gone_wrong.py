"""Programs that a fuzzer found: they are refused, or do what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from lang.errors import SchemeSyntaxError
from lang.printer import write
from lang.session import Session

STDLIB = Path(__file__).resolve().parents[2] / "stdlib"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "(define-syntax m (syntax-rules () ((_ ((a b ...) ...)) '((a (b a) ...) ...))))"
            " (m ((1 2 3) (4 5)))",
            "more ellipses than it has",
        ),
        ("(define-syntax-parameter ((x y)) x)", "a name is expected, not ((x y))"),
        ("(define-syntax x (identifier-syntax (id v) (raise * 2 e)))", "wrong use of identifier-"),
        ("(define-syntax x (identifier-syntax (id) ((set! id e) e)))", "wrong use of identifier-"),
        ("(define-condition-type &c &error (p) (f a))", "a name is expected, not (p)"),
    ],
)
def test_what_is_no_program_is_refused(text: str, message: str) -> None:
    session = Session([STDLIB])
    with pytest.raises(SchemeSyntaxError) as raised:
        session.eval_text("(use-modules (srfi srfi-35)) " + text)
    assert message in raised.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(eval-when (values 1 2) 3)", "3"),
        ("(while #t (break))", "#t"),
        ("(define-module (x)) (define y 5) (module-ref (current-module) 'y)", "5"),
    ],
)
def test_what_is_odd_has_its_value(text: str, value: str) -> None:
    assert write(Session([]).eval_text(text)) == value


DEEP = [
    "(+ 1 (call/cc (lambda (k) (f (- n 1)))))",
    "(parameterize ((p n)) (+ 1 (f (- n 1))))",
    "(guard (e (#f 1)) (+ 1 (f (- n 1))))",
    "(+ 1 (with-exception-handler list (lambda () (f (- n 1)))))",
    "(+ 1 (dynamic-wind list (lambda () (f (- n 1))) list))",
    "(car (map (lambda (x) (+ 1 (f (- n 1)))) '(1)))",
    '(begin (string-for-each (lambda (c) (f (- n 1))) "a") n)',
    "(begin (sort (list 1 2) (lambda (a b) (f (- n 1)) #t)) n)",
    "(+ 1 (apply f (list (- n 1))))",
]


@pytest.mark.parametrize("body", DEEP)
def test_recursion_through_everything_is_deep(body: str) -> None:
    given = "(use-modules (srfi srfi-34)) (define p (make-parameter 0)) "
    program = f"{given} (define (f n) (if (= n 0) 0 {body})) (f 100000)"
    assert Session([STDLIB]).eval_text(program) == 100000
