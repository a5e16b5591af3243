"""A second way to run core forms: a machine whose continuations are data.

Compiled code can leave a continuation but not enter one that was left. So the forms of a text that
keeps a continuation (see `keeps_continuation`) are not compiled but run here, some fifty times
slower: the control stack is a linked list of frames, and a continuation is a place in it that can
be entered as often as a program likes.

Procedures made here are ordinary Python functions. Called from compiled code or a primitive they
start a machine of their own. A continuation that was captured in there can be entered again when
that call has returned, as generators do, but it cannot return from the call once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NoReturn

from lang.data import NIL, UNDEFINED, UNSPECIFIED, Pair, Values, cons, iterate, scheme_list, symbol
from lang.expand import walk
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
    takes,
    usage,
)
from lang.runtime import control
from lang.runtime.condition_types import (
    POSITION,
    UNDEFINED_VARIABLE,
    Component,
    Condition,
)
from lang.runtime.dynamic import STATE
from lang.runtime.inline import no_clause, parse_keywords
from lang.runtime.native_errors import is_scheme, payload_of, variable_name
from lang.runtime.primitives import lists
from lang.runtime.signals import misc_error, signal
from lang.runtime.trampoline import call, call_values, first_of, passed_on

_CAPTURES: Final = frozenset({"call/cc", "call-with-current-continuation"})

_CONSTRUCTORS: Final = frozenset({"cons", "list", "vector", "cons*", "acons", "box", "values"})
"""Procedures that make data of their arguments."""
_ABORTS: Final = frozenset({"abort-to-prompt", "%abort"})

Environment = dict[Var, list[Any]]
"""A box for each variable; never changed once it is made."""
State = tuple[Any, ...]
"""What is to be done next: a function and its arguments, which gives the next State."""


# ---------------------------------------------------------------- which forms need the machine


def keeps_continuation(nodes: Sequence[Node]) -> bool:
    """Does some call/cc in `nodes` store its continuation, or a procedure that refers to it?

    What stores is set!, a procedure whose name ends in an exclamation mark or that makes data, and
    being the value of the body; so does leaving through another continuation with it. Who only
    passes a continuation on will enter it before it is left.
    """
    captured: list[Var] = []
    return any(_needs_machine(node, captured) for form in nodes for node in walk(form))


def _needs_machine(node: Node, captured: list[Var]) -> bool:
    """`captured` are the variables of the continuations met so far, those around `node` first."""
    if type(node) is GRef:
        return node.key in _ABORTS
    if type(node) is not Call or type(node.function) is not GRef:
        return False
    key, arguments = node.function.key, node.arguments
    if key in _CAPTURES:
        return len(arguments) == 1 and _keeps(arguments[0], captured)
    return key == "call-with-prompt" and len(arguments) == 3 and _resumes(arguments[2])


def _resumes(handler: Node) -> bool:
    """May the handler of a prompt call the continuation that it is given?"""
    if type(handler) is not Lam or not handler.params:
        return True
    return _refers(handler.body, handler.params[0])


def _refers(node: Node, var: Var) -> bool:
    return any(type(inner) is LRef and inner.var is var for inner in walk(node))


def _keeps(receiver: Node, captured: list[Var]) -> bool:
    if type(receiver) is not Lam or len(receiver.params) != 1:
        return False
    var = receiver.params[0]
    if _value_of(receiver.body, var):
        return True
    outer = tuple(captured)
    captured.append(var)
    for node in walk(receiver.body):
        stored: list[Node] = []
        if type(node) is LSet or type(node) is GSet:
            stored = [node.value]
        elif type(node) is Call and _stores(node.function):
            stored = node.arguments
        elif type(node) is Call and type(node.function) is LRef and node.function.var in outer:
            stored = [a for a in node.arguments if type(a) is Lam or type(a) is LRef]
        if any(_refers(s, var) for s in stored):
            return True
    return False


def _stores(function: Node) -> bool:
    name = _name_of(function)
    return name.endswith("!") or (type(function) is GRef and name in _CONSTRUCTORS)


def _value_of(node: Node, var: Var) -> bool:
    """Can the value of `node` be the variable itself?"""
    match node:
        case LRef():
            return node.var is var
        case If():
            return _value_of(node.consequent, var) or _value_of(node.alternative, var)
        case Seq():
            return _value_of(node.nodes[-1], var)
        case Let() | Letrec():
            return _value_of(node.body, var)
    return False


def _name_of(node: Node) -> str:
    if type(node) is GRef:
        return node.key
    return node.var.name if type(node) is LRef else ""


# ---------------------------------------------------------------- frames, winds, continuations


class Frame:
    """What waits for a value: `step(value, outer)` gives the next state."""

    __slots__ = ("outer", "step")

    def __init__(self, step: Callable[[Any, Any], State], outer: Any) -> None:
        self.step = step
        self.outer = outer


class Wind:
    """A dynamic-wind that is being run, inside `outer`."""

    __slots__ = ("after", "before", "outer")

    def __init__(self, before: Any, after: Any, outer: Wind | None) -> None:
        self.before = before
        self.after = after
        self.outer = outer


class Run:
    """One machine at work."""

    __slots__ = ("alive", "end", "nested", "position", "wind")

    def __init__(self, nested: bool, wind: Wind | None) -> None:
        self.alive = True
        self.nested = nested
        self.wind = wind
        self.end = Frame(_end_elsewhere, self)
        """The outermost frame: a value for it is the run's value."""
        self.position: int | None = None
        """Where the last call stands."""


