"""Bytevectors: (rnrs bytevectors) and R7RS section 6.9, which share most of their names.

A literal is immutable (bytes); what a procedure makes is mutable (bytearray).
"""

from __future__ import annotations

import struct
import sys
from typing import Any, Final

from lang.data import UNSPECIFIED, Symbol, scheme_list, symbol
from lang.numbers import flonum
from lang.runtime.condition_types import ERROR
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import out_of_range, signal, wrong_type

LIBRARY = Library("guile")

_BIG: Final = symbol("big")

Bytes = bytes | bytearray


def contents(who: str, position: int, value: Any) -> Bytes:
    """A bytevector."""
    if type(value) is bytearray or type(value) is bytes:
        return value
    wrong_type(who, position, value)


def mutable(who: str, position: int, value: Any) -> bytearray:
    """A bytevector that may be changed."""
    if type(value) is not bytearray:
        wrong_type(who, position, value)
    return value


def byte(who: str, position: int, value: Any) -> int:
    """An integer from 0 to 255; down to -128 is taken for its two's complement."""
    if type(value) is not int:
        wrong_type(who, position, value)
    if not -128 <= value <= 255:
        out_of_range(who, value)
    return value & 255


@LIBRARY.procedure("bytevector?")
def is_bytevector(value: Any) -> bool:
    return type(value) is bytearray or type(value) is bytes


@LIBRARY.procedure("bytevector")
def bytevector(*numbers: Any) -> bytearray:
    return bytearray(byte("bytevector", i, number) for i, number in enumerate(numbers, 1))


@LIBRARY.procedure("make-bytevector")
def make_bytevector(count: Any, fill: Any = 0) -> bytearray:
    size = arguments.index("make-bytevector", 1, count)
    return bytearray([byte("make-bytevector", 2, fill)]) * size


@LIBRARY.procedure("bytevector-length")
def bytevector_length(vector: Any) -> int:
    return len(contents("bytevector-length", 1, vector))


@LIBRARY.procedure("bytevector=?")
def bytevectors_equal(a: Any, b: Any) -> bool:
    return contents("bytevector=?", 1, a) == contents("bytevector=?", 2, b)


@LIBRARY.procedure("bytevector-fill!")
def bytevector_fill(vector: Any, fill: Any, start: Any = None, end: Any = None) -> Any:
    target = mutable("bytevector-fill!", 1, vector)
    first, last = arguments.span("bytevector-fill!", len(target), start, end)
    target[first:last] = bytes([byte("bytevector-fill!", 2, fill)]) * (last - first)
    return UNSPECIFIED


@LIBRARY.procedure("bytevector-copy")
def bytevector_copy(vector: Any, start: Any = None, end: Any = None) -> bytearray:
    source = contents("bytevector-copy", 1, vector)
    first, last = arguments.span("bytevector-copy", len(source), start, end)
    return bytearray(source[first:last])


@LIBRARY.procedure("bytevector-copy!")
def bytevector_copy_onto(*given: Any) -> Any:
    """R6RS's (source start target start count), or R7RS's (target at source [start [end]]).

    They differ in what stands third: R6RS has the target there and R7RS the source. Where both
    readings are possible (five arguments) it is R6RS's, as in Guile.
    """
    if len(given) == 5:
        source, start, target, at, count = given
        first = arguments.index("bytevector-copy!", 2, start)
        end = first + arguments.index("bytevector-copy!", 5, count)
        return copy_onto(target, at, source, first, end)
    if 3 <= len(given) <= 4:
        return copy_onto(*given)
    wrong_type("bytevector-copy!", 0, scheme_list(given))


@LIBRARY.procedure("r7rs-bytevector-copy!")
def copy_onto(target: Any, at: Any, source: Any, start: Any = None, end: Any = None) -> Any:
    """R7RS's bytevector-copy!, which (scheme base) exports."""
    who = "bytevector-copy!"
    origin = contents(who, 3, source)
    first, last = arguments.span(who, len(origin), start, end)
    into = mutable(who, 1, target)
    where = arguments.index(who, 2, at)
    if where + last - first > len(into):
        out_of_range(who, at)
    into[where : where + last - first] = bytes(origin[first:last])
    return UNSPECIFIED


