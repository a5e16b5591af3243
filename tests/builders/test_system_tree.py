"""The tree of a system: files land where they belong, with the right owner; the rest stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builders import mtree
from builders.accounts import UnknownGroup
from builders.merge import TreeConflict
from builders.registry import Build
from builders.store import Store
from builders.system_tree import (
    BadFile,
    DuplicateFile,
    NotInSystem,
    UnknownKey,
    UnknownOwner,
    system_tree,
)
from builders.tree import Entry, content_reader

PASSWD = b"root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n"
GROUP = b"root:x:0:\nshadow:x:42:\nusers:x:100:\nwww-data:x:33:\n"
SECOND = 1_000_000_000
LOGICAL = "/kiln/store/" + "0" * 32 + "-system"


def file(path: str, data: bytes, mode: int = 0o644, gid: int = 0) -> Entry:
    return Entry(path, "f", mode, 0, gid, 7 * SECOND, len(data), data)


ROOT = [
    Entry("", "d", 0o755),
    Entry("etc", "d", 0o755, mtime=7 * SECOND),
    file("etc/group", GROUP),
    file("etc/hostname", b"builder\n"),
    file("etc/passwd", PASSWD),
    file("etc/shadow", b"root:*:19000:0:99999:7:::\n", 0o640, 42),
    Entry("etc/skel", "d", 0o755),
    file("etc/skel/.profile", b"PS1=x\n"),
    Entry("lib", "l", 0o777, size=7, ref="usr/lib"),
    Entry("usr", "d", 0o755),
    Entry("usr/lib", "d", 0o755),
    Entry("usr/share", "d", 0o755),
    file("usr/share/a", b"shared"),
    Entry("usr/share/b", "h", 0, ref="usr/share/a"),
]


class System:
    """The output of the builder."""

    def __init__(self, output: Path, store: Path) -> None:
        self.entries = {entry.path: entry for entry in mtree.read_item(output, LOGICAL)}
        self._output, self._store = output, store

    def real(self, logical: str) -> Path:
        if logical.startswith(LOGICAL):
            return self._output / logical[len(LOGICAL) + 1 :]
        return self._store / logical.removeprefix("/kiln/store/")

    def text(self, path: str) -> str:
        return content_reader(self.real)(self.entries[path]).decode()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def add_root(store: Store, tmp_path: Path) -> str:
    root = tmp_path / "root"
    root.mkdir()
    (root / "manifest").write_text(mtree.write(ROOT))
    return store.add_path("root", root)


def build(store: Store, tmp_path: Path, **arguments: Any) -> System:
    output = tmp_path / "output"
    arguments["root"] = add_root(store, tmp_path)
    system_tree(
        Build("system", arguments, output, tmp_path, store.real("/kiln/store/x").parent, LOGICAL)
    )
    return System(output, store.real("/kiln/store/x").parent)


def test_nothing_added_is_the_root(store: Store, tmp_path: Path) -> None:
    system = build(store, tmp_path)
    assert list(system.entries) == [entry.path for entry in ROOT]
    for entry in ROOT:
        if entry.kind != "f":
            assert system.entries[entry.path] == entry
    assert system.text("usr/share/a") == "shared"


def test_texts_directories_and_links_are_put_over_the_root(store: Store, tmp_path: Path) -> None:
    files = [
        {"path": "/etc/hostname", "text": "komputilo\n"},
        {"path": "/etc/ssh/key", "text": "k", "mode": 0o600, "owner": "www-data", "group": 5},
        {"path": "/var/log/app", "kind": "d", "mode": 0o2750, "group": "users"},
        {"path": "/etc/localtime", "kind": "l", "target": "../usr/share/zoneinfo/UTC"},
        {"path": "/etc/binary", "base64": "AAEC"},
        {"path": "/etc/empty", "text": ""},
        {"path": "/usr/bin/tool", "text": "#!/bin/sh\n", "mode": 0o4755},
    ]
    system = build(store, tmp_path, files=files)
    assert system.text("etc/hostname") == "komputilo\n"
    key = system.entries["etc/ssh/key"]
    assert (key.mode, key.uid, key.gid, key.mtime) == (0o600, 33, 5, SECOND)
    log = system.entries["var/log/app"]
    assert (log.kind, log.mode, log.uid, log.gid) == ("d", 0o2750, 0, 100)
    assert system.entries["var/log"] == Entry("var/log", "d", 0o755, mtime=SECOND)
    assert system.entries["etc/localtime"].ref == "../usr/share/zoneinfo/UTC"
    assert system.text("etc/binary") == "\0\1\2"
    assert system.entries["etc/empty"].size == 0
    assert system.entries["usr/bin/tool"].mode == 0o4755


def test_a_path_through_a_link_lands_where_the_link_points(store: Store, tmp_path: Path) -> None:
    system = build(store, tmp_path, files=[{"path": "/lib/systemd/x.service", "text": "[Unit]\n"}])
    assert system.text("usr/lib/systemd/x.service") == "[Unit]\n"
    assert system.entries["lib"].kind == "l"


def test_removed_paths_are_gone_with_what_is_below(store: Store, tmp_path: Path) -> None:
    system = build(store, tmp_path, remove=["/etc/skel", "usr/share/a", "/nowhere"])
    assert not any(path.startswith("etc/skel") for path in system.entries)
    assert system.entries["usr/share/b"].kind == "f"
    assert system.text("usr/share/b") == "shared"


def test_accounts_are_made_with_homes_and_own_files(store: Store, tmp_path: Path) -> None:
    system = build(
        store,
        tmp_path,
        accounts={
            "users": [{"name": "alice", "group": "users", "supplementary_groups": ["team"]}],
            "groups": [{"name": "team", "id": 2000}],
        },
        files=[
            {"path": "/srv/x", "text": "x", "owner": "alice", "group": "team"},
            {"path": "/etc/skel/.vimrc", "text": "syntax on\n"},
        ],
    )
    assert system.text("etc/passwd").endswith("alice:x:1000:100::/home/alice:/bin/bash\n")
    assert "team:x:2000:alice\n" in system.text("etc/group")
    assert (system.entries["srv/x"].uid, system.entries["srv/x"].gid) == (1000, 2000)
    shadow = system.entries["etc/shadow"]
    assert (shadow.mode, shadow.gid) == (0o640, 42)
    assert system.entries["etc/gshadow"][2:5] == (0o640, 0, 42)
    assert system.entries["home/alice"][1:5] == ("d", 0o700, 1000, 100)
    assert system.text("home/alice/.vimrc") == "syntax on\n"
    assert system.text("home/alice/.profile") == "PS1=x\n"


def test_sources_are_copied_from_the_store(store: Store, tmp_path: Path) -> None:
    item = tmp_path / "item"
    (item / "sub").mkdir(parents=True)
    (item / "sub/run").write_text("run")
    (item / "sub/run").chmod(0o755)
    (item / "link").symlink_to("sub/run")
    directory = store.add_path("things", item)
    text = store.add_bytes("motd", b"hello\n")
    system = build(
        store,
        tmp_path,
        files=[
            {"path": "/etc/motd", "source": text},
            {"path": "/etc/things", "source": directory, "owner": "www-data", "group": "users"},
            {"path": "/etc/run", "source": f"{directory}/sub/run", "mode": 0o700},
            {"path": "/etc/link", "source": f"{directory}/link"},
        ],
    )
    assert system.text("etc/motd") == "hello\n"
    assert system.entries["etc/motd"].mode == 0o644
    assert system.entries["etc/things"][1:5] == ("d", 0o755, 33, 100)
    assert system.entries["etc/things/sub/run"][1:5] == ("f", 0o755, 33, 100)
    assert system.entries["etc/run"].mode == 0o700
    assert system.text("etc/run") == "run"
    assert system.entries["etc/link"].ref == "sub/run"


def test_a_directory_as_source_can_have_a_mode(store: Store, tmp_path: Path) -> None:
    item = tmp_path / "item"
    item.mkdir()
    (item / "text").write_text("text")
    (item / "tool").write_text("tool")
    (item / "tool").chmod(0o755)
    directory = store.add_path("things", item)
    files = [
        {"path": "/etc/one", "kind": "d", "mode": 0o700, "source": directory},
        {"path": "/etc/two", "kind": "f", "mode": 0o640, "source": directory},
    ]
    system = build(store, tmp_path, files=files)
    modes = {path: system.entries[f"etc/{path}"].mode for path in ("one", "one/text", "one/tool")}
    assert modes == {"one": 0o700, "one/text": 0o644, "one/tool": 0o755}
    modes = {path: system.entries[f"etc/{path}"].mode for path in ("two", "two/text", "two/tool")}
    assert modes == {"two": 0o755, "two/text": 0o640, "two/tool": 0o750}


@pytest.mark.parametrize("path", ["/etc/skel", "lib", "/lib/x/y", "/etc/link/y"])
def test_a_required_path_may_lead_through_links(path: str, store: Store, tmp_path: Path) -> None:
    files = [
        {"path": "/lib/x/y", "text": "y"},
        {"path": "/etc/link", "kind": "l", "target": "../lib/x"},
        {"path": "/etc/loop", "kind": "l", "target": "loop"},
    ]
    require = [{"path": path, "message": "it is there"}]
    assert build(store, tmp_path, files=files, require=require)


@pytest.mark.parametrize("path", ["/etc/no", "/etc/passwd/x", "/etc/loop/x"])
def test_a_required_path_that_is_not_there_is_told(path: str, store: Store, tmp_path: Path) -> None:
    files = [{"path": "/etc/loop", "kind": "l", "target": "loop"}]
    require = [{"path": path, "message": "there is no such zone", "hint": "try UTC"}]
    with pytest.raises(NotInSystem, match="no such zone") as caught:
        build(store, tmp_path, files=files, require=require)
    assert caught.value.hint == "try UTC"


def test_the_closure_is_in_the_store_of_the_system_read_only(store: Store, tmp_path: Path) -> None:
    item = tmp_path / "item"
    item.mkdir()
    (item / "data").write_text("data")
    path = store.add_path("service", item)
    single = store.add_bytes("one", b"1")
    system = build(store, tmp_path, closure=[path, single])
    place = path.strip("/")
    assert system.entries["kiln/store"][1:6] == ("d", 0o755, 0, 0, SECOND)
    assert system.entries[place][1:6] == ("d", 0o555, 0, 0, SECOND)
    assert system.entries[f"{place}/data"][1:6] == ("f", 0o444, 0, 0, SECOND)
    assert system.text(f"{place}/data") == "data"
    assert system.text(single.strip("/")) == "1"


def test_the_output_does_not_depend_on_the_place(store: Store, tmp_path: Path) -> None:
    files = [{"path": "/etc/a", "text": "a"}, {"path": "/etc/b", "text": "b" * 5000}]
    outputs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        build(store, tmp_path / name, files=files)
        output = tmp_path / name / "output"
        outputs.append([part.read_bytes() for part in sorted(output.iterdir())])
    assert outputs[0] == outputs[1]
    assert str(tmp_path).encode() not in b"".join(outputs[0])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"files": [{"path": "/a", "text": "", "owner": "ww-data"}]}, UnknownOwner, "www-data"),
        ({"files": [{"path": "/a", "text": "", "group": "x"}]}, UnknownOwner, "no group x"),
        ({"files": [{"path": "/a", "text": ""}, {"path": "a", "text": "b"}]}, DuplicateFile, "a"),
        ({"files": [{"path": "/a/../b", "text": ""}]}, BadFile, r"component \.\."),
        ({"files": [{"path": "/", "kind": "d"}]}, BadFile, "no path"),
        ({"files": [{"path": "/a"}]}, BadFile, "needs one of text, base64, source, and has none"),
        ({"files": [{"path": "/a", "text": "", "source": "x"}]}, BadFile, "has text, source"),
        ({"files": [{"path": "/a", "kind": "x"}]}, BadFile, "kinds are f, d, l"),
        ({"files": [{"path": "/a", "kind": "d", "text": ""}]}, BadFile, "needs one of source"),
        ({"files": [{"path": "/a", "kind": "l", "text": ""}]}, BadFile, "needs one of target"),
        ({"files": [{"path": "/a", "text": "", "mdoe": 1}]}, UnknownKey, "'mdoe'"),
        ({"flies": []}, UnknownKey, "the system is described with 'flies'"),
        ({"files": [{"path": "/etc", "text": ""}]}, TreeConflict, "/etc is a directory"),
        ({"accounts": {"users": [{"name": "a", "sehll": "/"}]}}, UnknownKey, "'sehll'"),
        ({"accounts": {"users": [{"name": "a", "group": "uesrs"}]}}, UnknownGroup, "uesrs"),
    ],
)
def test_mistakes_are_told(
    arguments: dict[str, Any], error: type[Exception], message: str, store: Store, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        build(store, tmp_path, **arguments)


def test_a_source_that_is_not_there_is_told(store: Store, tmp_path: Path) -> None:
    item = store.add_bytes("x", b"x")
    with pytest.raises(BadFile, match="cannot be read"):
        build(store, tmp_path, files=[{"path": "/a", "source": item + "/inner"}])
