"""The expander: definitions, scoping, and what is said about forms that are wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lang.session import Session

Show = Callable[[str], str]
Refused = Callable[[str], tuple[str, str, str]]


def test_a_file_sees_its_own_definitions_before_they_stand(show: Show) -> None:
    assert show("(define (f) (filter 1)) (define (filter x) (list 'mine x)) (f)") == "(mine 1)"


def test_a_transformer_can_call_procedures_of_its_file(show: Show) -> None:
    program = """(define-syntax m (lambda (x) (syntax-case x () ((_ a) (twice #'a)))))
    (define (twice x) #`(list #,(same x) #,x))
    (define (same x) x)
    (m 4)"""
    assert show(program) == "(4 4)"


def test_eval_when_runs_at_expansion(show: Show) -> None:
    program = """(eval-when (expand load eval) (define table '((a . 1))))
    (define-syntax m (lambda (x) (syntax-case x () ((_ k)
      (datum->syntax x (cdr (assq (syntax->datum #'k) table)))))))
    (m a)"""
    assert show(program) == "1"


def test_named_let_and_deep_recursion_run(show: Show) -> None:
    assert show("(let loop ((i 0)) (if (< i 10) (loop (+ i 1)) i))") == "10"
    assert show("(let f ((n 100000)) (if (= n 0) 0 (+ 1 (f (- n 1)))))") == "100000"


def test_definitions_of_several_values(show: Show) -> None:
    assert show("(define-values (a b . c) (values 1 2 3 4)) (list a b c)") == "(1 2 (3 4))"


def test_curried_definitions(show: Show) -> None:
    assert show("(define ((add a) b) (+ a b)) ((add 1) 2)") == "3"


def test_current_source_location_is_where_the_macro_is_used(session: Session) -> None:
    program = "(define-syntax-rule (here) (current-source-location))\n\n  (here)"
    assert str(session.eval_text(program, "a.scm")) == "a.scm:3:3"


def test_unbound_names_fail_when_they_are_evaluated(session: Session, show: Show) -> None:
    assert show("(define (f) (no-such-thing)) 'fine") == "fine"
    with pytest.raises(NameError):
        session.eval_text("(no-such-thing)")


@pytest.mark.parametrize(
    ("program", "message", "place"),
    [
        ("(if)", "wrong use of if: (if)", "1:1"),
        ("(let ((x 1)\n (x 2)) x)", "duplicate variable x", "2:2"),
        ("(let ((x)) x)", "a binding in let is (variable value), not (x)", "1:7"),
        ("(let (x 1) x)", "a binding in let is (variable value), not x", "1:1"),
        ("(lambda (a a) 1)", "duplicate variable a", "1:12"),
        ("(lambda (3) 1)", "a variable's name is expected, not 3", "1:1"),
        ("(define (f)\n (define x 1))", "the body of define ends in a definition", "1:1"),
        ("(let ())", "wrong use of let: (let ())", "1:1"),
        ("(list 1 . 2)", "a call cannot end in a dot: (list 1 . 2)", "1:1"),
        ("(list\n (define x 1))", "define: a definition where an expression is expected", "2:2"),
        ("(list if)", "if is syntax and cannot be used as a variable", "1:1"),
        ("(list (+ 1 2)\n  ())", "an empty combination: () is no expression", "1:1"),
        ("(set! if 3)", "set!: if is not a variable", "1:1"),
        ("(let () (define x 1) (define x 2) x)", "x is defined twice in the same body", "1:22"),
        ("(cond (else 1) (#t 2))", "else must be the last clause", "1:7"),
        ("(case 1 (2 3))", "the data of a case clause must be in a list, not 2", "1:9"),
        ("(define x 1 2)", "define x: more than one value", "1:1"),
        ("(else)", "else cannot stand here: (else)", "1:1"),
        ("(lambda (a #:key b) a)", "a parameter list of lambda cannot hold #:key", "1:1"),
        (
            "(let ((y 1)) (define-syntax m (lambda (x) y)) (m))",
            "the transformer of m uses the local variable y, "
            "which has no value yet when macros are expanded",
            "1:31",
        ),
    ],
)
def test_wrong_forms_are_refused_where_they_stand(
    refused: Refused, program: str, message: str, place: str
) -> None:
    assert refused(program)[:2] == (message, place)


def test_errors_in_macro_uses_point_at_the_use(refused: Refused) -> None:
    program = "(define-syntax-rule (two a b) (list a b))\n (two 1)"
    message, place, hint = refused(program)
    assert message == "wrong use of two: no pattern fits (two 1)"
    assert (place, hint) == ("2:2", "it is used as (two a b)")


def test_procedures_of_builds_cannot_be_called_by_a_configuration() -> None:
    session = Session([], stage="configuration")
    staged = sorted(
        name.name for name, b in session.core.table.items() if "Staged" in repr(type(b))
    )
    if not staged:
        pytest.skip("no core procedure is staged")
    with pytest.raises(Exception, match="exists only inside builds"):
        session.eval_text(f"({staged[0]})")
    assert staged[0] in Session([], stage="build").globals


def test_a_macro_that_fails_is_reported_where_it_is_used(refused: Refused) -> None:
    program = "(define-syntax m\n  (lambda (x) (car 5)))\n(list\n  (m 1))"
    message, place, _ = refused(program)
    assert message.startswith("the macro m failed: car: Wrong type argument")
    assert message.endswith("(at <eval>:2:15)")
    assert place == "4:3"


def test_core_variables_cannot_be_assigned(refused: Refused, show: Show) -> None:
    assert refused("(set! car cdr)")[0] == "set!: car belongs to the core and cannot be changed"
    assert show("(define car 1) (set! car 2) car") == "2"
