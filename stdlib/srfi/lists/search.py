"""Searching, filtering and deleting (SRFI 1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lang.data import NIL, Pair, scheme_list
from lang.runtime.equality import equal_key, is_equal
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.equivalence import LIBRARY as EQUIVALENCE
from lang.runtime.primitives.lists import parallel
from lang.runtime.signals import wrong_type
from lang.runtime.trampoline import TAIL, call, force, several, tail_calling

LIBRARY = Library("srfi", "lists", "search")

_EQUAL = EQUIVALENCE.bindings["equal?"]


def equivalence(given: Any) -> Callable[[Any, Any], bool]:
    """A Scheme equivalence (equal? if None is given) as a Python test."""
    if given is None or given is _EQUAL:
        return is_equal
    return lambda a, b: call(given, a, b) is not False


def holds(predicate: Any, value: Any) -> bool:
    """Whether a Scheme predicate is true of `value`."""
    verdict = predicate(value)
    if verdict is TAIL:
        verdict = force()
    return verdict is not False


@LIBRARY.procedure("find")
def find(predicate: Any, items: Any) -> Any:
    tail = find_tail(predicate, items)
    return False if tail is False else tail.car


@LIBRARY.procedure("find-tail")
def find_tail(predicate: Any, items: Any) -> Any:
    rest = items
    while type(rest) is Pair:
        if holds(predicate, rest.car):
            return rest
        rest = rest.cdr
    if rest is not NIL:
        wrong_type("find", 2, items)
    return False


@LIBRARY.procedure("any")
def any_(predicate: Any, items: Any, *more: Any) -> Any:
    rests = (items, *more)
    while all(type(rest) is Pair for rest in rests):
        value = call(predicate, *(rest.car for rest in rests))
        if value is not False:
            return value
        rests = tuple(rest.cdr for rest in rests)
    return False


@LIBRARY.procedure("every")
def every(predicate: Any, items: Any, *more: Any) -> Any:
    value: Any = True
    rests = (items, *more)
    while all(type(rest) is Pair for rest in rests):
        value = call(predicate, *(rest.car for rest in rests))
        if value is False:
            return False
        rests = tuple(rest.cdr for rest in rests)
    return value


@LIBRARY.procedure("count")
def count(predicate: Any, items: Any, *more: Any) -> int:
    return sum(call(predicate, *row) is not False for row in parallel("count", items, *more))


@LIBRARY.procedure("list-index")
def list_index(predicate: Any, items: Any, *more: Any) -> Any:
    for position, row in enumerate(parallel("list-index", items, *more)):
        if call(predicate, *row) is not False:
            return position
    return False


@LIBRARY.procedure("take-while", "take-while!")
def take_while(predicate: Any, items: Any) -> Any:
    return scheme_list(_span("take-while", predicate, items, wanted=True)[0])


@LIBRARY.procedure("drop-while")
def drop_while(predicate: Any, items: Any) -> Any:
    return _span("drop-while", predicate, items, wanted=True)[1]


@LIBRARY.procedure("span", "span!")
@tail_calling
def span(predicate: Any, items: Any) -> Any:
    taken, rest = _span("span", predicate, items, wanted=True)
    return several((scheme_list(taken), rest))


@LIBRARY.procedure("break", "break!")
@tail_calling
def break_(predicate: Any, items: Any) -> Any:
    taken, rest = _span("break", predicate, items, wanted=False)
    return several((scheme_list(taken), rest))


def _span(who: str, predicate: Any, items: Any, *, wanted: bool) -> tuple[list[Any], Any]:
    taken = []
    rest = items
    while type(rest) is Pair and holds(predicate, rest.car) is wanted:
        taken.append(rest.car)
        rest = rest.cdr
    if type(rest) is not Pair and rest is not NIL:
        wrong_type(who, 2, items)
    return taken, rest


@LIBRARY.procedure("partition", "partition!")
@tail_calling
def partition(predicate: Any, items: Any) -> Any:
    chosen: list[Any] = []
    others: list[Any] = []
    for item in arguments.items("partition", 2, items):
        (chosen if holds(predicate, item) else others).append(item)
    return several((scheme_list(chosen), scheme_list(others)))


@LIBRARY.procedure("remove", "remove!")
def remove(predicate: Any, items: Any) -> Any:
    values = arguments.items("remove", 2, items)
    return scheme_list([item for item in values if not holds(predicate, item)])


@LIBRARY.procedure("delete", "delete!")
def delete(unwanted: Any, items: Any, same: Any = None) -> Any:
    test = equivalence(same)
    values = arguments.items("delete", 2, items)
    return scheme_list([item for item in values if not test(unwanted, item)])


@LIBRARY.procedure("delete-duplicates", "delete-duplicates!")
def delete_duplicates(items: Any, same: Any = None) -> Any:
    values = arguments.items("delete-duplicates", 1, items)
    if same is None or same is _EQUAL:
        return scheme_list(_first_of_each(values))
    kept: list[Any] = []
    for item in values:
        if not any(call(same, earlier, item) is not False for earlier in kept):
            kept.append(item)
    return scheme_list(kept)


def _first_of_each(values: list[Any]) -> list[Any]:
    """`values` without those that an earlier one is equal? to."""
    kept: dict[Any, Any] = {}
    for value in values:
        kept.setdefault(equal_key(value), value)
    return list(kept.values())
