"""Packages put together: whose a path is, where it lands, what is written and read back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from builders.debian.collect import collect, pack_new
from builders.debian.dpkgdb import Unpacked
from builders.debian.layout import FileConflict, Layout, LinkLoop, lay_out, place
from builders.debian.recorder import Record
from builders.tree import Content, Entry, content_reader

NS = 1_000_000_000


def package(name: str, version: str = "1.0", **fields: str) -> Unpacked:
    named = {key.replace("_", "-"): value for key, value in fields.items()}
    return Unpacked({"Package": name, "Version": version, "Architecture": "all", **named}, {})


def directory(path: str, mode: int = 0o755) -> Entry:
    return Entry(path, "d", mode, mtime=NS)


def file(path: str, data: bytes = b"", mode: int = 0o644) -> Entry:
    return Entry(path, "f", mode, mtime=NS, size=len(data), ref=data or None)


def link(path: str, target: str) -> Entry:
    return Entry(path, "l", 0o777, mtime=NS, size=len(target), ref=target)


def put(*packages: tuple[Unpacked, Sequence[Entry]]) -> Layout:
    return place(packages, time=5 * NS)


class TestPlace:
    def test_paths_below_bin_land_in_usr(self) -> None:
        layout = put((package("a"), [directory("bin"), file("bin/ls", b"x")]))
        assert layout.entries["bin"].ref == "usr/bin"
        assert layout.entries["usr/bin/ls"].ref == b"x"
        assert layout.listed["a"] == ["/bin", "/bin/ls"]

    def test_a_library_directory_of_another_machine_is_merged_where_used(self) -> None:
        assert "lib32" not in put((package("a"), [file("x")])).entries
        layout = put((package("a"), [directory("lib32"), file("lib32/x")]))
        assert layout.entries["lib32"].ref == "usr/lib32"
        assert "usr/lib32/x" in layout.entries

    def test_a_package_may_ship_the_merged_links_itself(self) -> None:
        layout = put((package("base-files"), [link("bin", "usr/bin")]))
        assert layout.entries["bin"].mtime == NS

    def test_paths_go_through_links_of_other_packages(self) -> None:
        layout = put(
            (
                package("a"),
                [directory("srv"), directory("srv/real"), link("srv/alias", "/srv/real")],
            ),
            (package("b"), [directory("srv/alias"), file("srv/alias/x", b"x")]),
        )
        assert layout.entries["srv/real/x"].ref == b"x"
        assert layout.entries["srv/alias"].kind == "l"

    def test_a_link_out_of_the_root_stays_within(self) -> None:
        layout = put(
            (package("a"), [link("out", "../../../etc")]),
            (package("b"), [file("out/passwd", b"x")]),
        )
        assert layout.entries["etc/passwd"].ref == b"x"

    def test_a_loop_of_links_is_an_error(self) -> None:
        with pytest.raises(LinkLoop):
            put((package("a"), [link("x", "y"), link("y", "x")]), (package("b"), [file("x/f")]))

    def test_a_directory_is_its_first_owners(self) -> None:
        layout = put(
            (package("a"), [directory("srv", 0o700)]),
            (package("b"), [directory("srv", 0o755)]),
        )
        assert layout.entries["srv"].mode == 0o700
        assert layout.listed["b"] == ["/srv"]

    def test_a_link_does_not_take_the_place_of_a_directory(self) -> None:
        layout = put(
            (package("a"), [directory("srv"), file("srv/x")]),
            (package("b"), [link("srv", "opt")]),
        )
        assert layout.entries["srv"].kind == "d"

    def test_the_same_file_twice_is_an_error_naming_both(self) -> None:
        with pytest.raises(FileConflict, match=r"packages a and b both have /usr/x"):
            put((package("a"), [file("usr/x")]), (package("b"), [file("usr/x")]))

    def test_the_same_file_by_way_of_merged_usr_is_an_error(self) -> None:
        with pytest.raises(FileConflict):
            put((package("a"), [file("bin/x")]), (package("b"), [file("usr/bin/x")]))

    @pytest.mark.parametrize("replaces", ["a", "a (<< 2)", "z, a (<= 1.0)"])
    @pytest.mark.parametrize("first", [True, False])
    def test_who_replaces_keeps_the_file(self, replaces: str, first: bool) -> None:
        two = [
            (package("b", Replaces=replaces), [file("x", b"new")]),
            (package("a"), [directory("srv"), file("x", b"old")]),
        ]
        layout = put(*(two if first else two[::-1]))
        assert layout.entries["x"].ref == b"new"
        assert layout.listed == {"a": ["/srv"], "b": ["/x"]}

    def test_replaces_of_an_older_version_does_not_count(self) -> None:
        with pytest.raises(FileConflict):
            put((package("a"), [file("x")]), (package("b", Replaces="a (<< 1.0)"), [file("x")]))

    def test_a_file_in_place_of_a_directory_is_an_error(self) -> None:
        with pytest.raises(FileConflict):
            put((package("a"), [directory("x")]), (package("b"), [file("x")]))
        with pytest.raises(FileConflict):
            put((package("a"), [file("x")]), (package("b"), [file("x/y")]))
        with pytest.raises(FileConflict):
            put((package("a"), [file("usr/bin")]))

    def test_diverting_a_file_of_the_same_root_is_reported(self) -> None:
        diverter = Unpacked(
            {"Package": "b", "Version": "1"}, {"preinst": "dpkg-divert --add /usr/bin/x"}
        )
        with pytest.raises(FileConflict, match="b diverts /usr/bin/x"):
            put((package("a"), [file("usr/bin/x")]), (diverter, [file("usr/bin/x")]))

    def test_a_hard_link_follows_its_file(self) -> None:
        layout = put((package("a"), [file("bin/x", b"x"), Entry("usr/y", "h", 0, ref="bin/x")]))
        assert layout.entries["usr/y"] == Entry("usr/y", "h", 0, ref="usr/bin/x")

    def test_a_hard_link_whose_file_went_to_another_package_is_the_file(self) -> None:
        layout = put(
            (package("b", Replaces="a"), [file("x", b"new")]),
            (package("a"), [file("x", b"old"), Entry("y", "h", 0, ref="x")]),
        )
        assert layout.entries["y"].ref == b"old"

    def test_missing_parents_are_made(self) -> None:
        layout = put((package("a"), [file("opt/a/b/c")]))
        assert layout.entries["opt/a"] == Entry("opt/a", "d", 0o755, mtime=5 * NS)


@pytest.fixture
def pack(tmp_path: Path) -> Content:
    """A pack with "hello" at 4096, and a large content after it."""
    path = tmp_path / "pack"
    path.write_bytes(bytes(4096) + b"hello".ljust(4096, b"\0") + b"L" * 3_000_000)
    return Content("/kiln/store/x-a/pack", 4096)


class TestLayOutAndCollect:
    def entries(self, pack: Content) -> dict[str, Entry]:
        tree = [
            directory("srv", 0o2755),
            Entry("srv/hello", "f", 0o4755, mtime=NS, size=5, ref=pack),
            Entry(
                "srv/large",
                "f",
                0o600,
                mtime=2 * NS,
                size=3_000_000,
                ref=pack._replace(offset=8192),
            ),
            Entry("srv/second", "h", 0, ref="srv/hello"),
            file("srv/empty", b"", 0o400),
            link("srv/link", "/nowhere"),
            Entry("srv/fifo", "p", 0o640, mtime=NS),
            Entry("srv/null", "c", 0o666, mtime=NS, ref=(1, 3)),
            directory("srv/closed", 0o000),
        ]
        return {"": directory(""), **{entry.path: entry for entry in tree}}

    def test_an_untouched_tree_comes_back_as_it_was(self, tmp_path: Path, pack: Content) -> None:
        entries = self.entries(pack)
        root = tmp_path / "root"
        root.mkdir()
        real = lambda _source: tmp_path / "pack"  # noqa: E731
        laid = lay_out(entries, root, real)
        assert (root / "srv/hello").read_bytes() == b"hello"
        assert (root / "srv/large").read_bytes() == b"L" * 3_000_000
        null = os.lstat(root / "srv/null")
        records = {(null.st_dev, null.st_ino): Record(device=("c", 1, 3))}
        found = collect(root, entries, laid, records, {}, real, since=10 * NS, time=10 * NS)
        assert {entry.path: entry for entry in found} == entries

    def test_what_changed_is_new_and_dated(self, tmp_path: Path, pack: Content) -> None:
        entries = self.entries(pack)
        root = tmp_path / "root"
        root.mkdir()
        real = lambda _source: tmp_path / "pack"  # noqa: E731
        laid = lay_out(entries, root, real)
        (root / "srv/large").write_bytes(b"small")
        (root / "srv/hello").write_bytes(b"hello")
        (root / "srv/added").write_bytes(b"added")
        (root / "srv/added").chmod(0o000)
        (root / "srv/empty").unlink()
        owner = os.lstat(root / "srv")
        records = {(owner.st_dev, owner.st_ino): Record(0, 50)}
        date = 10 * NS
        collected = collect(root, entries, laid, records, {}, real, since=date, time=date)
        output = tmp_path / "new"
        packed = pack_new(collected, output, "/kiln/store/y-root/pack")
        found = {entry.path: entry for entry in packed}
        read = content_reader(lambda source: output if "y-root" in source else tmp_path / "pack")
        assert read(found["srv/large"]) == b"small"
        assert found["srv/large"].mtime == date
        assert found["srv/hello"].ref == pack, "written again with the same content"
        assert read(found["srv/added"]) == b"added"
        assert found["srv/added"].mode == 0
        assert found["srv/added"].gid == 50, "a set-gid directory gives new files its group"
        assert found["srv/hello"].gid == 0
        assert "srv/empty" not in found
        assert found["srv"].gid == 50

    def test_new_files_of_a_user_that_was_acted_for_are_the_users(
        self, tmp_path: Path, pack: Content
    ) -> None:
        entries = self.entries(pack)
        root = tmp_path / "root"
        root.mkdir()
        real = lambda _source: tmp_path / "pack"  # noqa: E731
        laid = lay_out(entries, root, real)
        (root / "srv").chmod(0o755)
        (root / "srv/data").mkdir()
        (root / "srv/data/base").touch()
        (root / "srv/roots").touch()
        status = {name: os.lstat(root / "srv" / name) for name in ("../srv", "roots")}
        records = {
            (status["../srv"].st_dev, status["../srv"].st_ino): Record(101, 4),
            (status["roots"].st_dev, status["roots"].st_ino): Record(0, 0),
        }
        for switched, owner in (({101: 107}, (101, 107)), ({}, (0, 0))):
            found = {
                entry.path: (entry.uid, entry.gid)
                for entry in collect(
                    root, entries, laid, records, switched, real, since=NS, time=NS
                )
            }
            assert found["srv/data"] == found["srv/data/base"] == owner
            assert found["srv/roots"] == found["srv/hello"] == (0, 0)

    def test_a_cut_short_pack_is_an_error(self, tmp_path: Path, pack: Content) -> None:
        root = tmp_path / "root"
        root.mkdir()
        entry = Entry("x", "f", 0o644, size=9_000_000, ref=pack)
        with pytest.raises(EOFError, match="/x"):
            lay_out({"": directory(""), "x": entry}, root, lambda _source: tmp_path / "pack")
