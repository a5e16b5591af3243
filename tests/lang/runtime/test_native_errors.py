"""Python's exceptions, in Scheme's words."""

from __future__ import annotations

from typing import Any

import pytest

from lang.data import NIL, UNDEFINED, symbol
from lang.runtime.inline import empty_box
from lang.runtime.messages import condition_text
from lang.runtime.native_errors import (
    INTERNAL,
    innermost,
    is_scheme,
    payload_of,
    signature,
    type_name,
    variable_name,
)
from lang.runtime.thrown import condition_of_throw, view_as_thrown
from lang.session import Session


def error_of(expression: str) -> Exception:
    """What evaluating a Python expression raises."""
    names = {"empty_box": empty_box, "Session": Session}
    with pytest.raises(Exception) as raised:
        eval(expression, names)
    return raised.value


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize(
    ("expression", "key"),
    [
        ("(5).car", "wrong-type-arg"),
        ("empty_box().value", "unbound-variable"),
        ("[][1]", "out-of-range"),
        ("1 // 0", "numerical-overflow"),
        ("2.0 ** 100000", "numerical-overflow"),
        ("(lambda x: x)()", "wrong-number-of-args"),
        ("'s'()", "wrong-type-arg"),
        ("open('/nonexistent/file')", "system-error"),
        (r"b'\xff'.decode()", "decoding-error"),
        # what no Scheme program can be blamed for
        ("{}['k']", INTERNAL),
        ("1 + 's'", INTERNAL),
        ("undefined_in_python", INTERNAL),
    ],
)
def test_each_kind_has_guiles_key(expression: str, key: str) -> None:
    error = error_of(expression)
    assert view_as_thrown(payload_of(error))[0] is symbol(key)
    assert payload_of(error) is payload_of(error)


def test_errors_of_our_own_classes_keep_their_message() -> None:
    class DiskFullError(Exception):
        pass

    assert condition_text(payload_of(DiskFullError("free some space"))) == "free some space"


def test_system_errors_name_the_file() -> None:
    error = error_of("open('/nonexistent/file')")
    assert condition_text(payload_of(error)) == "/nonexistent/file: No such file or directory"


def test_signatures() -> None:
    def f(a: Any, b: Any, c: Any = UNDEFINED, *rest: Any) -> None: ...

    assert signature(f, "f") == "(f a b #:optional c . rest)"  # type: ignore[arg-type]
    session = Session([])
    procedure: Any = session.eval_text("(define* (g x #:key y) x) g")
    assert signature(procedure, "g") == "(g x #:key ...)"


def test_names() -> None:
    assert variable_name("guix/records:make-thing") == "make-thing"
    assert variable_name("loop 2") == "loop"
    assert variable_name("char:") == "char:"
    assert type_name("Pair") == "a pair"
    assert type_name("Strange") == "an object of type Strange"


def test_scheme_frames_are_told_from_python_ones() -> None:
    frame = innermost(error_of("Session([]).eval_text('(car 1)')"))
    assert frame is not None
    assert is_scheme(frame)
    frame = innermost(error_of("{}['k']"))
    assert frame is not None
    assert not is_scheme(frame)


def test_throwing_a_condition_again_gives_the_condition() -> None:
    condition = condition_of_throw(symbol("k"), NIL)
    key, arguments = view_as_thrown(condition)
    assert (key, arguments) == (symbol("k"), [])
    assert view_as_thrown(5) == (symbol("%exception"), [5])