class Continuation:
    """A place to go to: frames of a run, and the dynamic state there."""

    __slots__ = ("frame", "handlers", "prompts", "run", "wind")

    def __init__(self, frame: Frame, run: Run, wind: Wind | None) -> None:
        self.frame = frame
        self.run = run
        self.wind = wind
        self.handlers = STATE.handlers
        self.prompts = STATE.prompts

    def target(self) -> Run | None:
        """The run that can go there; None stands for a new one."""
        if self.run.alive:
            return self.run
        if self.run.nested:
            # It may well never return to whoever called it: generators do not.
            return MACHINE.runs[-1] if MACHINE.runs else _refuse()
        return MACHINE.runs[0] if MACHINE.runs and not MACHINE.runs[0].nested else None


def _refuse() -> NoReturn:
    misc_error(
        "call/cc",
        "this continuation cannot be entered again: it was captured inside a call by a primitive, "
        "or by another file, that has returned",
    )


class Throw(BaseException):
    """Unwinds to `run`, or whoever runs top-level forms; from there `enter` goes on."""

    def __init__(self, run: Run | None, continuation: Continuation, value: Any) -> None:
        super().__init__()
        self.run = run
        self.continuation = continuation
        self.value = value


class _Machine:
    """The machines at work, the innermost last, and the dynamic-winds that are being run."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.wind: Wind | None = None


MACHINE: Final = _Machine()


def _end_elsewhere(value: Any, run: Run) -> State:
    """What the end of `run` does in another one: return from `run`, if that can be."""
    current = MACHINE.runs[-1]
    if not run.alive:
        if run.nested:
            _refuse()
        if not current.nested:
            return (resume, current.end, value)
    target = run if run.alive else None
    raise Throw(target, Continuation(run.end, run, run.wind), value)


def resume(frame: Frame, value: Any) -> State:
    return frame.step(value, frame.outer)


def execute(start: Callable[[Frame], State], *, nested: bool) -> Any:
    """Run what `start` makes of the outermost frame; gives the value."""
    base = MACHINE.wind
    handlers, prompts = STATE.handlers, STATE.prompts
    run = Run(nested, base)
    state = start(run.end)
    MACHINE.runs.append(run)
    try:
        while True:
            try:
                while state[0] is not resume or state[1] is not run.end:
                    state = state[0](*state[1:])
                return state[2]
            except Throw as throw:
                if throw.run is not run:
                    raise
                state = _go_to(throw.continuation, throw.value)
            except (Exception, control.PromptAbort) as error:
                if isinstance(error, Exception):
                    _place(error, run.position)
                state = _recovered(error, state)
    except BaseException:
        while MACHINE.wind is not base and MACHINE.wind is not None:
            wind, MACHINE.wind = MACHINE.wind, MACHINE.wind.outer
            call(wind.after)
        raise
    finally:
        run.alive = False
        MACHINE.runs.remove(run)
        MACHINE.wind = base
        STATE.handlers, STATE.prompts = handlers, prompts


def _recovered(error: BaseException, state: State) -> State:
    """Where to go on after `error` in `state`; raises it again if nothing in this run wants it."""
    waiting = next((part for part in state[1:] if isinstance(part, Frame | Continuation)), None)
    frame = waiting.frame if isinstance(waiting, Continuation) else waiting
    for recover in RECOVER:
        following = recover(error, frame)
        if following is not None:
            return following
    raise error


def enter(throw: Throw) -> Any:
    """Go on where a continuation of an earlier top-level form says; gives that form's value."""
    return execute(lambda _: (_go_to, throw.continuation, throw.value), nested=False)


