"""The readers: what they read, that both agree, and what they say about bad text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lang import fastreader
from lang.data import EOF, Keyword, Pair, Symbol, keyword, scheme_list, symbol
from lang.errors import ReadError
from lang.printer import write
from lang.reader import parse_with_lark, read_all, read_one
from lang.runtime.equality import is_equal
from lang.sources import Source, SourceMap

ROOT = Path(__file__).parents[2]
SCHEME_FILES = sorted(
    path for path in ROOT.rglob("*.scm") if not any(part[0] == "." for part in path.parts)
)


def read(text: str) -> Any:
    (datum,) = read_all(Source("test", text, 1))
    return datum


def same(a: Any, b: Any) -> bool:
    """Equal data with equal positions, which may contain themselves."""
    seen = set()
    pending = [(a, b)]
    while pending:
        a, b = pending.pop()
        if type(a) is Pair and type(b) is Pair:
            if a.pos != b.pos:
                return False
            parts = [(a.car, b.car), (a.cdr, b.cdr)]
        elif type(a) is list and type(b) is list and len(a) == len(b):
            parts = list(zip(a, b, strict=True))
        elif type(a) is Pair or type(a) is list or not is_equal(a, b):
            return False
        else:
            continue
        if (id(a), id(b)) not in seen:
            seen.add((id(a), id(b)))
            pending += parts
    return True


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("(a . (b . (c)))", "(a b c)"),
        ("[a (b) . c]", "(a (b) . c)"),
        ("'a", "(quote a)"),
        ("`(a ,b ,@c)", "(quasiquote (a (unquote b) (unquote-splicing c)))"),
        ("#'a", "(syntax a)"),
        ("#`(#,a #,@b)", "(quasisyntax ((unsyntax a) (unsyntax-splicing b)))"),
        ("#~(f #$a #+b #$@c #+@d)", None),
        ("#$coreutils:debug", '(ungexp coreutils "debug")'),
        ("#+(f x)", "(ungexp-native (f x))"),
        ("#:key", "#:key"),
        ("#:#{a b}#", "#:#{a b}#"),
        ("|a b|", "#{a b}#"),
        ("a|B c|d", "#{aB cd}#"),
        ("#{a\\x20;b}#", "#{a b}#"),
        ("...", "..."),
        ("1+", "1+"),
        ("-", "-"),
        ("-1", "-1"),
        ("+5", "5"),
        (".5", "0.5"),
        ("#xFF", "255"),
        ("#e1.5", "3/2"),
        ("6/4", "3/2"),
        ("1/0", None),
        ("+inf.0", "+inf.0"),
        ("#t", "#t"),
        ("#false", "#f"),
        ("#\\space", "#\\space"),
        ("#\\x3bb", "#\\λ"),
        ("#\\x", "#\\x"),
        ("#\\(", "#\\("),
        ("#\\101", "#\\A"),
        ('"a\\n\\t\\"\\\\\\x41;"', '"a\\n\\t\\"\\\\A"'),
        ('"a\\\n    b"', '"ab"'),
        ("#(1 #(2))", "#(1 #(2))"),
        ("#u8(1 2)", "#vu8(1 2)"),
        ("(a #;(b c) d)", "(a d)"),
        ("(a #;b . #;c d #;e)", "(a . d)"),
        ("' #;x a", "(quote a)"),
        ("(#| x #| nested |# y |# a)", "(a)"),
        ("#!fold-case ABC", "abc"),
        ("#!/bin/guile -s\n!#\na", "a"),
        ("; comment\na ; end", "a"),
        ("()", "()"),
        *(("#*1010", "#*1010"), ("(#*)", "(#*)"), ("#f64(1/2 2)", "#f64(0.5 2.0)")),
        *(("#s8(-128 ; least\n 127)", "#s8(-128 127)"), ("#c64(1+2i)", "#c64(1.0+2.0i)")),
        *(("#1(a b)", "#(a b)"), ("#2((1 2) (a (b)))", "#2((1 2) (a (b)))"), ("#0(a)", "#0(a)")),
        *(("#2@1@2((1 2))", "#2@1@2((1 2))"), ("#@1(a)", "#1@1(a)"), ("#1u8(1)", "#vu8(1)")),
        *(("#2f64((1) (2))", "#2f64((1.0) (2.0))"), ("#2:0:3()", "#2@0:0@0:3()")),
        *(("#T", "#t"), ("#False", "#f"), ("(#true)", "(#t)"), ("#\\esc", "#\\escape")),
        *(("#\\SOH", "#\\x1"), ("#\\us", "#\\x1f"), ("#\\lf", "#\\newline"), ("#\\nul", "#\\nul")),
        *(("1+2i", "1.0+2.0i"), ("-i", "0.0-1.0i"), ("1@0", "1"), ("#x+Fi", "0.0+15.0i")),
        *(
            ("1d2", "100.0"),
            ("1#", "10.0"),
            ("|+i|", "#{+i}#"),
            ("|1e2|", "#{1e2}#"),
            ("1+x", "1+x"),
        ),
        ("a\r\n; comment\r\n", "a"),
        ('"a\r\nb\rc\nd"', '"a\\nb\\nc\\nd"'),
        ('"a\\ \t\r\n  b"', '"ab"'),
    ],
)
def test_reads(text: str, written: str | None) -> None:
    if written is not None:
        assert write(read(text)) == written
    else:
        read(text)


def test_symbols_and_keywords_are_interned() -> None:
    assert read("abc") is symbol("abc")
    assert read("#:abc") is keyword("abc")


def test_pairs_know_where_they_were_written() -> None:
    sources = SourceMap()
    sources.add("first", "(a)")
    source = sources.add("second", "\n  (b\n   'c)")
    (datum,) = read_all(source)
    assert str(sources.location(datum.pos)) == "second:2:3"
    assert str(sources.location(datum.cdr.car.pos)) == "second:3:4"


def test_labels_tie_structures_to_themselves() -> None:
    circle = read("#0=(a . #0#)")
    assert circle.cdr is circle
    shared = read("(#1=(x) #1#)")
    assert shared.car is shared.cdr.car
    vector = read("#0=#(#0#)")
    assert vector[0] is vector


def test_deep_nesting_is_no_problem() -> None:
    depth = 20_000
    text = "(" * depth + ")" * depth
    assert fastreader.read(text, 1)
    assert parse_with_lark(Source("deep", text, 1))


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("(a\n (b", "2:2", "( is never closed", "add )"),
        ("(define (f)\n  (g)\n\n(define h 1)", "1:1", "( is never closed", "before line 4"),
        ("(a]", "1:3", "] does not match the ( opened on line 1", "write )"),
        ("(a\n[b)", "2:3", ") does not match the [ opened on line 2", "write ]"),
        ("a)", "1:2", "unexpected )", "remove it"),
        ('(a "b', "1:4", "string is never closed", '"'),
        ('"a\\q"', "1:3", "unknown escape \\q", "\\\\"),
        ("#\\spcae", "1:1", "unknown character name #\\spcae", "#\\space"),
        ("(. a)", "1:2", "nothing stands before the dot", "(A . B)"),
        ("(a .)", "1:5", "a datum is missing before )", None),
        ("(a . b c)", "1:8", "one datum only may follow the dot", None),
        ("(a . b . c)", "1:8", "stray dot", None),
        ("#(a . b)", "1:5", "stray dot", None),
        ("(')", "1:2", "nothing follows '", None),
        ("(a #;)", "1:4", "nothing follows #;", None),
        ("'#;a", "1:1", "nothing follows '", None),
        ("(#0= #;a #;b)", "1:2", "nothing follows #0=", None),
        ("#foo", "1:1", "unknown syntax #foo", None),
        ("(a #nil)", "1:4", "#nil, Emacs Lisp's", "'() for the empty list, #f for false"),
        ("#nilly", "1:1", "unknown syntax #nilly", None),
        ("a #| b", "1:3", "block comment is never closed", "|#"),
        ("a|b", "1:2", "| is never closed in a symbol", None),
        ("#u8(256)", "1:1", "0 to 255", None),
        ("#xgg", "1:1", "#xgg is no number", None),
        ("#0#", "1:1", "#0# refers to no datum", None),
        ('"\\xd800;"', "1:2", "U+D800 is no Unicode character", None),
        ("{a}", "1:1", "unexpected character {", "( )"),
        ("(#f65(1.5))", "1:2", "unknown syntax #f65", "f64"),
        ("(#s8(1 128))", "1:2", "list->array", None),
        ("#2((1 2) (3))", "1:1", "different lengths", None),
        ("#0()", "1:1", "has one element, not 0", None),
        ("#3@1((1))", "1:1", "an array of rank 3 cannot have 1 bounds", None),
        ("#s16(1 . 2)", "1:8", "stray dot", None),
        ("#2((1", "1:4", "( is never closed", "add )"),
        ("#f32(1", "1:1", "#f32( is never closed", "add )"),
        ("#*102", "1:1", "unknown syntax #*102", "0 and 1"),
        ("#!curly-infix {a + b}", "1:1", "#!curly-infix is no directive", "#!fold-case"),
        ("#!/bin/guile -s", "1:1", "script header #! is never closed", "!#"),
    ],
)
def test_errors_name_the_place_and_what_to_do(
    text: str, place: str, message: str, hint: str | None
) -> None:
    source = Source("bad.scm", text, 1000)
    with pytest.raises(ReadError) as caught:
        read_all(source)
    error = caught.value
    location = source.location(error.position - source.base)
    assert f"{location.line}:{location.column}" == place
    assert message in error.message
    if hint is not None:
        assert error.hint is not None
        assert hint in error.hint


@pytest.mark.parametrize("path", SCHEME_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_both_readers_agree_on_our_own_files(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    fast = fastreader.read(text, 7)
    slow = parse_with_lark(Source(str(path), text, 7))
    assert len(fast) == len(slow)
    assert all(map(same, fast, slow))


FRAGMENTS = st.sampled_from(
    [
        *("(", ")", "(", ")", "[", "]", "#(", "#vu8(", " ", "\n", ".", " . ", "'", "`", ",", ",@"),
        *("#'", "#`", "#,", "#~", "#$", "#+@", "#;", "; c\n", "#| #|x|# |#", "#|", "|#", "#!eof"),
        *("a", "b:out", "1", "-2.5e3", "1/2", "+", "...", "#t", "#f", "#\\a", "#\\space", '"s"'),
        *('"\\n\\x41;"', '"', "\\", "|x y|", "|", "#:k", "#{s t}#", "#0=", "#0#", "#1#", "#x1F"),
        *("#e1.5", "#xyz", "#!fold-case ", "#!no-fold-case ", "ABC", "#!r6rs ", "#!x !#", "λ", "é"),
        *(
            "+i",
            "1-2.5i",
            "1@2",
            "i",
            "1s2",
            "1#",
            "#T",
            "\r\n",
            "\\\r\n",
            "#\\soh",
            "#!a",
            "#f64(",
        ),
        *("12", "255", "256", "#", "{", "}", "#\\", "#\\foo", '"\\q"', "#true", "#!optional"),
    ]
)


@given(st.lists(FRAGMENTS, max_size=25).map("".join))
def test_both_readers_agree_on_any_text(text: str) -> None:
    try:
        slow = parse_with_lark(Source("text", text, 1))
    except ReadError as error:
        assert 1 <= error.position <= 1 + len(text)
        with pytest.raises(fastreader.MalformedError):
            fastreader.read(text, 1)
        return
    fast = fastreader.read(text, 1)
    if "#0#" in text or "#1#" in text:
        return  # may be circular, which `same` does not survive
    assert len(fast) == len(slow)
    assert all(map(same, fast, slow))


def test_one_datum_at_a_time() -> None:
    text = " (a b) ; c\n 'd  "
    first, end = read_one(text)
    assert write(first) == "(a b)"
    second, end = read_one(text, end)
    assert write(second) == "(quote d)"
    assert read_one(text, end)[0] is EOF


def test_names_of_any_characters_can_be_written_and_read() -> None:
    for name in ("", "a b", "1", "A|b", "#foo", ".", "{}", "a\nb", "\\", "+1", "a\u200bb"):
        assert read(write(Symbol(name))) is symbol(name)
        assert read(write(Keyword(name or "x"))) is keyword(name or "x")


def test_quotations_of_lists_share_nothing() -> None:
    assert is_equal(read("(1 2)"), scheme_list([1, 2]))
