"""Lists as sets (SRFI 1: lset-adjoin and its relatives)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from lang.data import NIL, cons, scheme_list
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.trampoline import several, tail_calling
from stdlib.srfi.lists.search import equivalence

LIBRARY = Library("srfi", "lists", "sets")

Test = Callable[[Any, Any], bool]


def _sets(who: str, lists: tuple[Any, ...]) -> list[list[Any]]:
    return [arguments.items(who, position, items) for position, items in enumerate(lists, 2)]


def _within(test: Test, item: Any, items: list[Any]) -> bool:
    """Whether `item` is in `items`; `test` gets the element of `items` first."""
    return any(test(other, item) for other in items)


def _subset(test: Test, a: list[Any], b: list[Any]) -> bool:
    return all(any(test(x, y) for y in b) for x in a)


@LIBRARY.procedure("lset<=")
def subset(same: Any, *lists: Any) -> bool:
    test = equivalence(same)
    return all(_subset(test, a, b) for a, b in itertools.pairwise(_sets("lset<=", lists)))


@LIBRARY.procedure("lset=")
def equal(same: Any, *lists: Any) -> bool:
    test = equivalence(same)
    pairs = itertools.pairwise(_sets("lset=", lists))
    return all(_subset(test, a, b) and _subset(_flipped(test), b, a) for a, b in pairs)


def _flipped(test: Test) -> Test:
    return lambda a, b: test(b, a)


@LIBRARY.procedure("lset-adjoin")
def adjoin(same: Any, items: Any, *new: Any) -> Any:
    test = equivalence(same)
    present = arguments.items("lset-adjoin", 2, items)
    result = items
    for item in new:
        if not _within(test, item, present):
            present.append(item)
            result = cons(item, result)
    return result


@LIBRARY.procedure("lset-union", "lset-union!")
def union(same: Any, *lists: Any) -> Any:
    if not lists:
        return NIL
    test = equivalence(same)
    first, *others = _sets("lset-union", lists)
    result = lists[0]
    if not first and others:
        # The first list that is not empty is the beginning of the result, in its own order.
        while others and not first:
            first = others.pop(0)
        result = scheme_list(first)
    present = list(first)
    for items in others:
        for item in items:
            if not _within(test, item, present):
                present.append(item)
                result = cons(item, result)
    return result


@LIBRARY.procedure("lset-intersection", "lset-intersection!")
def intersection(same: Any, items: Any, *lists: Any) -> Any:
    test = equivalence(same)
    first, *others = _sets("lset-intersection", (items, *lists))
    return scheme_list(
        item for item in first if all(any(test(item, x) for x in other) for other in others)
    )


@LIBRARY.procedure("lset-difference", "lset-difference!")
def difference(same: Any, items: Any, *lists: Any) -> Any:
    test = equivalence(same)
    first, *others = _sets("lset-difference", (items, *lists))
    return scheme_list(
        item for item in first if not any(any(test(item, x) for x in other) for other in others)
    )


@LIBRARY.procedure("lset-diff+intersection", "lset-diff+intersection!")
@tail_calling
def difference_and_intersection(same: Any, items: Any, *lists: Any) -> Any:
    test = equivalence(same)
    first, *others = _sets("lset-diff+intersection", (items, *lists))
    apart: list[Any] = []
    shared: list[Any] = []
    for item in first:
        found = any(any(test(item, x) for x in other) for other in others)
        (shared if found else apart).append(item)
    return several((scheme_list(apart), scheme_list(shared)))


@LIBRARY.procedure("lset-xor", "lset-xor!")
def exclusive(same: Any, *lists: Any) -> Any:
    test = equivalence(same)
    result: list[Any] = []
    for items in _sets("lset-xor", lists):
        only_new = [item for item in items if not _within(test, item, result)]
        only_old = [item for item in result if not any(test(item, x) for x in items)]
        result = only_new + only_old
    return scheme_list(result)
