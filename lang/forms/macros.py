"""Forms that make macros: define-syntax and its kin, syntax-case, templates, syntax parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from lang.data import NIL, Pair, Symbol, cons, python_list, scheme_list, symbol
from lang.errors import SchemeSyntaxError, explain
from lang.expand import (
    CORE,
    Context,
    call_core,
    definition,
    expand,
    expand_body,
    name_procedure,
    parts,
    provide,
    special,
    transformer,
    walk,
)
from lang.ir import Call, Const, GRef, If, Lam, Let, Letrec, LRef, LSet, Node, Var
from lang.modules import Module
from lang.patterns import Hole, Matcher, Template, syntax_rules
from lang.runtime.trampoline import call
from lang.syntax import (
    Alias,
    Ellipsis,
    Env,
    Identifier,
    Macro,
    PatternVariable,
    Special,
    SyntaxParameter,
    base,
    ellipsis_in,
    fresh,
    is_identifier,
    lookup,
    position_of,
    show,
    strip,
    syntax_error,
)

if TYPE_CHECKING:
    from lang.unit import Unit

# ---------------------------------------------------------------- definitions of keywords


@definition("define-syntax")
def define_syntax(x: Pair, context: Context) -> None:
    """(define-syntax name transformer), (define-syntax (name form) body ...)"""
    operands = parts(x, 2, None, "(define-syntax name transformer)")
    name = operands[0]
    if type(name) is Pair:
        keyword = context.env.module.session.core_name("lambda")
        form = cons(keyword, cons(name.cdr, scheme_list(operands[1:])), x.pos)
        name = name.car
    else:
        form = operands[-1]
    if not is_identifier(name):
        syntax_error(f"define-syntax: a name is expected, not {show(name)}", x)
    context.bind(name, transformer(form, context.env, name))


@definition("define-macro")
def define_macro(x: Pair, context: Context) -> None:
    """(define-macro (name . formals) body ...), (define-macro name procedure): without hygiene"""
    operands = parts(x, 2, None, "(define-macro (name parameter ...) body ...)")
    if type(operands[0]) is Pair:
        core = context.env.module.session.core_name
        procedure = cons(core("lambda"), cons(operands[0].cdr, scheme_list(operands[1:])), x.pos)
        _define_unhygienic(x, operands[0].car, procedure, context)
    else:
        _define_unhygienic(x, operands[0], operands[1], context)


@definition("defmacro")
def defmacro(x: Pair, context: Context) -> None:
    """(defmacro name formals body ...): without hygiene"""
    name, formals, *body = parts(x, 3, None, "(defmacro name (parameter ...) body ...)")
    core = context.env.module.session.core_name
    procedure = cons(core("lambda"), cons(formals, scheme_list(body)), x.pos)
    _define_unhygienic(x, name, procedure, context)


@definition("defmacro-public")
def defmacro_public(x: Pair, context: Context) -> None:
    """defmacro and export"""
    defmacro(x, context)
    context.env.module.export(base(python_list(x)[1]))


def _define_unhygienic(x: Pair, name: Any, procedure: Any, context: Context) -> None:
    """Define `name` as what `procedure` makes of the operands, as plain data."""
    if not is_identifier(name):
        syntax_error(f"{show(x.car)}: a name is expected, not {show(name)}", x)
    core = context.env.module.session.core_name
    form = fresh(symbol("form"), context.env)
    data = scheme_list([core("cdr"), scheme_list([core("syntax->datum"), form])])
    made = scheme_list([core("apply"), procedure, data])
    keyword = scheme_list([core("car"), form])
    body = scheme_list([core("datum->syntax"), keyword, made])
    whole = cons(core("lambda"), scheme_list([scheme_list([form]), body]), x.pos)
    context.bind(name, transformer(whole, context.env, name))


@definition("define-syntax-rule")
def define_syntax_rule(x: Pair, context: Context) -> None:
    """(define-syntax-rule (name . pattern) ["documentation"] template)"""
    usage = "(define-syntax-rule (name pattern ...) template)"
    operands = parts(x, 2, 3, usage)
    if type(operands[0]) is not Pair or not is_identifier(operands[0].car):
        syntax_error(f"wrong use of define-syntax-rule: {show(x)}", x, f"it is used as {usage}")
    rule = cons(operands[0], cons(operands[-1], NIL))
    form = scheme_list([symbol("syntax-rules"), NIL, rule])
    context.bind(operands[0].car, syntax_rules(form, context.env))


@definition("define-syntax-parameter")
def define_syntax_parameter(x: Pair, context: Context) -> None:
    """(define-syntax-parameter name transformer)"""
    name, form = parts(x, 2, 2, "(define-syntax-parameter name transformer)")
    if not is_identifier(name):
        syntax_error(f"define-syntax-parameter: a name is expected, not {show(name)}", x)
    context.bind(name, SyntaxParameter(transformer(form, context.env, name)))


def expand_let_syntax(x: Pair, env: Env) -> Node:
    """(let-syntax ((name transformer) ...) body ...)"""
    scope, forms = _keyword_scope(x, env)
    return expand_body(forms, scope, x)


def _scan_let_syntax(x: Pair, context: Context) -> None:
    """Where definitions may stand, those of the body are definitions there."""
    context.scan_inside(*_keyword_scope(x, context.env))


provide(
    Special("let-syntax", expand_let_syntax, _scan_let_syntax),
    ["let-syntax", "letrec-syntax"],
    [CORE],
)


def _keyword_scope(x: Pair, env: Env) -> tuple[Env, list[Any]]:
    """The frame of the keywords that a let-syntax or letrec-syntax binds, and its body."""
    operands = parts(x, 2, None, "(let-syntax ((name transformer) ...) body ...)")
    scope = Env(env)
    for clause in python_list(operands[0]):
        name, form = _keyword_binding(clause, x)
        where = scope if base(x.car).name == "letrec-syntax" else env
        scope.table[name] = transformer(form, where, name)
    return scope, operands[1:]


@special("syntax-parameterize")
def expand_syntax_parameterize(x: Pair, env: Env) -> Node:
    """(syntax-parameterize ((parameter transformer) ...) body ...)"""
    operands = parts(x, 2, None, "(syntax-parameterize ((parameter transformer) ...) body ...)")
    scope = Env(env)
    for clause in python_list(operands[0]):
        name, form = _keyword_binding(clause, x)
        parameter = lookup(name, env)
        if type(parameter) is not SyntaxParameter:
            syntax_error(f"{name.name} is not a syntax parameter", clause)
        scope.table[parameter] = transformer(form, env, name)
    return expand_body(operands[1:], scope, x)


@special("with-ellipsis")
def expand_with_ellipsis(x: Pair, env: Env) -> Node:
    """(with-ellipsis ellipsis body ...): patterns and templates of the body repeat by it"""
    operands = parts(x, 2, None, "(with-ellipsis ellipsis body ...)")
    if not is_identifier(operands[0]):
        syntax_error(f"with-ellipsis: a name is expected, not {show(operands[0])}", x)
    scope = Env(env)
    scope.table[Ellipsis] = Ellipsis(base(operands[0]))
    return expand_body(operands[1:], scope, x)


def _keyword_binding(clause: Any, x: Pair) -> tuple[Identifier, Any]:
    items = python_list(clause)
    if len(items) != 2 or not is_identifier(items[0]):
        syntax_error(f"a binding in {show(x.car)} is (name transformer), not {show(clause)}", x)
    return items[0], items[1]


# ---------------------------------------------------------------- transformers


def identifier_syntax(form: Pair, env: Env) -> Macro:
    """(identifier-syntax template), (identifier-syntax (id template) ((set! id value) template))"""
    operands = parts(form, 1, 2, "(identifier-syntax template)")
    if len(operands) == 1:
        template = Template(operands[0], [], env, ellipsis_in(env))
        setter = None
    else:
        clauses = [python_list(clause) for clause in operands]
        if not all(len(clause) == 2 for clause in clauses) or type(clauses[1][0]) is not Pair:
            syntax_error(
                f"wrong use of identifier-syntax: {show(form)}",
                form,
                "it is used as (identifier-syntax (name template) ((set! name value) template))",
            )
        (_, body), (shape, assignment) = clauses
        template = Template(body, [], env, ellipsis_in(env))
        matcher = Matcher(shape.cdr, [], env, ellipsis_in(env))
        setter = Template(assignment, matcher.variables, env, ellipsis_in(env))

    def transform(use: Any, use_env: Env) -> Any:
        if is_identifier(use):
            return template.instantiate([])
        if setter is not None and is_set(use.car, use_env):
            return setter.instantiate(matcher.match(use.cdr) or [])
        return cons(template.instantiate([]), use.cdr, use.pos)

    return Macro(transform, ("identifier-syntax", form, env), variable=setter is not None)


def is_set(keyword: Any, env: Env) -> bool:
    binding = lookup(keyword, env) if is_identifier(keyword) else None
    return type(binding) is Special and binding.name == "set!"


def procedural(form: Any, env: Env, name: Identifier) -> Macro:
    """The macro whose transformer is the value of expression `form`, evaluated at first use.

    By then the procedures that it calls are defined, even those that stand after it in the file.
    """
    node = name_procedure(expand(form, env), name, None)
    if type(node) is Const:
        syntax_error(
            f"{name.name}: a macro's transformer is a procedure, not {show(form)}",
            form if type(form) is Pair else None,
            "write (syntax-rules () ((_ argument ...) template)) or (lambda (form) ...)",
        )
    _check_phase(node, name)
    variable = (
        type(node) is Call
        and type(node.function) is GRef
        and node.function.key == "make-variable-transformer"
    )
    transformer = Transformer(name, env.module, node=node)
    return Macro(transformer.transform, ("procedure", transformer), variable)


class Transformer:
    """A macro's procedure: as a node to compile, or compiled; its value once it is needed."""

    def __init__(
        self,
        name: Identifier,
        module: Module,
        node: Node | None = None,
        load: Callable[[], Unit] | None = None,
    ) -> None:
        self.name = name
        self.module = module
        self._node = node
        self._load = load
        self._file = module.session.file_here("macro")
        self._unit: Unit | None = None
        self._value: Any = None

    def unit(self) -> Unit:
        """The compiled expression."""
        if self._unit is None and self._load is not None:
            self._unit = self._load()
        elif self._unit is None:
            assert self._node is not None
            self._unit = self.module.session.compile_transformer(self._node, self._file)
            self._node = None
        return self._unit

    def value(self) -> Callable[[Any], Any]:
        """The procedure."""
        if self._value is None:
            value = self.module.session.run_unit(self.unit())
            if type(value) is VariableTransformer:
                value = value.function
            if not callable(value):
                syntax_error(
                    f"{self.name.name}: a macro's transformer is a procedure, not {show(value)}"
                )
            self._value = value
        return self._value  # type: ignore[no-any-return]

    def transform(self, use: Any, _: Env) -> Any:
        """One macro step. What goes wrong in it is reported at the use of the macro."""
        try:
            return call(self._value or self.value(), use)
        except SchemeSyntaxError:
            raise
        except Exception as error:
            self._failed(error, use)

    def _failed(self, error: Exception, use: Any) -> NoReturn:
        session = self.module.session
        names = session.bound_names
        found = explain(
            error, session.sources, lambda: names(self.module), session.exporters, session.advice
        )
        place = f" (at {found.location})" if found.location is not None else ""
        raise SchemeSyntaxError(
            position_of(use),
            f"the macro {self.name.name} failed: {found.message}{place}",
            found.hint,
            strip(use),
        ) from error


