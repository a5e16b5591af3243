"""Modules: imports, exports, and libraries."""

from __future__ import annotations

from pathlib import Path

import pytest

from lang.errors import SchemeError, SchemeSyntaxError
from lang.printer import write
from lang.session import Session

LIBRARY = """(define-module (my lib)
  #:export (one two show (inner . outer) with-hidden))
(define one 1)
(define two 2)
(define hidden 'hidden)
(define inner 'inner)
(define-syntax-rule (show x) (list 'x hidden one))
(define-syntax-rule (with-hidden name body) (let ((hidden 0) (name one)) body))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "my").mkdir()
    (tmp_path / "my" / "lib.scm").write_text(LIBRARY)
    return tmp_path


def value(path: Path, program: str) -> str:
    """What `program` writes, with `path` on the load path."""
    return write(Session([path]).eval_text(program))


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("(use-modules (my lib)) (list one two outer)", "(1 2 inner)"),
        ("(use-modules ((my lib) #:select (one (two . zwei)))) (list one zwei)", "(1 2)"),
        ("(use-modules ((my lib) #:prefix l:)) (list l:one l:two)", "(1 2)"),
        ("(use-modules ((my lib) #:hide (one))) (define one 'mine) (list one two)", "(mine 2)"),
        (
            "(use-modules ((my lib) #:renamer (symbol-prefix-proc 'x-))) (list x-one)",
            "(1)",
        ),
        ("(define hidden 3) (use-modules (my lib)) (show a)", "(a hidden 1)"),
        ("(use-modules (my lib)) (with-hidden a (+ a 1))", "2"),
        ("(@ (my lib) two)", "2"),
        ("(@@ (my lib) hidden)", "hidden"),
        ("(define-module (x) #:autoload (my lib) (one)) one", "1"),
        ("(use-modules ((my lib) #:prefix l: #:select (one))) l:one", "1"),
        ("(import (only (my lib) one)) one", "1"),
        ("(import (rename (prefix (my lib) p:) (p:one uno))) (list uno p:two)", "(1 2)"),
        ("(import (except (my lib) one)) two", "2"),
    ],
)
def test_imports(path: Path, program: str, answer: str) -> None:
    assert value(path, program) == answer


def test_a_module_can_pass_on_what_others_export(path: Path) -> None:
    (path / "all.scm").write_text(
        "(define-module (all) #:use-module (my lib) #:re-export (one) "
        "#:re-export-modules ((my lib)))"
    )
    assert value(path, "(use-modules (all)) (list one two (show 5))") == "(1 2 (5 hidden 1))"


def test_modules_that_import_each_other_load(path: Path) -> None:
    (path / "a.scm").write_text(
        "(define-module (a) #:use-module (b) #:export (fa)) (define (fa n) (if n (fb #f) 'a))"
    )
    (path / "b.scm").write_text(
        "(define-module (b) #:use-module (a) #:export (fb)) (define (fb n) (if n (fa #f) 'b))"
    )
    assert value(path, "(use-modules (a) (b)) (list (fa #t) (fb #t))") == "(b a)"


def test_public_definitions_are_exported(path: Path) -> None:
    (path / "p.scm").write_text("(define-module (p)) (define-public (f) 1) (define g 2)")
    assert value(path, "(use-modules (p)) (f)") == "1"
    with pytest.raises(NameError):
        value(path, "(use-modules (p)) g")


def test_libraries_of_r7rs(path: Path) -> None:
    program = """(define-library (stack) (export push (rename pop-one pop))
      (import (scheme base)) (begin (define (push x s) (cons x s)) (define (pop-one s) (cdr s))))
    (import (prefix (stack) s:)) (s:pop (s:push 1 '(2)))"""
    assert value(path, program) == "(2)"


@pytest.mark.parametrize(
    ("library", "message"),
    [
        ("(library (a) (import) (export))", "library: (export ...) is expected, not (import)"),
        ("(library (a) (export))", "wrong use of library"),
        ("(library (a) (export (rename b)) (import))", "a name is expected, not (rename b)"),
        ("(define-library (a) (export 3))", "export: a name is expected, not 3"),
        ("(library (a (1)) (export) (import) (define x 1)) (if #t (library (b) 1))", "top level"),
    ],
)
def test_bad_libraries(path: Path, library: str, message: str) -> None:
    with pytest.raises(SchemeSyntaxError) as caught:
        value(path, library)
    assert message in caught.value.message


def test_syntax_of_other_modules_in_place(path: Path) -> None:
    assert value(path, "(list ((@ (my lib) show) a) ((@@ (my lib) with-hidden) x x))") == (
        "((a hidden 1) 1)"
    )


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("(module-ref (resolve-interface '(my lib)) 'outer)", "inner"),
        ("(module-ref (resolve-interface '(my lib)) 'inner 'hidden)", "hidden"),
        ("(module-ref (module-public-interface (resolve-module '(my lib))) 'outer)", "inner"),
        ("(module-ref (resolve-module '(my lib)) 'hidden)", "hidden"),
        ("(module-ref (resolve-interface '(my lib) #:prefix 'l: #:select '(one)) 'l:one)", "1"),
        ("(module-name (resolve-interface '(my lib)))", "(my lib)"),
        ("(resolve-module '(not there) #:ensure #f)", "#f"),
    ],
)
def test_interfaces_show_what_is_exported(path: Path, expression: str, answer: str) -> None:
    assert value(path, expression) == answer


