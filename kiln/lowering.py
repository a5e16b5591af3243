"""From a value of a program to what has to be built for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from builders.derivation import Derivation
    from lang.session import Session

_DECLARATIONS = {("gnu", "image"): "image?", ("gnu", "system"): "operating-system?"}


@dataclass(frozen=True, slots=True)
class Lowered:
    """The logical path of what a value stands for, and the derivations to realise before."""

    path: str
    derivations: tuple[Derivation, ...]


def lower(session: Session, value: Any) -> Lowered:
    """Lower a file-like object, a derivation, an image or an operating system.

    Runs Scheme: call it inside a workspace, through `workspace.evaluate` or the like. Raises
    BuilderError for other values.
    """
    from builders.derivation import Derivation
    from builders.errors import BuilderError
    from lang.data import python_list
    from lang.runtime.trampoline import call

    gexp = ("guix", "gexp")
    thing = _image(session, value) if is_declaration(session, value) else value
    result = call(session.value(gexp, "lower-object"), thing)
    path = call(session.value(gexp, "lowered-value"), result)
    inputs = python_list(call(session.value(gexp, "lowered-inputs"), result))
    if not isinstance(path, str) or not path.startswith("/"):
        from lang.syntax import show

        raise BuilderError(
            f"{show(value)} cannot be built",
            hint="build a file-like object, such as (computed-file …), or a derivation",
        )
    return Lowered(path, tuple(one for one in inputs if isinstance(one, Derivation)))


def is_declaration(session: Session, value: Any) -> bool:
    """Is `value` an image or an operating system? Without its module loaded, nothing is."""
    from lang.runtime.trampoline import call

    return any(
        call(session.value(name, predicate), value) is True
        for name, predicate in _DECLARATIONS.items()
        if name in session.modules
    )


def _image(session: Session, declaration: Any) -> Derivation:
    from lang.runtime.trampoline import call

    module = ("gnu", "system", "image")
    derivation: Derivation = call(session.value(module, "declaration->derivation"), declaration)
    return derivation
