"""The top level of a file: definitions are module variables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lang.data import Pair
from lang.expand import Context, name_procedure
from lang.ir import GDef, Node
from lang.modules import Module
from lang.syntax import Binding, Identifier, Special, is_identifier, meaning

_DEFINERS = frozenset({"define", "define*", "define-public", "define*-public", "define-inlinable"})


class TopLevel(Context):
    """Collects the forms of one text; `nodes` gives what is to be compiled."""

    toplevel = True

    def __init__(self, module: Module) -> None:
        super().__init__(module.env)
        self.defined: list[str] = []
        self._items: list[Callable[[], Node]] = []

    def announce(self, forms: Iterable[Any]) -> None:
        """Bind the names that `forms` plainly define, so that uses before them mean them."""
        for form in forms:
            if type(form) is Pair and is_identifier(form.car) and type(form.cdr) is Pair:
                keyword = meaning(form.car, self.env)
                if type(keyword) is Special and keyword.name in _DEFINERS:
                    target = form.cdr.car
                    while type(target) is Pair:
                        target = target.car
                    if is_identifier(target):
                        self.env.module.define(target)

    def define(self, id: Identifier, make: Callable[[], Node], pos: int | None = None) -> None:
        module = self.env.module
        variable = module.define(id)

        def definition() -> Node:
            return GDef(variable.key, name_procedure(make(), id, pos), pos=pos)

        self._items.append(definition)
        module.session.pending[variable.key] = definition
        self.defined.append(variable.key)

    def bind(self, id: Identifier, binding: Binding) -> None:
        self.env.module.bind(id, binding)

    def expression(self, make: Callable[[], Node]) -> None:
        self._items.append(make)

    def now(self, forms: Iterable[Any]) -> None:
        inner = TopLevel(self.env.module)
        inner.scan(forms)
        self.env.module.session.run(inner.nodes(), "eval-when")
        self._items += inner._items
        self.defined += inner.defined

    def nodes(self) -> list[Node]:
        """The expanded forms, in order."""
        return [make() for make in self._items]
