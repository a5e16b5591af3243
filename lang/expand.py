"""The expander's engine: from forms and environments to core nodes.

What each form means is in the table of lang/forms; here is what they share: macro steps, bodies,
and the contexts in which definitions are collected before anything else is expanded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from lang.data import (
    NIL,
    UNSPECIFIED,
    Keyword,
    Nil,
    Pair,
    Symbol,
    cons,
    keyword,
    python_list,
    symbol,
)
from lang.errors import SchemeSyntaxError
from lang.fastreader import second_parameter
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
from lang.patterns import syntax_rules
from lang.syntax import (
    CURRENT,
    Alias,
    Binding,
    Env,
    Expanded,
    Global,
    Identifier,
    Macro,
    PatternVariable,
    Special,
    Staged,
    SyntaxParameter,
    base,
    is_identifier,
    lookup,
    meaning,
    nearest,
    parameter_value,
    position_of,
    show,
    strip,
    syntax_error,
)

CORE: Final = ("guile",)
MOST_STEPS: Final = 50_000
"""So many uses of macros that one place of a program comes to are taken to be without end."""
FORMS: Final[dict[tuple[str, ...], dict[str, Binding]]] = {CORE: {}}
"""The forms that Python defines, by the module that exports them and their name."""

Expand = TypeVar("Expand", bound=Callable[[Pair, Env], Node])


def provide(binding: Binding, names: Iterable[str], modules: Iterable[tuple[str, ...]]) -> None:
    """Export `binding` under each of `names` from each of `modules`."""
    for module in modules:
        table = FORMS.setdefault(module, {})
        for name in names:
            table[name] = binding


def special(
    *names: str,
    modules: Iterable[tuple[str, ...]] = (CORE,),
    refer: Callable[[Pair, Env], Binding] | None = None,
) -> Callable[[Expand], Expand]:
    """Make the decorated function, from form and environment to a node, the meaning of `names`."""

    def register(function: Expand) -> Expand:
        provide(Special(names[0], function, refer=refer), names, modules)
        return function

    return register


def definition(
    *names: str, modules: Iterable[tuple[str, ...]] = (CORE,)
) -> Callable[[Callable[[Pair, Context], None]], Callable[[Pair, Context], None]]:
    """Make the decorated function, from form and context, the meaning of the definition `names`."""

    def register(function: Callable[[Pair, Context], None]) -> Callable[[Pair, Context], None]:
        def expand_definition(form: Pair, env: Env) -> Node:
            syntax_error(
                f"{show(form.car)}: a definition where an expression is expected",
                form,
                "definitions go at the top level of a file or at the head of a body: "
                "wrap them in (let () ...)",
            )

        provide(Special(names[0], expand_definition, function), names, modules)
        return function

    return register


def core_name(name: str, env: Env) -> Alias:
    """An identifier for the core's `name`, whatever the program calls by that name."""
    return env.module.session.core_name(name)


def call_core(name: str, *arguments: Node, pos: int | None = None) -> Call:
    """A call of a core procedure."""
    return Call(GRef(name), list(arguments), pos=pos)


def unspecified() -> Const:
    """What forms without a useful value give."""
    return Const(UNSPECIFIED)


# ---------------------------------------------------------------- expressions