def _place(error: Exception, position: int | None) -> None:
    """Let the condition of an error that no compiled code was part of name its position."""
    traceback = error.__traceback__
    while traceback is not None:
        if is_scheme(traceback.tb_frame):
            return
        traceback = traceback.tb_next
    payload = payload_of(error)
    if isinstance(payload, Condition) and position is not None and not payload.has_type(POSITION):
        payload.components = (*payload.components, Component(POSITION, (position,)))


def _go_to(continuation: Continuation, value: Any) -> State:
    """Leave and enter the dynamic-winds between here and there, then go on there."""
    path: list[Wind] = []
    target = continuation.wind
    around = set(_winds(MACHINE.wind))
    while target is not None and target not in around:
        path.append(target)
        target = target.outer
    if MACHINE.wind is not target:
        leaving = MACHINE.wind
        assert leaving is not None
        MACHINE.wind = leaving.outer
        return (apply, leaving.after, (), Frame(lambda _v, _k: _go_to(continuation, value), None))
    if path:
        entering = path[-1]

        def entered(_: Any, __: Any) -> State:
            MACHINE.wind = entering
            return _go_to(continuation, value)

        return (apply, entering.before, (), Frame(entered, None))
    STATE.handlers, STATE.prompts = continuation.handlers, continuation.prompts
    return (resume, continuation.frame, value)


def _winds(wind: Wind | None) -> list[Wind]:
    found = []
    while wind is not None:
        found.append(wind)
        wind = wind.outer
    return found


# ---------------------------------------------------------------- evaluation


class Interpreted:
    """Top-level forms that the machine runs, in place of a compiled Unit."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        from lang import machine_control  # only here: few programs need it

        machine_control.install()
        self.nodes = nodes

    def run(self, variables: dict[str, Any]) -> Any:
        """Run the forms with the session's globals; gives the value of the last one."""
        value: Any = UNSPECIFIED
        for node in self.nodes:
            value = execute(partial(_start, node, {}, variables), nested=bool(MACHINE.runs))
        return value


def _start(node: Node, env: Environment, variables: dict[str, Any], end: Frame) -> State:
    return (_evaluate, node, env, variables, end)


def _evaluate(node: Node, env: Environment, variables: dict[str, Any], k: Frame) -> State:
    match node:
        case Const():
            return (resume, k, node.value)
        case LRef():
            return (resume, k, _content(env, node.var))
        case GRef():
            return (resume, k, _global(variables, node.key))
        case If():

            def chosen(value: Any, outer: Frame) -> State:
                if type(value) is Values:
                    value = first_of(*value)
                branch = node.alternative if value is False else node.consequent
                return (_evaluate, branch, env, variables, outer)

            return (_evaluate, node.test, env, variables, Frame(chosen, k))
        case Call():
            _at(node.pos)

            def applied(values: list[Any], outer: Frame) -> State:
                _at(node.pos)
                return (apply, values[0], values[1:], outer)

            return _operands([node.function, *node.arguments], [], env, variables, k, applied)
        case Seq():
            return _sequence(node.nodes, 0, env, variables, k)
        case Lam() | CaseLam():
            return (resume, k, _closure(node, env, variables))
        case Let():

            def bound(values: list[Any], outer: Frame) -> State:
                inner = {**env, **{v: [x] for v, x in zip(node.vars, values, strict=True)}}
                return (_evaluate, node.body, inner, variables, outer)

            return _operands(node.inits, [], env, variables, k, bound)
        case Letrec():
            inner = {**env, **{var: [UNDEFINED] for var in node.vars}}
            assignments = [LSet(v, init) for v, init in zip(node.vars, node.inits, strict=True)]
            return _sequence([*assignments, node.body], 0, inner, variables, k)
        case LSet() | GSet() | GDef():

            def assigned(value: Any, outer: Frame) -> State:
                if type(value) is Values:
                    value = first_of(*value)
                if type(node) is LSet:
                    env[node.var][0] = value
                else:
                    if type(node) is GSet:
                        _global(variables, node.key)
                    variables[node.key] = value  # type: ignore[union-attr]
                return (resume, outer, UNSPECIFIED)

            return (_evaluate, node.value, env, variables, Frame(assigned, k))
    raise AssertionError(node)


