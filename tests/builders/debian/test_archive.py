from __future__ import annotations

from pathlib import Path

import pytest

from builders.debian import archive as archive_module
from builders.debian import signature
from builders.debian.archive import Archive, ExpiredRelease, MalformedRelease
from builders.debian.fetch import FetchError
from builders.debian.signature import BadSignature, NoKeyring
from builders.debian.sources import SourcesError, Suite
from builders.errors import BuilderError
from builders.events import Event, Failed, Finished, Log, Progress, Started
from tests.builders.debian import mirror as made
from tests.builders.debian.mirror import Key, Mirror, fields


@pytest.fixture
def archive(published: made.Archive, key: Key, tmp_path: Path) -> Archive:
    """The client, of the one suite."""
    base = f"{published.mirror.base}/debian"
    return Archive([Suite((base,), "stable", ("main",))], tmp_path / "c", keyring=[key.keyring])


def _republish(published: made.Archive, version: str, date: str = "Sun, 12 Jul 2026") -> None:
    published.add(fields("hello", version))
    published.release["Date"] = f"{date} 10:16:37 UTC"
    published.publish()


def test_packages_are_found_with_where_to_fetch_them(archive: Archive) -> None:
    hello = archive.index().best("hello")
    assert hello is not None
    assert (hello.version, hello.depends, hello.installed_size) == ("2.10-3", "libc", 12 * 1024)
    base = archive.sources[0].uris[0]
    assert hello.uris == (f"{base}/pool/hello_2.10-3_amd64.deb",)


def test_an_index_that_is_there_is_not_fetched_again(
    archive: Archive, published: made.Archive
) -> None:
    first = archive.index()
    published.mirror.close()
    published.mirror.requests.clear()
    assert archive.index().snapshot == first.snapshot
    assert published.mirror.requests == []


def test_an_update_fetches_only_what_changed(archive: Archive, published: made.Archive) -> None:
    before = archive.index()
    requests = published.mirror.requests
    assert requests[1][0].startswith("debian/dists/stable/main/binary-amd64/by-hash/SHA256/")
    requests.clear()
    assert archive.update().snapshot == before.snapshot
    assert requests == [(published.in_release, "", 304)]
    _republish(published, "2.11")
    after = archive.update()
    assert after.snapshot != before.snapshot
    assert after.date == before.date + 24 * 3600
    assert [package.version for package in after.candidates("hello")] == ["2.11", "2.10-3"]
    assert len(list((archive.cache / "lists").iterdir())) == 2
    assert len(list((archive.cache / "index").iterdir())) == 1


def test_the_plain_name_serves_where_by_hash_is_missing(
    archive: Archive, published: made.Archive
) -> None:
    published.mirror.faults[published.by_hash()] = "missing"
    assert archive.index().best("hello")
    assert published.mirror.asked()[-1].endswith("/Packages.xz")


def test_the_second_mirror_serves_when_the_first_is_down(
    published: made.Archive, key: Key, tmp_path: Path
) -> None:
    bases = (f"{published.mirror.base}/nothing", f"{published.mirror.base}/debian")
    archive = Archive([Suite(bases, "stable", ("main",))], tmp_path, keyring=[key.keyring])
    assert archive.index().best("hello")


@pytest.mark.parametrize("fault", ["flip", "cut", "missing", "longer", "error"])
@pytest.mark.parametrize("piece", ["InRelease", "Packages"])
def test_a_fault_in_any_piece_is_caught_and_the_state_of_before_serves(
    archive: Archive, published: made.Archive, piece: str, fault: str
) -> None:
    before = archive.index()
    _republish(published, "2.11")
    # The new list is the one that the old index did not have.
    paths = [path for path in published.mirror.files if piece in path or "by-hash" in path]
    for path in paths:
        if piece == "Packages" or path == published.in_release:
            published.mirror.faults[path] = fault
    expected: type[BuilderError] | tuple[type[BuilderError], ...] = FetchError
    if piece == "InRelease" and fault in ("flip", "longer"):
        expected = BadSignature
    if piece == "InRelease" and fault == "longer":
        # What follows the signature is not signed, and not used.
        assert archive.update().best("hello").version == "2.11"  # type: ignore[union-attr]
        return
    with pytest.raises(expected) as caught:
        archive.update()
    assert "stable" in caught.value.message
    assert caught.value.hint
    assert archive.index().snapshot == before.snapshot
    published.mirror.faults.clear()
    assert archive.update().best("hello").version == "2.11"  # type: ignore[union-attr]


def test_a_release_signed_by_someone_else_is_refused(
    archive: Archive, published: made.Archive, tmp_path: Path
) -> None:
    published.key = Key(tmp_path, "evil")
    published.publish()
    with pytest.raises(BadSignature, match="stable/InRelease"):
        archive.index()


def test_an_older_release_does_not_replace_a_newer(
    archive: Archive, published: made.Archive
) -> None:
    _republish(published, "2.11")
    new = archive.index()
    _republish(published, "2.12", "Fri, 10 Jul 2026")
    assert archive.update().snapshot == new.snapshot


def test_an_expired_release_is_refused_unless_that_is_wanted(
    published: made.Archive, key: Key, tmp_path: Path
) -> None:
    published.release["Valid-Until"] = "Sat, 11 Jul 2020 10:16:37 UTC"
    base = published.publish()
    suite = Suite((base,), "stable", ("main",))
    with pytest.raises(ExpiredRelease, match="stable/InRelease expired on 2020-07-11"):
        Archive([suite], tmp_path, keyring=[key.keyring]).index()
    lenient = Suite((base,), "stable", ("main",), check_valid_until=False)
    assert Archive([lenient], tmp_path, keyring=[key.keyring]).index().best("hello")


