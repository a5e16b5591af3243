"""Reading and writing on ports (R7RS section 6.13, Guile's manual, "Input and Output")."""

from __future__ import annotations

import re
from typing import Any

from lang.data import EOF, UNSPECIFIED, Char, MString, char, cons
from lang.printer import display, write, write_shared
from lang.runtime import dynamic
from lang.runtime.library import Library
from lang.runtime.ports import (
    BytesOutput,
    FileOutput,
    InputPort,
    OutputPort,
    Port,
    StringOutput,
    VoidOutput,
)
from lang.runtime.primitives import arguments
from lang.runtime.primitives.bytevectors import contents, mutable
from lang.runtime.signals import misc_error, out_of_range, system_error, wrong_type
from lang.runtime.trampoline import call, passed_on, tail_calling

LIBRARY = Library("guile")

for _name, _value in (("SEEK_SET", 0), ("SEEK_CUR", 1), ("SEEK_END", 2)):
    LIBRARY.constant(_name, _value)


def source(who: str, position: int, port: Any) -> InputPort:
    """An open input port; the current one if None is given."""
    if port is None:
        port = dynamic.current_input.value
    if not isinstance(port, InputPort):
        wrong_type(who, position, port, "an input port")
    if port.closed:
        misc_error(who, "~S is closed", port)
    return port


def target(who: str, position: int, port: Any) -> OutputPort:
    """An open output port; the current one if None or #t is given."""
    if port is None or port is True:
        port = dynamic.current_output.value
    if not isinstance(port, OutputPort):
        wrong_type(who, position, port, "an output port")
    if port.closed:
        misc_error(who, "~S is closed", port)
    return port


# ---------------------------------------------------------------- ports as objects


@LIBRARY.procedure("port?")
def is_port(value: Any) -> bool:
    return isinstance(value, Port)


@LIBRARY.procedure("input-port?")
def is_input_port(value: Any) -> bool:
    return isinstance(value, InputPort)


@LIBRARY.procedure("output-port?")
def is_output_port(value: Any) -> bool:
    return isinstance(value, OutputPort)


@LIBRARY.procedure("textual-port?")
def is_textual_port(value: Any) -> bool:
    """Every port takes characters and bytes; those of bytevectors are the binary ones."""
    return isinstance(value, Port) and not value.binary


@LIBRARY.procedure("binary-port?")
def is_binary_port(value: Any) -> bool:
    return isinstance(value, Port) and value.binary


def _port(who: str, value: Any) -> Port:
    if not isinstance(value, Port):
        wrong_type(who, 1, value)
    return value


@LIBRARY.procedure("port-closed?")
def is_closed(port: Any) -> bool:
    return _port("port-closed?", port).closed


@LIBRARY.procedure("input-port-open?")
def is_open_input(port: Any) -> bool:
    if not isinstance(port, InputPort):
        wrong_type("input-port-open?", 1, port)
    return not port.closed


@LIBRARY.procedure("output-port-open?")
def is_open_output(port: Any) -> bool:
    if not isinstance(port, OutputPort):
        wrong_type("output-port-open?", 1, port)
    return not port.closed


@LIBRARY.procedure("close-port", "close", "close-input-port", "close-output-port")
def close_port(port: Any) -> Any:
    checked = _port("close-port", port)
    was_open = not checked.closed
    if was_open:
        checked.close()
    return was_open


@LIBRARY.procedure("port-filename")
def port_filename(port: Any) -> Any:
    return _port("port-filename", port).name or False


@LIBRARY.procedure("port-line")
def port_line(port: Any) -> int:
    return source("port-line", 1, port).line


@LIBRARY.procedure("port-column")
def port_column(port: Any) -> int:
    checked = _port("port-column", port)
    assert isinstance(checked, InputPort | OutputPort)
    return checked.column


@LIBRARY.procedure("set-port-line!")
def set_port_line(port: Any, line: Any) -> Any:
    source("set-port-line!", 1, port).line = arguments.index("set-port-line!", 2, line)
    return UNSPECIFIED


@LIBRARY.procedure("set-port-column!")
def set_port_column(port: Any, column: Any) -> Any:
    source("set-port-column!", 1, port).column = arguments.index("set-port-column!", 2, column)
    return UNSPECIFIED


@LIBRARY.procedure("port-encoding")
def port_encoding(port: Any) -> str:
    name = _port("port-encoding", port).encoding.upper()
    return re.sub("^ISO(?=[0-9])", "ISO-", name)