def expand(x: Any, env: Env) -> Node:
    """The core nodes of expression `x`."""
    while True:
        kind = type(x)
        if kind is Pair:
            if x.pos is not None:
                CURRENT.position = x.pos
            head = x.car
            if type(head) is Symbol or type(head) is Alias:
                binding = lookup(head, env)
                if type(binding) is SyntaxParameter:
                    binding = parameter_value(binding, env)
                if type(binding) is Special:
                    node = binding.expand(x, env)
                    if node.pos is None:
                        node.pos = x.pos
                    return node
                if type(binding) is Macro:
                    x = expand_macro(binding, x, env)
                    continue
                if type(binding) is Global and not binding.defined:
                    return _call_of_unknown(binding, x, env)
                function = reference(binding, head)
            elif type(head) is Pair and (keyword := keyword_elsewhere(head, env)) is not None:
                x = cons(keyword, x.cdr, x.pos)
                continue
            else:
                function = expand(head, env)
            return _call(function, x, env)
        if kind is Symbol or kind is Alias:
            binding = meaning(x, env)
            if type(binding) is Macro:
                x = expand_macro(binding, x, env)
                continue
            return reference(binding, x)
        if kind is Expanded:
            return x.make()  # type: ignore[no-any-return]
        if kind is Nil:
            syntax_error(
                "an empty combination: () is no expression", None, "write '() for the empty list"
            )
        if kind is list and x:
            from lang.syntax import strip

            return Const(strip(x))
        return Const(x)


def keyword_elsewhere(x: Pair, env: Env) -> Identifier | None:
    """A name for the keyword that `x`, such as (@ (ice-9 match) match), refers to, if it does."""
    if not is_identifier(x.car):
        return None
    binding = lookup(x.car, env)
    if type(binding) is not Special or binding.refer is None:
        return None
    target = binding.refer(x, env)
    if type(target) not in (Special, Macro, SyntaxParameter):
        return None
    name = base(x.cdr.cdr.car)
    scope = Env(env)
    scope.table[name] = target
    return Alias(name, scope, {})


def reference(binding: Binding, id: Identifier) -> Node:
    """The value of `id`, which is bound to `binding`."""
    kind = type(binding)
    if kind is Global:
        return GRef(binding.key)  # type: ignore[union-attr]
    if kind is Var:
        return LRef(binding)  # type: ignore[arg-type]
    if kind is Staged:
        return call_core("%staged", Const(symbol(binding.name)))  # type: ignore[union-attr]
    if kind is PatternVariable:
        syntax_error(f"the pattern variable {id.name} is used outside a template", id)
    syntax_error(
        f"{id.name} is syntax and cannot be used as a variable",
        id,
        f"write it as a form: ({id.name} ...)",
    )


def _call_of_unknown(binding: Global, x: Pair, env: Env) -> Node:
    """A call of what is not defined so far. If its operands are no expressions, it is the use of a
    form that is not imported: that is the error."""
    try:
        return _call(GRef(binding.key), x, env)
    except SchemeSyntaxError as error:
        name = binding.symbol.name
        message = "Unbound variable: "
        if x.pos is None or error.message.startswith(message):
            raise
        found = env.module.session.exporters(name)
        near = nearest(name, env.module.visible_names(), 0.8)
        hint = f"{found[0]} exports {name}: add (use-modules {found[0]})" if found else near
        if hint is None:
            raise
        raise SchemeSyntaxError(x.pos + 1, message + name, hint) from None


def _call(function: Node, x: Pair, env: Env) -> Node:
    arguments = []
    rest = x.cdr
    while type(rest) is Pair:
        if x.pos is not None:
            CURRENT.position = x.pos
        arguments.append(expand(rest.car, env))
        rest = rest.cdr
    if rest is not NIL:
        syntax_error(f"a call cannot end in a dot: {show(x)}", x)
    if (
        type(function) is Lam
        and function.rest is None
        and not function.optional
        and not function.keys
        and len(function.params) == len(arguments)
    ):
        if not arguments:
            return function.body
        return Let(function.params, arguments, function.body, pos=x.pos)
    return Call(function, arguments, pos=x.pos)


