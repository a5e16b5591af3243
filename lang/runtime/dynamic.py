"""Dynamic state: parameters (SRFI 39), fluids, current ports, and the stack of error handlers.

A parameter is a procedure (it must be callable as one) that carries its Fluid as an attribute.
A fluid holds its current value itself; binding it anew saves the old value and puts it back.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final

from lang.data import UNSPECIFIED, python_list
from lang.runtime.library import Library
from lang.runtime.ports import ConsoleInput, ConsoleOutput
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error, wrong_type
from lang.runtime.trampoline import call, call_values, passed_on, tail_calling

LIBRARY: Final = Library("guile")


FLUIDS: Final[weakref.WeakSet[Fluid]] = weakref.WeakSet()
"""All fluids that a program can still reach: what a dynamic state is made of."""


class Fluid:
    """A variable that can be bound for the time of a call. `convert` is applied to new values;
    `outer` has the first value and then those around the current one, the innermost last."""

    __slots__ = ("__weakref__", "convert", "outer", "value")

    def __init__(self, value: Any, convert: Callable[[Any], Any] | None = None) -> None:
        self.value = value
        self.convert = convert
        self.outer = [value]
        FLUIDS.add(self)

    def __repr__(self) -> str:
        return "#<fluid>"

    def bind(self, value: Any) -> None:
        """Have `value` until `unbind`."""
        self.outer.append(self.value)
        self.value = value

    def unbind(self) -> Any:
        """Have the value around the current one again; gives the current one."""
        value, self.value = self.value, self.outer.pop()
        return value


UNBOUND: Final = object()
"""What a fluid holds that was made without a value."""


class Handlers:
    """The stack of handlers at a point of the program, innermost first.

    `procedure` is called where something is raised; a stack entry without one stands for a frame
    that wants the Python exception (guard, catch). `depth` counts the entries below and this one.
    """

    __slots__ = ("depth", "outer", "procedure")

    def __init__(self, outer: Handlers | None, procedure: Callable[..., Any] | None) -> None:
        self.outer = outer
        self.procedure = procedure
        self.depth: int = outer.depth + 1 if outer else 1


class DynamicState:
    """What a call may change for the time that it takes, beside fluids."""

    __slots__ = ("handlers", "prompts")

    def __init__(self) -> None:
        self.handlers: Handlers | None = None
        self.prompts: tuple[Any, ...] = ()
        """The tags that abort-to-prompt can unwind to."""


STATE: Final = DynamicState()


@LIBRARY.procedure("make-fluid", "make-thread-local-fluid")
def make_fluid(value: Any = False) -> Fluid:
    """A new fluid."""
    return Fluid(value)


@LIBRARY.procedure("make-unbound-fluid")
def make_unbound_fluid() -> Fluid:
    """A new fluid without a value."""
    return Fluid(UNBOUND)


@LIBRARY.procedure("fluid?")
def is_fluid(value: Any) -> bool:
    """Whether `value` is a fluid."""
    return type(value) is Fluid


@LIBRARY.procedure("fluid-bound?")
def is_bound(fluid: Any) -> bool:
    """Whether `fluid` has a value."""
    return _fluid("fluid-bound?", fluid).value is not UNBOUND


@LIBRARY.procedure("fluid-ref")
def fluid_ref(fluid: Any) -> Any:
    """The current value of `fluid`."""
    value = _fluid("fluid-ref", fluid).value
    if value is UNBOUND:
        misc_error("fluid-ref", "unbound fluid: ~S", fluid)
    return value


@LIBRARY.procedure("fluid-ref*")
def fluid_ref_outside(fluid: Any, depth: Any) -> Any:
    """The value of `fluid` outside of the innermost `depth` bindings of it."""
    checked = _fluid("fluid-ref*", fluid)
    level = arguments.index("fluid-ref*", 2, depth)
    values = [*checked.outer, checked.value]
    value = values[max(len(values) - 1 - level, 0)]
    if value is UNBOUND:
        misc_error("fluid-ref*", "unbound fluid: ~S", fluid)
    return value


@LIBRARY.procedure("fluid-set!")
def fluid_set(fluid: Any, value: Any) -> Any:
    """Change the current value of `fluid`."""
    _fluid("fluid-set!", fluid).value = value
    return UNSPECIFIED


def _fluid(who: str, value: Any) -> Fluid:
    if type(value) is Fluid:
        return value
    wrong_type(who, 1, value)


@LIBRARY.procedure("fluid-unset!")
def fluid_unset(fluid: Any) -> Any:
    """Take the value of `fluid` away."""
    _fluid("fluid-unset!", fluid).value = UNBOUND
    return UNSPECIFIED


@LIBRARY.procedure("make-parameter")
def make_parameter(value: Any, convert: Callable[[Any], Any] | None = None) -> Callable[..., Any]:
    """A parameter whose value is `value`, converted by `convert`."""
    return parameter_of(Fluid(value if convert is None else call(convert, value), convert))


@LIBRARY.procedure("fluid->parameter")
def fluid_to_parameter(
    fluid: Any, convert: Callable[[Any], Any] | None = None
) -> Callable[..., Any]:
    """A parameter for the value of `fluid`."""
    checked = _fluid("fluid->parameter", fluid)
    checked.convert = convert
    return parameter_of(checked)


def parameter_of(fluid: Fluid) -> Callable[..., Any]:
    """The parameter procedure for `fluid`: gives its value, or sets it to its argument."""

    def parameter(*new: Any) -> Any:
        if not new:
            return fluid.value
        (value,) = new
        fluid.value = value if fluid.convert is None else call(fluid.convert, value)
        return UNSPECIFIED

    parameter.fluid = fluid  # type: ignore[attr-defined]
    return parameter


@LIBRARY.procedure("parameter?")
def is_parameter(value: Any) -> bool:
    """Whether `value` is a parameter."""
    return hasattr(value, "fluid")


@LIBRARY.procedure("parameter-fluid")
def parameter_fluid(parameter: Any) -> Fluid:
    """The fluid behind `parameter`."""
    fluid: Fluid | None = getattr(parameter, "fluid", None)
    if fluid is None:
        wrong_type("parameter-fluid", 1, parameter)
    return fluid


@LIBRARY.procedure("parameter-converter")
def parameter_converter(parameter: Any) -> Any:
    """The procedure that makes a value of `parameter` of what it is given."""
    return parameter_fluid(parameter).convert or (lambda value: value)


@LIBRARY.procedure("%parameterize")
@tail_calling
def parameterize(thunk: Callable[[], Any], *bindings: Any) -> Any:
    """Call `thunk` with parameters bound: `bindings` are a parameter, its value, and so on."""
    return passed_on(with_values(*bindings_of_parameters(bindings), thunk))


def bindings_of_parameters(bindings: Sequence[Any]) -> tuple[list[Fluid], list[Any]]:
    """The fluids of parameters and the converted values that they are to have."""
    fluids: list[Fluid] = []
    values: list[Any] = []
    for parameter, value in zip(bindings[::2], bindings[1::2], strict=True):
        fluid = getattr(parameter, "fluid", None)
        if fluid is None:
            wrong_type("parameterize", 0, parameter)
        fluids.append(fluid)
        values.append(value if fluid.convert is None else call(fluid.convert, value))
    return fluids, values


@LIBRARY.procedure("%with-fluids")
@tail_calling
def with_fluids(thunk: Callable[[], Any], *bindings: Any) -> Any:
    """Call `thunk` with fluids bound: `bindings` are a fluid, its value, and so on."""
    fluids = [_fluid("with-fluids", fluid) for fluid in bindings[::2]]
    return passed_on(with_values(fluids, list(bindings[1::2]), thunk))


@LIBRARY.procedure("with-fluids*")
@tail_calling
def with_fluid_lists(fluids: Any, values: Any, thunk: Callable[[], Any]) -> Any:
    """Call `thunk` with the fluids of a list bound to the values of another."""
    checked = [_fluid("with-fluids*", fluid) for fluid in python_list(fluids)]
    return passed_on(with_values(checked, python_list(values), thunk))


@LIBRARY.procedure("with-fluid*")
@tail_calling
def with_fluid(fluid: Any, value: Any, thunk: Callable[[], Any]) -> Any:
    """Call `thunk` with one fluid bound."""
    return passed_on(with_values([_fluid("with-fluid*", fluid)], [value], thunk))


def with_values(fluids: list[Fluid], values: list[Any], thunk: Callable[[], Any]) -> Any:
    """The value of `thunk`, or Values, called while `fluids` have `values`."""
    for fluid, value in zip(fluids, values, strict=True):
        fluid.bind(value)
    try:
        return call_values(thunk)
    finally:
        for fluid in fluids:
            fluid.unbind()


class SavedState:
    """The values that all fluids had at one time."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values = [(fluid, fluid.value) for fluid in FLUIDS]

    def __repr__(self) -> str:
        return "#<dynamic-state>"