def _at(position: int | None) -> None:
    if position is not None:
        MACHINE.runs[-1].position = position


def _content(env: Environment, var: Var) -> Any:
    value = env[var][0]
    if value is UNDEFINED:
        _undefined("~A is used before its definition", var.name)
    return value


def _global(variables: dict[str, Any], key: str) -> Any:
    try:
        return variables[key]
    except KeyError:
        _undefined("Unbound variable: ~S", symbol(variable_name(key)))


def _undefined(message: str, name: Any) -> NoReturn:
    signal("unbound-variable", UNDEFINED_VARIABLE, None, message, (name,), False)


def _sequence(
    nodes: Sequence[Node], at: int, env: Environment, variables: dict[str, Any], k: Frame
) -> State:
    if at == len(nodes) - 1:
        return (_evaluate, nodes[at], env, variables, k)
    following = Frame(lambda _, outer: _sequence(nodes, at + 1, env, variables, outer), k)
    return (_evaluate, nodes[at], env, variables, following)


def _operands(
    nodes: Sequence[Node],
    done: list[Any],
    env: Environment,
    variables: dict[str, Any],
    k: Frame,
    then: Callable[[list[Any], Frame], State],
) -> State:
    """Evaluate nodes from left to right; `done` is never changed, as it may be gone back to."""
    if len(done) == len(nodes):
        return then(done, k)

    def took(value: Any, outer: Frame) -> State:
        if type(value) is Values:
            value = first_of(*value)
        return _operands(nodes, [*done, value], env, variables, outer, then)

    return (_evaluate, nodes[len(done)], env, variables, Frame(took, k))


def _closure(
    node: Lam | CaseLam, env: Environment, variables: dict[str, Any]
) -> Callable[..., Any]:
    def procedure(*arguments: Any) -> Any:
        return passed_on(execute(lambda end: (_enter, procedure, arguments, end), nested=True))

    procedure.__name__ = procedure.__qualname__ = node.name or "lambda"
    procedure.closure = (node, env, variables)  # type: ignore[attr-defined]
    if type(node) is Lam:
        variadic = node.rest is not None or bool(node.keys)
        procedure.arity = (  # type: ignore[attr-defined]
            len(node.params),
            len(node.optional),
            variadic,
        )
    return procedure


def _enter(procedure: Any, arguments: Sequence[Any], k: Frame) -> State:
    """Run the body of a procedure that was made here."""
    node, env, variables = procedure.closure
    clauses = node.clauses if type(node) is CaseLam else [node]
    for lam in clauses:
        if takes(lam, len(arguments)):
            return (_evaluate, lam.body, _bound(lam, arguments, env, variables), variables, k)
    no_clause(procedure.__name__, tuple(arguments), usage(node))
    raise AssertionError


def _bound(
    lam: Lam, arguments: Sequence[Any], env: Environment, variables: dict[str, Any]
) -> Environment:
    count = len(lam.params)
    inner = {**env, **{v: [x] for v, x in zip(lam.params, arguments[:count], strict=True)}}
    rest = tuple(arguments[count:])
    defaults = [*lam.optional, *((var, default) for _, var, default in lam.keys)]
    if lam.keys:
        names = tuple(key.name for key, _, _ in lam.keys)
        given = parse_keywords(
            lam.name or "lambda",
            rest,
            len(lam.optional),
            names,
            lam.allow_other_keys,
            lam.rest is not None,
        )
    else:
        optional = len(lam.optional)
        given = [*rest[:optional], *[UNDEFINED] * (optional - len(rest[:optional]))]
        given.append(scheme_list(rest[optional:]))
    for (var, default), value in zip(defaults, given, strict=False):
        if value is UNDEFINED:
            start = partial(_start, default, inner, variables)
            inner = {**inner, var: [execute(start, nested=True)]}
        else:
            inner = {**inner, var: [value]}
    if lam.rest is not None:
        inner[lam.rest] = [given[len(defaults)]]
    return inner


# ---------------------------------------------------------------- calls