def expand_macro(macro: Macro, x: Any, env: Env) -> Any:
    """One step: the form that `x`, a use of `macro`, stands for."""
    if type(x) is Pair and x.pos is not None and x.pos != CURRENT.written:
        CURRENT.written = x.pos
        CURRENT.steps = 0
    CURRENT.steps += 1
    if CURRENT.steps > MOST_STEPS:
        CURRENT.steps = 0
        syntax_error(
            f"the macro {base(x.car if type(x) is Pair else x).name} expands without end",
            x,
            "a macro that uses itself needs a pattern for which it does not",
        )
    saved = CURRENT.table, CURRENT.env
    CURRENT.table = {}
    CURRENT.env = env
    try:
        result = macro.transform(x, env)
    finally:
        CURRENT.table, CURRENT.env = saved
    if type(result) is Pair and result.pos is None:
        result.pos = x.pos if type(x) is Pair else CURRENT.position
        if macro.recipe is not None and type(x) is Pair and x.pos is not None:
            # of macros in macros, the outermost is what the user wrote
            env.module.session.sources.expansions.setdefault(x.pos, x.car.name)
    return result


def expand_head(x: Any, env: Env) -> tuple[Any, Binding | None]:
    """`x` with macros at its head expanded, and what the keyword of the result means."""
    while type(x) is Pair:
        if type(x.car) is Pair:
            keyword = keyword_elsewhere(x.car, env)
            if keyword is not None:
                x = cons(keyword, x.cdr, x.pos)
        if not is_identifier(x.car):
            break
        binding = meaning(x.car, env)
        if type(binding) is not Macro:
            return x, binding
        if x.pos is not None:
            CURRENT.position = x.pos
        x = expand_macro(binding, x, env)
    return x, None


def sequence(forms: list[Any], env: Env) -> Node:
    """Expressions in order; the value is the last one's."""
    return seq([expand(form, env) for form in forms])


def seq(nodes: list[Node]) -> Node:
    """Nodes in order, as one."""
    if not nodes:
        return unspecified()
    return nodes[0] if len(nodes) == 1 else Seq(nodes)


def parts(x: Pair, least: int, most: int | None, usage: str) -> list[Any]:
    """The operands of form `x`, whose number must be from `least` to `most` (None: any)."""
    items = []
    rest = x.cdr
    while type(rest) is Pair:
        items.append(rest.car)
        rest = rest.cdr
    if rest is not NIL or len(items) < least or (most is not None and len(items) > most):
        syntax_error(f"wrong use of {show(x.car)}: {show(x)}", x, f"it is used as {usage}")
    return items


def name_procedure(node: Node, id: Identifier, pos: int | None) -> Node:
    """`node`; if it is a procedure without a name it gets that of the variable."""
    if type(node) is Lam or type(node) is CaseLam:
        if node.name is None:
            node.name = id.name
        if node.pos is None:
            node.pos = pos
    return node


# ---------------------------------------------------------------- definition contexts


class Context:
    """A place for definitions: a body or a top level.

    All forms are scanned, so that every name is bound, before right-hand sides and expressions,
    which are queued as functions, are expanded.
    """

    toplevel = False

    def __init__(self, env: Env) -> None:
        self.env = env
        self.home = env
        """Where definitions go; `env`, in which forms are looked up, may be inside it."""
        self.whole_module = True
        """Do the forms define this one module?"""
        self._queue: list[Any] = []

    def scan(self, forms: Iterable[Any]) -> None:
        """Take up `forms`, and all that they are spliced into."""
        outer = self._queue
        self._queue = list(forms)[::-1]
        while self._queue:
            form, binding = expand_head(self._queue.pop(), self.env)
            if type(binding) is Special and binding.define is not None:
                if form.pos is not None:
                    CURRENT.position = form.pos
                binding.define(form, self)
            else:
                self._queue_expression(form, self.env)
        self._queue = outer

    def scan_inside(self, env: Env, forms: Iterable[Any]) -> None:
        """Take up `forms`, which see the frame `env`: what they define is defined here."""
        outer, self.env = self.env, env
        self.scan(forms)
        self.env = outer

    def _queue_expression(self, form: Any, env: Env) -> None:
        self.expression(lambda: expand(form, env))

    def splice(self, forms: Iterable[Any]) -> None:
        """Scan `forms` next, as if they stood here."""
        self._queue.extend(reversed(list(forms)))

    def define(self, id: Identifier, make: Callable[[], Node], pos: int | None = None) -> None:
        """Bind `id` to a variable that holds the value of what `make` gives."""
        raise NotImplementedError

    def bind(self, id: Identifier, binding: Binding) -> None:
        """Bind `id` to syntax."""
        raise NotImplementedError

    def expression(self, make: Callable[[], Node]) -> None:
        """Queue an expression."""
        raise NotImplementedError

    def now(self, forms: Iterable[Any]) -> None:
        """Scan `forms` and, at top level, run them before what follows is expanded."""
        self.splice(forms)


