"""Starts fresh Python interpreters that see what this one sees, and nothing that would vary."""

from __future__ import annotations

import os
import sys

from builders.registry import SOURCE_ROOT

_START = "import sys; sys.path[:] = sys.argv.pop().split('\\n'); import {0}; {0}.main()"


def command(module: str, *arguments: str) -> list[str]:
    """The command that runs `main()` of a module with `sys.argv[1:]` being `arguments`.

    It gets this process's import path as it is: no site, no start-up files, no look at the
    working directory.
    """
    path = "\n".join(import_path())
    return [sys.executable, "-S", "-s", "-P", "-c", _START.format(module), *arguments, path]


def import_path() -> list[str]:
    """Where this process imports from: our own packages first."""
    return list(dict.fromkeys([str(SOURCE_ROOT), *(entry for entry in sys.path if entry)]))


def environment() -> dict[str, str]:
    """This process's environment for such an interpreter.

    Sets have the same order every time, and texts are UTF-8 whatever the user's locale is.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
