"""What is offered at a place of a text, and how text is coloured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lang.repl.engine import Repl
from lang.repl.highlight import STYLES, highlighted
from lang.session import Session

LIBRARY = Path(__file__).parents[2] / "stdlib"

Offered = Callable[[str], list[str]]


@pytest.fixture
def offered(tmp_path: Path) -> Offered:
    (tmp_path / "my").mkdir()
    (tmp_path / "my" / "things.scm").write_text(
        "(define-module (my things) #:use-module (guix records) #:export (thing make))\n"
        "(define-record-type* <thing> thing make-thing thing?\n"
        '  (name thing-name (documentation "what it is called"))\n'
        "  (note thing-note (default #f)) (size thing-size))\n"
        "(define* (make x #:key (colour 'red) depth) x)\n"
    )
    repl = Repl(Session([tmp_path, LIBRARY], library_roots=[LIBRARY]))
    list(repl.respond("(use-modules (my things)) (define my-variable 1)"))

    def offer(text: str) -> list[str]:
        start, found = repl.completer.complete(text)
        return [text[:start] + one.text for one in found]

    return offer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (",desc", [",describe"]),
        ("my-var", ["my-variable"]),
        ("(list (my-var", ["(list (my-variable"]),
        (",pp my-var", [",pp my-variable"]),
        (",pp (list 1 my-var", [",pp (list 1 my-variable"]),
        ("(string-prefix-l", ["(string-prefix-length", "(string-prefix-length-ci"]),
        ("(use-modules (my ", ["(use-modules (my things"]),
        ("(use-modules (srfi srfi-1) (my th", ["(use-modules (srfi srfi-1) (my things"]),
        ("(use-modules ((my th", ["(use-modules ((my things"]),
        ("(define-module (a) #:use-module (my ", ["(define-module (a) #:use-module (my things"]),
        ("(@ (my t", ["(@ (my things"]),
        ("(import (my t", ["(import (my things"]),
        (",module (my ", [",module (my things"]),
        (",describe (my ", [",describe (my things"]),
        ("(thing (n", ["(thing (name", "(thing (note"]),
        ("(thing (name 1) (n", ["(thing (name 1) (note"]),
        ("(thing (i", ["(thing (inherit"]),
        ("(thing (name my-v", ["(thing (name my-variable"]),
        ("(make 1 #:", ["(make 1 #:colour", "(make 1 #:depth"]),
        ("(make 1 #:d", ["(make 1 #:depth"]),
        ("; my-var", []),
        ("#\\spa", ["#\\space"]),
        ("(f)", []),
        ('"a"', []),
    ],
)
def test_what_fits_is_offered(offered: Offered, text: str, expected: list[str]) -> None:
    assert offered(text) == expected


def test_package_and_service_modules_are_offered_by_their_last_name(offered: Offered) -> None:
    assert "(use-service-modules networking" in offered("(use-service-modules net")


def test_files_are_offered_inside_strings(
    offered: Offered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "os.scm").touch()
    (tmp_path / ".hidden").touch()
    monkeypatch.chdir(tmp_path)
    assert offered('(load "o') == ['(load "os.scm']
    assert offered('(load "') == ['(load "my/', '(load "os.scm']
    assert offered('(load "my/t') == ['(load "my/things.scm']
    assert offered('(load "nowhere/t') == []
    monkeypatch.setenv("HOME", str(tmp_path))
    assert offered('(load "~/o') == ['(load "~/os.scm']


def test_fields_are_offered_with_their_documentation(offered: Offered) -> None:
    repl = Repl(Session([LIBRARY], library_roots=[LIBRARY]))
    list(repl.respond("(use-modules (gnu system file-systems))"))
    _, found = repl.completer.complete("(file-system (mount-p")
    assert [one.about for one in found] == ["the directory that it is mounted on"]


PIECES = st.sampled_from(
    [
        "(",
        ")",
        "[",
        "]",
        "'",
        "use-modules",
        "thing",
        " ",
        '"',
        "#:",
        ",d ",
        "name",
        "my",
        "#|",
        "\n",
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_nothing_that_can_be_typed_is_too_much(text: str) -> None:
    repl = _shared()
    start, found = repl.completer.complete(text)
    assert 0 <= start <= len(text)
    assert all(one.text for one in found)
    pieces = list(highlighted(text, repl.module))
    assert "".join(piece for _, piece in pieces) == text
    assert {style for style, _ in pieces} <= STYLES


_KEPT: list[Repl] = []


def _shared() -> Repl:
    if not _KEPT:
        _KEPT.append(Repl(Session([LIBRARY], library_roots=[LIBRARY])))
    return _KEPT[0]


def test_pieces_of_text_have_styles() -> None:
    repl = _shared()
    text = '(define x #:k (list 1 "a" #\\b #t)) ; note'
    styles = {piece: style for style, piece in highlighted(text, repl.module)}
    assert styles == {
        "(": "plain",
        ")": "plain",
        " ": "plain",
        "define": "syntax",
        "x": "plain",
        "list": "plain",
        "#:k": "keyword",
        "1": "constant",
        "#t": "constant",
        '"a"': "string",
        "#\\b": "string",
        "; note": "comment",
    }
    assert next(highlighted(",describe x", repl.module)) == ("command", ",describe")
