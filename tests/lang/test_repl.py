"""Conversations with Scheme, without a terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lang.errors import SchemeError
from lang.repl import manual
from lang.repl.engine import Repl
from lang.repl.registry import CommandError, Quit
from lang.session import Session

LIBRARY = Path(__file__).parents[2] / "stdlib"
SHAPES = """\
;;; Shapes.
(define-module (shapes)
  #:use-module (guix records)
  #:export (circle circle? circle-radius area %pi unit with-twice))

;; The ratio of a circle's
;; circumference to its diameter.
(define %pi 3.14)

(define-record-type* <circle> circle make-circle circle?
  (radius circle-radius (documentation "in metres"))
  (name circle-name (default "round")))

(define unit (circle (radius 1)))

(define* (area circle #:key (scale 1) (unit "m2"))
  "The area of CIRCLE.
It is a number."
  (* scale %pi (circle-radius circle) (circle-radius circle)))

(define-syntax-rule (with-twice expression)
  "EXPRESSION, two times."
  (begin expression expression))
"""

Say = Callable[[str], str]


@pytest.fixture
def repl(tmp_path: Path) -> Repl:
    (tmp_path / "shapes.scm").write_text(SHAPES)
    return Repl(Session([tmp_path, LIBRARY], library_roots=[LIBRARY]))


@pytest.fixture
def say(repl: Repl) -> Say:
    return lambda text: "\n".join(repl.respond(text))


def test_values_are_numbered_and_bound(say: Say) -> None:
    assert say("(+ 1 2)") == "$1 = 3"
    assert say("(list $1 $1)") == "$2 = (3 3)"
    assert say('(values 1 "a")') == '$3 = 1\n$4 = "a"'
    assert say("$3") == "$5 = 1"


def test_what_says_nothing_is_not_shown(say: Say) -> None:
    assert say("(if #f #f)") == say("(define x 1)") == say("; only a comment") == ""


def test_several_data_on_a_line_are_answered_in_turn(say: Say) -> None:
    assert say("(define x 1) x (+ x 1)") == "$1 = 1\n$2 = 2"


def test_definitions_last_and_can_be_changed(say: Say) -> None:
    say("(define (f) (g)) (define (g) 1)")
    assert say("(f)") == "$1 = 1"
    say("(define (g) 2)")
    assert say("(f)") == "$2 = 2"


def test_an_error_ends_the_input_and_not_the_conversation(repl: Repl, say: Say) -> None:
    with pytest.raises(Exception) as caught:
        say("(define (f x) (car x))\n(f 5)\n(define never 1)")
    text = repl.diagnose(caught.value)
    assert text.splitlines()[:2] == [
        "<input 1>:1:15: error: car: Wrong type argument in position 1 (expecting a pair): 5",
        "  (define (f x) (car x))",
    ]
    assert "f  <input 1>:1:15" in say(",bt")
    with pytest.raises(NameError):
        say("never")
    assert say("(f '(1))") == "$1 = 1"


def test_texts_of_one_source_have_its_line_numbers(repl: Repl) -> None:
    for line in ["(define (f x)\n  (car x))\n", ",pp 1\n", "; nothing\n"]:
        list(repl.respond(line, "<stdin>"))
    with pytest.raises(Exception) as caught:
        list(repl.respond("(f 5)\n", "<stdin>"))
    assert repl.diagnose(caught.value).startswith("<stdin>:2:3: error: car")
    assert "<stdin>:5:1" in "\n".join(repl.respond(",bt"))
    with pytest.raises(SchemeError) as refused:
        list(repl.respond("(a ]\n", "<stdin>"))
    assert repl.diagnose(refused.value).startswith("<stdin>:6:4: error:")


def test_a_command_may_be_unfinished(repl: Repl) -> None:
    assert repl.is_unfinished(",pp (a")
    assert not repl.is_unfinished(",pp (a)")
    assert not repl.is_unfinished(",help")


# ---------------------------------------------------------------- modules


def test_modules_are_entered(repl: Repl, say: Say) -> None:
    say("(define x 1)")
    assert say(",module") == "(guile-user)"
    assert say(",module (shapes)") == ""
    assert repl.module_label == "(shapes)"
    assert say("%pi") == "$1 = 3.14"
    assert say("$1") == "$2 = 3.14"
    with pytest.raises(NameError):
        say("x")
    with pytest.raises(SchemeError, match="no module"):
        say(",module (shape)")
    assert say(",module") == "(shapes)"


def test_define_module_enters_its_module(repl: Repl, say: Say) -> None:
    say("(define-module (mine) #:use-module (shapes))")
    assert repl.module_label == "(mine)"
    assert say("(circle? unit)") == "$1 = #t"


def test_a_file_is_loaded_and_its_module_entered(repl: Repl, say: Say, tmp_path: Path) -> None:
    (tmp_path / "a.scm").write_text("(use-modules (shapes))\n(define r 2)\n(circle (radius r))\n")
    value = repl.load(tmp_path / "a.scm")
    assert repl.shown(value) == '$1 = #<circle radius: 2 name: "round">'
    assert say("r") == "$2 = 2"
    repl.load(tmp_path / "shapes.scm")
    assert repl.module_label == "(shapes)"


def test_use_imports(say: Say) -> None:
    say(",use (shapes)")
    assert say("%pi") == "$1 = 3.14"


def test_a_file_can_be_loaded_into_the_conversation(say: Say, tmp_path: Path) -> None:
    (tmp_path / "more.scm").write_text("(define twice (* x 2))\n(+ twice 1)\n")
    say("(define x 4)")
    assert say(f",load {tmp_path}/more.scm") == "$1 = 9"
    assert say("twice") == "$2 = 8"
    with pytest.raises(CommandError, match="does not exist"):
        say(",load none.scm")
    with pytest.raises(CommandError, match="is a directory"):
        say(f',load "{tmp_path}"')


def test_files_to_load_are_completed(repl: Repl, tmp_path: Path) -> None:
    (tmp_path / "more.scm").touch()
    text = f",load {tmp_path}/mo"
    start, found = repl.completer.complete(text)
    assert text[:start] + found[0].text == f",load {tmp_path}/more.scm"


def test_answers_in_words_fit_the_terminal(repl: Repl, say: Say) -> None:
    say("(use-modules (shapes))")
    repl.width = 40
    assert max(map(len, say(",help").splitlines())) > 40
    repl.folds = True
    for command in (",help", ",apropos ^circle", ",describe circle", ",describe (shapes)"):
        assert all(len(line) <= 40 or " " not in line.strip() for line in say(command).split("\n"))


# ---------------------------------------------------------------- descriptions


def test_procedures_are_described(say: Say) -> None:
    say("(use-modules (shapes))")
    lines = say(",describe area").splitlines()
    assert lines[:4] == [
        "area: procedure of (shapes)",
        '  (area circle #:key (scale 1) (unit "m2"))',
        "  The area of CIRCLE.",
        "  It is a number.",
    ]
    assert lines[4].endswith("shapes.scm:16:1")


def test_procedures_of_the_conversation_are_described(say: Say) -> None:
    say('(define (f x . more)\n  "Does it."\n  x)')
    text = say(",describe f")
    assert "(f x . more)\n  Does it.\n" in text
    say('(define (f y)\n  "Does that."\n  y)')
    assert "(f y)\n  Does that.\n" in say(",describe f")
    assert "procedure" in say(",describe (lambda (x) x)")


def test_record_constructors_are_described_by_their_fields(say: Say) -> None:
    say("(use-modules (shapes))")
    text = say(",describe circle")
    assert "record constructor of (shapes)" in text
    assert "  radius  in metres (required)\n" in text
    assert '  name    (default: "round")\n' in text


def test_accessors_variables_and_macros_are_described(say: Say) -> None:
    say("(use-modules (shapes))")
    assert "The field radius of a <circle>: in metres." in say(",describe circle-radius")
    assert "Is the argument a <circle>?" in say(",describe circle?")
    about = say(",describe %pi")
    assert "The ratio of a circle's\n  circumference to its diameter.\n  3.14" in about
    assert "(with-twice expression)\n  EXPRESSION, two times." in say(",describe with-twice")
    assert "special form of (guile)\n  (if test" in say(",describe if")


def test_modules_and_values_are_described(say: Say) -> None:
    text = say(",describe (shapes)")
    assert "Shapes." in text
    assert "  area           The area of CIRCLE.\n" in text
    say("(use-modules (shapes))")
    text = say(",describe unit")
    assert "a <circle> record" in text and "in metres" in text
    assert say(",describe (+ 1 2)") == "3: an integer"


def test_a_name_of_another_module_says_where_it_is(say: Say) -> None:
    say("(use-modules (shapes))")
    say(",module (guix records)")
    with pytest.raises(CommandError) as caught:
        say(",describe area")
    assert caught.value.hint == "it is exported by (shapes)"


def test_apropos_finds_names_everywhere(say: Say) -> None:
    say("(use-modules (shapes)) (define circular 1)")
    lines = say(",apropos ^circ").splitlines()
    assert lines[0].startswith("here: circular")
    assert any(line.startswith("(shapes): circle-radius ") for line in lines)
    assert say(",apropos nosuchname") == "no name matches nosuchname"
    with pytest.raises(CommandError, match="no regular expression"):
        say(",apropos (")


# ---------------------------------------------------------------- evaluation


def test_expand_shows_core_forms(say: Say) -> None:
    assert say(",expand (let* ((x 1) (x (+ x 1))) x)") == (
        "(let ((x 1)) (let ((x-2 (+ x 1))) x-2))"
    )
    assert say(',expand (define* (f a #:optional (b 1)) "doc" (list a b))') == (
        '(define* (f a #:optional (b 1)) "doc" (list a b))'
    )
    assert say(",expand '(a b)") == "'(a b)"
    assert say(",expand (cond (1 2) (else 3))") == "(if 1 2 3)"


def test_expanding_a_definition_does_not_define(say: Say) -> None:
    say(",expand (define-syntax-rule (swap a b) (list b a))")
    say(",expand (define y 1)")
    with pytest.raises(NameError):
        say("(swap 1 2)")
    assert "y" not in say(",apropos ^y$").split()


def test_expand_once_takes_one_macro_away(say: Say) -> None:
    say("(define-syntax-rule (swap a b) (list b a))")
    assert say(",expand-once (swap 1 (swap 2 3))") == "(list (swap 2 3) 1)"


def test_pp_shows_what_is_cut_short_otherwise(say: Say) -> None:
    say("(use-modules (shapes)) (define c (circle (radius unit) (name 'big)))")
    assert say("c") == '$1 = #<circle radius: #<circle "round" …> name: big>'
    assert say(",pp c") == '#<circle radius: #<circle radius: 1 name: "round"> name: big>'


def test_thunked_fields_are_shown_with_their_values(say: Say) -> None:
    say(
        "(use-modules (guix records))"
        "(define-record-type* <t> t make-t t? (a t-a (thunked)) (b t-b (thunked)))"
    )
    assert say("(t (a (+ 1 2)) (b (car '())))") == "$1 = #<t a: 3 b: …>"


def test_time_shows_the_value_and_the_seconds(say: Say) -> None:
    first, second = say(",time (+ 1 2)").splitlines()
    assert first == "$1 = 3"
    assert second.startswith(";; 0.") and "real time" in second


def test_help_has_a_line_for_every_command(repl: Repl, say: Say) -> None:
    lines = say(",help").splitlines()
    assert len(lines) == len(repl.commands.all)
    assert all(line.startswith("  ,") for line in lines)
    assert "short: ,d" in say(",help describe") == say(",help ,d")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",nothing", "there is no command ,nothing"),
        (",pp", "one expression is expected, not 0"),
        (",pp 1 2", "one expression is expected, not 2"),
        (",apropos", "a regular expression is expected"),
        (",help nothing", "there is no command nothing"),
    ],
)
def test_wrong_commands_are_refused(say: Say, text: str, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        say(text)
    assert caught.value.message == message
    assert caught.value.hint


def test_bt_without_an_error_says_so(say: Say) -> None:
    assert say(",bt") == "there was no error"


def test_quit_ends(say: Say) -> None:
    with pytest.raises(Quit):
        say(",q")


def test_an_unbound_name_is_looked_for_in_modules_that_are_not_loaded(say: Say) -> None:
    with pytest.raises(CommandError) as caught:
        say(",describe with-twice")
    assert caught.value.hint == "it is exported by (shapes)"


def test_standard_procedures_are_in_the_manual(say: Say) -> None:
    lines = say(",describe string-pad").splitlines()
    assert lines[1] == "  (string-pad string length [char])"
    assert "filled with CHAR" in lines[2]
    assert "Evaluate the forms in order" in say(",describe begin")
    say("(use-modules (srfi srfi-1))")
    assert "(fold procedure init list ...)" in say(",describe fold")


def test_names_of_the_manual_are_those_of_modules(repl: Repl) -> None:
    session = repl.session
    known = {name.name for name in session.core.table}
    for written in sorted(set(session.module_names())):
        name = tuple(written[1:-1].split())
        if name[0] in ("srfi", "ice-9", "rnrs", "guix"):
            known |= {id.name for id in session.import_module(name).exported_names()}
    assert set(manual.entries()) <= known


def test_nearly_everything_in_the_core_is_documented(repl: Repl) -> None:
    names = [name.name for name in repl.session.core.table]
    known = [repl.describer.known(name, repl.module) for name in names]
    silent = [one.name for one in known if one is not None and not one.documentation]
    assert len(silent) < 25, silent


def test_patterns_tell_how_macros_are_used(say: Say) -> None:
    say(",use (gnu services)")
    assert "(service type)\n  (service type value)\n" in say(",describe service")
