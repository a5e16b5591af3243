"""Staged builds: code runs in a sandbox, makes its output, and tells what goes wrong in Scheme."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import mtree
from builders.derivation import Derivation, Json
from builders.events import Event, Log
from builders.realise import BuildFailed, realise
from builders.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as store:
        yield store


def staged(expression: str, *inputs: Derivation | str, **arguments: Json) -> Derivation:
    return Derivation(
        "built",
        "staged",
        {"expression": expression, **arguments},
        tuple(one for one in inputs if isinstance(one, Derivation)),
        tuple(one for one in inputs if isinstance(one, str)),
    )


def write(body: str) -> str:
    """Code that writes what `body`, in which `port` is bound, writes."""
    return f'(call-with-output-file (getenv "out") (lambda (port) {body}))'


def failure(store: Store, derivation: Derivation) -> tuple[str, list[str]]:
    """The message and the log of a build that fails."""
    with pytest.raises(BuildFailed) as caught:
        realise([derivation], store)
    assert caught.value.kind == "StagedFailed"
    return caught.value.message, list(caught.value.log)


def test_the_code_makes_the_output_from_its_inputs(store: Store) -> None:
    text = store.add_bytes("text", b"hello")
    copy = f'(copy-recursively "{text}" (getenv "out"))'
    one = staged(f"(begin (use-modules (guix build utils)) {copy})", text)
    two = staged(write(f'(display "see {one.path}" port)'), one)
    realise([two], store)
    assert store.real(one.path).read_text() == "hello"
    assert store.real(two.path).read_text() == f"see {one.path}"
    assert store.references(two.path) == [one.path]


def test_the_output_may_be_a_directory_that_refers_to_itself(store: Store) -> None:
    directory = staged(
        '(let ((out (getenv "out")))'
        '  (mkdir-p (string-append out "/bin"))'
        '  (symlink (string-append out "/bin") (string-append out "/link"))'
        '  (call-with-output-file (string-append out "/bin/x") (lambda (p) (display "x" p)))'
        '  (chmod (string-append out "/bin/x") #o100)'
        "  (chmod out #o500))",
        modules=["(guix build utils)"],
    )
    realise([directory], store)
    real = store.real(directory.path)
    assert (real / "bin/x").stat().st_mode & 0o777 == 0o555
    assert (real / "link").readlink() == Path(directory.path + "/bin")
    assert store.references(directory.path) == []


def test_what_inputs_refer_to_is_there_too(store: Store) -> None:
    a = store.add_bytes("a", b"deep")
    b = staged(write(f'(write "{a}" port)'), a)
    c = staged(f'(symlink (call-with-input-file "{b.path}" read) (getenv "out"))', b)
    d = staged(write(f'(display (file-exists? "{a}") port)'), b)
    realise([c, d], store)
    assert store.real(c.path).readlink() == Path(a)
    assert store.references(c.path) == [a]
    assert store.real(d.path).read_text() == "#t"


def test_nothing_else_is_there(store: Store) -> None:
    other = store.add_bytes("other", b"x")
    code = staged(
        write(
            f'(write (map file-exists? (list "{other}" "/etc/shadow" "/root" "/home" "/usr/bin/env"'
            f' "{store.root}")) port)'
        )
    )
    realise([code], store)
    assert store.real(code.path).read_text() == "(#f #f #f #f #f #f)"


def test_the_environment_is_fixed_and_can_be_added_to(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "x")
    names = ["HOME", "TMPDIR", "SOURCE_DATE_EPOCH", "LC_ALL", "TZ", "MINE", "SECRET"]
    quoted = " ".join(f'"{name}"' for name in names)
    code = staged(
        write(f"(write (map getenv (list {quoted})) port)"),
        env={"MINE": "yes"},
    )
    realise([code], store)
    assert store.real(code.path).read_text() == '("/homeless" "/tmp" "1" "C.UTF-8" "UTC" "yes" #f)'


def test_native_items_are_run_from_usr(store: Store, tmp_path: Path) -> None:
    (tmp_path / "native/usr/bin").mkdir(parents=True)
    (tmp_path / "native/usr/share").mkdir()
    (tmp_path / "native/usr/share/word").write_text("found")
    item = store.add_path("native", tmp_path / "native")
    code = staged(
        '(copy-recursively "/usr/share/word" (getenv "out"))',
        item,
        native=[item],
        modules=["(guix build utils)"],
    )
    realise([code], store)
    assert store.real(code.path).read_text() == "found"


@pytest.mark.parametrize(
    ("code", "message", "line"),
    [
        ("(car 1)", "raised an error", "built-builder:1:1: error: car: Wrong type"),
        ("(undefined-thing)", "raised an error", "Unbound variable: undefined-thing"),
        ('(error "too bad:" 1)', "raised an error", "error: too bad: 1"),
        ("(use-modules (gnu system))", "raised an error", "there is no module (gnu system)"),
        ("(exit 3)", "exit status 3", ""),
        ("(+ 1 2)", "made no output", ""),
    ],
)
def test_what_goes_wrong_is_said_in_scheme(
    store: Store, code: str, message: str, line: str
) -> None:
    said, log = failure(store, staged(code))
    assert message in said
    assert line in "\n".join(log)
    assert "Traceback" not in "\n".join(log)
    assert store.paths() == []


def test_what_it_prints_is_its_log(store: Store) -> None:
    told: list[Event] = []
    code = staged(f'(begin (display "one\\ntwo") (newline) {write("#t")})')
    realise([code], store, events=told.append)
    lines = [event.line for event in told if isinstance(event, Log)]
    assert lines == ["one", "two"]


def test_the_same_code_gives_the_same_bytes_whatever_was_built_before(
    store: Store, tmp_path: Path
) -> None:
    code = staged(write("(write (list (gensym) (gensym)) port)"))
    noise = [staged(f"(begin (gensym) {write(f'(write {n} port)')})") for n in range(3)]
    realise([*noise, code], store, jobs=1)
    with Store(tmp_path / "other") as other:
        realise([code], other)
        assert store.real(code.path).read_bytes() == other.real(code.path).read_bytes()


def test_builds_cannot_change_their_inputs(store: Store) -> None:
    text = store.add_bytes("text", b"hello")
    code = staged(f'(call-with-output-file "{text}" (lambda (port) (display "bye" port)))', text)
    _message, log = failure(store, code)
    assert "Read-only" in "\n".join(log)
    assert store.real(text).read_text() == "hello"


def test_modes_owners_and_devices_outlive_the_store(store: Store) -> None:
    below = staged(
        '(let ((out (getenv "out")))'
        '  (mkdir out) (mkdir (string-append out "/home")) (mkdir (string-append out "/srv"))'
        '  (chmod (string-append out "/srv") #o700))',
        attributes=".known",
    )
    system = tree_of(below)
    made = staged(
        f"""
