"""The REPL's input line by line, and what stands before each."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lang.repl.engine import Repl


def prompt(repl: Repl) -> str:
    """What stands before the cursor: the module, if it is not the one to start in."""
    label = repl.module_label
    return f"kiln {label}> " if label else "kiln> "


class Lines:
    """Lines of a pipe, or of a terminal that knows no escape codes. No prompt in a pipe."""

    def __init__(self, repl: Repl) -> None:
        self.repl = repl
        self.prompts = sys.stdin.isatty() and sys.stdout.isatty()
        self.source = None if sys.stdin.isatty() else "<stdin>"
        if not sys.stdin.isatty():
            # what is no UTF-8 is an error of Scheme's, with a place
            sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]

    def read(self) -> str:
        text = ""
        while True:
            if self.prompts:
                before = prompt(self.repl)
                print(before if not text else " " * len(before), end="", flush=True)
            try:
                line = sys.stdin.readline()
            except KeyboardInterrupt:
                print()
                raise
            if not line:
                if self.prompts:
                    print()
                if text:
                    return text
                raise EOFError
            text += line
            if not self.repl.is_unfinished(text):
                return text

    def show(self, text: str) -> None:
        print(text, flush=True)
