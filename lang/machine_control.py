"""What the machine does itself of prompts, parameterize, guard, catch and exception handlers.

Their bodies run in the machine that runs the form, so that a continuation captured in there holds
all that is around it. A continuation of abort-to-prompt is a piece of the list of frames, from the
abort to the prompt, which is copied onto the frames of whoever calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lang.data import Values
from lang.errors import SchemeError
from lang.machine import KNOWN, MACHINE, RECOVER, Frame, State, Wind, apply, execute, resume
from lang.runtime import control, dynamic
from lang.runtime.control import PromptAbort, caught
from lang.runtime.dynamic import STATE, Fluid, Handlers
from lang.runtime.thrown import view_as_thrown
from lang.runtime.trampoline import passed_on

# ---------------------------------------------------------------- frames that stand for a state


class Marker(Frame):
    """A frame that a body runs in; `enter` sets what holds inside, `leave` puts it back."""

    __slots__ = ("wind",)

    def __init__(self, outer: Any) -> None:
        super().__init__(self._left, outer)
        self.wind = MACHINE.wind

    def _left(self, value: Any, outer: Any) -> State:
        self.leave()
        return (resume, outer, value)

    def enter(self) -> None:
        raise NotImplementedError

    def leave(self) -> None:
        raise NotImplementedError

    def copy(self, outer: Any) -> Marker:
        """The same around the frame `outer`, in what holds now; entered."""
        raise NotImplementedError


class Prompt(Marker):
    """The frame of call-with-prompt."""

    __slots__ = ("handler", "handlers", "prompts", "tag")

    def __init__(self, outer: Any, tag: Any, handler: Any) -> None:
        super().__init__(outer)
        self.tag = tag
        self.handler = handler
        self.handlers = STATE.handlers
        self.prompts = STATE.prompts
        self.enter()

    def enter(self) -> None:
        STATE.prompts = (*self.prompts, self.tag)

    def leave(self) -> None:
        STATE.handlers, STATE.prompts = self.handlers, self.prompts

    def copy(self, outer: Any) -> Marker:
        return Prompt(outer, self.tag, self.handler)


class Catch(Marker):
    """The frame of guard, catch and exception handlers; see lang.runtime.control for the rules.

    `procedure` is the handler that raise calls at once, if it is not to unwind. `applies` says
    which objects `handle` is for: it gives the state that goes on after them.
    """

    __slots__ = ("applies", "handle", "here", "procedure")

    def __init__(
        self,
        outer: Any,
        handle: Callable[[Exception, Any, Any], State],
        applies: Callable[[Any], bool] = lambda _: True,
        procedure: Any = None,
    ) -> None:
        super().__init__(outer)
        self.handle = handle
        self.applies = applies
        self.procedure = procedure
        self.here = Handlers(STATE.handlers, procedure)
        self.enter()

    def enter(self) -> None:
        STATE.handlers = self.here

    def leave(self) -> None:
        STATE.handlers = self.here.outer

    def copy(self, outer: Any) -> Marker:
        return Catch(outer, self.handle, self.applies, self.procedure)


class Raised(Marker):
    """The frame of raise, which waits for the handler that it has called."""

    __slots__ = ("continuable", "handlers", "payload")

    def __init__(self, outer: Any, handlers: Handlers, payload: Any, continuable: bool) -> None:
        super().__init__(outer)
        self.handlers = handlers
        self.payload = payload
        self.continuable = continuable
        self.enter()

    def _left(self, value: Any, outer: Any) -> State:
        if self.continuable:
            return super()._left(value, outer)
        return (apply, control.raise_, (control.not_continuable(self.payload),), outer)

    def enter(self) -> None:
        STATE.handlers = self.handlers.outer

    def leave(self) -> None:
        STATE.handlers = self.handlers

    def copy(self, outer: Any) -> Marker:
        return Raised(outer, self.handlers, self.payload, self.continuable)


# ---------------------------------------------------------------- prompts


def _prompt(arguments: Sequence[Any], k: Frame) -> State | None:
    if len(arguments) != 3:
        return None
    tag, thunk, handler = arguments
    return (apply, thunk, (), Prompt(k, tag, handler))


def _abort(arguments: Sequence[Any], k: Frame) -> State | None:
    if not arguments:
        return None
    tag, *values = arguments
    frames: list[Frame] = []
    frame = k
    while type(frame) is not Prompt or frame.tag is not tag:
        frames.append(frame)
        frame = frame.outer
        if not isinstance(frame, Frame):
            # the prompt is around a primitive or compiled code that is in between
            return None
    winds = []
    wind = MACHINE.wind
    while wind is not None and wind is not frame.wind:
        winds.append(wind)
        wind = wind.outer
    return _to_prompt(frame, _resumption(frames, winds), values)


def _abort_to_default(arguments: Sequence[Any], k: Frame) -> State | None:
    return _abort((control.default_prompt_tag(), *arguments), k)


def _to_prompt(prompt: Prompt, resumption: Any, values: Sequence[Any]) -> State:
    def arrived() -> State:
        prompt.leave()
        return (apply, prompt.handler, (resumption, *values), prompt.outer)

    return _unwind(prompt.wind, prompt.outer, arrived)


def _unwind(target: Wind | None, outer: Frame, then: Callable[[], State]) -> State:
    """Leave the dynamic-winds inside `target`, then go on with what `then` gives."""
    leaving = MACHINE.wind
    if leaving is target or leaving is None:
        return then()
    MACHINE.wind = leaving.outer
    return (apply, leaving.after, (), Frame(lambda _v, _k: _unwind(target, outer, then), outer))


def _resumption(frames: list[Frame], winds: list[Wind]) -> Callable[..., Any]:
    """The procedure that puts `frames`, the innermost first, around its caller's frames."""

    def resumption(*results: Any) -> Any:
        return passed_on(execute(lambda end: go_on(results, end), nested=True))

    def go_on(results: Sequence[Any], k: Frame) -> State:
        value = results[0] if len(results) == 1 else Values(results)
        return _rewind(winds, len(winds), k, lambda: (resume, _copied(frames, k), value))

    resumption.__name__ = resumption.__qualname__ = "continuation"
    resumption.go_on = go_on  # type: ignore[attr-defined]
    return resumption


