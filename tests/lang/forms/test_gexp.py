"""#~, #$ and their kin make lang.data.Gexp values."""

from __future__ import annotations

from collections.abc import Callable

from lang.data import Gexp, scheme_list
from lang.printer import write
from lang.runtime.trampoline import call
from lang.session import Session

GEXP = "(use-modules (guix gexp))\n"


def gexp(session: Session, text: str) -> Gexp:
    """The gexp that `text` evaluates to."""
    value = session.eval_text(GEXP + text, "os.scm")
    assert isinstance(value, Gexp)
    return value


def test_references_become_inputs_in_order(session: Session) -> None:
    made = gexp(session, '(let ((x "a")) #~(list #$x #+(string-append x "b") (ungexp x "lib")))')
    assert [(i.thing, i.output, i.native) for i in made.inputs] == [
        ("a", "out", False),
        ("ab", "out", True),
        ("a", "lib", False),
    ]
    assert write(call(made.build, 1, 2, 3)) == "(list 1 2 3)"


def test_splices_put_the_elements_of_a_list(session: Session) -> None:
    made = gexp(session, "#~(system* #$@(list 1 2) x #+@'() y)")
    assert write(call(made.build, scheme_list([8, 9]), scheme_list([]))) == "(system* 8 9 x y)"


def test_code_is_plain_data_whatever_macro_made_it(session: Session) -> None:
    program = "(define-syntax-rule (staged x) #~(let ((y #$x)) (list y 'x)))\n(staged 5)"
    made = gexp(session, program)
    assert write(call(made.build, 5)) == "(let ((y 5)) (list y (quote 5)))"


def test_a_gexp_can_stand_inside_a_reference_of_another(session: Session) -> None:
    made = gexp(session, "#~(a #$(list 1 #~(b #$2)))")
    assert len(made.inputs) == 1
    inner = made.inputs[0].thing.cdr.car
    assert isinstance(inner, Gexp)
    assert write(call(inner.build, 2)) == "(b 2)"


def test_a_gexp_knows_where_it_was_written(session: Session) -> None:
    assert str(gexp(session, "  #~(foo)").location) == "os.scm:2:3"


def test_imported_modules_reach_the_gexps_inside(session: Session) -> None:
    made = gexp(
        session,
        "(with-imported-modules '((guix build utils)) #~(mkdir-p #$output*))".replace(
            "#$output*", '"x"'
        ),
    )
    assert write(made.modules[0]) == "(guix build utils)"
    assert gexp(session, "#~(x)").modules == ()


def test_a_reference_outside_a_gexp_is_refused(
    refused: Callable[[str], tuple[str, str, str]],
) -> None:
    message, place, _ = refused(GEXP + "(list #$x)")
    assert message == "(ungexp x) outside a gexp"
    assert place == "2:7"
