"""The procedures on conditions: SRFI 35, R6RS, R7RS and Guile's (ice-9 exceptions)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

from lang.data import NIL, Pair, Symbol, iterate, python_list, scheme_list, symbol
from lang.runtime import condition_types as types
from lang.runtime.condition_types import Component, Condition, ConditionType, compound, simple_parts
from lang.runtime.control import raise_
from lang.runtime.library import Library
from lang.runtime.messages import condition_text
from lang.runtime.signals import misc_error, wrong_type
from lang.runtime.thrown import condition_of_throw, error_arguments, view_as_thrown
from lang.runtime.trampoline import call

LIBRARY: Final = Library("guile")

for _type in types.STANDARD_TYPES:
    LIBRARY.constant(_type.name, _type)
for _alias, _type in {
    "&origin": types.WHO,
    "&exception": types.CONDITION,
    "&exception-with-kind-and-args": types.THROWN,
    "&programming-error": types.VIOLATION,
    "&assertion-failure": types.ASSERTION,
    "&undefined-variable": types.UNDEFINED_VARIABLE,
}.items():
    LIBRARY.constant(_alias, _type)


# -- raising


@LIBRARY.procedure("error")
def error(message: Any, *irritants: Any) -> NoReturn:
    """Raise an error with a message and the objects that it is about."""
    raise_(error_object(message, scheme_list(irritants)))


def error_object(message: Any, irritants: Any) -> Condition:
    """What `error` raises."""
    return Condition(
        Component(types.ERROR),
        Component(types.MESSAGE, (message,)),
        Component(types.IRRITANTS, (irritants,)),
        Component(types.THROWN, error_arguments(message, irritants)),
    )


@LIBRARY.procedure("assertion-violation")
def assertion_violation(who: Any, message: Any, *irritants: Any) -> NoReturn:
    """Raise an R6RS assertion violation of procedure `who`."""
    _violation(types.ASSERTION, who, message, irritants)


def _violation(kind: ConditionType, who: Any, message: Any, irritants: tuple[Any, ...]) -> NoReturn:
    parts = [Component(kind)]
    if who is not False:
        parts.append(Component(types.WHO, (symbol(who) if isinstance(who, str) else who,)))
    parts.append(Component(types.MESSAGE, (message,)))
    parts.append(Component(types.IRRITANTS, (scheme_list(irritants),)))
    raise_(Condition(*parts))


# -- SRFI 35


@LIBRARY.procedure("make-condition-type")
def make_condition_type(name: Any, parent: Any, fields: Any) -> ConditionType:
    """A new condition type; `fields` is a list of symbols."""
    text = name.name if type(name) is Symbol else str(name)
    return ConditionType(
        text,
        _condition_type("make-condition-type", 2, parent),
        tuple(field.name for field in iterate(fields)),
    )


@LIBRARY.procedure("make-exception-type")
def make_exception_type(name: Any, parent: Any, fields: Any) -> ConditionType:
    """A new condition type, Guile's name for it."""
    return make_condition_type(name, parent, fields)


@LIBRARY.procedure("condition-type?", "exception-type?")
def is_condition_type(value: Any) -> bool:
    """Whether `value` is a condition type."""
    return isinstance(value, ConditionType)


def _condition_type(who: str, position: int, value: Any) -> ConditionType:
    if isinstance(value, ConditionType):
        return value
    wrong_type(who, position, value)


def _condition(who: str, position: int, value: Any) -> Condition:
    if isinstance(value, Condition):
        return value
    wrong_type(who, position, value)


@LIBRARY.procedure("make-condition")
def make_condition(kind: Any, *fields: Any) -> Condition:
    """A condition of one type: (make-condition type 'field value ...)."""
    checked = _condition_type("make-condition", 1, kind)
    return _simple(checked, dict(zip(_names(fields[::2]), fields[1::2], strict=False)))


def _names(fields: tuple[Any, ...]) -> list[str]:
    return [field.name if type(field) is Symbol else str(field) for field in fields]


def _simple(kind: ConditionType, fields: dict[str, Any]) -> Condition:
    missing = [name for name in kind.fields if name not in fields]
    if missing:
        misc_error("make-condition", "a condition of type ~A needs ~A", kind.name, missing[0])
    unknown = [name for name in fields if name not in kind.fields]
    if unknown:
        misc_error("make-condition", "condition type ~A has no field ~A", kind.name, unknown[0])
    return Condition(Component(kind, tuple(fields[name] for name in kind.fields)))


