"""Realisation: what is missing gets built, once and in order; what fails leaves nothing."""

import gzip
import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import events as ev
from builders.derivation import Derivation, Json
from builders.realise import BuildFailed, missing, realise, rebuild
from builders.registry import BUILDERS, SOURCE_ROOT, BuilderSpec
from builders.store import NotInStore, Store
from tests.builders import sample_builders


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as store:
        yield store


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    file = tmp_path / "counter"
    file.touch()
    return file


def write(name: str, text: str = "text", **arguments: Json) -> Derivation:
    return Derivation(name, "sample-write", {"text": text, **arguments})


def join(name: str, *inputs: Derivation, mention: tuple[str, ...] = (), **rest: Json) -> Derivation:
    arguments = {"read": [one.path for one in inputs], "mention": mention, **rest}
    return Derivation(name, "sample-join", arguments, inputs)


def leftovers(store: Store) -> list[str]:
    """What a realisation should not leave behind."""
    found = [f"{d}/{f.name}" for d in ("tmp", "locks") for f in (store.state / d).iterdir()]
    known = {path.rpartition("/")[2] for path in store.paths()}
    return found + [f.name for f in store.root.iterdir() if f.name not in {".state", *known}]


def test_a_graph_is_built_inputs_first_and_only_once(store: Store, counter: Path) -> None:
    a = write("a", "A", counter=str(counter))
    b = join("b", a, counter=str(counter))
    c = join("c", a, b, counter=str(counter))
    assert realise([c, b], store) == [c.path, b.path]
    assert store.real(c.path).read_text() == "AA"
    assert Counter(counter.read_text().split()) == {"a": 1, "b": 1, "c": 1}
    assert realise([c, b, a], store) == [c.path, b.path, a.path]
    assert Counter(counter.read_text().split()) == {"a": 1, "b": 1, "c": 1}
    assert leftovers(store) == []


def test_nothing_below_a_valid_output_is_looked_at(store: Store, counter: Path) -> None:
    a = write("a", counter=str(counter))
    b = join("b", a, counter=str(counter))
    c = join("c", b, counter=str(counter))
    realise([b], store)
    assert store.references(b.path) == []
    store.collect_garbage(keep=[b.path])
    assert store.valid([a.path]) == set()
    assert missing([c], store) == [c]
    realise([c], store)
    assert counter.read_text().split() == ["a", "b", "c"]


def test_references_are_those_that_occur_in_the_output(store: Store) -> None:
    a, b = write("a"), write("b")
    c = join("c", a, b, mention=(b.path,))
    d = join("d", c, mention=(b.path, a.path, "/kiln/store/" + "0" * 32 + "-no"))
    realise([d], store)
    assert store.references(c.path) == [b.path]
    # a is not in the closure of d's inputs at run time, so d cannot have seen it as an input.
    assert store.references(d.path) == [b.path]
    assert store.closure([d.path]) == sorted([b.path, d.path])


def test_a_builder_may_declare_that_all_inputs_are_references(store: Store) -> None:
    a = write("a")
    b = Derivation("b", "sample-inputs", {}, (a,), (store.add_bytes("s", b"s"),))
    realise([b], store)
    assert store.references(b.path) == sorted([a.path, *b.sources])


def test_events_tell_the_story(store: Store) -> None:
    told: list[ev.Event] = []
    a = Derivation("a", "sample-write", {"text": "x", "log": ["one", "two"]}, title="say a")
    realise([join("b", a)], store, events=told.append)
    assert told[0] == ev.Planned("", 2, (("sample-join", 1), ("sample-write", 1)))
    about = [event for event in told if event.job == a.path]
    assert about[0] == ev.Started(a.path, "say a", "sample-write")
    assert about[1:3] == [ev.Log(a.path, "one"), ev.Log(a.path, "two")]
    assert isinstance(about[3], ev.Finished)
    with gzip.open(store.log_file(a.path), "rt") as log:
        assert log.read() == "one\ntwo\n"
    told.clear()
    realise([join("b", a)], store, events=told.append)
    assert told == []


def test_independent_builds_run_side_by_side(store: Store) -> None:
    slow = [Derivation(f"n{i}", "sample-net", {"text": "x", "pause": 0.4}) for i in range(8)]
    told: list[ev.Event] = []
    realise(slow, store, jobs=1, events=told.append)
    ends = [number for number, event in enumerate(told) if isinstance(event, ev.Finished)]
    assert sum(isinstance(event, ev.Started) for event in told[: ends[0]]) == len(slow)


