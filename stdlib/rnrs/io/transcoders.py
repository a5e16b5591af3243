"""(rnrs io transcoders): text on ports of bytes, and positions in ports (R6RS Libraries, 8.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple, NoReturn

from lang.data import UNSPECIFIED, Symbol, char, symbol
from lang.errors import SchemeError
from lang.runtime.condition_types import ERROR, Component, Condition
from lang.runtime.encodings import codec, decoded, encoder, marked
from lang.runtime.late.file_ports import FileInput
from lang.runtime.library import Library
from lang.runtime.ports import BytesOutput, FileOutput, InputPort, OutputPort, Port, StringOutput
from lang.runtime.primitives import arguments
from lang.runtime.primitives.bytevectors import contents
from lang.runtime.signals import error_condition, misc_error, wrong_type
from lang.runtime.streams import PulledInput, PushedOutput, TwoWayPort
from stdlib.rnrs.io.conditions import DECODING, ENCODING, INVALID_POSITION

LIBRARY: Final = Library("rnrs", "io", "transcoders")

_ENDS: Final = {
    "none": "\n",
    "lf": "\n",
    "cr": "\r",
    "crlf": "\r\n",
    "nel": "\x85",
    "crnel": "\r\x85",
    "ls": "\u2028",
}
"""What ends a line, for each end-of-line style."""
_ANY_END: Final = re.compile("\r\n|\r\x85|[\r\x85\u2028]")
_ERRORS: Final = {"replace": "replace", "raise": "strict", "ignore": "ignore"}


class Transcoder(NamedTuple):
    """How text is bytes: Scheme's name of the encoding, line ends, what becomes of errors."""

    codec: str
    eol_style: Symbol
    error_handling_mode: Symbol

    def __repr__(self) -> str:
        return (
            f'#<transcoder codec: "{self.codec}" eol-style: {self.eol_style.name} '
            f"error-handling-mode: {self.error_handling_mode.name}>"
        )


_NATIVE: Final = Transcoder("UTF-8", symbol("none"), symbol("replace"))


@LIBRARY.procedure("make-transcoder")
def make_transcoder(encoding: Any, eol: Any = None, mode: Any = None) -> Transcoder:
    """A transcoder of a codec such as (utf-8-codec), an eol-style and an error-handling-mode."""
    who = "make-transcoder"
    if codec(arguments.string(who, 1, encoding)) is None:
        misc_error(who, "there is no such encoding here: ~A", encoding)
    eol = _NATIVE.eol_style if eol is None else eol
    mode = _NATIVE.error_handling_mode if mode is None else mode
    if arguments.symbol_name(who, 2, eol) not in _ENDS:
        misc_error(who, "~S is none of none, lf, cr, crlf, nel, crnel and ls", eol)
    if arguments.symbol_name(who, 3, mode) not in _ERRORS:
        misc_error(who, "~S is none of ignore, raise and replace", mode)
    return Transcoder(arguments.string(who, 1, encoding), eol, mode)


@LIBRARY.procedure("native-transcoder")
def native_transcoder() -> Transcoder:
    """UTF-8 with line ends as they are; what is wrong is replaced."""
    return _NATIVE


def _codec(name: str, encoding: str) -> None:
    @LIBRARY.procedure(name)
    def give() -> str:
        return encoding

    give.__doc__ = f"The encoding {encoding}, for make-transcoder."


_codec("latin-1-codec", "ISO-8859-1")
_codec("utf-8-codec", "UTF-8")
_codec("utf-16-codec", "UTF-16")


@LIBRARY.procedure("native-eol-style")
def native_eol_style() -> Symbol:
    """The style of line ends of the native transcoder."""
    return _NATIVE.eol_style


def _transcoder(who: str, position: int, value: Any) -> Transcoder:
    if type(value) is not Transcoder:
        wrong_type(who, position, value)
    return value


@LIBRARY.procedure("transcoder-codec")
def transcoder_codec(transcoder: Any) -> str:
    """The encoding of a transcoder."""
    return _transcoder("transcoder-codec", 1, transcoder).codec


@LIBRARY.procedure("transcoder-eol-style")
def transcoder_eol_style(transcoder: Any) -> Symbol:
    """The end-of-line style of a transcoder, a symbol."""
    return _transcoder("transcoder-eol-style", 1, transcoder).eol_style


@LIBRARY.procedure("transcoder-error-handling-mode")
def transcoder_error_handling_mode(transcoder: Any) -> Symbol:
    """What a transcoder does about errors, a symbol."""
    return _transcoder("transcoder-error-handling-mode", 1, transcoder).error_handling_mode


# ---------------------------------------------------------------- text and bytes


def _not_text(port: Any, error: UnicodeDecodeError) -> NoReturn:
    bad = bytearray(error.object[error.start : error.end])
    thrown = error_condition(
        "decoding-error", ERROR, None, "the bytes are no text in the encoding: ~S", (bad,)
    )
    raise SchemeError(Condition(*thrown.components, Component(DECODING, (port,))))


def _not_encodable(port: Any, error: UnicodeEncodeError) -> NoReturn:
    bad = char(error.object[error.start])
    thrown = error_condition(
        "encoding-error", ERROR, None, "the encoding has no such character: ~S", (bad,)
    )
    raise SchemeError(Condition(*thrown.components, Component(ENCODING, (port, bad))))


def _lines_read(transcoder: Transcoder, text: str) -> str:
    return text if transcoder.eol_style.name == "none" else _ANY_END.sub("\n", text)


