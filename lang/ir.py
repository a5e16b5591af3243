"""The core forms: what the expander makes of a program and the code generator compiles.

`pos` is a position (lang.sources) or None, for "where the form around it is". These are plain
classes, as all are that lang defines when it starts: dataclasses would take a tenth of the start.
"""

from __future__ import annotations

from typing import Any, Final

from lang.data import Keyword


class Var:
    """A local variable. `mutated` is set by the expander; the rest belongs to lang.analyse."""

    __slots__ = ("captured", "loop", "mutated", "name", "owner", "procedure", "slot")

    def __init__(
        self,
        name: str,
        mutated: bool = False,
        captured: bool = False,
        owner: Any = None,
        slot: str | None = None,
        procedure: Lam | None = None,
        loop: Any = None,
    ) -> None:
        self.name = name
        self.mutated = mutated
        self.captured = captured
        self.owner = owner
        self.slot = slot
        self.procedure = procedure
        self.loop = loop


class Node:
    """Base of the core forms."""

    __slots__ = ("pos",)

    def __init__(self, *, pos: int | None = None) -> None:
        self.pos = pos


class Const(Node):
    """A literal, or a quoted datum."""

    __match_args__ = ("value",)
    __slots__ = ("value",)

    def __init__(self, value: Any, *, pos: int | None = None) -> None:
        self.pos = pos
        self.value = value


class LRef(Node):
    """A local variable's value."""

    __match_args__ = ("var",)
    __slots__ = ("var",)

    def __init__(self, var: Var, *, pos: int | None = None) -> None:
        self.pos = pos
        self.var = var


class GRef(Node):
    """A module variable's value; `key` is its name in the session's one globals dict."""

    __match_args__ = ("key",)
    __slots__ = ("key",)

    def __init__(self, key: str, *, pos: int | None = None) -> None:
        self.pos = pos
        self.key = key


class LSet(Node):
    """set! of a local variable."""

    __match_args__ = ("var", "value")
    __slots__ = ("value", "var")

    def __init__(self, var: Var, value: Node, *, pos: int | None = None) -> None:
        self.pos = pos
        self.var = var
        self.value = value


class GSet(Node):
    """set! of a module variable."""

    __match_args__ = ("key", "value")
    __slots__ = ("key", "value")

    def __init__(self, key: str, value: Node, *, pos: int | None = None) -> None:
        self.pos = pos
        self.key = key
        self.value = value


class GDef(Node):
    """A top-level definition."""

    __match_args__ = ("key", "value")
    __slots__ = ("key", "value")

    def __init__(self, key: str, value: Node, *, pos: int | None = None) -> None:
        self.pos = pos
        self.key = key
        self.value = value


class If(Node):
    """A conditional; only #f is false."""

    __match_args__ = ("test", "consequent", "alternative")
    __slots__ = ("alternative", "consequent", "test")

    def __init__(
        self, test: Node, consequent: Node, alternative: Node, *, pos: int | None = None
    ) -> None:
        self.pos = pos
        self.test = test
        self.consequent = consequent
        self.alternative = alternative


class Seq(Node):
    """Expressions in order; the value is the last one's. Never empty."""

    __match_args__ = ("nodes",)
    __slots__ = ("nodes",)

    def __init__(self, nodes: list[Node], *, pos: int | None = None) -> None:
        self.pos = pos
        self.nodes = nodes


class Call(Node):
    """A procedure call."""

    __match_args__ = ("function", "arguments")
    __slots__ = ("arguments", "function")

    def __init__(self, function: Node, arguments: list[Node], *, pos: int | None = None) -> None:
        self.pos = pos
        self.function = function
        self.arguments = arguments


class Let(Node):
    """Fresh variables bound in parallel."""

    __match_args__ = ("vars", "inits", "body")
    __slots__ = ("body", "inits", "vars")

    def __init__(
        self, vars: list[Var], inits: list[Node], body: Node, *, pos: int | None = None
    ) -> None:
        self.pos = pos
        self.vars = vars
        self.inits = inits
        self.body = body


class Letrec(Node):
    """Variables bound in order, each visible in every init (letrec*)."""

    __match_args__ = ("vars", "inits", "body")
    __slots__ = ("body", "inits", "vars")

    def __init__(
        self, vars: list[Var], inits: list[Node], body: Node, *, pos: int | None = None
    ) -> None:
        self.pos = pos
        self.vars = vars
        self.inits = inits
        self.body = body


class Lam(Node):
    """A procedure. `optional` is [(var, default)], `keys` is [(keyword, var, default)].

    Defaults are evaluated left to right in the scope of the parameters before them.
    """

    __match_args__ = (
        "params",
        "rest",
        "body",
        "name",
        "optional",
        "keys",
        "allow_other_keys",
        "documentation",
    )
    __slots__ = (
        "allow_other_keys",
        "body",
        "documentation",
        "keys",
        "name",
        "optional",
        "params",
        "rest",
    )

    def __init__(
        self,
        params: list[Var],
        rest: Var | None,
        body: Node,
        name: str | None = None,
        optional: list[tuple[Var, Node]] | None = None,
        keys: list[tuple[Keyword, Var, Node]] | None = None,
        allow_other_keys: bool = False,
        documentation: str | None = None,
        *,
        pos: int | None = None,
    ) -> None:
        self.pos = pos
        self.params = params
        self.rest = rest
        self.body = body
        self.name = name
        self.optional: list[tuple[Var, Node]] = optional if optional is not None else []
        self.keys: list[tuple[Keyword, Var, Node]] = keys if keys is not None else []
        self.allow_other_keys = allow_other_keys
        self.documentation = documentation


RECEIVER: Final = "receive values"
"""The name of a procedure that receives the values of let-values and its kin."""


class CaseLam(Node):
    """case-lambda: the first clause that takes the number of arguments is run."""

    __match_args__ = ("clauses", "name")
    __slots__ = ("clauses", "name")

    def __init__(
        self, clauses: list[Lam], name: str | None = None, *, pos: int | None = None
    ) -> None:
        self.pos = pos
        self.clauses = clauses
        self.name = name


def takes(lam: Lam, count: int) -> bool:
    """Can `lam` be called with `count` arguments?"""
    required = len(lam.params)
    if lam.rest is not None or lam.keys or lam.allow_other_keys:
        return count >= required
    return required <= count <= required + len(lam.optional)


def usage(node: Lam | CaseLam) -> str:
    """How a procedure is called, as Scheme text: (f a b) or (f a #:key size . rest)."""
    clauses = node.clauses if isinstance(node, CaseLam) else [node]
    return " or ".join(_call_of(lam, node.name or "procedure") for lam in clauses)


def _call_of(lam: Lam, name: str) -> str:
    words = [name, *(var.name for var in lam.params)]
    if lam.optional:
        words += ["#:optional", *(var.name for var, _ in lam.optional)]
    if lam.keys:
        words += ["#:key", *(var.name for _, var, _ in lam.keys)]
    if lam.rest is not None:
        words += [".", lam.rest.name]
    return f"({' '.join(words)})"
