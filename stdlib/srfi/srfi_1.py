"""(srfi srfi-1): the list library. What Guile has by default already is re-exported."""

from __future__ import annotations

from lang.runtime.library import Library
from lang.runtime.primitives import alists, lists, pairs
from stdlib.srfi.lists import folds, parts, search, sets

LIBRARY = Library("srfi", "srfi-1")

_FROM_CORE = (
    *("make-list", "list", "cons*", "list-copy", "iota", "list-ref", "last-pair", "length"),
    *("append", "append!", "reverse", "reverse!", "map", "for-each", "map-in-order"),
    *("filter", "filter!", "memq", "memv", "member"),
)

LIBRARY.bindings.update(pairs.LIBRARY.bindings)
LIBRARY.bindings.update((name, lists.LIBRARY.bindings[name]) for name in _FROM_CORE)
LIBRARY.bindings.update((name, alists.LIBRARY.bindings[name]) for name in ("assq", "assv", "assoc"))
for _theme in (parts, folds, search, sets):
    LIBRARY.bindings.update(_theme.LIBRARY.bindings)
