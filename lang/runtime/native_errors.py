"""Python's exceptions as Scheme conditions.

Compiled code leaves most checks to Python: (car 5) is an AttributeError, an unbound variable a
NameError. This module says what they mean. Nothing here runs unless an error is caught or shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any, Final

from lang.data import Box, scheme_list, symbol
from lang.errors import SchemeError
from lang.ir import RECEIVER
from lang.runtime.condition_types import (
    ASSERTION,
    ERROR,
    EXTERNAL_ERROR,
    IMPLEMENTATION_RESTRICTION,
    UNDEFINED_VARIABLE,
    Condition,
)
from lang.runtime.signals import error_condition

INTERNAL: Final = "internal-error"
"""The key of errors that are Kiln's own mistakes."""


def payload_of(error: BaseException) -> Any:
    """The object that a Scheme handler gets for `error`."""
    if isinstance(error, SchemeError):
        return error.payload
    known: Condition | None = getattr(error, "scheme_condition", None)
    if known is None:
        known = _translate(error)
        error.scheme_condition = known  # type: ignore[attr-defined]
    return known


def is_scheme(frame: FrameType) -> bool:
    """Whether `frame` runs compiled Scheme code."""
    return "$TAIL" in frame.f_globals


def innermost(error: BaseException) -> FrameType | None:
    """The frame that `error` was raised in."""
    traceback = error.__traceback__
    if traceback is None:
        return None
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback.tb_frame


def variable_name(key: str) -> str:
    """The Scheme name of a global variable or a Python local."""
    module, colon, name = key.partition(":")
    text = name if colon and module and name else key
    return text.split(" ")[0] or key


WRONG_VALUES: Final = "Wrong number of values: ~A for the names (~A)"
TOO_FEW_VALUES: Final = "Too few values for the names (~A)"
NOT_A_PROCEDURE: Final = "~A is called as if it were a procedure"


def _translate(error: BaseException) -> Condition:
    frame = innermost(error)
    for kind in type(error).__mro__:
        rule = _RULES.get(kind)
        if rule is not None:
            condition = rule(error, frame)
            if condition is not None:
                return condition
    if type(error).__module__ == "builtins":
        return _internal(error)
    # an exception class of Kiln's own has a message for people
    return error_condition("misc-error", ERROR, None, "~A", (str(error),))


def _internal(error: BaseException) -> Condition:
    text = f"{type(error).__name__}: {error}"
    return error_condition(INTERNAL, IMPLEMENTATION_RESTRICTION, None, "~A", (text,))


def _attribute(error: Any, frame: FrameType | None) -> Condition | None:
    if error.name in ("car", "cdr"):
        return error_condition(
            "wrong-type-arg",
            ASSERTION,
            error.name,
            "Wrong type argument in position 1 (expecting a pair): ~S",
            (error.obj,),
            scheme_list([error.obj]),
        )
    if type(error.obj) is Box:
        return _undefined("a variable is used before its definition", ())
    return None


def _undefined(message: str, irritants: tuple[Any, ...]) -> Condition:
    return error_condition("unbound-variable", UNDEFINED_VARIABLE, None, message, irritants)


def _name(error: Any, frame: FrameType | None) -> Condition | None:
    if frame is None or not is_scheme(frame):
        return None
    early = re.search(r"(?:local|free) variable '(.*?)'", str(error))
    if early:
        name = variable_name(early[1])
        return _undefined("~A is used before its definition", (name,))
    return _undefined("Unbound variable: ~S", (symbol(variable_name(error.name or "")),))


def _type(error: Any, frame: FrameType | None) -> Condition | None:
    text = str(error)
    arity = _arity(text, frame)
    if arity is not None:
        return arity
    called = re.fullmatch(r"'(.*)' object is not callable", text)
    if called:
        return error_condition(
            "wrong-type-arg",
            ASSERTION,
            None,
            NOT_A_PROCEDURE,
            (type_name(called[1]),),
        )
    if frame is None or not (is_scheme(frame) or frame.f_globals.get("__name__") in _OF_FRACTIONS):
        return None
    return _arithmetic(text)


