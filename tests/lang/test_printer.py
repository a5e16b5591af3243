"""Writing: `read` makes the same datum of it again, and nothing that can be made breaks it."""

from __future__ import annotations

import math
import os
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lang.data import (
    EOF,
    NIL,
    UNSPECIFIED,
    MString,
    Promise,
    RecordType,
    Values,
    char,
    cons,
    keyword,
    make_record,
    scheme_list,
    symbol,
)
from lang.printer import display, write
from lang.rationals import normalised
from lang.reader import read_all
from lang.runtime.equality import is_equal
from lang.runtime.late.arrays import list_to_typed_array
from lang.runtime.late.bitvectors import BitVector
from lang.sources import Source


def array(kind: str, items: list[Any]) -> Any:
    return list_to_typed_array(symbol(kind), 1, scheme_list(items))


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
ATOMS = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.fractions().map(normalised),
    TEXT,
    TEXT.map(MString),
    TEXT.map(symbol),
    TEXT.filter(bool).map(keyword),
    st.characters(exclude_categories=("Cs",)).map(char),
    st.binary(max_size=4),
    st.just(NIL),
    st.lists(st.booleans(), max_size=5).map(BitVector),
    st.lists(st.integers(-128, 127), max_size=3).map(lambda items: array("s8", items)),
    st.lists(st.floats(), max_size=3).map(lambda items: array("f64", items)),
    st.lists(st.complex_numbers(), max_size=2).map(lambda items: array("c64", items)),
    st.sampled_from(["+i", "-i", "1+2i", "1@2", "+inf.0", "1d2", "1#", "#T", ".", "..."]).map(
        symbol
    ),
)
QUOTING = st.sampled_from(
    [
        "quote",
        "quasiquote",
        "unquote",
        "unquote-splicing",
        "syntax",
        "quasisyntax",
        "unsyntax",
        "gexp",
        "ungexp",
    ]
)
DATA = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(scheme_list),
        st.lists(inner, max_size=4),
        st.builds(cons, inner, inner),
        st.builds(lambda name, datum: scheme_list([symbol(name), datum]), QUOTING, inner),
    ),
    max_leaves=20,
)


def read(text: str) -> Any:
    (datum,) = read_all(Source("test", text, 1))
    return datum


@given(DATA)
def test_what_is_written_reads_as_the_same(datum: Any) -> None:
    assert is_equal(read(write(datum)), datum)


@given(st.floats())
def test_floats_are_written_with_all_their_digits(number: float) -> None:
    again = read(write(number))
    assert type(again) is float
    assert again == number or (math.isnan(again) and math.isnan(number))


@given(st.integers(), st.integers(2, 36))
def test_integers_are_read_in_the_radix_in_which_they_are_written(number: int, radix: int) -> None:
    from lang.numbers import format_number, parse_number

    assert parse_number(format_number(number, radix), radix) == number


def test_display_shows_strings_and_characters_as_they_are() -> None:
    datum = scheme_list(["a\nb", char("x"), symbol("s"), ["q"]])
    assert display(datum) == "(a\nb x s #(q))"
    assert write(datum) == '("a\\nb" #\\x s #("q"))'


def test_circular_structures_are_written_with_labels() -> None:
    circle = scheme_list([1, 2])
    circle.cdr.cdr = circle
    assert write(circle) == "#0=(1 2 . #0#)"
    vector: list[Any] = [1]
    vector.append(vector)
    assert write(vector) == "#0=#(1 #0#)"
    through_car = cons(1, NIL)
    through_car.car = through_car
    assert write(through_car) == "#0=(#0#)"


def test_long_lists_are_written_whole() -> None:
    assert write(scheme_list(range(20_000))).endswith(" 19999)")


def test_records_show_their_fields() -> None:
    rtd = RecordType("<point>", ("x", "y"))
    assert write(make_record(rtd, [1, "a"])) == '#<<point> x: 1 y: "a">'
    itself = make_record(rtd, [1, None])
    itself.f1 = itself  # type: ignore[attr-defined]
    assert write(itself) == "#<<point> x: 1 y: #<<point> ...>>"


def test_a_record_types_own_printer_is_used() -> None:
    rtd = RecordType("<point>", ("x",))
    rtd.printer = lambda record, port: port.write(f"<{record.f0}>")
    assert write(scheme_list([make_record(rtd, [5])])) == "(<5>)"


def test_objects_show_no_addresses() -> None:
    for value in (EOF, UNSPECIFIED, Promise(None, 1), Values((1, 2)), len):
        assert "0x" not in write(value)
    assert write(Values((1, "a"))) == '#<values 1 "a">'


def test_what_has_no_text_is_written_without_python() -> None:
    assert write(os.stat("/")) == "#<stat result>"  # noqa: PTH116
