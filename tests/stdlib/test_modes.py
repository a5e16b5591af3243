"""The modes that an initializer gives its files are those in the partition."""

from __future__ import annotations

from pathlib import Path

from builders import items, mtree
from builders.directory_tree import directory_tree
from builders.registry import Build
from stdlib.guix.build.modes import record_modes

MODES = {
    **{"": 0o755, "home": 0o711, "home/alice": 0o700, "home/secret": 0o640, "tmp": 0o1777},
    **{"shut": 0, "shut/inside": 0o4755},
}


def test_modes_outlive_the_store(tmp_path: Path) -> None:
    item = tmp_path / "a-partition"
    for folder in ("home/alice", "tmp", "shut"):
        (item / folder).mkdir(parents=True)
    for file in ("home/secret", "shut/inside"):
        (item / file).write_text(file)
    (item / "tmp/link").symlink_to("/nowhere")
    for path, mode in reversed(MODES.items()):
        (item / path).chmod(mode)
    record_modes(str(item), ".kiln-modes")
    items.seal(item, ())
    build = Build(
        name="tree",
        arguments={"source": "/kiln/store/a-partition", "modes": ".kiln-modes"},
        output=tmp_path / "b-tree",
        scratch=tmp_path,
        store=tmp_path,
        logical="/kiln/store/b-tree",
    )
    directory_tree(build)
    tree = {entry.path: entry for entry in mtree.read_item(build.output, build.logical)}
    assert tree.pop("tmp/link").kind == "l"
    assert {path: entry.mode for path, entry in tree.items()} == MODES
