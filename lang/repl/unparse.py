"""From core forms back to data: what `,expand` shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lang.data import NIL, UNSPECIFIED, Keyword, Pair, Symbol, cons, keyword, scheme_list, symbol
from lang.ir import (
    Call,
    CaseLam,
    Const,
    GDef,
    GRef,
    GSet,
    If,
    Lam,
    Let,
    Letrec,
    LRef,
    LSet,
    Node,
    Seq,
    Var,
)


def unparse(node: Node, global_name: Callable[[str], Any]) -> Any:
    """The datum that `node` would be read from. Local variables of the same name are told apart
    by a number; `global_name` gives how a key of the globals is written."""
    return _Unparser(global_name).datum(node)


class _Unparser:
    def __init__(self, global_name: Callable[[str], Any]) -> None:
        self.global_name = global_name
        self.names: dict[int, Symbol] = {}
        self.used: dict[str, int] = {}
        self.kept: list[Var] = []  # so that no other variable gets the id of one of these

    def name(self, var: Var) -> Symbol:
        known = self.names.get(id(var))
        if known is None:
            count = self.used[var.name] = self.used.get(var.name, 0) + 1
            text = var.name if count == 1 else f"{var.name}-{count}"
            known = self.names[id(var)] = symbol(text)
            self.kept.append(var)
        return known

    def form(self, keyword: str, *operands: Any) -> Pair:
        return cons(symbol(keyword), scheme_list(operands))

    def datum(self, node: Node) -> Any:
        match node:
            case Const(value):
                return self.constant(value)
            case LRef(var):
                return self.name(var)
            case GRef(key):
                return self.global_name(key)
            case LSet(var, value):
                return self.form("set!", self.name(var), self.datum(value))
            case GSet(key, value):
                return self.form("set!", self.global_name(key), self.datum(value))
            case GDef(key, value):
                return self.definition(self.global_name(key), value)
            case If(test, consequent, alternative):
                parts = [self.datum(test), self.datum(consequent)]
                if not (isinstance(alternative, Const) and alternative.value is UNSPECIFIED):
                    parts.append(self.datum(alternative))
                return self.form("if", *parts)
            case Seq():
                return self.form("begin", *self.body(node))
            case Call(function, arguments):
                return scheme_list([self.datum(function), *map(self.datum, arguments)])
            case Let(variables, inits, body):
                return self.binding("let", variables, inits, body)
            case Letrec(variables, inits, body):
                return self.binding("letrec*", variables, inits, body)
            case Lam():
                return self.procedure("lambda", node)
            case CaseLam(clauses):
                parts = [self.procedure("lambda", clause).cdr for clause in clauses]
                return self.form("case-lambda", *parts)
        raise AssertionError(node)

    def constant(self, value: Any) -> Any:
        if type(value) in (Pair, Symbol) or value is NIL:
            return self.form("quote", value)
        return self.form("if", False, False) if value is UNSPECIFIED else value

    def body(self, node: Node) -> list[Any]:
        if isinstance(node, Seq):
            return [self.datum(inner) for inner in node.nodes]
        return [self.datum(node)]

    def binding(self, keyword: str, variables: list[Var], inits: list[Node], body: Node) -> Pair:
        if keyword == "let":  # its inits do not see its variables
            values = [self.datum(init) for init in inits]
            names = [self.name(var) for var in variables]
        else:
            names = [self.name(var) for var in variables]
            values = [self.datum(init) for init in inits]
        pairs = [scheme_list(pair) for pair in zip(names, values, strict=True)]
        return self.form(keyword, scheme_list(pairs), *self.body(body))

    def procedure(self, keyword: str, lam: Lam) -> Pair:
        if lam.optional or lam.keys:
            keyword += "*"
        documentation = [lam.documentation] if lam.documentation else []
        return self.form(keyword, self.formals(lam), *documentation, *self.body(lam.body))

    def definition(self, name: Any, value: Node) -> Pair:
        if not isinstance(value, Lam):
            return self.form("define", name, self.datum(value))
        keyword = "define*" if value.optional or value.keys else "define"
        return cons(
            symbol(keyword),
            cons(cons(name, self.formals(value)), self.procedure("lambda", value).cdr.cdr),
        )

    def formals(self, lam: Lam) -> Any:
        items: list[Any] = [self.name(var) for var in lam.params]
        if lam.optional:
            items.append(keyword("optional"))
            items += [self.form_of(var, default) for var, default in lam.optional]
        if lam.keys:
            items.append(keyword("key"))
            items += [self.form_of(var, default, key) for key, var, default in lam.keys]
        if lam.allow_other_keys:
            items.append(keyword("allow-other-keys"))
        return scheme_list(items, self.name(lam.rest) if lam.rest else NIL)

    def form_of(self, var: Var, default: Node, key: Keyword | None = None) -> Any:
        other_key = [key] if key is not None and key.name != var.name else []
        if isinstance(default, Const) and default.value is False and not other_key:
            return self.name(var)
        return scheme_list([self.name(var), self.datum(default), *other_key])
