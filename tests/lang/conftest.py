"""A session to try expressions in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lang.errors import SchemeSyntaxError
from lang.printer import write
from lang.session import Session

Show = Callable[[str], str]


@pytest.fixture
def session() -> Session:
    """A session without a load path."""
    return Session([])


@pytest.fixture
def show(session: Session) -> Show:
    """Evaluates a program and writes its value."""
    return lambda text: write(session.eval_text(text))


@pytest.fixture
def refused(session: Session) -> Callable[[str], tuple[str, str, str]]:
    """Expects a syntax error; gives its message, its place as line:column, and its hint."""

    def expect(text: str) -> tuple[str, str, str]:
        with pytest.raises(SchemeSyntaxError) as caught:
            session.eval_text(text)
        error = caught.value
        assert error.position is not None
        place = session.sources.location(error.position)
        assert place is not None
        return error.message, f"{place.line}:{place.column}", error.hint or ""

    return expect
