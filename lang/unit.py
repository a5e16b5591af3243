"""A compilation unit: the top-level forms of a file (or of one REPL input) as Python code."""

from __future__ import annotations

import itertools
import marshal
from collections.abc import Callable, Mapping, Sequence
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

from lang.constants import UnserialisableConstantError, decode, encode
from lang.data import UNSPECIFIED
from lang.digests import hasher
from lang.ir import Node
from lang.runtime.inline import RESULT, SUPPORT
from lang.runtime.trampoline import call_values
from lang.sources import Source, SourceMap

if TYPE_CHECKING:
    from lang.analyse import Analysis, Form

ASSUMED: Final = "$assumed"
"""The global variable with the keys whose procedures some code calls without expecting TAIL."""

_serial = itertools.count()


class Unit:
    """Compiled forms. `constants` are the literals that `code` refers to as
    global variables.

    `assumed` are the keys that the unit defines and calls as procedures that never return TAIL;
    `open_ended` are the keys that it defines and that may hold procedures which do.
    """

    __slots__ = ("assumed", "code", "constants", "open_ended")

    def __init__(
        self,
        code: CodeType,
        constants: dict[str, Any],
        assumed: frozenset[str],
        open_ended: frozenset[str],
    ) -> None:
        self.code = code
        self.constants = constants
        self.assumed = assumed
        self.open_ended = open_ended

    def to_bytes(self) -> bytes:
        """The unit for the cache; this Python version only. May raise
        lang.constants.UnserialisableConstantError."""
        constants = {name: encode(value) for name, value in self.constants.items()}
        return marshal.dumps((self.code, constants, sorted(self.assumed), sorted(self.open_ended)))

    @staticmethod
    def from_bytes(data: bytes) -> Unit:
        """The unit that `to_bytes` wrote. The data must come from a trusted place."""
        code, constants, assumed, open_ended = marshal.loads(data)
        return Unit(
            code,
            {name: decode(value) for name, value in constants.items()},
            frozenset(assumed),
            frozenset(open_ended),
        )


def compile_unit(
    nodes: Sequence[Node], sources: SourceMap, name: str, *, core: Mapping[str, object]
) -> Unit:
    """Compile top-level forms, which are rewritten in the process.

    `name` is the file name in tracebacks. `core` holds the bindings of the core module: calls of
    its procedures need no check for TAIL, and some are written out.
    """
    # The compiler is not imported where all that is run comes from the cache.
    from lang.analyse import analyse
    from lang.codegen import generate
    from lang.numeric import find_numeric

    source = _source(nodes, sources, name)
    forms, analysis = analyse(nodes, core)
    find_numeric(forms, analysis)

    def included(position: int) -> Source | None:
        return sources.source(position) if source is not None and source.name == name else None

    code, constants = generate(
        forms, analysis, source, name, lambda pool: _prefix(name, pool), included
    )
    return Unit(code, constants, *_expectations(forms, analysis))


def run(unit: Unit, variables: dict[str, Any]) -> Any:
    """Run a unit in the session's globals; gives the value of its last form."""
    if "$TAIL" not in variables:
        variables.update(SUPPORT)
        variables[ASSUMED] = set()
    assumed: set[str] = variables[ASSUMED]
    redefined = unit.open_ended & assumed
    assumed |= unit.assumed
    variables.update(unit.constants)
    exec(unit.code, variables)
    for key in redefined:
        variables[key] = _settled(variables[key])
    return variables.pop(RESULT, UNSPECIFIED)


def _settled(value: Any) -> Any:
    """`value`, as a procedure that never returns TAIL if it is a procedure.

    Code that was compiled together with an earlier definition of the variable relies on that.
    """
    if not callable(value):
        return value
    procedure: Callable[..., Any] = value

    def settled(*arguments: Any) -> Any:
        return call_values(procedure, *arguments)

    settled.__name__ = getattr(procedure, "__name__", "settled")
    return settled


def _expectations(
    forms: Sequence[Form], analysis: Analysis
) -> tuple[frozenset[str], frozenset[str]]:
    assumed = {key for key, lam in analysis.known.items() if lam not in analysis.dirty}
    defined = {form.key for form in forms if form.key is not None}
    return frozenset(assumed), frozenset(defined - assumed)


def _source(nodes: Sequence[Node], sources: SourceMap, name: str) -> Source | None:
    """The source that the forms come from: the newest one called `name`, or the first form's."""
    for node in nodes:
        if node.pos is not None:
            source = sources.source(node.pos)
            if source is not None and source.name == name:
                return source
    return sources.named(name)


def _prefix(name: str, constants: Sequence[Any]) -> str:
    """What the names of a unit's constants start with: other constants, other names."""
    try:
        # in version 2 what is written depends on values only, not on who else refers to them
        content = marshal.dumps([name, *map(encode, constants)], 2)
    except UnserialisableConstantError:
        return f"$k{next(_serial)}"
    return "$k" + hasher(content).hexdigest()[:16]