_OF_FRACTIONS: Final = ("fractions", "lang.rationals")
"""The Python modules that compute for compiled code, without a look at the other operand."""


_ARITY: Final = (
    r"(?P<name>.*)\(\) takes .* but (?P<given>\d+) (?:was|were) given",
    r"(?P<name>.*)\(\) takes no arguments \((?P<given>\d+) given\)",
    r"(?P<name>.*)\(\) missing \d+ required positional arguments?: .*",
    r"(?P<name>\S*) expected .* arguments?, got (?P<given>\d+)",
)


def _arity(text: str, frame: FrameType | None) -> Condition | None:
    for pattern in _ARITY:
        match = re.fullmatch(pattern, text)
        if match:
            break
    else:
        return None
    name = variable_name(match["name"].rpartition("<locals>.")[2])
    function = _find_function(match["name"], frame)
    if match["name"].endswith(RECEIVER) and function is not None:
        names = " ".join(parameters(function))
        if "given" in match.groupdict():
            return _arity_condition("", WRONG_VALUES, (int(match["given"]), names))
        return _arity_condition("", TOO_FEW_VALUES, (names,))
    if name == "lambda":
        name = ""
    shown = name or "procedure"
    usage = signature(function, shown) if function else f"({shown} ...)"
    given = match.groupdict().get("given")
    if given is not None:
        message = "Wrong number of arguments: ~A given, it is called as ~A"
        return _arity_condition(name, message, (int(given), usage))
    return _arity_condition(name, "Too few arguments, it is called as ~A", (usage,))


def _arity_condition(name: str, message: str, irritants: tuple[Any, ...]) -> Condition:
    return error_condition("wrong-number-of-args", ASSERTION, name or None, message, irritants)


def _find_function(qualified: str, frame: FrameType | None) -> FunctionType | None:
    """The function of that __qualname__ that code in `frame` can have called."""
    while frame is not None:
        for scope in (frame.f_locals, frame.f_globals if is_scheme(frame) else {}):
            for value in scope.values():
                if type(value) is FunctionType and value.__qualname__ == qualified:
                    return value
        frame = frame.f_back
    return None


def signature(function: FunctionType, name: str) -> str:
    """How `function` is called, as Scheme text: (frob a b #:optional c . rest)."""
    return f"({' '.join([name, *parameters(function)])})"


def parameters(function: FunctionType) -> list[str]:
    """The names of the parameters, with what is written between them."""
    code = function.__code__
    names = [variable_name(n) for n in code.co_varnames]
    count = code.co_argcount
    optional = len(function.__defaults__ or ())
    words = names[: count - optional]
    if optional:
        words += ["#:optional", *names[count - optional : count]]
    if code.co_flags & 0x04:
        rest = names[count + code.co_kwonlyargcount]
        words += ["#:key", "..."] if rest == "$rest" else [".", rest]
    return words


_OPERANDS: Final = (
    r"bad operand type for unary (?P<operator>\S+): '(?P<first>.*)'",
    (
        r"unsupported operand type\(s\) for (?P<operator>\S+): "
        r"'(?P<first>.*)' and '(?P<second>.*)'"
    ),
    (
        r"'(?P<operator>\S+)' not supported between instances of "
        r"'(?P<first>.*)' and '(?P<second>.*)'"
    ),
    r'can only concatenate (?P<first>\S+) \(not "(?P<second>.*)"\) to .*',
)
_NUMERIC: Final = frozenset({"int", "float", "Fraction", "Rational", "bool"})


