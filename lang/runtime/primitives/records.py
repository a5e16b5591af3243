"""Records by procedure, and structures, which are the same thing here (Guile's manual, "Records",
"Structures"). A record type is its own vtable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lang.data import (
    UNDEFINED,
    UNSPECIFIED,
    Pair,
    Record,
    RecordType,
    Symbol,
    cons,
    make_record,
    scheme_list,
    symbol,
)
from lang.runtime.condition_types import ConditionType
from lang.runtime.inline import parse_keywords
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error, out_of_range, wrong_type

LIBRARY = Library("guile")


def record_type(who: str, value: Any) -> RecordType:
    """A record type."""
    if type(value) is not RecordType:
        wrong_type(who, 1, value)
    return value


def _exceptions() -> Any:
    """The procedures on condition types, which Guile has for record types."""
    from lang.runtime import conditions

    return conditions


def field_index(who: str, rtd: RecordType, field: Any) -> int:
    """The number of a field, which may be given by its name; the last one of that name."""
    if type(field) is int:
        if not 0 <= field < len(rtd.fields):
            out_of_range(who, field)
        return field
    name = arguments.symbol_name(who, 2, field)
    if name not in rtd.fields:
        misc_error(who, "record type ~A has no field ~A", rtd.name, field)
    return len(rtd.fields) - 1 - rtd.fields[::-1].index(name)


_TRAITS: Final = ("extensible?", "opaque?", "uid")
_by_uid: Final[dict[Symbol, RecordType]] = {}


@LIBRARY.procedure("make-record-type")
def make_record_type(name: Any, fields: Any, *options: Any) -> RecordType:
    """`fields` are symbols, or lists (mutable NAME) and (immutable NAME). `options` are a printer,
    #:parent, #:extensible?, #:opaque?, #:uid and #:allow-duplicate-field-names?."""
    who = "make-record-type"
    keys = ("parent", "allow-duplicate-field-names?", *_TRAITS)
    given = parse_keywords(who, options, 1, keys, False, False)
    printer, extended, duplicates, *values = (
        False if value is UNDEFINED else value for value in given
    )
    parent = record_type(who, extended) if extended is not False else None
    if parent is not None and not parent.traits.get("extensible?"):
        misc_error(who, "the parent type ~A is final: it is not #:extensible?", parent.name)
    title = name.name if type(name) is Symbol else arguments.string(who, 1, name)
    own = [_field(who, field) for field in arguments.items(who, 2, fields)]
    rtd = RecordType(title, tuple(field for field, _ in own), parent)
    twice = {field for field in rtd.fields if rtd.fields.count(field) > 1}
    if twice and duplicates is False:
        misc_error(who, "duplicate field ~A", symbol(min(twice)))
    first = len(rtd.fields) - len(own)
    traits: dict[str, Any] = {
        key: value for key, value in zip(_TRAITS, values, strict=True) if value is not False
    }
    fixed = {number for number, (_, mutable) in enumerate(own, first) if not mutable}
    fixed |= parent.traits.get("fixed", set()) if parent is not None else set()
    rtd.traits = {**traits, "fixed": fixed} if fixed else traits
    if callable(printer):
        rtd.printer = printer
    return rtd if "uid" not in traits else _known(who, rtd)


def _field(who: str, field: Any) -> tuple[str, bool]:
    """The name of a field, and whether it can be changed."""
    if type(field) is not Pair:
        return arguments.symbol_name(who, 2, field), True
    kind, *names = arguments.items(who, 2, field)
    if kind not in (symbol("mutable"), symbol("immutable")) or len(names) != 1:
        misc_error(who, "a field is NAME, (mutable NAME) or (immutable NAME), not ~S", field)
    return arguments.symbol_name(who, 2, names[0]), kind is symbol("mutable")


def _known(who: str, rtd: RecordType) -> RecordType:
    """The type that was made first with the #:uid of `rtd`, which must be like it."""
    known = _by_uid.setdefault(rtd.traits["uid"], rtd)
    same = (known.name, known.fields, known.parent, known.traits)
    if same != (rtd.name, rtd.fields, rtd.parent, rtd.traits):
        misc_error(who, "there is another record type with the uid ~A", rtd.traits["uid"])
    return known


