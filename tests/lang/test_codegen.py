"""Compiled programs compute what Scheme says: tail calls, loops, closures, parameters, numbers."""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lang.data import python_list
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
        ("(let loop ((i 0) (s 0)) (if (= i 1000000) s (loop (+ i 1) (+ s i))))", "499999500000"),
        ("(define (f n) (if (= n 0) 'done (f (- n 1)))) (f 1000000)", "done"),
        ("(define (ev? n) (if (= n 0) #t (od? (- n 1))))"
         "(define (od? n) (if (= n 0) #f (ev? (- n 1)))) (ev? 1000000)", "#t"),
        ("(define (count n) (if (= n 0) 0 (+ 1 (count (- n 1))))) (count 100000)", "100000"),
        # local mutual recursion
        ("(define (f n) (letrec ((e (lambda (n) (or (= n 0) (o (- n 1)))))"
         " (o (lambda (n) (and (> n 0) (e (- n 1)))))) (e n))) (f 200000)", "#t"),
        # tail calls of unknown procedures
        ("(define (k n f) (if (= n 0) (f n) (k (- n 1) (lambda (x) (f (+ x 1))))))"
         "(k 100000 (lambda (x) x))", "100000"),
        ("(define (step f n) (if (= n 0) 'end (f f (- n 1)))) (step step 200000)", "end"),
        ("(define f #f) (define (g n) (if (= n 0) 'end (f (- n 1)))) (set! f g) (g 200000)", "end"),
        # a do loop, and a tail call out of `cond =>`, `case`, `and`, `or`, `when`
        ("(do ((i 0 (+ i 1)) (s '() (cons i s))) ((= i 3) s))", "(2 1 0)"),
        ("(define (f n) (cond ((= n 0) 'end) ((- n 1) => f))) (f 100000)", "end"),
        ("(define (f n) (case n ((0) 'end) (else (and #t (or #f (when #t (f (- n 1))))))))"
         "(f 99999)",
         "end"),
        # parameters of all kinds in tail calls
        ("(define (f n . r) (if (= n 0) r (apply f (- n 1) r))) (f 10000 1 2)", "(1 2)"),
        ("(define* (f n #:optional (a n)) (if (= n 0) a (f (- n 1) a))) (f 10000)", "10000"),
        ("(define* (f n #:key (a n)) (if (= n 0) a (f (- n 1) #:a a))) (f 10000)", "10000"),
    ],
)  # fmt: skip
def test_tail_calls_and_deep_recursion(session: Session, text: str, result: str) -> None:
    assert shown(session, text) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        # loops inside loops, in value and in tail position, jumping outwards
        ("(define (f n) (let o ((i 0) (t 0)) (if (= i n) t (let in ((j 0) (t t))"
         " (if (= j 3) (o (+ i 1) t) (in (+ j 1) (+ t 1))))))) (f 100)", "300"),
        ("(define (f n) (+ 1 (let o ((i 0) (t 0)) (if (= i n) t (let in ((j 0) (t t))"
         " (if (= j 3) (o (+ i 1) t) (in (+ j 1) (+ t 1)))))))) (f 100)", "301"),
        ("(define (f n) (let a ((i 0)) (if (= i n) 'end (let b ((j 0)) (if (= j 2) (a (+ i 1))"
         " (let c ((k 0)) (if (= k 2) (b (+ j 1)) (c (+ k 1))))))))) (f 3)", "end"),
        ("(define (f n) (let a ((i 0)) (if (= i n) 'end (let b ((j 0)) (let c ((k 0))"
         " (cond ((= k 2) (a (+ i 1))) ((= k 9) (b 1)) (else (c (+ k 1))))))))) (f 3)", "end"),
        ("(define (f n) (if (= n 0) 'end (let a ((i 0)) (if (= i 2) (f (- n 1)) (a (+ i 1))))))"
         "(f 1000)", "end"),
        ("(define (f n) (if (= n 0) 'end (let a ((i 0)) (let b ((j 0)) (if (= j 1) (f (- n 1))"
         " (b (+ j 1))))))) (f 1000)", "end"),
        ("(list (let loop ((i 0)) (if (< i 5) (loop (+ i 1)) i)) 'after)", "(5 after)"),
        ("(let loop ((i 0)) (if (< i 5) (begin (list i) (loop (+ i 1))))) 'after", "after"),
        ("(define (f n) (let o ((i 0)) (if (< i n) (let in ((j 0)) (if (= j 3) (o (+ i 1))"
         " (in (+ j 1)))) (list i 'end)))) (f 4)", "(4 end)"),
        ("(define (f n) (if (> n 0) (let in ((j 0)) (if (= j 3) (f (- n 1)) (in (+ j 1)))) 'end))"
         "(f 4)", "end"),
        ("(list (let o ((i 0)) (if (< i 4) (let in ((j 0)) (if (= j 3) (o (+ i 1)) (in (+ j 1))))"
         " (list i 'end))))", "((4 end))"),
        ("(list (let o ((i 0)) (if (< i 4) (if (even? i) (o (+ i 1)) (let in ((j 0)) (if (= j 3)"
         " 'got (in (+ j 1))))) (list i 'end))))", "(got)"),
        # not a loop: the procedure is used as a value, or called elsewhere
        ("(let loop ((i 3)) (if (= i 0) '() (cons i (loop (- i 1)))))", "(3 2 1)"),
        ("(let loop ((l '(1 (2 3)))) (cond ((pair? l) (map loop l)) (else (+ l 1))))", "(2 (3 4))"),
        # simultaneous assignment
        ("(let loop ((a 1) (b 2) (i 0)) (if (= i 3) (list a b) (loop b a (+ i 1))))", "(2 1)"),
    ],
)  # fmt: skip
def test_loops(session: Session, text: str, result: str) -> None:
    assert shown(session, text) == result


