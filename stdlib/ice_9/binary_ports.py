"""(ice-9 binary-ports): R6RS's names for reading and writing bytes."""

from __future__ import annotations

from typing import Any

from lang.data import EOF, UNSPECIFIED
from lang.runtime.late import soft_ports
from lang.runtime.library import Library
from lang.runtime.ports import BytesOutput, InputPort
from lang.runtime.primitives import arguments, ports
from lang.runtime.primitives.bytevectors import contents, mutable
from lang.runtime.signals import out_of_range
from lang.runtime.trampoline import call, several, tail_calling

LIBRARY = Library("ice-9", "binary-ports")

LIBRARY.constant("eof-object", lambda: EOF)
LIBRARY.constant("make-custom-binary-input-port", soft_ports.custom_input)
LIBRARY.constant("make-custom-binary-output-port", soft_ports.custom_output)
LIBRARY.constant("make-custom-binary-input/output-port", soft_ports.custom_both)


@LIBRARY.procedure("open-bytevector-input-port")
def open_input(vector: Any, *_transcoder: Any) -> InputPort:
    return InputPort(bytes(contents("open-bytevector-input-port", 1, vector)))


@LIBRARY.procedure("open-bytevector-output-port")
@tail_calling
def open_output(*_transcoder: Any) -> Any:
    """A port, and a procedure that gives (and forgets) what was written to it."""
    port = BytesOutput()

    def written() -> bytearray:
        contents, port.contents = port.contents, bytearray()
        return contents

    return several((port, written))


@LIBRARY.procedure("call-with-output-bytevector")
def call_with_output(function: Any) -> bytearray:
    port = BytesOutput()
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
    following = checked.data[checked.at : checked.at + 1]
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


@LIBRARY.procedure("get-bytevector-all", "get-bytevector-some")
def get_all(port: Any) -> Any:
    checked = ports.source("get-bytevector-all", 1, port)
    taken = checked.take_bytes(len(checked.data))
    return bytearray(taken) if taken else EOF


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