def test_a_failure_says_what_and_shows_the_log(store: Store) -> None:
    bad = Derivation("bad", "sample-fail", {}, title="do a bad thing")
    with pytest.raises(BuildFailed) as caught:
        realise([join("user", bad)], store)
    failure = caught.value
    assert failure.message == "cannot do a bad thing: it did not work"
    assert failure.hint == "do better"
    assert failure.derivation is bad
    assert failure.log[-1] == "line 39"
    assert failure.log_file
    with gzip.open(failure.log_file, "rt") as log:
        assert len(log.read().splitlines()) == 40
    assert store.paths() == []
    assert leftovers(store) == []


def test_what_runs_beside_a_failure_is_finished_and_all_failures_are_told(store: Store) -> None:
    slow = Derivation("slow", "sample-slow", {"pause": 0.05})
    bad = [Derivation(f"bad{i}", "sample-net", {"break": True, "text": "abc"}) for i in range(2)]
    never = join("never", write("first"), *bad)
    with pytest.raises(BuildFailed) as caught:
        realise([slow, *bad, never], store, jobs=2)
    assert {caught.value.derivation, *(one.derivation for one in caught.value.others)} == {*bad}
    assert slow.path in store.valid([slow.path])
    assert never.path not in store.valid([never.path])


def test_a_failed_build_can_be_kept(store: Store) -> None:
    with pytest.raises(BuildFailed) as caught:
        realise([Derivation("bad", "sample-fail", {})], store, keep_failed=True)
    kept = caught.value.kept
    assert kept
    assert next(kept.glob("*-bad")).read_text() == "half"


@pytest.mark.parametrize(
    ("builder", "kind", "words"),
    [
        ("bug", "InternalError", "ZeroDivisionError: oh"),
        ("die", "WorkerDied", "SIGKILL"),
        ("full", "StoreFull", "no space is left"),
        ("odd", "BadOutput", "a socket, a pipe or a device"),
        ("nothing", "BadOutput", "made no output"),
    ],
)
def test_builders_that_misbehave_are_reported(
    store: Store, builder: str, kind: str, words: str
) -> None:
    with pytest.raises(BuildFailed, match=words) as caught:
        realise([Derivation("x", f"sample-{builder}", {})], store)
    assert caught.value.kind == kind
    assert leftovers(store) == []


def test_a_fixed_output_must_have_its_hash(store: Store) -> None:
    sha = hashlib.sha256(b"right").hexdigest()
    bad = Derivation("f", "sample-net", {"text": "wrong"}, fixed_sha256=sha)
    with pytest.raises(BuildFailed, match=sha) as caught:
        realise([bad], store)
    assert caught.value.kind == "WrongContents"
    good = Derivation("f", "sample-net", {"text": "right"}, fixed_sha256=sha)
    assert realise([good], store) == [bad.path]


def test_a_download_is_resumed_from_what_an_earlier_attempt_left(store: Store) -> None:
    download = Derivation("d", "sample-net", {"text": "abcdef", "break": True})
    with pytest.raises(BuildFailed):
        realise([download], store)
    realise([download], store)
    assert store.real(download.path).read_text() == "abcdef"
    assert list((store.state / "partial").iterdir()) == []


def test_a_lost_source_is_told_before_anything_runs(store: Store) -> None:
    lost = "/kiln/store/" + "0" * 32 + "-lost"
    with pytest.raises(NotInStore, match="lost"):
        realise([Derivation("x", "sample-write", {"text": ""}, (), (lost,))], store)


def test_two_kilns_share_the_work(store: Store, counter: Path) -> None:
    graph = [
        Derivation(f"s{i}", "sample-slow", {"pause": 0.03, "counter": str(counter)})
        for i in range(4)
    ]

    def other() -> None:
        with Store(store.root) as mine:
            realise(graph, mine, jobs=2)

    thread = threading.Thread(target=other)
    thread.start()
    realise(graph, store, jobs=2)
    thread.join()
    assert sorted(counter.read_text().split()) == ["s0", "s1", "s2", "s3"]


def test_a_no_op_starts_no_process(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUILDERS, "sample-touch", BuilderSpec(sample_builders.__name__, ()))
    layers: list[list[Derivation]] = [[write(f"d0-{i}") for i in range(20)]]
    for depth in range(1, 20):
        layers.append([join(f"d{depth}-{i}", *layers[-1][i : i + 4]) for i in range(20)])
    top = join("top", *layers[-1])
    store.real(top.path).touch()
    store.db.execute("INSERT INTO items (path, size) VALUES (?, 0)", (top.path,))
    monkeypatch.setattr(subprocess, "Popen", None)
    assert realise([top], store) == [top.path]


