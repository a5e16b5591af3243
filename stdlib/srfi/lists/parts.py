"""Making lists and taking them apart (SRFI 1: constructors, predicates, selectors)."""

from __future__ import annotations

import itertools
from typing import Any

from lang.data import NIL, Pair, cons, scheme_list
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import wrong_type
from lang.runtime.trampoline import call, several, tail_calling

LIBRARY = Library("srfi", "lists", "parts")


@LIBRARY.procedure("xcons")
def xcons(rest: Any, first: Any) -> Pair:
    return cons(first, rest)


@LIBRARY.procedure("list-tabulate")
def list_tabulate(count: Any, function: Any) -> Any:
    number = arguments.index("list-tabulate", 1, count)
    return scheme_list([call(function, position) for position in range(number)])


@LIBRARY.procedure("circular-list")
def circular_list(first: Any, *more: Any) -> Any:
    result = scheme_list((first, *more))
    last = result
    while type(last.cdr) is Pair:
        last = last.cdr
    last.cdr = result
    return result


def _kind(value: Any) -> str:
    """proper, dotted or circular."""
    slow = value
    while type(value) is Pair:
        value = value.cdr
        if type(value) is not Pair:
            break
        value = value.cdr
        slow = slow.cdr
        if value is slow:
            return "circular"
    return "proper" if value is NIL else "dotted"


@LIBRARY.procedure("proper-list?")
def is_proper(value: Any) -> bool:
    return _kind(value) == "proper"


@LIBRARY.procedure("circular-list?")
def is_circular(value: Any) -> bool:
    return _kind(value) == "circular"


@LIBRARY.procedure("dotted-list?")
def is_dotted(value: Any) -> bool:
    return _kind(value) == "dotted"


@LIBRARY.procedure("null-list?")
def is_null_list(value: Any) -> bool:
    if type(value) is not Pair and value is not NIL:
        wrong_type("null-list?", 1, value)
    return value is NIL


@LIBRARY.procedure("not-pair?")
def is_not_pair(value: Any) -> bool:
    return type(value) is not Pair


@LIBRARY.procedure("list=")
def lists_equal(same: Any, *lists: Any) -> bool:
    rows = [arguments.items("list=", i, items) for i, items in enumerate(lists, 2)]
    for a, b in itertools.pairwise(rows):
        if len(a) != len(b):
            return False
        for x, y in zip(a, b, strict=True):
            if call(same, x, y) is False:
                return False
    return True


@LIBRARY.procedure("length+")
def length_plus(items: Any) -> Any:
    """The length of a list, or #f of a circular one."""
    if _kind(items) == "circular":
        return False
    return len(arguments.items("length+", 1, items))


@LIBRARY.procedure("car+cdr")
@tail_calling
def car_and_cdr(pair: Any) -> Any:
    if type(pair) is not Pair:
        wrong_type("car+cdr", 1, pair)
    return several((pair.car, pair.cdr))


def _ordinal(name: str, number: int) -> None:
    @LIBRARY.procedure(name)
    def element(items: Any) -> Any:
        rest = items
        for _ in range(number):
            if type(rest) is not Pair:
                wrong_type(name, 1, items)
            rest = rest.cdr
        if type(rest) is not Pair:
            wrong_type(name, 1, items)
        return rest.car


for _number, _name in enumerate(
    ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
):
    _ordinal(_name, _number)


def split(who: str, items: Any, count: Any) -> tuple[list[Any], Any]:
    """The first `count` elements, and what is left."""
    taken = []
    rest = items
    for _ in range(arguments.index(who, 2, count)):
        if type(rest) is not Pair:
            wrong_type(who, 1, items)
        taken.append(rest.car)
        rest = rest.cdr
    return taken, rest


@LIBRARY.procedure("take", "take!")
def take(items: Any, count: Any) -> Any:
    return scheme_list(split("take", items, count)[0])


@LIBRARY.procedure("drop")
def drop(items: Any, count: Any) -> Any:
    return split("drop", items, count)[1]


@LIBRARY.procedure("split-at", "split-at!")
@tail_calling
def split_at(items: Any, count: Any) -> Any:
    taken, rest = split("split-at", items, count)
    return several((scheme_list(taken), rest))


def _pairs(items: Any) -> tuple[list[Any], Any]:
    """The elements of a list that may be dotted, and what ends it."""
    found = []
    while type(items) is Pair:
        found.append(items.car)
        items = items.cdr
    return found, items


def _last(who: str, items: Any, count: Any) -> tuple[list[Any], list[Any], Any]:
    found, end = _pairs(items)
    number = arguments.index(who, 2, count)
    if number > len(found):
        wrong_type(who, 1, items)
    return found[: len(found) - number], found[len(found) - number :], end


@LIBRARY.procedure("take-right")
def take_right(items: Any, count: Any) -> Any:
    _, taken, end = _last("take-right", items, count)
    return scheme_list(taken, end)


@LIBRARY.procedure("drop-right", "drop-right!")
def drop_right(items: Any, count: Any) -> Any:
    return scheme_list(_last("drop-right", items, count)[0])


@LIBRARY.procedure("last")
def last(items: Any) -> Any:
    if type(items) is not Pair:
        wrong_type("last", 1, items)
    while type(items.cdr) is Pair:
        items = items.cdr
    return items.car


@LIBRARY.procedure("concatenate", "concatenate!")
def concatenate(lists: Any) -> Any:
    from lang.runtime.primitives.lists import append

    return append(*arguments.items("concatenate", 1, lists))


@LIBRARY.procedure("append-reverse", "append-reverse!")
def append_reverse(head: Any, tail: Any) -> Any:
    rest = head
    while type(rest) is Pair:
        tail = cons(rest.car, tail)
        rest = rest.cdr
    if rest is not NIL:
        wrong_type("append-reverse", 1, head)
    return tail


@LIBRARY.procedure("zip")
def zip_(first: Any, *more: Any) -> Any:
    from lang.runtime.primitives.lists import parallel

    return scheme_list(map(scheme_list, parallel("zip", first, *more)))


def _unzip(count: int) -> None:
    name = f"unzip{count}"

    @LIBRARY.procedure(name)
    @tail_calling
    def unzip(lists: Any) -> Any:
        rows = [arguments.items(name, 1, row) for row in arguments.items(name, 1, lists)]
        if any(len(row) < count for row in rows):
            wrong_type(name, 1, lists)
        columns = [scheme_list(row[index] for row in rows) for index in range(count)]
        return columns[0] if count == 1 else several(columns)


for _number in range(1, 6):
    _unzip(_number)


@LIBRARY.procedure("alist-cons")
def alist_cons(key: Any, value: Any, alist: Any) -> Any:
    return cons(cons(key, value), alist)


@LIBRARY.procedure("alist-copy")
def alist_copy(alist: Any) -> Any:
    return scheme_list(
        cons(entry.car, entry.cdr) if type(entry) is Pair else entry
        for entry in arguments.items("alist-copy", 1, alist)
    )


@LIBRARY.procedure("alist-delete", "alist-delete!")
def alist_delete(key: Any, alist: Any, same: Any = None) -> Any:
    from lang.runtime.equality import is_equal

    kept = []
    for entry in arguments.items("alist-delete", 2, alist):
        if type(entry) is not Pair:
            wrong_type("alist-delete", 2, alist)
        if same is None:
            found = is_equal(key, entry.car)
        else:
            found = call(same, key, entry.car) is not False
        if not found:
            kept.append(entry)
    return scheme_list(kept)