FORCE_ALL = "(map (lambda (f) (f)) {})"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        # a closure made in a loop sees its own turn
        ("(let loop ((i 0) (a '())) (if (= i 3) a (loop (+ i 1) (cons (lambda () i) a))))",
         "(2 1 0)"),
        ("(let loop ((i 0) (a '())) (if (= i 3) a (let ((x (* i i)))"
         " (loop (+ i 1) (cons (lambda () x) a)))))", "(4 1 0)"),
        ("(define (f i a) (if (= i 3) a (f (+ i 1) (cons (lambda () i) a)))) (f 0 '())", "(2 1 0)"),
        # and its own assignments
        ("(let loop ((i 0) (a '())) (if (= i 3) a (let ((x i))"
         " (loop (+ i 1) (cons (lambda () (set! x (+ x 10)) x) a)))))", "(12 11 10)"),
        ("(let loop ((i 0) (a '())) (if (= i 3) a (begin (set! i (+ i 1))"
         " (loop i (cons (lambda () (set! i (* i 2)) i) a)))))", "(6 4 2)"),
        # a variable around the loop is shared
        ("(let ((n 0)) (let loop ((i 0) (a '())) (if (= i 3) a"
         " (loop (+ i 1) (cons (lambda () (set! n (+ n 1)) n) a)))))", "(1 2 3)"),
        # recursive procedures made in a loop
        ("(let loop ((i 0) (a '())) (if (= i 3) a (letrec"
         " ((e (lambda (n) (if (= n 0) i (o (- n 1))))) (o (lambda (n) (and (> n 0) (e (- n 1))))))"
         " (loop (+ i 1) (cons (lambda () (e 2)) a)))))", "(2 1 0)"),
        ("(let loop ((i 0) (a '())) (if (= i 3) a (let ()"
         " (define (f n) (if (= n 0) i (f (- n 1)))) (loop (+ i 1) (cons (lambda () (f 2)) a)))))",
         "(2 1 0)"),
        # through a loop nest that became a function of its own
        ("(list-copy (let o ((i 0) (a '())) (if (= i 2) a (let in ((j 0) (a a)) (if (= j 2)"
         " (o (+ i 1) a) (in (+ j 1) (cons (lambda () (list i j)) a)))))))",
         "((1 1) (1 0) (0 1) (0 0))"),
    ],
)  # fmt: skip
def test_closures_capture_variables_not_slots(session: Session, text: str, result: str) -> None:
    definition, paren, last = text.rpartition("(f 0")
    text = definition + FORCE_ALL.format(paren + last) if paren else FORCE_ALL.format(text)
    assert shown(session, text) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("((lambda* (a #:optional (b 2) (c (+ a b))) (list a b c)) 1)", "(1 2 3)"),
        ("((lambda* (a #:optional b) (list a b)) 1)", "(1 #f)"),
        ("((lambda* (a #:key (b 2) c) (list a b c)) 1 #:c 5)", "(1 2 5)"),
        ("((lambda* (#:optional a #:key b) (list a b)) #:b 2)", "(#f 2)"),
        ("((lambda* (#:optional a #:key b) (list a b)) 1 #:b 2)", "(1 2)"),
        ("((lambda* (a #:key b #:rest r) (list a b r)) 1 #:b 2)", "(1 2 (#:b 2))"),
        ("((lambda* (#:key a #:allow-other-keys) a) #:z 1 #:a 2)", "2"),
        ("((lambda* (a #:rest r) r) 1 2 3)", "(2 3)"),
        ("((lambda* (a #:optional (b 1) . r) (list a b r)) 1 2 3)", "(1 2 (3))"),
        ("((lambda* (#:key (a 1) (b (+ a 1))) b) #:a 5)", "6"),
        ("((lambda args args))", "()"),
        ("((lambda (a . r) r) 1)", "()"),
        ("(define f (case-lambda ((a) 1) ((a b) 2) ((a b . r) (list r)) (() 0)))"
         "(list (f) (f 1) (f 1 2) (f 1 2 3))", "(0 1 2 ((3)))"),
        ("(define f (case-lambda* ((a #:key b) (list a b)) ((a b c) 3))) (f 1 #:b 2)", "(1 2)"),
        ("(define f (case-lambda ((n) (f n '())) ((n a) (if (= n 0) a (f (- n 1) (cons n a))))))"
         "(length (f 10000))", "10000"),
    ],
)  # fmt: skip
def test_parameters(session: Session, text: str, result: str) -> None:
    assert shown(session, text) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        # local names that are also names of globals, of Python and of the compiler
        ("(define (f list) (cons list '(1))) (f 2)", "(2 1)"),
        ("(let ((None 1) (True 2) ($TAIL 3) (x.1 4)) (list None True $TAIL x.1))", "(1 2 3 4)"),
        ("(define-syntax m (syntax-rules () ((_ x) (car (list x 2)))))"
         "(let ((list 1) (car 2)) (m list))", "1"),
        ("(let ((x 1)) (let ((x (+ x 1)) (y x)) (list x y)))", "(2 1)"),
        # order and statements inside expressions
        ("(let ((n 0)) (define (next) (set! n (+ n 1)) n)"
         " (list (next) (let ((a (next))) (begin (set! a (* a 10)) a)) (next)))", "(1 20 3)"),
        ("(let ((x 1)) (list x (begin (set! x 2) x) x))", "(1 2 2)"),
        ("(list (or #f (let loop ((i 0)) (if (= i 2) i (loop (+ i 1))))) (and 1 2) (or))",
         "(2 2 #f)"),
        ("(if (and (or #f 1) (not (and 1 #f))) 'yes 'no)", "yes"),
        ("(let ((t 5)) (or #f t))", "5"),
        ("(define (f x) (or (and (pair? x) (car x)) (begin (list x) 'none))) (list (f '(1)) (f 1))",
         "(1 none)"),
        # definitions and assignments
        ("(define x 1) (define (g) (set! x (+ x 1)) x) (g) (g)", "3"),
        ("(define (f) (define a 1) (define (g) (* a 2)) (define b (g)) (+ a b)) (f)", "3"),
        ("(define (f) (define-values (a b) (values 1 2)) (+ a b)) (f)", "3"),
        ("(begin (define a 1) (define b (+ a 1))) (list a b)", "(1 2)"),
        ("(define (fold f x l) (if (null? l) x (fold f (f x (car l)) (cdr l)))) (fold - 0 '(1 2))",
         "-3"),
        # a core name with a new meaning is not written out
        ("(define (car x) 'mine) (car '(1))", "mine"),
        ("(define (f car) (car 1)) (f list)", "(1)"),
        ("(define old-car car) (list (old-car '(1)) (map car '((1) (2))))", "(1 (1 2))"),
        ("(eq? 'a 'a)", "#t"),
        ("(list (eq? '() '()) (eqv? 1 1.0) (eqv? 100000 (+ 99999 1)) (equal? \"a\" \"a\"))",
         "(#t #f #t #t)"),
    ],
)  # fmt: skip
def test_names_order_and_definitions(session: Session, text: str, result: str) -> None:
    assert shown(session, text) == result