class VariableTransformer:
    """What make-variable-transformer gives: a transformer that also sees set! forms."""

    __slots__ = ("function",)

    def __init__(self, function: Any) -> None:
        self.function = function


def _check_phase(node: Node, name: Identifier) -> None:
    """Refuse a transformer that needs the value of a variable which exists only at run time."""
    bound: set[Var] = set()
    used: list[tuple[Var, int | None]] = []
    for inner in walk(node):
        match inner:
            case Let() | Letrec():
                bound.update(inner.vars)
            case Lam():
                bound.update(inner.params)
                bound.update(var for var, _ in inner.optional)
                bound.update(var for _, var, _ in inner.keys)
                if inner.rest is not None:
                    bound.add(inner.rest)
            case LRef() | LSet():
                used.append((inner.var, inner.pos))
    for var, _ in used:
        if var not in bound:
            syntax_error(
                f"the transformer of {name.name} uses the local variable {var.name}, "
                "which has no value yet when macros are expanded"
            )


# ---------------------------------------------------------------- syntax-case and templates


def _match_node(matcher: Matcher, subject: Node, env: Env) -> tuple[Var, Env, list[Var], Node]:
    """A variable for the match, the scope of the pattern variables, and their variables."""
    found = Var("match")
    scope = Env(env)
    variables = []
    for id, depth in matcher.variables:
        var = Var(id.name)
        scope.table[id] = PatternVariable(var, depth)
        variables.append(var)
    key = env.module.session.syntax_constant(env.module, matcher)
    return found, scope, variables, call_core("%match", GRef(key), subject)


