from __future__ import annotations

from pathlib import Path

import pytest

from builders.debian import index
from builders.debian.archive import Archive
from builders.debian.index import (
    DamagedIndex,
    Index,
    MalformedPackages,
    PackagesFile,
    compile_index,
)
from builders.debian.sources import host_sources

STANZA = """Package: {name}
Version: {version}
Architecture: amd64
{more}Filename: pool/{name}.deb
Size: 10
SHA256: 00
Description: the {name}
"""


def _compile(path: Path, *files: PackagesFile) -> Index:
    compile_index(path / "i", files, snapshot="s", date=7, architecture="amd64")
    return Index(path / "i")


def _file(*packages: tuple[str, str, str], priority: int = 500) -> PackagesFile:
    stanzas = [STANZA.format(name=n, version=v, more=more) for n, v, more in packages]
    return PackagesFile("\n".join(stanzas).encode(), ("http://a.example",), priority)


def test_packages_and_providers_are_found_by_name(tmp_path: Path) -> None:
    index = _compile(
        tmp_path,
        _file(
            ("dash", "1", "Essential: yes\nProvides: sh\n"),
            ("mawk", "2", "Provides: awk (= 1),\n sh\n"),
        ),
    )
    assert (index.snapshot, index.date) == ("s", 7)
    assert index.names() == ["dash", "mawk"]
    assert index.essential() == ("dash",)
    assert index.providers("sh") == ("dash", "mawk")
    assert index.best("sh") is None
    assert index.candidates("nothing") == []
    mawk = index.best("mawk")
    assert mawk is not None
    assert mawk.provides == "awk (= 1), sh"
    assert mawk.uris == ("http://a.example/pool/mawk.deb",)
    assert str(mawk) == "mawk 2"


def test_the_best_candidate_is_of_the_highest_priority_then_version(tmp_path: Path) -> None:
    index = _compile(
        tmp_path,
        _file(("a", "1.9", ""), ("b", "1", "")),
        _file(("a", "1.10", ""), ("a", "1.9", "Section: again\n")),
        _file(("a", "3", ""), priority=100),
    )
    assert [one.version for one in index.candidates("a")] == ["1.10", "1.9", "3"]
    assert index.candidates("a")[1].section == ""


def test_other_architectures_are_left_out(tmp_path: Path) -> None:
    content = STANZA.format(name="a", version="1", more="").replace("amd64", "armhf")
    assert _compile(tmp_path, PackagesFile(content.encode(), ())).names() == []


def test_of_a_long_description_the_first_line_is_kept(tmp_path: Path) -> None:
    index = _compile(tmp_path, _file(("a", "1", "Description: short\n long\n .\n tail\n")))
    # The later of two equal fields wins; the folded one must not have run into its neighbours.
    assert index.best("a").description == "the a"  # type: ignore[union-attr]
    text = STANZA.format(name="a", version="1", more="").rstrip() + "\n long\n\tmore\n"
    index = _compile(tmp_path, PackagesFile(text.encode(), ()))
    assert index.best("a").description == "the a"  # type: ignore[union-attr]


def test_near_names_and_words_find_packages(tmp_path: Path) -> None:
    names = ["nginx", "nginx-common", "tmux", "python3", "python3-yaml"]
    index = _compile(tmp_path, _file(*[(name, "1", "") for name in names]))
    assert index.nearest("ngnix") == ("nginx",)
    assert index.nearest("tmus") == ("tmux",)
    assert index.nearest("python3-y") == ("python3", "python3-yaml")
    assert index.nearest("zzzzzz") == ()
    assert [one.name for one in index.search(["THE", "nginx"])] == ["nginx", "nginx-common"]


def test_a_stanza_that_lacks_something_is_named(tmp_path: Path) -> None:
    text = STANZA.format(name="a", version="1", more="").replace("Size", "Seize")
    with pytest.raises(MalformedPackages, match=r"Packages: a: bad or missing field.*Size"):
        _compile(tmp_path, PackagesFile(text.encode(), ()))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep", [0, 7, 20, 100, -1])
def test_a_damaged_file_is_noticed(tmp_path: Path, keep: int) -> None:
    path = _compile(tmp_path, _file(("a", "1", ""))).path
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DamagedIndex, match="cannot read the package index"):
        Index(path)


@pytest.mark.archive
def test_debians_lists_are_parsed_once(test_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(host_sources(), test_cache / "archive")
    names = archive.index().names()
    monkeypatch.setattr(index, "_stanzas", None)
    known = archive.index()
    assert all(known.best(name) for name in names[::200])