def apply(function: Any, arguments: Sequence[Any], k: Frame) -> State:
    if hasattr(function, "closure"):
        return _enter(function, arguments, k)
    go_on = getattr(function, "go_on", None)
    if go_on is not None:
        return go_on(arguments, k)  # type: ignore[no-any-return]
    continuation = getattr(function, "continuation", None)
    if continuation is not None:
        value = arguments[0] if len(arguments) == 1 else Values(arguments)
        target = continuation.target()
        if target is not MACHINE.runs[-1]:
            raise Throw(target, continuation, value)
        return _go_to(continuation, value)
    known = KNOWN.get(function) if callable(function) else None
    if known is not None:
        state = known(arguments, k)
        if state is not None:
            return state
    return (resume, k, call_values(function, *arguments))


def _capture(arguments: Sequence[Any], k: Frame) -> State | None:
    if len(arguments) != 1:
        return None
    continuation = Continuation(k, MACHINE.runs[-1], MACHINE.wind)

    def procedure(*results: Any) -> Any:
        value = results[0] if len(results) == 1 else Values(results)
        raise Throw(continuation.target(), continuation, value)

    procedure.__name__ = procedure.__qualname__ = "continuation"
    procedure.continuation = continuation  # type: ignore[attr-defined]
    return (apply, arguments[0], (procedure,), k)


def wind_around(arguments: Sequence[Any], k: Frame) -> State | None:
    if len(arguments) != 3:
        return None
    before, thunk, after = arguments

    def entered(_: Any, outer: Frame) -> State:
        MACHINE.wind = Wind(before, after, MACHINE.wind)
        return (apply, thunk, (), Frame(left, outer))

    def left(value: Any, outer: Frame) -> State:
        assert MACHINE.wind is not None
        MACHINE.wind = MACHINE.wind.outer
        return (apply, after, (), Frame(lambda _, last: (resume, last, value), outer))

    return (apply, before, (), Frame(entered, k))


def _spread(arguments: Sequence[Any], k: Frame) -> State | None:
    if len(arguments) < 2 or not control.is_procedure(arguments[0]):
        return None
    rest = arguments[-1]
    while type(rest) is Pair:
        rest = rest.cdr
    if rest is not NIL:
        return None
    return (apply, arguments[0], [*arguments[1:-1], *iterate(arguments[-1])], k)


def _with_values(arguments: Sequence[Any], k: Frame) -> State | None:
    if len(arguments) != 2:
        return None
    producer, consumer = arguments

    def received(value: Any, outer: Frame) -> State:
        return (apply, consumer, tuple(value) if type(value) is Values else (value,), outer)

    return (apply, producer, (), Frame(received, k))


def _mapping(keep: bool) -> Callable[[Sequence[Any], Frame], State | None]:
    """map and for-each over lists; arguments that are none go to the primitives, which refuse."""

    def over(arguments: Sequence[Any], k: Frame) -> State | None:
        if len(arguments) < 2 or not all(type(a) is Pair or a is NIL for a in arguments[1:]):
            return None
        rows = list(zip(*map(iterate, arguments[1:]), strict=False))
        return step(arguments[0], rows, 0, None, k)

    def step(function: Any, rows: list[Any], at: int, done: Any, k: Frame) -> State:
        # `done` is a linked list, the last value first, as it may be gone back to
        if at == len(rows):
            return (resume, k, _unlinked(done) if keep else UNSPECIFIED)

        def took(value: Any, outer: Frame) -> State:
            single = first_of(*value) if type(value) is Values else value
            return step(function, rows, at + 1, (single, done), outer)

        return (apply, function, rows[at], Frame(took, k))

    return over


def _unlinked(done: Any) -> Any:
    result: Any = NIL
    while done is not None:
        value, done = done
        result = cons(value, result)
    return result


RECOVER: Final[list[Callable[[BaseException, Any], State | None]]] = []
"""What may know how to go on after an exception, given the frame that was waiting for a value."""

KNOWN: Final[dict[Any, Callable[[Sequence[Any], Frame], State | None]]] = {
    control.call_cc: _capture,
    control.dynamic_wind: wind_around,
    control.apply: _spread,
    control.call_with_values: _with_values,
    lists.map_: _mapping(keep=True),
    lists.for_each: _mapping(keep=False),
}
"""Primitives that call procedures and that the machine does itself; None: it leaves it to them."""
