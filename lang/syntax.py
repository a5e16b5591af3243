"""Identifiers, their bindings, and the environments that connect them.

Hygiene is renaming with aliases. An identifier is a Symbol or an Alias; an Alias stands for an
identifier that a macro template introduced, and remembers the environment of the template. Binding
forms bind the identifier object itself, so that equal names of different origin never meet. Pairs
carry no wrapper: syntax objects are ordinary data with identifiers in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

from lang.data import Pair, Symbol, cons, iterate, symbol
from lang.errors import SchemeSyntaxError
from lang.ir import Node, Var

if TYPE_CHECKING:
    from lang.expand import Context
    from lang.modules import Module

AliasTable: TypeAlias = "dict[tuple[Identifier, Env], Alias]"


class Alias:
    """An identifier introduced by a template: `id` as written in `env`.

    `table` belongs to one macro step; within it the same name in the same environment is one alias.
    """

    __slots__ = ("env", "id", "table")

    def __init__(self, id: Identifier, env: Env, table: AliasTable) -> None:
        self.id = id
        self.env = env
        self.table = table

    @property
    def name(self) -> str:
        """The name as it was written."""
        return base(self).name

    def __repr__(self) -> str:
        return f"#<syntax {self.name}>"


Identifier: TypeAlias = Symbol | Alias


ELLIPSIS: Final = symbol("...")


class Env:
    """One frame of bindings, keyed by identifier object, inside `parent`.

    The outermost environment of a module has no parent; its bindings are the module's. Syntax
    parameters are keyed by the SyntaxParameter itself.
    """

    __slots__ = ("module", "parent", "table")

    def __init__(self, parent: Env | None, module: Module | None = None) -> None:
        self.parent = parent
        self.table: dict[Any, Binding] = {}
        if module is None:
            assert parent is not None
            module = parent.module
        self.module: Module = module


class Global:
    """A module variable: `key` is its name in the session's globals."""

    __slots__ = ("defined", "key", "symbol")

    def __init__(self, key: str, symbol: Symbol, defined: bool = False) -> None:
        self.key = key
        self.symbol = symbol
        self.defined = defined


class Special:
    """A form that the expander itself knows.

    `expand` makes core nodes of it in expression context. `define`, if there is one, is used
    instead wherever definitions may stand. `recipe` is how to make it again (see lang.cache),
    for those that Scheme code defines. `refer`, if there is one, is what a use of the form means
    as a name: (@ (module) name) is one.
    """

    __slots__ = ("define", "expand", "name", "recipe", "refer")

    def __init__(
        self,
        name: str,
        expand: Callable[[Pair, Env], Node],
        define: Callable[[Pair, Context], None] | None = None,
        recipe: tuple[Any, ...] | None = None,
        refer: Callable[[Pair, Env], Binding] | None = None,
    ) -> None:
        self.recipe = recipe
        self.refer = refer
        self.name = name
        self.expand = expand
        self.define = define


class Macro:
    """A form that is rewritten into another: `transform` takes the whole form and its environment.

    `recipe` is how to make the macro again (see lang.cache): a tag and data, or None for macros
    that Python defines. `variable` macros also see `(set! name value)`.
    """

    __slots__ = ("recipe", "transform", "variable")

    def __init__(
        self,
        transform: Callable[[Any, Env], Any],
        recipe: tuple[Any, ...] | None = None,
        variable: bool = False,
    ) -> None:
        self.transform = transform
        self.recipe = recipe
        self.variable = variable


class PatternVariable:
    """A variable of a syntax-case pattern, under `depth` ellipses; `var` holds what it matched."""

    __slots__ = ("depth", "var")

    def __init__(self, var: Var, depth: int) -> None:
        self.var = var
        self.depth = depth


class SyntaxParameter:
    """A keyword whose meaning syntax-parameterize changes for the code inside it."""

    __slots__ = ("default",)

    def __init__(self, default: Binding) -> None:
        self.default = default