def _writer(transcoder: Transcoder, port: Callable[[], Any]) -> Callable[[str], bytes]:
    encode = encoder(_python(transcoder), _ERRORS[transcoder.error_handling_mode.name])
    end = _ENDS[transcoder.eol_style.name]

    def write(text: str) -> bytes:
        try:
            return encode(text if end == "\n" else text.replace("\n", end))
        except UnicodeEncodeError as error:
            _not_encodable(port(), error)

    return write


def _python(transcoder: Transcoder) -> str:
    known = codec(transcoder.codec)
    assert known is not None
    return known


def _reader(transcoder: Transcoder, source: InputPort) -> Callable[[], str]:
    """Gives the text up to what is no text, and raises at that, again and again."""
    encoding = ""
    mode = _ERRORS[transcoder.error_handling_mode.name]
    rest = b""

    def pull() -> str:
        nonlocal encoding, rest
        rest += source.take_some()
        if not encoding:
            skipped, encoding = marked(rest, _python(transcoder))
            rest = rest[skipped:]
        try:
            text, rest = rest.decode(encoding, mode), b""
        except UnicodeDecodeError as error:
            if not error.start:
                rest = rest[error.end :]
                _not_text(source, error)
            text, rest = rest[: error.start].decode(encoding), rest[error.start :]
        return _lines_read(transcoder, text)

    return pull


@LIBRARY.procedure("string->bytevector")
def string_to_bytevector(text: Any, transcoder: Any) -> bytearray:
    """The bytes that a transcoder makes of a string."""
    checked = _transcoder("string->bytevector", 2, transcoder)
    return bytearray(
        _writer(checked, lambda: False)(arguments.string("string->bytevector", 1, text))
    )


@LIBRARY.procedure("bytevector->string")
def bytevector_to_string(vector: Any, transcoder: Any) -> str:
    """The text that a bytevector is to a transcoder."""
    checked = _transcoder("bytevector->string", 2, transcoder)
    data = bytes(contents("bytevector->string", 1, vector))
    try:
        text = decoded(data, _python(checked), _ERRORS[checked.error_handling_mode.name])
    except UnicodeDecodeError as error:
        _not_text(False, error)
    return _lines_read(checked, text)


# ---------------------------------------------------------------- ports


class TranscodedInput(PulledInput):
    """Text of a port of bytes."""

    __slots__ = ("transcoder",)
    transcoder: Transcoder


class TranscodedOutput(PushedOutput):
    """Text for a port of bytes."""

    __slots__ = ("transcoder",)
    transcoder: Transcoder


class TranscodedBoth(TwoWayPort):
    """Text of and for a port of bytes."""

    __slots__ = ("transcoder",)
    transcoder: Transcoder


@LIBRARY.procedure("transcoded-port")
def transcoded_port(port: Any, transcoder: Any) -> Port:
    """A port whose text a transcoder makes of, or into, the bytes of PORT, which it closes."""
    if not isinstance(port, InputPort | OutputPort):
        wrong_type("transcoded-port", 1, port)
    checked = _transcoder("transcoded-port", 2, transcoder)
    write = _writer(checked, lambda: port)

    def push(text: str | bytes) -> None:
        assert isinstance(port, OutputPort)
        port.write_bytes(write(text) if isinstance(text, str) else text)

    made: TranscodedInput | TranscodedOutput | TranscodedBoth
    if isinstance(port, TwoWayPort):
        made = TranscodedBoth(_reader(checked, port), push, port.flush, port.name)
    elif isinstance(port, InputPort):
        made = TranscodedInput(_reader(checked, port), port.name)
    else:
        made = TranscodedOutput(push, port.flush, port.name)
    made.transcoder = checked
    made.on_close = port.close
    return made


@LIBRARY.procedure("port-transcoder")
def port_transcoder(port: Any) -> Transcoder | bool:
    """The transcoder of a port of text; #f for one of bytes."""
    if isinstance(port, TranscodedInput | TranscodedOutput | TranscodedBoth):
        return port.transcoder
    if not isinstance(port, Port):
        wrong_type("port-transcoder", 1, port)
    return False if port.binary else _NATIVE._replace(codec=port.encoding.upper())


def _is_seekable(port: Any) -> bool:
    return isinstance(port, FileOutput | FileInput) or type(port) is InputPort


@LIBRARY.procedure("port-has-port-position?")
def has_position(port: Any) -> bool:
    """Does a port know how many bytes of it were read or written?"""
    return _is_seekable(port) or isinstance(port, BytesOutput | StringOutput)


@LIBRARY.procedure("port-has-set-port-position!?")
def has_set_position(port: Any) -> bool:
    """Can set-port-position! be used with a port?"""
    return _is_seekable(port)


@LIBRARY.procedure("port-position")
def position(port: Any) -> int:
    """How many bytes come before the place where a port is read or written next."""
    if type(port) is InputPort or isinstance(port, FileInput):
        return port.tell()
    if isinstance(port, FileOutput):
        return port.seek(0, 1)
    if isinstance(port, BytesOutput):
        return len(port.contents)
    if isinstance(port, StringOutput):
        return len(port.text().encode())
    if not isinstance(port, Port):
        wrong_type("port-position", 1, port)
    misc_error("port-position", "~S knows no position", port)


@LIBRARY.procedure("set-port-position!")
def set_position(port: Any, place: Any) -> Any:
    """Go on with a port at the byte of that number."""
    who = "set-port-position!"
    wanted = arguments.index(who, 2, place)
    if not _is_seekable(port):
        misc_error(who, "~S knows no position", port)
    if port.seek(wanted, 0) is None:
        refused = error_condition(
            "out-of-range", ERROR, who, "Value out of range: ~S", (place,), False
        )
        raise SchemeError(Condition(*refused.components, Component(INVALID_POSITION, (place,))))
    return UNSPECIFIED
