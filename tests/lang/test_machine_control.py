"""Continuations that are entered again through prompts, parameters, guards and handlers."""

from __future__ import annotations

from pathlib import Path

import pytest

from lang.errors import SchemeError
from lang.printer import write
from lang.session import Session

STDLIB = Path(__file__).resolve().parents[2] / "stdlib"
CONTROL = "(use-modules (ice-9 control)) "
GUARD = "(use-modules (srfi srfi-34)) "


def show(text: str) -> str:
    return write(Session([STDLIB], library_roots=[STDLIB]).eval_text(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            "(call-with-prompt 'p (lambda () (+ 1 (abort-to-prompt 'p 10)))"
            " (lambda (k v) (list v (k 5) (k 6))))",
            "(10 6 7)",
        ),
        (
            "(define t (make-prompt-tag))"
            " (define (numbers) (for-each (lambda (x) (abort-to-prompt t x)) '(1 2 3)))"
            " (let loop ((run numbers) (seen '())) (call-with-prompt t"
            " (lambda () (run) (reverse seen))"
            " (lambda (k v) (loop (lambda () (k #f)) (cons v seen)))))",
            "(1 2 3)",
        ),
        (
            "(call-with-prompt 'a (lambda () (call-with-prompt 'b"
            " (lambda () (abort-to-prompt 'a 1) (abort-to-prompt 'b 7)) (lambda (k v) (list v))))"
            " (lambda (k v) (k v)))",
            "(7)",
        ),
        (
            "(define p (make-parameter 0)) (define again #f)"
            " (list (call-with-prompt 'a"
            " (lambda () (parameterize ((p 1)) (+ (p) (begin (abort-to-prompt 'a) (p)))))"
            " (lambda (k) (set! again k) (p))) (again) (parameterize ((p 50)) (again)))",
            "(0 2 2)",
        ),
        (
            "(define seen '()) (define (note x) (set! seen (cons x seen)))"
            " (call-with-prompt 'a (lambda () (dynamic-wind (lambda () (note 'in))"
            " (lambda () (abort-to-prompt 'a) (note 'body)) (lambda () (note 'out))))"
            " (lambda (k) (note 'handler) (k) (note 'after))) (reverse seen)",
            "(in out handler in body out after)",
        ),
        (
            # a handler that is left and entered again while raise-continuable waits for it
            "(with-exception-handler (lambda (e) (* 2 e)) (lambda () (+ 42"
            " ((call/cc (lambda (leave) (with-exception-handler (lambda (e)"
            " ((call/cc (lambda (back) (leave (lambda () (back (lambda ()"
            " (raise-continuable e)))))))))"
            " (lambda () (let ((v (raise-continuable 5))) (lambda () (+ 1 v)))))))))))",
            "53",
        ),
        (
            "(define k #f) (call/cc (lambda (c) (set! k c)))"
            " (call/cc (lambda (done) (with-exception-handler (lambda (e) (done (list 'outer e)))"
            " (lambda () (with-exception-handler (lambda (e) (car e)) (lambda () (raise 'x)))))))"
            " (call/cc (lambda (done) (with-exception-handler (lambda (e) (done 'outer))"
            " (lambda () (with-exception-handler (lambda (e) 'back) (lambda () (raise 'x)))))))",
            "outer",
        ),
        (
            GUARD + "(call-with-prompt 'p (lambda () (guard (e (#t (list 'got e)))"
            " (abort-to-prompt 'p) (raise 'inside))) (lambda (k) (list (k) (k))))",
            "((got inside) (got inside))",
        ),
        (
            "(call-with-prompt 'p (lambda () (catch 'foo"
            " (lambda () (abort-to-prompt 'p) (throw 'foo 1)) list)) (lambda (k) (k)))",
            "(foo 1)",
        ),
        (CONTROL + "(reset (+ 1 (shift k (k (k 5)))))", "7"),
        (CONTROL + "(reset (let ((x (shift k (list (k 1) (k 2))))) (* 10 x)))", "(10 20)"),
        (CONTROL + "(% (+ 1 (abort 2 3)) (lambda (k a b) (list a b (k 9))))", "(2 3 10)"),
    ],
)
def test_what_was_aborted_can_be_resumed(text: str, value: str) -> None:
    assert show(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            "(define (each l) (call/cc (lambda (return) (for-each (lambda (x)"
            " (call/cc (lambda (next) (return (cons x next))))) l) 'end)))"
            " (define seen '()) (let ((r (each '(1 2 3)))) (if (pair? r)"
            " (begin (set! seen (cons (car r) seen)) ((cdr r) #f)) (reverse seen)))",
            "(1 2 3)",
        ),
        (
            GUARD + "(define (generator f) (define return #f) (define resume #f)"
            " (lambda () (call/cc (lambda (r) (set! return r) (if resume (resume 'go)"
            " (begin (f (lambda (v) (call/cc (lambda (k) (set! resume k) (return v)))))"
            " (return 'done)))))))"
            " (define g (generator (lambda (yield)"
            " (guard (e (#t (yield (list 'caught e)))) (yield 1) (raise 'boom)))))"
            " (define a (g)) (define b (g)) (define c (g)) (list a b c)",
            "(1 (caught boom) done)",
        ),
        (
            "(define p (make-parameter 'outer)) (let ((k #f) (seen '()))"
            " (parameterize ((p 'inner)) (call/cc (lambda (c) (set! k c)))"
            " (set! seen (cons (p) seen)))"
            " (set! seen (cons (p) seen)) (if (< (length seen) 4) (k #f) seen))",
            "(outer inner outer inner)",
        ),
        (
            "(let ((k #f) (seen '())) (with-exception-handler"
            " (lambda (e) (set! seen (cons e seen)) 5) (lambda ()"
            " (call/cc (lambda (c) (set! k c))) (raise-continuable 'a)))"
            " (if (< (length seen) 3) (k 2) seen))",
            "(a a a)",
        ),
    ],
)
def test_what_was_left_can_be_entered_again(text: str, value: str) -> None:
    assert show(text) == value