BUILD_MANY = """
import sys; from pathlib import Path
import tests.builders.sample_builders
from builders.derivation import Derivation
from builders.realise import realise
from builders.store import Store
root, counter, count = sys.argv[1:]
parts = [Derivation(f"s{i}", "sample-slow", {"pause": 0.004, "counter": counter})
         for i in range(int(count))]
top = Derivation("top", "sample-inputs", {}, tuple(parts))
try:
    realise([top], Store(Path(root)), jobs=2)
except KeyboardInterrupt:
    sys.exit(130)
"""


def build_many(store: Store, counter: Path, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD_MANY, str(store.root), str(counter), str(count)],
        env={**os.environ, "PYTHONPATH": str(SOURCE_ROOT)},
        start_new_session=True,
    )


def children_of_session(session: int) -> list[int]:
    """Processes that a realisation of ours has left: workers mention its store's process id."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"builders.worker" in b" ".join(line) and str(session).encode() in line:
                found.append(int(entry.name))
    return found


def test_killing_at_any_moment_leaves_whole_items_and_is_made_good(
    store: Store, counter: Path
) -> None:
    count = 24
    finished: set[str] = set()
    lots = random.Random(7)
    for _round in range(8):
        process = build_many(store, counter, count)
        time.sleep(0.15 + lots.random() * 0.5)
        process.send_signal(signal.SIGKILL)
        process.wait()
        now = set(store.paths())
        assert now >= finished
        finished = now
        assert store.verify() == []
    for _wait in range(50):
        if not children_of_session(process.pid):
            break
        time.sleep(0.02)
    assert children_of_session(process.pid) == []
    before = Counter(counter.read_text().split())
    assert build_many(store, counter, count).wait() == 0
    after = Counter(counter.read_text().split())
    names = {path[len("/kiln/store/") + 33 :] for path in finished}
    for name in names & set(after):
        assert after[name] == before[name]
    assert len(store.paths()) == count + 1
    assert store.verify() == []
    assert leftovers(store) == []


def test_an_interrupt_ends_the_workers_and_leaves_nothing_half_made(
    store: Store, counter: Path
) -> None:
    process = build_many(store, counter, 200)
    while not store.paths():
        time.sleep(0.02)
    workers = children_of_session(process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 130
    assert workers
    assert children_of_session(process.pid) == []
    assert store.paths()
    assert store.verify() == []
    assert leftovers(store) == []


FILL_UP = """
import sys; from pathlib import Path
import tests.builders.sample_builders
from builders import namespaces as ns
from builders.derivation import Derivation
from builders.realise import BuildFailed, realise
from builders.store import Store, StoreFull
root = Path(sys.argv[1])
ns.unshare_user(ns.NEWNS)
ns.mount("tmpfs", root, "tmpfs", data="size=2m")
store = Store(root / "store")
small = Derivation("small", "sample-write", {"text": "x"})
realise([small], store)
large = Derivation("large", "sample-write", {"text": "x" * 3_000_000})
try:
    realise([large], store)
except BuildFailed as failure:
    print(failure.kind, failure.hint)
try:
    store.add_bytes("large", bytes(3_000_000))
except StoreFull as error:
    print(error.message)
print(store.verify(), len(store.paths()), [*(store.state / "tmp").iterdir()])
ns.mount("tmpfs", root, "tmpfs", ns.MS_REMOUNT, "size=20m")
realise([large], store)
print(store.size(large.path))
"""


def test_a_full_disk_is_said_and_does_no_harm(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILL_UP, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(SOURCE_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("StoreFull free some")
    assert "no space is left" in lines[1]
    assert lines[2:] == ["[] 1 []", "3000000"]


def test_what_is_built_again_is_compared_and_not_kept(store: Store, counter: Path) -> None:
    one = write("one", counter=str(counter))
    realise([one], store)
    before = store.real(one.path).stat().st_ino
    rebuild([one], store)
    assert len(counter.read_text().splitlines()) == 2
    assert store.real(one.path).stat().st_ino == before
    assert not leftovers(store)


def test_a_build_that_is_not_the_same_twice_says_from_which_byte_on(store: Store) -> None:
    one = Derivation("one", "sample-unlike", {"after": 3 << 20})
    realise([one], store)
    with pytest.raises(BuildFailed, match=f"file differs from byte {3 << 20} on") as caught:
        rebuild([one], store, keep_failed=True)
    assert caught.value.kind == "NotReproducible"
    assert caught.value.kept is not None
    assert (caught.value.kept / one.path.rpartition("/")[2] / "file").exists()
    assert store.valid([one.path])
