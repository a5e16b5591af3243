"""Trees over each other: what wins, what follows links, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.merge import DanglingHardLink, LinkLoop, TreeConflict, arrange, merge, without
from builders.tree import Entry, Kind, order

ROOT = Entry("", "d", 0o755)


def d(path: str, mode: int = 0o755) -> Entry:
    return Entry(path, "d", mode)


def f(path: str, text: str = "", mode: int = 0o644) -> Entry:
    return Entry(path, "f", mode, size=len(text), ref=text.encode() or None)


def link(path: str, target: str) -> Entry:
    return Entry(path, "l", 0o777, size=len(target), ref=target)


def hard(path: str, target: str) -> Entry:
    return Entry(path, "h", 0, ref=target)


def test_the_later_tree_wins_and_parents_are_made() -> None:
    assert merge(
        [ROOT, d("etc", 0o700), f("etc/a", "1")], [f("etc/a", "2"), f("x/y/z")], time=7
    ) == [
        ROOT,
        d("etc", 0o700),
        f("etc/a", "2"),
        Entry("x", "d", 0o755, mtime=7),
        Entry("x/y", "d", 0o755, mtime=7),
        f("x/y/z"),
    ]
    assert merge([ROOT, d("etc", 0o700)], [d("etc", 0o750)])[1].mode == 0o750


def test_paths_through_links_land_where_the_links_lead() -> None:
    base = [
        ROOT,
        link("bin", "usr/bin"),
        link("lib", "/usr/lib"),
        d("usr"),
        d("usr/bin"),
        link("usr/up", "../usr/./bin"),
    ]
    overlay = [d("bin"), f("bin/sh"), f("lib/libc"), f("usr/up/ls"), hard("lib/libd", "lib/libc")]
    merged = {entry.path: entry for entry in merge(base, overlay)}
    assert set(merged) == {
        *("", "bin", "lib", "usr", "usr/bin", "usr/bin/ls", "usr/bin/sh", "usr/lib"),
        *("usr/lib/libc", "usr/lib/libd", "usr/up"),
    }
    assert merged["bin"] == base[1]
    assert merged["usr/lib/libd"].ref == "usr/lib/libc"


def test_a_link_that_is_replaced_is_not_followed_any_more() -> None:
    merged = merge([ROOT, link("a", "b"), d("b")], [link("a", "c"), f("a/x")])
    assert [entry.path for entry in merged] == ["", "a", "b", "c", "c/x"]


def test_a_replaced_file_stays_under_its_other_names() -> None:
    base = [ROOT, f("a", "old"), hard("b", "a"), hard("c", "a")]
    assert merge(base, [f("a", "new")]) == [ROOT, f("a", "new"), f("b", "old"), hard("c", "b")]
    assert merge(base, [f("b", "new")]) == [ROOT, f("a", "old"), f("b", "new"), hard("c", "a")]
    assert merge(base, [f("a", "x"), f("b", "y")]) == [
        ROOT,
        f("a", "x"),
        f("b", "y"),
        f("c", "old"),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (d("a"), f("a")),
        (f("a"), d("a")),
        (d("a"), link("a", "b")),
        (f("a"), f("a/b")),
        (Entry("a", "c", 0o600, ref=(1, 3)), d("a")),
    ],
)
def test_a_directory_against_anything_else_is_refused(old: Entry, new: Entry) -> None:
    with pytest.raises(TreeConflict) as caught:
        merge([ROOT, old], [new])
    assert "/a is" in caught.value.message


def test_loops_of_links_are_refused() -> None:
    with pytest.raises(LinkLoop):
        merge([ROOT, link("a", "b"), link("b", "a")], [f("a/x")])
    with pytest.raises(LinkLoop):
        merge([ROOT, link("a", "a")], [f("a/x")])


def test_removing_takes_what_is_below_and_keeps_other_names() -> None:
    tree = [ROOT, d("a"), f("a/x", "1"), hard("a/y", "a/x"), d("b"), hard("b/z", "a/x"), f("c")]
    assert without(tree, ["a"]) == [ROOT, d("b"), f("b/z", "1"), f("c")]
    assert without(tree, ["c", "a/y"]) == [*tree[:3], *tree[4:6]]
    assert without(tree, []) == tree


def test_of_the_names_of_a_file_the_first_is_the_file() -> None:
    assert arrange([f("b", "1"), hard("a", "b"), hard("c", "b"), ROOT]) == [
        ROOT,
        f("a", "1"),
        hard("b", "a"),
        hard("c", "a"),
    ]
    with pytest.raises(DanglingHardLink):
        arrange([ROOT, hard("a", "nowhere")])


def test_the_order_is_by_components_and_bytes() -> None:
    paths = ["a", "a/b", "a/b/c", "a-b", "a.d", "ä", "\udcff", "z"]
    assert sorted(paths, key=order) == ["a", "a/b", "a/b/c", "a-b", "a.d", "z", "ä", "\udcff"]


PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
TREES = st.lists(
    st.tuples(PATHS, st.sampled_from("dfffl"), st.text("xy", max_size=3)), max_size=8
).map(lambda items: [made(path, kind, text) for path, kind, text in items])


def made(path: str, kind: Kind, text: str) -> Entry:
    if kind == "d":
        return d(path)
    return f(path, text) if kind == "f" else link(path, "/" + (text or "x"))


@given(TREES, TREES)
def test_a_merged_tree_is_complete_and_sorted(one: list[Entry], other: list[Entry]) -> None:
    try:
        merged = merge(one, other)
    except (TreeConflict, LinkLoop):
        return
    paths = [entry.path for entry in merged]
    assert paths == sorted(set(paths), key=order)
    kinds = {entry.path: entry.kind for entry in merged}
    assert all(kinds[path.rpartition("/")[0]] == "d" for path in paths if path)
    assert merge(merged) == merged
