from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from builders.debian.fetch import FetchError, fetch
from tests.builders.debian.mirror import Mirror

CONTENT = random.Random(1).randbytes(700_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def get(mirror: Mirror, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Fetch "a" from the mirror, or from the paths that are given."""
    mirror.files["a"] = CONTENT

    def call(*paths: str, size: int | None = len(CONTENT), timeout: float = 5) -> Path:
        uris = [path if ":" in path else f"{mirror.base}/{path}" for path in paths or ("a",)]
        target = tmp_path / "out" / "target"
        target.parent.mkdir(exist_ok=True)
        part = tmp_path / "part"
        fetch(uris, target, part=part, name="a.deb", sha256=SHA256, size=size, timeout=timeout)
        assert target.read_bytes() == CONTENT
        assert not part.exists()
        return target

    return call


def test_a_file_is_fetched_whole(get, mirror: Mirror) -> None:  # type: ignore[no-untyped-def]
    get()
    get(size=None)
    assert mirror.asked() == ["a", "a"]


def test_a_local_archive_serves(get, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "local").write_bytes(CONTENT)
    get(f"file://{tmp_path}/none", f"file://{tmp_path}/local")


def test_the_next_uri_is_asked(get, mirror: Mirror) -> None:  # type: ignore[no-untyped-def]
    get("missing", "a")
    assert [status for _, _, status in mirror.requests] == [404, 200]


def test_a_connection_that_breaks_is_taken_up_again(get, mirror: Mirror, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    mirror.faults["a"] = "cut"
    with pytest.raises(FetchError, match=r"a\.deb\n.*/a: broke off after \d+ of 700000") as caught:
        # Every answer brings half of what is left, so it goes on until nothing is.
        mirror.ranges = False
        get()
    assert "run it again" in str(caught.value.hint)
    kept = (tmp_path / "part").stat().st_size
    assert 0 < kept < len(CONTENT)
    mirror.ranges = True
    mirror.faults.clear()
    mirror.requests.clear()
    get()
    assert mirror.requests == [("a", f"bytes={kept}-", 206)]


def test_progress_goes_on_from_what_is_there(mirror: Mirror, tmp_path: Path) -> None:
    mirror.files["a"] = CONTENT
    part = tmp_path / "part"
    part.write_bytes(CONTENT[:300_000])
    seen: list[tuple[int, int | None]] = []
    fetch(
        [f"{mirror.base}/a"],
        tmp_path / "t",
        part=part,
        name="a",
        sha256=SHA256,
        size=len(CONTENT),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[0] == (300_000, 700_000)
    assert seen[-1] == (700_000, 700_000)


def test_a_server_that_cannot_resume_starts_again(get, mirror: Mirror, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "part").write_bytes(b"x" * 1000)
    mirror.ranges = False
    get()


@pytest.mark.parametrize("rubbish", [b"x" * 1000, b"x" * 700_000, b"x" * 800_000])
def test_a_wrong_beginning_is_thrown_away(get, tmp_path: Path, rubbish: bytes) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "part").write_bytes(rubbish)
    get()


@pytest.mark.parametrize(
    ("fault", "words", "cause"),
    [
        ("missing", "it is not there (404)", "missing"),
        ("flip", f"{SHA256} is right", "wrong"),
        ("longer", "more than 700000 bytes", "wrong"),
        ("error", "answers 500", "refused"),
        ("silent", "timed out", "broken off"),
    ],
)
def test_what_is_wrong_is_said_and_a_later_run_succeeds(  # type: ignore[no-untyped-def]
    get, mirror: Mirror, tmp_path: Path, fault: str, words: str, cause: str
) -> None:
    mirror.faults["a"] = fault
    with pytest.raises(FetchError) as caught:
        get(timeout=0.2)
    assert f"cannot fetch a.deb\n  from {mirror.base}/a: " in caught.value.message
    assert words in caught.value.message
    assert [attempt.cause for attempt in caught.value.attempts] == [cause]
    assert caught.value.hint
    assert not (tmp_path / "out" / "target").exists()
    mirror.faults.clear()
    get()


def test_a_mirror_that_is_down_is_unreachable(get, mirror: Mirror) -> None:  # type: ignore[no-untyped-def]
    mirror.close()
    with pytest.raises(FetchError, match=r"cannot be reached \(Connection refused\)") as caught:
        get()
    assert "check the network" in str(caught.value.hint)


def test_each_uri_that_failed_is_told(get, mirror: Mirror) -> None:  # type: ignore[no-untyped-def]
    mirror.files["b"] = b"other"
    with pytest.raises(FetchError) as caught:
        get("none", "b")
    assert [attempt.cause for attempt in caught.value.attempts] == ["missing", "wrong"]