@LIBRARY.procedure("%condition")
def condition_of_parts(*parts: Any) -> Condition:
    """What the `condition` form makes. Each part is a list (type (field . value) ...).

    A field that one type of several shares with another is given once for both.
    """
    given: list[tuple[ConditionType, dict[str, Any]]] = []
    everything: dict[str, Any] = {}
    for part in parts:
        kind = _condition_type("condition", 1, part.car)
        fields = {pair.car.name: pair.cdr for pair in iterate(part.cdr)}
        everything.update(fields)
        given.append((kind, fields))
    return compound(
        *(
            _simple(kind, {**{n: v for n, v in everything.items() if n in kind.fields}, **fields})
            for kind, fields in given
        )
    )


@LIBRARY.procedure("make-compound-condition", "make-exception")
def make_compound_condition(*conditions: Any) -> Condition:
    """One condition with the parts of all."""
    return compound(
        *(_condition("make-compound-condition", i, c) for i, c in enumerate(conditions, 1))
    )


@LIBRARY.procedure("make-exception-from-throw")
def make_exception_from_throw(key: Any, arguments: Any) -> Condition:
    """What (apply throw KEY ARGUMENTS) raises."""
    if type(key) is not Symbol:
        wrong_type("make-exception-from-throw", 1, key)
    return condition_of_throw(key, arguments)


@LIBRARY.procedure("simple-conditions", "simple-exceptions")
def simple_conditions(condition: Any) -> Any:
    """The list of the conditions that a compound one is made of."""
    return scheme_list(simple_parts(_condition("simple-conditions", 1, condition)))


@LIBRARY.procedure("condition?", "exception?")
def is_condition(value: Any) -> bool:
    """Whether `value` is a condition."""
    return isinstance(value, Condition)


@LIBRARY.procedure("condition-has-type?")
def condition_has_type(condition: Any, kind: Any) -> bool:
    """Whether a part of `condition` is of that type."""
    checked = _condition_type("condition-has-type?", 2, kind)
    return _condition("condition-has-type?", 1, condition).has_type(checked)


@LIBRARY.procedure("condition-ref")
def condition_ref(condition: Any, field: Any) -> Any:
    """The value of the field called `field` (a symbol) of the first part that has it."""
    for component in _condition("condition-ref", 1, condition).components:
        if field.name in component.type.fields:
            return component.values[component.type.fields.index(field.name)]
    misc_error("condition-ref", "~S has no field ~A", condition, field)


@LIBRARY.procedure("extract-condition")
def extract_condition(condition: Any, kind: Any) -> Condition:
    """The part of `condition` that is of that type."""
    checked = _condition_type("extract-condition", 2, kind)
    found = _condition("extract-condition", 1, condition).find(checked)
    if found is None:
        misc_error("extract-condition", "~S is not of type ~A", condition, checked.name)
    return Condition(found)


@LIBRARY.procedure("condition-predicate", "exception-predicate")
def condition_predicate(kind: Any) -> Callable[[Any], bool]:
    """The predicate of a condition type."""
    checked = _condition_type("condition-predicate", 1, kind)
    return lambda value: isinstance(value, Condition) and value.has_type(checked)


@LIBRARY.procedure("exception-constructor")
def exception_constructor(kind: Any) -> Callable[..., Condition]:
    """The procedure of all fields' values, inherited ones first, that makes a condition."""
    return _constructor(_condition_type("exception-constructor", 1, kind))


@LIBRARY.procedure("condition-accessor", "exception-accessor")
def condition_accessor(kind: Any, field: Any) -> Callable[[Any], Any]:
    """The accessor of a field: a symbol, or (as in Guile) a procedure on the simple condition."""
    checked = _condition_type("condition-accessor", 1, kind)
    if type(field) is not Symbol:
        return lambda value: call(field, _part(checked, value))
    if field.name not in checked.fields:
        misc_error("condition-accessor", "~A has no field ~A", checked.name, field)
    return field_accessor(checked, field.name)


def _part(kind: ConditionType, value: Any) -> Condition:
    found = value.find(kind) if isinstance(value, Condition) else None
    if found is None:
        wrong_type(kind.name, 1, value)
    return Condition(found)


def field_accessor(kind: ConditionType, name: str) -> Callable[[Any], Any]:
    """The accessor of field `name` of conditions of type `kind`."""
    index = kind.fields.index(name)

    def access(value: Any) -> Any:
        found = value.find(kind) if isinstance(value, Condition) else None
        if found is None:
            wrong_type(f"{kind.name}-{name}", 1, value)
        return found.values[index]

    return access


# -- the standard types


def _constructor(kind: ConditionType) -> Callable[..., Condition]:
    def make(*values: Any) -> Condition:
        if len(values) != len(kind.fields):
            misc_error(None, "~A has ~A field(s)", kind.name, len(kind.fields))
        return Condition(Component(kind, values))

    return make


