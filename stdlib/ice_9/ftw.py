"""(ice-9 ftw): walking through directories, in sorted order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lang.data import NIL, cons, scheme_list
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.trampoline import call

LIBRARY = Library("ice-9", "ftw")


@LIBRARY.procedure("scandir")
def scandir(name: Any, select: Any = None, less: Any = None) -> Any:
    """The names in a directory, with . and .., or #f if it cannot be read."""
    from lang.runtime.primitives.sorting import sorted_by

    try:
        names = [".", "..", *sorted(os.listdir(arguments.string("scandir", 1, name)))]  # noqa: PTH208
    except OSError:
        return False
    if select is not None:
        names = [entry for entry in names if call(select, entry) is not False]
    return scheme_list(sorted(names) if less is None else sorted_by(names, less))


@LIBRARY.procedure("file-system-fold")
def file_system_fold(
    enter: Any,
    leaf: Any,
    down: Any,
    up: Any,
    skip: Any,
    error: Any,
    initial: Any,
    name: Any,
    *_stat: Any,
) -> Any:
    """Guile's: every procedure gets a path, its status and the result so far."""

    def visit(path: Path, result: Any) -> Any:
        try:
            status = path.lstat()
        except OSError as problem:
            return call(error, str(path), False, problem.errno, result)
        if not path.is_dir() or path.is_symlink():
            return call(leaf, str(path), status, result)
        if call(enter, str(path), status, result) is False:
            return call(skip, str(path), status, result)
        try:
            entries = sorted(path.iterdir())
        except OSError as problem:
            return call(error, str(path), status, problem.errno, result)
        result = call(down, str(path), status, result)
        for entry in entries:
            result = visit(entry, result)
        return call(up, str(path), status, result)

    return visit(Path(arguments.string("file-system-fold", 8, name)), initial)


@LIBRARY.procedure("file-system-tree")
def file_system_tree(name: Any, enter: Any = None, *_stat: Any) -> Any:
    """(NAME STATUS CHILD ...), where each child is such a tree; #f if there is no such file."""

    def tree(path: Path) -> Any:
        status = path.lstat()
        children: Any = NIL
        if path.is_dir() and not path.is_symlink():
            if enter is None or call(enter, str(path), status) is not False:
                children = scheme_list(map(tree, sorted(path.iterdir())))
        return cons(path.name, cons(status, children))

    root = Path(arguments.string("file-system-tree", 1, name))
    return tree(root) if root.exists() else False