def _bound(found: Var, variables: list[Var], inner: Node) -> Node:
    if not variables:
        return inner
    return Let(variables, [_element(found, i) for i in range(len(variables))], inner)


def _element(vector: Var, index: int) -> Node:
    return call_core("vector-ref", LRef(vector), Const(index))


@special("syntax-case")
def expand_syntax_case(x: Pair, env: Env) -> Node:
    """(syntax-case form (literal ...) (pattern [fender] expression) ...)"""
    usage = "(syntax-case form (literal ...) (pattern expression) ...)"
    operands = parts(x, 2, None, usage)
    literals = python_list(operands[1])
    subject = Var("form")
    node: Node = call_core("%no-match", LRef(subject))
    for clause in reversed(operands[2:]):
        items = python_list(clause)
        if len(items) not in (2, 3):
            syntax_error("a syntax-case clause is (pattern [fender] expression)", clause)
        matcher = Matcher(items[0], literals, env, ellipsis_in(env))
        found, scope, variables, match = _match_node(matcher, LRef(subject), env)
        if len(items) == 2:
            inner = _bound(found, variables, expand(items[1], scope))
            node = Let([found], [match], If(LRef(found), inner, node))
            continue
        otherwise = Var("next")
        fender = If(expand(items[1], scope), expand(items[2], scope), Call(LRef(otherwise), []))
        inner = If(LRef(found), _bound(found, variables, fender), Call(LRef(otherwise), []))
        rest = Lam([], None, node, "next")
        node = Let([otherwise], [rest], Let([found], [match], inner))
    return Let([subject], [expand(operands[0], env)], node)