@LIBRARY.procedure("set-port-encoding!")
def set_port_encoding(port: Any, encoding: Any) -> Any:
    """Text on PORT is in ENCODING from here on."""
    recode("set-port-encoding!", _port("set-port-encoding!", port), encoding)
    return UNSPECIFIED


def recode(who: str, port: Port, encoding: Any) -> None:
    """Let `port` be in the encoding that Scheme calls `encoding`."""
    from lang.runtime.encodings import codec

    known = codec(arguments.string(who, 2, encoding))
    if known is None:
        misc_error(who, "there is no such encoding here: ~A", encoding)
    port.recode(known)


@LIBRARY.procedure("set-port-conversion-strategy!", "setvbuf")
def set_port_mode(port: Any, *_mode: Any) -> Any:
    """Buffering and conversion make no difference here."""
    _port("setvbuf", port)
    return UNSPECIFIED


@LIBRARY.procedure("force-output", "flush-output-port")
def force_output(port: Any = None) -> Any:
    target("force-output", 1, port).flush()
    return UNSPECIFIED


@LIBRARY.procedure("set-current-output-port")
def set_current_output(port: Any) -> Any:
    old, dynamic.current_output.value = (
        dynamic.current_output.value,
        target("set-current-output-port", 1, port),
    )
    return old


@LIBRARY.procedure("set-current-error-port")
def set_current_error(port: Any) -> Any:
    old, dynamic.current_error.value = (
        dynamic.current_error.value,
        target("set-current-error-port", 1, port),
    )
    return old


@LIBRARY.procedure("set-current-input-port")
def set_current_input(port: Any) -> Any:
    old, dynamic.current_input.value = (
        dynamic.current_input.value,
        source("set-current-input-port", 1, port),
    )
    return old


@LIBRARY.procedure("%make-void-port")
def make_void_port(_mode: Any) -> VoidOutput:
    return VoidOutput()


@LIBRARY.procedure("call-with-port")
def call_with_port(port: Any, function: Any) -> Any:
    result = call(function, _port("call-with-port", port))
    close_port(port)
    return result


# ---------------------------------------------------------------- ports to and from memory


@LIBRARY.procedure("open-input-string")
def open_input_string(text: Any) -> InputPort:
    return InputPort(arguments.string("open-input-string", 1, text))


@LIBRARY.procedure("open-output-string")
def open_output_string() -> StringOutput:
    return StringOutput()


@LIBRARY.procedure("get-output-string")
def get_output_string(port: Any) -> str:
    if not isinstance(port, StringOutput):
        wrong_type("get-output-string", 1, port)
    return port.text()


@LIBRARY.procedure("open-input-bytevector")
def open_input_bytevector(vector: Any) -> InputPort:
    port = InputPort(bytes(contents("open-input-bytevector", 1, vector)))
    port.binary = True
    return port


@LIBRARY.procedure("open-output-bytevector")
def open_output_bytevector() -> BytesOutput:
    return BytesOutput()


@LIBRARY.procedure("get-output-bytevector")
def get_output_bytevector(port: Any) -> bytearray:
    if not isinstance(port, BytesOutput):
        wrong_type("get-output-bytevector", 1, port)
    return bytearray(port.contents)


@LIBRARY.procedure("call-with-output-string")
def call_with_output_string(function: Any) -> str:
    port = StringOutput()
    call(function, port)
    return port.text()


@LIBRARY.procedure("call-with-input-string")
def call_with_input_string(text: Any, function: Any) -> Any:
    return call(function, InputPort(arguments.string("call-with-input-string", 1, text)))


@LIBRARY.procedure("with-output-to-string")
def with_output_to_string(thunk: Any) -> str:
    port = StringOutput()
    dynamic.with_values([dynamic.current_output], [port], thunk)
    return port.text()


@LIBRARY.procedure("with-error-to-string")
def with_error_to_string(thunk: Any) -> str:
    port = StringOutput()
    dynamic.with_values([dynamic.current_error], [port], thunk)
    return port.text()


@LIBRARY.procedure("with-input-from-string")
@tail_calling
def with_input_from_string(text: Any, thunk: Any) -> Any:
    port = InputPort(arguments.string("with-input-from-string", 1, text))
    return passed_on(dynamic.with_values([dynamic.current_input], [port], thunk))


