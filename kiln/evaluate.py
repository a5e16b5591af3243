"""Evaluate Scheme and print the values."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from kiln import options, workspace


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("expressions", nargs="*", metavar="EXPR", help="an expression")
    parser.add_argument("-f", "--file", action="append", default=[], help="a file of Scheme")
    options.add_load_path(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate files, each in a module of its own, then expressions, which see what the last file
    and the expressions before them defined; write each value that is one."""
    from kiln.errors import UsageError

    if not arguments.expressions and not arguments.file:
        raise UsageError("give an expression, or a file with -f")
    session = workspace.open_session(options.load_path(arguments))
    module = None
    for name in arguments.file:
        module = session.user_module()
        _show(workspace.evaluate_file(session, name, module))
    if module is None:
        module = session.user_module()
    for text in arguments.expressions:
        _show(workspace.evaluate(session, partial(session.eval_text, text, "<eval>", module)))
    return 0


def _show(value: Any) -> None:
    from lang.data import UNSPECIFIED, Values
    from lang.printer import write

    if value is UNSPECIFIED:
        return
    for one in value if isinstance(value, Values) else (value,):
        print(write(one))