@pytest.mark.parametrize(
    "text",
    ['(+ "a" "b")', "(+ #t 1)", "(+ 1 (car '(#f)))", '(* 2 "a")', '(< "a" "b")', '(= "a" "a")',
     "(= 1 #t)", "(zero? #f)", "(- #t)", "(1+ \"a\")", "(+ '(1) '(2))", "(+ (vector) (vector))",
     "(even? 'a)", "(modulo \"%d\" 2)", "(let ((x #t)) (if #f (+ x 1) (* x 2)))",
     "(let loop ((i 0) (x 1)) (if (= i 1) (+ x 1) (loop (+ i 1) #t)))",
     "(define (f x) (if (> x 0) #f 1)) (+ 1 (f 5))",
     "(define (f x) (if (> x 0) (g x) 1)) (define (g x) (if (= x 1) (f 0) \"s\")) (+ 1 (f 5))",
     "(define (f x) (if (> x 0) (f (- x 1)) #t)) (+ 1 (f 5))",
     "(define (f x) (or (> x 0) x)) (+ 1 (f 5))",
     "(define (f x) (let loop ((i x)) (if (> i 3) #t (loop (+ i 1))))) (+ 1 (f 5))"],
)  # fmt: skip
def test_arithmetic_takes_numbers_only(session: Session, text: str) -> None:
    with pytest.raises((TypeError, SchemeError)):
        session.eval_text(text)


