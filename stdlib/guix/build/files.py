"""(guix build files): files and programs, for builds only."""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from lang.data import UNSPECIFIED, MString, iterate, scheme_list
from lang.runtime.library import Library
from lang.runtime.signals import misc_error
from lang.runtime.trampoline import call

LIBRARY = Library("guix", "build", "files")


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | MString) else value


@LIBRARY.procedure("mkdir-p", staged=True)
def mkdir_p(directory: Any) -> Any:
    """Make the directory and those above it that are missing."""
    Path(_text(directory)).mkdir(parents=True, exist_ok=True)
    return UNSPECIFIED


@LIBRARY.procedure("invoke", staged=True)
def invoke(program: Any, *arguments: Any) -> bool:
    """Run a program, its output into the build's log; an exit status other than 0 is an error."""
    words = [_text(program), *map(_text, arguments)]
    try:
        status = subprocess.run(words, stdin=subprocess.DEVNULL, check=False).returncode
    except OSError as error:
        misc_error("invoke", "cannot run ~s: ~a", words[0], error.strerror)
    if status:
        misc_error("invoke", "~s ended with status ~a", " ".join(words), status)
    return True


@LIBRARY.procedure("copy-recursively", staged=True)
def copy_recursively(source: Any, destination: Any, *_options: Any) -> Any:
    """Copy a file or a directory with all that is in it; symbolic links stay such."""
    here, there = Path(_text(source)), Path(_text(destination))
    if here.is_dir() and not here.is_symlink():
        shutil.copytree(here, there, symlinks=True, dirs_exist_ok=True)
        for directory, _, names in os.walk(there):
            for name in (".", *names):
                path = Path(directory) / name
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | 0o200)
    else:
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(here, there, follow_symlinks=False)
    return UNSPECIFIED


@LIBRARY.procedure("merge-directories", staged=True)
def merge_directories(sources: Any, destination: Any) -> Any:
    """Copy what is in the directories to one; what the first ones have is kept, and told."""
    target = Path(_text(destination))
    target.mkdir()
    for source in map(Path, map(_text, iterate(sources))):
        for folder, folders, names in os.walk(source):
            here = target / Path(folder).relative_to(source)
            if not here.is_dir():
                raise NotADirectoryError(f"{here} is no directory, but {folder} is one")
            for name in sorted(folders):
                if not Path(folder, name).is_symlink() and not os.path.lexists(here / name):
                    (here / name).mkdir()
            links = [name for name in folders if Path(folder, name).is_symlink()]
            for name in sorted([*links, *names]):
                if not os.path.lexists(here / name):
                    shutil.copy2(Path(folder, name), here / name, follow_symlinks=False)
                elif not _same(Path(folder, name), here / name):
                    told = f"{here / name}: not that of {folder}, another one was there first\n"
                    sys.stdout.write(told)
    return UNSPECIFIED


def _same(one: Path, other: Path) -> bool:
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)


@LIBRARY.procedure("install-file", staged=True)
def install_file(file: Any, directory: Any) -> Any:
    """Copy the file into the directory, which is made if it is missing."""
    target = Path(_text(directory))
    target.mkdir(parents=True, exist_ok=True)
    copy_recursively(file, str(target / Path(_text(file)).name))
    return UNSPECIFIED


@LIBRARY.procedure("delete-file-recursively", staged=True)
def delete_file_recursively(name: Any, *_options: Any) -> Any:
    """Remove a file, or a directory with all that is in it."""
    path = Path(_text(name))
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return UNSPECIFIED


@LIBRARY.procedure("find-files", staged=True)
def find_files(directory: Any, pattern: Any = "") -> Any:
    """The files below the directory whose base name the regular expression matches, sorted."""
    wanted = re.compile(_text(pattern))
    found = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(_text(directory))
        for name in names
        if wanted.search(name)
    ]
    return scheme_list(sorted(found))


@LIBRARY.procedure("symlink-tree", staged=True)
def symlink_tree(source: Any, destination: Any) -> Any:
    """Make, below `destination`, the directories of `source` and links to its files."""
    base, target = Path(_text(source)), Path(_text(destination))
    for folder, _, names in os.walk(base):
        here = target / Path(folder).relative_to(base)
        here.mkdir(parents=True, exist_ok=True)
        for name in sorted(names):
            (here / name).symlink_to(Path(folder) / name)
    return UNSPECIFIED


@LIBRARY.procedure("substitute-lines", staged=True)
def substitute_lines(file: Any, rules: Any) -> Any:
    """Replace in each line of the file: `rules` are (pattern . procedure) pairs.

    A procedure gets the match and its groups, strings, and returns the text that takes its place.
    """
    path = Path(_text(file))
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for rule in iterate(rules):
        pattern = re.compile(_text(rule.car))

        def replaced(match: re.Match[str], procedure: Any = rule.cdr) -> str:
            return _text(call(procedure, match[0], *(group or "" for group in match.groups())))

        lines = [pattern.sub(replaced, line) for line in lines]
    path.write_text("".join(lines), encoding="utf-8")
    return UNSPECIFIED