@LIBRARY.procedure("bytevector-append")
def bytevector_append(*vectors: Any) -> bytearray:
    return bytearray().join(
        contents("bytevector-append", i, vector) for i, vector in enumerate(vectors, 1)
    )


@LIBRARY.procedure("bytevector->u8-list")
def bytevector_to_list(vector: Any) -> Any:
    return scheme_list(contents("bytevector->u8-list", 1, vector))


@LIBRARY.procedure("u8-list->bytevector")
def list_to_bytevector(numbers: Any) -> bytearray:
    items = arguments.items("u8-list->bytevector", 1, numbers)
    return bytearray(byte("u8-list->bytevector", 1, item) for item in items)


@LIBRARY.procedure("native-endianness")
def native_endianness() -> Symbol:
    return symbol(sys.byteorder)


def _order(who: str, value: Any) -> str:
    name = arguments.symbol_name(who, 3, value)
    if name not in ("big", "little"):
        out_of_range(who, value)
    return name


def _place(who: str, vector: Bytes, position: Any, size: int) -> slice:
    start = arguments.index(who, 2, position)
    if start + size > len(vector):
        out_of_range(who, position)
    return slice(start, start + size)


def _accessors(kind: str, size: int, *, signed: bool) -> None:
    """bytevector-KIND-ref and -set! for an integer of `size` bytes, and the -native- ones."""
    get, put = f"bytevector-{kind}-ref", f"bytevector-{kind}-set!"

    @LIBRARY.procedure(get)
    def reference(vector: Any, position: Any, order: Any = None) -> int:
        source = contents(get, 1, vector)
        endian: Any = "big" if size == 1 else _order(get, order)
        return int.from_bytes(source[_place(get, source, position, size)], endian, signed=signed)

    @LIBRARY.procedure(put)
    def assign(vector: Any, position: Any, value: Any, order: Any = None) -> Any:
        target = mutable(put, 1, vector)
        endian: Any = "big" if size == 1 else _order(put, order)
        _store(put, target, _place(put, target, position, size), value, endian, signed)
        return UNSPECIFIED

    if size > 1:

        @LIBRARY.procedure(f"bytevector-{kind}-native-ref")
        def native_reference(vector: Any, position: Any) -> int:
            return reference(vector, position, symbol(sys.byteorder))

        @LIBRARY.procedure(f"bytevector-{kind}-native-set!")
        def native_assign(vector: Any, position: Any, value: Any) -> Any:
            return assign(vector, position, value, symbol(sys.byteorder))


def _store(who: str, target: bytearray, place: slice, value: Any, order: Any, signed: bool) -> None:
    number = arguments.integer(who, 3, value)
    try:
        target[place] = number.to_bytes(place.stop - place.start, order, signed=signed)
    except OverflowError:
        out_of_range(who, value)


for _size in (1, 2, 4, 8):
    _accessors(f"u{8 * _size}", _size, signed=False)
    _accessors(f"s{8 * _size}", _size, signed=True)


def _width(who: str, position: int, size: Any) -> int:
    width = arguments.index(who, position, size)
    if not width:
        out_of_range(who, size)
    return width


