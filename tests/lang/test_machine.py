"""Programs that keep continuations: what compiled code cannot do, the machine does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lang import errors
from lang.printer import write
from lang.session import Session

AMB = """
(define back-ways '())
(define (fail)
  (if (null? back-ways)
      (error "no more choices")
      (let ((back (car back-ways))) (set! back-ways (cdr back-ways)) (back back))))
(define (amb choices)
  (let ((here (call/cc (lambda (k) k))))
    (if (null? choices)
        (fail)
        (let ((choice (car choices)))
          (set! choices (cdr choices))
          (set! back-ways (cons here back-ways))
          choice))))
"""
GENERATOR = """
(define (generator items)
  (define return #f)
  (define (go-on)
    (for-each (lambda (x)
                (call/cc (lambda (next) (set! go-on (lambda () (next #f))) (return x))))
              items)
    (return 'done))
  (lambda () (call/cc (lambda (k) (set! return k) (go-on)))))
"""


@pytest.mark.parametrize(
    ("program", "value"),
    [
        (
            AMB + "(let* ((a (amb '(1 2 3 4 5 6 7))) (b (amb '(1 2 3 4 5 6 7)))"
            " (c (amb '(1 2 3 4 5 6 7))))"
            " (unless (= (* c c) (+ (* a a) (* b b))) (fail)) (list a b c))",
            "(3 4 5)",
        ),
        (
            GENERATOR + "(define g (generator '(1 2 3))) (define h (generator '(a b)))"
            " (let* ((a (g)) (b (h)) (c (g)) (d (h)) (e (g)) (f (h)) (i (g)))"
            " (list a b c d e f i))",
            "(1 a 2 b 3 done done)",
        ),
        (
            "(let ((k #f) (n 0)) (let ((v (map (lambda (x) (call/cc (lambda (c) (if (= x 2) (set! k"
            " c)) x))) '(1 2 3)))) (set! n (+ n 1)) (if (< n 3) (k (* n 10)) v)))",
            "(1 20 3)",
        ),
        ("(define k #f) (define v (+ 1 (call/cc (lambda (c) (set! k c) 1)))) v", "2"),
        (
            "(define k #f) (define (f) (call/cc (lambda (c) (set! k c)))) (let loop ((i 0))"
            " (if (< i 20000) (loop (+ i 1)) i))",
            "20000",
        ),
        (
            "(define k #f) (call/cc (lambda (c) (set! k c))) (define* (f a #:optional (b 2) #:key"
            " (c (+ b 1)) #:rest r) (list a b c)) (list (f 1) (f 1 5) (f 1 5 #:c 9))",
            "((1 2 3) (1 5 6) (1 5 9))",
        ),
        (
            "(define k #f) (call/cc (lambda (c) (set! k c))) (define f (case-lambda ((a) 'one)"
            " ((a b . r) (list a b r)))) (list (f 1) (f 1 2 3) (let deep ((i 0)) (if (< i 50000)"
            " (+ 1 (deep (+ i 1))) 0)))",
            "(one (1 2 (3)) 50000)",
        ),
        (
            "(define trace '()) (define (note x) (set! trace (cons x trace))) (define k #f)"
            " (catch 'oops (lambda () (dynamic-wind (lambda () (note 'in)) (lambda () (call/cc"
            " (lambda (c) (set! k c))) (throw 'oops)) (lambda () (note 'out)))) (lambda _ 'caught))"
            " (reverse trace)",
            "(in out)",
        ),
    ],
    ids=["amb", "generators", "map", "top", "loop", "keywords", "clauses", "wind"],
)
def test_continuations_are_entered_again(
    show: Callable[[str], str], program: str, value: str
) -> None:
    assert show(program) == value


def test_a_continuation_of_an_earlier_text_is_entered_from_a_later_one(session: Session) -> None:
    module = session.user_module()
    program = "(define k #f) (define v (+ 1 (call/cc (lambda (c) (set! k c) 1))))"
    session.eval_text(program, module=module)
    session.eval_text("(list (k 10))", module=module)
    assert session.eval_text("v", module=module) == 11


def test_generators_are_called_from_texts_that_are_compiled(session: Session) -> None:
    module = session.user_module()
    session.eval_text(GENERATOR + "(define g (generator '(1 2)))", module=module)
    first = session.eval_text("(define (next) (+ 0 (g))) (next)", module=module)
    assert [first, write(session.eval_text("(list (next) (g))", module=module))] == [1, "(2 done)"]


def test_procedures_tell_their_arity(show: Callable[[str], str]) -> None:
    program = (
        "(define k #f) (call/cc (lambda (c) (set! k c))) (map procedure-minimum-arity"
        " (list (lambda (x) 1) (lambda* (x #:optional y) 1) (lambda (a . b) 1) (lambda () 1)))"
    )
    assert show(program) == "((1 0 #f) (1 1 #f) (1 0 #t) (0 0 #f))"


@pytest.mark.parametrize(
    ("program", "message", "place"),
    [
        ("(define (f x)\n  (car x))\n(f 5)", "Wrong type argument", "2:3"),
        ("(define (f x)\n  (list x))\n(f\n  1 2)", "Wrong number of arguments", "3:1"),
        ("(define (f)\n  (list (no-such-name 1)))\n(f)", "Unbound variable: no-such-name", "2:10"),
        ("(define (f)\n  (5 6))\n(f)", "called as if it were a procedure", "2:3"),
        ("(define (f)\n  (cons 1))\n(f)", "arguments", "2:3"),
    ],
)
def test_errors_in_the_machine_have_places(
    session: Session, program: str, message: str, place: str
) -> None:
    with pytest.raises(Exception) as caught:
        session.eval_text("(define k #f) (call/cc (lambda (c) (set! k c))) " + program)
    diagnosis = errors.explain(caught.value, session.sources, lambda: ())
    assert message in diagnosis.message
    line, column = place.split(":")
    assert diagnosis.location is not None
    assert diagnosis.location.line == int(line)
    if line != "1":
        assert diagnosis.location.column == int(column)


def test_a_continuation_that_cannot_be_entered_says_so(session: Session) -> None:
    program = """
      (define k #f)
      (vector-for-each (lambda (x) (call/cc (lambda (c) (set! k c)))) #(1))
      (k 1)"""
    with pytest.raises(Exception, match="cannot be entered again"):
        session.eval_text(program)