@special("with-syntax")
def expand_with_syntax(x: Pair, env: Env) -> Node:
    """(with-syntax ((pattern expression) ...) body ...)"""
    operands = parts(x, 2, None, "(with-syntax ((pattern expression) ...) body ...)")
    patterns = []
    subjects = []
    for clause in python_list(operands[0]):
        items = python_list(clause)
        if len(items) != 2:
            syntax_error("a with-syntax binding is (pattern expression)", x)
        patterns.append(items[0])
        subjects.append(expand(items[1], env))
    subject = Var("form")
    matcher = Matcher(scheme_list(patterns), [], env, ellipsis_in(env))
    found, scope, variables, match = _match_node(matcher, LRef(subject), env)
    body = _bound(found, variables, expand_body(operands[1:], scope, x))
    checked = If(LRef(found), body, call_core("%no-match", LRef(subject)))
    return Let([subject], [call_core("list", *subjects)], Let([found], [match], checked))


@special("syntax")
def expand_syntax(x: Pair, env: Env) -> Node:
    """(syntax template), that is #'template"""
    (datum,) = parts(x, 1, 1, "(syntax template)")
    return _template_node(datum, [], env)


@special("quasisyntax")
def expand_quasisyntax(x: Pair, env: Env) -> Node:
    """(quasisyntax template), that is #`template, with #,expression and #,@expression inside"""
    (datum,) = parts(x, 1, 1, "(quasisyntax template)")
    holes: list[Node] = []
    return _template_node(_with_holes(datum, env, 0, holes), holes, env)


