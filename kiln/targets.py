"""Where results go: the file of -o, the link of --save. What cannot be is said before any work."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from kiln.errors import UsageError

STANDARD_OUTPUT = "-"


def check_output(name: str, inputs: Sequence[str]) -> None:
    """Raise UsageError if no image can be put at `name`. `inputs` are files that are read."""
    if name == STANDARD_OUTPUT:
        if sys.stdout.isatty():
            raise UsageError("an image is nothing for a terminal", hint="name a file: -o disk.img")
        return
    if not name:
        raise UsageError("-o needs the name of a file", hint="-o disk.img")
    path = Path(name)
    if path.is_dir():
        raise UsageError(f"{path} is a directory", hint=f"name the file: -o {path / 'disk.img'}")
    if path.exists() and not path.is_file():
        raise UsageError(
            f"{path} is no ordinary file",
            hint=f"write to it yourself: kiln image … -o - | sudo dd of={path} bs=4M conv=fsync",
        )
    if any(path.exists() and path.samefile(one) for one in inputs):
        raise UsageError(f"{path} is the declaration: the image would replace it")
    _check_folder(path)


def check_link(name: str) -> None:
    """Raise UsageError if no link to a result can be made at `name`."""
    path = Path(name)
    if not name:
        raise UsageError("--save needs the name of a link")
    if os.path.lexists(path) and not path.is_symlink():
        raise UsageError(f"{path} exists and is no link", hint="choose another name for the link")
    _check_folder(path)


def _check_folder(path: Path) -> None:
    folder = path.absolute().parent
    if not folder.is_dir():
        raise UsageError(
            f"cannot make {path}: there is no directory {path.parent}",
            hint=f"mkdir -p {path.parent}",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(
            f"cannot make {path}: the directory {path.parent} cannot be written",
            hint="choose another place",
        )


def copy_out(source: Path, name: str) -> None:
    """Copy an image to the file `name`, holes as holes, whole or not at all; "-" is where the
    program prints. An image that is a directory becomes one, where nothing is yet."""
    from builders.sinks.copy import copy_sparse

    directory = source.is_dir()
    if name == STANDARD_OUTPUT:
        if directory:
            raise UsageError(
                "an image of this type is a directory, which is nothing for a pipe",
                hint="name the directory: -o image, or choose another type: -t docker",
            )
        with open(source, "rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)
        return
    target = Path(name)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    if directory and os.path.lexists(target):
        raise UsageError(
            f"{target} exists, and an image of this type is a directory",
            hint="choose a name that is free",
        )
    try:
        if directory:
            _copy_directory(source, temporary)
        else:
            copy_sparse(source, temporary)
        temporary.replace(target)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        temporary.unlink(missing_ok=True)


def _copy_directory(source: Path, target: Path) -> None:
    """Copy a directory of files and directories, for its owner to change."""
    from builders.sinks.copy import copy_sparse

    target.mkdir()
    for one in sorted(source.iterdir()):
        (_copy_directory if one.is_dir() else copy_sparse)(one, target / one.name)
