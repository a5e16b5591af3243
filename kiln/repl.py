"""Talk with Scheme: read an expression, evaluate it, print its value, and again."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from kiln import options, workspace
from kiln.repl_lines import Lines

if TYPE_CHECKING:
    from lang.repl.engine import Repl

GREETING: Final = "Kiln {version}. ,help lists the commands; Ctrl-D ends."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="evaluate FILE first, and go on in its module"
    )
    options.add_load_path(parser)


class Console(Protocol):
    """Where texts are typed, and where what there is to say about them is shown.

    `source` is the name under which texts continue each other, None where each stands alone.
    """

    source: str | None

    def read(self) -> str:
        """The next complete text. Raises EOFError after the last one, and KeyboardInterrupt."""

    def show(self, text: str) -> None:
        """Show a value or an answer."""


def run(arguments: argparse.Namespace) -> int:
    """Converse until the input ends. Without a terminal, the exit status is 1 after an error."""
    from kiln.repl_commands import COMMANDS
    from lang.interrupts import prepare
    from lang.repl.engine import Repl

    prepare()
    session = workspace.open_session(options.load_path(arguments))
    path = workspace.existing_file(arguments.file) if arguments.file is not None else None
    repl = Repl(session, commands=COMMANDS, width=_width(), folds=sys.stdout.isatty())
    console = _console(repl)
    conversation = _Conversation(repl, console, arguments.debug)
    if path is not None:
        conversation.load(path)
    conversation.go_on()
    return int(conversation.errors > 0 and not sys.stdin.isatty())


class _Conversation:
    def __init__(self, repl: Repl, console: Console, debug: bool) -> None:
        self.repl = repl
        self.console = console
        self.debug = debug
        self.errors = 0

    def load(self, path: Path) -> None:
        """Start in the module of a file; its value is the first one."""
        repl = self.repl
        self.answer(repl.shown(repl.load(path)) for _ in range(1))

    def go_on(self) -> None:
        """Answer text after text."""
        while True:
            try:
                text = self.console.read()
            except EOFError:
                return
            except KeyboardInterrupt:
                if not sys.stdin.isatty():
                    raise
                continue
            self.repl.width = _width()
            if not self.answer(self.repl.respond(text, self.console.source)):
                return

    def answer(self, texts: Iterable[str]) -> bool:
        """Show `texts`, which are made by running Scheme, or the error that this ends in; false if
        the conversation is over."""
        from builders.errors import BuilderError
        from kiln.report import describe
        from lang.repl.registry import CommandError, Quit

        try:
            for text in texts:
                if text:
                    _fresh_line()
                    self.console.show(text)
            _fresh_line()
        except Quit:
            return False
        except KeyboardInterrupt:
            if not sys.stdin.isatty():
                raise
            self.complain("interrupted")
        except CommandError as error:
            hint = f"\nhint: {error.hint}" if error.hint else ""
            self.complain(f"error: {error.message}{hint}")
        except BrokenPipeError:
            raise
        except (BuilderError, OSError) as error:
            self.complain(describe(error))
        except Exception as error:
            self.complain(self.repl.diagnose(error))
        return True

    def complain(self, text: str) -> None:
        """Show an error."""
        self.errors += 1
        _fresh_line()
        sys.stdout.flush()
        if self.debug:
            import traceback

            traceback.print_exc()
        print(text, file=sys.stderr, flush=True)


def _fresh_line() -> None:
    """End the line that the program's own output has begun."""
    from lang.runtime.dynamic import current_output

    if getattr(current_output.value, "column", 0):
        print()
        current_output.value.column = 0


def _width() -> int:
    return max(shutil.get_terminal_size((80, 24)).columns - 1, 40)


def _console(repl: Repl) -> Console:
    """The editor on a terminal that can do it, else plain lines."""
    dumb = os.environ.get("TERM", "dumb") in ("dumb", "")
    if dumb or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Lines(repl)
    from kiln.main import VERSION
    from kiln.repl_prompt import Editor

    print(GREETING.format(version=VERSION))
    return Editor(repl, history_file())


def history_file() -> Path:
    """Where what was typed is kept: $XDG_STATE_HOME/kiln/history."""
    from builders.folders import user_folder

    return user_folder("XDG_STATE_HOME", ".local/state") / "kiln" / "history"
