"""Arrays of any number of dimensions (Guile's manual, "Arrays"). Vectors, strings and bytevectors
are arrays of one dimension, too."""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lang.constants import register
from lang.data import NIL, UNSPECIFIED, MString, Pair, Symbol, char, scheme_list, symbol
from lang.numbers import flonum
from lang.printer import write
from lang.runtime.equality import is_equal
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error, out_of_range, wrong_type
from lang.runtime.trampoline import call

LIBRARY = Library("guile", "arrays")

Bounds = tuple[tuple[int, int], ...]


class Array:
    """Elements of `items`, a mutable sequence: that of indices i is number base + sum(i * step).

    `bounds` are the least and the greatest index of each dimension.
    """

    __slots__ = ("base", "bounds", "items", "kind", "steps")

    def __init__(
        self, items: Any, bounds: Bounds, steps: tuple[int, ...], base: int, kind: Any = True
    ) -> None:
        self.items = items
        self.bounds = bounds
        self.steps = steps
        self.base = base
        self.kind = kind

    def place(self, who: str, indices: Sequence[Any]) -> int:
        """The number of an element in `items`."""
        if len(indices) != len(self.bounds):
            misc_error(who, "~A indices for an array of ~A", len(indices), len(self.bounds))
        at = self.base
        for index, (low, high), step in zip(indices, self.bounds, self.steps, strict=True):
            if type(index) is not int:
                wrong_type(who, 0, index)
            if not low <= index <= high:
                out_of_range(who, index)
            at += index * step
        return at

    def indices(self) -> Iterator[tuple[int, ...]]:
        """All indices, the last one changing fastest."""
        return itertools.product(*(range(low, high + 1) for low, high in self.bounds))

    def has_contents_of(self, other: Array) -> bool:
        """Whether this and `other` are equal?."""
        return is_array_equal(self, other)

    def __repr__(self) -> str:
        kind = "" if self.kind is True else write(self.kind)
        lows = [low for low, _ in self.bounds]
        shape = "".join(f"@{low}" for low in lows) if any(lows) else ""
        if len(self.bounds) > 1 and any(high < low for low, high in self.bounds):
            shape = "".join(f"@{low}:{high - low + 1}" for low, high in self.bounds)
        numeric = kind[-1:].isdigit()
        rank = "" if numeric and not shape and len(self.bounds) == 1 else len(self.bounds)
        contents = write(_listed(self))
        return f"#{rank}{kind}{shape}{contents if self.bounds else f'({contents})'}"


def read_array(kind: Any, shape: Sequence[tuple[int, int | None]], items: Sequence[Any]) -> Any:
    """The array of a literal. `shape` has the least index and, if it is given, the size of each
    dimension; `items` are the lists of its first one."""
    sizes = [size for _, size in shape]
    if None not in sizes and 0 in sizes:
        bounds = tuple((low, low + (size or 0) - 1) for low, size in shape)
        return _simple(_fresh(bounds, lambda _: 0, kind))
    if not shape and len(items) != 1:
        misc_error("list->array", "an array of rank 0 has one element, not ~A", len(items))
    contents = scheme_list(items) if shape else items[0]
    return list_to_typed_array(kind, scheme_list(low for low, _ in shape), contents)


def _contents(array: Array) -> tuple[Any, ...]:
    return array.kind, array.bounds, tuple(array.items[array.place("", i)] for i in array.indices())


def _of_contents(contents: tuple[Any, ...]) -> Array:
    kind, bounds, items = contents
    return _fresh(bounds, lambda number: items[number], kind)


register("array", Array, _contents, _of_contents)


