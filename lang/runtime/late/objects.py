"""Hooks, properties of objects, variables as objects, and trees (Guile's manual, "Hooks",
"Object Properties", "Variables")."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from lang.data import NIL, UNDEFINED, UNSPECIFIED, Pair, cons, iterate, scheme_list
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.procedures import arity, make_procedure_with_setter
from lang.runtime.signals import misc_error, wrong_type
from lang.runtime.trampoline import call

LIBRARY = Library("guile", "objects")


# ---------------------------------------------------------------- hooks


class Hook:
    """A list of procedures of `count` arguments that are called together."""

    __slots__ = ("count", "procedures")

    def __init__(self, count: int) -> None:
        self.count = count
        self.procedures: list[Callable[..., Any]] = []

    def __repr__(self) -> str:
        return f"#<hook {self.count}>"


def _hook(who: str, value: Any) -> Hook:
    if type(value) is not Hook:
        wrong_type(who, 1, value)
    return value


@LIBRARY.procedure("make-hook")
def make_hook(count: Any = 0) -> Hook:
    """A hook without procedures; those to come take COUNT arguments."""
    return Hook(arguments.index("make-hook", 1, count))


@LIBRARY.procedure("hook?")
def is_hook(obj: Any) -> bool:
    """Is OBJ a hook?"""
    return type(obj) is Hook


@LIBRARY.procedure("hook-empty?")
def is_empty(hook: Any) -> bool:
    """Has the hook no procedures?"""
    return not _hook("hook-empty?", hook).procedures


@LIBRARY.procedure("add-hook!")
def add_hook(hook: Any, procedure: Any, append: Any = False) -> Any:
    """Add a procedure to the front of the hook, or to its end if APPEND is given and true."""
    into = _hook("add-hook!", hook)
    function = arguments.procedure("add-hook!", 2, procedure)
    required, optional, rest = arity(function)
    if not (required <= into.count and (rest or into.count <= required + optional)):
        wrong_type("add-hook!", 2, procedure)
    remaining = [known for known in into.procedures if known is not function]
    into.procedures = [*remaining, function] if append is not False else [function, *remaining]
    return UNSPECIFIED


@LIBRARY.procedure("remove-hook!")
def remove_hook(hook: Any, procedure: Any) -> Any:
    """Take a procedure out of the hook."""
    from_ = _hook("remove-hook!", hook)
    from_.procedures = [known for known in from_.procedures if known is not procedure]
    return UNSPECIFIED


@LIBRARY.procedure("reset-hook!")
def reset_hook(hook: Any) -> Any:
    """Take all procedures out of the hook."""
    _hook("reset-hook!", hook).procedures = []
    return UNSPECIFIED


@LIBRARY.procedure("hook->list")
def hook_to_list(hook: Any) -> Any:
    """The procedures of the hook."""
    return scheme_list(_hook("hook->list", hook).procedures)


@LIBRARY.procedure("run-hook")
def run_hook(hook: Any, *values: Any) -> Any:
    """Call each procedure of the hook with the arguments."""
    called = _hook("run-hook", hook)
    if len(values) != called.count:
        misc_error("run-hook", "~S is for ~A arguments, not ~A", hook, called.count, len(values))
    for procedure in called.procedures:
        call(procedure, *values)
    return UNSPECIFIED


# ---------------------------------------------------------------- properties


class _Properties:
    """What is noted about objects, by identity. Objects are kept alive if Python has no weak
    references to them."""

    def __init__(self) -> None:
        self._weak: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
        self._kept: dict[int, tuple[Any, Any]] = {}

    def get(self, obj: Any, default: Any) -> Any:
        """The value for `obj`."""
        if _is_weak(obj):
            return self._weak.get(obj, default)
        return self._kept.get(id(obj), (obj, default))[1]

    def set(self, obj: Any, value: Any) -> None:
        """Note `value` for `obj`."""
        if _is_weak(obj):
            self._weak[obj] = value
        else:
            self._kept[id(obj)] = (obj, value)


def _is_weak(obj: Any) -> bool:
    return callable(obj) and type(obj).__weakrefoffset__ != 0


_alists = _Properties()


@LIBRARY.procedure("make-object-property")
def make_object_property() -> Callable[..., Any]:
    """A procedure with a setter that notes one thing about each object; #f at first."""
    values = _Properties()

    def get(obj: Any) -> Any:
        return values.get(obj, False)

    def put(obj: Any, value: Any) -> Any:
        values.set(obj, value)
        return value

    return make_procedure_with_setter(get, put)


