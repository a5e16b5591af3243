"""Compiled modules: what is kept, and when it is not believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lang.cache import Cache
from lang.printer import write
from lang.session import Session

LIBRARY = """(define-module (lib)
  #:use-module (guix records)
  #:use-module (srfi srfi-9)
  #:export (plain rules proc thing thing-name thing-note it aif id make-p p-x deep))
(define (helper x) #`(list #,x 'helped))
(define plain 'plain)
(define-syntax-rule (rules a) (let ((t plain)) (list t a)))
(define-syntax proc (lambda (x) (syntax-case x () ((_ a ...) (helper #'(+ a ...))))))
(define-record-type* <thing> thing make-thing thing?
  (name thing-name) (note thing-note (thunked) (default (list 'note (thing-name this-record)))))
(define-syntax-parameter it (lambda (x) (syntax-violation 'it "nowhere" x)))
(define-syntax-rule (aif c t e)
  (let ((v c)) (if v (syntax-parameterize ((it (identifier-syntax v))) t) e)))
(define-syntax id (identifier-syntax (list plain)))
(define-record-type p (make-p x) p? (x p-x))
(define-syntax-rule (define-hidden (get value) ...)
  (begin (define hidden (list value ...)) (define-syntax get (syntax-rules () ((_) hidden))) ...))
(define-hidden (deep 1))
"""
USE = """(use-modules (lib))
(define a (thing (name "n")))
(list plain (let ((t 5) (plain 6)) (rules t)) (proc 1 2) (thing-note a) (aif 4 (+ it 1) 0) id
      (p-x (make-p 3)) (deep))"""
ANSWER = '(plain (plain 5) (3 helped) (note "n") 5 (plain) 3 (1))'


@pytest.fixture
def library(tmp_path: Path) -> Path:
    directory = tmp_path / "path"
    directory.mkdir()
    (directory / "lib.scm").write_text(LIBRARY)
    return directory


def run(library: Path, cache: Path | None, text: str = USE) -> str:
    """What `text` writes in a new session."""
    return write(Session([library], cache=cache).eval_text(text))


def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of modules compiled from now on."""
    names: list[str] = []
    original = Session._compile_and_store

    def note(self: Session, source: object, module: object, *rest: object) -> object:
        names.append(module.name[0])
        return original(self, source, module, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Session, "_compile_and_store", note)
    return names


def test_a_cached_module_behaves_like_a_compiled_one(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    assert run(library, None) == ANSWER
    assert run(library, cache) == ANSWER
    names = compiled(monkeypatch)
    assert run(library, cache) == ANSWER
    assert names == []


def test_a_thawed_module_can_be_frozen_into_modules_above_it(library: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (library / "over.scm").write_text(
        "(define-module (over) #:use-module (lib) #:export (over again))"
        "(define-syntax over rules) (define-syntax-rule (again x) (rules (thing-name x)))"
    )
    text = "(use-modules (lib) (over)) (list (over 1) (again (thing (name 2))))"
    for _ in range(3):
        assert run(library, cache, text) == "((plain 1) (plain 2))"
    run(library, cache)


def test_a_change_below_compiles_what_is_above_again(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    (library / "over.scm").write_text(
        "(define-module (over) #:use-module (lib) #:export (f)) (define (f) (rules 1))"
    )
    text = "(use-modules (over)) (f)"
    assert run(library, cache, text) == "(plain 1)"
    (library / "lib.scm").write_text(LIBRARY.replace("(list t a)", "(vector t a)"))
    names = compiled(monkeypatch)
    assert run(library, cache, text) == "#(plain 1)"
    assert sorted(names) == ["lib", "over"]


def test_changes_of_included_files_are_seen(library: Path, tmp_path: Path) -> None:
    (library / "whole.scm").write_text(
        '(define-module (whole)) (define-public f (lambda () (include "part")))'
    )
    for text in ("'one", "'two"):
        (library / "part").write_text(text)
        assert run(library, tmp_path / "cache", "(use-modules (whole)) (f)") == text[1:]


def test_user_files_are_cached_and_their_changes_seen(library: Path, tmp_path: Path) -> None:
    cache, file = tmp_path / "cache", tmp_path / "os.scm"
    file.write_text(USE)
    for _ in range(2):
        assert write(Session([library], cache=cache).load_file(file)) == ANSWER
    file.write_text("42")
    assert Session([library], cache=cache).load_file(file) == 42


@pytest.mark.parametrize("damage", [b"", b"x" * 200, None], ids=["empty", "rubbish", "flipped"])
def test_damaged_entries_are_not_believed(
    library: Path, tmp_path: Path, damage: bytes | None
) -> None:
    cache = tmp_path / "cache"
    run(library, cache)
    for entry in cache.iterdir():
        data = bytearray(entry.read_bytes())
        data[-1] ^= 1
        entry.write_bytes(bytes(data) if damage is None else damage)
    assert run(library, cache) == ANSWER


def test_a_directory_that_others_can_write_is_not_used(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    directory.mkdir(mode=0o700)
    cache = Cache(directory)
    key = b"k" * 32
    cache.write(("m",), "m.scm", key, 1)
    assert cache.read(("m",), "m.scm", key) == 1
    assert cache.read(("m",), "m.scm", b"o" * 32) is None
    directory.chmod(0o777)
    assert cache.read(("m",), "m.scm", key) is None
    cache.write(("n",), "n.scm", key, 1)
    assert len(list(directory.iterdir())) == 1


def test_a_cache_that_cannot_be_written_is_no_error(library: Path) -> None:
    assert run(library, Path("/proc/no-such-place")) == ANSWER


def test_nothing_half_written_is_left(library: Path, tmp_path: Path) -> None:
    run(library, tmp_path / "cache")
    names = [entry.name for entry in (tmp_path / "cache").iterdir()]
    assert names and all(name.endswith(".compiled") for name in names)
