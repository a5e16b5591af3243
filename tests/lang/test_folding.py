"""Long lines are broken between words, below where they are about."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lang.repl.folding import folded


def test_the_second_column_of_a_table_stays_one() -> None:
    assert folded("  name  what it is for and more", 20) == (
        "  name  what it is\n        for and more"
    )


def test_prose_is_indented_a_little() -> None:
    assert folded("one two three\nfour", 9) == "one two\n    three\nfour"


def test_a_long_name_is_no_column() -> None:
    assert folded("(a long module): the-name  about it", 30) == (
        "(a long module): the-name\n    about it"
    )


@given(st.text(alphabet="ab  \n", max_size=80), st.integers(8, 40))
def test_words_are_neither_lost_nor_cut(text: str, width: int) -> None:
    shown = folded(text, width)
    assert shown.split() == text.split()
    for line in shown.split("\n"):
        assert len(line) <= width or len(line.split()) <= 1 or line in text.split("\n")
