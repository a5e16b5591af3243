"""The top level of a file: definitions are module variables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from lang.data import Pair, Symbol
from lang.expand import Context, name_procedure, walk
from lang.ir import CaseLam, GDef, GRef, Lam, Node
from lang.modules import Module
from lang.syntax import (
    Binding,
    Global,
    Identifier,
    Macro,
    Special,
    SyntaxParameter,
    is_identifier,
    meaning,
)

_DEFINERS = frozenset({"define", "define*", "define-public", "define*-public", "define-inlinable"})


class TopLevel(Context):
    """Collects the forms of one text; `nodes` gives what is to be compiled."""

    toplevel = True

    def __init__(self, module: Module) -> None:
        super().__init__(module.env)
        self.defined: list[str] = []
        self._items: list[Callable[[], Node]] = []
        self._new: set[str] = set()
        self._replaced: dict[str, str] = {}
        """The keys of variables that take the place of imported ones, and the keys of those."""

    def announce(self, forms: Iterable[Any]) -> None:
        """Bind the names that `forms` plainly define, so that uses before them mean them."""
        for form in forms:
            if type(form) is Pair and is_identifier(form.car) and type(form.cdr) is Pair:
                keyword = meaning(form.car, self.env)
                if type(keyword) is Special and keyword.name in _DEFINERS:
                    target = form.cdr.car
                    while type(target) is Pair:
                        target = target.car
                    if is_identifier(target) and not _is_syntax(meaning(target, self.env)):
                        self._declare(target)

    def _declare(self, id: Identifier) -> Global:
        module = self.env.module
        known = module.table.get(id) if type(id) is Symbol else None
        new = type(known) is not Global or not known.defined
        variable = module.define(id)
        if new:
            self._new.add(variable.key)
        return variable

    def _settle(self) -> None:
        """Expand what has been taken up so far: the meaning of a name is about to change."""
        settled = [make() for make in self._items]
        self._items = [partial(_same, node) for node in settled]

    def define(self, id: Identifier, make: Callable[[], Node], pos: int | None = None) -> None:
        module = self.env.module
        if _is_syntax(meaning(id, self.env)):
            self._settle()
        variable = self._declare(id)
        before = module.imported(id) if type(id) is Symbol else None
        if type(before) is Global and before.defined and variable.key in self._new:
            self._replaced[variable.key] = before.key

        def definition() -> Node:
            return GDef(variable.key, name_procedure(make(), id, pos), pos=pos)

        self._items.append(definition)
        module.session.pending[variable.key] = definition
        self.defined.append(variable.key)

    def bind(self, id: Identifier, binding: Binding) -> None:
        known = meaning(id, self.env)
        if type(known) is not Global or known.defined:
            self._settle()
        self.env.module.bind(id, binding)

    def expression(self, make: Callable[[], Node]) -> None:
        self._items.append(make)

    def now(self, forms: Iterable[Any]) -> None:
        inner = TopLevel(self.env.module)
        inner.scan(forms)
        session = self.env.module.session
        session.run(inner.nodes(), session.file_here("eval-when"))
        self._items += inner._items
        self.defined += inner.defined

    def nodes(self) -> list[Node]:
        """The expanded forms, in order.

        A variable that takes the place of an imported one holds its value until it is defined.
        """
        nodes = [make() for make in self._items]
        kept: list[Node] = [
            GDef(key, GRef(before))
            for key, before in self._replaced.items()
            if _is_used_before(key, nodes)
        ]
        return [*kept, *nodes]


def _is_syntax(binding: Binding) -> bool:
    return type(binding) in (Macro, Special, SyntaxParameter)


def _same(node: Node) -> Node:
    return node


def _is_used_before(key: str, nodes: list[Node]) -> bool:
    """Does something refer to the variable `key` before the first definition of it has run?"""
    for node in nodes:
        defined = type(node) is GDef and node.key == key
        if defined and type(node.value) in (Lam, CaseLam):  # type: ignore[attr-defined]
            return False
        if any(type(inner) is GRef and inner.key == key for inner in walk(node)):
            return True
        if defined:
            return False
    return False