class Staged:
    """A procedure that exists only while a build runs, seen from a configuration."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Ellipsis:
    """What with-ellipsis binds instead of an identifier: the name that repeats parts."""

    __slots__ = ("symbol",)

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol


Binding: TypeAlias = (
    Var | Global | Special | Macro | PatternVariable | SyntaxParameter | Staged | Ellipsis
)


class Expanded:
    """A form that is core nodes already, made anew by `make` for each time that it is expanded."""

    __slots__ = ("make", "name")

    def __init__(self, name: str, make: Callable[[], Node]) -> None:
        self.name = name
        self.make = make


class Expansion:
    """What the transformer that is running now needs to know, and where the expander is.

    `steps` counts the uses of macros since the one at `written`, the last that the program writes.
    """

    __slots__ = ("env", "position", "steps", "table", "written")

    def __init__(self) -> None:
        self.env: Env | None = None
        self.table: AliasTable = {}
        self.position: int | None = None
        self.written: int | None = None
        self.steps = 0


CURRENT: Final = Expansion()


def is_identifier(x: Any) -> bool:
    """Is `x` a symbol or an alias of one?"""
    kind = type(x)
    return kind is Symbol or kind is Alias


def base(id: Identifier) -> Symbol:
    """The symbol that was written."""
    while type(id) is Alias:
        id = id.id
    return id  # type: ignore[return-value]


_SUSPICIOUS: Final = 10_000
"""How many pairs a datum has before strip looks whether it contains itself."""


class _CircularError(Exception):
    pass


def strip(x: Any) -> Any:
    """The datum of `x`: aliases become symbols again. Shares what needs no change."""
    if type(x) is not Pair and type(x) is not list:
        return _strip(x, [])
    try:
        return _strip(x, [_SUSPICIOUS, x])
    except _CircularError:
        return _strip_circular(x)


def _strip(x: Any, account: list[Any]) -> Any:
    """strip; `account` holds how many pairs may follow before the whole datum, which it holds
    too, is looked at."""
    kind = type(x)
    if kind is Alias:
        return base(x)
    if kind is Pair:
        items = []
        changed = False
        rest = x
        while type(rest) is Pair:
            account[0] -= 1
            if account[0] == 0 and is_circular(account[1]):
                raise _CircularError
            item = rest.car
            if type(item) is not Symbol:
                item = _strip(item, account)
            changed = changed or item is not rest.car
            items.append(item)
            rest = rest.cdr
        tail = _strip(rest, account)
        if not changed and tail is rest:
            return x
        for item in reversed(items):
            tail = cons(item, tail)
        tail.pos = x.pos
        return tail
    if kind is list:
        account[0] -= 1
        if account[0] == 0 and is_circular(account[1]):
            raise _CircularError
        stripped = [_strip(item, account) for item in x]
        return x if all(a is b for a, b in zip(stripped, x, strict=True)) else stripped
    if kind is Expanded:
        return symbol(x.name)
    return x


def is_circular(x: Any, skipped: Callable[[Any], bool] = lambda _: False) -> bool:
    """Does `x` contain itself? Not looked into is what is `skipped`."""
    on_path: set[int] = set()
    done: set[int] = set()
    pending = [(x, False)]
    while pending:
        node, leaving = pending.pop()
        kind = type(node)
        if leaving:
            on_path.discard(id(node))
            done.add(id(node))
        elif (kind is Pair or kind is list) and id(node) not in done and not skipped(node):
            if id(node) in on_path:
                return True
            on_path.add(id(node))
            pending.append((node, True))
            children = (node.cdr, node.car) if kind is Pair else node
            pending.extend((child, False) for child in children)
    return False


def refuse_circular(form: Any) -> None:
    """Raise SchemeSyntaxError if the program `form` contains itself, other than in a literal."""
    if is_circular(form, lambda node: type(node) is Pair and node.car is _QUOTE):
        syntax_error("this form contains itself", form, "only a quoted datum can: '#0=(a b . #0#)")


_QUOTE: Final = symbol("quote")


def _strip_circular(x: Any) -> Any:
    """A copy of `x` of the same shape, with aliases as symbols."""
    copies: dict[int, Any] = {}

    def copy(node: Any) -> Any:
        kind = type(node)
        if kind is not Pair and kind is not list:
            return strip(node)
        if id(node) not in copies:
            copies[id(node)] = cons(None, None, node.pos) if kind is Pair else list(node)
            pending.append(node)
        return copies[id(node)]

    pending: list[Any] = []
    result = copy(x)
    while pending:
        node = pending.pop()
        made = copies[id(node)]
        if type(node) is Pair:
            made.car = copy(node.car)
            made.cdr = copy(node.cdr)
        else:
            made[:] = map(copy, node)
    return result


def lookup(id: Identifier, env: Env) -> Binding:
    """What `id` means in `env`; a name that nothing binds is a Global of env's module."""
    while True:
        frame = env
        while frame.parent is not None:
            binding = frame.table.get(id)
            if binding is not None:
                return binding
            frame = frame.parent
        if type(id) is Symbol:
            return frame.module.resolve(id)
        binding = frame.module.aliases.get(id)  # type: ignore[arg-type]
        if binding is not None:
            return binding
        env = id.env  # type: ignore[union-attr]
        id = id.id  # type: ignore[union-attr]


