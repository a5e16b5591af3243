"""What is looked at once, before a loop, is right in all its turns, or wrong where it was."""

from __future__ import annotations

import pytest

from lang.errors import explain
from lang.printer import write
from lang.session import Session


def outcome(text: str) -> str:
    session = Session([])
    try:
        return write(session.eval_text(text))
    except Exception as error:
        return explain(error, session.sources, list).kind


COUNT = """(define (count s)
  (let loop ((i 0) (n 0))
    (if (= i (string-length s)) n
        (loop (+ i 1) (if (char=? (string-ref s i) #\\a) (+ n 1) n)))))"""
LAST = """(define (last items n)
  (let loop ((i 0) (seen #f)) (if (< i n) (loop (+ i 1) (vector-ref items i)) seen)))"""


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ('(count "banana")', "3"),
        ('(count (string-copy "banana"))', "3"),
        ('(count "")', "0"),
        ("(count #t)", "wrong-type-arg"),
        ("(count (vector #\\a))", "wrong-type-arg"),
    ],
)
def test_a_string_of_outside_is_looked_at_once(expression: str, result: str) -> None:
    assert outcome(f"{COUNT} {expression}") == result


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("(last (vector 1 2 3) 3)", "3"),
        ("(last (vector 1 2 3) 4)", "out-of-range"),
        ('(last "abc" 0)', "#f"),
        ('(last "abc" 1)', "wrong-type-arg"),
        ("(last (vector 1) #t)", "wrong-type-arg"),
        ('(last (vector 1) "x")', "wrong-type-arg"),
    ],
)
def test_a_vector_of_outside_is_looked_at_once(expression: str, result: str) -> None:
    assert outcome(f"{LAST} {expression}") == result


def test_an_element_may_change_between_turns() -> None:
    text = """(let ((s (string-copy "aab")))
      (let loop ((i 0) (seen '()))
        (if (= i (string-length s)) (reverse seen)
            (begin
              (string-set! s 2 #\\a)
              (loop (+ i 1) (cons (char=? (string-ref s i) #\\a) seen))))))"""
    assert outcome(text) == "(#t #t #t)"


def test_a_variable_that_the_loop_binds_is_no_invariant() -> None:
    text = """(let loop ((v (vector 1)) (i 0) (sum 0))
      (if (= i 3) sum
          (let ((w (make-vector (+ i 1) i)))
            (loop w (+ i 1) (+ sum (vector-ref v 0) (vector-ref w i))))))"""
    assert outcome(text) == "5"


def test_a_definition_that_comes_later_is_not_asked_too_early() -> None:
    text = """(define (main flag)
      (define (scan) (let loop ((i 0))
        (if (< i 3) (begin (if flag (vector-ref v i)) (loop (1+ i))) i)))
      (define early (scan))
      (define v (begin (scan) (vector 1 2 3)))
      (list early v))
      (main #f)"""
    assert outcome(text) == "(3 #(1 2 3))"


def test_a_part_of_a_pair_is_a_number_until_something_may_change_it() -> None:
    template = """(define (change! p) (set-car! p #t))
      (define (f p) (let ((a (+ (car p) 1))) {} (list a (+ (car p) 1))))
      (f (list 1))"""
    assert outcome(template.format("(if #f #f)")) == "(2 2)"
    for change in ("(change! p)", "(set-car! p #t)", "(if (pair? p) (change! p))"):
        assert outcome(template.format(change)) == "wrong-type-arg"
    looping = """(define (f p)
      (+ (car p) 1)
      (let loop ((i 0)) (if (= i 2) 'done (begin (+ (car p) i) (set-car! p #t) (loop (+ i 1))))))
      (f (list 1))"""
    assert outcome(looping) == "wrong-type-arg"


def test_parameters_are_numbers_only_if_all_calls_are_known() -> None:
    known = "(define (f n) (define (g i) (+ i 1)) (list (g 1) (g (g 2)))) (f 0)"
    assert outcome(known) == "(2 4)"
    for expression in ("(g #t)", "(apply g '(#t))", "(car (map g '(#t)))", "((car (list g)) #t)"):
        text = f"(define (f n) (define (g i) (+ i 1)) (g 1) {expression}) (f 0)"
        assert outcome(text) == "wrong-type-arg"
    escaping = "(let loop ((i 0)) (if (number? i) (for-each loop '(#t)) (+ i 1)))"
    assert outcome(escaping) == "wrong-type-arg"
    assigned = "(define (f n) (let ((i 1)) (define (g) (+ i 1)) (set! i #t) (g))) (f 0)"
    assert outcome(assigned) == "wrong-type-arg"
