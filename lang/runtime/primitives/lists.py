"""Lists, as Guile has them by default (R7RS section 6.4 and Guile's manual, "Lists")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lang.data import NIL, UNSPECIFIED, Pair, scheme_list
from lang.runtime.equality import first_equal, is_eq, is_equal, is_eqv
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import out_of_range, wrong_type
from lang.runtime.trampoline import TAIL, call, force

LIBRARY = Library("guile")


@LIBRARY.procedure("list")
def make(*items: Any) -> Any:
    result: Any = NIL
    for item in reversed(items):
        pair = Pair()
        pair.car = item
        pair.cdr = result
        pair.pos = None
        result = pair
    return result


@LIBRARY.procedure("cons*", "list*")
def cons_star(first: Any, *more: Any) -> Any:
    *items, tail = (first, *more)
    return scheme_list(items, tail)


@LIBRARY.procedure("make-list")
def make_list(count: Any, fill: Any = NIL) -> Any:
    return scheme_list([fill] * arguments.index("make-list", 1, count))


@LIBRARY.procedure("list?")
def is_list(value: Any) -> bool:
    slow = value
    while True:
        if type(value) is not Pair:
            return value is NIL
        value = value.cdr
        if type(value) is not Pair:
            return value is NIL
        value = value.cdr
        slow = slow.cdr
        if value is slow:
            return False


@LIBRARY.procedure("length")
def length(items: Any) -> int:
    count = 0
    rest = items
    while type(rest) is Pair:
        count += 1
        rest = rest.cdr
        if not count & 0xFFFF and arguments.is_endless(rest):
            wrong_type("length", 1, items, "a list")
    if rest is not NIL:
        wrong_type("length", 1, items, "a list")
    return count


@LIBRARY.procedure("append", "append!")
def append(*lists: Any) -> Any:
    if not lists:
        return NIL
    result = lists[-1]
    for position in range(len(lists) - 1, 0, -1):
        head = lists[position - 1]
        if head is not NIL:
            result = scheme_list(arguments.items("append", position, head), result)
    return result


@LIBRARY.procedure("reverse")
def reverse(items: Any) -> Any:
    return _reversed_onto("reverse", items, NIL)


@LIBRARY.procedure("reverse!")
def reverse_onto(items: Any, tail: Any = NIL) -> Any:
    return _reversed_onto("reverse!", items, tail)


def _reversed_onto(who: str, items: Any, result: Any) -> Any:
    rest = items
    while type(rest) is Pair:
        for _ in range(arguments.SUSPICIOUS):
            pair = Pair()
            pair.car = rest.car
            pair.cdr = result
            pair.pos = None
            result = pair
            rest = rest.cdr
            if type(rest) is not Pair:
                break
        else:
            if arguments.is_endless(rest):
                break
    if rest is not NIL:
        wrong_type(who, 1, items, "a list")
    return result


@LIBRARY.procedure("list-copy")
def list_copy(items: Any) -> Any:
    copied = []
    rest = items
    while type(rest) is Pair:
        copied.append(rest.car)
        rest = rest.cdr
        if len(copied) == arguments.SUSPICIOUS and arguments.is_endless(rest):
            wrong_type("list-copy", 1, items, "a list")
    return scheme_list(copied, rest)


@LIBRARY.procedure("last-pair")
def last_pair(items: Any) -> Any:
    if type(items) is not Pair:
        if items is NIL:
            return NIL
        wrong_type("last-pair", 1, items)
    while type(items.cdr) is Pair:
        items = items.cdr
    return items


@LIBRARY.procedure("list-tail", "list-cdr-ref")
def list_tail(items: Any, count: Any) -> Any:
    return _tail("list-tail", items, count)


def _tail(who: str, items: Any, count: Any) -> Any:
    for _ in range(arguments.index(who, 2, count)):
        if type(items) is not Pair:
            out_of_range(who, count)
        items = items.cdr
    return items


def _pair_at(who: str, items: Any, position: Any) -> Pair:
    pair = _tail(who, items, position)
    if type(pair) is not Pair:
        out_of_range(who, position)
    return pair


@LIBRARY.procedure("list-ref")
def list_ref(items: Any, position: Any) -> Any:
    return _pair_at("list-ref", items, position).car


@LIBRARY.procedure("list-set!")
def list_set(items: Any, position: Any, value: Any) -> Any:
    _pair_at("list-set!", items, position).car = value
    return value


@LIBRARY.procedure("list-cdr-set!")
def list_cdr_set(items: Any, position: Any, value: Any) -> Any:
    _pair_at("list-cdr-set!", items, position).cdr = value
    return value


@LIBRARY.procedure("list-head")
def list_head(items: Any, count: Any) -> Any:
    taken = []
    for _ in range(arguments.index("list-head", 2, count)):
        if type(items) is not Pair:
            out_of_range("list-head", count)
        taken.append(items.car)
        items = items.cdr
    return scheme_list(taken)


@LIBRARY.procedure("list-index")
def list_index(items: Any, wanted: Any) -> Any:
    """Guile's own list-index: the position of an object by eq?. SRFI 1 has another one."""
    for position, item in enumerate(arguments.items("list-index", 1, items)):
        if is_eq(item, wanted):
            return position
    return False


