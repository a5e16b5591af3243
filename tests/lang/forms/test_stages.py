"""Two stages: what acts exists in builds only, and a configuration is told so."""

from __future__ import annotations

from pathlib import Path

import pytest

from lang.errors import SchemeError, explain
from lang.session import Session

STDLIB = Path(__file__).parents[3] / "stdlib"
DEFINITION = """(define-module (m) #:use-module (kiln stages) #:export (act pure))
(define-staged (act #:key (n 1)) (* n 2))
(define (pure) 'pure)"""


def test_a_staged_definition_is_refused_in_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "m.scm").write_text(DEFINITION)
    for _ in range(2):  # compiled, then from the cache
        session = Session([tmp_path], cache=tmp_path / "cache")
        assert repr(session.eval_text("(use-modules (m)) (pure)")) == "pure"
        with pytest.raises(SchemeError) as caught:
            session.eval_text("(use-modules (m)) (act #:n 4)")
        diagnosis = explain(caught.value, session.sources, list)
        assert diagnosis.message.startswith("act exists only inside builds")
        assert "computed-file" in diagnosis.message


def test_a_staged_definition_works_in_a_build(tmp_path: Path) -> None:
    (tmp_path / "m.scm").write_text(DEFINITION)
    session = Session([tmp_path], stage="build")
    assert session.eval_text("(use-modules (m)) (act #:n 4)") == 8
