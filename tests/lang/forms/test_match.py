"""(ice-9 match), with the answers of Guile 3.0.8."""

from __future__ import annotations

from collections.abc import Callable

import pytest

MODULES = "(use-modules (ice-9 match))"

ANSWERS = [
    (
        "(match '(1 2 3) ((a b c) (list c b a)))",
        "(3 2 1)",
    ),
    (
        "(match '(1 2 3) ((a b) 1) ((a . rest) (list a rest)))",
        "(1 (2 3))",
    ),
    (
        "(match '(1 . 2) ((a . b) (list a b)))",
        "(1 2)",
    ),
    (
        "(match 'x ('y 1) ('x 2))",
        "2",
    ),
    (
        '(match "s" ("s" \'yes) (_ \'no))',
        "yes",
    ),
    (
        "(match '(a 1 2 3) (('a x ...) x))",
        "(1 2 3)",
    ),
    (
        "(match '((a . 1) (b . 2)) (((k . v) ...) (list k v)))",
        "((a b) (1 2))",
    ),
    (
        "(match '((a 1 2) (b 3)) (((k v ...) ...) (list k v)))",
        "((a b) ((1 2) (3)))",
    ),
    (
        "(match '(1 2 3 4) ((x ... y z) (list x y z)))",
        "((1 2) 3 4)",
    ),
    (
        "(match '() ((x ..1) 1) (() 'empty))",
        "empty",
    ),
    (
        "(match '(1 2) ((x ..1) x))",
        "(1 2)",
    ),
    (
        "(match 5 ((? number? n) (+ n 1)))",
        "6",
    ),
    (
        '(match "5" ((? number? n) (+ n 1)) ((? string? (= string-length k)) k))',
        "1",
    ),
    (
        "(match '(1 1) ((a a) 'same) (_ 'diff))",
        "same",
    ),
    (
        "(match '(1 2) ((a a) 'same) (_ 'diff))",
        "diff",
    ),
    (
        "(match '(x y) ((or ('x a) ('z a)) a))",
        "y",
    ),
    (
        "(match '(z y) ((or ('x a) ('z a)) a))",
        "y",
    ),
    (
        "(match '(q y) ((or ('x a) ('z a)) a) (_ 'neither))",
        "neither",
    ),
    (
        "(match 5 ((and (? number?) (? odd?) n) n))",
        "5",
    ),
    (
        "(match 5 ((not 4) 'ok))",
        "ok",
    ),
    (
        "(match #(1 2 3) (#(a b c) (list a b c)))",
        "(1 2 3)",
    ),
    (
        "(match #(1 2 3) (#(a b ...) (list a b)))",
        "(1 (2 3))",
    ),
    (
        "(match '(a b) (`(a ,x) x))",
        "b",
    ),
    (
        "(match '(a b c d) (`(a ,x . ,rest) (list x rest)))",
        "(b (c d))",
    ),
    (
        "(match '(1 2) ((a b) (=> next) (if (> a b) 'big (next))) ((c d) (list 'second c d)))",
        "(second 1 2)",
    ),
    (
        "(match '(a (a (a b))) ((x *** 'b) x))",
        "(a a a)",
    ),
    (
        "(let ((p (list 1 2))) (match p ((a (set! f)) (f 9))) p)",
        "(1 9)",
    ),
    (
        "(let ((p (list 1 2))) (match p ((a (get! f)) (f))))",
        "2",
    ),
    (
        "((match-lambda ((a b) (list b a)) (x x)) '(1 2))",
        "(2 1)",
    ),
    (
        "((match-lambda* ((a b) (list b a)) ((x) x)) 1 2)",
        "(2 1)",
    ),
    (
        "((match-lambda* ((a b) (list b a)) ((x) x)) 1)",
        "1",
    ),
    (
        "(match-let (((a b) '(1 2)) ((c) '(3))) (list a b c))",
        "(1 2 3)",
    ),
    (
        "(match-let* (((a b) '(1 2)) ((c d) (list a b))) (list a b c d))",
        "(1 2 1 2)",
    ),
    (
        "(match-let loop (((a . rest) '(1 2 3)) (acc 0)) (if (null? rest) (+ a acc) (loop rest (+"
        " a acc))))",
        "6",
    ),
    (
        "(match '(1 (2 3) 4) ((a (b ...) c) (list a b c)))",
        "(1 (2 3) 4)",
    ),
    (
        "(match '((1 2) (3 4)) ((((? number? a) b) ...) (list a b)))",
        "((1 3) (2 4))",
    ),
    (
        "(match '((1 2) (x 4)) ((((? number? a) b) ...) (list a b)) (_ 'nope))",
        "nope",
    ),
    (
        "(match '(#:key 1) ((#:key x) x))",
        "1",
    ),
    (
        "(match '(#t #f) ((#t #f) 'ok))",
        "ok",
    ),
    (
        "(match '() (() 1))",
        "1",
    ),
    (
        "(match '(1 2 3) ((_ _ x) x))",
        "3",
    ),
    (
        "(match 1 (0 'zero) (1 'one))",
        "one",
    ),
    (
        "(match #\\a (#\\a 'a))",
        "a",
    ),
    (
        "(match '(+ 1 2) (('+ a b) (+ a b)))",
        "3",
    ),
    (
        "(match (list 1 2 3 4 5) ((a b . (c ...)) c))",
        "(3 4 5)",
    ),
    (
        "(let ((x 5)) (match 6 (x x)))",
        "6",
    ),
    (
        "(match '((b 2) (c 3)) (((or (n v) n) ...) (list n v)))",
        "((b c) (2 3))",
    ),
]


@pytest.mark.parametrize(("program", "answer"), ANSWERS, ids=range(len(ANSWERS)))
def test_match_gives_the_answers_of_guile(
    show: Callable[[str], str], program: str, answer: str
) -> None:
    assert show(MODULES + program) == answer


def test_no_fitting_clause_is_an_error(show: Callable[[str], str]) -> None:
    program = "(catch 'match-error (lambda () (match 1 (2 3))) (lambda (key . args) key))"
    assert show(MODULES + program) == "match-error"


def test_record_patterns_test_the_type_and_take_fields_in_order(show: Callable[[str], str]) -> None:
    program = """(use-modules (ice-9 match) (srfi srfi-9))
    (define-record-type <p> (p x y) p? (x px) (y py))
    (map (match-lambda (($ <p> a b) (list a b)) (_ 'other)) (list (p 1 2) 3))"""
    assert show(program) == "((1 2) other)"


def test_a_malformed_clause_is_refused_where_it_stands(
    refused: Callable[[str], tuple[str, str, str]],
) -> None:
    message, place, _ = refused(MODULES + "\n(match 1\n  (x))")
    assert "a match clause is (pattern expression ...)" in message
    assert place == "3:3"
