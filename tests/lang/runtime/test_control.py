"""Continuations, raising, handling, values, promises, and that all of them force tail calls."""

from __future__ import annotations

import pytest

from lang.errors import SchemeError
from lang.printer import write
from lang.session import Session


@pytest.fixture(scope="module")
def session() -> Session:
    return Session([])


def shown(session: Session, text: str) -> str:
    return write(session.eval_text(text))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("(call/cc (lambda (k) (+ 1 (k 42))))", "42"),
        ("(+ 1 (call/cc (lambda (k) 1)))", "2"),
        ("(call-with-values (lambda () (call/cc (lambda (k) (k 1 2)))) list)", "(1 2)"),
        (
            "(call/ec (lambda (outer) (+ 100 (call/ec (lambda (inner) (outer 5))))))",
            "5",
        ),
        ("(call-with-values (lambda () (values)) list)", "()"),
        ("(call-with-values (lambda () 1) list)", "(1)"),
        ("(apply + 1 2 '(3 4))", "10"),
        ("(apply list '())", "()"),
        ("(let ((n 0)) (define p (delay (begin (set! n (+ n 1)) n))) (list (force p) (force p)))",
         "(1 1)"),
        ("(force 5)", "5"),
        ("(call-with-prompt 'p (lambda () (+ 1 (abort-to-prompt 'p 2 3))) (lambda (k . v) v))",
         "(2 3)"),
        ("(call-with-prompt 'p (lambda () 7) (lambda (k . v) v))", "7"),
    ],
)  # fmt: skip
def test_values_and_escapes(session: Session, text: str, result: str) -> None:
    assert shown(session, text) == result


WIND = """
(let ((log '()))
  (define (note x) (set! log (cons x log)))
  {}
  (reverse log))
"""


@pytest.mark.parametrize(
    ("body", "log"),
    [
        ("(dynamic-wind (lambda () (note 'in)) (lambda () (note 'body)) (lambda () (note 'out)))",
         "(in body out)"),
        ("(call/cc (lambda (k) (dynamic-wind (lambda () (note 'in)) (lambda () (k 1))"
         " (lambda () (note 'out)))))", "(in out)"),
        ("(catch #t (lambda () (dynamic-wind (lambda () (note 'in)) (lambda () (car 5))"
         " (lambda () (note 'out)))) (lambda args (note 'caught)))", "(in out caught)"),
    ],
)  # fmt: skip
def test_dynamic_wind_runs_its_end_however_it_is_left(
    session: Session, body: str, log: str
) -> None:
    assert shown(session, WIND.format(body)) == log


def test_a_continuation_that_has_returned_says_so(session: Session) -> None:
    with pytest.raises(SchemeError, match="cannot be entered again"):
        session.eval_text("(define (id x) x) (define k (call/cc (lambda (c) (id c)))) (k 2)")


def test_aborting_without_a_prompt_is_an_error(session: Session) -> None:
    with pytest.raises(SchemeError, match="no prompt"):
        session.eval_text("(abort-to-prompt 'nowhere 1)")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        # raised objects of any kind reach the handler
        ("(with-exception-handler (lambda (e) 10) (lambda () (+ 1 (raise-continuable 'x))))",
         "11"),
        ("(call/cc (lambda (k) (with-exception-handler (lambda (e) (k (list 'got e)))"
         " (lambda () (raise 'boom)))))", "(got boom)"),
        ("(with-exception-handler (lambda (e) 'late) (lambda () (car 5)) #:unwind? #t)", "late"),
        ("(call/cc (lambda (k) (with-exception-handler (lambda (e) (k 'native))"
         " (lambda () (car 5)))))", "native"),
        # handlers run with the handlers around them
        ("(with-exception-handler (lambda (e) (* 2 e)) (lambda ()"
         " (with-exception-handler (lambda (e) (+ 1 (raise-continuable e)))"
         " (lambda () (raise-continuable 10)))))", "21"),
        ("(catch #t (lambda () (with-exception-handler (lambda (e) (throw 'inner e))"
         " (lambda () (raise-continuable 1)))) (lambda (k . a) (cons k a)))", "(inner 1)"),
        # an unwinding frame between a raise and an outer handler
        ("(with-exception-handler (lambda (e) 'outer) (lambda ()"
         " (catch 'other (lambda () (throw 'this 1)) (lambda a 'wrong))) #:unwind? #t)", "outer"),
        ("(let ((seen '())) (catch 'b (lambda () (with-exception-handler"
         " (lambda (e) (set! seen (cons 'h seen)) (throw 'b)) (lambda () (catch 'z"
         " (lambda () (throw 'a)) (lambda x x))))) (lambda a seen)))", "(h)"),
        # catch and throw
        ("(catch 'k (lambda () (throw 'k 1 2)) (lambda args args))", "(k 1 2)"),
        ("(catch #t (lambda () (error \"bad\" 'x)) (lambda (key . args) key))", "misc-error"),
        ("(catch 'wrong-type-arg (lambda () (car 5)) (lambda (key who . _) (list key who)))",
         '(wrong-type-arg "car")'),
        ("(catch 'unbound-variable (lambda () nothing) (lambda (key . _) key))",
         "unbound-variable"),
        ("(catch 'numerical-overflow (lambda () (quotient 1 0)) (lambda (key . _) key))",
         "numerical-overflow"),
        ("(catch 'wrong-number-of-args (lambda () (car)) (lambda (key . _) key))",
         "wrong-number-of-args"),
        ("(catch 'out-of-range (lambda () (vector-ref (vector) 1)) (lambda (key . _) key))",
         "out-of-range"),
        ("(catch #t (lambda () (raise 5)) (lambda args args))", "(%exception 5)"),
        ("(let ((n 0)) (catch 'k (lambda () (with-throw-handler 'k (lambda () (throw 'k))"
         " (lambda _ (set! n 1)))) (lambda _ n)))", "1"),
    ],
)  # fmt: skip
def test_raising_and_handling(session: Session, text: str, result: str) -> None:
    assert shown(session, text) == result


