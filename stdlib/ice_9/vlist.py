"""(ice-9 vlist): lists that share growable blocks, and hash lists made of them.

A vlist is the first part of a block, whose elements stand with the oldest one first. Adding to a
vlist that reaches the end of its block extends the block; adding to an older one copies it. So all
versions stay as they were, and adding, the head and access by index take constant time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from lang.data import UNSPECIFIED, Pair, cons, scheme_list
from lang.runtime.equality import Key, KeyFunction, eq_key, equal_key, eqv_key
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error, out_of_range, wrong_type
from lang.runtime.trampoline import call

LIBRARY = Library("ice-9", "vlist")


class Block:
    """Elements, and for a hash list the positions of each key's entries."""

    __slots__ = ("index", "items")

    def __init__(self, items: list[Any], index: dict[Key, list[int]] | None = None) -> None:
        self.items = items
        self.index = index


class VList:
    """The first `length` elements of `block`, the last of which is the head."""

    __slots__ = ("block", "length")

    def __init__(self, block: Block, length: int) -> None:
        self.block = block
        self.length = length

    def __iter__(self) -> Iterator[Any]:
        for position in range(self.length - 1, -1, -1):
            yield self.block.items[position]

    def __repr__(self) -> str:
        from lang.printer import write

        if self.block.index is not None:
            return f"#<vhash {self.length} pairs>"
        return f"#<vlist {write(scheme_list(self))}>"

    def added(self, item: Any) -> VList:
        """This vlist with `item` in front."""
        block = self.block
        if len(block.items) != self.length or block.index is not None:
            block = Block(block.items[: self.length])
        block.items.append(item)
        return VList(block, self.length + 1)

    def associated(self, key: Any, value: Any, key_of: KeyFunction) -> VList:
        """This hash list with an entry in front."""
        block = self.block
        if block.index is None or len(block.items) != self.length:
            block = Block([], {})
            for position, entry in enumerate(self.block.items[: self.length]):
                if type(entry) is not Pair:
                    wrong_type("vhash-cons", 3, self)
                block.items.append(entry)
                assert block.index is not None
                block.index.setdefault(key_of(entry.car), []).append(position)
        assert block.index is not None
        block.items.append(cons(key, value))
        block.index.setdefault(key_of(key), []).append(self.length)
        return VList(block, self.length + 1)

    def entries(self, wrapped: Key) -> Iterator[Pair]:
        """The entries of a key, the newest first."""
        for position in reversed((self.block.index or {}).get(wrapped, ())):
            if position < self.length:
                yield self.block.items[position]


EMPTY: Final = VList(Block([]), 0)
LIBRARY.constant("vlist-null", EMPTY)
LIBRARY.constant("block-growth-factor", 2)


def vlist(who: str, position: int, value: Any) -> VList:
    """A vlist."""
    if type(value) is not VList:
        wrong_type(who, position, value)
    return value


def made(items: Iterable[Any]) -> VList:
    """The vlist of `items`, the first of which is the head."""
    contents = list(items)[::-1]
    return VList(Block(contents), len(contents))


@LIBRARY.procedure("vlist?")
def is_vlist(value: Any) -> bool:
    return type(value) is VList


@LIBRARY.procedure("vhash?")
def is_vhash(value: Any) -> bool:
    return type(value) is VList and value.block.index is not None


@LIBRARY.procedure("vlist-null?")
def is_null(value: Any) -> bool:
    return vlist("vlist-null?", 1, value).length == 0


@LIBRARY.procedure("vlist-cons")
def vlist_cons(item: Any, rest: Any) -> VList:
    return vlist("vlist-cons", 2, rest).added(item)


def _head(who: str, value: Any) -> VList:
    checked = vlist(who, 1, value)
    if not checked.length:
        wrong_type(who, 1, value)
    return checked


@LIBRARY.procedure("vlist-head")
def head(value: Any) -> Any:
    checked = _head("vlist-head", value)
    return checked.block.items[checked.length - 1]


@LIBRARY.procedure("vlist-tail")
def tail(value: Any) -> VList:
    checked = _head("vlist-tail", value)
    return VList(checked.block, checked.length - 1)


@LIBRARY.procedure("vlist-length")
def length(value: Any) -> int:
    return vlist("vlist-length", 1, value).length


@LIBRARY.procedure("vlist-ref")
def ref(value: Any, position: Any) -> Any:
    checked = vlist("vlist-ref", 1, value)
    at = arguments.index("vlist-ref", 2, position)
    if at >= checked.length:
        out_of_range("vlist-ref", position)
    return checked.block.items[checked.length - 1 - at]


@LIBRARY.procedure("vlist-drop")
def drop(value: Any, count: Any) -> VList:
    checked = vlist("vlist-drop", 1, value)
    number = arguments.index("vlist-drop", 2, count)
    if number > checked.length:
        out_of_range("vlist-drop", count)
    return VList(checked.block, checked.length - number)


@LIBRARY.procedure("vlist-take")
def take(value: Any, count: Any) -> VList:
    checked = list(vlist("vlist-take", 1, value))
    number = arguments.index("vlist-take", 2, count)
    if number > len(checked):
        out_of_range("vlist-take", count)
    return made(checked[:number])


@LIBRARY.procedure("vlist-reverse")
def reverse(value: Any) -> VList:
    return made(list(vlist("vlist-reverse", 1, value))[::-1])


@LIBRARY.procedure("vlist-map")
def map_(function: Any, value: Any) -> VList:
    return made([call(function, item) for item in vlist("vlist-map", 2, value)])


