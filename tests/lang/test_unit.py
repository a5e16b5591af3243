"""Units: run, kept as bytes, run again; line tables; redefinition between units."""

from __future__ import annotations

import marshal
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lang.constants import UnserialisableConstantError, decode, encode
from lang.data import (
    EOF,
    NIL,
    UNSPECIFIED,
    MString,
    Values,
    char,
    cons,
    keyword,
    scheme_list,
    symbol,
)
from lang.ir import Call, Const, GDef, GRef, Lam, LRef, Node, Var
from lang.printer import write
from lang.rationals import normalised
from lang.reader import read_one
from lang.runtime.core import core_bindings
from lang.runtime.equality import is_equal
from lang.session import Session
from lang.sources import Location, SourceMap
from lang.unit import Unit, compile_unit, run


def compiled(nodes: list[Node], sources: SourceMap | None = None, name: str = "u") -> Unit:
    return compile_unit(nodes, sources or SourceMap(), name, core=core_bindings())


def variables() -> dict[str, Any]:
    return core_bindings()


def test_the_value_of_a_unit_is_its_last_forms() -> None:
    assert run(compiled([Const(1), Const(symbol("a"))]), variables()) is symbol("a")
    assert run(compiled([GDef("m:x", Const(1))]), variables()) is UNSPECIFIED
    assert run(compiled([]), variables()) is UNSPECIFIED


def test_a_unit_survives_being_written() -> None:
    quoted = scheme_list([symbol("a"), 1, "s", char("x"), keyword("k")], normalised("1/3"))
    unit = compiled([GDef("m:x", Const(quoted)), GRef("m:x")])
    again = Unit.from_bytes(unit.to_bytes())
    assert is_equal(run(again, variables()), quoted)
    assert marshal.loads(again.to_bytes()) == marshal.loads(unit.to_bytes())
    assert again.assumed == unit.assumed


def test_equal_input_gives_equal_units() -> None:
    def unit() -> object:
        made = compiled([Const(scheme_list([1, 2])), Const([symbol("z")])])
        return marshal.loads(made.to_bytes())

    assert unit() == unit()


def test_literals_of_different_units_do_not_meet() -> None:
    session = Session([])
    module = session.user_module()
    session.eval_text("(define (f) '(1 2))", module=module)
    session.eval_text("(define (g) '(3 4))", module=module)
    assert session.eval_text("(equal? (append (f) (g)) '(1 2 3 4))", module=module) is True


def atoms() -> st.SearchStrategy[Any]:
    return st.sampled_from(
        (NIL, EOF, UNSPECIFIED, True, False, None, symbol("a b"), keyword("k"), char("ä"))
    ) | st.sampled_from((1 << 80, 1.5, "text", b"bytes", normalised("2/3")))


@given(
    st.recursive(
        atoms(),
        lambda inner: (
            st.lists(inner).map(scheme_list)
            | st.tuples(inner, inner).map(lambda p: cons(*p))
            | st.lists(inner)
        ),
        max_leaves=20,
    )
)
def test_constants_survive(value: Any) -> None:
    assert is_equal(decode(encode(value)), value)


@pytest.mark.parametrize(
    "text", ["1+2i", "-0.0-1/2i", "#s8(1 2)", "#2f64@1@0((1 2) (3 4))", '#2((a) ("b"))', "#*101"]
)
def test_numbers_and_arrays_survive_marshal(text: str) -> None:
    value = read_one(text, 0)[0]
    stored = marshal.loads(marshal.dumps(encode(value)))
    assert is_equal(decode(stored), value)
    assert write(decode(stored)) == write(value)


def test_constants_keep_sharing_and_circles() -> None:
    shared = scheme_list([1])
    a, b = decode(encode([shared, shared]))
    assert a is b
    circle = cons(1, NIL)
    circle.cdr = circle
    again = decode(encode(circle))
    assert again.cdr is again
    tail = scheme_list([2, 3])
    both = decode(encode(scheme_list([cons(1, tail), tail])))
    assert both.car.cdr is both.cdr.car


def test_long_lists_are_no_deep_recursion() -> None:
    value = scheme_list(range(100_000))
    assert is_equal(decode(encode(value)), value)


def test_other_constants() -> None:
    assert str(decode(encode(MString("abc")))) == "abc"
    assert decode(encode(Values((1, 2)))) == (1, 2)
    assert decode(encode(Location("f", 1, 2))) == Location("f", 1, 2)
    assert decode(encode(bytearray(b"x"))) == bytearray(b"x")
    with pytest.raises(UnserialisableConstantError):
        encode(object())
    with pytest.raises(UnserialisableConstantError):
        compiled([Const(object())]).to_bytes()


def test_tracebacks_speak_of_the_source() -> None:
    session = Session([])
    with pytest.raises(AttributeError) as raised:
        session.eval_text("\n(define (frob x)\n  (+ 1\n     (car x)))\n(frob 5)\n", "t.scm")
    frames = [f for f in traceback.extract_tb(raised.value.__traceback__) if f.filename == "t.scm"]
    assert [(f.name, f.lineno, f.colno) for f in frames[-2:]] == [("$top", 5, 0), ("frob", 4, 5)]


def test_procedures_carry_their_scheme_names() -> None:
    session = Session([])
    procedure = session.eval_text('(define (list->thing! x) "Does it." x) list->thing!')
    assert procedure.__name__ == "list->thing!"
    assert procedure.__doc__ == "Does it."


def test_a_redefined_procedure_may_start_to_make_tail_calls() -> None:
    session = Session([])
    module = session.user_module()
    session.eval_text("(define (g x) x) (define (f x) (+ 1 (g x)))", module=module)
    session.eval_text("(define box (list values))", module=module)
    session.eval_text("(define (g x) ((car box) (* 2 x)))", module=module)
    assert session.eval_text("(f 5)", module=module) == 11


def test_set_of_a_procedure_is_seen_by_its_callers() -> None:
    session = Session([])
    text = "(define (g) 1) (define (f) (g)) (define h (list (lambda () 2))) (set! g (car h)) (f)"
    assert session.eval_text(text) == 2


def test_hand_made_forms() -> None:
    x = Var("x")
    double = Lam([x], None, Call(GRef("+"), [LRef(x), LRef(x)]), "double")
    unit = compiled([GDef("m:double", double), Call(GRef("m:double"), [Const(21)])])
    assert run(unit, variables()) == 42
    assert unit.assumed == {"m:double"}
