"""The builder "staged": evaluates the code that a gexp lowered to, in a sandbox.

Arguments: expression   the text of one s-expression
           modules      texts of module names, "(guix build utils)", imported before it is evaluated
           env          more environment variables
           native       store paths of native items; their usr/ is /usr

The interpreter is loaded on the host and then enters the sandbox: nothing of the host's is seen
there but Python's own library and Kiln's language, at /kiln/host, for what is imported late. The
output is $out, a store path; the build has store items for its inputs and everything these refer
to, /build and /tmp for itself, and no capabilities.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from builders import interpreter, namespaces, sandbox
from builders.errors import BuilderError
from builders.registry import (
    SOURCE_ROOT,
    STAGED_LIBRARY,
    STORE_PREFIX,
    Build,
    builder,
)
from builders.sandbox import Bind, Sandbox

if TYPE_CHECKING:
    from lang.session import Session

_HOST = "/kiln/host"
_FAILED = 70
"""The exit status that says that the code raised an error, which has been shown."""


class StagedFailed(BuilderError):  # noqa: N818
    """The code of a build raised an error or ended with a status other than 0."""


@builder("staged")
def staged(build: Build) -> None:
    """Run the code; see above. Raises StagedFailed and what builders.sandbox.run raises."""
    places = {name: build.scratch / name for name in ("store", "build", "tmp")}
    for place in places.values():
        place.mkdir()
    closure = build.closure(list(build.inputs))
    moved = _moved()
    binds = [
        Bind(places["store"], STORE_PREFIX, writable=True),
        Bind(places["build"], "/build", writable=True),
        Bind(places["tmp"], "/tmp", writable=True),
        *(Bind(build.real(path), path) for path in closure),
        *(Bind(Path(source), target) for source, target in moved.items()),
        *_own_code(),
    ]
    told = {
        "sandbox": sandbox.as_json(
            Sandbox(
                binds,
                roots=[build.real(path) for path in build.arguments.get("native", [])],
                env={**build.arguments.get("env", {}), "out": build.logical},
                drop_capabilities=True,
            )
        ),
        "moved": moved,
        "expression": build.arguments["expression"],
        "modules": build.arguments.get("modules", []),
        "name": build.name,
    }
    status = sandbox.supervise("builders.staged", told, build.name, on_line=build.log)
    if status == _FAILED:
        raise StagedFailed("its code raised an error", hint="the end of the log says which")
    if status != 0:
        raise StagedFailed(f"its code ended with exit status {status}")
    made = places["store"] / build.output.name
    if not os.path.lexists(made):
        raise StagedFailed(
            "its code made no output", hint="it has to make the file or directory #$output"
        )
    made.rename(build.output)


def _moved() -> dict[str, str]:
    """Directories that Python modules come from, and where they are in the sandbox."""
    directories = [entry for entry in interpreter.import_path() if Path(entry).is_dir()]
    directories.remove(str(SOURCE_ROOT))
    return {
        os.path.realpath(entry): f"{_HOST}/python/{number}"
        for number, entry in enumerate(directories)
        if not SOURCE_ROOT.is_relative_to(os.path.realpath(entry))
    }


def _own_code() -> list[Bind]:
    """The language and those parts of the library that the output may depend on."""
    names = ["lang", "stdlib/__init__.py", "stdlib/guix/__init__.py"]
    names += [name.replace(".", "/") for name in STAGED_LIBRARY]
    return [
        Bind(SOURCE_ROOT / name, f"{_HOST}/kiln/{name}")
        for name in names
        if (SOURCE_ROOT / name).exists()
    ]


def main() -> None:
    """Be the process that goes into the sandbox and evaluates."""
    namespaces.die_with_parent()
    told = json.load(sys.stdin)
    from lang.session import Session

    try:
        sandbox.enter(sandbox.from_json(told["sandbox"]))
    except OSError as error:
        sandbox.report_trouble(error, "the build")
        os._exit(_FAILED)
    _move_imports({**told["moved"], str(SOURCE_ROOT): f"{_HOST}/kiln"})
    sys.stdin.close()
    library = Path(_HOST, "kiln", "stdlib")
    session = Session([library], stage="build", library_roots=[library])
    os._exit(_evaluate(session, told["expression"], told["modules"], told["name"]))


def _move_imports(moved: Mapping[str, str]) -> None:
    """Look for modules where the sandbox has them from now on."""

    def place(path: str) -> str:
        for source, target in moved.items():
            if path == source or path.startswith(source + "/"):
                return target + path[len(source) :]
        return path

    sys.path[:] = [place(os.path.realpath(entry)) for entry in sys.path]
    for module in list(sys.modules.values()):
        if isinstance(searched := getattr(module, "__path__", None), list):
            searched[:] = [place(entry) for entry in searched]
        if isinstance(file := getattr(module, "__file__", None), str):
            module.__file__ = place(file)
    sys.path_importer_cache.clear()


def _evaluate(session: Session, expression: str, modules: Sequence[str], name: str) -> int:
    """Evaluate and show what goes wrong; gives the process's exit status."""
    module = session.user_module()
    try:
        if modules:
            session.eval_text(f"(use-modules {' '.join(modules)})", f"{name}-modules", module)
        session.eval_text(expression, f"{name}-builder", module)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception as error:
        status = _FAILED
        _show(error, session)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    return status


def _show(error: Exception, session: Session) -> None:
    from lang import errors

    try:
        diagnosis = errors.explain(error, session.sources, tuple)
        print(errors.render(diagnosis, session.sources), file=sys.stderr)
    except Exception:
        traceback.print_exc()
