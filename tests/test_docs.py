"""The documentation is true."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from kiln.main import VERBS

ROOT = Path(__file__).resolve().parent.parent


def test_the_reference_is_what_the_records_say() -> None:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs/make_reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.reference() == (ROOT / "docs/reference.md").read_text()


def test_links_between_documents_lead_somewhere() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_readme_names_verbs_that_there_are() -> None:
    named = set(re.findall(r"kiln ([a-z]+)", (ROOT / "README.md").read_text()))
    assert named & set(VERBS)
    assert named - set(VERBS) <= {"makes", "needs", "does", "is"}