def as_array(who: str, position: int, value: Any) -> Array:
    """`value`, an array or what is one of one dimension, as an Array that shares its elements."""
    if type(value) is Array:
        return value
    if type(value) is list:
        return Array(value, ((0, len(value) - 1),), (1,), 0)
    if type(value) is MString:
        return Array(_Characters(value), ((0, len(value.chars) - 1),), (1,), 0, symbol("a"))
    if type(value) is str:
        return Array(tuple(map(char, value)), ((0, len(value) - 1),), (1,), 0, symbol("a"))
    if type(value) is bytes or type(value) is bytearray:
        return Array(value, ((0, len(value) - 1),), (1,), 0, symbol("vu8"))
    wrong_type(who, position, value)


class _Characters:
    """The characters of a mutable string as elements."""

    def __init__(self, text: MString) -> None:
        self._text = text

    def __getitem__(self, index: int) -> Any:
        return char(self._text.chars[index])

    def __setitem__(self, index: int, value: Any) -> None:
        self._text.chars[index] = arguments.character("array-set!", 2, value)


def _bounds(who: str, dimensions: Sequence[Any]) -> Bounds:
    found = []
    for dimension in dimensions:
        if type(dimension) is Pair:
            low, high = dimension.car, dimension.cdr.car
        else:
            low, high = 0, arguments.index(who, 0, dimension) - 1
        if type(low) is not int or type(high) is not int:
            wrong_type(who, 0, dimension)
        if high < low - 1:
            out_of_range(who, dimension)
        found.append((low, high))
    return tuple(found)


def _fresh(bounds: Bounds, fill: Callable[[int], Any], kind: Any = True) -> Array:
    sizes = [high - low + 1 for low, high in bounds]
    steps = [math.prod(sizes[at + 1 :]) for at in range(len(sizes))]
    base = -sum(low * step for (low, _), step in zip(bounds, steps, strict=True))
    items = [fill(number) for number in range(math.prod(sizes))]
    return Array(items, bounds, tuple(steps), base, kind)


def _simple(array: Array) -> Any:
    """A vector where the array is as good as one: an ordinary one of one dimension from 0."""
    plain = array.kind is True and len(array.bounds) == 1 and array.bounds[0][0] == 0
    if not plain or type(array.items) is not list or array.steps != (1,) or array.base != 0:
        return array
    return array.items if array.bounds[0][1] == len(array.items) - 1 else array


@LIBRARY.procedure("make-array")
def make_array(fill: Any, *dimensions: Any) -> Any:
    """An array full of FILL. A dimension is a size, or a list of the least and greatest index."""
    return _simple(_fresh(_bounds("make-array", dimensions), lambda _: fill))


@LIBRARY.procedure("make-typed-array")
def make_typed_array(kind: Any, fill: Any, *dimensions: Any) -> Any:
    """As make-array, with elements of a type such as #t, u8, f64, b or a."""
    kept = _kept("make-typed-array", kind, fill)
    return _simple(_fresh(_bounds("make-typed-array", dimensions), lambda _: kept, kind))


_SIZES = {f"{sign}{size}": (sign, size) for sign in "us" for size in (8, 16, 32, 64)}


def _kept(who: str, kind: Any, value: Any) -> Any:
    """`value` as an array of the kind keeps it; what it cannot hold is refused."""
    name = kind.name if type(kind) is Symbol else None
    if kind is True:
        return value
    if name in ("f32", "f64"):
        number = flonum(arguments.real(who, 2, value))
        return number if name == "f64" else _single(number)
    if name in ("c32", "c64"):
        point = complex(arguments.number(who, 2, value))
        return point if name == "c64" else complex(_single(point.real), _single(point.imag))
    if name == "a":
        arguments.character(who, 2, value)
    elif name == "b":
        if type(value) is not bool:
            wrong_type(who, 2, value)
    elif name in _SIZES or name == "vu8":
        sign, size = _SIZES.get(name, ("u", 8))
        least = 0 if sign == "u" else -(1 << size - 1)
        if type(value) is not int:
            wrong_type(who, 2, value)
        if not least <= value < least + (1 << size):
            out_of_range(who, value)
    else:
        misc_error(who, "there is no array type ~S", kind)
    return value


