"""Ports on open files: reading and writing at one place, and going to places."""

from __future__ import annotations

from pathlib import Path

import pytest

from lang.printer import write
from lang.session import Session

STDLIB = Path(__file__).parents[3] / "stdlib"
IMPORTS = "(use-modules (rnrs io ports) (ice-9 rdelim) (rnrs bytevectors))"
ALL = "(begin (close-port p) (call-with-input-file FILE get-bytevector-all #:binary #t))"


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        # as a boot loader is written into an image: nothing around it changes
        ("(p (open FILE O_RDWR)) (seek p 2 SEEK_SET) (put-bytevector p #vu8(9 9))", "ab\t\tef"),
        ("(p (open FILE O_WRONLY)) (seek p -1 SEEK_END) (put-u8 p 90)", "abcdeZ"),
        ('(p (open-file FILE "r+b")) (get-u8 p) (put-u8 p 90)', "aZcdef"),
        ('(p (open-file FILE "r+")) (read-char p) (seek p 1 SEEK_CUR) (display "é" p)', "abéef"),
        ('(p (open-file FILE "a+")) (read-char p) (display "Z" p)', "abcdefZ"),
        ('(p (open-file FILE "w+")) (display "x" p)', "x"),
        ('(p (fdopen (open-fdes FILE O_RDWR) "r+")) (put-u8 p 90)', "Zbcdef"),
    ],
)
def test_what_is_in_the_file(tmp_path: Path, program: str, answer: str) -> None:
    path = tmp_path / "file"
    path.write_text("abcdef")
    binding, _, actions = program.partition(") (")
    text = f"{IMPORTS} (let* ({binding})) ({actions} {ALL})".replace("FILE", f'"{path}"')
    assert bytes(Session([STDLIB], stage="build").eval_text(text)).decode() == answer  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("(let* ((a (read-char p)) (b (ftell p)) (c (seek p 2 SEEK_CUR)) (d (read-char p)))"
         " (list a b c d))", r"(#\a 1 3 #\d)"),
        ("(let* ((a (get-u8 p)) (b (lookahead-u8 p)) (c (port-position p))) (list a b c))",
         "(97 98 1)"),
        ("(begin (set-port-position! p 4) (get-string-all p))", '"ef"'),
        ("(begin (get-string-all p) (list (seek p 0 SEEK_SET) (get-string-all p)))",
         '(0 "abcdef")'),
        ("(catch 'system-error (lambda () (seek p -1 SEEK_SET)) (lambda args 'refused))",
         "refused"),
        ("(catch 'system-error (lambda () (seek (car (pipe)) 0 SEEK_SET)) (lambda _ 'refused))",
         "refused"),
        ("(let ((both (pipe))) (put-u8 (cdr both) 65) (force-output (cdr both))"
         " (lookahead-u8 (car both)))", "65"),
    ],
)  # fmt: skip
def test_what_is_read(tmp_path: Path, expression: str, answer: str) -> None:
    path = tmp_path / "file"
    path.write_text("abcdef")
    text = f'{IMPORTS} (let ((p (open "{path}" O_RDONLY))) {expression})'
    assert write(Session([STDLIB], stage="build").eval_text(text)) == answer
