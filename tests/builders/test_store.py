"""The store: what is added is kept as it was, found again, and collected when nobody wants it."""

import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import items
from builders.derivation import Derivation, fixed_path
from builders.items import BadOutput, Sealed, seal
from builders.locks import FileLock
from builders.registry import SOURCE_ROOT
from builders.store import NotInStore, Store, StoreBusy, StoreError, TemporaryDirectory

ABSENT = "/kiln/store/00000000000000000000000000000000-absent"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as store:
        yield store


def put(store: Store, name: str, text: str, references: tuple[str, ...] = ()) -> str:
    """An item that is a file, registered with references, at a path that does not matter."""
    path = fixed_path(name, hashlib.sha256(text.encode()).hexdigest())
    with TemporaryDirectory(store) as directory:
        (directory / "made").write_text(text)
        store.adopt(directory / "made", path, seal(directory / "made"), references)
    return path


def test_bytes_are_added_once_and_read_only(store: Store) -> None:
    path = store.add_bytes("greeting", b"hello")
    assert store.add_bytes("greeting", b"hello") == path
    assert path == fixed_path("greeting", hashlib.sha256(b"hello").hexdigest())
    assert store.real(path).read_bytes() == b"hello"
    status = store.real(path).stat()
    assert status.st_mode & 0o777 == 0o444
    assert status.st_mtime == 1
    assert store.valid([path, ABSENT]) == {path}
    assert store.size(path) == 5
    assert store.add_bytes("greeting", b"other") != path
    assert store.add_bytes("other", b"hello") != path


def test_a_fixed_output_of_the_same_bytes_is_the_same_item(store: Store) -> None:
    sha = hashlib.sha256(b"hello").hexdigest()
    assert Derivation("n", "fetch", {}, fixed_sha256=sha).path == store.add_bytes("n", b"hello")


def test_trees_are_added_by_what_is_in_them(store: Store, tmp_path: Path) -> None:
    def tree(name: str, *, text: str = "x", mode: int = 0o640, link: str = "a") -> str:
        base = tmp_path / name
        (base / "d").mkdir(parents=True)
        (base / "d/a").write_text(text)
        (base / "d/a").chmod(mode)
        (base / "d/l").symlink_to(link)
        return store.add_path("tree", base)

    first = tree("one")
    assert tree("two") == first
    assert tree("three", mode=0o600) == first
    assert len({first, tree("4", text="y"), tree("5", mode=0o750), tree("6", link="b")}) == 4
    real = store.real(first)
    assert (real / "d/a").stat().st_mode & 0o777 == 0o444
    assert (real / "d").stat().st_mode & 0o777 == 0o555
    assert real.stat().st_mode & 0o777 == 0o555
    assert (real / "d/l").readlink() == Path("a")
    assert store.verify() == []


def test_what_cannot_be_added_is_said(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing"):
        store.add_path("x", tmp_path / "nothing", recursive=False)
    with pytest.raises(StoreError, match="not a file"):
        store.add_path("x", tmp_path, recursive=False)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadOutput, match="pipe"):
        store.add_path("x", tmp_path / "pipe")