class _Body(Context):
    """The inside of a lambda or let."""

    def __init__(self, env: Env) -> None:
        super().__init__(Env(env))
        self.items: list[tuple[Var | None, Callable[[], Node], int | None]] = []
        self.last_definition = -1

    def define(self, id: Identifier, make: Callable[[], Node], pos: int | None = None) -> None:
        if id in self.home.table:
            syntax_error(f"{id.name} is defined twice in the same body")
        var = self.home.table[id] = Var(id.name)
        self.last_definition = len(self.items)
        self.items.append((var, lambda: name_procedure(make(), id, pos), pos))

    def bind(self, id: Identifier, binding: Binding) -> None:
        if id in self.home.table:
            syntax_error(f"{id.name} is defined twice in the same body")
        self.home.table[id] = binding

    def expression(self, make: Callable[[], Node]) -> None:
        self.items.append((None, make, None))


def expand_body(forms: list[Any], env: Env, owner: Any = None) -> Node:
    """The node of a body; `owner` is the form that it belongs to, for errors."""
    if len(forms) == 1 and type(forms[0]) is not Pair:
        return expand(forms[0], env)
    body = _Body(env)
    body.scan(forms)
    split = body.last_definition + 1
    if split == len(body.items):
        if not body.items:
            syntax_error(f"{_owner(owner)} has an empty body", owner, "add an expression")
        syntax_error(
            f"the body of {_owner(owner)} ends in a definition",
            owner,
            "end it with the expression whose value is wanted",
        )
    variables: list[Var] = []
    inits: list[Node] = []
    for var, make, _ in body.items[:split]:
        if var is None:
            variables.append(Var("_"))
            inits.append(Seq([make(), unspecified()]))
        else:
            variables.append(var)
            inits.append(make())
    rest = seq([make() for _, make, _ in body.items[split:]])
    return Letrec(variables, inits, rest) if variables else rest


def _owner(form: Any) -> str:
    return show(form.car) if type(form) is Pair and is_identifier(form.car) else "this form"


# ---------------------------------------------------------------- formal parameters

_MARKERS: Final = frozenset({"optional", "key", "rest", "allow-other-keys"})


def bind_variable(id: Any, env: Env, form: Any) -> Var:
    """A fresh variable for `id` in frame `env`, which must not have it yet."""
    if not is_identifier(id):
        syntax_error(
            f"a variable's name is expected, not {show(id)}", id if type(id) is Pair else form
        )
    if id in env.table:
        message = f"duplicate variable {id.name}"
        raise SchemeSyntaxError(_second_place(id, env, form), message, form=strip(form))
    var = env.table[id] = Var(id.name)
    return var


def _second_place(id: Identifier, env: Env, form: Any) -> int | None:
    """Where `id` stands for the second time in the parameter list that `form` begins with; if it
    is not written there, where `form` stands."""
    place = position_of(form)
    source = env.module.session.sources.source(place) if place is not None else None
    if place is None or source is None or type(id) is not Symbol or type(form.car) is Pair:
        return place
    named = is_identifier(form.car) and form.car.name.startswith("define")
    return second_parameter(source.text, place - source.base, id, named) + source.base