def parameter_value(parameter: SyntaxParameter, env: Env) -> Binding:
    """What `parameter` means in `env`, the environment of its use."""
    frame: Env | None = env
    while frame is not None:
        binding = frame.table.get(parameter)
        if binding is not None:
            return binding
        frame = frame.parent
    return parameter.default


def ellipsis_in(env: Env) -> Symbol:
    """What repeats the part of a pattern or a template before it in `env`."""
    frame: Env | None = env
    while frame is not None:
        binding = frame.table.get(Ellipsis)
        if type(binding) is Ellipsis:
            return binding.symbol
        frame = frame.parent
    return ELLIPSIS


def meaning(id: Identifier, env: Env) -> Binding:
    """What `id` means in `env`, seeing through syntax parameters."""
    binding = lookup(id, env)
    if type(binding) is SyntaxParameter:
        return parameter_value(binding, env)
    return binding


def same_binding(a: Binding, b: Binding) -> bool:
    """Do two bindings mean the same? Names that nothing defines do when they are spelt alike."""
    if a is b:
        return True
    if type(a) is Global and type(b) is Global:
        return a.key == b.key or (not a.defined and not b.defined and a.symbol is b.symbol)
    return False


def free_identifier_equal(a: Identifier, env_a: Env, b: Identifier, env_b: Env) -> bool:
    """free-identifier=?, each identifier in its environment."""
    return (a is b and env_a is env_b) or same_binding(lookup(a, env_a), lookup(b, env_b))


def rename(id: Identifier, env: Env) -> Alias:
    """The alias that the running macro step gives to `id` of `env`."""
    table = CURRENT.table
    alias = table.get((id, env))
    if alias is None:
        alias = table[id, env] = Alias(id, env, table)
    return alias


def fresh(name: Symbol, env: Env) -> Alias:
    """An identifier that is equal to no other."""
    return Alias(name, env, {})


def datum_to_syntax(context: Any, datum: Any) -> Any:
    """`datum` with its symbols as if they had been written where identifier `context` was."""
    if type(context) is not Alias:
        return datum
    if type(datum) is Symbol:
        return _as_in(context, datum)
    if type(datum) is Pair:
        return cons(
            datum_to_syntax(context, datum.car), datum_to_syntax(context, datum.cdr), datum.pos
        )
    if type(datum) is list:
        return [datum_to_syntax(context, item) for item in datum]
    return datum


def _as_in(context: Identifier, name: Symbol) -> Identifier:
    if type(context) is Symbol:
        return name
    assert type(context) is Alias
    inner = _as_in(context.id, name)
    alias = context.table.get((inner, context.env))
    if alias is None:
        alias = context.table[inner, context.env] = Alias(inner, context.env, context.table)
    return alias


def show(x: Any, limit: int = 60) -> str:
    """`x` as it would be written, cut to `limit` characters."""
    from lang.printer import write

    text = write(strip(x))
    return text if len(text) <= limit else text[: limit - 3] + "..."


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The hint that names what `name` may have been meant for, if anything is near: as similar
    as `cutoff` (from 0 to 1) demands."""
    from difflib import get_close_matches

    return did_you_mean(get_close_matches(name, sorted(set(known)), 3, cutoff))


def did_you_mean(names: Sequence[str]) -> str | None:
    """The hint that names what is near; the ? of a name ends the question, too."""
    if not names:
        return None
    text = f"did you mean {' or '.join(names)}"
    return text if text.endswith("?") else text + "?"


def position_of(form: Any) -> int | None:
    """Where `form` stands: its own position, its first part's, or that of the form around it."""
    if type(form) is Pair:
        if form.pos is not None:
            return form.pos
        for item in iterate(form):
            if type(item) is Pair and item.pos is not None:
                return item.pos
    return CURRENT.position


def syntax_error(message: str, form: Any = None, hint: str | None = None) -> NoReturn:
    """Refuse `form`."""
    stripped = strip(form) if form is not None else None
    raise SchemeSyntaxError(position_of(form), message, hint=hint, form=stripped)
