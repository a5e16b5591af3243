"""(ice-9 iconv): strings to bytes and back, in an encoding."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

from lang.data import Char, Symbol, symbol
from lang.runtime import encodings
from lang.runtime.condition_types import ERROR
from lang.runtime.library import Library
from lang.runtime.ports import StringOutput
from lang.runtime.primitives import arguments
from lang.runtime.primitives.bytevectors import contents
from lang.runtime.signals import misc_error, signal, wrong_type
from lang.runtime.trampoline import call

LIBRARY = Library("ice-9", "iconv")

_STRATEGIES: Final = {"error": "strict", "substitute": "replace", "escape": "backslashreplace"}
"""By the name of what is done about characters that an encoding lacks: what Python calls it."""
_ERROR: Final = symbol("error")
_LONG_ESCAPE: Final = re.compile(rb"\\U00([0-9a-f]{6})")


def _codec(who: str, name: Any) -> str:
    found = encodings.codec(arguments.string(who, 2, name))
    if found is None:
        misc_error(who, "there is no such encoding here: ~A", name)
    return found


def _errors(who: str, strategy: Any) -> str:
    if type(strategy) is not Symbol or strategy.name not in _STRATEGIES:
        wrong_type(who, 3, strategy, "error, substitute or escape")
    return _STRATEGIES[strategy.name]


def _encoded(who: str, text: str, encode: Callable[[str], bytes]) -> bytearray:
    try:
        data = encode(text)
    except UnicodeEncodeError as error:
        _refuse("encoding-error", who, "no such character in it: ~S", Char(text[error.start]))
    return bytearray(data)


def _refuse(key: str, who: str, message: str, what: Any) -> NoReturn:
    signal(key, ERROR, who, message, (what,), False)


def _with_errors(encode: Callable[[str], bytes], errors: str) -> Callable[[str], bytes]:
    """`encode`, with escapes of six digits where Python writes eight."""
    if errors != "backslashreplace":
        return encode
    return lambda text: _LONG_ESCAPE.sub(rb"\\U\1", encode(text))


@LIBRARY.procedure("string->bytevector")
def string_to_bytevector(text: Any, encoding: Any, strategy: Any = _ERROR) -> bytearray:
    """The bytes of TEXT in ENCODING, such as "UTF-8" or "ISO-8859-1". STRATEGY says what is done
    about characters that it lacks: error, substitute or escape."""
    who = "string->bytevector"
    source = arguments.string(who, 1, text)
    _, ordered = encodings.marked(b"", _codec(who, encoding))
    errors = _errors(who, strategy)
    return _encoded(who, source, _with_errors(lambda text: text.encode(ordered, errors), errors))


@LIBRARY.procedure("bytevector->string")
def bytevector_to_string(vector: Any, encoding: Any, strategy: Any = _ERROR) -> str:
    """The text that VECTOR is in ENCODING. STRATEGY says what is done about bytes that are none:
    error, substitute or escape."""
    who = "bytevector->string"
    source = bytes(contents(who, 1, vector))
    try:
        return encodings.decoded(source, _codec(who, encoding), _errors(who, strategy))
    except UnicodeDecodeError as error:
        bad = bytearray(source[error.start : error.end])
        _refuse("decoding-error", who, "these bytes are no text in it: ~S", bad)


@LIBRARY.procedure("call-with-encoded-output-string")
def call_with_encoded_output_string(
    encoding: Any, procedure: Any, strategy: Any = _ERROR
) -> bytearray:
    """The bytes, in ENCODING, of what PROCEDURE writes to the port that it gets."""
    who = "call-with-encoded-output-string"
    errors = _errors(who, strategy)
    encode = encodings.encoder(_codec(who, encoding), errors)
    port = StringOutput()
    call(procedure, port)
    return _encoded(who, port.text(), _with_errors(encode, errors))