@LIBRARY.procedure("with-output-to-port")
@tail_calling
def with_output_to_port(port: Any, thunk: Any) -> Any:
    checked = target("with-output-to-port", 1, port)
    return passed_on(dynamic.with_values([dynamic.current_output], [checked], thunk))


@LIBRARY.procedure("with-error-to-port")
@tail_calling
def with_error_to_port(port: Any, thunk: Any) -> Any:
    checked = target("with-error-to-port", 1, port)
    return passed_on(dynamic.with_values([dynamic.current_error], [checked], thunk))


@LIBRARY.procedure("with-input-from-port")
@tail_calling
def with_input_from_port(port: Any, thunk: Any) -> Any:
    checked = source("with-input-from-port", 1, port)
    return passed_on(dynamic.with_values([dynamic.current_input], [checked], thunk))


# ---------------------------------------------------------------- reading


@LIBRARY.procedure("read")
def read(port: Any = None) -> Any:
    return source("read", 1, port).read_datum()


@LIBRARY.procedure("read-char")
def read_char(port: Any = None) -> Any:
    taken = source("read-char", 1, port).take(1)
    return char(taken) if taken else EOF


@LIBRARY.procedure("peek-char")
def peek_char(port: Any = None) -> Any:
    following = source("peek-char", 1, port).peek()
    return char(following) if following else EOF


@LIBRARY.procedure("char-ready?", "u8-ready?")
def is_ready(port: Any = None) -> bool:
    source("char-ready?", 1, port)
    return True


@LIBRARY.procedure("unread-char")
def unread_char(character: Any, port: Any = None) -> Any:
    source("unread-char", 2, port).put_back(arguments.character("unread-char", 1, character))
    return UNSPECIFIED


@LIBRARY.procedure("unread-string")
def unread_string(text: Any, port: Any = None) -> Any:
    source("unread-string", 2, port).put_back(arguments.string("unread-string", 1, text))
    return UNSPECIFIED


@LIBRARY.procedure("read-string")
def read_string(first: Any = None, second: Any = None) -> Any:
    """R7RS's (read-string k [port]), or (ice-9 rdelim)'s (read-string [port [limit]])."""
    if type(first) is int:
        text = source("read-string", 2, second).take(arguments.index("read-string", 1, first))
        return text if text or first == 0 else EOF
    port = source("read-string", 1, first)
    return port.take(len(port.text) if second is None else second)


@LIBRARY.procedure("read-u8")
def read_u8(port: Any = None) -> Any:
    taken = source("read-u8", 1, port).take_bytes(1)
    return taken[0] if taken else EOF


@LIBRARY.procedure("peek-u8")
def peek_u8(port: Any = None) -> Any:
    checked = source("peek-u8", 1, port)
    following = checked.take_bytes(1)
    checked.put_back(following)
    return following[0] if following else EOF


@LIBRARY.procedure("read-bytevector")
def read_bytevector(count: Any, port: Any = None) -> Any:
    wanted = arguments.index("read-bytevector", 1, count)
    taken = source("read-bytevector", 2, port).take_bytes(wanted)
    return bytearray(taken) if taken or wanted == 0 else EOF


@LIBRARY.procedure("read-bytevector!")
def read_bytevector_into(vector: Any, port: Any = None, start: Any = None, end: Any = None) -> Any:
    into = mutable("read-bytevector!", 1, vector)
    first, last = arguments.span("read-bytevector!", len(into), start, end)
    taken = source("read-bytevector!", 2, port).take_bytes(last - first)
    into[first : first + len(taken)] = taken
    return len(taken) if taken or first == last else EOF


@LIBRARY.procedure("seek")
def seek(port: Any, offset: Any, whence: Any) -> int:
    checked = _place("seek", port)
    if whence not in (0, 1, 2):
        out_of_range("seek", whence)
    try:
        place = checked.seek(arguments.integer("seek", 2, offset), whence)
    except OSError as error:
        system_error("seek", error)
    if place is None:
        out_of_range("seek", offset)
    return place


@LIBRARY.procedure("ftell")
def ftell(port: Any) -> int:
    checked = _place("ftell", port)
    return checked.tell() if isinstance(checked, InputPort) else checked.seek(0, 1)


def _place(who: str, port: Any) -> InputPort | FileOutput:
    if not isinstance(port, FileOutput):
        return source(who, 1, port)
    target(who, 1, port)
    return port


# ---------------------------------------------------------------- writing