@LIBRARY.procedure("object-properties", "symbol-properties")
def object_properties(obj: Any) -> Any:
    """What has been noted about OBJ, as an association list."""
    return _alists.get(obj, NIL)


@LIBRARY.procedure("set-object-properties!")
def set_object_properties(obj: Any, properties: Any) -> Any:
    """Note an association list about OBJ."""
    _alists.set(obj, properties)
    return UNSPECIFIED


@LIBRARY.procedure("object-property", "symbol-property")
def object_property(obj: Any, key: Any) -> Any:
    """What has been noted about OBJ as KEY, or #f."""
    entry = _entry(obj, key)
    return entry.cdr if entry is not None else False


@LIBRARY.procedure("set-object-property!", "set-symbol-property!")
def set_object_property(obj: Any, key: Any, value: Any) -> Any:
    """Note VALUE as the KEY of OBJ."""
    entry = _entry(obj, key)
    if entry is None:
        _alists.set(obj, cons(cons(key, value), _alists.get(obj, NIL)))
    else:
        entry.cdr = value
    return value


@LIBRARY.procedure("symbol-property-remove!")
def remove_symbol_property(name: Any, key: Any) -> bool:
    """Forget what has been noted about a symbol as KEY; whether there was anything."""
    entry = _entry(name, key)
    if entry is not None:
        _alists.set(name, scheme_list(e for e in iterate(_alists.get(name, NIL)) if e is not entry))
    return entry is not None


def _entry(obj: Any, key: Any) -> Pair | None:
    rest = _alists.get(obj, NIL)
    while type(rest) is Pair:
        if type(rest.car) is Pair and rest.car.car is key:
            return rest.car
        rest = rest.cdr
    return None


# ---------------------------------------------------------------- variables


class Variable:
    """A place for a value that is an object itself."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "#<variable>"


class ModuleVariable(Variable):
    """The variable of a module: it stands in the globals of its session under `key`."""

    __slots__ = ("_globals", "_key")

    def __init__(self, variables: dict[str, Any], key: str) -> None:
        self._globals = variables
        self._key = key

    @property
    def value(self) -> Any:
        """What it holds now."""
        return self._globals.get(self._key, UNDEFINED)

    @value.setter
    def value(self, value: Any) -> None:
        self._globals[self._key] = value


def _variable(who: str, value: Any) -> Variable:
    if not isinstance(value, Variable):
        wrong_type(who, 1, value)
    return value


@LIBRARY.procedure("make-variable")
def make_variable(value: Any) -> Variable:
    """A variable that holds VALUE."""
    return Variable(value)


@LIBRARY.procedure("make-undefined-variable")
def make_undefined_variable() -> Variable:
    """A variable without a value."""
    return Variable(UNDEFINED)


@LIBRARY.procedure("variable?")
def is_variable(obj: Any) -> bool:
    """Is OBJ a variable?"""
    return isinstance(obj, Variable)


@LIBRARY.procedure("variable-bound?")
def is_bound(variable: Any) -> bool:
    """Has the variable a value?"""
    return _variable("variable-bound?", variable).value is not UNDEFINED


@LIBRARY.procedure("variable-ref")
def variable_ref(variable: Any) -> Any:
    """The value of the variable."""
    value = _variable("variable-ref", variable).value
    if value is UNDEFINED:
        misc_error("variable-ref", "the variable has no value: ~S", variable)
    return value


@LIBRARY.procedure("variable-set!")
def variable_set(variable: Any, value: Any) -> Any:
    """Give the variable a value."""
    _variable("variable-set!", variable).value = value
    return UNSPECIFIED


@LIBRARY.procedure("variable-unset!")
def variable_unset(variable: Any) -> Any:
    """Take the variable's value away."""
    _variable("variable-unset!", variable).value = UNDEFINED
    return UNSPECIFIED


# ---------------------------------------------------------------- trees


@LIBRARY.procedure("copy-tree")
def copy_tree(obj: Any) -> Any:
    """A copy of OBJ down to its last pair and vector. A circle is an error."""
    return _copied(obj, set())


def _copied(obj: Any, around: set[int]) -> Any:
    if type(obj) is not Pair and type(obj) is not list:
        return obj
    if id(obj) in around:
        wrong_type("copy-tree", 1, obj)
    inside = around | {id(obj)}
    if type(obj) is list:
        return [_copied(item, inside) for item in obj]
    items = []
    spine = set(inside)
    while type(obj) is Pair:
        items.append(_copied(obj.car, inside))
        obj = obj.cdr
        if id(obj) in spine:
            wrong_type("copy-tree", 1, obj)
        spine.add(id(obj))
    return scheme_list(items, _copied(obj, inside))
