"""What the editor knows of unfinished text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lang.errors import ReadError
from lang.reader import read_all
from lang.repl.scan import UNCLOSED, indentation, is_unfinished, matching, scan
from lang.sources import Source

SCHEME = st.text(st.sampled_from("()[]'`,@#|\\\"; \nab1.:{}~$+;t!"), max_size=30)


@pytest.mark.parametrize(
    "text",
    [
        "(a b",
        "'",
        "#~",
        '"abc',
        '"a\\"',
        "#| x",
        "#;",
        "|ab",
        "a|b",
        "(x #\\)",
        "#(1",
        "#f64(1",
        "(#2((1)",
        "#{a",
        "#0=",
    ],
)
def test_more_text_could_complete_these(text: str) -> None:
    assert is_unfinished(text)


@pytest.mark.parametrize(
    "text", ["", "a", "(a b)", '"("', "#\\(", "; (", "#| ( |# 1", "(a . b))", "(a]", "'a 'b", "#"]
)
def test_more_text_would_not_change_these(text: str) -> None:
    assert not is_unfinished(text)


@given(SCHEME)
def test_tokens_cover_any_text(text: str) -> None:
    at = 0
    for token in scan(text):
        assert token.start == at < token.end
        at = token.end
    assert at == len(text)


@given(SCHEME)
def test_the_reader_takes_no_text_that_is_unfinished(text: str) -> None:
    if is_unfinished(text):
        with pytest.raises(ReadError):
            read_all(Source("text", text, 1))


@given(SCHEME)
def test_what_the_reader_takes_is_finished_and_has_no_bad_tokens(text: str) -> None:
    try:
        read_all(Source("text", text, 1))
    except ReadError:
        return
    assert not is_unfinished(text)
    assert not {UNCLOSED, "BAD"} & {token.kind for token in scan(text)}


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 0),
        ("(f x)", 0),
        ("(define (f x)", 2),
        ("(define (f x)\n  (let ((a 1)", 8),
        ("(let ((a 1))", 2),
        ("(let loop ((i 0))", 2),
        ("(let loop", 4),
        ("(lambda", 4),
        ("(if x", 4),
        ("(list 1", 6),
        ("(list", 1),
        ("(cond ((null? x) 1)", 6),
        ("'(a", 2),
        ("((f) 1", 1),
        ("#(1 2", 2),
        ("(thing", 2),
        ("(thing (name 1)", 2),
        ('(display "a', 0),
        ("(a\n   (b c", 6),
        ("(with-imported-modules x", 2),
    ],
)
def test_the_next_line_starts_where_it_belongs(text: str, column: int) -> None:
    assert indentation(text, lambda name: name == "thing") == column


@pytest.mark.parametrize(
    ("text", "at", "other"),
    [
        ("(a)", 0, 2),
        ("(a)", 2, 0),
        ("((a) b)", 0, 6),
        ("#(1)", 1, 3),
        ('(")")', 0, 4),
        ("(a]", 0, None),
        ("(a", 0, None),
        ('")"', 1, None),
    ],
)
def test_brackets_know_each_other(text: str, at: int, other: int | None) -> None:
    assert matching(text, at) == other
