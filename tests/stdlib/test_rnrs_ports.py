"""(rnrs io ports) where Guile does less than R6RS, and what files are opened for."""

from __future__ import annotations

from pathlib import Path

import pytest

from lang.errors import SchemeError
from lang.printer import write
from lang.session import Session

STDLIB = Path(__file__).parents[2] / "stdlib"
RAISE = "(make-transcoder (utf-8-codec) (eol-style none) (error-handling-mode raise))"
IGNORE = "(make-transcoder (latin-1-codec) (eol-style none) (error-handling-mode ignore))"
CRLF = "(make-transcoder (utf-8-codec) (eol-style crlf))"


@pytest.fixture
def session() -> Session:
    return Session([STDLIB], stage="build")


def value(session: Session, expression: str) -> str:
    imports = "(use-modules (rnrs io ports) (rnrs exceptions))"
    return write(session.eval_text(f"{imports} {expression}"))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (f'(string->bytevector "a\\n" {CRLF})', "#vu8(97 13 10)"),
        (f"(bytevector->string #vu8(97 13 10 98 13) {CRLF})", '"a\\nb\\n"'),
        (f'(string->bytevector "aλ" {IGNORE})', "#vu8(97)"),
        (
            f"(let* ((p (open-bytevector-input-port #vu8(97 255 98) {RAISE})) (a (get-char p))"
            " (b (guard (e ((i/o-decoding-error? e) 'bad)) (get-char p))))"
            " (list a b (get-char p)))",
            "(#\\a bad #\\b)",
        ),
        (
            "(guard (e ((i/o-encoding-error? e) (i/o-encoding-error-char e))) (put-string"
            " (transcoded-port (open-bytevector-output-port) (make-transcoder (latin-1-codec)"
            ' (eol-style none) (error-handling-mode raise))) "aλ"))',
            "#\\λ",
        ),
        ("(port-transcoder (open-bytevector-input-port #vu8(1)))", "#f"),
        (
            "(guard (e ((i/o-invalid-position-error? e) (i/o-error-position e)))"
            " (set-port-position! (open-bytevector-input-port #vu8(1)) 7))",
            "7",
        ),
    ],
)
def test_text_and_bytes(session: Session, expression: str, expected: str) -> None:
    assert value(session, expression) == expected


def test_files_are_opened_as_the_options_say(session: Session, tmp_path: Path) -> None:
    name = write(str(tmp_path / "f"))
    put = f"(lambda options (call-with-port (apply open-file-output-port {name} options)"
    put += " (lambda (p) (put-bytevector p #vu8(104 105)))))"
    asked = f"""
      (define put {put})
      (define-syntax refused (syntax-rules () ((_ e) (guard (c ((i/o-error? c)
        (list (i/o-file-already-exists-error? c) (i/o-file-does-not-exist-error? c)
              (equal? {name} (i/o-error-filename c))))) e))))
      (list (refused (put (file-options no-create))) (begin (put) (refused (put)))
            (begin (put (file-options no-fail)) 1)
            (call-with-port (open-file-input/output-port {name} (file-options no-fail no-truncate))
              (lambda (p) (list (get-u8 p) (begin (put-u8 p 33) (flush-output-port p))))))"""
    assert value(session, asked).startswith("((#f #t #t) (#t #f #t) 1 (104")
    assert (tmp_path / "f").read_bytes()[:1] == b"h"


def test_encodings_of_files_are_honoured(session: Session, tmp_path: Path) -> None:
    name = write(str(tmp_path / "f"))
    asked = f"""
      (call-with-output-file {name} (lambda (p) (display "hé" p) (display "λ" p))
        #:encoding "UTF-16")
      (define (text . how) (apply call-with-input-file {name} get-string-all how))
      (list (text #:encoding "UTF-16") (text #:guess-encoding #t) (string-length (text #:binary #t))
      )"""
    assert value(session, asked) == '("héλ" "héλ" 8)'
    for wrong in ('#:encoding "no-such"', "#:encodin 1"):
        with pytest.raises(SchemeError):
            value(session, f"(open-input-file {name} {wrong})")


def test_writing_is_for_builds() -> None:
    with pytest.raises(SchemeError, match="build"):
        Session([STDLIB]).eval_text(
            '(use-modules (rnrs io ports)) (open-file-output-port "/nonexistent/x")'
        )
