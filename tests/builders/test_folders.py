from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from builders.folders import NoHome, user_folder


def test_the_variable_goes_before_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/mi")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert user_folder("XDG_CACHE_HOME", ".cache") == Path("/elsewhere")


@pytest.mark.parametrize("given", ["", "relative/path"])
def test_what_is_not_absolute_does_not_count(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("HOME", "/home/mi")
    monkeypatch.setenv("XDG_CACHE_HOME", given)
    assert user_folder("XDG_CACHE_HOME", ".cache") == Path("/home/mi/.cache")


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with pytest.raises(NoHome) as caught:
        user_folder("XDG_CACHE_HOME", ".cache")
    assert "XDG_CACHE_HOME" in str(caught.value.hint)
