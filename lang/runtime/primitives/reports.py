"""Errors told to people by Scheme code itself, print-exception and display-error, and places."""

from __future__ import annotations

from typing import Any

from lang.data import UNSPECIFIED, MString, Symbol, scheme_list, symbol
from lang.printer import display, write
from lang.runtime import dynamic
from lang.runtime.condition_types import MESSAGE, THROWN, WHO, Condition
from lang.runtime.library import Library
from lang.runtime.messages import condition_text
from lang.runtime.primitives import arguments, ports
from lang.runtime.signals import wrong_type
from lang.runtime.thrown import condition_of_throw
from lang.sources import Location

LIBRARY = Library("guile")


def _report(payload: Any) -> str:
    """The line for what was raised, as Guile puts it."""
    if isinstance(payload, Condition) and payload.find(MESSAGE) is not None:
        who = payload.field(WHO, "who")
        if not who:
            return condition_text(payload)
        name = who.name if isinstance(who, Symbol) else display(who)
        rest = condition_text(payload).removeprefix(f"{name}: ")
        return f"In procedure {name}: {rest}"
    if isinstance(payload, Condition):
        thrown = payload.find(THROWN)
        if thrown is not None:
            key, given = thrown.values
            return f"Throw to key `{write(key)}' with args `{write(given)}'."
        return condition_text(payload)
    given = scheme_list([payload])
    return f"Throw to key `%exception' with args `{write(given)}'."


@LIBRARY.procedure("print-exception")
def print_exception(port: Any, _frame: Any, key: Any, thrown: Any) -> Any:
    """Write to `port` what an error with this throw key and these arguments says."""
    out = ports.target("print-exception", 1, port)
    if type(key) is not Symbol:
        wrong_type("print-exception", 3, key)
    given = arguments.items("print-exception", 4, thrown)
    payload = given[0] if key.name == "%exception" and given else condition_of_throw(key, thrown)
    out.write(_report(payload) + "\n")
    return UNSPECIFIED


@LIBRARY.procedure("warn")
def warn(*stuff: Any) -> Any:
    """Write STUFF to the port for warnings; its last item is the value."""
    out = dynamic.current_warning.value
    out.write(f"\n;;; WARNING {display(scheme_list(stuff))}\n")
    return stuff[-1] if stuff else UNSPECIFIED


@LIBRARY.procedure("display-error")
def display_error(
    _frame: Any, port: Any, who: Any, message: Any, irritants: Any, _data: Any = False
) -> Any:
    """Write to `port` the message of an error of procedure `who`."""
    out = ports.target("display-error", 2, port)
    if not isinstance(message, str | MString):
        wrong_type("display-error", 4, message)
    given = scheme_list([who, str(message), irritants, False])
    out.write(_report(condition_of_throw(symbol("misc-error"), given)) + "\n")
    return UNSPECIFIED


def location(who: str, value: Any) -> Location:
    """A place in a source."""
    if type(value) is not Location:
        wrong_type(who, 1, value, "a location")
    return value


@LIBRARY.procedure("location-file")
def location_file(place: Any) -> str:
    """The name of the file of `place`, which current-source-location gave."""
    return location("location-file", place).file


@LIBRARY.procedure("location-line")
def location_line(place: Any) -> int:
    """The number of the line that `place` is in, from 1 on."""
    return location("location-line", place).line


@LIBRARY.procedure("location-column")
def location_column(place: Any) -> int:
    """The number of the column that `place` is at, from 0 on, as in Guix."""
    return location("location-column", place).column - 1
