"""(ice-9 ftw): walking through directories, in sorted order. For builds only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lang.data import NIL, cons, scheme_list, symbol
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.trampoline import call

LIBRARY = Library("ice-9", "ftw")


@LIBRARY.procedure("scandir", staged=True)
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


@LIBRARY.procedure("file-system-fold", staged=True)
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


@LIBRARY.procedure("file-system-tree", staged=True)
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


@LIBRARY.procedure("ftw", staged=True)
def ftw(name: Any, procedure: Any, *_options: Any) -> bool:
    """Call PROCEDURE with each file below NAME, its status and what it is: regular, directory,
    symlink, invalid-stat or directory-not-readable; a directory comes before its files. Ends
    with #f as soon as PROCEDURE gives #f."""

    def visit(path: Path) -> bool:
        try:
            status = path.stat()
        except OSError:
            flag = "symlink" if path.is_symlink() else "invalid-stat"
            return call(procedure, str(path), False, symbol(flag)) is not False
        if not path.is_dir():
            return call(procedure, str(path), status, symbol("regular")) is not False
        readable = os.access(path, os.R_OK | os.X_OK)
        flag = "directory" if readable else "directory-not-readable"
        if call(procedure, str(path), status, symbol(flag)) is False:
            return False
        return not readable or path.is_symlink() or all(map(visit, sorted(path.iterdir())))

    return visit(Path(arguments.string("ftw", 1, name)))


@LIBRARY.procedure("nftw", staged=True)
def nftw(name: Any, procedure: Any, *options: Any) -> Any:
    """As ftw; PROCEDURE also gets the number of characters before the file's own name, and the
    depth. Options: physical (links are not followed), depth (directories after their files)."""
    chosen = {arguments.symbol_name("nftw", 3, option) for option in options}
    physical = "physical" in chosen

    def visit(path: Path, level: int) -> Any:
        base = len(str(path)) - len(path.name)
        is_link = path.is_symlink()
        try:
            status = path.lstat() if physical else path.stat()
        except OSError:
            flag = "stale-symlink" if is_link else "invalid-stat"
            return call(procedure, str(path), False, symbol(flag), base, level)
        if is_link and physical:
            return call(procedure, str(path), status, symbol("symlink"), base, level)
        if not path.is_dir():
            return call(procedure, str(path), status, symbol("regular"), base, level)
        readable = os.access(path, os.R_OK | os.X_OK)
        flag = "directory" if readable else "directory-not-readable"
        if "depth" in chosen and readable:
            flag = "directory-processed"
        else:
            result = call(procedure, str(path), status, symbol(flag), base, level)
            if result is not True:
                return result
        for entry in sorted(path.iterdir()) if readable else []:
            result = visit(entry, level + 1)
            if result is not True:
                return result
        if flag == "directory-processed":
            return call(procedure, str(path), status, symbol(flag), base, level)
        return True

    return visit(Path(arguments.string("nftw", 1, name)), 0)
