"""The builder "staged": evaluates the code that a gexp lowered to, in a sandbox.

Arguments: expression   the text of one s-expression
           modules      texts of module names, "(guix build utils)", imported before it is evaluated
           env          more environment variables
           native       store paths of native items; their usr/ is /usr
           attributes   name of a file that is put into the output, a directory: what modes, owners
                        and devices the code gave to files there, which the store does not keep
                        (builders.recording). Without it, owners and devices are refused

The worker loads the language once; each build is a fork of it that enters a sandbox. Nothing of
the host's is seen there but Python's own library and Kiln's language, at /kiln/host, for what is
imported late. The output is $out, a store path; the build has store items for its inputs and
everything these refer to, /build and /tmp for itself, and no capabilities.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builders import interpreter, sandbox
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
    from builders.recording import Recording
    from lang.session import Session

_HOST = "/kiln/host"
_LIBRARY = Path(_HOST, "kiln", "stdlib")
_PRELOADED = (("guix", "build", "utils"), ("ice-9", "match"), ("srfi", "srfi-1"))
_FAILED = 70
"""The exit status that says that the code raised an error, which has been shown."""


class StagedFailed(BuilderError):
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
    inside = Sandbox(
        binds,
        roots=[build.real(path) for path in build.arguments.get("native", [])],
        env={**build.arguments.get("env", {}), "out": build.logical},
    )
    session = _loaded_session()
    attributes: str = build.arguments.get("attributes", "")
    recording = _recording() if attributes else None

    def evaluate() -> int:
        if recording is not None:
            try:
                recording.begin()
            except BuilderError as error:
                sys.stderr.write(f"{error.message}\nhint: {error.hint}\n")
                return _FAILED
        _move_imports({**moved, str(SOURCE_ROOT): f"{_HOST}/kiln"})
        session.load_path = [_LIBRARY]
        session.library_roots = [_LIBRARY]
        return _evaluate(session, build.arguments, build.name)

    try:
        status = sandbox.call(inside, evaluate, build.log, recording)
        made = places["store"] / build.output.name
        if recording is not None:
            recording.check()
        _check(status, made)
        if recording is not None and made.is_dir() and not made.is_symlink():
            recording.write(made, attributes)
    finally:
        if recording is not None:
            recording.close()
    if made.is_dir() and not made.is_symlink():
        made.chmod(0o755)  # a directory that its owner may not write to cannot be moved
    made.rename(build.output)


def _recording() -> Recording:
    from builders.recording import Recording

    return Recording()


def _check(status: int, made: Path) -> None:
    if status == _FAILED:
        raise StagedFailed("its code raised an error", hint="the end of the log says which")
    if status != 0:
        raise StagedFailed(f"its code ended with exit status {status}")
    if not os.path.lexists(made):
        raise StagedFailed(
            "its code made no output", hint="it has to make the file or directory #$output"
        )


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


@cache
def _loaded_session() -> Session:
    """A session with what most builds use: always the same, whatever was built before."""
    from lang.session import Session

    library = SOURCE_ROOT / "stdlib"
    session = Session([library], stage="build", library_roots=[library])
    for name in _PRELOADED:
        if session.exists(name):
            session.import_module(name)
    return session


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


def _evaluate(session: Session, arguments: Mapping[str, Any], name: str) -> int:
    """Evaluate and show what goes wrong; gives the process's exit status."""
    module = session.user_module()
    modules = " ".join(arguments.get("modules", []))
    try:
        if modules:
            session.eval_text(f"(use-modules {modules})", f"{name}-modules", module)
        session.eval_text(arguments["expression"], f"{name}-builder", module)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception as error:
        _show(error, session)
        return _FAILED
    return 0


def _show(error: Exception, session: Session) -> None:
    from lang import errors

    try:
        diagnosis = errors.explain(error, session.sources, tuple)
        sys.stderr.write(errors.render(diagnosis, session.sources) + "\n")
    except Exception:
        traceback.print_exc()