@LIBRARY.procedure("iota")
def iota(count: Any, start: Any = 0, step: Any = 1) -> Any:
    arguments.number("iota", 2, start)
    arguments.number("iota", 3, step)
    number = arguments.index("iota", 1, count)
    return scheme_list(start + position * step for position in range(number))


@LIBRARY.procedure("map", "map-in-order")
def map_(function: Callable[..., Any], first: Any, *more: Any) -> Any:
    if more:
        return scheme_list([call(function, *values) for values in parallel("map", first, *more)])
    values = []
    rest = first
    while type(rest) is Pair:
        value = function(rest.car)
        if value is TAIL:
            value = force()
        values.append(value)
        rest = rest.cdr
        if len(values) == arguments.SUSPICIOUS and arguments.is_endless(rest):
            break
    if rest is not NIL:
        wrong_type("map", 2, first, "a list")
    return scheme_list(values)


@LIBRARY.procedure("for-each")
def for_each(function: Callable[..., Any], first: Any, *more: Any) -> Any:
    if more:
        for values in parallel("for-each", first, *more):
            call(function, *values)
        return UNSPECIFIED
    rest = first
    while type(rest) is Pair:
        if function(rest.car) is TAIL:
            force()
        rest = rest.cdr
    if rest is not NIL:
        wrong_type("for-each", 2, first, "a list")
    return UNSPECIFIED


def parallel(who: str, *lists: Any) -> list[tuple[Any, ...]]:
    """Tuples of the lists' elements, up to the end of the shortest list. One of the lists may be
    circular, but not all."""
    rows = []
    rests = list(lists)
    while all(type(rest) is Pair for rest in rests):
        rows.append(tuple(rest.car for rest in rests))
        rests = [rest.cdr for rest in rests]
    for position, rest in enumerate(rests, 2):
        if type(rest) is not Pair and rest is not NIL:
            wrong_type(who, position, lists[position - 2], "a list")
    return rows


@LIBRARY.procedure("and-map")
def and_map(function: Callable[..., Any], items: Any) -> Any:
    value: Any = True
    for item in arguments.items("and-map", 2, items):
        value = call(function, item)
        if value is False:
            return False
    return value


@LIBRARY.procedure("or-map")
def or_map(function: Callable[..., Any], items: Any) -> Any:
    for item in arguments.items("or-map", 2, items):
        value = call(function, item)
        if value is not False:
            return value
    return False


@LIBRARY.procedure("filter", "filter!")
def filter_(predicate: Callable[..., Any], items: Any) -> Any:
    kept = []
    for item in arguments.items("filter", 2, items):
        verdict = predicate(item)
        if verdict is TAIL:
            verdict = force()
        if verdict is not False:
            kept.append(item)
    return scheme_list(kept)


def _member(name: str, same: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    def member(wanted: Any, items: Any) -> Any:
        try:
            found = first_equal(same, wanted, items)
        except AttributeError:
            wrong_type(name, 2, items, "a list")
        return False if found is NIL else found

    return member


memq = LIBRARY.procedure("memq")(_member("memq", is_eq))
memv = LIBRARY.procedure("memv")(_member("memv", is_eqv))
_member_by_equal = _member("member", is_equal)


@LIBRARY.procedure("member")
def member(wanted: Any, items: Any, same: Callable[..., Any] | None = None) -> Any:
    """R7RS's, with an optional equivalence; Guile's own takes two arguments."""
    if same is None:
        return _member_by_equal(wanted, items)
    rest = items
    while type(rest) is Pair:
        if call(same, wanted, rest.car) is not False:
            return rest
        rest = rest.cdr
    return False


def _delete(same: Callable[[Any, Any], bool], *names: str) -> None:
    @LIBRARY.procedure(*names)
    def delete(unwanted: Any, items: Any) -> Any:
        return scheme_list(
            [item for item in arguments.items(names[0], 2, items) if not same(unwanted, item)]
        )


_delete(is_eq, "delq", "delq!")
_delete(is_eqv, "delv", "delv!")
_delete(is_equal, "delete", "delete!")


def _delete_first(name: str, same: Callable[[Any, Any], bool]) -> None:
    @LIBRARY.procedure(name)
    def delete_first(unwanted: Any, items: Any) -> Any:
        kept = arguments.items(name, 2, items)
        for position, item in enumerate(kept):
            if same(unwanted, item):
                del kept[position]
                break
        return scheme_list(kept)


_delete_first("delq1!", is_eq)
_delete_first("delv1!", is_eqv)
_delete_first("delete1!", is_equal)
