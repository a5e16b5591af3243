"""Scheme values as Python objects.

Scheme          Python
booleans        True, False               numbers      int, float, fractions.Fraction
strings         str (immutable), MString  symbols      Symbol, interned
characters      Char, interned            keywords     Keyword, interned
pairs           Pair, NIL                 vectors      list
bytevectors     bytes (literal), bytearray             procedures   plain Python functions
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Final, Generic, TypeVar

T = TypeVar("T")


class Pair:
    """A pair, made by `cons`. `pos` is the position (see lang.sources) of the opening parenthesis,
    if read. Without an __init__, which Python calls by way of C, making one takes half the time.
    """

    __slots__ = ("car", "cdr", "pos")

    car: Any
    cdr: Any
    pos: int | None

    def __repr__(self) -> str:
        from lang.printer import write

        return write(self)


def cons(car: Any, cdr: Any, pos: int | None = None) -> Pair:
    """A new pair."""
    pair = Pair()
    pair.car = car
    pair.cdr = cdr
    pair.pos = pos
    return pair


class Singleton:
    """A value that exists once and knows how it is written."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


class Nil(Singleton):
    """The empty list's type."""

    __slots__ = ()


NIL: Final = Nil("()")
UNSPECIFIED: Final = Singleton("#<unspecified>")
UNDEFINED: Final = Singleton("#<undefined>")
"""What an optional parameter holds before its default is computed; never seen by Scheme code."""
EOF: Final = Singleton("#<eof>")


class Symbol:
    """An identifier's name. Make one with `symbol`; two of the same name are one object."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


class Keyword:
    """A keyword object such as #:key. Make one with `keyword`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return "#:" + self.name


class Char:
    """A character: one Unicode scalar value. Make one with `char`."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        from lang.printer import write

        return write(self)


class MString:
    """A mutable string, as made by make-string, string-copy and string."""

    __slots__ = ("chars",)

    def __init__(self, chars: Iterable[str]) -> None:
        self.chars = list(chars)

    def __str__(self) -> str:
        return "".join(self.chars)

    def __repr__(self) -> str:
        from lang.printer import write

        return write(str(self))


class _Characters(dict[str, Char]):
    def __missing__(self, value: str) -> Char:
        made = self[value] = Char(value)
        return made


CHARS: Final = _Characters()
"""The character whose one-character string is the key; made when it is first looked up."""
_symbols: dict[str, Symbol] = {}
_keywords: dict[str, Keyword] = {}


def symbol(name: str) -> Symbol:
    """The symbol called `name`."""
    found = _symbols.get(name)
    if found is None:
        found = _symbols[name] = Symbol(name)
    return found


def keyword(name: str) -> Keyword:
    """The keyword called `name`, without its #: prefix."""
    found = _keywords.get(name)
    if found is None:
        found = _keywords[name] = Keyword(name)
    return found


def char(value: str) -> Char:
    """The character whose one-character string is `value`."""
    return CHARS[value]


class Values(tuple[Any, ...]):
    """Several return values; never used for exactly one."""

    __slots__ = ()


class Promise:
    """What delay and make-promise give. `thunk` is None once `value` holds."""

    __slots__ = ("thunk", "value")

    def __init__(self, thunk: Callable[[], Any] | None, value: Any = None) -> None:
        self.thunk = thunk
        self.value = value


class Box(Generic[T]):
    """A mutable cell: for assigned variables that a loop's closures capture."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


_NO_TRAITS: Final[Mapping[str, Any]] = {}


class RecordType:
    """A record type descriptor. Its instances are of `instance_class`, one Python class a type.

    `fields` begins with those of the `parent`. `accessors` and `documentation` are by field name;
    the latter holds what the definition says. `traits` are properties that few types have.
    """

    __slots__ = (
        *("accessors", "documentation", "fields", "instance_class", "name", "parent", "printer"),
        "traits",
    )

    def __init__(
        self, name: str, own_fields: tuple[str, ...], parent: RecordType | None = None
    ) -> None:
        inherited: tuple[str, ...] = parent.fields if parent is not None else ()
        self.name = name
        self.parent = parent
        self.fields: tuple[str, ...] = (*inherited, *own_fields)
        self.traits: Mapping[str, Any] = _NO_TRAITS
        self.accessors: dict[str, Callable[[Any], Any]] = {}
        self.documentation: dict[str, str] = {}
        self.printer: Callable[[Any, Any], Any] | None = None
        slots = tuple(f"f{i}" for i in range(len(inherited), len(self.fields)))
        base = parent.instance_class if parent is not None else Record
        self.instance_class: type[Record] = type(name, (base,), {"__slots__": slots, "rtd": self})

    def __repr__(self) -> str:
        return f"#<record-type {self.name}>"


class Record:
    """Base of all record instances; field number i is the slot `f{i}`."""

    __slots__ = ()
    rtd: ClassVar[RecordType]

    def __repr__(self) -> str:
        from lang.printer import write

        return write(self)


def make_record(rtd: RecordType, values: Iterable[Any]) -> Record:
    """An instance of `rtd` holding `values`, in field order."""
    record = rtd.instance_class.__new__(rtd.instance_class)
    for index, value in enumerate(values):
        setattr(record, f"f{index}", value)
    return record


class GexpInput:
    """What #$ and #+ refer to: `thing` is any lowerable object or a plain datum."""

    __slots__ = ("native", "output", "thing")

    def __init__(self, thing: Any, output: str, native: bool) -> None:
        self.thing = thing
        self.output = output
        self.native = native

    def __repr__(self) -> str:
        return f"#<gexp-input {self.thing!r}:{self.output}>"


class Gexp:
    """Staged code: `build` gives the s-expression once each input is replaced by what it lowers to.

    `inputs` is a tuple of GexpInput (or, for a splice, of lists of them) in the order in which
    `build` takes their values; `location` is a lang.sources.Location or None.
    """

    __slots__ = ("build", "inputs", "location", "modules")

    def __init__(
        self,
        inputs: tuple[Any, ...],
        build: Callable[..., Any],
        location: Any = None,
        modules: tuple[Any, ...] = (),
    ) -> None:
        self.inputs = inputs
        self.build = build
        self.location = location
        self.modules = modules

    def __repr__(self) -> str:
        return f"#<gexp {self.location}>" if self.location else "#<gexp>"


def scheme_list(items: Iterable[Any], tail: Any = NIL) -> Any:
    """A Scheme list of `items`, ending in `tail`."""
    result = tail
    for item in reversed(items if type(items) is list else list(items)):
        pair = Pair()
        pair.car = item
        pair.cdr = result
        pair.pos = None
        result = pair
    return result


def iterate(pairs: Any) -> Iterator[Any]:
    """The elements of a Scheme list; whatever ends it is not looked at."""
    while type(pairs) is Pair:
        yield pairs.car
        pairs = pairs.cdr


def python_list(pairs: Any) -> list[Any]:
    """The elements of a Scheme list as a Python list; whatever ends it is not looked at."""
    items = []
    while type(pairs) is Pair:
        items.append(pairs.car)
        pairs = pairs.cdr
    return items