def _arithmetic(text: str) -> Condition:
    for pattern in _OPERANDS:
        match = re.fullmatch(pattern, text)
        if match:
            groups = match.groupdict()
            kinds = [groups["first"], groups.get("second")]
            strange = [kind for kind in kinds if kind and kind not in _NUMERIC]
            wrong = next((k for k in strange if k != "complex"), [*strange, kinds[0]][0]) or ""
            wanted = "real number" if wrong == "complex" else "number"
            return error_condition(
                "wrong-type-arg",
                ASSERTION,
                None,
                f"Wrong type argument: a {wanted} is expected, not ~A",
                (type_name(wrong),),
            )
    index = re.fullmatch(r"\w+ indices must be integers.*, not '?(\w+)'?", text)
    message = "Wrong type argument: an index is expected, not ~A"
    if index is None:
        message = "Wrong type argument (~A)"
    shown = type_name(index[1]) if index else text
    return error_condition("wrong-type-arg", ASSERTION, None, message, (shown,))


def type_name(python_name: str) -> str:
    """A Python type as a Scheme programmer would call it."""
    return _TYPE_NAMES.get(python_name, f"an object of type {python_name}")


_TYPE_NAMES: Final = {
    "str": "a string",
    "MString": "a string",
    "int": "an integer",
    "float": "a real number",
    "complex": "a complex number",
    "Fraction": "a fraction",
    "Rational": "a fraction",
    "bool": "a boolean",
    "Pair": "a pair",
    "Nil": "the empty list",
    "Singleton": "an unspecified value",
    "Symbol": "a symbol",
    "Keyword": "a keyword",
    "Char": "a character",
    "list": "a vector",
    "bytes": "a bytevector",
    "bytearray": "a bytevector",
    "function": "a procedure",
    "Values": "several values",
    "Promise": "a promise",
    "Gexp": "a gexp",
    "Condition": "a condition",
}


def _index(error: Any, frame: FrameType | None) -> Condition:
    return error_condition("out-of-range", ASSERTION, None, "Value out of range", ())


def _key(error: Any, frame: FrameType | None) -> Condition | None:
    """A number whose remainder even? or odd? looked up in vain."""
    if frame is None or not is_scheme(frame):
        return None
    message = "Wrong type argument: an integer is expected"
    return error_condition("wrong-type-arg", ASSERTION, None, message, ())


def _division(error: Any, frame: FrameType | None) -> Condition:
    return error_condition("numerical-overflow", ASSERTION, None, "Division by zero", ())


def _overflow(error: Any, frame: FrameType | None) -> Condition:
    return error_condition("numerical-overflow", ASSERTION, None, "Numerical overflow", ())


def _recursion(error: Any, frame: FrameType | None) -> Condition:
    return error_condition(
        "stack-overflow",
        IMPLEMENTATION_RESTRICTION,
        None,
        "Stack overflow: a procedure calls itself without end, or too deep",
        (),
    )


def _memory(error: Any, frame: FrameType | None) -> Condition:
    return error_condition("out-of-memory", IMPLEMENTATION_RESTRICTION, None, "Out of memory", ())


def _system(error: Any, frame: FrameType | None) -> Condition:
    reason = error.strerror or str(error)
    if error.filename is None:
        return error_condition("system-error", EXTERNAL_ERROR, None, "~A", (reason,))
    return error_condition(
        "system-error",
        EXTERNAL_ERROR,
        None,
        "~A: ~A",
        (str(error.filename), reason),
        scheme_list([error.errno]),
    )


def _unicode(error: Any, frame: FrameType | None) -> Condition:
    return error_condition(
        "decoding-error", ERROR, None, "The text is not UTF-8: ~A", (str(error),)
    )


_RULES: Final[dict[type, Callable[[Any, FrameType | None], Condition | None]]] = {
    AttributeError: _attribute,
    NameError: _name,
    TypeError: _type,
    IndexError: _index,
    KeyError: _key,
    ZeroDivisionError: _division,
    OverflowError: _overflow,
    RecursionError: _recursion,
    MemoryError: _memory,
    OSError: _system,
    UnicodeError: _unicode,
}