@LIBRARY.procedure("record-constructor", "record-type-constructor")
def record_constructor(rtd: Any, fields: Any = None) -> Callable[..., Any]:
    who = "record-constructor"
    if type(rtd) is ConditionType and fields is None:
        return _exceptions().exception_constructor(rtd)  # type: ignore[no-any-return]
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
    if type(rtd) is ConditionType:
        return _exceptions().condition_predicate(rtd)  # type: ignore[no-any-return]
    kind = record_type("record-predicate", rtd).instance_class
    return lambda value: isinstance(value, kind)


@LIBRARY.procedure("record-accessor")
def record_accessor(rtd: Any, field: Any) -> Callable[[Any], Any]:
    if type(rtd) is ConditionType:
        return _exceptions().condition_accessor(rtd, field)  # type: ignore[no-any-return]
    kind = record_type("record-accessor", rtd)
    number = field_index("record-accessor", kind, field)
    slot = f"f{number}"
    wanted = kind.instance_class

    def access(record: Any) -> Any:
        if not isinstance(record, wanted):
            wrong_type(access.__name__, 1, record, f"a record {kind.name}")
        return getattr(record, slot)

    access.__name__ = f"{kind.name.strip('<>')}-{kind.fields[number]}"
    return access


@LIBRARY.procedure("record-modifier")
def record_modifier(rtd: Any, field: Any) -> Callable[[Any, Any], Any]:
    kind = record_type("record-modifier", rtd)
    number = field_index("record-modifier", kind, field)
    if number in kind.traits.get("fixed", ()):
        misc_error("record-modifier", "the field ~A is immutable", symbol(kind.fields[number]))
    slot = f"f{number}"
    wanted = kind.instance_class

    def modify(record: Any, value: Any) -> Any:
        if not isinstance(record, wanted):
            wrong_type(modify.__name__, 1, record, f"a record {kind.name}")
        setattr(record, slot, value)
        return UNSPECIFIED

    modify.__name__ = f"set-{kind.name.strip('<>')}-{kind.fields[number]}!"
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


@LIBRARY.procedure("record-type-parent")
def record_type_parent(rtd: Any) -> RecordType | bool:
    """What the type extends, or #f."""
    return record_type("record-type-parent", rtd).parent or False


@LIBRARY.procedure("record-type-parents")
def record_type_parents(rtd: Any) -> list[RecordType]:
    """A vector of what the type extends, the outermost type first."""
    return _line(record_type("record-type-parents", rtd))[:-1]


def _line(rtd: RecordType) -> list[RecordType]:
    return [*_line(rtd.parent), rtd] if rtd.parent is not None else [rtd]


@LIBRARY.procedure("record-type-has-parent?")
def has_parent(rtd: Any, parent: Any) -> bool:
    """Is PARENT the type RTD itself, or a type that it extends?"""
    who = "record-type-has-parent?"
    return record_type(who, parent) in _line(record_type(who, rtd))


@LIBRARY.procedure("record-type-properties")
def record_type_properties(rtd: Any) -> Any:
    """An association list."""
    traits = record_type("record-type-properties", rtd).traits
    return scheme_list(cons(symbol(key), traits[key]) for key in _TRAITS if key in traits)


@LIBRARY.procedure("record-type-extensible?")
def is_extensible(rtd: Any) -> bool:
    """Can other record types extend this one?"""
    return bool(record_type("record-type-extensible?", rtd).traits.get("extensible?", False))


@LIBRARY.procedure("record-type-opaque?")
def is_opaque(rtd: Any) -> bool:
    """Does R6RS's record? not know its records?"""
    return bool(record_type("record-type-opaque?", rtd).traits.get("opaque?", False))


@LIBRARY.procedure("record-type-uid")
def record_type_uid(rtd: Any) -> Any:
    """The symbol that the type is known by, or #f."""
    return record_type("record-type-uid", rtd).traits.get("uid", False)


@LIBRARY.procedure("record-type-mutable-fields")
def mutable_fields(rtd: Any) -> Any:
    """A list of the numbers of the fields that can be changed."""
    kind = record_type("record-type-mutable-fields", rtd)
    fixed = kind.traits.get("fixed", ())
    return scheme_list(number for number in range(len(kind.fields)) if number not in fixed)


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