def expand_lambda(x: Pair, formals: Any, forms: list[Any], env: Env, extended: bool) -> Lam:
    """The procedure with `formals` and body `forms`; `extended` for lambda*'s parameter lists."""
    scope = Env(env)
    node = Lam([], None, unspecified(), pos=x.pos)
    mode = "required"
    rest = formals
    while type(rest) is Pair:
        item = rest.car
        rest = rest.cdr
        if type(item) is Keyword:
            if not extended:
                syntax_error(
                    f"a parameter list of {show(x.car)} cannot hold {item!r}",
                    x,
                    "use define* or lambda*",
                )
            mode = item.name
            if mode not in _MARKERS:
                syntax_error(f"unknown marker {item!r} in a parameter list", x)
            if mode == "allow-other-keys":
                node.allow_other_keys = True
            continue
        if mode == "required":
            node.params.append(bind_variable(item, scope, x))
        elif mode == "rest":
            node.rest = bind_variable(item, scope, x)
        elif mode == "allow-other-keys":
            syntax_error("nothing but #:rest may follow #:allow-other-keys", x)
        else:
            _optional_parameter(node, item, scope, x, mode)
    if rest is not NIL:
        node.rest = bind_variable(rest, scope, x)
    if len(forms) > 1 and type(forms[0]) is str:
        node.documentation = forms.pop(0)
    node.body = expand_body(forms, scope, x)
    return node


def _optional_parameter(node: Lam, item: Any, scope: Env, x: Pair, mode: str) -> None:
    """name, (name default) or, among keywords, (name default #:key)"""
    operands = python_list(item) if type(item) is Pair else [item]
    default = expand(operands[1], scope) if len(operands) > 1 else Const(False)
    var = bind_variable(operands[0], scope, x)
    if mode == "optional":
        if len(operands) > 2:
            syntax_error("an optional parameter is name or (name default)", item)
        node.optional.append((var, default))
        return
    key = operands[2] if len(operands) > 2 else None
    if len(operands) > 3 or (key is not None and type(key) is not Keyword):
        syntax_error("a keyword parameter is name, (name default) or (name default #:key)", item)
    node.keys.append((key or keyword(operands[0].name), var, default))


# ---------------------------------------------------------------- transformers


def transformer(form: Any, env: Env, name: Identifier) -> Binding:
    """What a keyword bound to `form` by define-syntax and its kin means."""
    form, binding = expand_head(form, env)
    if type(binding) is Special and binding.name == "syntax-rules":
        return syntax_rules(form, env)
    if type(binding) is Special and binding.name == "identifier-syntax":
        from lang.forms.macros import identifier_syntax

        return identifier_syntax(form, env)
    if is_identifier(form):
        known = lookup(form, env)
        if type(known) in (Macro, Special, SyntaxParameter):
            return known
    from lang.forms.macros import procedural

    return procedural(form, env, name)


def children(node: Node) -> Iterator[Node]:
    """The nodes directly inside `node`."""
    match node:
        case LSet() | GSet() | GDef():
            yield node.value
        case If():
            yield from (node.test, node.consequent, node.alternative)
        case Seq():
            yield from node.nodes
        case Call():
            yield node.function
            yield from node.arguments
        case Let() | Letrec():
            yield from node.inits
            yield node.body
        case Lam():
            for _, default in node.optional:
                yield default
            for _, _, default in node.keys:
                yield default
            yield node.body
        case CaseLam():
            yield from node.clauses


def walk(node: Node) -> Iterator[Node]:
    """`node` and all nodes inside it."""
    pending = [node]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(children(node))


def assigned(binding: Binding, id: Identifier, value: Node, form: Any) -> Node:
    """`(set! id value)`"""
    if type(binding) is Var:
        binding.mutated = True
        return LSet(binding, value)
    if type(binding) is Global:
        change = GSet(binding.key, value)
        # what nothing has defined yet must be there by the time that it is changed
        return change if binding.defined else Seq([GRef(binding.key), change])
    syntax_error(f"set!: {base(id).name} is not a variable", form)