def _sized_accessors(kind: str, *, signed: bool) -> None:
    """bytevector-uint-ref and its relatives, for integers of any size."""
    get, put = f"bytevector-{kind}-ref", f"bytevector-{kind}-set!"

    @LIBRARY.procedure(get)
    def reference(vector: Any, position: Any, order: Any, size: Any) -> int:
        source = contents(get, 1, vector)
        place = _place(get, source, position, _width(get, 4, size))
        endian: Any = _order(get, order)
        return int.from_bytes(source[place], endian, signed=signed)

    @LIBRARY.procedure(put)
    def assign(vector: Any, position: Any, value: Any, order: Any, size: Any) -> Any:
        target = mutable(put, 1, vector)
        place = _place(put, target, position, _width(put, 5, size))
        _store(put, target, place, value, _order(put, order), signed)
        return UNSPECIFIED

    to_list, from_list = f"bytevector->{kind}-list", f"{kind}-list->bytevector"

    @LIBRARY.procedure(to_list)
    def as_list(vector: Any, order: Any, size: Any) -> Any:
        source = contents(to_list, 1, vector)
        width = arguments.index(to_list, 3, size)
        if not width or len(source) % width:
            out_of_range(to_list, size)
        return scheme_list(
            reference(source, at, order, width) for at in range(0, len(source), width)
        )

    @LIBRARY.procedure(from_list)
    def of_list(numbers: Any, order: Any, size: Any) -> bytearray:
        width = _width(from_list, 3, size)
        values = arguments.items(from_list, 1, numbers)
        result = bytearray(width * len(values))
        for at, value in enumerate(values):
            assign(result, at * width, value, order, width)
        return result


_sized_accessors("uint", signed=False)
_sized_accessors("sint", signed=True)


def _float_accessors(kind: str, code: str) -> None:
    size = struct.calcsize(code)
    get, put = f"bytevector-ieee-{kind}-ref", f"bytevector-ieee-{kind}-set!"

    @LIBRARY.procedure(get)
    def reference(vector: Any, position: Any, order: Any) -> Any:
        source = contents(get, 1, vector)
        sign = ">" if _order(get, order) == "big" else "<"
        return struct.unpack(sign + code, source[_place(get, source, position, size)])[0]

    @LIBRARY.procedure(put)
    def assign(vector: Any, position: Any, value: Any, order: Any) -> Any:
        target = mutable(put, 1, vector)
        sign = ">" if _order(put, order) == "big" else "<"
        number = flonum(arguments.real(put, 3, value))
        target[_place(put, target, position, size)] = struct.pack(sign + code, number)
        return UNSPECIFIED

    @LIBRARY.procedure(f"bytevector-ieee-{kind}-native-ref")
    def native_reference(vector: Any, position: Any) -> Any:
        return reference(vector, position, symbol(sys.byteorder))

    @LIBRARY.procedure(f"bytevector-ieee-{kind}-native-set!")
    def native_assign(vector: Any, position: Any, value: Any) -> Any:
        return assign(vector, position, value, symbol(sys.byteorder))


_float_accessors("single", "f")
_float_accessors("double", "d")


@LIBRARY.procedure("string->utf8")
def string_to_utf8(text: Any, start: Any = None, end: Any = None) -> bytearray:
    return bytearray(arguments.part("string->utf8", 1, text, start, end).encode())


@LIBRARY.procedure("utf8->string")
def utf8_to_string(vector: Any, start: Any = None, end: Any = None) -> str:
    source = contents("utf8->string", 1, vector)
    first, last = arguments.span("utf8->string", len(source), start, end)
    return _decoded("utf8->string", source[first:last], "utf-8")


def _decoded(who: str, source: Bytes, encoding: str) -> str:
    try:
        return source.decode(encoding)
    except UnicodeDecodeError:
        name = encoding.upper()
        signal("decoding-error", ERROR, who, "bytevector is not valid ~A", (name,), False)


def _wide(bits: int) -> None:
    encode, decode = f"string->utf{bits}", f"utf{bits}->string"

    @LIBRARY.procedure(encode)
    def encoded(text: Any, order: Any = _BIG) -> bytearray:
        suffix = "be" if _order(encode, order) == "big" else "le"
        return bytearray(arguments.string(encode, 1, text).encode(f"utf-{bits}-{suffix}"))

    @LIBRARY.procedure(decode)
    def decoded(vector: Any, order: Any = _BIG) -> str:
        suffix = "be" if _order(decode, order) == "big" else "le"
        return _decoded(decode, contents(decode, 1, vector), f"utf-{bits}-{suffix}")


_wide(16)
_wide(32)
