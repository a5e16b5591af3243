"""Layers of containers: together they are the tree, and a package's layer is always the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.formats import layers
from builders.merge import arrange, merge
from builders.tree import Content, Entry, order
from tests.builders.filesystems.trees import trees


def item(name: str, offset: int = 0) -> Content:
    return Content(f"/kiln/store/{name}/pack", offset)


TREE = arrange(
    [
        Entry("", "d", 0o755),
        Entry("etc", "d", 0o755),
        Entry("etc/motd", "f", 0o644, size=900, ref=b"x" * 900),
        Entry("usr", "d", 0o700, 5, 6),
        Entry("usr/bin", "d", 0o755),
        Entry("usr/bin/large", "f", 0o755, size=5000, ref=item("b-large")),
        Entry("usr/bin/middle", "f", 0o755, size=3000, ref=item("a-middle")),
        Entry("usr/bin/same", "h", 0, ref="usr/bin/large"),
        Entry("usr/bin/small", "f", 0o755, size=10, ref=item("c-small")),
        Entry("usr/lib", "d", 0o755),
        Entry("usr/lib/large.so", "f", 0o644, size=400, ref=item("b-large", 8192)),
        Entry("usr/lib/link", "l", 0o777, size=8, ref="large.so"),
    ]
)


def paths(tree: list[Entry]) -> list[str]:
    return [entry.path for entry in tree]


def test_the_largest_packages_get_layers_of_their_own() -> None:
    middle, large, rest = layers.split(TREE, 3)
    assert paths(middle) == ["", "usr", "usr/bin", "usr/bin/middle"]
    assert middle[1] == Entry("usr", "d", 0o700, 5, 6)
    assert paths(large) == [
        *("", "usr", "usr/bin", "usr/bin/large", "usr/bin/same"),
        *("usr/lib", "usr/lib/large.so"),
    ]
    assert paths(rest) == [
        *("", "etc", "etc/motd", "usr", "usr/bin", "usr/bin/small", "usr/lib", "usr/lib/link")
    ]


def test_a_package_gives_the_same_layer_beside_others() -> None:
    others = [entry for entry in TREE if "middle" not in entry.path]
    assert layers.split(TREE, 3)[1] == layers.split(others, 2)[0]


def test_one_layer_is_the_tree() -> None:
    assert layers.split(TREE, 1) == [TREE]
    assert len(layers.split(TREE, 100)) == 4


@settings(max_examples=60, deadline=None)
@given(trees("pool"), st.integers(1, 6), st.data())
def test_layers_over_each_other_are_the_tree(
    case: tuple[list[Entry], dict[str, bytes], bytes], most: int, data: st.DataObject
) -> None:
    tree = []
    for entry in case[0]:
        if isinstance(entry.ref, Content):
            name = data.draw(st.sampled_from(["a-1", "b-2", "c-3"]))
            entry = entry._replace(ref=item(name, entry.ref.offset))  # noqa: PLW2901
        tree.append(entry)
    found = layers.split(tree, most)
    assert len(found) <= most
    assert merge(*found) == tree
    for layer in found:
        assert paths(layer) == sorted(paths(layer), key=order)
        names = set(paths(layer))
        assert all(entry.path.rpartition("/")[0] in names for entry in layer)
        assert all(entry.ref in names for entry in layer if entry.kind == "h")