def _copied(frames: list[Frame], k: Frame) -> Frame:
    made = k
    for frame in reversed(frames):
        made = frame.copy(made) if isinstance(frame, Marker) else Frame(frame.step, made)
    return made


def _rewind(winds: list[Wind], count: int, k: Frame, then: Callable[[], State]) -> State:
    """Enter the outermost `count` of `winds`, the innermost first in the list."""
    if count == 0:
        return then()
    entering = winds[count - 1]

    def entered(_: Any, __: Any) -> State:
        MACHINE.wind = Wind(entering.before, entering.after, MACHINE.wind)
        return _rewind(winds, count - 1, k, then)

    return (apply, entering.before, (), Frame(entered, k))


# ---------------------------------------------------------------- parameters


def _parameterize(arguments: Sequence[Any], k: Frame) -> State | None:
    fluids, values = dynamic.bindings_of_parameters(arguments[1:])
    return _bind(fluids, values, arguments[0], k)


def _with_fluids(arguments: Sequence[Any], k: Frame) -> State | None:
    fluids = arguments[1::2]
    if not all(type(fluid) is Fluid for fluid in fluids):
        return None
    return _bind(fluids, list(arguments[2::2]), arguments[0], k)


def _with_dynamic_state(arguments: Sequence[Any], k: Frame) -> State | None:
    if len(arguments) != 2:
        return None
    state, thunk = arguments
    fluids, values = dynamic.saved_values(state)
    return _bind(fluids, values, thunk, k)


