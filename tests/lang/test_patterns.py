"""Matchers and templates by themselves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lang.data import NIL, Pair, scheme_list, symbol
from lang.errors import SchemeSyntaxError
from lang.patterns import Matcher, Template
from lang.printer import write
from lang.session import Session
from lang.syntax import Env, strip

SESSION = Session([])
ENV = Env(SESSION.user_module().env)
A, B, DOTS = symbol("a"), symbol("b"), symbol("...")


def data(*items: object) -> object:
    """A Scheme list."""
    return scheme_list(items)


def test_an_ellipsis_matches_what_the_tail_leaves() -> None:
    matcher = Matcher(data(A, DOTS, B), [], ENV)
    assert matcher.match(data(1, 2, 3)) == [[1, 2], 3]
    assert matcher.match(data(3)) == [[], 3]
    assert matcher.match(NIL) is None


def test_constants_are_compared_with_their_type() -> None:
    assert Matcher(data(1), [], ENV).match(data(1)) == []
    assert Matcher(data(1), [], ENV).match(data(1.0)) is None
    assert Matcher(data(True), [], ENV).match(data(1)) is None


def test_vectors_match_inside() -> None:
    assert Matcher([A, DOTS], [], ENV).match([1, 2]) == [[1, 2]]
    assert Matcher([A, DOTS], [], ENV).match(data(1, 2)) is None


@pytest.mark.parametrize(
    "pattern",
    [data(A, A), data(DOTS, A), data(A, DOTS, B, DOTS)],
    ids=["duplicate variable", "leading ellipsis", "two ellipses"],
)
def test_wrong_patterns_are_refused(pattern: object) -> None:
    with pytest.raises(SchemeSyntaxError):
        Matcher(pattern, [], ENV)


def test_wrong_templates_are_refused() -> None:
    with pytest.raises(SchemeSyntaxError, match="needs an ellipsis"):
        Template(A, [(A, 1)], ENV)
    with pytest.raises(SchemeSyntaxError, match="nothing repeats"):
        Template(data(A, DOTS), [(A, 0)], ENV)


def test_lengths_under_one_ellipsis_must_agree() -> None:
    template = Template(data(data(A, B), DOTS), [(A, 1), (B, 1)], ENV)
    assert write(template.instantiate([[1, 2], [3, 4]])) == "((1 3) (2 4))"
    with pytest.raises(SchemeSyntaxError, match="different numbers"):
        template.instantiate([[1, 2], [3]])


def test_free_identifiers_are_renamed_and_strip_to_themselves() -> None:
    made = Template(data(symbol("x"), A), [(A, 0)], ENV).instantiate([5])
    assert type(made) is Pair and made.car is not symbol("x")
    assert write(strip(made)) == "(x 5)"


trees = st.recursive(
    st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=4), max_leaves=12
)


def as_data(tree: object) -> object:
    """Nested lists as nested Scheme lists."""
    return scheme_list(map(as_data, tree)) if isinstance(tree, list) else tree


@settings(deadline=None)
@given(st.lists(st.lists(trees, min_size=1, max_size=4), max_size=5))
def test_a_template_like_its_pattern_gives_the_form_back(rows: list[list[object]]) -> None:
    pattern = data(data(A, B, DOTS), DOTS)
    matcher = Matcher(pattern, [], ENV)
    form = as_data(rows)
    values = matcher.match(form)
    assert values is not None
    assert write(Template(pattern, matcher.variables, ENV).instantiate(values)) == write(form)
