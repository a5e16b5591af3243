"""Records by procedure, and structures, which are the same thing here (Guile's manual, "Records",
"Structures"). A record type is its own vtable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lang.data import (
    NIL,
    UNSPECIFIED,
    Pair,
    Record,
    RecordType,
    Symbol,
    make_record,
    scheme_list,
    symbol,
)
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error, out_of_range, wrong_type

LIBRARY = Library("guile")


def record_type(who: str, value: Any) -> RecordType:
    """A record type."""
    if type(value) is not RecordType:
        wrong_type(who, 1, value)
    return value


def field_index(who: str, rtd: RecordType, field: Any) -> int:
    """The number of the field called `field`."""
    name = arguments.symbol_name(who, 2, field)
    if name not in rtd.fields:
        misc_error(who, "record type ~A has no field ~A", rtd.name, field)
    return rtd.fields.index(name)


@LIBRARY.procedure("make-record-type")
def make_record_type(name: Any, fields: Any, printer: Any = False, *options: Any) -> RecordType:
    """`fields` are symbols, or lists (mutable NAME) and (immutable NAME)."""
    who = "make-record-type"
    names = []
    for field in arguments.items(who, 2, fields):
        spec = field.cdr.car if type(field) is Pair else field
        names.append(arguments.symbol_name(who, 2, spec))
    title = name.name if type(name) is Symbol else arguments.string(who, 1, name)
    rtd = RecordType(title, tuple(names))
    if callable(printer):
        rtd.printer = printer
    return rtd


@LIBRARY.procedure("record-constructor", "record-type-constructor")
def record_constructor(rtd: Any, fields: Any = None) -> Callable[..., Any]:
    who = "record-constructor"
    kind = record_type(who, rtd)
    count = len(kind.fields)
    if fields is None:
        order = list(range(count))
    else:
        order = [field_index(who, kind, f) for f in arguments.items(who, 2, fields)]

    def construct(*values: Any) -> Record:
        if len(values) != len(order):
            misc_error(kind.name, "constructor takes ~A arguments, not ~A", len(order), len(values))
        contents: list[Any] = [False] * count
        for index, value in zip(order, values, strict=True):
            contents[index] = value
        return make_record(kind, contents)

    return construct


@LIBRARY.procedure("record-predicate")
def record_predicate(rtd: Any) -> Callable[[Any], bool]:
    kind = record_type("record-predicate", rtd).instance_class
    return lambda value: type(value) is kind


@LIBRARY.procedure("record-accessor")
def record_accessor(rtd: Any, field: Any) -> Callable[[Any], Any]:
    kind = record_type("record-accessor", rtd)
    slot = f"f{field_index('record-accessor', kind, field)}"
    wanted = kind.instance_class

    def access(record: Any) -> Any:
        if type(record) is not wanted:
            wrong_type(access.__name__, 1, record, f"a record {kind.name}")
        return getattr(record, slot)

    access.__name__ = f"{kind.name.strip('<>')}-{field.name}"
    return access


@LIBRARY.procedure("record-modifier")
def record_modifier(rtd: Any, field: Any) -> Callable[[Any, Any], Any]:
    kind = record_type("record-modifier", rtd)
    slot = f"f{field_index('record-modifier', kind, field)}"
    wanted = kind.instance_class

    def modify(record: Any, value: Any) -> Any:
        if type(record) is not wanted:
            wrong_type(modify.__name__, 1, record, f"a record {kind.name}")
        setattr(record, slot, value)
        return UNSPECIFIED

    modify.__name__ = f"set-{kind.name.strip('<>')}-{field.name}!"
    return modify


@LIBRARY.procedure("record?")
def is_record(value: Any) -> bool:
    return isinstance(value, Record)


@LIBRARY.procedure("record-type-descriptor", "struct-vtable")
def record_type_descriptor(record: Any) -> RecordType:
    if not isinstance(record, Record):
        wrong_type("record-type-descriptor", 1, record)
    return record.rtd


@LIBRARY.procedure("record-type?", "struct-vtable?")
def is_record_type(value: Any) -> bool:
    return type(value) is RecordType


@LIBRARY.procedure("record-type-name", "struct-vtable-name")
def record_type_name(rtd: Any) -> Symbol:
    return symbol(record_type("record-type-name", rtd).name)


@LIBRARY.procedure("record-type-fields")
def record_type_fields(rtd: Any) -> Any:
    return scheme_list(map(symbol, record_type("record-type-fields", rtd).fields))


@LIBRARY.procedure("record-type-parents", "record-type-properties")
def record_type_parents(rtd: Any) -> Any:
    """No record type has a parent."""
    record_type("record-type-parents", rtd)
    return NIL


@LIBRARY.procedure("record-type-parent")
def record_type_parent(rtd: Any) -> bool:
    """#f: no record type has a parent."""
    record_type("record-type-parent", rtd)
    return False


@LIBRARY.procedure("record-type-has-parent?")
def has_parent(rtd: Any, parent: Any) -> bool:
    """Is RTD the record type PARENT? No other one is a parent of it."""
    return record_type("record-type-has-parent?", rtd) is parent


@LIBRARY.procedure("set-record-type-printer!")
def set_record_type_printer(rtd: Any, printer: Any) -> Any:
    record_type("set-record-type-printer!", rtd).printer = arguments.procedure(
        "set-record-type-printer!", 2, printer
    )
    return UNSPECIFIED


@LIBRARY.procedure("struct?")
def is_struct(value: Any) -> bool:
    return isinstance(value, Record) or type(value) is RecordType


@LIBRARY.procedure("make-struct/no-tail", "make-struct/simple")
def make_struct(rtd: Any, *values: Any) -> Record:
    kind = record_type("make-struct/no-tail", rtd)
    if len(values) > len(kind.fields):
        misc_error("make-struct/no-tail", "~A has ~A fields only", kind.name, len(kind.fields))
    missing = len(kind.fields) - len(values)
    return make_record(kind, (*values, *[False] * missing))


def _slot(who: str, record: Any, position: Any) -> str:
    if not isinstance(record, Record):
        wrong_type(who, 1, record)
    if arguments.index(who, 2, position) >= len(record.rtd.fields):
        out_of_range(who, position)
    return f"f{position}"


@LIBRARY.procedure("struct-ref")
def struct_ref(record: Any, position: Any) -> Any:
    return getattr(record, _slot("struct-ref", record, position))


@LIBRARY.procedure("struct-set!")
def struct_set(record: Any, position: Any, value: Any) -> Any:
    setattr(record, _slot("struct-set!", record, position), value)
    return value
