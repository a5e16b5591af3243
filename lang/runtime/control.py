"""Control: continuations that escape, dynamic-wind, raising and handling, values, promises.

The core library of control is the LIBRARY of three modules: lang.runtime.control,
lang.runtime.dynamic and lang.runtime.conditions.

How raising works. `raise` calls the innermost handler where it is, with the handlers around that
one in force. If the innermost entry of the handler stack is a frame that wants the Python
exception instead (guard, catch, an unwinding handler), or if there is none, it raises SchemeError.
Errors of primitives are Python exceptions from the start: with-exception-handler sees them once
they have unwound to its frame. An exception carries, as `pending_handlers`, how many entries of
the handler stack have not seen it yet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

from lang.data import NIL, Keyword, Pair, Promise, Symbol, Values, python_list, scheme_list, symbol
from lang.errors import SchemeError
from lang.numbers import is_number
from lang.runtime.condition_types import NON_CONTINUABLE, THROWN, Condition, ConditionType
from lang.runtime.dynamic import STATE, Handlers
from lang.runtime.library import Library
from lang.runtime.messages import condition_text
from lang.runtime.native_errors import payload_of
from lang.runtime.primitives.arguments import SUSPICIOUS, exact_integer, is_endless
from lang.runtime.signals import error_condition, misc_error, out_of_range, wrong_type
from lang.runtime.thrown import condition_of_throw, view_as_thrown
from lang.runtime.trampoline import (
    call,
    call_values,
    passed_on,
    several,
    tail_call,
    tail_calling,
)

LIBRARY: Final = Library("guile")
Thunk = Callable[[], Any]


# -- procedures and values


@LIBRARY.procedure("apply")
@tail_calling
def apply(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call `function` with arguments of which the last is a list of further ones."""
    if not arguments:
        return tail_call(function)
    return tail_call(function, *arguments[:-1], *_list_items("apply", arguments[-1]))


def _list_items(who: str, items: Any) -> list[Any]:
    result = []
    rest = items
    while type(rest) is Pair:
        result.append(rest.car)
        rest = rest.cdr
        if len(result) == SUSPICIOUS and is_endless(rest):
            break
    if rest is not NIL:
        wrong_type(who, 2, items, "a list")
    return result


@LIBRARY.procedure("values")
@tail_calling
def values(*results: Any) -> Any:
    """Return any number of values."""
    return results[0] if len(results) == 1 else several(results)


@LIBRARY.procedure("call-with-values")
@tail_calling
def call_with_values(producer: Thunk, consumer: Callable[..., Any]) -> Any:
    """Call `consumer` with the values that `producer` gives."""
    result = call_values(producer)
    if type(result) is Values:
        return tail_call(consumer, *result)
    return tail_call(consumer, result)


@LIBRARY.procedure("procedure?")
def is_procedure(value: Any) -> bool:
    """Whether `value` can be called."""
    return callable(value)


@LIBRARY.procedure("force")
def force(promise: Any) -> Any:
    """The value of a promise, computed when it is first wanted."""
    if type(promise) is not Promise:
        return promise
    if promise.thunk is not None:
        value = call(promise.thunk)
        # computing it may have forced the promise itself; the first value stays
        if promise.thunk is not None:
            promise.value = value
            promise.thunk = None
    return promise.value


@LIBRARY.procedure("make-promise")
def make_promise(value: Any) -> Promise:
    """A promise that holds `value` already; a promise stays what it is."""
    return value if type(value) is Promise else Promise(None, value)


@LIBRARY.procedure("promise?")
def is_promise(value: Any) -> bool:
    """Whether `value` is a promise."""
    return type(value) is Promise


# -- continuations


class Escape(BaseException):
    """Unwinds to the frame that waits for exactly this object, with `value`."""

    def __init__(self) -> None:
        super().__init__()
        self.value: Any = None


class PromptAbort(BaseException):
    """Unwinds to the innermost prompt of `tag`, with `values` for its handler."""

    def __init__(self, tag: Any, values: tuple[Any, ...]) -> None:
        super().__init__()
        self.tag = tag
        self.values = values


class PromptTag:
    """What make-prompt-tag gives; compared by identity."""

    __slots__ = ("name",)

    def __init__(self, name: Any) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"#<prompt-tag {self.name}>"


