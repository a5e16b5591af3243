"""(ice-9 binary-ports): R6RS's names for reading and writing bytes."""

from __future__ import annotations

from typing import Any

from lang.data import EOF, UNSPECIFIED, MString
from lang.runtime.late import soft_ports
from lang.runtime.library import Library
from lang.runtime.ports import BytesOutput, InputPort, Port
from lang.runtime.primitives import arguments, ports
from lang.runtime.primitives.bytevectors import contents, mutable
from lang.runtime.signals import out_of_range, wrong_type
from lang.runtime.trampoline import call, several, tail_calling

LIBRARY = Library("ice-9", "binary-ports")

LIBRARY.constant("eof-object", lambda: EOF)
LIBRARY.constant("make-custom-binary-input-port", soft_ports.custom_input)
LIBRARY.constant("make-custom-binary-output-port", soft_ports.custom_output)
LIBRARY.constant("make-custom-binary-input/output-port", soft_ports.custom_both)


_BINARY = "iso8859-1"
"""The encoding of text on a port of bytes, as in Guile."""


@LIBRARY.procedure("open-bytevector-input-port")
def open_input(vector: Any, transcoder: Any = False) -> Port:
    port = InputPort(bytes(contents("open-bytevector-input-port", 1, vector)))
    port.binary = True
    port.recode(_BINARY)
    return transcoded(port, transcoder)


def transcoded(port: Port, transcoder: Any) -> Port:
    """The port, or one of text around it if a transcoder is given."""
    if transcoder is False:
        return port
    from stdlib.rnrs.io.transcoders import transcoded_port

    return transcoded_port(port, transcoder)


@LIBRARY.procedure("open-bytevector-output-port")
@tail_calling
def open_output(transcoder: Any = False) -> Any:
    """A port, and a procedure that gives (and forgets) what was written to it."""
    port = BytesOutput()
    port.recode(_BINARY)

    def written() -> bytearray:
        contents, port.contents = port.contents, bytearray()
        return contents

    return several((transcoded(port, transcoder), written))


@LIBRARY.procedure("call-with-output-bytevector")
def call_with_output(function: Any) -> bytearray:
    port = BytesOutput()
    port.recode(_BINARY)
    call(function, port)
    return port.contents


@LIBRARY.procedure("call-with-input-bytevector")
def call_with_input(vector: Any, function: Any) -> Any:
    return call(function, open_input(vector))


@LIBRARY.procedure("get-u8")
def get_u8(port: Any) -> Any:
    taken = ports.source("get-u8", 1, port).take_bytes(1)
    return taken[0] if taken else EOF


@LIBRARY.procedure("lookahead-u8")
def lookahead_u8(port: Any) -> Any:
    checked = ports.source("lookahead-u8", 1, port)
    following = checked.take_bytes(1)
    checked.put_back(following)
    return following[0] if following else EOF


@LIBRARY.procedure("get-bytevector-n")
def get_n(port: Any, count: Any) -> Any:
    wanted = arguments.index("get-bytevector-n", 2, count)
    taken = ports.source("get-bytevector-n", 1, port).take_bytes(wanted)
    return bytearray(taken) if taken or not wanted else EOF


@LIBRARY.procedure("get-bytevector-n!")
def get_n_into(port: Any, vector: Any, start: Any, count: Any) -> Any:
    into = mutable("get-bytevector-n!", 2, vector)
    first = arguments.index("get-bytevector-n!", 3, start)
    wanted = arguments.index("get-bytevector-n!", 4, count)
    if first + wanted > len(into):
        out_of_range("get-bytevector-n!", count)
    taken = ports.source("get-bytevector-n!", 1, port).take_bytes(wanted)
    into[first : first + len(taken)] = taken
    return len(taken) if taken or not wanted else EOF


@LIBRARY.procedure("get-bytevector-all")
def get_all(port: Any) -> Any:
    checked = ports.source("get-bytevector-all", 1, port)
    taken = checked.take_bytes(len(checked.data))
    return bytearray(taken) if taken else EOF


@LIBRARY.procedure("get-bytevector-some")
def get_some(port: Any) -> Any:
    taken = ports.source("get-bytevector-some", 1, port).take_some()
    return bytearray(taken) if taken else EOF


@LIBRARY.procedure("get-bytevector-some!")
def get_some_into(port: Any, vector: Any, start: Any, count: Any) -> Any:
    """Put the bytes that there are, COUNT at most, into a bytevector from START on; how many."""
    who = "get-bytevector-some!"
    into = mutable(who, 2, vector)
    first, wanted = arguments.index(who, 3, start), arguments.index(who, 4, count)
    if first + wanted > len(into):
        out_of_range(who, count)
    checked = ports.source(who, 1, port)
    there = checked.take_some()
    if len(there) > wanted:
        checked.put_back(there[wanted:])
    taken = there[:wanted]
    into[first : first + len(taken)] = taken
    return len(taken) if taken or not wanted else EOF


@LIBRARY.procedure("get-string-n!")
def get_string_n_into(port: Any, text: Any, start: Any, count: Any) -> Any:
    """Put COUNT characters, or as many as there are, into a string from START on; how many."""
    who = "get-string-n!"
    if type(text) is not MString:
        wrong_type(who, 2, text)
    first, wanted = arguments.index(who, 3, start), arguments.index(who, 4, count)
    if first + wanted > len(text.chars):
        out_of_range(who, count)
    taken = ports.source(who, 1, port).take(wanted)
    text.chars[first : first + len(taken)] = taken
    return len(taken) if taken or not wanted else EOF


@LIBRARY.procedure("unget-bytevector")
def unget(port: Any, vector: Any, start: Any = None, count: Any = None) -> Any:
    part = _counted("unget-bytevector", vector, start, count)
    ports.source("unget-bytevector", 1, port).put_back(part)
    return UNSPECIFIED


@LIBRARY.procedure("put-u8")
def put_u8(port: Any, byte: Any) -> Any:
    if not 0 <= arguments.index("put-u8", 2, byte) <= 255:
        out_of_range("put-u8", byte)
    ports.target("put-u8", 1, port).write_bytes(bytes([byte]))
    return UNSPECIFIED


@LIBRARY.procedure("put-bytevector")
def put(port: Any, vector: Any, start: Any = None, count: Any = None) -> Any:
    part = _counted("put-bytevector", vector, start, count)
    ports.target("put-bytevector", 1, port).write_bytes(part)
    return UNSPECIFIED


def _counted(who: str, vector: Any, start: Any, count: Any) -> bytes:
    data = contents(who, 2, vector)
    first = 0 if start is None else arguments.index(who, 3, start)
    last = len(data) if count is None else first + arguments.index(who, 4, count)
    if first > len(data) or last > len(data):
        out_of_range(who, count)
    return bytes(data[first:last])
