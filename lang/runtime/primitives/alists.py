"""Association lists (Guile's manual, "Association Lists")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lang.data import NIL, Pair, cons, scheme_list
from lang.runtime.equality import first_entry, is_eq, is_equal, is_eqv
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
    try:
        entry = first_entry(same, key, alist)
    except AttributeError:
        wrong_type(who, 2, alist, "an association list")
    return False if entry is NIL else entry


def _family(same: Same, letter: str) -> None:
    """assq and what belongs to it, for eq?; the same for the other two."""
    name = f"ass{letter}"

    @LIBRARY.procedure(name)
    def lookup(key: Any, alist: Any, by: Callable[..., Any] | None = None) -> Any:
        """R7RS's assoc takes an equivalence."""
        if by is None:
            return find(name, same, key, alist)
        for entry in arguments.items(name, 2, alist):
            if type(entry) is not Pair:
                wrong_type(name, 2, alist, "an association list")
            if call(by, key, entry.car) is not False:
                return entry
        return False

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