@LIBRARY.procedure(
    "call-with-current-continuation",
    "call/cc",
    "call-with-escape-continuation",
    "call/ec",
)
@tail_calling
def call_cc(function: Callable[..., Any]) -> Any:
    """Call `function` with a procedure that returns from this call.

    The continuation can be used until the call has returned; using it later is an error. Forms
    that store continuations are not compiled but run by lang.machine, which knows no such limit.
    """
    escape = Escape()
    alive = True

    def continuation(*results: Any) -> Any:
        if not alive:
            misc_error(
                "call/cc",
                "this continuation has returned already, and cannot be entered again: one that "
                "is to be must be stored with set! by the very procedure that call/cc is given",
            )
        escape.value = results[0] if len(results) == 1 else Values(results)
        raise escape

    handlers = STATE.handlers
    try:
        result = call_values(function, continuation)
    except Escape as taken:
        if taken is not escape:
            raise
        taken.__traceback__ = None
        result = escape.value
    finally:
        alive = False
        STATE.handlers = handlers
    return passed_on(result)


@LIBRARY.procedure("dynamic-wind")
@tail_calling
def dynamic_wind(before: Thunk, thunk: Thunk, after: Thunk) -> Any:
    """The value of `thunk`, with `before` called first and `after` however it is left."""
    call(before)
    handlers = STATE.handlers
    try:
        result = call_values(thunk)
    except BaseException:
        inner, STATE.handlers = STATE.handlers, handlers
        call(after)
        STATE.handlers = inner
        raise
    call(after)
    return passed_on(result)


_default_tag: Final = PromptTag("prompt")


@LIBRARY.procedure("default-prompt-tag")
def default_prompt_tag() -> PromptTag:
    """The tag that is used where none is given."""
    return _default_tag


@LIBRARY.procedure("make-prompt-tag")
def make_prompt_tag(name: Any = "prompt") -> PromptTag:
    """A new prompt tag."""
    return PromptTag(name)


@LIBRARY.procedure("call-with-prompt")
@tail_calling
def call_with_prompt(tag: Any, thunk: Thunk, handler: Callable[..., Any]) -> Any:
    """The value of `thunk`; if it aborts to `tag`, call `handler` with a continuation and values.

    The continuation cannot be called: what was aborted is gone.
    """
    handlers, prompts = STATE.handlers, STATE.prompts
    STATE.prompts = (*prompts, tag)
    try:
        return passed_on(call_values(thunk))
    except PromptAbort as abort:
        if abort.tag is not tag:
            raise
        results = abort.values
    finally:
        STATE.handlers, STATE.prompts = handlers, prompts
    return tail_call(handler, not_resumable, *results)


def not_resumable(*_: Any) -> NoReturn:
    misc_error(
        "call-with-prompt",
        "what was aborted cannot be resumed: a primitive or another file called it",
    )


@LIBRARY.procedure("abort-to-prompt")
def abort_to_prompt(tag: Any, *results: Any) -> NoReturn:
    """Leave the innermost prompt of `tag`; its handler gets `results`."""
    if not any(tag is known for known in STATE.prompts):
        misc_error("abort-to-prompt", "there is no prompt ~S around this", tag)
    raise PromptAbort(tag, results)


@LIBRARY.procedure("%abort")
def abort(*results: Any) -> NoReturn:
    """Leave the innermost prompt of the default tag; its handler gets `results`."""
    abort_to_prompt(_default_tag, *results)


# -- raising


@LIBRARY.procedure("raise")
def raise_(payload: Any) -> NoReturn:
    """Raise an object; a handler must not return."""
    _signal(payload, False)
    raise AssertionError


@LIBRARY.procedure("raise-continuable")
@tail_calling
def raise_continuable(payload: Any) -> Any:
    """Raise an object; what a handler returns is the value."""
    return passed_on(_signal(payload, True))


@LIBRARY.procedure("raise-exception")
@tail_calling
def raise_exception(payload: Any, *options: Any) -> Any:
    """Raise an object; with #:continuable? #t, what a handler returns is the value."""
    given = _options("raise-exception", options, ("continuable?",))
    return passed_on(_signal(payload, given.get("continuable?", False) is not False))


