"""Patterns and templates of syntax-rules and syntax-case, compiled to Python closures.

A Matcher takes a form apart; a Template puts one together. What an ellipsis matched is a Python
list, one level of lists for each ellipsis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from lang.data import NIL, Pair, Symbol, cons, python_list, scheme_list, symbol
from lang.syntax import (
    CURRENT,
    ELLIPSIS,
    Alias,
    Env,
    Identifier,
    Macro,
    base,
    ellipsis_in,
    free_identifier_equal,
    is_identifier,
    rename,
    show,
    syntax_error,
)

UNDERSCORE: Final = symbol("_")

Match: TypeAlias = Callable[[Any, list[Any]], bool]
Build: TypeAlias = Callable[[list[Any]], Any]


class Matcher:
    """A pattern. `variables` are its identifiers and their ellipsis depths, in order.

    `literals` are compared by binding, in `env`. With `skip_keyword` the first element of the form
    is not looked at, as in syntax-rules.
    """

    __slots__ = ("_run", "ellipsis", "env", "literals", "pattern", "skip_keyword", "variables")

    def __init__(
        self,
        pattern: Any,
        literals: Sequence[Identifier],
        env: Env,
        ellipsis: Symbol | None = ELLIPSIS,
        skip_keyword: bool = False,
    ) -> None:
        self.pattern = pattern
        self.literals = tuple(literals)
        self.env = env
        self.ellipsis = ellipsis
        self.skip_keyword = skip_keyword
        self.variables: list[tuple[Identifier, int]] = []
        if skip_keyword:
            if type(pattern) is not Pair:
                syntax_error("a syntax-rules pattern must be a list that starts with _", pattern)
            pattern = pattern.cdr
        self._run = self._compile(pattern, 0)

    def match(self, form: Any) -> list[Any] | None:
        """The values of `variables`, or None where `form` does not fit."""
        if self.skip_keyword:
            if type(form) is not Pair:
                return None
            form = form.cdr
        values: list[Any] = []
        return values if self._run(form, values) else None

    def _is_ellipsis(self, x: Any) -> bool:
        return is_identifier(x) and base(x) is self.ellipsis and x not in self.literals

    def _compile(self, pattern: Any, depth: int) -> Match:
        if is_identifier(pattern):
            return self._identifier(pattern, depth)
        if type(pattern) is Pair:
            if type(pattern.cdr) is Pair and self._is_ellipsis(pattern.cdr.car):
                return self._repeated(pattern, depth)
            first = self._compile(pattern.car, depth)
            if pattern.cdr is NIL:
                return lambda x, out: type(x) is Pair and x.cdr is NIL and first(x.car, out)
            rest = self._compile(pattern.cdr, depth)
            return lambda x, out: type(x) is Pair and first(x.car, out) and rest(x.cdr, out)
        if pattern is NIL:
            return lambda x, out: x is NIL
        if type(pattern) is list:
            items = self._compile(scheme_list(pattern), depth)
            return lambda x, out: type(x) is list and items(scheme_list(x), out)
        return lambda x, out: type(x) is type(pattern) and bool(x == pattern)

    def _identifier(self, id: Identifier, depth: int) -> Match:
        if id in self.literals:
            env = self.env

            def literal(x: Any, out: list[Any]) -> bool:
                use = CURRENT.env or env
                return is_identifier(x) and free_identifier_equal(x, use, id, env)

            return literal
        if base(id) is UNDERSCORE:
            return lambda x, out: True
        if self._is_ellipsis(id):
            syntax_error("an ellipsis must follow a pattern", self.pattern)
        if any(known is id for known, _ in self.variables):
            syntax_error(f"the pattern variable {id.name} appears twice", self.pattern)
        self.variables.append((id, depth))

        def variable(x: Any, out: list[Any]) -> bool:
            out.append(x)
            return True

        return variable

    def _repeated(self, pattern: Pair, depth: int) -> Match:
        """(item ... after . tail)"""
        known = len(self.variables)
        item = self._compile(pattern.car, depth + 1)
        width = len(self.variables) - known
        after = pattern.cdr.cdr
        needed = 0
        rest = after
        while type(rest) is Pair:
            if self._is_ellipsis(rest.car):
                syntax_error("two ellipses on one level of a pattern", pattern)
            needed += 1
            rest = rest.cdr
        if after is NIL and is_identifier(pattern.car) and width == 1:

            def whole(x: Any, out: list[Any]) -> bool:
                items = []
                while type(x) is Pair:
                    items.append(x.car)
                    x = x.cdr
                out.append(items)
                return x is NIL

            return whole
        tail = self._compile(after, depth)

        def repeated(x: Any, out: list[Any]) -> bool:
            count = -needed
            rest = x
            while type(rest) is Pair:
                count += 1
                rest = rest.cdr
            if count < 0:
                return False
            columns: list[list[Any]] = [[] for _ in range(width)]
            for _ in range(count):
                row: list[Any] = []
                if not item(x.car, row):
                    return False
                for column, value in zip(columns, row, strict=True):
                    column.append(value)
                x = x.cdr
            out.extend(columns)
            return tail(x, out)

        return repeated


class Hole:
    """Where an unsyntax expression's value goes in a template; `splice` for unsyntax-splicing."""

    __slots__ = ("slot", "splice")

    def __init__(self, slot: int, splice: bool) -> None:
        self.slot = slot
        self.splice = splice


