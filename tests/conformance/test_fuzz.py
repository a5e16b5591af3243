"""Whatever a text holds, it gives a value or a Scheme condition that can be explained."""

from __future__ import annotations

import functools
import re
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lang import errors
from lang.printer import write
from lang.session import Session

STDLIB = Path(__file__).resolve().parents[2] / "stdlib"

NAMES = (
    "a b x if else => ... _ define lambda let let* letrec quote quasiquote unquote set! begin cond "
    "case and or do delay guard parameterize define-syntax let-syntax syntax-rules syntax-case "
    "define-record-type define-values let-values case-lambda match when unless named-lambda "
    "call/cc dynamic-wind values call-with-values apply map for-each car cdr cons list vector "
    "vector-ref string-append string-ref string->number number->string + - * / = < eq? equal? "
    "raise error with-exception-handler make-parameter force import define-library export "
    "use-modules define-module @ @@ include cond-expand eval current-module gexp ungexp "
    "define* lambda* receive cut <> assert syntax-error with-syntax datum->syntax "
    "exact sqrt expt log exp max floor/ modulo quotient even? zero? "
    "make-vector make-string list-tail substring assq length reverse append"
)
LITERALS = '0 1 -1 1/2 1.5 +inf.0 1+2i -i #t #f "s" "" #\\a #() #u8(1) #s8(1) #*10 () #:key'
ATOMS = st.sampled_from([*NAMES.split(), *LITERALS.split(), "(srfi 1)", "(scheme base)"])
DATA = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5).map(lambda items: f"({' '.join(items)})"),
        st.lists(inner, min_size=1, max_size=3).map(lambda i: f"({' '.join(i)} . {i[0]})"),
        inner.map(lambda datum: f"'{datum}"),
        inner.map(lambda datum: f"`{datum}"),
        inner.map(lambda datum: f",{datum}"),
        inner.map(lambda datum: f"#({datum} {datum})"),
        st.tuples(inner, inner).map(lambda pair: f"((lambda (x) {pair[0]}) {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"(let ((x {pair[0]})) {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"(define (a x) {pair[0]} {pair[1]})"),
    ),
    max_leaves=12,
)
PROGRAMS = st.lists(DATA, min_size=1, max_size=3).map(" ".join)
TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from("()[]'`,@#;|\"\\ \n\t.:~$+-xabe019/!&<=>{}%"), st.characters()
    ),
    max_size=40,
)


IMPORTS = (
    "(use-modules (srfi srfi-9) (srfi srfi-11) (srfi srfi-26) (srfi srfi-34) (srfi srfi-35)"
    " (ice-9 match) (ice-9 receive) (guix gexp))"
)


@functools.cache
def session() -> Session:
    return Session([STDLIB], library_roots=[STDLIB])


def outcome(text: str) -> str:
    """What `text` gives: its value written, or the explanation of its error."""
    run = session()
    try:
        return write(run.eval_text(text))
    except SystemExit:
        return "exit"
    except Exception as error:
        diagnosis = errors.explain(error, run.sources, lambda: ())
        rendered = errors.render(diagnosis, run.sources)
        assert rendered
        assert "internal error" not in rendered, f"{text!r}: {rendered}\n{error!r}"
        assert isinstance(diagnosis.message, str)
        return rendered


FUZZED = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@FUZZED
@example("#0=(car . #0#)")
@example("#0=(if #0# 1 2)")
@example("(quasiquote #0=(1 . #0#))")
@example("(let #0=((x 1) . #0#) x)")
@example("(define-syntax m (syntax-rules () ((_ . r) 'r))) (m . #0=(1 . #0#))")
@example("'#0=(#0# . #0#)")
@given(PROGRAMS)
def test_programs_give_a_value_or_a_condition(program: str) -> None:
    outcome(IMPORTS + program)


@FUZZED
@given(TEXTS)
def test_texts_give_a_value_or_a_condition(text: str) -> None:
    outcome(text)


@FUZZED
@given(TEXTS)
def test_data_from_a_port_are_read_or_refused(text: str) -> None:
    read = session().eval_text("(lambda (text) (read (open-input-string text)))")
    with suppress(errors.ReadError):
        write(read(text))  # type: ignore[operator]


WORDS = st.sampled_from([*NAMES.split(), *LITERALS.split()])
SEEDS = (
    "(define-syntax swap! (syntax-rules () ((_ a b) (let ((t a)) (set! a b) (set! b t)))))"
    " (let ((t 1) (u 2)) (swap! t u) (list t u))",
    "(define-syntax m (lambda (x) (syntax-case x () ((_ (a b ...) ...) #'(list a ... '(b ...) ...)"
    "))))  (m (1 2) (3))",
    "(define k #f) (call/cc (lambda (c) (set! k c))) (guard (e (#t e)) (raise 'x))",
    "(call-with-prompt 'p (lambda () (+ 1 (abort-to-prompt 'p 2))) (lambda (k v) (k v)))",
    "(match '(1 (2 3) 4) ((a (b ...) . c) (list a b c)) (_ 'no))",
    "(define-record-type p (make-p x) p? (x p-x))"
    " (define-values (a b) (values (make-p 1) 2)) (p-x a)",
    "(let-values (((q r) (floor/ 7 2))) (case q ((1 2) 'low) ((3) => list) (else r)))",
    "(define-condition-type &c &error c? (f c-f)) (guard (e ((c? e) (c-f e))) (raise 1))",
)
TOKENS = re.compile(r"#?['`,]@?|#?\(|\)|[^\s()'`,]+")


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """A program of SEEDS with some tokens replaced, left out, doubled or added."""
    tokens = TOKENS.findall(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(tokens) - 1))
        match draw(st.sampled_from(["replace", "drop", "double", "add"])):
            case "replace":
                tokens[at] = draw(WORDS) if tokens[at] not in "()" else tokens[at]
            case "drop" if len(tokens) > 1:
                del tokens[at]
            case "double":
                tokens.insert(at, tokens[at])
            case _:
                tokens.insert(at, draw(WORDS))
    return " ".join(tokens)


@FUZZED
@given(mutations())
def test_programs_with_mistakes_give_a_value_or_a_condition(program: str) -> None:
    outcome(IMPORTS + program)