def _single(number: float) -> float:
    """The number of 32 bits that is nearest."""
    try:
        return float(struct.unpack("=f", struct.pack("=f", number))[0])
    except OverflowError:
        return math.copysign(math.inf, number)


@LIBRARY.procedure("array?")
def is_array(obj: Any, kind: Any = None) -> bool:
    """Is OBJ an array (of that type)?"""
    if type(obj) not in (Array, list, str, MString, bytes, bytearray):
        return False
    return kind is None or as_array("array?", 1, obj).kind is kind


@LIBRARY.procedure("typed-array?")
def is_typed_array(obj: Any, kind: Any) -> bool:
    """Is OBJ an array of that type?"""
    return is_array(obj, kind)


@LIBRARY.procedure("array-type")
def array_type(array: Any) -> Any:
    """The type of an array's elements; #t is any."""
    return as_array("array-type", 1, array).kind


@LIBRARY.procedure("array-rank")
def array_rank(array: Any) -> int:
    """The number of dimensions."""
    return len(as_array("array-rank", 1, array).bounds)


@LIBRARY.procedure("array-length")
def array_length(array: Any) -> int:
    """The size of the first dimension."""
    own = as_array("array-length", 1, array)
    if not own.bounds:
        misc_error("array-length", "an array without dimensions has no length")
    low, high = own.bounds[0]
    return high - low + 1


@LIBRARY.procedure("array-dimensions")
def array_dimensions(array: Any) -> Any:
    """The sizes of the dimensions; for one that does not start at 0, its bounds."""
    bounds = as_array("array-dimensions", 1, array).bounds
    return scheme_list(high + 1 if not low else scheme_list((low, high)) for low, high in bounds)


@LIBRARY.procedure("array-shape")
def array_shape(array: Any) -> Any:
    """The least and the greatest index of each dimension."""
    return scheme_list(scheme_list(bounds) for bounds in as_array("array-shape", 1, array).bounds)


@LIBRARY.procedure("array-in-bounds?")
def is_in_bounds(array: Any, *indices: Any) -> bool:
    """Is there an element of these indices?"""
    bounds = as_array("array-in-bounds?", 1, array).bounds
    if len(indices) != len(bounds):
        misc_error("array-in-bounds?", "~A indices for an array of ~A", len(indices), len(bounds))
    pairs = zip(bounds, indices, strict=True)
    return all(type(i) is int and low <= i <= high for (low, high), i in pairs)


@LIBRARY.procedure("array-ref")
def array_ref(array: Any, *indices: Any) -> Any:
    """The element of these indices."""
    own = as_array("array-ref", 1, array)
    return own.items[own.place("array-ref", indices)]


@LIBRARY.procedure("array-set!")
def array_set(array: Any, value: Any, *indices: Any) -> Any:
    """Make VALUE the element of these indices."""
    own = as_array("array-set!", 1, array)
    value = _kept("array-set!", own.kind, value)
    if isinstance(own.items, tuple | bytes):
        wrong_type("array-set!", 1, array)
    own.items[own.place("array-set!", indices)] = value
    return UNSPECIFIED


@LIBRARY.procedure("array-fill!")
def array_fill(array: Any, value: Any) -> Any:
    """Make VALUE every element."""
    for indices in as_array("array-fill!", 1, array).indices():
        array_set(array, value, *indices)
    return UNSPECIFIED


@LIBRARY.procedure("array-copy!", "array-copy-in-order!")
def array_copy(source: Any, target: Any) -> Any:
    """Copy the elements of SOURCE to the same indices of TARGET."""
    for indices in as_array("array-copy!", 1, source).indices():
        array_set(target, array_ref(source, *indices), *indices)
    return UNSPECIFIED


@LIBRARY.procedure("array->list")
def array_to_list(array: Any) -> Any:
    """The elements as lists of lists."""
    return _listed(as_array("array->list", 1, array))


