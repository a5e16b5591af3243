from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from builders.debian import native
from builders.debian.archive import Archive
from builders.debian.native import FileConflict
from builders.debian.resolver import resolve
from builders.debian.sources import Suite
from builders.errors import BuilderError
from builders.realise import realise
from builders.registry import Build
from builders.store import Store
from tests.builders.debian import mirror as made
from tests.builders.debian.mirror import Key, deb, directory, fields, tar

Tree = list[tuple[str, dict[str, Any]]]


def _link(target: str, kind: bytes = tarfile.SYMTYPE) -> dict[str, Any]:
    return {"type": kind, "linkname": target}


def _build(tmp_path: Path, *packages: Tree, **members: str) -> Path:
    """What the builder makes of packages with these trees; the first has the control members."""
    store = tmp_path / "store"
    store.mkdir()
    paths = []
    for number, tree in enumerate(packages):
        content = deb(fields(f"p{number}"), tar(tree), **({} if number else members))
        (store / f"p{number}").write_bytes(content)
        paths.append(f"/kiln/store/p{number}")
    build = Build("native", {"debs": paths}, tmp_path / "out", tmp_path / "scratch", store)
    native.native_item(build)
    return build.output


def test_files_are_loose_and_directories_merged(tmp_path: Path) -> None:
    out = _build(
        tmp_path,
        [
            ("./bin/sh", {"data": b"sh", "mode": 0o4755}),
            ("./lib64/ld.so", _link("/lib/x/ld.so")),
            ("./lib/x/ld.so", {"data": b"ld", "mode": 0o600}),
            ("./etc/conf", {"data": b""}),
            ("./usr/share/doc/p/copyright", {"data": b"no"}),
            ("./var/lib/x", {"data": b"no"}),
            ("./library", {"data": b"no"}),
        ],
        [directory("./usr/bin/")],
    )
    files = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_symlink() or not p.is_dir()}
    assert files == {"usr/bin/sh", "usr/lib64/ld.so", "usr/lib/x/ld.so", "etc/conf"}
    assert (out / "usr/bin/sh").read_bytes() == b"sh"
    assert (out / "usr/bin/sh").stat().st_mode & 0o7777 == 0o755
    assert (out / "usr/lib/x/ld.so").stat().st_mode & 0o7777 == 0o644
    assert (out / "usr/lib64/ld.so").readlink() == Path("/lib/x/ld.so")


@pytest.mark.parametrize("names", [("a", "z"), ("z", "a")])
def test_hard_links_share_their_file(tmp_path: Path, names: tuple[str, str]) -> None:
    first, second = names
    tree = [
        (f"./bin/{first}", {"data": b"x", "mode": 0o755}),
        (f"./bin/{second}", _link(f"./bin/{first}", tarfile.LNKTYPE)),
    ]
    out = _build(tmp_path, tree)
    one, other = (out / "usr/bin" / name for name in names)
    assert one.stat().st_ino == other.stat().st_ino
    assert one.read_bytes() == b"x"


def test_the_later_package_wins(tmp_path: Path) -> None:
    out = _build(
        tmp_path,
        [("./usr/a", {"data": b"1"}), ("./usr/b", _link("a")), ("./usr/c", {"data": b"1"})],
        [("./usr/a", {"data": b"2"}), ("./usr/b", {"data": b"2"}), ("./usr/c", _link("a"))],
    )
    assert [(out / "usr" / name).read_bytes() for name in "abc"] == [b"2", b"2", b"2"]
    assert (out / "usr/c").is_symlink()


def test_no_link_of_one_package_leads_another_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    out = _build(
        tmp_path,
        [("./usr/lib/evil", _link(str(outside))), ("./usr/up", _link("../../../.."))],
        [("./usr/lib/evil/file", {"data": b"x"}), ("./usr/up/file", {"data": b"x"})],
    )
    assert list(outside.iterdir()) == []
    assert (out / "usr/lib/evil/file").read_bytes() == b"x"
    assert not (out / "usr/lib/evil").is_symlink()


def test_a_file_where_another_has_a_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileConflict, match="/usr/a of p1 is already there"):
        _build(tmp_path, [("./usr/a/b", {"data": b"x"})], [("./usr/a", {"data": b"x"})])
    (tmp_path / "more").mkdir()
    with pytest.raises(FileConflict, match="/usr/a of p1"):
        _build(tmp_path / "more", [("./usr/a", {"data": b"x"})], [("./usr/a/b", {"data": b"x"})])


def test_a_hard_link_to_what_is_left_out_is_named(tmp_path: Path) -> None:
    tree: Tree = [("./opt/a", {"data": b"x"}), ("./usr/b", _link("./opt/a", tarfile.LNKTYPE))]
    with pytest.raises(BuilderError, match="/usr/b of p0 is a hard link"):
        _build(tmp_path, tree)


def test_alternatives_are_links(tmp_path: Path) -> None:
    postinst = (
        "update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 \\\n"
        "  --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/mawk.1.gz \\\n"
        "  --slave /usr/bin/nawk nawk /usr/bin/mawk\n"
        "update-alternatives --install /usr/bin/other other /usr/bin/missing 5\n"
        'update-alternatives --install "$link" name /usr/bin/mawk 5\n'
    )
    out = _build(tmp_path, [("./usr/bin/mawk", {"data": b"x"})], postinst=postinst)
    links = {
        path.name: str(path.readlink()) for path in (out / "usr/bin").iterdir() if path.is_symlink()
    }
    assert links == {"awk": "/usr/bin/mawk", "nawk": "/usr/bin/mawk"}


def test_packages_are_fetched_and_unpacked_by_the_graph(
    published: made.Archive, key: Key, tmp_path: Path
) -> None:
    """From the mirror to loose files, through the store."""
    tree = tar([("./usr/bin/hey", {"data": b"hey", "mode": 0o755})])
    path = published.add(fields("hey", "1:2~a", Depends="libc"), tree)
    base = published.publish()
    sources = [Suite((base,), "stable", ("main",))]
    index = Archive(sources, tmp_path / "cache", keyring=[key.keyring]).index()
    derivation = native.native_derivation(resolve(index, ["hey"]), (), "hey")
    with Store(tmp_path / "store") as store:
        (item,) = realise([derivation], store)
        assert (store.real(item) / "usr/bin/hey").read_bytes() == b"hey"
        # What is valid is not fetched again.
        count = published.mirror.asked().count(path)
        again = native.native_derivation(resolve(index, ["hey"]), ("http://127.0.0.1:1",), "hey")
        assert realise([again], store) == [item]
        assert published.mirror.asked().count(path) == count == 1
