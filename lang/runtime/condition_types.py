"""Conditions as values (SRFI 35, R6RS): what is raised when something goes wrong.

A condition is a tuple of components; a component is one condition type with its fields' values.
This module holds the values only; lang.runtime.conditions has the procedures that Scheme sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple


class ConditionType:
    """A condition type: a name such as "&message", a parent and the fields that it adds."""

    __slots__ = ("ancestors", "fields", "name", "parent")

    def __init__(self, name: str, parent: ConditionType | None, fields: tuple[str, ...]) -> None:
        self.name = name
        self.parent = parent
        self.fields: tuple[str, ...] = (parent.fields if parent else ()) + fields
        self.ancestors: tuple[ConditionType, ...] = (self, *(parent.ancestors if parent else ()))

    def __repr__(self) -> str:
        return f"#<condition-type {self.name}>"


class Component(NamedTuple):
    """One condition type with the values of its fields (inherited ones first)."""

    type: ConditionType
    values: tuple[Any, ...] = ()


class Condition:
    """A simple (one component) or compound condition."""

    __slots__ = ("components",)

    def __init__(self, *components: Component) -> None:
        self.components = components

    def __repr__(self) -> str:
        from lang.printer import write

        # Guile's view of an error repeats what the message says
        hidden = (POSITION, THROWN) if self.has_type(MESSAGE) else (POSITION,)
        words = ["#<condition"]
        for component in self.components:
            if component.type not in hidden:
                words.append(component.type.name)
                fields = zip(component.type.fields, component.values, strict=True)
                words += [f"{field}: {write(value)}" for field, value in fields]
        return f"{' '.join(words)}>"

    def has_type(self, wanted: ConditionType) -> bool:
        """Whether a component is of type `wanted` or of a descendant of it."""
        return any(wanted in component.type.ancestors for component in self.components)

    def find(self, wanted: ConditionType) -> Component | None:
        """The first component that is of type `wanted` or of a descendant of it."""
        for component in self.components:
            if wanted in component.type.ancestors:
                return component
        return None

    def field(self, wanted: ConditionType, name: str, default: Any = None) -> Any:
        """The value of field `name` of the first component of type `wanted`, else `default`."""
        component = self.find(wanted)
        if component is None:
            return default
        return component.values[component.type.fields.index(name)]


CONDITION: Final = ConditionType("&condition", None, ())
MESSAGE: Final = ConditionType("&message", CONDITION, ("message",))
WARNING: Final = ConditionType("&warning", CONDITION, ())
SERIOUS: Final = ConditionType("&serious", CONDITION, ())
ERROR: Final = ConditionType("&error", SERIOUS, ())
EXTERNAL_ERROR: Final = ConditionType("&external-error", ERROR, ())
VIOLATION: Final = ConditionType("&violation", ERROR, ())
"""As in Guile, whose programming errors are errors, too (R6RS keeps the two apart)."""
ASSERTION: Final = ConditionType("&assertion", VIOLATION, ())
IRRITANTS: Final = ConditionType("&irritants", CONDITION, ("irritants",))
WHO: Final = ConditionType("&who", CONDITION, ("who",))
NON_CONTINUABLE: Final = ConditionType("&non-continuable", VIOLATION, ())
IMPLEMENTATION_RESTRICTION: Final = ConditionType("&implementation-restriction", VIOLATION, ())
LEXICAL: Final = ConditionType("&lexical", VIOLATION, ())
SYNTAX: Final = ConditionType("&syntax", VIOLATION, ("form", "subform"))
UNDEFINED_VARIABLE: Final = ConditionType("&undefined", VIOLATION, ())
ERROR_LOCATION: Final = ConditionType("&error-location", CONDITION, ("location",))
"""`location` is a lang.sources.Location."""
FIX_HINT: Final = ConditionType("&fix-hint", CONDITION, ("hint",))
POSITION: Final = ConditionType("&position", CONDITION, ("position",))
"""Where in the source the error is, as a position (lang.sources)."""
THROWN: Final = ConditionType("&thrown", CONDITION, ("key", "args"))
"""Guile's view of an error: the key and the list of arguments that catch's handler gets."""

STANDARD_TYPES: Final = (
    CONDITION,
    MESSAGE,
    WARNING,
    SERIOUS,
    ERROR,
    EXTERNAL_ERROR,
    VIOLATION,
    ASSERTION,
    IRRITANTS,
    WHO,
    NON_CONTINUABLE,
    IMPLEMENTATION_RESTRICTION,
    LEXICAL,
    SYNTAX,
    UNDEFINED_VARIABLE,
    ERROR_LOCATION,
    FIX_HINT,
    POSITION,
    THROWN,
)


def compound(*conditions: Condition) -> Condition:
    """One condition with the components of all of `conditions`, in order."""
    return Condition(*(component for c in conditions for component in c.components))


def simple_parts(condition: Condition) -> Iterator[Condition]:
    """Each component as a condition of its own."""
    for component in condition.components:
        yield Condition(component)
