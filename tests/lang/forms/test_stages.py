"""Two stages: what acts exists in builds only, and a configuration is told so."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from lang.errors import SchemeError, explain
from lang.printer import write
from lang.runtime import late
from lang.runtime.core import staged_names
from lang.runtime.library import Library
from lang.session import Session

STDLIB = Path(__file__).parents[3] / "stdlib"
DEFINITION = """(define-module (m) #:use-module (kiln stages) #:export (act pure))
(define-staged (act #:key (n 1)) (* n 2))
(define (pure) 'pure)"""


def test_a_staged_definition_is_refused_in_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "m.scm").write_text(DEFINITION)
    for _ in range(2):  # compiled, then from the cache
        session = Session([tmp_path], cache=tmp_path / "cache")
        assert repr(session.eval_text("(use-modules (m)) (pure)")) == "pure"
        with pytest.raises(SchemeError) as caught:
            session.eval_text("(use-modules (m)) (act #:n 4)")
        diagnosis = explain(caught.value, session.sources, list)
        assert diagnosis.message.startswith("act exists only inside builds")
        assert "computed-file" in diagnosis.message


def test_a_staged_definition_works_in_a_build(tmp_path: Path) -> None:
    (tmp_path / "m.scm").write_text(DEFINITION)
    session = Session([tmp_path], stage="build")
    assert session.eval_text("(use-modules (m)) (act #:n 4)") == 8


NATIVE = ("popen", "ftw", "textual-ports", "binary-ports")


def late_libraries() -> list[Library]:
    """The libraries of the core that are loaded when they are needed."""
    return [importlib.import_module(module).LIBRARY for module, _ in late.MODULES.values()]


def staged() -> list[tuple[str, str]]:
    """Each name that exists in builds only, with what has to be imported for it."""
    names = [("", name) for name in sorted(staged_names())]
    for library in late_libraries():
        names += [("", name) for name in sorted(library.staged)]
    for module in NATIVE:
        library = importlib.import_module(f"stdlib.ice_9.{module.replace('-', '_')}").LIBRARY
        names += [(f"(use-modules (ice-9 {module})) ", name) for name in sorted(library.staged)]
    return names


@pytest.mark.parametrize(("imports", "name"), staged())
def test_a_configuration_is_told_what_to_do_instead(imports: str, name: str) -> None:
    session = Session([STDLIB])
    with pytest.raises(SchemeError) as caught:
        session.eval_text(f"{imports}({name})")
    diagnosis = explain(caught.value, session.sources, list)
    assert diagnosis.message.startswith(f"{name} exists only inside builds")
    assert "computed-file" in diagnosis.message
    assert "local-file" in diagnosis.message
    assert diagnosis.location is not None
    guarded = f"(use-modules (srfi srfi-34)) (guard (e ((error? e) 'refused)) (list {name}))"
    assert repr(Session([STDLIB]).eval_text(imports + guarded)) == "refused"


@pytest.mark.parametrize(("imports", "name"), staged())
def test_it_exists_in_a_build(imports: str, name: str) -> None:
    session = Session([STDLIB], stage="build")
    use = "(random 5 {})" if name == "*random-state*" else "(procedure? {})"
    assert session.eval_text(imports + use.format(name)) is not False


def test_random_numbers_of_a_configuration_follow_from_a_seed() -> None:
    drawn = "(let ((s (seed->random-state 42))) (list (random 100 s) (random 1.0 s)))"
    assert write(Session([STDLIB]).eval_text(drawn)) == write(Session([STDLIB]).eval_text(drawn))
    for expression in ("(random 10)", "(random:uniform)", "(copy-random-state)"):
        with pytest.raises(SchemeError) as caught:
            Session([STDLIB]).eval_text(expression)
        session = Session([STDLIB], stage="build")
        assert "(seed->random-state 42)" in explain(caught.value, session.sources, list).message
        assert session.eval_text(expression) is not None


ACTING = """
    open-output-file open-binary-output-file open-file open-io-file open call-with-output-file
    with-output-to-file with-error-to-file delete-file rename-file copy-file mkdir mkdtemp rmdir
    chmod chown symlink link utime truncate-file umask chdir getcwd mknod mkstemp! tmpfile tmpnam
    system system* primitive-fork execl execlp execle waitpid kill sigaction alarm sleep usleep
    getpid getppid getuid getgid gethostname uname getlogin getpw getpwnam getgr chroot setuid nice
    getenv setenv unsetenv putenv environ get-environment-variable get-environment-variables
    program-arguments command-line
    current-time current-second current-jiffy gettimeofday get-internal-real-time times
    pipe dup fileno fdopen flock fsync isatty? socket socketpair connect bind listen accept
    getaddrinfo send recv! select opendir
    """
"""What writes, runs programs, looks at the clock or at the machine."""


def test_the_acting_ones_are_staged() -> None:
    known = staged_names().union(*(library.staged for library in late_libraries()))
    assert set(ACTING.split()) <= known


def test_directories_are_walked_in_builds_only() -> None:
    library = importlib.import_module("stdlib.ice_9.ftw").LIBRARY
    assert library.staged == set(library.bindings)


def test_the_names_of_late_libraries_are_listed() -> None:
    for module, names in late.MODULES.values():
        bindings = importlib.import_module(module).LIBRARY.bindings
        assert sorted(names.split()) == sorted(bindings), module


def test_late_libraries_stay_unloaded_and_give_way_to_own_definitions() -> None:
    session = Session([STDLIB])
    session.eval_text("(define (f x) (g x)) (define (g y) (list y)) (f 1)")
    assert not any(name in session.modules for name in late.MODULES)
    text = "(define (kill x) (list x)) (define (accept) 'mine) (list (kill 1) (accept))"
    assert repr(session.eval_text(text)) == "((1) mine)"


@pytest.mark.parametrize(
    "expression",
    [
        '(call-with-input-file "FILE" read)',
        '(let* ((p (open-input-file "FILE")) (x (read p))) (close-port p) x)',
        '(with-input-from-file "FILE" read)',
        '(begin (include "FILE"))',
        '(load "FILE")',
        '(primitive-load "FILE")',
        '(file-exists? "FILE")',
    ],
)
def test_files_can_be_read_while_a_configuration_is_evaluated(
    expression: str, tmp_path: Path
) -> None:
    (tmp_path / "data.scm").write_text("42")
    text = expression.replace("FILE", str(tmp_path / "data.scm"))
    assert Session([STDLIB]).eval_text(text) in (42, True)


def test_an_included_file_is_found_beside_the_one_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "part.scm").write_text("(define x 42)")
    (tmp_path / "os.scm").write_text('(include "part.scm")\nx')
    assert Session([STDLIB]).load_file(tmp_path / "os.scm") == 42


def test_test_suites_keep_a_log_in_builds(tmp_path: Path) -> None:
    log = tmp_path / "suite.log"
    text = f"""(use-modules (srfi srfi-64))
        (set! test-log-to-file {write(str(log))})
        (with-output-to-string (lambda ()
          (test-begin "suite") (test-equal "sum" 5 (+ 1 1)) (test-assert #t) (test-end)))"""
    said = str(Session([STDLIB], stage="build").eval_text(text))
    assert said.startswith("%%%% Starting test suite  (Writing full log to ")
    lines = log.read_text().splitlines()
    assert lines[:2] == ["%%%% Starting test suite", "Group begin: suite"]
    assert lines[3] == '  test-name: "sum"'
    assert "  result-kind: fail" in lines
    assert lines[-3:] == [
        *("Group end: suite", "# of expected passes      1", "# of unexpected failures  1"),
    ]
    assert Session([STDLIB]).eval_text("(@ (srfi srfi-64) test-log-to-file)") is False
