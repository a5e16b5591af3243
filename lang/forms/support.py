"""Procedures that expanded code calls, and the procedures that macro transformers are written with.

Names that start with % are for the expander's output only: no module sees them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

from lang.data import Pair, Promise, Symbol, cons, python_list, scheme_list, symbol
from lang.errors import SchemeSyntaxError
from lang.expand import expand_macro
from lang.forms.macros import VariableTransformer
from lang.ir import Var
from lang.patterns import Matcher, Template, no_match
from lang.runtime import signals
from lang.runtime.condition_types import ASSERTION, ERROR
from lang.runtime.library import Library
from lang.runtime.trampoline import call, several, tail_calling
from lang.sources import Location
from lang.syntax import (
    CURRENT,
    Env,
    Global,
    Identifier,
    Macro,
    PatternVariable,
    Special,
    SyntaxParameter,
    datum_to_syntax,
    free_identifier_equal,
    fresh,
    is_identifier,
    lookup,
    position_of,
    show,
    strip,
)

LIBRARY: Final = Library("guile")
procedure = LIBRARY.procedure


@procedure("%match")
def match(matcher: Matcher, form: Any) -> Any:
    """The vector of what the pattern's variables matched, or #f."""
    values = matcher.match(form)
    return False if values is None else values


@procedure("%no-match")
def refuse(form: Any) -> NoReturn:
    """No clause of a syntax-case fits."""
    no_match(form)
    raise AssertionError


@procedure("%instantiate")
def instantiate(template: Template, *values: Any) -> Any:
    """A template with the values of its slots."""
    return template.instantiate(list(values))


@procedure("%location")
def location(file: str, line: int, column: int) -> Location:
    """A source location."""
    return Location(file, line, column)


@procedure("%staged")
def staged(name: Symbol) -> NoReturn:
    """A configuration used a procedure that acts."""
    signals.misc_error(
        None,
        "~A exists only inside builds: a configuration computes values and acts on nothing. "
        "Put the code in a gexp, #~(...), of a computed-file, "
        "or use local-file for a file of your own",
        name,
    )


@procedure("%assertion-failed")
def assertion_failed(expression: Any) -> NoReturn:
    """An assert form's expression was false."""
    signals.signal("assertion-failed", ASSERTION, "assert", "~S is false", (expression,), False)


@procedure("%match-length")
def match_length(obj: Any, needed: int) -> int:
    """How many pairs `obj` starts with, less `needed`."""
    count = -needed
    while type(obj) is Pair:
        count += 1
        obj = obj.cdr
    return count


@procedure("%match-error")
def match_error(obj: Any) -> NoReturn:
    """No clause of a match fits."""
    signals.signal("match-error", ERROR, "match", "no matching pattern for ~S", (obj,), False)


@procedure("%delay")
def delay(thunk: Callable[[], Any]) -> Promise:
    """A promise."""
    return Promise(thunk)


@procedure("%delay-force")
def delay_force(thunk: Callable[[], Any]) -> Promise:
    """A promise for the value of the promise that `thunk` gives."""

    def chained() -> Any:
        visited = []
        inner = call(thunk)
        # A chain of such promises is followed in a loop, so that it needs no stack.
        while type(inner) is Promise and inner.thunk is not None:
            visited.append(inner)
            following = getattr(inner.thunk, "delayed", inner.thunk)
            inner = call(following)
            if following is visited[-1].thunk:
                break
        else:
            inner = inner.value if type(inner) is Promise else inner
        for promise in visited:
            promise.thunk, promise.value = None, inner
        return inner

    chained.delayed = thunk  # type: ignore[attr-defined]
    return Promise(chained)


# ---------------------------------------------------------------- for transformers


def _scope() -> Env:
    if CURRENT.env is None:
        signals.misc_error(None, "identifiers mean something only while a macro is expanded")
    return CURRENT.env


@procedure("syntax->datum", "syntax-object->datum")
def syntax_to_datum(form: Any) -> Any:
    """`form` with identifiers as symbols."""
    return strip(form)


@procedure("datum->syntax")
def to_syntax(context: Any, datum: Any, *_: Any) -> Any:
    """`datum` as if it had been written where identifier `context` was."""
    return datum_to_syntax(context, datum)


@procedure("identifier?")
def is_id(form: Any) -> bool:
    """Is `form` an identifier?"""
    return is_identifier(form)


def _identifiers(who: str, *ids: Any) -> None:
    for position, id in enumerate(ids, 1):
        if not is_identifier(id):
            signals.wrong_type(who, position, id)


@procedure("free-identifier=?")
def free_identifiers_equal(a: Identifier, b: Identifier) -> bool:
    """Do two identifiers mean the same where the macro is used?"""
    _identifiers("free-identifier=?", a, b)
    scope = _scope()
    return free_identifier_equal(a, scope, b, scope)


@procedure("bound-identifier=?")
def bound_identifiers_equal(a: Identifier, b: Identifier) -> bool:
    """Would a binding of one identifier bind the other?"""
    _identifiers("bound-identifier=?", a, b)
    return a is b


@procedure("generate-temporaries")
def generate_temporaries(forms: Any) -> Any:
    """As many fresh identifiers as `forms` has elements."""
    count = len(forms) if type(forms) is list else len(python_list(forms))
    scope = _scope()
    return scheme_list(fresh(symbol("t"), scope) for _ in range(count))


@procedure("make-variable-transformer")
def make_variable_transformer(transformer: Any) -> VariableTransformer:
    """A transformer that also gets the set! forms of its keyword."""
    return VariableTransformer(transformer)


@procedure("syntax-violation")
def syntax_violation(who: Any, message: Any, form: Any, subform: Any = False) -> NoReturn:
    """Refuse `form` (because of `subform`)."""
    blamed = form if subform is False else subform
    name = f"{show(who)}: " if who is not False else ""
    if type(blamed) is not Pair and type(form) is Pair:
        place = position_of(form)
    else:
        place = position_of(blamed)
    shown = f": {show(blamed)}" if blamed is not False else ""
    raise SchemeSyntaxError(place, f"{name}{message}{shown}", form=strip(blamed))


@procedure("syntax-source")
def syntax_source(form: Any) -> Any:
    """Where `form` stands, as Guile's alist of filename, line and column (from 0), or #f."""
    position = position_of(form)
    if position is None:
        return False
    place = _scope().module.session.sources.location(position)
    if place is None:
        return False
    entries = (("filename", place.file), ("line", place.line - 1), ("column", place.column - 1))
    return scheme_list(cons(symbol(name), value) for name, value in entries)


_KINDS: Final[dict[type, str]] = {
    Var: "lexical",
    Global: "global",
    Macro: "macro",
    Special: "macro",
    SyntaxParameter: "syntax-parameter",
    PatternVariable: "pattern-variable",
}


@procedure("syntax-local-binding")
@tail_calling
def syntax_local_binding(id: Identifier, *_: Any) -> Any:
    """What kind of binding `id` has where the macro is used, and the binding."""
    binding = lookup(id, _scope())
    return several((symbol(_KINDS.get(type(binding), "other")), binding))


@procedure("macroexpand-1")
def macroexpand_once(form: Any) -> Any:
    """`form` after one macro step, if a macro is at its head."""
    scope = _scope()
    if type(form) is Pair and is_identifier(form.car):
        binding = lookup(form.car, scope)
        if type(binding) is Macro:
            return expand_macro(binding, form, scope)
    return form
