"""File-like objects that are code or directories, as a user builds them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import RunKiln

GUILE = Path("/usr/bin/guile")

PROGRAM = r"""(use-modules (guix gexp))
(program-file "hello"
  (with-imported-modules '((my words) (srfi srfi-1))
    #~(begin
        (use-modules (my words) (srfi srfi-1) (ice-9 match))
        (match (cdr (command-line))
          ((name . _) (format #t "~a ~a, \"~a\"~%" (greeting) name (first '(#\a #:b c)))))
        (display (call-with-input-file #$(plain-file "data" "text\n")
                   (lambda (port) (read-char port)))))))
"""


def test_a_program_that_guile_runs(run_kiln: RunKiln, tmp_path: Path) -> None:
    (tmp_path / "my").mkdir()
    (tmp_path / "my/words.scm").write_text(
        "(define-module (my words) #:use-module ((my more) #:select (greet)) #:export (greeting))"
        "(define (greeting) (greet))"
    )
    (tmp_path / "my/more.scm").write_text(
        '(define-module (my more) #:export (greet))(define (greet) "Hello")'
    )
    (tmp_path / "program.scm").write_text(PROGRAM)
    made = run_kiln("build", "-L", str(tmp_path), str(tmp_path / "program.scm")).result
    assert os.access(made, os.X_OK)
    text = made.read_text()
    assert text.startswith("#!/usr/bin/guile --no-auto-compile\n!#\n")
    if GUILE.exists():
        # its store is not at /kiln/store on this machine
        script = tmp_path / "script"
        script.write_text(text.replace("/kiln/store", str(made.parent)))
        script.chmod(0o755)
        done = subprocess.run([script, "you"], capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == ('Hello you, "a"\nt', "")


def test_code_as_a_file(run_kiln: RunKiln) -> None:
    form = """(scheme-file "code" #~((define x "a\\"\\n") (list 'y x #$(+ 1 2))) #:splice? #t)"""
    made = run_kiln("build", "-e", form).result
    assert made.read_text() == '(define x "a\\"\\n")\n(list (quote y) x 3)\n'
    assert not os.access(made, os.X_OK) or os.geteuid() == 0
    assert made.stat().st_mode & 0o111 == 0


UNIONS = """
(use-modules (guix gexp))
(define (files name . entries) (file-union name entries))
(define one (files "one" (list "bin/a" (program-file "a" #~(display 1)))
                         (list "etc/same" (plain-file "x" "same"))
                         (list "etc/other" (plain-file "x" "one"))))
(define two (files "two" (list "etc/same" (plain-file "x" "same"))
                         (list "etc/other" (plain-file "x" "two"))
                         (list "etc/more" one)))
(directory-union "both" (list one two))
"""


def test_directories_of_copies(run_kiln: RunKiln, tmp_path: Path) -> None:
    (tmp_path / "unions.scm").write_text(UNIONS)
    ended = run_kiln("build", str(tmp_path / "unions.scm"))
    made = ended.result
    texts = {str(path.relative_to(made)): path for path in made.rglob("*") if path.is_file()}
    assert sorted(texts) == [
        "bin/a",
        "etc/more/bin/a",
        "etc/more/etc/other",
        "etc/more/etc/same",
        "etc/other",
        "etc/same",
    ]
    assert not any(path.is_symlink() for path in texts.values())
    assert texts["etc/other"].read_text() == "one"
    assert texts["bin/a"].stat().st_mode & 0o111


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ('(program-file "x" \'(display 1))', "must be a gexp"),
        ('(program-file "x" #~(mkdir #$output))', "no build for #$output"),
        ("(program-file 'x #~(display 1))", "name must be a string"),
        ('(program-file "x" #~1 #:guile "guile")', "guile must be a package"),
        (
            '(program-file "x" (with-imported-modules \'((guix build utils)) #~1))',
            "part of Kiln",
        ),
        ('(scheme-file "x" (with-imported-modules \'((no such)) #~1))', "no file of this module"),
        ('(file-union "x" (list (list "a")))', "a path and a file-like object"),
        ('(file-union "x" (list (list "../a" (plain-file "a" ""))))', "inside of the directory"),
        (
            '(file-union "x" (list (list "a" (plain-file "a" "")) (list "a" (plain-file "b" ""))))',
            "twice",
        ),
        ('(directory-union "x" (list "/tmp"))', "list of file-like objects"),
        ('(local-file "no-such-file")', "there is no file"),
        ('(local-file "/")', "is a directory"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(
    run_kiln: RunKiln, tmp_path: Path, form: str, words: str
) -> None:
    file = tmp_path / "file.scm"
    file.write_text(f"(use-modules (guix gexp))\n{form}\n")
    ended = run_kiln("build", str(file))
    assert ended.status == 1
    assert words in ended.err
    assert f"{file}:2:1: error:" in ended.err