def test_other_peoples_archives_are_passed_over(
    published: made.Archive, mirror: Mirror, key: Key, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(signature, "DEBIAN_KEYRINGS", (key.keyring,))
    other_key = Key(tmp_path, "other")
    host = tmp_path / "trusted"
    host.mkdir()
    (host / "other.gpg").write_bytes(other_key.keyring.read_bytes())
    monkeypatch.setattr(signature, "TRUSTED_PARTS", host)
    other = made.Archive(mirror, other_key, "other")
    other.add(fields("tool"))
    base = other.publish()
    labelled = made.Archive(mirror, key, "labelled")
    labelled.release["Origin"] = "Not Debian"
    labelled.publish()
    (tmp_path / "rubbish.gpg").write_text("<html>")
    unreachable = ("http://127.0.0.1:1/unreachable",)
    sources = [
        Suite(unreachable, "x", ("main",), str(other_key.keyring)),
        Suite(unreachable, "y", ("main",), str(tmp_path / "rubbish.gpg")),
        Suite((base,), "stable", ("main",), str(key.keyring)),
        Suite((base,), "other", ("main",)),
        Suite((base,), "labelled", ("main",)),
    ]
    events: list[Event] = []
    index = Archive(sources, tmp_path / "cache").index(events.append)
    assert index.names() == ["hello", "libc"]
    assert [event.line for event in events if isinstance(event, Log)] == [
        f"{uri}: not Debian's own, passed over"
        for uri in (
            f"{unreachable[0]} x",
            f"{unreachable[0]} y",
            f"{base} other",
            f"{base} labelled",
        )
    ]
    # Known not to be Debian's, it may be gone.
    mirror.faults[other.in_release] = "missing"
    for _ in range(2):
        Archive(sources, tmp_path / "cache").update()
    mirror.faults = {published.in_release: "missing"}
    with pytest.raises(FetchError, match="stable"):
        Archive(sources, tmp_path / "cache").update()
    with pytest.raises(NoKeyring, match="no keyring /nonexistent"):
        missing = Suite((base,), "stable", ("main",), "/nonexistent.gpg")
        Archive([missing], tmp_path / "cache").update()
    with pytest.raises(SourcesError, match="none of the package sources"):
        Archive(sources[:1], tmp_path / "cache").index()


def test_a_component_that_is_not_there_is_named(
    published: made.Archive, key: Key, tmp_path: Path
) -> None:
    suite = Suite((f"{published.mirror.base}/debian",), "stable", ("main", "mian"))
    with pytest.raises(MalformedRelease, match="stable has no component mian for amd64"):
        Archive([suite], tmp_path, keyring=[key.keyring]).index()


def test_suites_are_merged_and_backports_do_not_win(
    published: made.Archive, mirror: Mirror, key: Key, tmp_path: Path
) -> None:
    for name, version, more in [
        ("updates", "2.10-3+u1", {}),
        ("backports", "3.0", {"NotAutomatic": "yes", "ButAutomaticUpgrades": "yes"}),
    ]:
        suite = made.Archive(mirror, key, name)
        suite.add(fields("hello", version))
        suite.release |= more
        suite.publish()
    base = f"{mirror.base}/debian"
    sources = [Suite((base,), n, ("main",)) for n in ("backports", "stable", "updates")]
    index = Archive(sources, tmp_path, keyring=[key.keyring]).index()
    assert [package.version for package in index.candidates("hello")] == [
        "2.10-3+u1",
        "2.10-3",
        "3.0",
    ]


def test_damage_in_the_cache_is_repaired(archive: Archive) -> None:
    snapshot = archive.index().snapshot
    for path in [*(archive.cache / "lists").iterdir(), *(archive.cache / "index").iterdir()]:
        path.write_bytes(path.read_bytes()[:-1])
    assert archive.index().snapshot == snapshot
    (archive.cache / "state.json").write_text("[")
    assert archive.index().snapshot == snapshot


@pytest.mark.parametrize(
    "state", ["[]", "{}", '{"index": 3, "suites": {}}', '{"index": "a", "suites": {"b": {}}}']
)
def test_a_state_that_no_update_wrote_is_as_none(archive: Archive, state: str) -> None:
    before = archive.index()
    (archive.cache / "state.json").write_text(state)
    assert archive.update().snapshot == before.snapshot


def test_what_happens_is_told(archive: Archive, published: made.Archive) -> None:
    events: list[Event] = []
    archive.update(events.append)
    assert [type(event) for event in (events[0], events[-1])] == [Started, Finished]
    last = [event for event in events if isinstance(event, Progress)][-1]
    assert last.done == last.total == len(published.mirror.files[published.by_hash()])
    published.mirror.close()
    with pytest.raises(FetchError):
        archive.update(events.append)
    assert isinstance(events[-1], Failed)


@pytest.mark.parametrize("missing", ["Date", "SHA256"])
def test_a_release_file_that_lacks_something_is_named(missing: str) -> None:
    lines = {"Date": made.DATE, "SHA256": "\n aa 1 x"}
    text = "".join(f"{key}: {value}\n" for key, value in lines.items() if key != missing)
    with pytest.raises(MalformedRelease, match=f"x: bad or missing field.*{missing}"):
        archive_module.parse_release(text, "x")
