"""Core procedures that are written out give what the procedures themselves give."""

from __future__ import annotations

import pytest

from lang.errors import explain
from lang.printer import write
from lang.session import Session

OPERANDS = (
    *("0", "1", "2", "-1", "7", "-7", "1.0", "2.5", "7/2", "#t", "#f", "'()", '"ab"', '""'),
    *('(string-copy "xy")', "(vector 'a 'b)", "#(c d)", "(cons 1 2)", "#\\a", "#\\b"),
    *("'a", "car", "(expt 10 30)", "#:key", "#u8(1 2)"),
)
TWO = ("vector-ref", "string-ref", "remainder", "quotient", "char=?", "eq?", "set-car!", "set-cdr!")
FEW = ("1", "-1", "1.0", "#t", "'()", '"ab"', '(string-copy "ab")', "#\\a", "#\\b", "'a")
TWO_OF_FEW = ("eqv?", "equal?", "char<?", "string=?", "string<?", "string-append")
ONE = (
    *("vector-length", "string-length", "even?", "odd?", "char->integer", "char-alphabetic?"),
    *("char-numeric?", "char-whitespace?", "number->string"),
)


def outcome(session: Session, text: str) -> str:
    try:
        return write(session.eval_text(text))
    except Exception as error:
        diagnosis = explain(error, session.sources, list)
        return f"error: {diagnosis.kind}"


@pytest.mark.parametrize(
    ("name", "operands"), [(n, OPERANDS) for n in TWO] + [(n, FEW) for n in TWO_OF_FEW]
)
def test_two_operands(name: str, operands: tuple[str, ...]) -> None:
    session = Session([])
    for first in operands:
        for second in operands:
            called = outcome(session, f"(apply {name} (list {first} {second}))")
            bound = f"(let ((x {first}) (y {second})) ({name} x y))"
            assert outcome(session, f"((lambda (x y) ({name} x y)) {first} {second})") == called
            assert outcome(session, bound) == called
            assert outcome(session, f"({name} {first} {second})") == called


@pytest.mark.parametrize("name", ONE)
def test_one_operand(name: str) -> None:
    session = Session([])
    for operand in OPERANDS:
        called = outcome(session, f"(apply {name} (list {operand}))")
        assert outcome(session, f"({name} {operand})") == called
        assert outcome(session, f"(let ((x {operand})) (if ({name} x) ({name} x) 'no))") in (
            called,
            "no",
        )


def test_operands_are_evaluated_once_and_in_order() -> None:
    session = Session([])
    assert (
        write(
            session.eval_text("""
          (define seen '())
          (define (note x) (set! seen (cons x seen)) x)
          (define v (vector 0 1 2 3 4))
          (vector-set! (begin (note 'v) v) (note 1) (note 9))
          (define a (vector-ref (begin (note 'w) v) (note 1)))
          (define b (remainder (note 17) (note 5)))
          (define c (eq? (note 'p) (note 'q)))
          (list a b c (reverse seen))""")
        )
        == "(9 2 #f (v 1 9 w 1 17 5 p q))"
    )


def test_nested_ones_keep_out_of_each_others_way() -> None:
    session = Session([])
    text = """(let ((v (vector 1 2 0)) (s "abc"))
      (list (vector-ref v (vector-ref v (vector-ref v 0)))
            (quotient (quotient (vector-ref v 1) 1) (quotient (string-length s) 2))
            (char=? (string-ref s (vector-ref v 0)) (string-ref s (remainder 7 3)))))"""
    assert write(session.eval_text(text)) == "(0 2 #t)"


def test_a_variable_that_an_operand_assigns_has_its_old_value() -> None:
    session = Session([])
    text = "(let ((v (vector 1 2))) (vector-ref v (begin (set! v (vector 3 4)) 1)))"
    assert write(session.eval_text(text)) in ("2", "4")
    text = "(let ((p (list 1))) (set-car! p (begin (set! p (list 2)) 5)) p)"
    assert write(session.eval_text(text)) in ("(2)", "(5)")


@pytest.mark.parametrize("family", ["hash", "hashq", "hashv"])
def test_hash_tables(family: str) -> None:
    session = Session([])
    session.eval_text(f"""
      (define (fresh) (let ((t (make-hash-table)))
        (for-each (lambda (key) ({family}-set! t key (list key)))
          (list 0 1 1.0 7/2 #t #f "ab" 'a #\\a #:key car (expt 10 30) (cons 1 2) '()))
        t))
      (define table (fresh))""")
    for table in ("table", "'no", '"ab"'):
        for key in OPERANDS:
            called = outcome(session, f"(apply {family}-ref (list {table} {key} 'none))")
            assert outcome(session, f"({family}-ref {table} {key} 'none)") == called
            bound = f"(let ((t {table}) (k {key}) (d 'none)) ({family}-ref t k d))"
            assert outcome(session, bound) == called
            called = outcome(session, f"(apply {family}-ref (list {table} {key}))")
            assert outcome(session, f"({family}-ref {table} {key})") == called
            # an assignment gives the value, and the same table
            if table != "table":
                called = outcome(session, f"(apply {family}-set! (list {table} {key} 'new))")
                assert outcome(session, f"({family}-set! {table} {key} 'new)") == called
                continue
            change = f"(list ({family}-set! t k 'new) (hash-map->list cons t))"
            applied = f"(list (apply {family}-set! (list t k 'new)) (hash-map->list cons t))"
            called = outcome(session, f"(let ((t (fresh)) (k {key})) {applied})")
            assert outcome(session, f"(let ((t (fresh)) (k {key})) {change})") == called


def test_operands_of_hash_tables_are_evaluated_once_and_in_order() -> None:
    session = Session([])
    assert (
        write(
            session.eval_text("""
          (define seen '())
          (define (note x) (set! seen (cons x seen)) x)
          (define t (make-hash-table))
          (define a (hash-set! (begin (note 't) t) (note 'k) (note 1)))
          (define b (hash-set! (begin (note 'u) t) (note 'k) (+ (note 1) (hash-ref t 'k (note 7)))))
          (define c (hash-ref (begin (note 'v) t) (note 'none) (note 'default)))
          (define d (if (hash-ref t 'none) 1 2))
          (list a b c d (reverse seen))""")
        )
        == "(1 2 default 2 (t k 1 u k 1 7 v none default))"
    )


def test_an_entry_that_a_call_changed_is_not_taken_for_the_number_it_was() -> None:
    session = Session([])
    text = """
      (define (f t)
        (hash-set! t 'k 1)
        (let ((entry (hash-get-handle t 'k)))
          (let ((sum (+ (cdr entry) 1)))
            (hash-set! t 'k "text")
            (list sum (cdr entry)))))
      (f (make-hash-table))"""
    assert write(session.eval_text(text)) == '(2 "text")'
