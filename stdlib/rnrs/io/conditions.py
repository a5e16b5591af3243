"""(rnrs io conditions): what R6RS raises where reading and writing fail (Libraries, 8.1)."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from lang.data import python_list
from lang.errors import SchemeError
from lang.runtime.condition_types import (
    ERROR,
    EXTERNAL_ERROR,
    THROWN,
    Component,
    Condition,
    ConditionType,
)
from lang.runtime.conditions import (
    condition_predicate,
    exception_constructor,
    field_accessor,
)
from lang.runtime.library import Library

LIBRARY: Final = Library("rnrs", "io", "conditions")

IO: Final = ConditionType("&i/o", ERROR, ())
READ: Final = ConditionType("&i/o-read", IO, ())
WRITE: Final = ConditionType("&i/o-write", IO, ())
INVALID_POSITION: Final = ConditionType("&i/o-invalid-position", IO, ("position",))
FILENAME: Final = ConditionType("&i/o-filename", IO, ("filename",))
PROTECTION: Final = ConditionType("&i/o-file-protection", FILENAME, ())
READ_ONLY: Final = ConditionType("&i/o-file-is-read-only", PROTECTION, ())
ALREADY_EXISTS: Final = ConditionType("&i/o-file-already-exists", FILENAME, ())
DOES_NOT_EXIST: Final = ConditionType("&i/o-file-does-not-exist", FILENAME, ())
PORT: Final = ConditionType("&i/o-port", IO, ("port",))
DECODING: Final = ConditionType("&i/o-decoding", PORT, ())
ENCODING: Final = ConditionType("&i/o-encoding", PORT, ("char",))

_MEANINGS: Final = {
    IO: "something that went wrong in reading or writing",
    READ: "a failure to read",
    WRITE: "a failure to write",
    INVALID_POSITION: "a place in a port that there is not",
    FILENAME: "a file that cannot be used, by name",
    PROTECTION: "a file that the user may not use so",
    READ_ONLY: "a file that can only be read",
    ALREADY_EXISTS: "a file that was to be new, and is there",
    DOES_NOT_EXIST: "a file that is not there",
    PORT: "a failure of a port",
    DECODING: "bytes that are no text in the encoding of a port",
    ENCODING: "a character that the encoding of a port has not",
}


def _documented(name: str, function: Callable[..., Any], text: str) -> None:
    LIBRARY.procedure(name)(function)
    function.__doc__ = text


for _type, _meaning in _MEANINGS.items():
    _stem = _type.name.removeprefix("&")
    LIBRARY.constant(_type.name, _type, f"The type of conditions that tell of {_meaning}.")
    _documented(
        f"make-{_stem}-error",
        exception_constructor(_type),
        f"A condition that tells of {_meaning}; it takes the values of {_type.name}'s fields.",
    )
    _documented(
        f"{_stem}-error?", condition_predicate(_type), f"Does a condition tell of {_meaning}?"
    )
_documented("i/o-error-port", field_accessor(PORT, "port"), "The port that failed.")
_documented(
    "i/o-error-position",
    field_accessor(INVALID_POSITION, "position"),
    "The place that there is not.",
)
_documented(
    "i/o-error-filename", field_accessor(FILENAME, "filename"), "The name of the file at fault."
)
_documented(
    "i/o-encoding-error-char",
    field_accessor(ENCODING, "char"),
    "The character that could not be written.",
)

_BY_NUMBER: Final = {
    errno.EACCES: PROTECTION,
    errno.EPERM: PROTECTION,
    errno.EROFS: READ_ONLY,
    errno.EEXIST: ALREADY_EXISTS,
    errno.ENOENT: DOES_NOT_EXIST,
}


@contextmanager
def about_file(name: Any) -> Iterator[None]:
    """Errors of the operating system inside are R6RS conditions about the file `name`, too."""
    try:
        yield
    except SchemeError as error:
        condition = error.payload
        if not isinstance(condition, Condition) or not condition.has_type(EXTERNAL_ERROR):
            raise
        who_message_irritants_data = python_list(condition.field(THROWN, "args"))
        kind = _BY_NUMBER.get(who_message_irritants_data[3].car, FILENAME)
        raise SchemeError(Condition(*condition.components, Component(kind, (name,)))) from None
