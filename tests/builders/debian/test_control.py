from __future__ import annotations

import pytest

from builders.debian.control import (
    MalformedControl,
    Relation,
    parse_relations,
    parse_stanza,
    parse_stanzas,
)


def test_relations_have_groups_of_alternatives() -> None:
    assert parse_relations("a, b (>= 1.2~) | c:any,\n d:amd64 (<< 2) ,") == (
        (Relation("a"),),
        (Relation("b", "", ">=", "1.2~"), Relation("c", "any")),
        (Relation("d", "amd64", "<<", "2"),),
    )


def test_obsolete_operators_mean_what_policy_says() -> None:
    assert parse_relations("a (< 1), b (> 1)") == (
        (Relation("a", "", "<=", "1"),),
        (Relation("b", "", ">=", "1"),),
    )


@pytest.mark.parametrize("text", ["a b", "a (1)", "a (>= )", "a (>> 1", "| a", "a (~ 1)", "${x}"])
def test_what_is_no_relation_is_named(text: str) -> None:
    with pytest.raises(MalformedControl, match="is not a package relationship"):
        parse_relations(text)


@pytest.mark.parametrize("text", ["a", "a:any (>= 1)", "a (= 1:2-3)"])
def test_relations_are_written_as_they_are_read(text: str) -> None:
    assert str(parse_relations(text)[0][0]) == text


def test_folded_values_keep_their_lines() -> None:
    text = "Package: a\nDescription: short\n long\n .\n  more\n"
    assert parse_stanza(text) == {"Package": "a", "Description": "short\nlong\n.\n more"}


def test_stanzas_are_separated_by_empty_lines_and_comments_dropped() -> None:
    assert list(parse_stanzas("\n\nA: 1\n# no\nB: 2\n\n \nA: 3\n")) == [
        {"A": "1", "B": "2"},
        {"A": "3"},
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (" folded", "line 1: a continuation"),
        ("A: 1\nB", "line 2: expected"),
        ("A: 1\nA: 2", "line 2: field A is there twice"),
        ("-A: 1", "line 1"),
        ("", "expected one stanza, found 0"),
        ("A: 1\n\nB: 2", "found 2"),
    ],
)
def test_what_does_not_parse_is_named_with_its_line(text: str, what: str) -> None:
    with pytest.raises(MalformedControl, match=f"x.*{what}"):
        parse_stanza(text, what="x")