@pytest.mark.parametrize(
    ("body", "caught"),
    [
        ("(guard (e ((symbol? e) e)) (guard (e ((string? e) 'no)) (raise 'x)))", "x"),
        ("(guard (e ((error? e) 'error)) (car 5))", "error"),
        (
            "(catch 'wrong-type-arg (lambda () (catch 'other (lambda () (car 5)) list))"
            " (lambda _ 1))",
            "1",
        ),
        (
            "(guard (e (#t (list e))) (with-exception-handler (lambda (e) (raise (list e)))"
            " (lambda () (raise 1))))",
            "((1))",
        ),
        (
            "(guard (e (#t 'late)) (with-exception-handler (lambda (e) 1) (lambda () (car 5))))",
            "late",
        ),
        ("(guard (e (#t e)) (dynamic-wind list (lambda () (raise 1)) (lambda () (raise 2))))", "2"),
    ],
)
def test_errors_in_the_machine_go_where_they_go_elsewhere(body: str, caught: str) -> None:
    assert show(GUARD + body) == caught
    stored = "(define k #f) (call/cc (lambda (c) (set! k c))) "
    assert show(GUARD + stored + body) == caught


def test_what_a_primitive_called_cannot_be_resumed() -> None:
    with pytest.raises(SchemeError) as raised:
        show(
            "(call-with-prompt 'p (lambda () (sort '(2 1) (lambda (a b) (abort-to-prompt 'p))))"
            " (lambda (k) (k #t)))"
        )
    assert "cannot be resumed" in raised.value.payload.components[2].values[0]


def test_an_error_leaves_nothing_of_what_was_around_it() -> None:
    session = Session([STDLIB], library_roots=[STDLIB])
    for text, message in (
        (
            "(call-with-prompt 'p (lambda () (+ (if #f (abort-to-prompt 'p) 1) (car '())))"
            " (lambda (k) (k 1)))",
            "car",
        ),
        (
            "(define k #f) (call/cc (lambda (c) (set! k c)))"
            " (with-exception-handler (lambda (e) (cdr '())) (lambda () (raise 'first)))",
            "cdr",
        ),
        ("(abort-to-prompt 'p)", "there is no prompt"),
        ("(raise 'second)", "second"),
    ):
        with pytest.raises(SchemeError, match=message):
            session.eval_text(text)
