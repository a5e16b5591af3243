"""What lowering works with: the store and Debian's index, chosen by the command.

Evaluating a configuration needs none of it; a verb that lowers sets it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from builders.errors import BuilderError
from builders.store import Store

if TYPE_CHECKING:
    from builders.debian.index import Index


@dataclass
class Context:
    """The store that items go to, and how to come by Debian's package index.

    `open_index` may fetch; it is called once, when the first package is looked up.
    """

    store: Store
    open_index: Callable[[], Index]

    @cached_property
    def index(self) -> Index:
        """The package index."""
        return self.open_index()


_current: ContextVar[Context] = ContextVar("context")


def current() -> Context:
    """The context of the running command.

    Raises BuilderError outside `lowering`, where nothing may be looked up or stored.
    """
    try:
        return _current.get()
    except LookupError:
        raise BuilderError("nothing can be lowered here: no store has been opened") from None


@contextmanager
def lowering(context: Context) -> Iterator[Context]:
    """Lower within `context`."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