def test_long_and_deep_programs_compile(session: Session) -> None:
    clauses = "".join(f"((= x {i}) {i})" for i in range(600))
    text = (
        f"(define (f x) (cond {clauses} (else 'no))) (define x 3) (list (f 599) (cond {clauses}))"
    )
    assert shown(session, text) == "(599 3)"
    assert shown(session, "(+ 1 " * 3000 + "0" + ")" * 3000) == "3000"
    assert shown(session, f"(and {'1 ' * 3000})") == "1"
    assert shown(session, f"(length (list {'1 ' * 5000}))") == "5000"
    assert shown(session, "(let ((x 1)) " * 800 + "x" + ")" * 800) == "1"


def test_more_nested_loops_than_python_has_blocks(session: Session) -> None:
    depth = 30
    text = "x"
    for i in reversed(range(depth)):
        text = f"(let l{i} ((x (+ x 1)) (i 0)) (if (= i 1) {text} (l{i} x (+ i 1))))"
    assert shown(session, f"(let ((x 0)) {text})") == str(depth)


NUMBERS = st.integers(-5, 5)
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
TESTS = {"<": operator.lt, "=": operator.eq, ">=": operator.ge}


def expressions(variables: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Nested tuples: numbers, variables, operators, tests, let, set! and calls of lambdas."""
    leaves: st.SearchStrategy[Any] = NUMBERS
    if variables:
        leaves = leaves | st.sampled_from(variables)

    def extend(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        compound = st.tuples(st.sampled_from(sorted(OPERATORS)), inner, inner) | st.tuples(
            st.just("if"), st.tuples(st.sampled_from(sorted(TESTS)), inner, inner), inner, inner
        )
        if len(variables) >= 4:
            return compound
        name = f"v{len(variables)}"
        scoped = expressions((*variables, name))
        return (
            compound
            | st.tuples(st.just("let"), st.just(name), inner, scoped)
            | st.tuples(st.just("call"), st.just(name), inner, scoped)
            | st.tuples(st.just("set"), st.just(name), inner, scoped, scoped)
        )

    return st.recursive(leaves, extend, max_leaves=8)


def as_scheme(x: Any) -> str:
    match x:
        case ("let", name, value, body):
            return f"(let (({name} {as_scheme(value)})) {as_scheme(body)})"
        case ("call", name, value, body):
            return f"((lambda ({name}) {as_scheme(body)}) {as_scheme(value)})"
        case ("set", name, value, new, body):
            scheme = f"(set! {name} {as_scheme(new)}) (let ((f (lambda () {as_scheme(body)}))) (f))"
            return f"(let (({name} {as_scheme(value)})) {scheme})"
        case (head, *rest):
            return f"({head} {' '.join(map(as_scheme, rest))})"
    return str(x)


def evaluate(x: Any, scope: dict[str, int]) -> Any:
    match x:
        case int():
            return x
        case str():
            return scope[x]
        case ("if", (test, left, right), yes, no):
            truth = TESTS[test](evaluate(left, scope), evaluate(right, scope))
            return evaluate(yes if truth else no, scope)
        case ("let" | "call", name, value, body):
            return evaluate(body, {**scope, name: evaluate(value, scope)})
        case ("set", name, value, new, body):
            inner = {**scope, name: evaluate(value, scope)}
            inner[name] = evaluate(new, inner)
            return evaluate(body, inner)
        case (head, *rest):
            return reduce(OPERATORS[head], [evaluate(item, scope) for item in rest])
    raise AssertionError(x)


@settings(deadline=None, max_examples=60)
@given(expressions(()))
def test_random_programs_agree_with_a_plain_evaluator(session: Session, x: Any) -> None:
    assert session.eval_text(as_scheme(x)) == evaluate(x, {})
    assert session.eval_text(f"(define (f) {as_scheme(x)}) (+ 0 (f))") == evaluate(x, {})


LIMIT = 20
"""Turns of random loops end when the accumulator `a` is beyond this."""


def tails(depth: int) -> st.SearchStrategy[Any]:
    """What can stand last in `depth` nested loops: values, conditionals, jumps, more loops."""
    jumps = st.tuples(st.just("jump"), st.integers(0, depth - 1), st.integers(1, 4))
    simple = st.tuples(st.just("value"), NUMBERS) | jumps
    if depth >= 4:
        return simple
    deeper = st.deferred(lambda: tails(depth + 1))
    return st.recursive(
        simple | st.tuples(st.just("loop"), deeper),
        lambda inner: st.one_of(
            st.tuples(st.just("if"), st.integers(2, 4), inner, inner),
            st.tuples(st.just("let"), inner),
            st.tuples(st.just("keep"), inner),
            st.tuples(st.just("assign"), inner),
        ),
        max_leaves=4,
    )


def loop_as_scheme(x: Any, depth: int) -> str:
    match x:
        case ("value", number):
            return f"(+ a {number})"
        case ("jump", target, step):
            return f"(l{target} (+ a {step}))"
        case ("if", number, yes, no):
            branches = f"{loop_as_scheme(yes, depth)} {loop_as_scheme(no, depth)}"
            return f"(if (= 0 (modulo a {number})) {branches})"
        case ("let", inner):
            return f"(let ((a (+ a 1))) {loop_as_scheme(inner, depth)})"
        case ("keep", inner):
            return f"(begin (keep! (lambda () a)) {loop_as_scheme(inner, depth)})"
        case ("assign", inner):
            assigned = "(keep! (lambda () (set! b (+ b 1)) b))"
            return f"(let ((b a)) {assigned} {loop_as_scheme(inner, depth)})"
        case ("loop", inner):
            body = loop_as_scheme(inner, depth + 1)
            again = f"((= 0 (modulo a 5)) (l{depth} (+ a 1)))"
            return f"(let l{depth} ((a a)) (cond ((> a {LIMIT}) a) {again} (else {body})))"
    raise AssertionError(x)


def run_loop(x: Any, a: int, depth: int, kept: list[int]) -> tuple[int | None, int]:
    """(None, value), or (number of the loop that is jumped to, its next accumulator)."""
    match x:
        case ("value", number):
            return None, a + number
        case ("jump", target, step):
            return target, a + step
        case ("if", number, yes, no):
            return run_loop(yes if a % number == 0 else no, a, depth, kept)
        case ("let", inner):
            return run_loop(inner, a + 1, depth, kept)
        case ("keep", inner):
            kept.append(a)
            return run_loop(inner, a, depth, kept)
        case ("assign", inner):
            kept.append(a + 1)
            return run_loop(inner, a, depth, kept)
        case ("loop", inner):
            while a <= LIMIT:
                if a % 5 == 0:
                    a += 1
                    continue
                target, a = run_loop(inner, a, depth + 1, kept)
                if target != depth:
                    return target, a
            return None, a
    raise AssertionError(x)


@settings(deadline=None, max_examples=150)
@given(tails(1), st.booleans(), st.integers(0, 8))
def test_random_loop_nests_agree_with_a_plain_evaluator(
    session: Session, x: Any, as_procedure: bool, start: int
) -> None:
    nest = loop_as_scheme(("loop", x), 0)
    call = f"(list (let ((a {start})) {nest}))"
    if as_procedure:
        nest = nest.replace("(let l0 ((a a))", "(define (l0 a)", 1)
        call = f"(let () {nest} (list (l0 {start})))"
    text = f"""
    (define kept '()) (define (keep! f) (set! kept (cons f kept)))
    (let ((result {call}))
      (cons (car result) (reverse (map (lambda (f) (f)) kept))))"""
    kept: list[int] = []
    _, value = run_loop(("loop", x), start, 0, kept)
    assert python_list(session.eval_text(text)) == [value, *kept]
