"""Runs a verb and reports how it ended: nobody sees a traceback who did not ask for one."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from builders.errors import BuilderError
from kiln.errors import EvaluationFailed, UsageError

INTERRUPTED = 128 + signal.SIGINT
"""The exit status after Ctrl-C."""


class _Formatter(argparse.HelpFormatter):
    """As wide as the terminal; argparse would import shutil and what that needs to know."""

    def __init__(self, prog: str) -> None:
        try:
            columns = os.get_terminal_size().columns
        except OSError:
            columns = 80
        super().__init__(prog, width=columns - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("examples:") else super()._fill_text(text, width, indent)


class _Parser(argparse.ArgumentParser):
    json = False

    def error(self, message: str) -> NoReturn:
        """What is wrong, in a line; the whole usage would hide it."""
        unknown = message.removeprefix("unrecognized arguments: ").split()
        hint = f"{self.prog} --help lists the options"
        if unknown != message.split():
            from difflib import get_close_matches

            message = f"there is no option {unknown[0]}"
            if not unknown[0].startswith("-"):
                message = f"what is {unknown[0]} for? there is one argument too many"
            near = get_close_matches(unknown[0].partition("=")[0], self._option_string_actions, n=1)
            hint = f"did you mean {near[0]}?" if near else hint
        _complain(f"kiln: error: {message}\nhint: {hint}", self.json)
        sys.exit(2)


def guarded(verb: str, module_name: str, rest: Sequence[str]) -> int:
    """Parse `rest` for the verb, run it, and print its error if it ends in one."""
    module = importlib.import_module(module_name)
    parser = _Parser(prog=f"kiln {verb}", description=module.__doc__, formatter_class=_Formatter)
    module.configure(parser)
    parser.add_argument("--debug", action="store_true", help="show Python's traceback of an error")
    parser.json = "--json" in rest
    arguments = parser.parse_args(rest)
    json = getattr(arguments, "json", False)
    _end_in_order()
    try:
        status = module.run(arguments)
        sys.stdout.flush()
        return int(status)
    except KeyboardInterrupt:
        _complain("kiln: interrupted; what was finished is kept", json)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except SystemExit:  # that of Scheme's exit is an Exception, too
        raise
    except Exception as error:
        if arguments.debug:
            import traceback

            traceback.print_exc()
        _complain(describe(error), json)
        return 2 if isinstance(error, UsageError) else 1


def _end_in_order() -> None:
    """When the terminal is closed or somebody ends the process, clean up as for any exception."""

    def leave(number: int, _frame: object) -> NoReturn:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, leave)


def _complain(text: str, json: bool) -> None:
    if json:
        from json import dumps

        text = dumps({"event": "error", "message": text})
    print(text, file=sys.stderr)


def describe(error: Exception) -> str:
    """What a person is told about `error`."""
    if isinstance(error, EvaluationFailed):
        return error.text
    if isinstance(error, BuilderError):
        placed = _placed(error)
        hint = f"\nhint: {_harmless(error.hint)}" if error.hint else ""
        return f"{placed or f'kiln: error: {_harmless(error.message)}'}{_log(error)}{hint}"
    if isinstance(error, OSError):
        if error.errno == errno.ENOSPC:
            return f"kiln: error: the disk is full: {error.filename or 'no space left'}"
        where = f"{error.filename}: " if error.filename else ""
        return f"kiln: error: {where}{error.strerror or error}"
    return (
        f"kiln: error: internal error: {type(error).__name__}: {error}\n"
        "hint: this is a fault of Kiln's; run it again with --debug for a report"
    )


def _harmless(text: str) -> str:
    """The text without what a terminal would obey: names may come from anybody's image."""
    from kiln.terminal import escaped

    return escaped(text, keep="\n\t")


def _placed(error: BuilderError) -> str | None:
    """The error of a build with the place of the code that the build ran, if a file has it."""
    from pathlib import Path

    from builders.realise import BuildFailed
    from lang.diagnosis import render_at
    from lang.sources import Location, SourceMap

    if not isinstance(error, BuildFailed):
        return None
    derivation = error.derivation
    origin = derivation.origin
    if error.part is not None or error.field is not None:
        origin = derivation.places.get(error.part or 0, origin)
    if origin is None:
        return None
    location = Location(*origin)
    if error.field is not None:
        from lang.data import symbol
        from stdlib.gnu.partitions import field_location

        found = field_location(location, symbol(error.field))
        location = found if isinstance(found, Location) else location
    path = Path(location.file)
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    source = SourceMap().add(location.file, text)
    return render_at(location, error.message, source.line(location.line))


def _log(error: BuilderError) -> str:
    """The last lines that a failed build printed, and where to find all of them."""
    from builders.realise import BuildFailed

    if not isinstance(error, BuildFailed):
        return ""
    from kiln.terminal import printable

    text = "".join(f"\n  | {printable(line)}" for line in error.log)
    if error.log_file is not None and error.log:
        text += f"\n  whole log: {error.log_file}"
    if error.kept is not None:
        text += f"\n  what it left: {error.kept}"
    # a full disk ends all that runs
    others = [one for one in error.others if one.kind != error.kind or one.kind != "StoreFull"]
    return text + "".join(f"\nkiln: error: {other.message}" for other in others)