def _signal(payload: Any, continuable: bool) -> Any:
    handlers = STATE.handlers
    if handlers is None or handlers.procedure is None:
        raise _exception(payload, continuable, handlers)
    outer = handlers.outer
    STATE.handlers = outer
    try:
        result = call_values(handlers.procedure, payload)
    except Exception as error:
        # the handlers inside `outer` have nothing to do with errors of this one
        leave_pending(error, outer)
        raise
    if not continuable:
        _signal(not_continuable(payload), False)
    STATE.handlers = handlers
    return result


def _exception(payload: Any, continuable: bool, pending: Handlers | None) -> Exception:
    """What to raise for `payload`; an error that is raised again keeps its traceback."""
    original: Exception | None = None
    if isinstance(payload, Condition):
        original = _converted.get(payload)
    error = original if original is not None else _new_exception(payload, continuable)
    error.pending_handlers = pending.depth if pending else 0  # type: ignore[attr-defined]
    return error


class Quit(SchemeError, SystemExit):
    """The end of the program, which handlers can still prevent; `code` is the exit status."""

    def __init__(self, payload: Any, status: int) -> None:
        super().__init__(payload)
        self.code = status


_QUIT: Final = symbol("quit")


def _new_exception(payload: Any, continuable: bool) -> Exception:
    if isinstance(payload, Condition) and payload.field(THROWN, "key") is _QUIT:
        return Quit(payload, _status(python_list(payload.field(THROWN, "args"))))
    return SchemeError(payload, continuable)


def _status(values: list[Any]) -> int:
    code = values[0] if values else True
    if not is_number(code):
        return int(code is False)
    if exact_integer("exit", 1, code).bit_length() > 31:
        out_of_range("exit", code)
    return int(code)


def leave_pending(error: Exception, pending: Handlers | None) -> None:
    depth = pending.depth if pending else 0
    known = getattr(error, "pending_handlers", depth)
    error.pending_handlers = min(depth, known)  # type: ignore[attr-defined]


def not_continuable(payload: Any) -> Condition:
    return error_condition(
        "non-continuable",
        NON_CONTINUABLE,
        "raise",
        "the handler returned from an error that cannot be continued: ~A",
        (condition_text(payload),),
    )


class _Converted:
    """The exception that a condition was last made from or carried by, for raising it again."""

    __slots__ = ("_condition", "_error")

    def __init__(self) -> None:
        self._condition: Any = None
        self._error: Exception | None = None

    def get(self, condition: Any) -> Exception | None:
        return self._error if condition is self._condition else None

    def remember(self, condition: Any, error: Exception) -> Any:
        self._condition, self._error = condition, error
        return condition


_converted: Final = _Converted()


def caught(error: Exception) -> Any:
    """The Scheme object that a Python exception out of Scheme code stands for."""
    return _converted.remember(payload_of(error), error)


# -- handling


@LIBRARY.procedure("with-exception-handler")
@tail_calling
def with_exception_handler(handler: Callable[..., Any], thunk: Thunk, *options: Any) -> Any:
    """The value of `thunk`; what is raised meanwhile is passed to `handler`.

    With #:unwind? #t the handler is called after leaving `thunk`, and its value is the result;
    #:unwind-for-type limits that to a condition type or a throw key.
    """
    if not callable(handler):
        wrong_type("with-exception-handler", 1, handler)
    given = _options("with-exception-handler", options, ("unwind?", "unwind-for-type"))
    if given.get("unwind?", False) is not False:
        wanted = given.get("unwind-for-type", True)
        return _protected(thunk, lambda payload: is_kind(payload, wanted), handler)
    outer = STATE.handlers
    here = STATE.handlers = Handlers(outer, handler)
    try:
        return passed_on(call_values(thunk))
    except Exception as error:
        if getattr(error, "pending_handlers", here.depth) < here.depth:
            raise
        STATE.handlers = outer
        return passed_on(_handle_late(handler, error, outer))
    finally:
        STATE.handlers = outer