@pytest.mark.parametrize(
    "extend",
    [
        "(add-to-load-path (dirname (current-filename)))",
        "(eval-when (expand load eval)"
        " (set! %load-path (cons (dirname (current-filename)) %load-path)))",
    ],
)
def test_a_file_can_extend_the_load_path(path: Path, tmp_path: Path, extend: str) -> None:
    own = path / "os.scm"
    own.write_text(
        f"{extend} (use-modules (my lib))"
        '(list one (load-from-path "two.scm") (and (search-path %load-path "my/lib.scm") #t))'
    )
    (path / "two.scm").write_text("2")
    for _ in range(2):  # a second time, with the cache filled
        session = Session([], cache=tmp_path / "cache")
        assert write(session.load_file(own)) == "(1 2 #t)"
        assert session.load_path == [path]


def test_what_is_no_directory_is_not_put_on_the_load_path(path: Path) -> None:
    with pytest.raises(SchemeError, match="a string"):
        value(path, "(add-to-load-path 5)")


def test_a_missing_module_is_reported_with_near_names(path: Path) -> None:
    session = Session([path])
    with pytest.raises(SchemeSyntaxError) as caught:
        session.eval_text("\n (use-modules (my libb))")
    assert caught.value.message == "there is no module (my libb)"
    assert caught.value.hint == "did you mean (my lib)?"
    assert caught.value.position is not None
    assert str(session.sources.location(caught.value.position)) == "<eval>:2:15"


def test_selecting_what_is_not_exported_is_refused(path: Path) -> None:
    with pytest.raises(SchemeSyntaxError, match="does not export") as caught:
        value(path, "(use-modules ((my lib) #:select (onee)))")
    assert caught.value.hint == "did you mean one?"


def test_a_module_that_fails_to_load_is_tried_again(path: Path) -> None:
    (path / "bad.scm").write_text("(define-module (bad)) (if)")
    session = Session([path])
    for _ in range(2):
        with pytest.raises(SchemeSyntaxError):
            session.import_module(("bad",))


def test_visible_names_are_own_imported_and_core(path: Path) -> None:
    session = Session([path])
    module = session.user_module()
    session.eval_text("(use-modules (my lib)) (define mine 1)", module=module)
    assert {"mine", "one", "car", "let"} <= session.bound_names(module)


def test_a_variable_of_another_module_is_assigned(tmp_path: Path) -> None:
    (tmp_path / "m.scm").write_text(
        "(define-module (m) #:export (all shown)) (define shown 1) (define hidden 2)"
        "(define (own) 3) (define (all) (list shown hidden (own)))"
    )
    session = Session([tmp_path])
    session.eval_text("(set! (@ (m) shown) 10) (set! (@@ (m) hidden) 20)")
    session.eval_text("(set! (@@ (m) own) (lambda () 30))")
    assert write(session.eval_text("((@ (m) all))")) == "(10 20 30)"
    for text, message in (
        ("(set! (@ (guile) car) 1)", "belongs to the core"),
        ("(set! (@@ (m) absent) 1)", "absent"),
        ("(set! (@ (m) hidden) 1)", "hidden"),
    ):
        with pytest.raises(Exception, match=message):
            session.eval_text(text)


def test_a_keyword_of_another_module_is_used(tmp_path: Path) -> None:
    (tmp_path / "m.scm").write_text(
        "(define-module (m) #:export ((own . twice) answer))"
        "(define-syntax-rule (own e) (list e e)) (define-syntax hidden (identifier-syntax 43))"
        "(define-syntax answer (identifier-syntax 42))"
    )
    session = Session([tmp_path])
    for text, expected in (
        ("((@ (m) twice) 1)", "(1 1)"),
        ("((@@ (m) own) 1)", "(1 1)"),
        ("(list (@ (m) answer) (@@ (m) hidden))", "(42 43)"),
        ("((@ (guile) if) #f 1 2)", "2"),
        ("(let () ((@ (guile) define) x 1) ((@ (guile) set!) x 2) x)", "2"),
        ("((@ (guile) define) y 1) y", "1"),
        ("((@ (srfi srfi-9) define-record-type) r (make a) r? (a ra)) (ra (make 3))", "3"),
        (
            "(define-syntax-rule (first x) ((@ (ice-9 match) match) x ((a . _) a)))"
            "(let ((match 1)) (first '(5 6)))",
            "5",
        ),
    ):
        assert write(session.eval_text(text)) == expected
    for text in ("(@ (m) twice)", "(@ (guile) if)", "(@ (m) 5)", "((@ (m) own) 1)", "(@ (m))"):
        with pytest.raises(SchemeSyntaxError):
            session.eval_text(text)
