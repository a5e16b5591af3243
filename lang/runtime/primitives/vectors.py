"""Vectors (R7RS section 6.8, Guile's manual). A vector is a Python list."""

from __future__ import annotations

from typing import Any

from lang.data import UNSPECIFIED, scheme_list
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import out_of_range
from lang.runtime.trampoline import call

LIBRARY = Library("guile")


@LIBRARY.procedure("vector?")
def is_vector(value: Any) -> bool:
    return type(value) is list


@LIBRARY.procedure("vector")
def vector(*items: Any) -> list[Any]:
    return list(items)


@LIBRARY.procedure("make-vector")
def make_vector(count: Any, fill: Any = UNSPECIFIED) -> list[Any]:
    return [fill] * arguments.index("make-vector", 1, count)


@LIBRARY.procedure("vector-length")
def vector_length(items: Any) -> int:
    return len(arguments.vector("vector-length", 1, items))


@LIBRARY.procedure("vector-ref")
def vector_ref(items: Any, position: Any) -> Any:
    arguments.vector("vector-ref", 1, items)
    if arguments.index("vector-ref", 2, position) >= len(items):
        out_of_range("vector-ref", position)
    return items[position]


@LIBRARY.procedure("vector-set!")
def vector_set(items: Any, position: Any, value: Any) -> Any:
    arguments.vector("vector-set!", 1, items)
    if arguments.index("vector-set!", 2, position) >= len(items):
        out_of_range("vector-set!", position)
    items[position] = value
    return UNSPECIFIED


def part(who: str, items: Any, start: Any, end: Any) -> list[Any]:
    """A copy of the part of a vector between optional bounds."""
    whole = arguments.vector(who, 1, items)
    first, last = arguments.span(who, len(whole), start, end)
    return whole[first:last]


@LIBRARY.procedure("vector->list")
def vector_to_list(items: Any, start: Any = None, end: Any = None) -> Any:
    return scheme_list(part("vector->list", items, start, end))


@LIBRARY.procedure("list->vector")
def list_to_vector(items: Any) -> list[Any]:
    return arguments.items("list->vector", 1, items)


@LIBRARY.procedure("vector-copy", "subvector")
def vector_copy(items: Any, start: Any = None, end: Any = None) -> list[Any]:
    return part("vector-copy", items, start, end)


@LIBRARY.procedure("vector-copy!")
def vector_copy_onto(target: Any, at: Any, source: Any, start: Any = None, end: Any = None) -> Any:
    copied = part("vector-copy!", source, start, end)
    first = arguments.index("vector-copy!", 2, at)
    if first + len(copied) > len(arguments.vector("vector-copy!", 1, target)):
        out_of_range("vector-copy!", at)
    target[first : first + len(copied)] = copied
    return UNSPECIFIED


@LIBRARY.procedure("vector-move-left!", "vector-move-right!")
def vector_move(source: Any, start: Any, end: Any, target: Any, at: Any) -> Any:
    return vector_copy_onto(target, at, source, start, end)


@LIBRARY.procedure("vector-fill!")
def vector_fill(items: Any, value: Any, start: Any = None, end: Any = None) -> Any:
    whole = arguments.vector("vector-fill!", 1, items)
    first, last = arguments.span("vector-fill!", len(whole), start, end)
    whole[first:last] = [value] * (last - first)
    return UNSPECIFIED


@LIBRARY.procedure("vector-append")
def vector_append(*vectors: Any) -> list[Any]:
    joined: list[Any] = []
    for position, items in enumerate(vectors, 1):
        joined += arguments.vector("vector-append", position, items)
    return joined


@LIBRARY.procedure("vector-map")
def vector_map(function: Any, items: Any, *more: Any) -> list[Any]:
    """R7RS's vector-map, the default in later Guiles. SRFI 43 has another one."""
    vectors = [arguments.vector("vector-map", i, v) for i, v in enumerate((items, *more), 2)]
    return [call(function, *row) for row in zip(*vectors, strict=False)]


@LIBRARY.procedure("vector-for-each")
def vector_for_each(function: Any, items: Any, *more: Any) -> Any:
    vectors = [arguments.vector("vector-for-each", i, v) for i, v in enumerate((items, *more), 2)]
    for row in zip(*vectors, strict=False):
        call(function, *row)
    return UNSPECIFIED
