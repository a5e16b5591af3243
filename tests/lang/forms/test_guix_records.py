"""define-record-type*: fields, inheritance, and what is said about mistakes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lang.errors import SchemeError
from lang.session import Session

Show = Callable[[str], str]
Refused = Callable[[str], tuple[str, str, str]]

THING = """(use-modules (guix records))
(define-record-type* <thing> thing make-thing thing? this-thing
  (name thing-name)
  (size thing-size (default 1) (documentation "in bytes"))
  (parts thing-parts (thunked) (default (list (thing-name this-thing))))
  (lazy thing-lazy (delayed) (default (string-append "x" "y")))
  (place thing-place (default (current-source-location)) (innate))
  (even thing-even (default 0) (sanitize (lambda (n) (if (even? n) n (error "odd" n))))))
"""
ALL = "(lambda (t) (list (thing-name t) (thing-size t) (thing-parts t) (thing-lazy t)))"


def test_defaults_fill_what_is_not_given(show: Show) -> None:
    assert show(THING + f'({ALL} (thing (name "a")))') == '("a" 1 ("a") "xy")'


def test_inherit_takes_the_other_fields_and_thunks_see_the_new_record(show: Show) -> None:
    program = f'({ALL} (thing (inherit (thing (name "a") (size 9))) (name "b")))'
    assert show(THING + program) == '("b" 9 ("b") "xy")'


def test_later_fields_see_earlier_ones(show: Show) -> None:
    assert show(THING + '(thing-size (thing (name "abc") (size (string-length name))))') == "3"


def test_a_hidden_field_leaves_its_name_to_those_after_it(show: Show) -> None:
    program = """(define-record-type* <one> one make-one one? (list one-list (hidden)) (n one-n))
    (one-n (one (list 1) (n (list 2))))"""
    assert show(THING + program) == "(2)"


def test_thunked_fields_see_the_record_and_thunked_siblings(show: Show) -> None:
    program = """(define-record-type* <two> two make-two two?
      (a two-a (thunked)) (b two-b (thunked)) (n two-n))
    (define first (two (n 1) (a (list n (two-n this-record))) (b (cons 'b a))))
    (list (two-b first) (two-b (two (inherit first) (n 2))))"""
    assert show(THING + program) == "((b 1 1) (b 1 2))"


def test_innate_fields_are_not_inherited_and_know_their_place(session: Session) -> None:
    program = '(define a (thing (name "a")))\n(thing-place (thing (inherit a)))'
    place = session.eval_text(THING + program, "os.scm")
    assert str(place) == "os.scm:10:14"


def test_sanitizers_check_given_and_changed_values(show: Show, session: Session) -> None:
    assert show(THING + '(thing-even (thing (name "a") (even 4)))') == "4"
    with pytest.raises(SchemeError):
        session.eval_text(THING + '(thing (name "a") (even 3))')


def test_delayed_values_are_computed_once(show: Show) -> None:
    program = """(define count 0)
    (define t (thing (name "a") (lazy (begin (set! count (+ count 1)) count))))
    (list count (thing-lazy t) (thing-lazy t))"""
    assert show(THING + program) == "(0 1 1)"


def test_documentation_is_kept_with_the_type(session: Session) -> None:
    rtd = session.eval_text(THING + "<thing>")
    assert rtd.documentation == {"size": "in bytes"}  # type: ignore[attr-defined]


def test_the_plain_constructor_takes_all_fields(show: Show) -> None:
    assert show(THING + "(thing-size (make-thing 1 2 3 4 5 6))") == "2"


def test_a_field_shadows_nothing_in_its_own_value(show: Show) -> None:
    assert show(THING + '(let ((name "outer")) (thing-name (thing (name name))))') == '"outer"'


def test_fields_can_be_defined_by_macros(show: Show) -> None:
    program = """(define-syntax-rule (named n rest ...) (thing (name n) rest ...))
    (thing-size (named "x" (size 7)))"""
    assert show(THING + program) == "7"


@pytest.mark.parametrize(
    ("use", "message", "place", "hint"),
    [
        ('(thing\n  (nmae "x"))', "thing has no field nmae", "11:3", "did you mean name?"),
        ("(thing\n  (size 1))", "thing: no value for the field name", "10:1", "add (name ...)"),
        ("(thing (name 1)\n (name 2))", "thing: the field name is given twice", "11:2", ""),
        ("(thing\n (name 1 2))", "thing: the field name takes one value, not 2", "11:2", ""),
        ("(thing (inherit))", "thing: (inherit record) stands once, with one record", "10:8", ""),
        ('(thing (name "x") (size parts) (parts 1))', None, "", ""),
    ],
)
def test_mistakes_are_shown_at_the_field(
    refused: Refused, session: Session, use: str, message: str | None, place: str, hint: str
) -> None:
    if message is None:
        with pytest.raises(NameError):
            session.eval_text(THING + "\n" + use)
        return
    assert refused(THING + "\n" + use) == (message, place, hint)


def test_a_thunked_sibling_is_out_of_reach_of_plain_fields(refused: Refused) -> None:
    message, _, _ = refused(THING + '(thing (name "x") (parts 1) (size parts))')
    assert "only other thunked fields can refer to it" in message


def test_this_record_means_nothing_outside(refused: Refused) -> None:
    message, _, _ = refused(THING + "(list this-thing)")
    assert "this-thing means something only inside a thunked field" in message


def test_inheriting_from_something_else_is_an_error(session: Session) -> None:
    with pytest.raises(SchemeError) as caught:
        session.eval_text(THING + "(thing (inherit 3))")
    assert "a record ~A is expected" in repr(caught.value.payload)


def test_unknown_properties_and_duplicate_fields_are_refused(refused: Refused) -> None:
    head = "(use-modules (guix records)) (define-record-type* <t> t make-t t?\n "
    assert refused(head + "(a t-a (thunk)))")[:2] == (
        "unknown property (thunk) of the field a",
        "2:9",
    )
    assert refused(head + "(a t-a) (a t-b))")[:2] == ("the field a is defined twice", "2:10")


def test_match_record_binds_fields_by_name(show: Show) -> None:
    program = """(match-record (thing (name "a") (size 2)) <thing> (size parts (name n))
      (list n size parts))"""
    assert show(THING + program) == '("a" 2 ("a"))'