def test_a_copy_of_a_file_has_its_holes(store: Store, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    with open(tmp_path / "tree/sparse", "wb") as file:
        file.write(b"begin")
        file.seek(32 << 20)
        file.write(b"end")
        file.truncate(48 << 20)
    made = store.real(store.add_path("tree", tmp_path / "tree")) / "sparse"
    assert made.read_bytes() == (tmp_path / "tree/sparse").read_bytes()
    assert made.stat().st_blocks <= (tmp_path / "tree/sparse").stat().st_blocks + 8


def test_a_file_loses_its_executable_bit_unless_added_recursively(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "f").write_text("x")
    plain = store.add_path("f", tmp_path / "f")
    (tmp_path / "f").chmod(0o755)
    assert store.add_path("f", tmp_path / "f", recursive=False) == plain
    executable = store.add_path("f", tmp_path / "f")
    assert executable != plain
    assert os.access(store.real(executable), os.X_OK)


def test_closures_follow_references(store: Store) -> None:
    a = put(store, "a", "a")
    b = put(store, "b", "b", (a,))
    c = put(store, "c", "c", (b,))
    d = put(store, "d", "d", (a,))
    assert store.references(c) == [b]
    assert store.closure([c]) == sorted([a, b, c])
    assert store.closure([c, d]) == sorted([a, b, c, d])
    with pytest.raises(NotInStore):
        store.closure([ABSENT])
    with pytest.raises(NotInStore):
        put(store, "e", "e", (ABSENT,))


def test_an_item_whose_reference_is_unknown_is_not_registered(store: Store) -> None:
    with pytest.raises(NotInStore):
        put(store, "e", "e", (ABSENT,))
    assert store.paths() == []
    put(store, "e", "e")
    assert len(store.paths()) == 1


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_references_are_found_wherever_they_are(tmp_path: Path, data: st.DataObject) -> None:
    hashes = [hashlib.md5(bytes([number])).hexdigest() for number in range(6)]
    chosen = data.draw(st.sets(st.sampled_from(hashes)))
    filler = data.draw(st.binary(max_size=64))
    distance = data.draw(st.integers(0, 70))
    text = filler.join(b"x" * distance + one.encode() + b"-name" for one in sorted(chosen))
    file = tmp_path / "file"
    file.unlink(missing_ok=True)
    edge = (1 << 20) - 40
    file.write_bytes(b"\0" * data.draw(st.integers(edge, edge + 50)) + text)
    assert set(seal(file, hashes).found) == {one for one in hashes if one.encode() in text}


def test_references_are_found_in_links(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(ABSENT + "/bin/x")
    assert seal(link, ["0" * 32, "1" * 32]).found == ("0" * 32,)


def test_an_item_that_somebody_removed_is_not_valid(store: Store) -> None:
    path = put(store, "a", "a")
    store.real(path).unlink()
    assert store.valid([path]) == set()
    assert put(store, "a", "a") == path
    assert store.valid([path]) == {path}


def test_verify_finds_damage_and_repairs_it_with_what_builds_on_it(store: Store) -> None:
    a = put(store, "a", "aaaa")
    b = put(store, "b", "bbbb", (a,))
    c = put(store, "c", "cccc")
    d = put(store, "d", "dddd")
    assert store.verify() == []
    for path, text in ((a, "AAAA"), (d, "longer")):
        store.real(path).chmod(0o644)
        store.real(path).write_text(text)
    found = {damage.path: damage.message for damage in store.verify()}
    assert set(found) == {a, d}
    assert "changed" in found[a]
    assert "6 bytes instead of 4" in found[d]
    assert len(store.verify(repair=True)) == 2
    assert store.valid([a, b, c, d]) == {c}
    assert not store.real(b).exists()
    assert store.verify() == []


def test_garbage_is_what_no_root_needs(store: Store, tmp_path: Path) -> None:
    a = put(store, "a", "a")
    b = put(store, "b", "b", (a,))
    c = put(store, "c", "c" * 10000)
    d = put(store, "d", "d")
    store.add_root(tmp_path / "result", b)
    assert (tmp_path / "result").read_text() == "b"
    (store.root / "stray").mkdir()
    store.log_file(a).write_bytes(b"")
    store.log_file(ABSENT).write_bytes(b"")
    would = store.collect_garbage(keep=[d], dry_run=True)
    assert store.valid([a, b, c, d]) == {a, b, c, d}
    done = store.collect_garbage(keep=[d])
    assert done == would
    assert done.paths == (c,)
    assert done.freed >= 10000
    assert store.valid([a, b, c, d]) == {a, b, d}
    assert not (store.root / "stray").exists()
    assert store.log_file(a).exists()
    assert not store.log_file(ABSENT).exists()
    (tmp_path / "result").unlink()
    assert set(store.collect_garbage().paths) == {a, b, d}
    assert list(store.root.iterdir()) == [store.state]
    assert list((store.state / "roots").iterdir()) == []


def test_a_root_can_be_moved_to_another_item_but_not_over_a_file(
    store: Store, tmp_path: Path
) -> None:
    a, b = put(store, "a", "a"), put(store, "b", "b")
    store.add_root(tmp_path / "result", a)
    store.add_root(tmp_path / "result", b)
    assert store.collect_garbage().paths == (a,)
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(StoreError, match="exists and is not a link"):
        store.add_root(tmp_path / "mine", b)
    assert (tmp_path / "mine").read_text() == "precious"


def test_nothing_is_collected_while_another_kiln_works(store: Store) -> None:
    with Store(store.root) as other:
        path = other.add_bytes("x", b"x")
        with pytest.raises(StoreBusy):
            store.collect_garbage()
        assert store.valid([path])
    assert store.collect_garbage().paths == (path,)


def crash(store: Store) -> None:
    """Make it look as if the machine had been started anew since the last change."""
    store.db.execute("UPDATE items SET boot = 'before' WHERE boot IS NOT NULL")


def test_after_a_crash_items_are_trusted_when_they_are_whole(store: Store) -> None:
    settled = put(store, "settled", "s")
    store.settle()
    a = put(store, "a", "a")
    b = put(store, "b", "b")
    user = put(store, "user", "u", (b,))
    unhashed = put(store, "unhashed", "x")
    store.db.execute("UPDATE items SET sha256 = NULL WHERE path = ?", (unhashed,))
    crash(store)
    store.real(b).chmod(0o644)
    store.real(b).write_bytes(b"\0")  # what file systems leave of a file that was not written out
    everything = [settled, a, b, user, unhashed]
    assert store.valid(everything) == {settled}
    store.recover()
    assert store.valid(everything) == {settled, a}
    crash(store)
    assert store.valid(everything) == {settled, a}


def test_a_killed_process_leaves_no_lock_and_its_temporary_files_are_swept(store: Store) -> None:
    code = (
        "import sys, time; from pathlib import Path; from builders.store import *\n"
        "store = Store(Path(sys.argv[1])); store.lock('/kiln/store/x').acquire()\n"
        "with TemporaryDirectory(store) as d:\n"
        "    (d / 'f').write_text('x'); print(d, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(store.root)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE_ROOT)},
    )
    assert process.stdout
    left = Path(process.stdout.readline().strip())
    assert not store.lock("/kiln/store/x").acquire()
    from builders.store import sweep_temporary

    sweep_temporary(store)
    assert left.exists()
    process.kill()
    process.wait()
    process.stdout.close()
    assert left.exists()
    sweep_temporary(store)
    assert not left.exists()
    lock = store.lock("/kiln/store/x")
    assert lock.acquire()
    lock.release()
    assert list((store.state / "locks").iterdir()) == []


def test_a_lock_is_for_one_at_a_time_unless_shared(tmp_path: Path) -> None:
    one, two = FileLock(tmp_path / "l"), FileLock(tmp_path / "l")
    assert one.acquire()
    assert not two.acquire()
    one.release()
    assert two.acquire(shared=True)
    assert one.acquire(shared=True)
    one.release(remove=False)
    two.release(remove=False)


def test_sealing_does_not_follow_links_and_refuses_what_a_store_cannot_hold(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_text("x")
    output = tmp_path / "output"
    output.mkdir()
    (output / "link").symlink_to(outside)
    assert seal(output).size == 0
    assert (outside / "f").stat().st_mode & 0o200
    items.remove(output)
    assert (outside / "f").exists()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadOutput, match="a socket, a pipe or a device"):
        seal(tmp_path / "pipe")


def test_a_store_of_another_version_is_left_alone(tmp_path: Path) -> None:
    Store(tmp_path / "s").close()
    db = sqlite3.connect(tmp_path / "s/.state/db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="another version"):
        Store(tmp_path / "s")


def test_a_store_that_cannot_be_made_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot use") as caught:
        Store(tmp_path / "file/store")
    assert "KILN_STORE" in (caught.value.hint or "")


def test_any_number_of_items_is_one_question(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        sealed = Sealed(0, None, ())
        paths = []
        for number in range(500):
            path = f"/kiln/store/{number:032}-x"
            store.real(path).touch()
            store.db.execute(
                "INSERT INTO items (path, size, sha256, boot) VALUES (?, 0, ?, NULL)",
                (path, sealed.sha256),
            )
            paths.append(path)
    asked: list[str] = []
    with Store(tmp_path / "s") as store:
        store.db.set_trace_callback(asked.append)
        assert len(store.valid(paths)) == 500
    assert len(asked) == 1