(let ((out (getenv "out")))
  (define (touch name) (call-with-output-file name (lambda (port) (display name port))))
  (mkdir out)
  (chdir out)
  (symlink "{system.path}" ".below")
  (for-each mkdir '("home" "home/alice" "home/alice/shut" "srv"))
  (for-each touch '("home/alice/file" "home/alice/shut/program" "plain"))
  (link "home/alice/file" "also")
  (symlink "/nowhere" "home/alice/link")
  (mknod "null" 'char-special #o666 (+ (* 1 256) 3))
  (mknod "disk" 'block-special #o660 (* 8 256))
  (chown "home" 0 50)
  (chown "home/alice" 1000 100)
  (chown "home/alice/file" 1000 100)
  (chown "home/alice/file" -1 101)
  (rename-file "home/alice/file" "home/alice/moved")
  (chown "home/alice/shut/program" 0 4)
  (chmod "home/alice/shut/program" #o4750)
  (chmod "home/alice/shut" 0)
  (chown "disk" 0 6))
""",
        system,
        attributes=".known",
    )
    tree = tree_of(made, system, below=[".below"])
    realise([tree], store)
    with pytest.raises(BuildFailed, match="/also belongs to 1000:101, and FAT has no owners"):
        realise([tree_of(made, system, ownerless="FAT")], store)
    entries = {entry.path: entry for entry in mtree.read_item(store.real(tree.path), tree.path)}
    file = entries.pop("also")
    if file.kind == "h":  # the name that comes first in the order of trees is the file
        file = entries["home/alice/moved"]
    assert (file.uid, file.gid) == (1000, 101)
    entries.pop("home/alice/moved")
    assert {path: (entry.mode, entry.uid, entry.gid) for path, entry in entries.items()} == {
        "": (0o755, 0, 0),
        "disk": (0o640, 0, 6),
        "home": (0o755, 0, 50),
        "home/alice": (0o755, 1000, 100),
        "home/alice/link": (0o777, 0, 0),
        "home/alice/shut": (0, 0, 0),
        "home/alice/shut/program": (0o4750, 0, 4),
        "null": (0o644, 0, 0),
        "plain": (0o644, 0, 0),
        "srv": (0o700, 0, 0),
    }
    assert (entries["null"].kind, entries["null"].ref) == ("c", (1, 3))
    assert (entries["disk"].kind, entries["disk"].ref) == ("b", (8, 0))


def tree_of(directory: Derivation, *others: Derivation, **more: Json) -> Derivation:
    arguments: dict[str, Json] = {"source": directory.path, "attributes": ".known", **more}
    return Derivation("tree", "directory-tree", arguments, (directory, *others))


def test_builds_without_a_record_cannot_give_files_away(store: Store) -> None:
    _, log = failure(store, staged(f'(begin {write("5")} (chown (getenv "out") 1000 100))'))
    assert "chown" in "\n".join(log)
