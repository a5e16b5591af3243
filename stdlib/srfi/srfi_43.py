"""(srfi srfi-43): the vector library. Unlike R7RS's procedures of the same names, these pass the
index before the elements."""

from __future__ import annotations

from typing import Any

from lang.data import UNSPECIFIED, Values, scheme_list
from lang.runtime.library import Library
from lang.runtime.primitives import arguments, vectors
from lang.runtime.signals import out_of_range
from lang.runtime.trampoline import call, call_values

LIBRARY = Library("srfi", "srfi-43")

for _name in ("make-vector", "vector", "vector?", "vector-ref", "vector-set!", "vector-length"):
    LIBRARY.constant(_name, vectors.LIBRARY.bindings[_name])
for _name in ("list->vector", "vector->list", "vector-fill!", "vector-append", "vector-copy!"):
    LIBRARY.constant(_name, vectors.LIBRARY.bindings[_name])


def _rows(who: str, items: Any, more: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """(INDEX ELEMENT ...) for each index of the shortest vector."""
    all_vectors = [arguments.vector(who, i, v) for i, v in enumerate((items, *more), 2)]
    rows = zip(*all_vectors, strict=False)
    return [(index, *row) for index, row in enumerate(rows)]


@LIBRARY.procedure("vector-empty?")
def is_empty(items: Any) -> bool:
    return not arguments.vector("vector-empty?", 1, items)


@LIBRARY.procedure("vector-unfold")
def unfold(function: Any, length: Any, *seeds: Any) -> list[Any]:
    made = []
    for index in range(arguments.index("vector-unfold", 2, length)):
        item, seeds = _step(function, index, seeds)
        made.append(item)
    return made


@LIBRARY.procedure("vector-unfold-right")
def unfold_right(function: Any, length: Any, *seeds: Any) -> list[Any]:
    made = []
    for index in range(arguments.index("vector-unfold-right", 2, length) - 1, -1, -1):
        item, seeds = _step(function, index, seeds)
        made.append(item)
    return made[::-1]


def _step(function: Any, index: int, seeds: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    result = call_values(function, index, *seeds)
    if type(result) is Values:
        return result[0], tuple(result[1:])
    return result, ()


@LIBRARY.procedure("vector-copy")
def copy(items: Any, start: Any = None, end: Any = None, fill: Any = UNSPECIFIED) -> list[Any]:
    """The part from `start` to `end`, which may lie behind the vector's end."""
    whole = arguments.vector("vector-copy", 1, items)
    last = len(whole) if end is None else arguments.index("vector-copy", 3, end)
    first = 0 if start is None else arguments.index("vector-copy", 2, start)
    if first > min(last, len(whole)):
        out_of_range("vector-copy", start)
    return whole[first:last] + [fill] * max(last - len(whole), 0)


@LIBRARY.procedure("vector-reverse-copy")
def reverse_copy(items: Any, start: Any = None, end: Any = None) -> list[Any]:
    return vectors.part("vector-reverse-copy", items, start, end)[::-1]


@LIBRARY.procedure("vector-reverse-copy!")
def reverse_copy_onto(target: Any, at: Any, source: Any, start: Any = None, end: Any = None) -> Any:
    return vectors.vector_copy_onto(target, at, reverse_copy(source, start, end))


@LIBRARY.procedure("vector-concatenate")
def concatenate(lists: Any) -> Any:
    return vectors.vector_append(*arguments.items("vector-concatenate", 1, lists))


@LIBRARY.procedure("vector=")
def equal(same: Any, *many: Any) -> bool:
    checked = [arguments.vector("vector=", i, v) for i, v in enumerate(many, 2)]
    for index in range(1, len(checked)):
        a, b = checked[index - 1], checked[index]
        if len(a) != len(b):
            return False
        for x, y in zip(a, b, strict=True):
            if call(same, x, y) is False:
                return False
    return True


@LIBRARY.procedure("vector-fold")
def fold(function: Any, initial: Any, items: Any, *more: Any) -> Any:
    for index, *row in _rows("vector-fold", items, more):
        initial = call(function, index, initial, *row)
    return initial


@LIBRARY.procedure("vector-fold-right")
def fold_right(function: Any, initial: Any, items: Any, *more: Any) -> Any:
    for index, *row in reversed(_rows("vector-fold-right", items, more)):
        initial = call(function, index, initial, *row)
    return initial


@LIBRARY.procedure("vector-map")
def map_(function: Any, items: Any, *more: Any) -> list[Any]:
    return [call(function, *row) for row in _rows("vector-map", items, more)]


@LIBRARY.procedure("vector-map!")
def map_in_place(function: Any, items: Any, *more: Any) -> Any:
    mapped = map_(function, items, *more)
    items[: len(mapped)] = mapped
    return UNSPECIFIED


@LIBRARY.procedure("vector-for-each")
def for_each(function: Any, items: Any, *more: Any) -> Any:
    for row in _rows("vector-for-each", items, more):
        call(function, *row)
    return UNSPECIFIED


@LIBRARY.procedure("vector-count")
def count(predicate: Any, items: Any, *more: Any) -> int:
    rows = _rows("vector-count", items, more)
    return sum(call(predicate, *row) is not False for row in rows)


def _search(name: str, *, backwards: bool, wanted: bool) -> None:
    @LIBRARY.procedure(name)
    def search(predicate: Any, items: Any, *more: Any) -> Any:
        rows = _rows(name, items, more)
        for index, *row in reversed(rows) if backwards else rows:
            if (call(predicate, *row) is not False) is wanted:
                return index
        return False


_search("vector-index", backwards=False, wanted=True)
_search("vector-index-right", backwards=True, wanted=True)
_search("vector-skip", backwards=False, wanted=False)
_search("vector-skip-right", backwards=True, wanted=False)


@LIBRARY.procedure("vector-any")
def any_(predicate: Any, items: Any, *more: Any) -> Any:
    for _, *row in _rows("vector-any", items, more):
        value = call(predicate, *row)
        if value is not False:
            return value
    return False


@LIBRARY.procedure("vector-every")
def every(predicate: Any, items: Any, *more: Any) -> Any:
    value: Any = True
    for _, *row in _rows("vector-every", items, more):
        value = call(predicate, *row)
        if value is False:
            return False
    return value


@LIBRARY.procedure("vector-binary-search")
def binary_search(items: Any, wanted: Any, compare: Any) -> Any:
    low, high = 0, len(arguments.vector("vector-binary-search", 1, items))
    while low < high:
        middle = (low + high) // 2
        order = call(compare, items[middle], wanted)
        if order == 0:
            return middle
        if order < 0:
            low = middle + 1
        else:
            high = middle
    return False


@LIBRARY.procedure("vector-swap!")
def swap(items: Any, i: Any, j: Any) -> Any:
    whole = arguments.vector("vector-swap!", 1, items)
    for position, index in enumerate((i, j), 2):
        if arguments.index("vector-swap!", position, index) >= len(whole):
            out_of_range("vector-swap!", index)
    whole[i], whole[j] = whole[j], whole[i]
    return UNSPECIFIED


@LIBRARY.procedure("vector-reverse!")
def reverse(items: Any, start: Any = None, end: Any = None) -> Any:
    whole = arguments.vector("vector-reverse!", 1, items)
    first, last = arguments.span("vector-reverse!", len(whole), start, end)
    whole[first:last] = whole[first:last][::-1]
    return UNSPECIFIED


@LIBRARY.procedure("reverse-vector->list")
def reverse_to_list(items: Any, start: Any = None, end: Any = None) -> Any:
    return scheme_list(vectors.part("reverse-vector->list", items, start, end)[::-1])


@LIBRARY.procedure("reverse-list->vector")
def reverse_of_list(items: Any) -> list[Any]:
    return arguments.items("reverse-list->vector", 1, items)[::-1]
