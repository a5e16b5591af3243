"""Where a user's files are: the folders of the XDG Base Directory Specification."""

from __future__ import annotations

import os
from pathlib import Path

from builders.errors import BuilderError


class NoHome(BuilderError):
    """The user has no home directory."""

    def __init__(self, variable: str) -> None:
        super().__init__(
            "this user has no home directory", hint=f"set HOME, or {variable}, to a directory"
        )


def user_folder(variable: str, default: str) -> Path:
    """The folder that the environment's `variable` names, else `default` in the home directory.

    As the specification has it, a path that is not absolute does not count. Raises NoHome.
    """
    given = Path(os.environ.get(variable, ""))
    if given.is_absolute():
        return given
    try:
        return Path.home() / default
    except RuntimeError as error:
        raise NoHome(variable) from error
