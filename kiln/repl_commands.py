"""The REPL's commands that need builders: `,build` and `,lower`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lang.repl.commands import COMMANDS as STANDARD
from lang.repl.commands import evaluated

if TYPE_CHECKING:
    from lang.repl.engine import Repl

COMMANDS: Final = STANDARD.copy()


@COMMANDS.add("build b", "EXPR", "build a file-like object, a derivation or an image")
def build(repl: Repl, text: str) -> str:
    """Realises what a value lowers to; gives the path of the result."""
    from builders.realise import realise
    from kiln.lowering import lower
    from kiln.progress import shown
    from kiln.workspace import workspace

    value: Any = evaluated(repl, text, ",build EXPR")
    with shown() as events, workspace(events) as store:
        lowered = repl.run(lambda: lower(repl.session, value))
        realise(lowered.derivations, store, events=events)
        path = str(store.real(lowered.path))
    return repl.shown(path)


@COMMANDS.add("lower l", "EXPR", "show what would be built for an object")
def lower(repl: Repl, text: str) -> str:
    """The path that a value lowers to, and the derivations that it needs."""
    from builders.realise import title
    from kiln.lowering import lower as lower_value
    from kiln.workspace import workspace

    value: Any = evaluated(repl, text, ",lower EXPR")
    with workspace() as store:
        lowered = repl.run(lambda: lower_value(repl.session, value))
        valid = store.valid([one.path for one in lowered.derivations])
    lines = [lowered.path]
    for derivation in lowered.derivations:
        state = "built" if derivation.path in valid else "not built"
        shown = repl.shown(derivation)
        lines.append(f"{shown}\n  {title(derivation)} ({state})")
        lines += [f"  needs {needed.path}" for needed in derivation.inputs]
        lines += [f"  needs {source}" for source in derivation.sources]
    return "\n".join(lines)
