"""Conditions: SRFI 35, R6RS and R7RS views of the same objects."""

from __future__ import annotations

import pytest

from lang.errors import SchemeError
from lang.printer import write
from lang.runtime.messages import condition_text, format_message
from lang.session import Session

DEFINITIONS = """
(define &c (make-condition-type '&c &condition '(x)))
(define &d (make-condition-type '&d &c '(y)))
(define c-x (condition-accessor &c 'x))
(define v1 (make-condition &c 'x 1))
(define v2 (make-condition &d 'x 2 'y 3))
(define (caught thunk) (call/cc (lambda (k) (with-exception-handler k thunk))))
"""


@pytest.fixture(scope="module")
def session() -> Session:
    return Session([])


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("(list (condition? v1) (condition? 'x) (condition-type? &c))", "(#t #f #t)"),
        ("(list (condition-has-type? v2 &c) (condition-has-type? v1 &d))", "(#t #f)"),
        ("(list (c-x v1) (c-x v2) (condition-ref v2 'y))", "(1 2 3)"),
        ("(define v (make-compound-condition v1 v2)) (list (c-x v) (condition-ref v 'y))", "(1 3)"),
        ("(c-x (extract-condition (make-compound-condition v1 v2) &d))", "2"),
        ("(length (simple-conditions (make-compound-condition v1 v2)))", "2"),
        ("((condition-predicate &d) v1)", "#f"),
        ('(condition-message (make-message-condition "hello"))', '"hello"'),
        ("(define e (caught (lambda () (error \"bad:\" 1 'a))))"
         " (list (error-object? e) (error-object-message e) (error-object-irritants e))",
         '(#t "bad:" (1 a))'),
        ("(define e (caught (lambda () (car 5))))"
         " (list (error? e) (assertion-violation? e) (condition-who e) (condition-irritants e))",
         "(#t #t car (5))"),
        ("(error-object? 'no)", "#f"),
        ("(undefined-violation? (caught (lambda () nowhere)))", "#t"),
        ("(exception-kind (caught (lambda () (error \"x\"))))", "misc-error"),
        ("(exception-args (caught (lambda () (throw 'k 1 2))))", "(1 2)"),
        ("(condition->string (caught (lambda () (error \"bad:\" 1 \"s\"))))", r'"bad: 1 \"s\""'),
    ],
)  # fmt: skip
def test_views_of_conditions(session: Session, text: str, result: str) -> None:
    assert write(session.eval_text(DEFINITIONS + text)) == result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(make-condition &c)", "needs x"),
        ("(make-condition &c 'x 1 'z 2)", "no field z"),
        ("(c-x 5)", "Wrong type"),
        ("(c-x (make-message-condition 1))", "Wrong type"),
        ("(condition-ref v1 'nothing)", "no field nothing"),
    ],
)
def test_wrong_use_is_reported(session: Session, text: str, message: str) -> None:
    with pytest.raises(SchemeError) as raised:
        session.eval_text(DEFINITIONS + text)
    assert message in condition_text(raised.value.payload)


def test_message_directives() -> None:
    assert format_message("~A and ~S~%~~", ["x", "y"]) == 'x and "y"\n~'
    assert format_message("plain", [1]) == "plain 1"
    assert format_message("~a", []) == "~a"


@pytest.mark.parametrize(
    ("raised", "shown"),
    [
        (
            '(error "no \\"x\\":" \'x "y" #f)',
            '#<condition &error &message message: "no \\"x\\":" &irritants irritants: (x "y" #f)>',
        ),
        ("(throw 'k 1)", "#<condition &error &thrown key: k args: (1)>"),
    ],
)
def test_conditions_are_written_as_scheme(session: Session, raised: str, shown: str) -> None:
    assert write(session.eval_text(f"{DEFINITIONS} (caught (lambda () {raised}))")) == shown