@LIBRARY.procedure("vlist-for-each")
def for_each(function: Any, value: Any) -> Any:
    for item in vlist("vlist-for-each", 2, value):
        call(function, item)
    return UNSPECIFIED


@LIBRARY.procedure("vlist-fold")
def fold(function: Any, initial: Any, value: Any) -> Any:
    for item in vlist("vlist-fold", 3, value):
        initial = call(function, item, initial)
    return initial


@LIBRARY.procedure("vlist-fold-right")
def fold_right(function: Any, initial: Any, value: Any) -> Any:
    for item in reversed(list(vlist("vlist-fold-right", 3, value))):
        initial = call(function, item, initial)
    return initial


@LIBRARY.procedure("vlist-filter")
def filter_(predicate: Any, value: Any) -> VList:
    items = vlist("vlist-filter", 2, value)
    return made([item for item in items if call(predicate, item) is not False])


@LIBRARY.procedure("vlist-delete")
def delete(unwanted: Any, value: Any, same: Any = None) -> VList:
    items = vlist("vlist-delete", 2, value)
    if same is None:
        key = equal_key(unwanted)
        return made([item for item in items if equal_key(item) != key])
    return made([item for item in items if call(same, unwanted, item) is False])


@LIBRARY.procedure("vlist-append")
def append(*values: Any) -> VList:
    checked = [vlist("vlist-append", i, value) for i, value in enumerate(values, 1)]
    return made(item for value in checked for item in value)


@LIBRARY.procedure("vlist-unfold")
def unfold(stop: Any, to_item: Any, step: Any, seed: Any, make_tail: Any = None) -> VList:
    items = []
    while call(stop, seed) is False:
        items.append(call(to_item, seed))
        seed = call(step, seed)
    if make_tail is not None:
        items += vlist("vlist-unfold", 5, call(make_tail, seed))
    return made(items)


@LIBRARY.procedure("vlist-unfold-right")
def unfold_right(stop: Any, to_item: Any, step: Any, seed: Any, rest: Any = EMPTY) -> VList:
    result = vlist("vlist-unfold-right", 5, rest)
    while call(stop, seed) is False:
        result = result.added(call(to_item, seed))
        seed = call(step, seed)
    return result


@LIBRARY.procedure("list->vlist")
def of_list(items: Any) -> VList:
    return made(arguments.items("list->vlist", 1, items))


@LIBRARY.procedure("vlist->list")
def to_list(value: Any) -> Any:
    return scheme_list(vlist("vlist->list", 1, value))


# ---------------------------------------------------------------- hash lists


def _family(letter: str, key_of: KeyFunction) -> None:
    """vhash-consq, vhash-assq and so on, which look up by `key_of`."""
    put, find = f"vhash-cons{letter}", f"vhash-ass{letter or 'oc'}"
    remove, visit = f"vhash-delete{letter}", f"vhash-fold{letter}*"
    if not letter:
        put, remove, visit = "vhash-cons", "vhash-delete", "vhash-fold*"

    @LIBRARY.procedure(put)
    def associate(key: Any, value: Any, vhash: Any, *_hash: Any) -> VList:
        return vlist(put, 3, vhash).associated(key, value, key_of)

    @LIBRARY.procedure(find)
    def lookup(key: Any, vhash: Any, *_equivalence: Any) -> Any:
        return next(vlist(find, 2, vhash).entries(key_of(key)), False)

    @LIBRARY.procedure(remove, *([f"vhash-del{letter}"] if letter else []))
    def without(key: Any, vhash: Any, *_equivalence: Any) -> VList:
        wrapped = key_of(key)
        result = EMPTY
        for entry in reversed(list(vlist(remove, 2, vhash))):
            if key_of(entry.car) != wrapped:
                result = result.associated(entry.car, entry.cdr, key_of)
        return result

    @LIBRARY.procedure(visit)
    def fold_key(function: Any, initial: Any, key: Any, vhash: Any, *_equivalence: Any) -> Any:
        for entry in list(vlist(visit, 4, vhash).entries(key_of(key))):
            initial = call(function, entry.cdr, initial)
        return initial


_KEYS: Final = {"hash": equal_key, "hashq": eq_key, "hashv": eqv_key}

_family("", equal_key)
_family("q", eq_key)
_family("v", eqv_key)


@LIBRARY.procedure("vhash-fold")
def vhash_fold(function: Any, initial: Any, vhash: Any) -> Any:
    for entry in vlist("vhash-fold", 3, vhash):
        initial = call(function, entry.car, entry.cdr, initial)
    return initial


@LIBRARY.procedure("vhash-fold-right")
def vhash_fold_right(function: Any, initial: Any, vhash: Any) -> Any:
    for entry in reversed(list(vlist("vhash-fold-right", 3, vhash))):
        initial = call(function, entry.car, entry.cdr, initial)
    return initial


@LIBRARY.procedure("alist->vhash")
def of_alist(alist: Any, hasher: Any = None) -> VList:
    """`hasher` is hash, hashq or hashv and says by which equivalence keys are looked up."""
    key_of = _KEYS.get(getattr(hasher, "__name__", "hash"), equal_key)
    result = EMPTY
    for entry in reversed(arguments.items("alist->vhash", 1, alist)):
        if type(entry) is not Pair:
            misc_error("alist->vhash", "not a pair: ~S", entry)
        result = result.associated(entry.car, entry.cdr, key_of)
    return result if result.length else EMPTY