def _bind(fluids: Sequence[Fluid], values: list[Any], thunk: Any, k: Frame) -> State:
    """Run `thunk` with `fluids` bound; where it is entered again they have what they had last."""

    def enter() -> None:
        for fluid, value in zip(fluids, values, strict=True):
            fluid.bind(value)

    def leave() -> None:
        values[:] = reversed([fluid.unbind() for fluid in reversed(fluids)])

    return KNOWN[control.dynamic_wind]((enter, thunk, leave), k)  # type: ignore[return-value]


# ---------------------------------------------------------------- errors


def _guard(arguments: Sequence[Any], k: Frame) -> State | None:
    body, handler = arguments
    frame = Catch(k, lambda _, payload, outer: (apply, handler, (payload,), outer))
    return (apply, body, (), frame)


def _catch(arguments: Sequence[Any], k: Frame) -> State | None:
    if len(arguments) != 3:
        return None
    key, thunk, handler = arguments

    def handle(_: Exception, payload: Any, outer: Any) -> State:
        thrown, details = view_as_thrown(payload)
        return (apply, handler, (thrown, *details), outer)

    return (apply, thunk, (), Catch(k, handle, lambda payload: control.is_kind(payload, key)))


def _with_handler(arguments: Sequence[Any], k: Frame) -> State | None:
    if len(arguments) != 2 or not callable(arguments[0]):
        return None
    handler, thunk = arguments

    def handle(error: Exception, payload: Any, outer: Any) -> State:
        def returned(value: Any, k: Any) -> State:
            if isinstance(error, SchemeError) and error.continuable:
                return (resume, k, value)
            control.leave_pending(error, STATE.handlers)
            raise error

        return (apply, handler, (payload,), Frame(returned, outer))

    return (apply, thunk, (), Catch(k, handle, procedure=handler))


def _raise(arguments: Sequence[Any], k: Frame, continuable: bool = False) -> State | None:
    handlers = STATE.handlers
    if len(arguments) != 1 or handlers is None or handlers.procedure is None:
        return None
    frame = Raised(k, handlers, arguments[0], continuable)
    return (apply, handlers.procedure, (arguments[0],), frame)


def _raise_continuable(arguments: Sequence[Any], k: Frame) -> State | None:
    return _raise(arguments, k, continuable=True)


def _recover(error: BaseException, k: Any) -> State | None:
    """Where to go on after an exception while frame `k` was waiting; None: nowhere here."""
    frame = k
    while isinstance(frame, Frame):
        if type(frame) is Prompt and isinstance(error, PromptAbort) and error.tag is frame.tag:
            return _to_prompt(frame, control.not_resumable, error.values)
        if type(frame) is Raised and isinstance(error, Exception):
            # the handlers inside have nothing to do with errors of the one that was called
            control.leave_pending(error, frame.handlers.outer)
        if type(frame) is Catch and isinstance(error, Exception):
            depth = frame.here.depth
            if getattr(error, "pending_handlers", depth) >= depth:
                state = _offer(frame, error)
                if state is not None:
                    return state
        frame = frame.outer
    return None


def _offer(frame: Catch, error: Exception) -> State | None:
    payload = caught(error)
    if not frame.applies(payload):
        control.leave_pending(error, frame.here.outer)
        return None

    def arrived() -> State:
        frame.leave()
        return frame.handle(error, payload, frame.outer)

    # what leaves the body is still inside it
    STATE.handlers = frame.here
    return _unwind(frame.wind, frame, arrived)


def install() -> None:
    """Let the machine know of all this."""
    if _recover in RECOVER:
        return
    RECOVER.append(_recover)
    KNOWN.update(
        {
            control.call_with_prompt: _prompt,
            control.abort_to_prompt: _abort,
            control.abort: _abort_to_default,
            control.raise_: _raise,
            control.raise_continuable: _raise_continuable,
            control.guard: _guard,
            control.catch: _catch,
            control.with_exception_handler: _with_handler,
            dynamic.parameterize: _parameterize,
            dynamic.with_fluids: _with_fluids,
            dynamic.with_dynamic_state: _with_dynamic_state,
        }
    )
