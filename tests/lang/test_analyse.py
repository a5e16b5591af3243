"""The analysis finds loops, circles of tail calls, and variables that need boxes."""

from __future__ import annotations

from lang.analyse import Analysis, Form, analyse
from lang.data import UNSPECIFIED
from lang.ir import Call, Const, GDef, If, Lam, Let, Letrec, LRef, Node, Seq, Var
from lang.normalise import children, normalise
from lang.reader import read_all
from lang.runtime.core import core_bindings
from lang.session import Session
from lang.toplevel import TopLevel


def analysed(text: str) -> tuple[list[Form], Analysis]:
    session = Session([])
    top = TopLevel(session.user_module())
    forms = read_all(session.sources.add("a.scm", text))
    top.announce(forms)
    top.scan(forms)
    return analyse(top.nodes(), core_bindings())


def nodes_of(forms: list[Form], kind: type) -> list[Node]:
    found = []
    pending: list[Node] = [form.value for form in forms]
    while pending:
        node = pending.pop()
        if type(node) is kind:
            found.append(node)
        pending.extend(children(node))
    return found


def loops(text: str) -> int:
    forms, _ = analysed(text)
    return sum(bool(n.vars[0].loop) for n in nodes_of(forms, Letrec))  # type: ignore[attr-defined]


def dirty(text: str) -> set[str | None]:
    forms, analysis = analysed(text)
    return {f.key.partition(":")[2] for f in forms if f.key and f.value in analysis.dirty}  # type: ignore[comparison-overlap]


def test_a_named_let_is_a_loop_if_it_only_calls_itself_last() -> None:
    assert loops("(define (f n) (let l ((i n)) (if (= i 0) 1 (l (- i 1)))))") == 1
    assert loops("(define (f n) (define (l i) (if (= i 0) 1 (l (- i 1)))) (l n))") == 1
    assert loops("(define (f n) (let l ((i n)) (if (= i 0) 1 (+ 1 (l (- i 1))))))") == 0
    assert loops("(define (f n) (let l ((i n)) (if (= i 0) l (l (- i 1)))))") == 0
    assert loops("(define (f n) (let l ((i n)) (list (lambda () (l 1)))))") == 0
    assert loops("(define (f n) (let l ((i n)) (if (= i 0) 1 (l (- i 1) 2))))") == 0


def test_a_jump_out_of_two_loops_makes_the_outer_one_a_procedure() -> None:
    text = """(define (f n) (let a ((i 0)) (let b ((j 0)) (let c ((k 0))
      (cond ((= k 1) (a 1)) ((= k 2) (b 1)) ((= k 3) 'end) (else (c (+ k 1))))))))"""
    assert loops(text) == 2


def test_only_circles_and_unknown_procedures_make_a_procedure_dirty() -> None:
    assert dirty("(define (f n) (if (= n 0) 1 (f (- n 1))))") == set()
    assert dirty("(define (g n) (* n 2)) (define (f n) (g n))") == set()
    assert dirty("(define (e n) (or (= n 0) (o n))) (define (o n) (e n))") == {"e", "o"}
    assert dirty("(define (f g) (g 1))") == {"f"}
    assert dirty("(define (g h) (h 1)) (define (f n) (g n)) (define (k n) (+ 1 (g n)))") == {
        "g",
        "f",
    }
    assert dirty("(define (f . n) (f 1))") == {"f"}


def test_variables_are_boxed_only_in_loops() -> None:
    _, analysis = analysed("(define (f x) (lambda () (set! x 1) x))")
    assert not analysis.boxed
    _, analysis = analysed(
        "(define (f) (let l ((i 0)) (let ((x i)) (list (lambda () (set! x 1))) (l x))))"
    )
    assert {var.name for var in analysis.boxed} == {"x"}


def test_an_assigned_global_is_not_known() -> None:
    _, analysis = analysed("(define (f) 1) (define (g) (set! f 2)) (define (f2) (f))")
    assert {key.partition(":")[2] for key in analysis.known} == {"g", "f2"}


def test_normal_forms() -> None:
    x, y, z = Var("x"), Var("y"), Var("z")
    applied = normalise(Call(Lam([x], None, LRef(x)), [Const(1)]))
    assert isinstance(applied, Let)
    split = normalise(
        Letrec(
            [x, y, z],
            [Const(1), Lam([], None, Call(LRef(y), [])), LRef(x)],
            LRef(z),
        )
    )
    assert isinstance(split, Let)
    assert isinstance(split.body, Letrec)
    assert split.body.vars == [y]
    assert isinstance(split.body.body, Let)
    assert isinstance(normalise(If(Const(False), Const(1), LRef(x))), LRef)
    f = Var("f")
    once = normalise(Let([f], [Lam([x], None, LRef(x))], Call(LRef(f), [Const(1)])))
    assert isinstance(once, Let)
    assert once.vars == [x]
    flat = normalise(Seq([Const(1), Seq([Call(LRef(x), []), Const(2)]), Const(UNSPECIFIED)]))
    assert isinstance(flat, Seq)
    assert len(flat.nodes) == 2
    assert isinstance(normalise(GDef("k", Seq([Const(1), Const(2)]))), GDef)
