"""The command `kiln`: finds the verb, runs it, and turns whatever goes wrong into a message."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys

TYPE_CHECKING = False  # as in typing, which `kiln --version` need not import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

VERSION = "0.1.0"

VERBS = {
    "image": ("kiln.image", "make an image of an operating-system declaration"),
    "build": ("kiln.build", "build a file-like object or a derivation"),
    "eval": ("kiln.evaluate", "evaluate Scheme and print the values"),
    "repl": ("kiln.repl", "talk with Scheme: evaluate, look around, try things"),
    "run": ("kiln.run", "start an image in a virtual machine"),
    "ls": ("kiln.inspect_ls", "list what is in an image"),
    "cat": ("kiln.inspect_cat", "write files of an image to the standard output"),
    "cp": ("kiln.inspect_cp", "copy files out of an image"),
    "update": ("kiln.update", "fetch Debian's newest package lists"),
    "gc": ("kiln.collect", "remove from the store what nothing needs"),
}
"""Each verb's module, which has `configure(parser)` and `run(arguments)`, and a line about it."""


def usage() -> str:
    """What `kiln --help` prints."""
    width = max(map(len, VERBS))
    lines = [f"  {verb:<{width}}  {about}" for verb, (_, about) in VERBS.items()]
    return (
        "usage: kiln VERB [OPTION...] [FILE...]\n\n"
        "Turns operating-system declarations into bootable images of Debian packages.\n\n"
        + "\n".join(lines)
        + "\n\n  kiln VERB --help tells more; kiln --version says which Kiln this is.\n\n"
        "Exit status: 0 done, 1 an error, 2 wrong usage, 130 interrupted."
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: see `usage`."""
    _open_streams()
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:  # while modules are imported
        print("kiln: interrupted", file=sys.stderr)
        return 130
    except OSError as error:  # the standard output takes no help text
        print(f"kiln: error: {error.strerror}", file=sys.stderr)
        return 1


def command() -> NoReturn:
    """What the script `kiln` runs: `main`, and then an end without taking Python apart, which
    would take a third of the time of a short command."""
    status = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = status or 1
    threading = sys.modules.get("threading")
    if threading is not None and any(
        not thread.daemon and thread is not threading.main_thread()
        for thread in threading.enumerate()
    ):
        sys.exit(status)
    atexit._run_exitfuncs()
    os._exit(status)


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage(), flush=True)
        return 0 if arguments else 2
    if arguments[0] in ("-V", "--version"):
        print(f"kiln {VERSION}", flush=True)
        return 0
    verb, *rest = arguments
    if verb not in VERBS:
        return _unknown(verb)
    # What is imported is no garbage: the collector would only walk it again and again.
    gc.set_threshold(200_000, 50, 1000)
    from kiln.report import guarded

    return guarded(verb, VERBS[verb][0], rest)


def _open_streams() -> None:
    """Something in the place of standard streams that are closed, so that no file takes their
    numbers; on a terminal without Unicode, characters that it has not are escaped."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding != "utf-8":
        sys.stdout.reconfigure(errors="backslashreplace")


def _unknown(verb: str) -> int:
    from difflib import get_close_matches

    near = get_close_matches(verb, VERBS, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; the verbs are {', '.join(VERBS)}"
    print(f"kiln: error: there is no verb {verb}{hint}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    command()