class Template:
    """A template over `slots`: pattern variables with their depths, and None for each Hole.

    Identifiers that are not slots are renamed: they mean what they mean in `env`.
    """

    __slots__ = ("_run", "datum", "ellipsis", "env", "slots")

    def __init__(
        self,
        datum: Any,
        slots: Sequence[tuple[Identifier, int] | None],
        env: Env,
        ellipsis: Symbol | None = ELLIPSIS,
    ) -> None:
        self.datum = datum
        self.slots = tuple(slots)
        self.env = env
        self.ellipsis = ellipsis
        compiler = _TemplateCompiler(self)
        self._run, used = compiler.compile(datum, False)
        for slot, depth in used.items():
            if depth > 0:
                name = self.slots[slot][0].name  # type: ignore[index]
                syntax_error(f"the pattern variable {name} needs an ellipsis after it", datum)

    def instantiate(self, values: list[Any]) -> Any:
        """The template with `values`, one for each slot. Pairs made here have no position."""
        return self._run(values)


class _TemplateCompiler:
    """Compiles one template: each step gives a builder and the slots it uses with their depths."""

    def __init__(self, template: Template) -> None:
        self.env = template.env
        self.ellipsis = template.ellipsis
        self.slot_of: dict[Identifier, int] = {}
        self.depths: list[int] = []
        for index, slot in enumerate(template.slots):
            if slot is not None:
                self.slot_of[slot[0]] = index
            self.depths.append(slot[1] if slot is not None else 0)

    def is_ellipsis(self, x: Any) -> bool:
        return is_identifier(x) and base(x) is self.ellipsis and x not in self.slot_of

    def compile(self, x: Any, escaped: bool) -> tuple[Build, dict[int, int]]:
        kind = type(x)
        if kind is Symbol or kind is Alias:
            return self.identifier(x, escaped)
        if kind is Hole:
            slot = x.slot
            return lambda values: values[slot], {}
        if kind is Pair:
            return self.pair(x, escaped)
        if kind is list:
            items, used = self.compile(scheme_list(x), escaped)
            return lambda values: python_list(items(values)), used
        return lambda values: x, {}

    def identifier(self, id: Identifier, escaped: bool) -> tuple[Build, dict[int, int]]:
        slot = self.slot_of.get(id)
        if slot is not None:
            return lambda values: values[slot], {slot: self.depths[slot]}
        if not escaped and self.is_ellipsis(id):
            syntax_error("an ellipsis must follow a part of the template")
        env = self.env
        return lambda values: rename(id, env), {}

    def pair(self, x: Pair, escaped: bool) -> tuple[Build, dict[int, int]]:
        if not escaped and self.is_ellipsis(x.car) and type(x.cdr) is Pair and x.cdr.cdr is NIL:
            return self.compile(x.cdr.car, True)
        if type(x.car) is Hole and x.car.splice:
            return self.splice(x, escaped)
        rest = x.cdr
        ellipses = 0
        if not escaped:
            while type(rest) is Pair and self.is_ellipsis(rest.car):
                ellipses += 1
                rest = rest.cdr
        first, used = self.compile(x.car, escaped)
        if ellipses == 0:
            after, used_after = self.compile(rest, escaped)
            return lambda values: cons(first(values), after(values)), _merge(used, used_after)
        items = first
        for level in range(ellipses, 0, -1):
            varying = [slot for slot, depth in used.items() if depth >= level]
            if not varying:
                syntax_error("an ellipsis follows a part that nothing repeats", x)
            items = _each(items, varying, flatten=level < ellipses)
        used = {slot: max(0, depth - ellipses) for slot, depth in used.items()}
        if rest is NIL:
            return lambda values: scheme_list(items(values)), used
        after, used_after = self.compile(rest, escaped)
        return lambda values: scheme_list(items(values), after(values)), _merge(used, used_after)

    def splice(self, x: Pair, escaped: bool) -> tuple[Build, dict[int, int]]:
        slot = x.car.slot
        after, used = self.compile(x.cdr, escaped)

        def spliced(values: list[Any]) -> Any:
            items = values[slot]
            if type(items) is not list:
                items = python_list(items)
            return scheme_list(items, after(values))

        return spliced, used


