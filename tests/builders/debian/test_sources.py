from __future__ import annotations

from pathlib import Path

import pytest

from builders.debian.sources import SourcesError, Suite, host_sources, parse_deb822, parse_one_line

BASE = "http://mirror.example/debian"


def test_one_line_sources_are_read() -> None:
    text = f"""
    # deb http://nowhere.example/ x main
    deb [arch=amd64,arm64 signed-by=/k.gpg check-valid-until=no] {BASE}/ stable main contrib # c
    deb-src {BASE} stable main
    """
    assert parse_one_line(text, origin="l") == [
        Suite((BASE,), "stable", ("main", "contrib"), "/k.gpg", False, "l")
    ]


@pytest.mark.parametrize(
    "line",
    [
        f"deb [arch=armhf] {BASE} stable main",
        f"deb [trusted=yes] {BASE} stable main",
        f"deb {BASE}/flat ./",
        "deb cdrom:[Debian]/ stable main",
        f"# deb {BASE} stable main",
    ],
)
def test_sources_that_cannot_serve_are_left_out(line: str) -> None:
    assert parse_one_line(line, origin="l") == []


def test_a_line_that_does_not_parse_is_named() -> None:
    with pytest.raises(SourcesError, match=r"sources\.list:2"):
        parse_one_line("\ndeb nonsense\n", origin="sources.list")
    with pytest.raises(SourcesError, match="option 'arch' has no value"):
        parse_one_line(f"deb [arch] {BASE} stable main", origin="l")


def test_deb822_sources_are_read() -> None:
    text = f"""Types: deb deb-src
URIs: {BASE}
Suites: stable stable-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 xsF
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: {BASE}
Suites: testing
Components: main
"""
    suites = parse_deb822(text, origin="o")
    assert [(suite.suite, suite.uris) for suite in suites] == [
        ("stable", (BASE,)),
        ("stable-updates", (BASE,)),
    ]
    assert suites[0].signed_by.startswith("-----BEGIN PGP")


def test_a_mirror_list_in_a_file_names_equal_mirrors(tmp_path: Path) -> None:
    mirrors = tmp_path / "mirrors.list"
    mirrors.write_text(f"# fast\n{BASE}\tpriority:1\nhttps://other.example/debian/\n")
    text = f"Types: deb\nURIs: mirror+file://{mirrors}\nSuites: stable\nComponents: main\n"
    (suite,) = parse_deb822(text, origin="o")
    assert suite.uris == (BASE, "https://other.example/debian")


def test_the_host_is_read_as_apt_reads_it(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(f"deb {BASE} stable main\n")
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (parts / "b.sources").write_text(
        f"Types: deb\nURIs: {BASE}\nSuites: stable stable-updates\nComponents: main\n"
    )
    (parts / "a.list.disabled").write_text("not a source at all\n")
    (tmp_path / "apt.conf.d").mkdir()
    (tmp_path / "apt.conf.d" / "90").write_text('Acquire::Check-Valid-Until "false";\n')
    suites = host_sources(tmp_path)
    assert [suite.suite for suite in suites] == ["stable", "stable-updates"]
    assert not any(suite.check_valid_until for suite in suites)


def test_a_host_without_sources_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourcesError) as caught:
        host_sources(tmp_path)
    assert "name a Debian mirror" in str(caught.value.hint)
