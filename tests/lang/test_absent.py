"""Modules of Guile that are not here say why, and what to do."""

from __future__ import annotations

import pytest

from lang.absent import advice
from lang.errors import SchemeError, explain
from lang.session import Session


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("(system foreign)", "nothing calls procedures of C libraries"),
        ("(oop goops)", "generic functions"),
        ("(web client)", "opens connections"),
        ("(language tree-il)", "Guile's compiler"),
        ("(srfi srfi-18)", "one thread"),
        ("(rnrs hashtables)", "R6RS"),
    ],
)
def test_a_module_that_will_not_come_says_why(module: str, why: str) -> None:
    session = Session([])
    with pytest.raises(SchemeError) as caught:
        session.eval_text(f"(use-modules {module})")
    diagnosis = explain(caught.value, session.sources, list)
    assert diagnosis.message.startswith(f"Kiln has no module {module}: ")
    assert why in diagnosis.message
    assert diagnosis.hint
    assert diagnosis.location is not None


def test_other_modules_are_only_missing() -> None:
    session = Session([])
    with pytest.raises(SchemeError) as caught:
        session.eval_text("(use-modules (no such thing))")
    assert "there is no module" in explain(caught.value, session.sources, list).message


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("backtrace", "shows the calls"),
        ("make-stack", "shows the calls"),
        ("call-with-new-thread", "one thread"),
        ("read-set!", "no options"),
        ("macroexpand", ",expand"),
    ],
)
def test_a_name_that_will_not_come_says_what_there_is_instead(name: str, instead: str) -> None:
    session = Session([])
    with pytest.raises(NameError) as caught:
        session.eval_text(f"({name} #t)")
    diagnosis = explain(
        caught.value, session.sources, list, advice=lambda wanted: advice(wanted, ())
    )
    assert diagnosis.hint is not None
    assert instead in diagnosis.hint
