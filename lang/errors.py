"""The errors of Scheme programs: as Python exceptions, and explained to a person.

A SchemeError carries what was raised, nearly always a Condition. `explain` makes one value of
any exception that running Scheme can end with; `render` makes text of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lang.data import UNSPECIFIED
from lang.runtime.condition_types import (
    FIX_HINT,
    LEXICAL,
    MESSAGE,
    POSITION,
    SYNTAX,
    Component,
    Condition,
    ConditionType,
)

if TYPE_CHECKING:
    from lang.diagnosis import Diagnosis
    from lang.sources import SourceMap


class SchemeError(Exception):
    """A raised Scheme object. `continuable` says whether a handler may return to the raise."""

    def __init__(self, payload: Any, continuable: bool = False) -> None:
        super().__init__(payload)
        self.payload = payload
        self.continuable = continuable


class ReadError(SchemeError):
    """A text that is no Scheme data, at `position`."""

    def __init__(self, position: int, message: str, hint: str | None = None) -> None:
        super().__init__(_condition(Component(LEXICAL), position, message, hint))
        self.position = position
        self.message = message
        self.hint = hint


class SchemeSyntaxError(SchemeError):
    """A form that is no Scheme program, at `position`; `form` is the offending datum."""

    def __init__(
        self, position: int | None, message: str, hint: str | None = None, form: Any = None
    ) -> None:
        shown = UNSPECIFIED if form is None else form
        super().__init__(_condition(Component(SYNTAX, (shown, False)), position, message, hint))
        self.position = position
        self.message = message
        self.hint = hint
        self.form = form


def _condition(kind: Component, position: int | None, message: str, hint: str | None) -> Condition:
    optional: list[tuple[ConditionType, Any]] = [(POSITION, position), (FIX_HINT, hint)]
    return Condition(
        kind,
        Component(MESSAGE, (message,)),
        *(Component(type_, (value,)) for type_, value in optional if value is not None),
    )


def explain(
    error: BaseException,
    sources: SourceMap,
    bound_names: Callable[[], Iterable[str]],
    exporters: Callable[[str], Sequence[str]] = lambda _: (),
    advice: Callable[[str], str | None] = lambda _: None,
) -> Diagnosis:
    """What went wrong and where, for any exception out of running Scheme.

    `bound_names` gives the names that a misspelt variable may have been meant for, `exporters`
    the modules that export a name, as they are written, `advice` what there is instead of it.
    """
    from lang import diagnosis

    return diagnosis.explain(error, sources, bound_names, exporters, advice)


def render(diagnosis: Diagnosis, sources: SourceMap) -> str:
    """The text of a diagnosis: place and message, source line and caret, hint."""
    from lang import diagnosis as module

    return module.render(diagnosis, sources)