def _listed(array: Array, start: tuple[int, ...] = ()) -> Any:
    if len(start) == len(array.bounds):
        return array.items[array.place("array->list", start)]
    low, high = array.bounds[len(start)]
    return scheme_list(_listed(array, (*start, index)) for index in range(low, high + 1))


@LIBRARY.procedure("list->array")
def list_to_array(shape: Any, items: Any) -> Any:
    """An array of lists of lists; SHAPE is its rank, or a list of the least indices."""
    return list_to_typed_array(True, shape, items)


@LIBRARY.procedure("list->typed-array")
def list_to_typed_array(kind: Any, shape: Any, items: Any) -> Any:
    """As list->array, with elements of a type such as u8."""
    who = "list->array"
    if type(shape) is int:
        lows = [0] * arguments.index(who, 1, shape)
    else:
        lows = [s.car if type(s) is Pair else s for s in arguments.items(who, 1, shape)]
    sizes: list[int] = []
    level = items
    for _ in lows:
        sizes.append(len(arguments.items(who, 2, level)))
        level = level.car if type(level) is Pair else NIL
    leaves: list[Any] = []

    def gather(part: Any, depth: int) -> None:
        if depth == len(lows):
            leaves.append(_kept(who, kind, part))
            return
        found = arguments.items(who, 2, part)
        if len(found) != sizes[depth]:
            misc_error(who, "the lists in it are of different lengths: ~S", items)
        for item in found:
            gather(item, depth + 1)

    gather(items, 0)
    bounds = tuple((low, low + size - 1) for low, size in zip(lows, sizes, strict=True))
    return _simple(_fresh(bounds, lambda number: leaves[number], kind))


@LIBRARY.procedure("array-equal?")
def is_array_equal(*arrays: Any) -> bool:
    """Have the arrays the same shape, the same type and equal elements?"""
    own = [as_array("array-equal?", at, array) for at, array in enumerate(arrays, 1)]
    return all(
        a.bounds == b.bounds
        and a.kind is b.kind
        and all(
            is_equal(a.items[a.place("array-equal?", i)], b.items[b.place("array-equal?", i)])
            for i in a.indices()
        )
        for a, b in itertools.pairwise(own)
    )


@LIBRARY.procedure("array-map!", "array-map-in-order!")
def array_map(target: Any, procedure: Any, *sources: Any) -> Any:
    """Make the elements of TARGET what PROCEDURE gives for those of the sources."""
    for indices in as_array("array-map!", 1, target).indices():
        values = [array_ref(source, *indices) for source in sources]
        array_set(target, call(procedure, *values), *indices)
    return UNSPECIFIED


@LIBRARY.procedure("array-for-each")
def array_for_each(procedure: Any, array: Any, *more: Any) -> Any:
    """Call PROCEDURE with the elements of the arrays that have the same indices."""
    for indices in as_array("array-for-each", 2, array).indices():
        call(procedure, *(array_ref(one, *indices) for one in (array, *more)))
    return UNSPECIFIED


@LIBRARY.procedure("array-index-map!")
def array_index_map(array: Any, procedure: Any) -> Any:
    """Make each element what PROCEDURE gives for its indices."""
    for indices in as_array("array-index-map!", 1, array).indices():
        array_set(array, call(procedure, *indices), *indices)
    return UNSPECIFIED


@LIBRARY.procedure("transpose-array")
def transpose_array(array: Any, *order: Any) -> Any:
    """The array with its dimensions in another order; it shares its elements. Dimensions that go
    to the same place give a diagonal."""
    who = "transpose-array"
    own = as_array(who, 1, array)
    places = [arguments.index(who, at, place) for at, place in enumerate(order, 2)]
    if len(places) != len(own.bounds) or set(places) != set(range(len(set(places)))):
        misc_error(who, "~S is no order of ~A dimensions", scheme_list(order), len(own.bounds))
    bounds, steps = [], []
    for place in range(len(set(places))):
        here = [at for at, other in enumerate(places) if other == place]
        lows, highs = zip(*(own.bounds[at] for at in here), strict=True)
        bounds.append((max(lows), min(highs)))
        steps.append(sum(own.steps[at] for at in here))
    return _simple(Array(own.items, tuple(bounds), tuple(steps), own.base, own.kind))


