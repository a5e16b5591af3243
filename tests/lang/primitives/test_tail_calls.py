"""No procedure that calls procedures leaks the sentinel of a pending tail call, or the stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from lang.printer import write
from lang.session import Session

STDLIB = Path(__file__).parents[3] / "stdlib"

# `t` gives its argument by a tail call to a procedure that the compiler does not know.
PREPARE = """
(use-modules (srfi srfi-1) (srfi srfi-69) ((srfi srfi-43) #:prefix v:) (ice-9 vlist)
             (ice-9 regex))
(define id identity)
(define (t x) (id x))
(define (t2 a b) (id a))
(define (less a b) (id (< a b)))
"""


@pytest.fixture(scope="module")
def session() -> Session:
    session = Session([STDLIB])
    session.eval_text(PREPARE, module=session.user_module())
    return session


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("(map t '(1 2))", "(1 2)"),
        ("(map t2 '(1 2) '(3 4))", "(1 2)"),
        ("(for-each t '(1 2))", "#<unspecified>"),
        ("(filter t '(1 #f 2))", "(1 2)"),
        ("(sort '(2 1 3) less)", "(1 2 3)"),
        ("(sorted? '(1 2) less)", "#t"),
        ("(merge '(1) '(0) less)", "(0 1)"),
        ("(and-map t '(1 2))", "2"),
        ("(or-map t '(#f 2))", "2"),
        ("(vector-map t #(1 2))", "#(1 2)"),
        ('(string-map t "ab")', '"ab"'),
        ('(string-any t "ab")', "#\\a"),
        ('(string-index "ab" t)', "0"),
        ('(string-fold t2 \'() "ab")', "#\\b"),
        ("(hash-map->list t2 (let ((h (make-hash-table eq?))) h))", "()"),
        ("((compose t t) 1)", "1"),
        ("((negate t) 1)", "#f"),
        ("(and=> 1 t)", "1"),
        ("(call-with-output-string t)", '""'),
        ("(with-output-to-string (lambda () (t 1)))", '""'),
        ('(call-with-input-string "a" t)', None),
        ("(fold t2 0 '(1 2))", "2"),
        ("(fold-right t2 0 '(1 2))", "1"),
        ("(reduce t2 0 '(1 2))", "2"),
        ("(filter-map t '(1 #f))", "(1)"),
        ("(append-map list (map t '(1)))", "(1)"),
        ("(find t '(#f 1))", "1"),
        ("(any t '(#f 1))", "1"),
        ("(every t '(1 2))", "2"),
        ("(delete-duplicates '(1 2) (lambda (a b) (t #f)))", "(1 2)"),
        ("(list-tabulate 2 t)", "(0 1)"),
        ("(v:vector-map (lambda (i x) (t x)) #(1 2))", "#(1 2)"),
        ("(vlist->list (vlist-map t (list->vlist '(1 2))))", "(1 2)"),
        ('(regexp-substitute/global #f "a" "a" (lambda (m) (t "b")))', '"b"'),
        ("(apply t '(1))", "1"),
        ("(dynamic-wind (lambda () (t 1)) (lambda () (t 2)) (lambda () (t 3)))", "2"),
    ],
)
def test_tail_calling_arguments(session: Session, expression: str, value: str | None) -> None:
    module = session.modules[("guile-user",)]
    result = write(session.eval_text(expression, module=module))
    assert "TailCall" not in result
    if value is not None:
        assert result == value


@pytest.mark.parametrize(
    "nested",
    [
        "(car (map (lambda (x) (dive (- n 1))) '(1)))",
        "(fold (lambda (x acc) (dive (- n 1))) 0 '(1))",
        "(car (sort (list n 0) (lambda (a b) (dive (- n 1)) #f)))",
        "(vector-ref (vector-map (lambda (x) (dive (- n 1))) #(1)) 0)",
        "(let ((v 0)) (for-each (lambda (x) (set! v (dive (- n 1)))) '(1)) v)",
    ],
)
def test_recursion_through_procedures_can_be_deep(session: Session, nested: str) -> None:
    module = session.modules[("guile-user",)]
    text = f"(define (dive n) (if (= n 0) 0 {nested})) (dive 5000)"
    session.eval_text(text, module=module)
