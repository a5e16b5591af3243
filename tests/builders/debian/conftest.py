from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from builders.debian import fetch
from tests.builders.debian.mirror import Archive, Key, Mirror


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return Key(tmp_path_factory.mktemp("key"))


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A server; waiting between attempts is cut short."""
    monkeypatch.setattr(fetch.time, "sleep", lambda _seconds: None)
    server = Mirror()
    yield server
    server.close()


@pytest.fixture
def published(mirror: Mirror, key: Key) -> Archive:
    """A small archive, published."""
    archive = Archive(mirror, key)
    archive.add({**_fields("hello", "2.10-3"), "Depends": "libc"})
    archive.add(_fields("libc", "2.36"))
    archive.publish()
    return archive


def _fields(name: str, version: str) -> dict[str, str]:
    from tests.builders.debian.mirror import fields

    return fields(name, version)


@pytest.fixture(scope="session")
def test_cache() -> Path:
    """Where `archive` tests keep what they fetch, so that it is fetched once."""
    import os

    default = Path.home() / ".cache" / "kiln-tests"
    return Path(os.environ.get("KILN_TEST_CACHE") or default)
