"""What record definitions expand to: types, constructors, accessors and modifiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

from lang.data import UNSPECIFIED, Promise, Record, RecordType, Symbol, iterate, make_record
from lang.runtime import signals
from lang.runtime.library import Library
from lang.runtime.trampoline import call

LIBRARY: Final = Library("guile")
procedure = LIBRARY.procedure

F = TypeVar("F", bound=Callable[..., Any])

PLAIN, THUNKED, DELAYED = range(3)
"""How a field's value is kept: itself, a procedure of the record, or a promise."""


@procedure("%record-type")
def record_type(name: Symbol, fields: Any, documentation: Any = ()) -> RecordType:
    """A new record type; `documentation` is a list of pairs of field name and text."""
    rtd = RecordType(name.name, tuple(field.name for field in iterate(fields)))
    for entry in iterate(documentation):
        rtd.documentation[entry.car.name] = entry.cdr
    return rtd


@procedure("%record")
def record(rtd: RecordType, *values: Any) -> Record:
    """An instance with `values`, one for each field."""
    return make_record(rtd, values)


@procedure("%record-predicate")
def record_predicate(rtd: RecordType, name: Symbol) -> Callable[[Any], bool]:
    """The predicate for instances of `rtd`."""
    instance_class = rtd.instance_class

    def predicate(obj: Any) -> bool:
        return type(obj) is instance_class

    return _named(predicate, name)


def _named(function: F, name: Symbol) -> F:
    function.__name__ = function.__qualname__ = name.name
    return function


@procedure("%record-accessor")
def record_accessor(rtd: RecordType, index: int, name: Symbol, kind: int = PLAIN) -> Any:
    """The accessor `name` of field number `index`, whose value is kept as `kind` says."""
    read = getattr(rtd.instance_class, f"f{index}").__get__

    def plain(obj: Any) -> Any:
        try:
            return read(obj)
        except TypeError:
            _wrong_record(name, rtd, obj)

    def thunked(obj: Any) -> Any:
        return call(plain(obj), obj)

    def delayed(obj: Any) -> Any:
        promise = plain(obj)
        if type(promise) is not Promise:
            return promise
        thunk = promise.thunk
        if thunk is not None:
            value = call(thunk)
            if promise.thunk is not None:
                promise.thunk, promise.value = None, value
        return promise.value

    accessor = _named((plain, thunked, delayed)[kind], name)
    rtd.accessors[rtd.fields[index]] = accessor
    return accessor


def _wrong_record(name: Symbol, rtd: RecordType, obj: Any) -> NoReturn:
    signals.wrong_type(name, 1, obj, f"a record {rtd.name}")


@procedure("%record-modifier")
def record_modifier(rtd: RecordType, index: int, name: Symbol) -> Any:
    """The procedure that stores into field number `index`."""
    write = getattr(rtd.instance_class, f"f{index}").__set__

    def modifier(obj: Any, value: Any) -> Any:
        try:
            write(obj, value)
        except TypeError:
            _wrong_record(name, rtd, obj)
        return UNSPECIFIED

    return _named(modifier, name)


@procedure("%record-updater")
def record_updater(rtd: RecordType, index: int, name: Symbol) -> Any:
    """The procedure that gives a copy with another value in field number `index`."""

    def updater(obj: Any, value: Any) -> Any:
        if type(obj) is not rtd.instance_class:
            _wrong_record(name, rtd, obj)
        return _with_field(obj, index, value)

    return _named(updater, name)


def _with_field(obj: Record, index: int, value: Any) -> Record:
    values = [getattr(obj, f"f{i}") for i in range(len(obj.rtd.fields))]
    values[index] = value
    return make_record(obj.rtd, values)


@procedure("%set-field")
def set_field(obj: Any, accessors: Any, value: Any) -> Any:
    """A copy of `obj` with `value` in the field that the chain `accessors` leads to."""
    accessor = accessors.car
    for field, known in getattr(obj, "rtd", _NO_TYPE).accessors.items():
        if known is accessor:
            if type(accessors.cdr) is type(accessors):
                value = set_field(call(accessor, obj), accessors.cdr, value)
            return _with_field(obj, obj.rtd.fields.index(field), value)
    signals.wrong_type("set-field", 1, obj)


_NO_TYPE: Final = RecordType("none", ())


@procedure("%inherited")
def inherited(rtd: RecordType, obj: Any) -> Any:
    """`obj`, which must be of type `rtd`: what (inherit obj) refers to."""
    if type(obj) is not rtd.instance_class:
        name = rtd.name.strip("<>")
        signals.misc_error(name, "inherit: a record ~A is expected, not ~S", name, obj)
    return obj


@procedure("%record-is")
def record_is(obj: Any, rtd: Any, fields: int) -> bool:
    """Is `obj` a record of type `rtd`, which must have `fields` fields at least?"""
    if type(rtd) is not RecordType:
        signals.wrong_type("match", 0, rtd)
    if fields > len(rtd.fields):
        signals.misc_error("match", "~A has ~A fields, not ~A", rtd.name, len(rtd.fields), fields)
    return type(obj) is rtd.instance_class


@procedure("%field")
def raw_field(obj: Record, index: int) -> Any:
    """The value of field number `index` as it is kept."""
    return getattr(obj, f"f{index}")


@procedure("%field-named")
def field_named(obj: Any, rtd: RecordType, field: Symbol) -> Any:
    """The value that the accessor of `field` gives: what match-record binds."""
    if type(obj) is not rtd.instance_class:
        signals.misc_error("match-record", "a ~A is expected, not ~S", rtd.name, obj)
    accessor = rtd.accessors.get(field.name)
    if accessor is None:
        signals.misc_error("match-record", "~A has no field ~A", rtd.name, field)
    return call(accessor, obj)
