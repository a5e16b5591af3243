"""The core forms: what the expander makes of a program and the code generator compiles.

`pos` is a position (lang.sources) or None, for "where the form around it is".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lang.data import Keyword


@dataclass(slots=True, eq=False)
class Var:
    """A local variable. `mutated` is set by the expander; the rest belongs to lang.analyse."""

    name: str
    mutated: bool = False
    captured: bool = False
    owner: Any = None
    slot: str | None = None
    procedure: Lam | None = None
    loop: Any = None


@dataclass(slots=True, eq=False)
class Node:
    """Base of the core forms."""

    pos: int | None = field(default=None, kw_only=True)


@dataclass(slots=True, eq=False)
class Const(Node):
    """A literal, or a quoted datum."""

    value: Any


@dataclass(slots=True, eq=False)
class LRef(Node):
    """A local variable's value."""

    var: Var


@dataclass(slots=True, eq=False)
class GRef(Node):
    """A module variable's value; `key` is its name in the session's one globals dict."""

    key: str


@dataclass(slots=True, eq=False)
class LSet(Node):
    """set! of a local variable."""

    var: Var
    value: Node


@dataclass(slots=True, eq=False)
class GSet(Node):
    """set! of a module variable."""

    key: str
    value: Node


@dataclass(slots=True, eq=False)
class GDef(Node):
    """A top-level definition."""

    key: str
    value: Node


@dataclass(slots=True, eq=False)
class If(Node):
    """A conditional; only #f is false."""

    test: Node
    consequent: Node
    alternative: Node


@dataclass(slots=True, eq=False)
class Seq(Node):
    """Expressions in order; the value is the last one's. Never empty."""

    nodes: list[Node]


@dataclass(slots=True, eq=False)
class Call(Node):
    """A procedure call."""

    function: Node
    arguments: list[Node]


@dataclass(slots=True, eq=False)
class Let(Node):
    """Fresh variables bound in parallel."""

    vars: list[Var]
    inits: list[Node]
    body: Node


@dataclass(slots=True, eq=False)
class Letrec(Node):
    """Variables bound in order, each visible in every init (letrec*)."""

    vars: list[Var]
    inits: list[Node]
    body: Node


@dataclass(slots=True, eq=False)
class Lam(Node):
    """A procedure. `optional` is [(var, default)], `keys` is [(keyword, var, default)].

    Defaults are evaluated left to right in the scope of the parameters before them.
    """

    params: list[Var]
    rest: Var | None
    body: Node
    name: str | None = None
    optional: list[tuple[Var, Node]] = field(default_factory=list)
    keys: list[tuple[Keyword, Var, Node]] = field(default_factory=list)
    allow_other_keys: bool = False
    documentation: str | None = None


@dataclass(slots=True, eq=False)
class CaseLam(Node):
    """case-lambda: the first clause that takes the number of arguments is run."""

    clauses: list[Lam]
    name: str | None = None