def test_a_handler_must_not_return_from_raise(session: Session) -> None:
    with pytest.raises(SchemeError, match="cannot be continued"):
        session.eval_text("(with-exception-handler (lambda (e) 1) (lambda () (raise 'x)))")


def test_an_error_that_a_handler_returns_from_goes_on(session: Session) -> None:
    with pytest.raises(AttributeError):
        session.eval_text("(with-exception-handler (lambda (e) 1) (lambda () (car 5)))")


def test_handlers_are_gone_after_an_error_has_left(session: Session) -> None:
    with pytest.raises(SchemeError):
        session.eval_text("(with-exception-handler (lambda (e) (error e)) (lambda () (raise 1)))")
    with pytest.raises(SchemeError) as raised:
        session.eval_text("(raise 'alone)")
    assert write(raised.value.payload) == "alone"


# `(later x)` calls an unknown procedure in tail position, so the value has to be forced
TAIL_CALLING = "(define box (list values)) (define (later x) ((car box) x))"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("(+ 1 (call/cc (lambda (k) (later 1))))", "2"),
        ("(+ 1 (dynamic-wind (lambda () (later 1)) (lambda () (later 1)) (lambda () (later 1))))",
         "2"),
        ("(+ 1 (with-exception-handler (lambda (e) (later 1)) (lambda () (later 1))))", "2"),
        ("(+ 1 (with-exception-handler (lambda (e) (later e)) (lambda () (raise-continuable 1))))",
         "2"),
        ("(+ 1 (with-exception-handler (lambda (e) (later 1)) (lambda () (car 1)) #:unwind? #t))",
         "2"),
        ("(+ 1 (catch #t (lambda () (later 1)) (lambda _ (later 1))))", "2"),
        ("(+ 1 (catch #t (lambda () (car 1)) (lambda _ (later 1))))", "2"),
        ("(+ 1 (with-throw-handler #t (lambda () (later 1)) (lambda _ (later 1))))", "2"),
        ("(+ 1 (call-with-values (lambda () (later 1)) (lambda (x) (later x))))", "2"),
        ("(+ 1 (call-with-values (lambda () (values 1 2)) (lambda (x y) (later x))))", "2"),
        ("(+ 1 (apply later '(1)))", "2"),
        ("(+ 1 (force (delay (later 1))))", "2"),
        ("(+ 1 (call-with-prompt 'p (lambda () (later 1)) (lambda (k) 0)))", "2"),
        ("(+ 1 (call-with-prompt 'p (lambda () (abort-to-prompt 'p)) (lambda (k) (later 1))))",
         "2"),
        ("(+ 1 (parameterize (((make-parameter 0 later) 5)) (later 1)))", "2"),
        ("(+ 1 ((make-parameter 1 later)))", "2"),
        ("(+ 1 (with-fluids (((make-fluid) 2)) (later 1)))", "2"),
        ("(map (lambda (x) (later x)) '(1 2))", "(1 2)"),
    ],
)  # fmt: skip
def test_control_forces_what_its_procedures_return(
    session: Session, text: str, result: str
) -> None:
    assert shown(session, TAIL_CALLING + text) == result


@pytest.mark.parametrize(
    "text",
    [
        "(let loop ((i 0)) (if (= i 100000) 'done (apply loop (list (+ i 1)))))",
        "(let loop ((i 0)) (if (= i 100000) 'done"
        " (call-with-values (lambda () (values (+ i 1))) loop)))",
    ],
)
def test_apply_and_call_with_values_are_proper_tail_calls(session: Session, text: str) -> None:
    assert shown(session, text) == "done"


def test_an_exit_that_no_handler_takes_ends_the_program() -> None:
    for text, status in (
        ("(exit 3)", 3),
        ("(quit)", 0),
        ("(catch 'other (lambda () (exit #f)) list)", 1),
        ("(catch #t (lambda () (exit 5)) (lambda (key . rest) (apply throw key rest)))", 5),
        ("(catch #t (lambda () (primitive-exit 6)) list)", 6),
    ):
        with pytest.raises(SystemExit) as ended:
            Session([]).eval_text(text)
        assert ended.value.code == status, text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(exit 3.0)", "an exact integer"),
        ("(exit 1/2)", "an exact integer"),
        ("(throw 'quit 3.5)", "an exact integer"),
        ("(exit (expt 2 31))", r"irritants: \(2147483648\)"),
        ("(primitive-exit (- (expt 2 100)))", "Value out of range"),
    ],
)
def test_no_exit_status(text: str, message: str) -> None:
    with pytest.raises(SchemeError, match=message):
        Session([]).eval_text(text)


@pytest.mark.parametrize(
    "text", ["(expt 7 (expt 10 9))", "(expt 2/3 (expt 10 12))", "(ash 1 (expt 2 60))"]
)
def test_numbers_that_would_eat_the_machine_are_refused(text: str) -> None:
    with pytest.raises(SchemeError, match="more than"):
        Session([]).eval_text(text)