_NAMES: Final[tuple[tuple[ConditionType, tuple[str, ...], tuple[str, ...]], ...]] = (
    (types.MESSAGE, ("make-message-condition", "make-exception-with-message"),
     ("message-condition?", "exception-with-message?")),
    (types.WARNING, ("make-warning",), ("warning?",)),
    (types.SERIOUS, ("make-serious-condition",), ("serious-condition?",)),
    (types.ERROR, ("make-error",), ("error?",)),
    (types.EXTERNAL_ERROR, ("make-external-error",), ("external-error?",)),
    (types.VIOLATION, ("make-violation", "make-programming-error"),
     ("violation?", "programming-error?")),
    (types.ASSERTION, ("make-assertion-violation", "make-assertion-failure"),
     ("assertion-violation?", "assertion-failure?")),
    (types.IRRITANTS, ("make-irritants-condition", "make-exception-with-irritants"),
     ("irritants-condition?", "exception-with-irritants?")),
    (types.WHO, ("make-who-condition", "make-exception-with-origin"),
     ("who-condition?", "exception-with-origin?")),
    (types.NON_CONTINUABLE, ("make-non-continuable-violation", "make-non-continuable-error"),
     ("non-continuable-violation?", "non-continuable-error?")),
    (types.IMPLEMENTATION_RESTRICTION, ("make-implementation-restriction-violation",),
     ("implementation-restriction-violation?",)),
    (types.LEXICAL, ("make-lexical-violation", "make-lexical-error"),
     ("lexical-violation?", "lexical-error?", "read-error?")),
    (types.SYNTAX, ("make-syntax-violation",), ("syntax-violation?", "syntax-error?")),
    (types.UNDEFINED_VARIABLE, ("make-undefined-violation", "make-undefined-variable-error"),
     ("undefined-violation?", "undefined-variable-error?")),
    (types.ERROR_LOCATION, ("make-error-location",), ("error-location?",)),
    (types.FIX_HINT, ("make-fix-hint",), ("fix-hint?",)),
)  # fmt: skip
"""Each standard type with its constructors and its predicates."""

_ACCESSORS: Final[tuple[tuple[ConditionType, str, tuple[str, ...]], ...]] = (
    (types.MESSAGE, "message", ("condition-message", "exception-message")),
    (types.IRRITANTS, "irritants", ("condition-irritants", "exception-irritants")),
    (types.WHO, "who", ("condition-who", "exception-origin")),
    (types.SYNTAX, "form", ("syntax-violation-form",)),
    (types.SYNTAX, "subform", ("syntax-violation-subform",)),
    (types.ERROR_LOCATION, "location", ("error-location",)),
    (types.FIX_HINT, "hint", ("condition-fix-hint",)),
)

for _kind, _constructors, _predicates in _NAMES:
    LIBRARY.procedure(*_constructors)(_constructor(_kind))
    LIBRARY.procedure(*_predicates)(condition_predicate(_kind))
for _kind, _field, _accessors in _ACCESSORS:
    LIBRARY.procedure(*_accessors)(field_accessor(_kind, _field))


# -- R7RS and Guile


@LIBRARY.procedure("error-object?")
def is_error_object(value: Any) -> bool:
    """Whether `value` is what `error` or a failing primitive raises."""
    return isinstance(value, Condition) and (
        value.has_type(types.ERROR) or value.has_type(types.MESSAGE)
    )


@LIBRARY.procedure("error-object-message")
def error_object_message(value: Any) -> Any:
    """The message of an error, or "" if it has none."""
    return _condition("error-object-message", 1, value).field(types.MESSAGE, "message", "")


@LIBRARY.procedure("error-object-irritants")
def error_object_irritants(value: Any) -> Any:
    """The objects that an error is about."""
    return _condition("error-object-irritants", 1, value).field(types.IRRITANTS, "irritants", NIL)


@LIBRARY.procedure("file-error?")
def is_file_error(value: Any) -> bool:
    """Whether `value` is an error of the operating system."""
    return isinstance(value, Condition) and value.has_type(types.EXTERNAL_ERROR)


@LIBRARY.procedure("system-error-errno")
def system_error_errno(thrown: Any) -> Any:
    """The error number in the list of arguments that a handler of system-error gets."""
    items = python_list(thrown)
    data = items[4] if len(items) > 4 else NIL
    return data.car if type(data) is Pair else False


@LIBRARY.procedure("exception-kind")
def exception_kind(value: Any) -> Symbol:
    """The key by which catch knows `value`."""
    return view_as_thrown(value)[0]


@LIBRARY.procedure("exception-args")
def exception_args(value: Any) -> Any:
    """The list of arguments that catch's handler gets for `value`."""
    return scheme_list(view_as_thrown(value)[1])


@LIBRARY.procedure("condition->string")
def condition_to_string(value: Any) -> str:
    """What an error says, on one line."""
    return condition_text(value)
