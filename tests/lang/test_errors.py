"""What a person is told about an error: the place, the message, the hint."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lang.errors import SchemeError, SchemeSyntaxError, explain, render
from lang.session import Session
from lang.sources import SourceMap

STDLIB = Path(__file__).resolve().parents[2] / "stdlib"


def diagnose(text: str) -> tuple[str, Session]:
    session = Session([STDLIB], library_roots=[STDLIB])
    module = session.user_module()
    with pytest.raises(Exception) as raised:
        session.eval_text(text, "t.scm", module)
    diagnosis = explain(
        raised.value,
        session.sources,
        lambda: session.bound_names(module),
        session.exporters,
        session.advice,
    )
    return render(diagnosis, session.sources), session


CASES = {
    "(define (f x)\n  (+ 1 (car x)))\n(list (f 5))": (
        "t.scm:2:8: error: car: Wrong type argument in position 1 (expecting a pair): 5\n"
        "    (+ 1 (car x)))\n"
        "         ^"
    ),
    '(list\n (strin-append "a"))': (
        "t.scm:2:3: error: Unbound variable: strin-append\n"
        '   (strin-append "a"))\n'
        "    ^\n"
        "hint: did you mean string-append"
    ),
    "(define (f a b) a)\n(list (f 1))": (
        "t.scm:2:7: error: f: Too few arguments, it is called as (f a b)"
    ),
    "(define (f a b) a)\n(list (f 1 2 3))": (
        "t.scm:2:7: error: f: Wrong number of arguments: 3 given, it is called as (f a b)"
    ),
    "(define* (f a #:optional b . c) a)\n(list (f))": (
        "t.scm:2:7: error: f: Too few arguments, it is called as (f a #:optional b . c)"
    ),
    "(define* (f #:key width) width)\n(list (f #:size 1))": (
        "t.scm:2:7: error: f: Unrecognized keyword: #:size (expected #:width)"
    ),
    "(define* (f #:key width) width)\n(list (f #:width))": (
        "t.scm:2:7: error: f: Keyword argument has no value: #:width"
    ),
    "(define h (case-lambda ((a) 1) ((a b) 2)))\n(list (h))": (
        "t.scm:2:7: error: h: Wrong number of arguments: 0 given, it is called as (h a) or (h a b)"
    ),
    '(list (+ 1 "a"))': "t.scm:1:7: error: +: Wrong type argument: a number is expected, not a str",
    "(list (* 2 #f))": (
        "t.scm:1:7: error: *: Wrong type argument in position 2 (expecting a number): #f"
    ),
    '(list ("a" 1))': "t.scm:1:7: error: a string is called as if it were a procedure",
    '(list (string-append "a" 5))': (
        "t.scm:1:7: error: string-append: Wrong type argument in position 2 (expecting a string): 5"
    ),
    "(let ((x 1))\n (+ x zz))": "t.scm:2:7: error: Unbound variable: zz",
    "(letrec ((a (lambda () b)) (b (a))) b)": (
        "t.scm:1:24: error: b is used before its definition"
    ),
    '(error "bad:" \'a "b")': 't.scm:1:1: error: bad: a "b"',
    "(raise 'foo)": "t.scm:1:1: error: raised: foo",
    "(throw 'my-key 1)": "t.scm:1:1: error: Throw to key my-key: 1",
    "(list (vector-ref (vector 1) 7))": "t.scm:1:7: error: vector-ref: Value out of range: 7",
    "(define (f x) (+ 1 (f x)))\n(f 1)": "t.scm:1:20: error: Stack overflow",
    '(let ((日 5)) (list "日本" (car 日)))': (
        "t.scm:1:25: error: car: Wrong type argument in position 1 (expecting a pair): 5\n"
        '  (let ((日 5)) (list "日本" (car 日)))\n'
        "                             ^"
    ),
    "(eval-when (expand load eval)\n (car 5))": "t.scm:2:2: error: car: Wrong type argument",
    '(display "abc': "t.scm:1:10: error:",
    "(list 1 2))": "t.scm:1:11: error:",
    "(let ((x 1) (y)) x)": "t.scm:1:13: error:",
    "(let ((x 1) y) x)": "t.scm:1:13: error: a binding in let is (variable value), not y",
    "(if)": "t.scm:1:1: error:",
    "(let loop ((i 0))\n  (if (< i 3)\n    (loop)))": (
        "t.scm:3:5: error: loop: Too few arguments, it is called as (loop i)"
    ),
    "(define (e? n) (if (= n 0) #t (o? (- n 1) 1)))\n(define (o? n) (e? (- n 1)))\n(e? 4)": (
        "t.scm:1:31: error: o?: Wrong number of arguments: 2 given, it is called as (o? n)"
    ),
    "(list 1 if)": "t.scm:1:9: error: if is syntax",
    "(f\n  (list 1\n(define x\n  2": "t.scm:2:3: error: ( is never closed",
    "(list (/ 5 0))": "t.scm:1:7: error: /: Division by zero",
    "(list (modulo 1/2 +i))": "t.scm:1:7: error: modulo: Wrong type argument: a real number is",
    "(list (string-ref (list->string '(#\\a)) 1.5))": "t.scm:1:7: error: string-ref: ",
    "((lambda (x) (list (vector-ref x 1.5))) (vector 1 2))": (
        "t.scm:1:20: error: Wrong type argument: an index is expected, not a real number"
    ),
    "(define-values (a b) (values 1 2 3))": (
        "t.scm:1:1: error: Wrong number of values: 3 for the names (a b)"
    ),
    "(use-modules (srfi srfi-11))\n(let-values (((a b) (values 1))) a)": (
        "t.scm:2:1: error: Too few values for the names (a b)"
    ),
    "(define-syntax-rule (m a) a)\n(list m)": "t.scm:2:7: error: m is a macro",
    "(define-syntax-rule (m a) (m (a)))\n(m 1)": "t.scm:2:1: error: the macro m expands without",
    "(define-syntax-rule (m a) (begin (m a)))\n(m 1)": "t.scm:2:1: error: the macro m expands",
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_the_place_and_the_message_are_the_programs(text: str, expected: str) -> None:
    report, _ = diagnose(text)
    assert report.startswith(expected), report


def test_a_users_file_is_preferred_to_a_library() -> None:
    session = Session([])
    module = session.user_module()
    library = session.sources.add("lib.scm", "(define (helper x) (+ 1 (car x)))", library=True)
    session._evaluate(library, module)
    with pytest.raises(AttributeError) as raised:
        session.eval_text("(define (mine)\n  (+ 1 (helper 5)))\n(mine)", "os.scm", module)
    diagnosis = explain(raised.value, session.sources, list)
    assert str(diagnosis.location) == "os.scm:2:8"
    assert [call.procedure for call in diagnosis.trace] == ["helper", "mine", "top level"]
    assert diagnosis.trace[0].library


def test_what_was_caught_and_raised_again_keeps_its_place() -> None:
    report, _ = diagnose(
        "(define (f)\n  (car 5))\n"
        "(with-exception-handler\n (lambda (e) (raise e))\n (lambda () (+ 1 (f)))\n #:unwind? #t)"
    )
    assert report.startswith("t.scm:2:3: error: car:"), report


def test_a_conditions_own_position_wins() -> None:
    sources = SourceMap()
    source = sources.add("os.scm", "(a\n (b))")
    error = SchemeSyntaxError(source.base + 4, "no b here", hint="remove it")
    report = render(explain(error, sources, list), sources)
    assert report == "os.scm:2:2: error: no b here\n   (b))\n   ^\nhint: remove it"


def test_mistakes_of_kiln_itself_are_called_that() -> None:
    diagnosis = explain(KeyError("x"), SourceMap(), list)
    assert diagnosis.internal
    assert "internal error: KeyError" in render(diagnosis, SourceMap())
    assert diagnosis.exception.args == ("x",)


def test_an_interrupt_is_no_error() -> None:
    with pytest.raises(KeyboardInterrupt):
        explain(KeyboardInterrupt(), SourceMap(), list)


def test_any_object_can_be_raised() -> None:
    diagnosis = explain(SchemeError((1, 2)), SourceMap(), list)
    assert diagnosis.location is None
    assert diagnosis.message.startswith("raised: ")


def test_endless_recursion_gives_a_short_trace() -> None:
    session = Session([])
    with pytest.raises(RecursionError) as raised:
        session.eval_text("(define (f x) (+ 1 (f x))) (f 1)")
    assert len(explain(raised.value, session.sources, list).trace) <= 50


def test_the_calls_that_led_to_an_error_are_shown() -> None:
    report, _ = diagnose(
        "(define (f x)\n  (+ 1 (g x)))\n(define (g x)\n  (* 2 (car x)))\n(list (f 5))"
    )
    assert report.splitlines()[3:] == [
        "  in g, t.scm:4:8",
        "  called by f, t.scm:2:8",
        "  called at t.scm:5:7",
    ]


def test_recursion_is_shown_once() -> None:
    report, _ = diagnose("(define (f n)\n  (if (= n 0) (car n) (+ 1 (f (- n 1)))))\n(f 9)")
    assert "  called by f, t.scm:2:28, 9 times" in report


@pytest.mark.parametrize(
    "use",
    ["(define (f x)\n  (inc x))\n(f 1)", "(define (f x)\n  (inc-twice x))\n(f 1)"],
)
def test_the_macro_that_made_the_code_is_named(use: str) -> None:
    macro = '(define-syntax-rule (inc x) (+ x "1")) (define-syntax-rule (inc-twice x) (inc x))\n'
    report, _ = diagnose(macro + use)
    name = "inc-twice" if "twice" in use else "inc"
    assert report.startswith("t.scm:3:3: error:")
    assert f"in the expansion of the macro {name}\n" in report


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("(guard (e (#t 1)) (raise 2))", "(srfi srfi-34) exports guard"),
        ("(let-values (((a b) (values 1 2))) a)", "(srfi srfi-11) exports let-values"),
        ("(list (fold + 0 '(1 2)))", "(srfi srfi-1) exports fold"),
        ("(match 5 ((? number? n) n))", "(ice-9 match) exports match"),
    ],
)
def test_the_module_of_an_unbound_name_is_named(text: str, module: str) -> None:
    report, _ = diagnose(text)
    assert f"hint: {module}: add (use-modules ({module[1:].partition(')')[0]}))" in report


def test_an_unbound_name_is_sought_in_its_form_only() -> None:
    report, _ = diagnose("(define-syntax-rule (m) (list (nowhere)))\n(m)\n'nowhere")
    assert report.startswith("t.scm:2:1: error: Unbound variable: nowhere"), report


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "(guard (e (else 1)) (raise 'a))",
            "1:2: error: Unbound variable: guard",
        ),
        (
            "(list (and-let* ((x 1) ((> x 0))) x))",
            "1:8: error: Unbound variable: and-let*",
        ),
        (
            "(define-syntax m (syntax-rule () ((_ a) a)))",
            "1:19: error: Unbound variable: syntax-rule\nhint: did you mean syntax-rules",
        ),
    ],
)
def test_a_form_that_is_not_imported_is_the_error_and_not_its_parts(
    text: str, expected: str
) -> None:
    found = re.sub(r"\n  .*\n .*\^", "", diagnose(text)[0])
    assert expected in found


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("(display (later 1))\n(define (later x) x)", "its definition, on line 2, comes after"),
        ("(define l (1 2 3))", "data are quoted, '(1 2 3), or listed, (list 1 2 3)"),
        ("(define x 5)\n(list (x))", "without parentheses, x is the variable's value"),
        ("(list (1 + 2))", "the operator comes first: (+ 1 2)"),
        ("(list 1, 2)", "blanks alone part what is in a list: write 1"),
        ("(define (f g) (if g (g) (g)))\n(list (f 5))", "this is about the last call in f"),
        (
            "(define (f g) (g))\n(list ((car (list f)) 5))",
            "this is about the last call in what is called here",
        ),
        ("(print 1)", "(display x) writes a value"),
        ("(list nil)", "'() is the empty list, #f is false"),
        (
            "(define-library (m) (export x) (import (scheme base)))\n(import (m))\n(list x)",
            "(m) exports x, but has not defined it by now",
        ),
        (
            "(use-modules ((srfi srfi-1) #:select (fold)))\n(list (first '(1)))",
            "(srfi srfi-1) exports first, which is not among what is imported of it",
        ),
        ("(f\n  (list 1\n(define x\n  2", "add ), probably before line 3"),
    ],
)
def test_what_beginners_mean_is_hinted_at(text: str, hint: str) -> None:
    assert f"hint: {hint}" in diagnose(text)[0]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("(define (f g)\n (g 1))\n(f 5)", "2:2"),
        ("(define (f g)\n (g 1))\n(f string-length)", "2:2"),
        ("(define (f g)\n (if #f (g) (g 1)))\n(f (lambda () 1))", "2:13"),
        ("(define (f g)\n (if (f? g) (f 1) (g 1)))(define (f? x) #f)\n(list (f 5))", "2:19"),
        ("(define (f g) (h g))(define (h g)\n (g 1 2))\n(list (f car))", "2:2"),
        ("(define (f g) (if (pair? g) (f 1)\n (g 1)))\n(map f '(1))", "2:2"),
        ("(define (a k) (b k))(define (b k)\n (k 1))\n(define (run g) (g 5))\n(run a)", "2:2"),
        ("(define (f g)\n (apply g '(1 2)))\n(f car)", "2:2"),
        ("(define (f g)\n (let loop ((i 0)) (if (< i 9) (loop (+ i 1)) (g i))))\n(f 5)", "2:47"),
        ("(define (f g) (define (inner x)\n (g x)) (inner 1))\n(f 5)", "2:2"),
        ("(define* (k #:key a) a)\n(define (f g)\n (g 1))\n(f k)", "3:2"),
        ("(define k (case-lambda ((a b) 1) ((a b c) 2)))\n(define (f g)\n (g 1))\n(f k)", "3:2"),
    ],
)
def test_a_tail_call_that_fails_is_shown_where_it_stands(text: str, place: str) -> None:
    assert diagnose(text)[0].startswith(f"t.scm:{place}: error: ")


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("(lambda (x y x) 1)", 14),
        ("(define (x x y . x) 1)", 18),
        ("(define (f #;x x ;x\n x) 1)", 2),
        ("(define* (f x #:optional (y x) #:key (x 2)) 1)", 39),
        ("(define* (f x #:optional (y 1) #:key x) 1)", 38),
        ("(define-syntax-rule (m a) (lambda (a y a) 1))(m z)", 46),
        ("(let ((x 1) (y x) (x 3)) x)", 19),
        ("(lambda (|x| X . x) 1)", 18),
    ],
)
def test_a_duplicate_variable_is_shown_where_it_stands(text: str, column: int) -> None:
    line = text.count("\n") + 1
    assert diagnose(text)[0].startswith(f"t.scm:{line}:{column}: error: duplicate variable ")


def test_nothing_undefined_can_be_set() -> None:
    report, _ = diagnose("(define (f) (set! later 1)) (f)")
    assert "Unbound variable: later" in report
    assert Session([]).eval_text("(define (f) (set! later 1)) (define later 0) (f) later") == 1


def test_a_handler_that_returns_is_told_of_the_error() -> None:
    report, _ = diagnose('(with-exception-handler (lambda (e) 1) (lambda () (error "x:" 2)))')
    assert "cannot be continued: x: 2" in report


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("(eval '(if) (current-module))", "syntax-error"),
        ('(read (open-input-string "(1"))', "read-error"),
        ("nowhere", "unbound-variable"),
    ],
)
def test_catch_knows_errors_by_guiles_keys(text: str, key: str) -> None:
    caught = f"(catch '{key} (lambda () {text}) (lambda (k . args) k))"
    assert str(Session([]).eval_text(caught)) == key


def test_a_transformer_must_be_a_procedure() -> None:
    report, _ = diagnose("(define-syntax m 5)")
    assert "m: a macro's transformer is a procedure, not 5" in report


def test_an_error_in_an_included_file_is_shown_there(tmp_path: Path) -> None:
    (tmp_path / "part.scm").write_text("(define (f x)\n  (string-append x 5))\n")
    (tmp_path / "os.scm").write_text('(include "part.scm")\n(define (g) (car (f 1)))\n(list (g))')
    session = Session([])
    with pytest.raises(SchemeError) as raised:
        session.load_file(tmp_path / "os.scm")
    report = render(explain(raised.value, session.sources, list), session.sources)
    shown = report.replace(f"{tmp_path}/", "").splitlines()
    assert shown[0].startswith("part.scm:2:3: error: string-append: ")
    assert shown[1:3] == ["    (string-append x 5))", "    ^"]
    assert shown[4:] == ["  called by g, os.scm:2:18", "  called at os.scm:3:7"]


def test_included_forms_in_a_body_are_shown_in_their_file(tmp_path: Path) -> None:
    (tmp_path / "one.scm").write_text("(define (f x)\n  (car x))\n")
    (tmp_path / "two.scm").write_text("(list 1\n  (f y))\n")
    text = '(define (main y)\n  (include "one.scm")\n  (list (include "two.scm") y))\n(main 5)'
    (tmp_path / "os.scm").write_text(text)
    session = Session([])
    with pytest.raises(AttributeError) as raised:
        session.load_file(tmp_path / "os.scm")
    report = render(explain(raised.value, session.sources, list), session.sources)
    shown = report.replace(f"{tmp_path}/", "").splitlines()
    assert shown[0].startswith("one.scm:2:3: error: car: ")
    assert shown[1:3] == ["    (car x))", "    ^"]
    calls = ["in f, one.scm:2:3", "called by main, two.scm:2:3", "called at os.scm:4:1"]
    assert [line.strip() for line in shown[3:]] == calls


@pytest.mark.parametrize(
    "call", ["(map 1+ l)", "(reverse l)", "(apply + l)", "(length l)", "(list-copy l)"]
)
def test_lists_without_end_are_refused(call: str) -> None:
    report, _ = diagnose(f"(define l (list 1 2 3)) (set-cdr! (cddr l) l)\n{call}")
    assert report.startswith("t.scm:2:1: error: "), report
    assert "(expecting a list): #0=(1 2 3 . #0#)" in report