def _operator(x: Any, name: str) -> bool:
    """Is `x` a form of one operand whose keyword is written `name`?"""
    return (
        type(x) is Pair
        and is_identifier(x.car)
        and type(x.cdr) is Pair
        and x.cdr.cdr is NIL
        and base(x.car).name == name
    )


def _with_holes(x: Any, env: Env, depth: int, holes: list[Node]) -> Any:
    """`x` with a Hole for each unsyntax of this level, whose expressions go to `holes`."""
    if type(x) is list:
        return python_list(_with_holes(scheme_list(x), env, depth, holes))
    if type(x) is not Pair:
        return x
    if _operator(x, "unsyntax"):
        if depth == 0:
            holes.append(expand(x.cdr.car, env))
            return Hole(len(holes) - 1, False)
        return cons(x.car, _with_holes(x.cdr, env, depth - 1, holes))
    if _operator(x, "quasisyntax"):
        return cons(x.car, _with_holes(x.cdr, env, depth + 1, holes))
    if depth == 0 and _operator(x.car, "unsyntax-splicing"):
        holes.append(expand(x.car.cdr.car, env))
        hole = Hole(len(holes) - 1, True)
        return cons(hole, _with_holes(x.cdr, env, depth, holes))
    first = _with_holes(x.car, env, depth, holes)
    return cons(first, _with_holes(x.cdr, env, depth, holes))


def _template_node(datum: Any, holes: list[Node], env: Env) -> Node:
    slots: list[tuple[Identifier, int] | None] = [None] * len(holes)
    arguments = list(holes)
    seen: set[Identifier] = set()

    def collect(x: Any) -> None:
        kind = type(x)
        if kind is Symbol or kind is Alias:
            if x not in seen:
                seen.add(x)
                binding = lookup(x, env)
                if type(binding) is PatternVariable:
                    slots.append((x, binding.depth))
                    arguments.append(LRef(binding.var))
        elif kind is Pair:
            while type(x) is Pair:
                collect(x.car)
                x = x.cdr
            collect(x)
        elif kind is list:
            for item in x:
                collect(item)

    collect(datum)
    if is_identifier(datum) and len(arguments) == 1:
        if slots[0] is not None and slots[0][1] > 0:
            syntax_error(f"the pattern variable {datum.name} needs an ellipsis after it")
        return arguments[0]
    template = Template(datum, slots, env, ellipsis_in(env))
    key = env.module.session.syntax_constant(env.module, template)
    return call_core("%instantiate", GRef(key), *arguments)


# ---------------------------------------------------------------- keywords that only mark


def _out_of_place(x: Pair, env: Env) -> Node:
    syntax_error(f"{show(x.car)} cannot stand here: {show(x)}", x)


for _name in ("syntax-rules", "identifier-syntax"):
    provide(Special(_name, _out_of_place), [_name], [CORE])
for _name in (
    *("else", "=>", "...", "_", "unquote", "unquote-splicing", "unsyntax", "unsyntax-splicing"),
):
    provide(Special(_name, _out_of_place), [_name], [CORE])
