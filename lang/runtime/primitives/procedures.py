"""Procedures about procedures (Guile's manual, "Higher-Order Functions" and what follows)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lang.data import NIL, UNSPECIFIED, Pair, Values, cons, scheme_list, symbol
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error, wrong_type
from lang.runtime.trampoline import TAIL, call, call_values

LIBRARY = Library("guile")

_TAKES_REST: Final = 4  # inspect.CO_VARARGS, without importing inspect


@LIBRARY.procedure("identity")
def identity(value: Any) -> Any:
    return value


@LIBRARY.procedure("const")
def const(value: Any) -> Callable[..., Any]:
    return lambda *_ignored: value


@LIBRARY.procedure("negate")
def negate(predicate: Any) -> Callable[..., Any]:
    arguments.procedure("negate", 1, predicate)

    def negated(*values: Any) -> bool:
        return call(predicate, *values) is False

    return negated


@LIBRARY.procedure("compose")
def compose(function: Any, *more: Any) -> Callable[..., Any]:
    *outer, innermost = (function, *more)
    if not outer:
        return innermost  # type: ignore[no-any-return]

    def composed(*values: Any) -> Any:
        result = call_values(innermost, *values)
        for position in range(len(outer) - 1, 0, -1):
            result = _apply_to_values(outer[position], result)
        passed = tuple(result) if type(result) is Values else (result,)
        TAIL.function, TAIL.args = outer[0], passed
        return TAIL

    return composed


def _apply_to_values(function: Any, result: Any) -> Any:
    return call_values(function, *(result if type(result) is Values else (result,)))


@LIBRARY.procedure("and=>")
def and_then(value: Any, function: Any) -> Any:
    if value is False:
        return False
    return call(function, value)


@LIBRARY.procedure("noop")
def noop(*_ignored: Any) -> bool:
    return False


@LIBRARY.procedure("thunk?")
def is_thunk(value: Any) -> bool:
    if not callable(value):
        return False
    required, optional, _rest = arity(value)
    return required == 0 or optional > 0


def arity(function: Callable[..., Any]) -> tuple[int, int, bool]:
    """How many arguments a procedure requires, how many more are optional, and whether it takes
    any number of them."""
    told: tuple[int, int, bool] | None = getattr(function, "arity", None)
    if told is not None:
        return told
    code = getattr(function, "__code__", None)
    if code is None:
        return 0, 0, True
    optional = len(getattr(function, "__defaults__", None) or ())
    return code.co_argcount - optional, optional, bool(code.co_flags & _TAKES_REST)


@LIBRARY.procedure("procedure-minimum-arity")
def procedure_minimum_arity(function: Any) -> Any:
    return scheme_list(arity(arguments.procedure("procedure-minimum-arity", 1, function)))


@LIBRARY.procedure("procedure-name")
def procedure_name(function: Any) -> Any:
    arguments.procedure("procedure-name", 1, function)
    name = getattr(function, "__name__", "")
    return symbol(name) if name and not name.startswith("<") else False


@LIBRARY.procedure("procedure-documentation")
def procedure_documentation(function: Any) -> Any:
    return arguments.procedure("procedure-documentation", 1, function).__doc__ or False


def _properties(function: Any) -> dict[Any, Any]:
    """The properties that a program gave to a procedure."""
    attributes = getattr(function, "__dict__", None)
    if attributes is None:
        return {}
    found: dict[Any, Any] = attributes.setdefault("scheme_properties", {})
    return found


@LIBRARY.procedure("procedure-property")
def procedure_property(function: Any, key: Any) -> Any:
    found = _properties(arguments.procedure("procedure-property", 1, function)).get(key)
    if found is not None:
        return found
    if key is symbol("name"):
        return procedure_name(function)
    if key is symbol("documentation"):
        return procedure_documentation(function)
    return False


@LIBRARY.procedure("set-procedure-property!")
def set_procedure_property(function: Any, key: Any, value: Any) -> Any:
    _properties(arguments.procedure("set-procedure-property!", 1, function))[key] = value
    return value


@LIBRARY.procedure("set-procedure-properties!")
def set_procedure_properties(function: Any, alist: Any) -> Any:
    """Give a procedure the properties of an association list instead of those it has."""
    properties = _properties(arguments.procedure("set-procedure-properties!", 1, function))
    entries = arguments.items("set-procedure-properties!", 2, alist)
    if not all(type(entry) is Pair for entry in entries):
        wrong_type("set-procedure-properties!", 2, alist)
    properties.clear()
    properties.update((entry.car, entry.cdr) for entry in reversed(entries))
    return UNSPECIFIED


@LIBRARY.procedure("procedure-properties")
def procedure_properties(function: Any) -> Any:
    properties = _properties(arguments.procedure("procedure-properties", 1, function))
    result: Any = NIL
    for key, value in reversed(properties.items()):
        result = cons(cons(key, value), result)
    return result


# ---------------------------------------------------------------- SRFI 17


@LIBRARY.procedure("make-procedure-with-setter")
def make_procedure_with_setter(getter: Any, put: Any) -> Callable[..., Any]:
    """A procedure that does what GETTER does and can stand in (set! (it argument ...) value)."""
    get = arguments.procedure("make-procedure-with-setter", 1, getter)

    def procedure(*values: Any) -> Any:
        return get(*values)

    procedure.__name__ = procedure.__qualname__ = getattr(getter, "__name__", "procedure")
    procedure.tail_calls = True  # type: ignore[attr-defined]
    procedure.getter = getter  # type: ignore[attr-defined]
    procedure.setter = arguments.procedure(  # type: ignore[attr-defined]
        "make-procedure-with-setter", 2, put
    )
    return procedure


@LIBRARY.procedure("procedure-with-setter?")
def is_procedure_with_setter(obj: Any) -> bool:
    """Is OBJ a procedure that make-procedure-with-setter made?"""
    return hasattr(obj, "setter") and hasattr(obj, "getter")


@LIBRARY.procedure("procedure")
def procedure_of(obj: Any) -> Any:
    """The getter of a procedure with a setter."""
    return getattr(obj, "getter", None) or arguments.procedure("procedure", 1, obj)


@LIBRARY.procedure("setter")
def setter(procedure: Any) -> Any:
    """The procedure that (set! (PROCEDURE argument ...) value) calls."""
    found = getattr(arguments.procedure("setter", 1, procedure), "setter", None)
    if found is None:
        name = getattr(procedure, "__name__", "a procedure")
        misc_error("setter", "~A has no setter: set! cannot change what it gives", name)
    return found
