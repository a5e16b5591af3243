"""Every module of the library loads from the cache as it does from its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from lang.session import Session

STDLIB = Path(__file__).parents[2] / "stdlib"
MODULES = sorted(
    path.relative_to(STDLIB).with_suffix("").parts
    for directory in ("srfi", "ice-9", "rnrs")
    for path in (STDLIB / directory).rglob("*.scm")
)


@pytest.mark.parametrize("name", MODULES, ids=" ".join)
def test_a_module_is_cached_whole(name: tuple[str, ...], tmp_path: Path) -> None:
    fresh = Session([STDLIB], cache=tmp_path).import_module(name)
    assert list(tmp_path.rglob("*")), "it was written"
    cached = Session([STDLIB], cache=tmp_path).import_module(name)
    names = sorted(symbol.name for symbol in fresh.exported_names())
    assert sorted(symbol.name for symbol in cached.exported_names()) == names
    for symbol in cached.exported_names():
        assert type(cached.exported(symbol)) is type(fresh.exported(symbol)), symbol
