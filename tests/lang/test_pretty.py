"""Data broken into lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lang.data import Record, RecordType, cons, make_record, scheme_list, symbol
from lang.pretty import pretty
from lang.printer import write
from lang.reader import read_all
from lang.runtime.equality import is_equal
from lang.sources import Source, SourceMap

DATA = st.recursive(
    st.integers()
    | st.booleans()
    | st.text(max_size=5)
    | st.sampled_from("if let define a b").map(symbol),
    lambda inner: st.lists(inner, max_size=6).map(scheme_list) | st.lists(inner, max_size=4),
    max_leaves=30,
)


def read(text: str) -> Any:
    (datum,) = read_all(Source("test", text, 1))
    return datum


@given(DATA, st.integers(10, 60))
def test_what_is_printed_is_read_back_as_the_same(value: Any, width: int) -> None:
    assert is_equal(read(pretty(value, width)), value)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("(f a b)", 20, "(f a b)"),
        ("(quote (a (quasiquote b)))", 20, "'(a `b)"),
        ("(define (f x) (g x) (h x))", 20, "(define (f x)\n  (g x)\n  (h x))"),
        ("(function first second)", 18, "(function first\n          second)"),
        ("(f #:key value #:other x)", 18, "(f #:key value\n   #:other x)"),
        ("(1 2 3 4 5 6 7 8)", 9, "(1 2 3 4\n 5 6 7 8)"),
        ("#(1 2 3 4 5 6)", 9, "#(1 2 3\n  4 5 6)"),
        ("(a . b)", 20, "(a . b)"),
    ],
)
def test_lines_are_broken_where_a_person_would(text: str, width: int, lines: str) -> None:
    assert pretty(read(text), width) == lines


def fields(record: Record) -> Iterator[tuple[str, Any]]:
    for index, name in enumerate(record.rtd.fields):
        yield name, getattr(record, f"f{index}")


def test_records_are_printed_with_their_fields() -> None:
    point = RecordType("<point>", ("x", "label"))
    value = make_record(point, [1, "somewhere"])
    assert pretty(value, 60, fields=fields) == '#<point x: 1 label: "somewhere">'
    assert pretty(value, 20, fields=fields) == '#<point\n  x: 1\n  label: "somewhere">'
    outer = make_record(point, [value, "o"])
    assert (
        pretty(outer, 60, fields=fields, depth=1) == '#<point x: #<point "somewhere" …> label: "o">'
    )


def test_records_that_are_cut_short_tell_what_they_are_known_by() -> None:
    kind = make_record(RecordType("<kind>", ("name",)), [symbol("ssh")])
    service = make_record(RecordType("<service>", ("kind", "value")), [kind, 1])
    nothing = make_record(RecordType("<box>", ("value",)), [1])
    assert pretty(service, fields=fields, depth=0) == "#<service ssh …>"
    assert pretty(nothing, fields=fields, depth=0) == "#<box …>"


def test_structures_that_contain_themselves_get_labels() -> None:
    loop = scheme_list([1, 2])
    loop.cdr.cdr = loop
    assert pretty(loop) == write(loop)
    record = make_record(RecordType("<r>", ("self",)), [None])
    record_field = "f0"
    setattr(record, record_field, record)
    assert pretty(cons(record, 1), fields=fields) == "(#<r self: #<r …>> . 1)"


def test_the_name_of_a_let_stays_on_its_line() -> None:
    (form,) = read_all(SourceMap().add("t", "(let loop ((i 0)) (display i) (loop (+ i 1)))"))
    assert pretty(form, 30) == "(let loop ((i 0))\n  (display i)\n  (loop (+ i 1)))"
    assert pretty(cons(symbol("let"), 1), 3) == "(let .\n  1)"
