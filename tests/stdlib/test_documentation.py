"""Everything that a module exports says what it is, in `,describe`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from lang.expand import FORMS
from lang.modules import ModuleName
from lang.repl.describe import Describer
from lang.session import Session

STDLIB = Path(__file__).parents[2] / "stdlib"


def module_names() -> Iterator[ModuleName]:
    """The core, the modules of forms, and every module of the library."""
    yield ("guile",)
    yield from FORMS
    for path in sorted(STDLIB.rglob("*.scm")):
        yield path.relative_to(STDLIB).with_suffix("").parts
    for path in sorted(STDLIB.rglob("*.py")):
        if "\nLIBRARY = " in path.read_text(encoding="utf-8"):
            parts = path.relative_to(STDLIB).with_suffix("").parts
            yield tuple(part.replace("_", "-") for part in parts)


@pytest.mark.parametrize("stage", ["configuration", "build"])
def test_every_export_is_documented(stage: Literal["configuration", "build"]) -> None:
    session = Session([STDLIB], stage=stage, library_roots=[STDLIB])
    modules = [session.import_module(name) for name in module_names()]
    describer = Describer(session)
    silent, seen = set(), set()
    for module in modules:
        for name in module.exported_names():
            binding = module.exported(name)
            if binding in seen:
                continue
            seen.add(binding)
            known = describer.known(name.name, module)
            assert known is not None, f"{module} exports {name}, which has no value"
            if not known.documentation.strip():
                silent.add(f"{name} of {module}")
    assert len(seen) > 2000
    assert not silent
