"""(ice-9 textual-ports): R6RS's names for reading and writing characters."""

from __future__ import annotations

from typing import Any

from lang.data import EOF, UNSPECIFIED, char
from lang.runtime.library import Library
from lang.runtime.primitives import arguments, ports
from stdlib.ice_9.binary_ports import get_string_n_into

LIBRARY = Library("ice-9", "textual-ports")

LIBRARY.procedure("get-string-n!")(get_string_n_into)


@LIBRARY.procedure("get-char")
def get_char(port: Any) -> Any:
    taken = ports.source("get-char", 1, port).take(1)
    return char(taken) if taken else EOF


@LIBRARY.procedure("lookahead-char")
def lookahead_char(port: Any) -> Any:
    following = ports.source("lookahead-char", 1, port).peek()
    return char(following) if following else EOF


@LIBRARY.procedure("get-line")
def get_line(port: Any) -> Any:
    line, end = ports.source("get-line", 1, port).take_line()
    return line if line or end else EOF


@LIBRARY.procedure("get-string-n")
def get_string_n(port: Any, count: Any) -> Any:
    wanted = arguments.index("get-string-n", 2, count)
    text = ports.source("get-string-n", 1, port).take(wanted)
    return text if text or not wanted else EOF


@LIBRARY.procedure("get-string-all")
def get_string_all(port: Any) -> str:
    checked = ports.source("get-string-all", 1, port)
    return checked.take(len(checked.text))


@LIBRARY.procedure("get-datum")
def get_datum(port: Any) -> Any:
    return ports.source("get-datum", 1, port).read_datum()


@LIBRARY.procedure("unget-char")
def unget_char(port: Any, character: Any) -> Any:
    text = arguments.character("unget-char", 2, character)
    ports.source("unget-char", 1, port).put_back(text)
    return UNSPECIFIED


@LIBRARY.procedure("unget-string")
def unget_string(port: Any, text: Any, start: Any = None, count: Any = None) -> Any:
    part = _counted("unget-string", text, start, count)
    ports.source("unget-string", 1, port).put_back(part)
    return UNSPECIFIED


@LIBRARY.procedure("put-char")
def put_char(port: Any, character: Any) -> Any:
    text = arguments.character("put-char", 2, character)
    ports.target("put-char", 1, port).write(text)
    return UNSPECIFIED


@LIBRARY.procedure("put-string")
def put_string(port: Any, text: Any, start: Any = None, count: Any = None) -> Any:
    part = _counted("put-string", text, start, count)
    ports.target("put-string", 1, port).write(part)
    return UNSPECIFIED


def _counted(who: str, text: Any, start: Any, count: Any) -> str:
    first = 0 if start is None else arguments.index(who, 3, start)
    end = None if count is None else first + arguments.index(who, 4, count)
    return arguments.part(who, 2, text, first, end)


@LIBRARY.procedure("put-datum")
def put_datum(port: Any, datum: Any) -> Any:
    from lang.printer import write

    ports.target("put-datum", 1, port).write(write(datum))
    return UNSPECIFIED
