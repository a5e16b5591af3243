"""Folding, unfolding and mapping (SRFI 1)."""

from __future__ import annotations

from typing import Any

from lang.data import NIL, UNSPECIFIED, Pair, cons, scheme_list
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.lists import append, parallel
from lang.runtime.signals import wrong_type
from lang.runtime.trampoline import TAIL, call, force

LIBRARY = Library("srfi", "lists", "folds")


@LIBRARY.procedure("fold")
def fold(function: Any, initial: Any, items: Any, *more: Any) -> Any:
    if more:
        for row in parallel("fold", items, *more):
            initial = call(function, *row, initial)
        return initial
    rest = items
    while type(rest) is Pair:
        initial = function(rest.car, initial)
        if initial is TAIL:
            initial = force()
        rest = rest.cdr
    if rest is not NIL:
        wrong_type("fold", 3, items)
    return initial


@LIBRARY.procedure("fold-right")
def fold_right(function: Any, initial: Any, items: Any, *more: Any) -> Any:
    for row in reversed(parallel("fold-right", items, *more)):
        initial = call(function, *row, initial)
    return initial


def pair_rows(who: str, lists: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Tuples of the lists' pairs, up to the end of the shortest list."""
    rows = []
    rests = lists
    while all(type(rest) is Pair for rest in rests):
        rows.append(rests)
        rests = tuple(rest.cdr for rest in rests)
    for position, rest in enumerate(rests, 2):
        if type(rest) is not Pair and rest is not NIL:
            wrong_type(who, position, lists[position - 2])
    return rows


@LIBRARY.procedure("pair-fold")
def pair_fold(function: Any, initial: Any, items: Any, *more: Any) -> Any:
    for row in pair_rows("pair-fold", (items, *more)):
        initial = call(function, *row, initial)
    return initial


@LIBRARY.procedure("pair-fold-right")
def pair_fold_right(function: Any, initial: Any, items: Any, *more: Any) -> Any:
    for row in reversed(pair_rows("pair-fold-right", (items, *more))):
        initial = call(function, *row, initial)
    return initial


@LIBRARY.procedure("pair-for-each")
def pair_for_each(function: Any, items: Any, *more: Any) -> Any:
    for row in pair_rows("pair-for-each", (items, *more)):
        call(function, *row)
    return UNSPECIFIED


@LIBRARY.procedure("reduce")
def reduce(function: Any, default: Any, items: Any) -> Any:
    values = arguments.items("reduce", 3, items)
    if not values:
        return default
    result = values[0]
    for value in values[1:]:
        result = call(function, value, result)
    return result


@LIBRARY.procedure("reduce-right")
def reduce_right(function: Any, default: Any, items: Any) -> Any:
    values = arguments.items("reduce-right", 3, items)
    if not values:
        return default
    result = values[-1]
    for value in reversed(values[:-1]):
        result = call(function, value, result)
    return result


@LIBRARY.procedure("unfold")
def unfold(stop: Any, to_item: Any, step: Any, seed: Any, make_tail: Any = None) -> Any:
    made = []
    while call(stop, seed) is False:
        made.append(call(to_item, seed))
        seed = call(step, seed)
    return scheme_list(made, NIL if make_tail is None else call(make_tail, seed))


@LIBRARY.procedure("unfold-right")
def unfold_right(stop: Any, to_item: Any, step: Any, seed: Any, tail: Any = NIL) -> Any:
    while call(stop, seed) is False:
        tail = cons(call(to_item, seed), tail)
        seed = call(step, seed)
    return tail


@LIBRARY.procedure("append-map", "append-map!")
def append_map(function: Any, items: Any, *more: Any) -> Any:
    return append(*[call(function, *row) for row in parallel("append-map", items, *more)])


@LIBRARY.procedure("filter-map")
def filter_map(function: Any, items: Any, *more: Any) -> Any:
    kept = []
    for row in parallel("filter-map", items, *more):
        value = call(function, *row)
        if value is not False:
            kept.append(value)
    return scheme_list(kept)


@LIBRARY.procedure("map!")
def map_in_place(function: Any, items: Any, *more: Any) -> Any:
    return scheme_list([call(function, *row) for row in parallel("map!", items, *more)])