def _merge(a: dict[int, int], b: dict[int, int]) -> dict[int, int]:
    merged = dict(a)
    for slot, depth in b.items():
        merged[slot] = max(depth, merged.get(slot, 0))
    return merged


def _each(item: Build, varying: list[int], flatten: bool) -> Callable[[list[Any]], list[Any]]:
    """`item` once for each element of the slots `varying`, which must be of one length."""

    def run(values: list[Any]) -> list[Any]:
        columns = [values[slot] for slot in varying]
        if not all(type(column) is list for column in columns):
            syntax_error(
                "a pattern variable is followed by more ellipses than it has in the pattern",
                hint="bind it outside: an inner ellipsis repeats it once more",
            )
        if any(len(column) != len(columns[0]) for column in columns):
            syntax_error("pattern variables under one ellipsis matched different numbers of forms")
        inner = list(values)
        out: list[Any] = []
        for row in zip(*columns, strict=True):
            for slot, value in zip(varying, row, strict=True):
                inner[slot] = value
            if flatten:
                out.extend(item(inner))
            else:
                out.append(item(inner))
        return out

    return run


def syntax_rules(form: Pair, env: Env) -> Macro:
    """The macro that `(syntax-rules [ellipsis] (literal ...) [doc] (pattern template) ...)` is."""
    parts = python_list(form.cdr)
    ellipsis = ellipsis_in(env)
    if parts and is_identifier(parts[0]):
        ellipsis = base(parts.pop(0))
    if not parts or (type(parts[0]) is not Pair and parts[0] is not NIL):
        syntax_error("syntax-rules needs a list of literals, then (pattern template) rules", form)
    literals = python_list(parts[0])
    for literal in literals:
        if not is_identifier(literal):
            syntax_error(f"not an identifier among the literals: {show(literal)}", form)
    rules: list[tuple[Matcher, Template]] = []
    for rule in parts[1:]:
        if type(rule) is str:
            continue
        pair = python_list(rule)
        if len(pair) != 2:
            syntax_error("a syntax-rules rule is (pattern template)", rule)
        shown = None if any(base(literal) is ellipsis for literal in literals) else ellipsis
        matcher = Matcher(pair[0], literals, env, shown, skip_keyword=True)
        rules.append((matcher, Template(pair[1], matcher.variables, env, shown)))

    def transform(use: Any, _: Env) -> Any:
        for matcher, template in rules:
            values = matcher.match(use)
            if values is not None:
                return template.instantiate(values)
        no_match(use, [matcher.pattern for matcher, _ in rules])

    return Macro(transform, ("syntax-rules", form, env))


def no_match(use: Any, patterns: Sequence[Any] = ()) -> Any:
    """Refuse a macro use that no pattern fits."""
    name = show(use.car if type(use) is Pair else use)
    hint = None
    if patterns:
        shapes = []
        for pattern in patterns:
            shape = pattern
            if type(pattern) is Pair:
                shape = cons(use.car if type(use) is Pair else use, pattern.cdr)
            shapes.append(show(shape))
        hint = "it is used as " + " or ".join(shapes)
    if type(use) is not Pair:
        syntax_error(f"{name} is a macro and cannot be used as a variable", use, hint)
    syntax_error(f"wrong use of {name}: no pattern fits {show(use)}", use, hint)