@LIBRARY.procedure("write-shared")
def write_shared_(value: Any, port: Any = None) -> Any:
    target("write-shared", 2, port).write(write_shared(value))
    return UNSPECIFIED


@LIBRARY.procedure("write", "write-simple")
def write_(value: Any, port: Any = None) -> Any:
    target("write", 2, port).write(write(value))
    return UNSPECIFIED


@LIBRARY.procedure("display")
def display_(value: Any, port: Any = None) -> Any:
    target("display", 2, port).write(display(value))
    return UNSPECIFIED


@LIBRARY.procedure("newline")
def newline(port: Any = None) -> Any:
    target("newline", 1, port).write("\n")
    return UNSPECIFIED


@LIBRARY.procedure("write-char")
def write_char(character: Any, port: Any = None) -> Any:
    target("write-char", 2, port).write(arguments.character("write-char", 1, character))
    return UNSPECIFIED


@LIBRARY.procedure("write-string")
def write_string(text: Any, port: Any = None, start: Any = None, end: Any = None) -> Any:
    target("write-string", 2, port).write(arguments.part("write-string", 1, text, start, end))
    return UNSPECIFIED


@LIBRARY.procedure("write-line")
def write_line(value: Any, port: Any = None) -> Any:
    """Guile's: what display shows of `value`, and a line end."""
    target("write-line", 2, port).write(display(value) + "\n")
    return UNSPECIFIED


@LIBRARY.procedure("write-u8")
def write_u8(byte: Any, port: Any = None) -> Any:
    if not 0 <= arguments.index("write-u8", 1, byte) <= 255:
        out_of_range("write-u8", byte)
    target("write-u8", 2, port).write_bytes(bytes([byte]))
    return UNSPECIFIED


@LIBRARY.procedure("write-bytevector")
def write_bytevector(vector: Any, port: Any = None, start: Any = None, end: Any = None) -> Any:
    data = contents("write-bytevector", 1, vector)
    first, last = arguments.span("write-bytevector", len(data), start, end)
    target("write-bytevector", 2, port).write_bytes(bytes(data[first:last]))
    return UNSPECIFIED


@LIBRARY.procedure("object->string")
def object_to_string(value: Any, printer: Any = None) -> str:
    if printer is None:
        return write(value)
    port = StringOutput()
    call(printer, value, port)
    return port.text()


@LIBRARY.procedure("pk", "peek")
def peek_values(*values: Any) -> Any:
    """Show values to whoever debugs, and give the last one."""
    shown = " ".join(map(write, values))
    dynamic.current_error.value.write(f"\n;;; ({shown})\n")
    return values[-1] if values else UNSPECIFIED


# ---------------------------------------------------------------- delimited reading


@LIBRARY.procedure("read-line")
@tail_calling
def read_line(port: Any = None, handle: Any = None) -> Any:
    """A line of `port`; `handle` says what becomes of its end: trim, concat, peek or split."""
    how = "trim" if handle is None else arguments.symbol_name("read-line", 2, handle)
    return _delimited("read-line", source("read-line", 1, port), "\n", how)


@LIBRARY.procedure("read-delimited")
@tail_calling
def read_delimited(delimiters: Any, port: Any = None, handle: Any = None) -> Any:
    from lang.runtime.charsets import CharSet

    stops: Any = delimiters
    if type(delimiters) is str or type(delimiters) is MString:
        stops = str(delimiters)
    elif type(delimiters) is Char:
        stops = delimiters.value
    elif type(delimiters) is not CharSet:
        wrong_type("read-delimited", 1, delimiters)
    how = "trim" if handle is None else arguments.symbol_name("read-delimited", 3, handle)
    return _delimited("read-delimited", source("read-delimited", 2, port), stops, how)


def _delimited(who: str, port: InputPort, stops: Any, how: str) -> Any:
    if stops == "\n":
        line, end = port.take_line()
    else:
        at = port.at
        while at < len(port.text) and port.text[at] not in stops:
            at += 1
        line, end = port.take(at - port.at), port.take(1)
    at_end = not line and not end
    if how == "split":
        return cons(EOF if at_end else line, char(end) if end else EOF)
    if at_end:
        return EOF
    if how == "trim":
        return line
    if how == "concat":
        return line + end
    if how == "peek":
        if end:
            port.put_back(end)
        return line
    misc_error(who, "~S is none of trim, concat, peek and split", how)