@LIBRARY.procedure("make-shared-array")
def make_shared_array(array: Any, mapping: Any, *dimensions: Any) -> Any:
    """An array whose elements are those of ARRAY: MAPPING, which must be linear, gives a list of
    indices in ARRAY for indices in the new one."""
    who = "make-shared-array"
    own = as_array(who, 1, array)
    bounds = _bounds(who, dimensions)
    lows = [low for low, _ in bounds]
    if any(high < low for low, high in bounds):
        return _simple(Array([], bounds, (0,) * len(bounds), 0, own.kind))

    def place(indices: list[int]) -> int:
        return own.place(who, arguments.items(who, 2, call(mapping, *indices)))

    start = place(lows)
    steps = []
    for at, (low, high) in enumerate(bounds):
        further = [*lows[:at], low + 1, *lows[at + 1 :]]
        steps.append(place(further) - start if high > low else 0)
    place([high for _, high in bounds])  # the other corner must be an element, too
    base = start - sum(low * step for low, step in zip(lows, steps, strict=True))
    return _simple(Array(own.items, bounds, tuple(steps), base, own.kind))


@LIBRARY.procedure("array-slice")
def array_slice(array: Any, *indices: Any) -> Any:
    """The array whose elements are those of ARRAY that have these first indices; it shares them."""
    return _slice("array-slice", array, indices)


def _slice(who: str, array: Any, indices: Sequence[Any]) -> Any:
    own = as_array(who, 1, array)
    count = len(indices)
    if count > len(own.bounds):
        misc_error(who, "~A indices for an array of ~A", count, len(own.bounds))
    rest = own.bounds[count:]
    base = own.place(who, [*indices, *(low for low, _ in rest)])
    base -= sum(low * step for (low, _), step in zip(rest, own.steps[count:], strict=True))
    return _simple(Array(own.items, rest, own.steps[count:], base, own.kind))


@LIBRARY.procedure("array-cell-ref")
def array_cell_ref(array: Any, *indices: Any) -> Any:
    """The part of ARRAY whose first indices are these: an element if they are all."""
    if len(indices) == array_rank(array):
        return array_ref(array, *indices)
    return _slice("array-cell-ref", array, indices)


@LIBRARY.procedure("array-cell-set!")
def array_cell_set(array: Any, value: Any, *indices: Any) -> Any:
    """Make VALUE the part of ARRAY whose first indices are these, and return ARRAY."""
    if len(indices) == array_rank(array):
        array_set(array, value, *indices)
    else:
        array_copy(value, _slice("array-cell-set!", array, indices))
    return array


@LIBRARY.procedure("array-slice-for-each", "array-slice-for-each-in-order")
def array_slice_for_each(rank: Any, procedure: Any, *arrays: Any) -> Any:
    """Call PROCEDURE with the slices of ARRAYS for all values of their first RANK indices."""
    who = "array-slice-for-each"
    count = arguments.index(who, 1, rank)
    frames = [as_array(who, at, array).bounds[:count] for at, array in enumerate(arrays, 3)]
    if any(len(frame) != count or frame != frames[0] for frame in frames):
        misc_error(who, "arrays whose first ~A dimensions are not alike: ~S", count, arrays[0])
    ranges = [range(low, high + 1) for low, high in frames[0]] if frames else []
    for indices in itertools.product(*ranges):
        call(procedure, *(_slice(who, array, indices) for array in arrays))
    return UNSPECIFIED