@LIBRARY.procedure("current-dynamic-state")
def current_dynamic_state() -> SavedState:
    """The values of all fluids and parameters, for with-dynamic-state."""
    return SavedState()


@LIBRARY.procedure("dynamic-state?")
def is_dynamic_state(value: Any) -> bool:
    """Whether `value` is what current-dynamic-state gave."""
    return type(value) is SavedState


@LIBRARY.procedure("with-dynamic-state")
@tail_calling
def with_dynamic_state(state: Any, thunk: Callable[[], Any]) -> Any:
    """Call `thunk` while all fluids and parameters have the values that `state` saved."""
    fluids, values = saved_values(state)
    return passed_on(with_values(fluids, values, thunk))


def saved_values(state: Any) -> tuple[list[Fluid], list[Any]]:
    """The fluids and the values that they have in a dynamic state; newer ones, their first."""
    if type(state) is not SavedState:
        wrong_type("with-dynamic-state", 1, state, "a dynamic state")
    values = {**{fluid: fluid.outer[0] for fluid in FLUIDS}, **dict(state.values)}
    return list(values), list(values.values())


current_input: Final = Fluid(ConsoleInput())
current_output: Final = Fluid(ConsoleOutput("stdout"))
current_error: Final = Fluid(ConsoleOutput("stderr"))
current_warning: Final = Fluid(ConsoleOutput("stderr"))

for _name, _fluid_of in (
    ("current-input-port", current_input),
    ("current-output-port", current_output),
    ("current-error-port", current_error),
    ("current-warning-port", current_warning),
):
    LIBRARY.constant(_name, parameter_of(_fluid_of))

default_encoding: Final = Fluid("UTF-8")
LIBRARY.constant("%default-port-encoding", default_encoding)
