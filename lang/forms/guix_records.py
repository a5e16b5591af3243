"""define-record-type*: records whose constructors are syntax, as in (guix records).

(define-record-type* <thing> thing make-thing thing? this-thing
  (name   thing-name)
  (size   thing-size (default 1) (sanitize check-size))
  (parts  thing-parts (thunked) (default (parts-of this-thing))))

(thing (inherit other) (name "x") (parts (list name)))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

from lang.data import NIL, Keyword, Pair, Symbol, cons, python_list, scheme_list, symbol
from lang.expand import (
    Context,
    bind_variable,
    call_core,
    definition,
    expand,
    expand_body,
    name_procedure,
    parts,
    provide,
    special,
)
from lang.forms.record_procedures import DELAYED, PLAIN, THUNKED
from lang.forms.records import define_procedure
from lang.ir import Call, Const, Lam, Let, LRef, Node, Seq, Var
from lang.syntax import (
    Alias,
    Env,
    Expanded,
    Identifier,
    Macro,
    Special,
    SyntaxParameter,
    base,
    fresh,
    is_identifier,
    lookup,
    nearest,
    parameter_value,
    show,
    syntax_error,
)

RECORDS: Final = ("guix", "records")
_USAGE: Final = "(define-record-type* <type> constructor procedure predicate (field accessor) ...)"


class Field:
    """A field of a record type.

    `default` says how a value that is not given is made: ("inline", form) or ("procedure",
    identifier); the procedure gets the record if the field is thunked, else nothing. The name of
    a `hidden` field means in the fields after it what it means outside.
    """

    __slots__ = (
        "accessor",
        "default",
        "documentation",
        "hidden",
        "innate",
        "kind",
        "name",
        "sanitizer",
    )

    def __init__(
        self,
        name: Symbol,
        accessor: Identifier,
        kind: int = PLAIN,
        innate: bool = False,
        default: tuple[str, Any] | None = None,
        sanitizer: Identifier | None = None,
        documentation: str | None = None,
        hidden: bool = False,
    ) -> None:
        self.name = name
        self.accessor = accessor
        self.kind = kind
        self.innate = innate
        self.default = default
        self.sanitizer = sanitizer
        self.documentation = documentation
        self.hidden = hidden


class RecordSyntax:
    """What a syntactic constructor knows. Identifiers mean what they mean in `env`."""

    __slots__ = ("env", "fields", "name", "this", "type_id")

    def __init__(
        self,
        name: Symbol,
        type_id: Identifier,
        this: Identifier | None,
        env: Env,
        fields: list[Field] | None = None,
    ) -> None:
        self.name = name
        self.type_id = type_id
        self.this = this
        self.env = env
        self.fields: list[Field] = fields if fields is not None else []


def outside(name: str) -> Macro:
    """The meaning of this-record and its like where there is no record."""

    def transform(use: Any, _: Env) -> NoReturn:
        syntax_error(f"{name} means something only inside a thunked field of a record", use)

    return Macro(transform, ("outside", name))


THIS_RECORD: Final = SyntaxParameter(outside("this-record"))
provide(THIS_RECORD, ["this-record"], [RECORDS])


# ---------------------------------------------------------------- the definition


@definition("define-record-type*", modules=[RECORDS])
def define_record_type_star(x: Pair, context: Context) -> None:
    """(define-record-type* type syntactic-constructor constructor predicate [this-id] field ...)"""
    operands = parts(x, 4, None, _USAGE)
    type_id, keyword, constructor, predicate = operands[:4]
    specs = operands[4:]
    this = specs.pop(0) if specs and is_identifier(specs[0]) else None
    for id in operands[:4]:
        if not is_identifier(id):
            syntax_error(f"define-record-type*: a name is expected, not {show(id)}", x)
    env = context.env
    if this is not None:
        context.bind(this, SyntaxParameter(outside(this.name)))
    record = RecordSyntax(base(keyword), type_id, this, env)
    documentation = []
    symbols = []
    for spec in specs:
        found = _field(spec, record, context)
        if any(found.name is known.name for known in record.fields):
            syntax_error(f"the field {found.name.name} is defined twice", spec)
        record.fields.append(found)
        symbols.append(found.name)
        if found.documentation is not None:
            documentation.append(cons(found.name, found.documentation))
    arguments = (
        Const(base(type_id)),
        Const(scheme_list(symbols)),
        Const(scheme_list(documentation)),
    )
    context.define(type_id, lambda: call_core("%record-type", *arguments), x.pos)
    context.bind(keyword, constructor_syntax(record))
    context.define(constructor, _procedure(record, constructor.name), x.pos)
    define_procedure(context, predicate, "%record-predicate", type_id, [], env, x.pos)
    for index, known in enumerate(record.fields):
        place = [Const(index), Const(known.kind)] if known.kind else [Const(index)]
        define_procedure(context, known.accessor, "%record-accessor", type_id, place, env, x.pos)


def _procedure(record: RecordSyntax, name: str) -> Callable[[], Node]:
    def make() -> Node:
        variables = [Var(known.name.name) for known in record.fields]
        rtd = expand(record.type_id, record.env)
        body = call_core("%record", rtd, *(LRef(var) for var in variables))
        return Lam(variables, None, body, name)

    return make


def _field(spec: Any, record: RecordSyntax, context: Context) -> Field:
    """(name accessor property ...)"""
    items = python_list(spec)
    if len(items) < 2 or not is_identifier(items[0]) or not is_identifier(items[1]):
        syntax_error(f"a field is (name accessor property ...), not {show(spec)}", spec)
    found = Field(base(items[0]), items[1])
    default = None
    for item in items[2:]:
        operands = python_list(item)
        key = base(operands[0]).name if operands and is_identifier(operands[0]) else ""
        match key, len(operands) - 1:
            case "default", 1:
                default = operands[1]
                found.default = ("pending", None)
            case "thunked", 0:
                found.kind = THUNKED
            case "delayed", 0:
                found.kind = DELAYED
            case "innate", 0:
                found.innate = True
            case "hidden", 0:
                found.hidden = True
            case "sanitize", 1:
                found.sanitizer = _sanitizer(operands[1], found, context)
            case "documentation", 1 if type(operands[1]) is str:
                found.documentation = operands[1]
            case _:
                syntax_error(
                    f"unknown property {show(item)} of the field {found.name.name}",
                    item if type(item) is Pair else spec,
                    "the properties are (default value), (thunked), (delayed), (innate), "
                    '(hidden), (sanitize procedure) and (documentation "text")',
                )
    if found.default is not None:
        found.default = _default(default, found, record, context)
    return found


def _sanitizer(form: Any, found: Field, context: Context) -> Identifier:
    if is_identifier(form):
        return form  # type: ignore[no-any-return]
    env = context.env
    id = fresh(symbol(f"{found.name.name}-sanitizer"), env)
    context.define(id, lambda: expand(form, env))
    return id


def _default(form: Any, found: Field, record: RecordSyntax, context: Context) -> tuple[str, Any]:
    """Constants, and what depends on the place of use, go inline; the rest is computed by a
    procedure, so that it is compiled once."""
    if found.sanitizer is None and found.kind == PLAIN and _is_constant(form):
        return "inline", form
    if _mentions(form, "current-source-location"):
        return "inline", form
    env = context.env
    id = fresh(symbol(f"{found.name.name}-default"), env)

    def make() -> Node:
        if found.kind == THUNKED:
            return _thunk(form, found, record, env, None)
        return Lam([], None, expand(_sanitized(form, found, record.env), env), id.name)

    context.define(id, make)
    return "procedure", id


def _is_constant(form: Any) -> bool:
    if type(form) is Pair:
        return is_identifier(form.car) and base(form.car).name == "quote"
    return form is True or form is False or isinstance(form, (int, float, str, Keyword))


def _mentions(form: Any, name: str) -> bool:
    while type(form) is Pair:
        if _mentions(form.car, name):
            return True
        form = form.cdr
    return is_identifier(form) and base(form).name == name


# ---------------------------------------------------------------- the constructor


def constructor_syntax(record: RecordSyntax) -> Special:
    """The meaning of the syntactic constructor of `record`."""

    def construct(x: Pair, env: Env) -> Node:
        return _Construction(record, x, env).node()

    return Special(record.name.name, construct, recipe=("record", record))


class _Construction:
    """One use of a syntactic constructor: (name [(inherit record)] (field value) ...)."""

    def __init__(self, record: RecordSyntax, x: Pair, env: Env) -> None:
        self.record = record
        self.x = x
        self.scope = env
        self.self_key = SyntaxParameter(outside("the record"))
        self.bindings: list[tuple[Var, Node, int | None]] = []
        self.values: dict[Symbol, Var] = {}
        self.original: Var | None = None

    def node(self) -> Node:
        """Evaluates the given values in order, each seeing those before it, then the record."""
        known = {known.name: known for known in self.record.fields}
        for clause in parts(self.x, 0, None, f"({self.record.name.name} (field value) ...)"):
            self._clause(clause, known)
        arguments = self._arguments()
        rtd = expand(self.record.type_id, self.record.env)
        node: Node = call_core("%record", rtd, *arguments, pos=self.x.pos)
        for var, value, pos in reversed(self.bindings):
            node = Let([var], [value], node, pos=pos)
        return node

    def _clause(self, clause: Any, known: dict[Symbol, Field]) -> None:
        record = self.record.name.name
        items = python_list(clause)
        if not items or not is_identifier(items[0]):
            syntax_error(
                f"{record}: a field is written (name value), not {show(clause)}",
                clause if type(clause) is Pair or is_identifier(clause) else self.x,
            )
        name = base(items[0])
        if name.name == "inherit" and name not in known:
            self._inherit(clause, items)
            return
        if name not in known:
            names = [other.name for other in known]
            syntax_error(
                f"{record} has no field {name.name}",
                clause,
                self.scope.module.session.advice(name.name)
                or nearest(name.name, names)
                or f"its fields are {', '.join(names)}",
            )
        if len(items) != 2:
            syntax_error(
                f"{record}: the field {name.name} takes one value, not {len(items) - 1}", clause
            )
        if name in self.values:
            syntax_error(f"{record}: the field {name.name} is given twice", clause)
        found = known[name]
        value = self._value(items[1], found, self.scope, clause.pos)
        self._bind(items[0], found, name_procedure(value, items[0], None), clause.pos)

    def _inherit(self, clause: Any, items: list[Any]) -> None:
        if len(items) != 2 or self.original is not None:
            syntax_error(
                f"{self.record.name.name}: (inherit record) stands once, with one record", clause
            )
        self.original = Var("inherited")
        rtd = expand(self.record.type_id, self.record.env)
        value = call_core("%inherited", rtd, expand(items[1], self.scope), pos=clause.pos)
        self.bindings.append((self.original, value, clause.pos))

    def _value(self, form: Any, found: Field, env: Env, pos: int | None) -> Node:
        """The node for what is stored when `form` is given."""
        if found.kind == THUNKED:
            return _thunk(form, found, self.record, env, self.self_key, pos)
        node = expand(_sanitized(form, found, self.record.env, pos), env)
        if found.kind == DELAYED:
            return call_core("%delay", Lam([], None, node, found.name.name, pos=pos))
        return node

    def _bind(self, id: Identifier, found: Field, value: Node, pos: int | None) -> None:
        var = Var(id.name)
        self.values[found.name] = var
        self.bindings.append((var, value, pos))
        if found.hidden:
            return
        self.scope = Env(self.scope)
        if found.kind == PLAIN:
            self.scope.table[id] = var
        elif found.kind == DELAYED:
            self.scope.table[id] = _delayed_sibling(var)
        else:
            self.scope.table[id] = self._thunked_sibling(found, var)

    def _thunked_sibling(self, found: Field, var: Var) -> Macro:
        """The name of a thunked field, seen by those after it: its value for the same record."""

        def transform(use: Any, env: Env) -> Any:
            this = parameter_value(self.self_key, env)
            if type(this) is not Var:
                syntax_error(
                    f"{found.name.name} is a thunked field of the record that is being made: "
                    "only other thunked fields can refer to it"
                )
            value = Expanded(var.name, lambda: Call(LRef(var), [LRef(this)]))
            return cons(value, use.cdr, use.pos) if type(use) is Pair else value

        return Macro(transform)

    def _arguments(self) -> list[Node]:
        arguments: list[Node] = []
        missing = []
        for index, found in enumerate(self.record.fields):
            var = self.values.get(found.name)
            if var is not None:
                arguments.append(LRef(var))
            elif self.original is not None and not found.innate:
                arguments.append(call_core("%field", LRef(self.original), Const(index)))
            elif found.default is None:
                missing.append(found.name.name)
            else:
                arguments.append(self._default(found))
        if missing:
            plural = "s" if len(missing) > 1 else ""
            syntax_error(
                f"{self.record.name.name}: no value for the field{plural} {', '.join(missing)}",
                self.x,
                f"add ({missing[0]} ...)",
            )
        return arguments

    def _default(self, found: Field) -> Node:
        assert found.default is not None
        how, what = found.default
        env = self.record.env
        if how == "inline":
            return self._value(_at(what, self.x.pos), found, env, self.x.pos)
        procedure = expand(what, env)
        if found.kind == THUNKED:
            return procedure
        call = Call(procedure, [])
        if found.kind == DELAYED:
            return call_core("%delay", Lam([], None, call, found.name.name))
        return call


def _at(form: Any, pos: int | None) -> Any:
    """A copy of `form` that stands at `pos`."""
    if type(form) is Pair:
        return cons(_at(form.car, pos), _at(form.cdr, pos), pos)
    return form


def _delayed_sibling(var: Var) -> Macro:
    """The name of a delayed field, seen by those after it."""

    def transform(use: Any, _: Env) -> Any:
        value = Expanded(var.name, lambda: call_core("force", LRef(var)))
        return cons(value, use.cdr, use.pos) if type(use) is Pair else value

    return Macro(transform)


def _sanitized(form: Any, found: Field, env: Env, pos: int | None = None) -> Any:
    """`form`, checked or converted as the field says."""
    if found.sanitizer is None:
        return form
    return cons(Alias(found.sanitizer, env, {}), cons(form, NIL), pos)


def _thunk(
    form: Any,
    found: Field,
    record: RecordSyntax,
    env: Env,
    self_key: SyntaxParameter | None,
    pos: int | None = None,
) -> Lam:
    """A procedure of the record whose body is `form`."""
    this = Var("this-record")
    scope = Env(env)
    scope.table[THIS_RECORD] = this
    if record.this is not None:
        scope.table[lookup(record.this, record.env)] = this
    if self_key is not None:
        scope.table[self_key] = this
    body = expand(_sanitized(form, found, record.env, pos), scope)
    if found.sanitizer is not None:
        # no tail call: an error of the sanitizer's is to find the field in the trace
        value = Var("value")
        body = Let([value], [body], Seq([LRef(value), LRef(value)]), pos=pos)
    return Lam([this], None, body, found.name.name, pos=pos)


@special("match-record", modules=[RECORDS])
def expand_match_record(x: Pair, env: Env) -> Node:
    """(match-record record type (field (field variable) ...) body ...)"""
    usage = "(match-record record <type> (field ...) body ...)"
    operands = parts(x, 4, None, usage)
    subject, rtd = Var("record"), Var("type")
    scope = Env(env)
    variables: list[Var] = []
    values: list[Node] = []
    for item in python_list(operands[2]):
        names = python_list(item) if type(item) is Pair else [item, item]
        if len(names) != 2 or not is_identifier(names[0]):
            syntax_error(f"match-record: a field is expected, not {show(item)}", x)
        variables.append(bind_variable(names[1], scope, x))
        name = Const(base(names[0]))
        values.append(call_core("%field-named", LRef(subject), LRef(rtd), name, pos=x.pos))
    inits = [expand(operands[0], env), expand(operands[1], env)]
    body = expand_body(operands[3:], scope, x)
    return Let([subject, rtd], inits, Let(variables, values, body) if variables else body)
