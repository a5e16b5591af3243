"""Association lists (Guile's manual, "Association Lists")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lang.data import NIL, Char, Pair, Symbol, cons, scheme_list
from lang.runtime.equality import is_eq, is_equal, is_eqv
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import wrong_type
from lang.runtime.trampoline import call

LIBRARY = Library("guile")

Same = Callable[[Any, Any], bool]


@LIBRARY.procedure("acons")
def acons(key: Any, value: Any, alist: Any) -> Any:
    return cons(cons(key, value), alist)


def find(who: str, same: Same, key: Any, alist: Any) -> Any:
    """The first entry of `alist` for `key`, or #f."""
    kind = type(key)
    rest = alist
    if same is not is_equal and kind is int:
        while type(rest) is Pair and type(entry := rest.car) is Pair:
            if entry.car == key and type(entry.car) is int:
                return entry
            rest = rest.cdr
    elif kind is Symbol or kind is Char:
        while type(rest) is Pair and type(entry := rest.car) is Pair:
            if entry.car is key:
                return entry
            rest = rest.cdr
    while type(rest) is Pair:
        entry = rest.car
        if type(entry) is not Pair:
            wrong_type(who, 2, alist)
        if same(key, entry.car):
            return entry
        rest = rest.cdr
    if rest is not NIL:
        wrong_type(who, 2, alist)
    return False


def _family(same: Same, letter: str) -> None:
    """assq and what belongs to it, for eq?; the same for the other two."""
    name = f"ass{letter}"

    @LIBRARY.procedure(name)
    def lookup(key: Any, alist: Any, by: Callable[..., Any] | None = None) -> Any:
        """R7RS's assoc takes an equivalence."""
        if by is None:
            return find(name, same, key, alist)
        return find(name, lambda a, b: call(by, a, b) is not False, key, alist)

    @LIBRARY.procedure(f"sloppy-{name}")
    def sloppy_lookup(key: Any, alist: Any) -> Any:
        while type(alist) is Pair:
            if type(alist.car) is Pair and same(key, alist.car.car):
                return alist.car
            alist = alist.cdr
        return False

    @LIBRARY.procedure(f"{name}-ref")
    def reference(alist: Any, key: Any) -> Any:
        entry = sloppy_lookup(key, alist)
        return False if entry is False else entry.cdr

    @LIBRARY.procedure(f"{name}-set!")
    def assign(alist: Any, key: Any, value: Any) -> Any:
        entry = sloppy_lookup(key, alist)
        if entry is False:
            return cons(cons(key, value), alist)
        entry.cdr = value
        return alist

    @LIBRARY.procedure(f"{name}-remove!")
    def remove(alist: Any, key: Any) -> Any:
        entry = sloppy_lookup(key, alist)
        kept = arguments.items(f"{name}-remove!", 1, alist)
        return scheme_list([item for item in kept if item is not entry])


_family(is_eq, "q")
_family(is_eqv, "v")
_family(is_equal, "oc")
