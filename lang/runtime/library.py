"""How Python binds procedures to Scheme names: a Library is a module's worth of bindings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Library:
    """The bindings that a Python module gives to Scheme, under a Scheme module name.

    A native module on the load path holds one as `LIBRARY`. `staged` names are those
    that exist inside builds only (procedures that write, run programs, look at the clock).
    """

    def __init__(self, *name: str) -> None:
        self.name = name
        self.bindings: dict[str, Any] = {}
        self.staged: set[str] = set()
        self.documentation: dict[str, str] = {}

    def procedure(self, *names: str, staged: bool = False) -> Callable[[F], F]:
        """Bind the decorated function to `names`. It is called by the first one in messages.

        It gets Scheme values and returns one. If it calls procedures that it was given it does
        so with `trampoline.call`, so that it never returns TAIL itself.
        """

        def bind(function: F) -> F:
            function.__name__ = function.__qualname__ = names[0]
            for name in names:
                self.bindings[name] = function
                if staged:
                    self.staged.add(name)
            return function

        return bind

    def constant(
        self, name: str, value: Any, documentation: str = "", *, staged: bool = False
    ) -> None:
        """Bind `name` to a value; `documentation` says what that is."""
        self.bindings[name] = value
        if documentation:
            self.documentation[name] = documentation
        if staged:
            self.staged.add(name)