def _handle_late(handler: Callable[..., Any], error: Exception, outer: Handlers | None) -> Any:
    """Call `handler` for an error that has unwound to the frame that installed it."""
    try:
        result = call_values(handler, caught(error))
    except Exception as another:
        leave_pending(another, outer)
        raise
    if isinstance(error, SchemeError) and error.continuable:
        return result
    # nothing is left to return to; the error goes on to the handlers around
    error.pending_handlers = outer.depth if outer else 0  # type: ignore[attr-defined]
    raise error


def _protected(thunk: Thunk, applies: Callable[[Any], bool], handler: Callable[..., Any]) -> Any:
    """The value of `thunk`, or of `handler` for the first raised object that `applies` accepts."""
    outer = STATE.handlers
    here = STATE.handlers = Handlers(outer, None)
    try:
        return passed_on(call_values(thunk))
    except Exception as error:
        if getattr(error, "pending_handlers", here.depth) < here.depth:
            raise
        payload = caught(error)
        if not applies(payload):
            leave_pending(error, outer)
            raise
    finally:
        STATE.handlers = outer
    return tail_call(handler, payload)


@LIBRARY.procedure("%guard")
@tail_calling
def guard(body: Thunk, handler: Callable[..., Any]) -> Any:
    """The value of `body`, or of `handler` for what it raises, called outside of it."""
    return _protected(body, lambda _: True, handler)


@LIBRARY.procedure("catch")
@tail_calling
def catch(
    key: Any,
    thunk: Thunk,
    handler: Callable[..., Any],
    pre_unwind_handler: Callable[..., Any] | None = None,
) -> Any:
    """The value of `thunk`, or of `handler` called with the key and arguments of what it throws."""

    def handle(payload: Any) -> Any:
        thrown, arguments = view_as_thrown(payload)
        if callable(pre_unwind_handler):
            call(pre_unwind_handler, thrown, *arguments)
        return tail_call(handler, thrown, *arguments)

    return _protected(thunk, lambda payload: is_kind(payload, key), handle)


@LIBRARY.procedure("with-throw-handler")
@tail_calling
def with_throw_handler(key: Any, thunk: Thunk, handler: Callable[..., Any]) -> Any:
    """Call `thunk`; if it throws `key`, call `handler` and let the error go on."""
    outer = STATE.handlers
    here = STATE.handlers = Handlers(outer, None)
    try:
        return passed_on(call_values(thunk))
    except Exception as error:
        if getattr(error, "pending_handlers", here.depth) >= here.depth:
            STATE.handlers = outer
            payload = caught(error)
            if is_kind(payload, key):
                thrown, arguments = view_as_thrown(payload)
                call(handler, thrown, *arguments)
            leave_pending(error, outer)
        raise
    finally:
        STATE.handlers = outer


@LIBRARY.procedure("throw")
def throw(key: Any, *arguments: Any) -> NoReturn:
    """Raise what catch sees as `key` and `arguments`."""
    if type(key) is not Symbol:
        wrong_type("throw", 1, key)
    _signal(condition_of_throw(key, scheme_list(arguments)), False)
    raise AssertionError


@LIBRARY.procedure("scm-error")
def scm_error(key: Any, who: Any, message: Any, arguments: Any, data: Any) -> NoReturn:
    """Throw `key` in the shape of Guile's own errors."""
    throw(key, who, message, arguments, data)


def is_kind(payload: Any, wanted: Any) -> bool:
    """Whether catch for `wanted` (#t, a throw key or a condition type) takes `payload`."""
    if wanted is True:
        return True
    if isinstance(wanted, ConditionType):
        return isinstance(payload, Condition) and payload.has_type(wanted)
    return view_as_thrown(payload)[0] is wanted


def _options(who: str, options: tuple[Any, ...], known: tuple[str, ...]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for key, value in zip(options[::2], options[1::2], strict=len(options) % 2 == 0):
        if type(key) is not Keyword or key.name not in known:
            misc_error(who, "unknown option ~S", key)
        given[key.name] = value
    return given


@LIBRARY.procedure("exit", "quit")
def exit_(*arguments: Any) -> NoReturn:
    """End the program; #t is success, #f failure, a number the exit status. catch sees quit."""
    throw(_QUIT, *arguments)


@LIBRARY.procedure("primitive-exit", "emergency-exit")
def exit_at_once(code: Any = True) -> NoReturn:
    """End the program, whatever handlers there are."""
    raise SystemExit(_status([code]))
