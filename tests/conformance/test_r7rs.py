"""R7RS-small, section by section: every example of the report, and what its text promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.suites import failures

FOLDER = Path(__file__).parent / "r7rs"
SECTIONS = sorted(FOLDER.glob("[0-9]*.scm"))


@pytest.mark.parametrize("suite", SECTIONS, ids=[suite.stem for suite in SECTIONS])
def test_section(suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFORMANCE_SCRATCH", str(tmp_path))
    stage = "build" if suite.stem.endswith("-build") else "configuration"
    failed = failures(suite, stage)  # type: ignore[arg-type]
    assert not failed, "\n".join(failed)
