"""What lowering works with: the store and Debian's index, chosen by the command.

Evaluating a configuration needs none of it; a verb that lowers sets it first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from builders.errors import BuilderError

if TYPE_CHECKING:
    from builders.debian.index import Index
    from builders.derivation import Derivation
    from builders.store import Store


class Context:
    """The store that items go to, and how to come by Debian's package index.

    `open_index` may fetch; it is called once, when the first package is looked up. `natives` are
    the tools of builds that were asked for, by what was asked: resolving takes milliseconds.
    """

    def __init__(self, store: Store, open_index: Callable[[], Index]) -> None:
        self.store = store
        self.open_index = open_index
        self.natives: dict[Hashable, Derivation] = {}

    @cached_property
    def index(self) -> Index:
        """The package index."""
        return self.open_index()


_current: list[Context] = []
"""A stack: Scheme runs on a thread of its own, which context variables would not reach."""


def current() -> Context:
    """The context of the running command.

    Raises BuilderError outside `lowering`, where nothing may be looked up or stored.
    """
    if not _current:
        raise BuilderError("nothing can be lowered here: no store has been opened")
    return _current[-1]


@contextmanager
def lowering(context: Context) -> Iterator[Context]:
    """Lower within `context`."""
    _current.append(context)
    try:
        yield context
    finally:
        _current.pop()
