"""Options that several verbs have."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiln import workspace
from kiln.errors import UsageError

if TYPE_CHECKING:
    from lang.session import Session

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}

LARGEST = 1 << 44
"""Bytes: what a file can have on the usual file systems of hosts."""


def add_load_path(parser: argparse.ArgumentParser) -> None:
    """-L, for modules of the user's own."""
    parser.add_argument(
        "-L",
        "--load-path",
        action="append",
        default=[],
        metavar="DIR",
        help="look for modules in DIR, too",
    )


def add_display(parser: argparse.ArgumentParser) -> None:
    """How progress is shown."""
    parser.add_argument("--json", action="store_true", help="report events as lines of JSON")
    parser.add_argument("-q", "--quiet", action="store_true", help="report errors only")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what builds print")


def add_building(parser: argparse.ArgumentParser) -> None:
    """What every verb that realises derivations has."""
    add_load_path(parser)
    add_display(parser)
    parser.add_argument(
        "-n", "--dry-run", action="store_true", help="say what would be built, build nothing"
    )
    parser.add_argument(
        "-d", "--derivation", action="store_true", help="print the derivation, build nothing"
    )
    parser.add_argument(
        "--save", metavar="LINK", help="make LINK to the result and keep it from gc"
    )
    parser.add_argument(
        "--check", action="store_true", help="build the result once more and compare the bytes"
    )
    parser.add_argument(
        "-j",
        "--jobs",
        type=positive,
        metavar="N",
        help="run N builds at once (default: one for each core)",
    )
    parser.add_argument(
        "-K", "--keep-failed", action="store_true", help="keep the folder of a build that fails"
    )


def positive(text: str) -> int:
    """A number of one or more; raises argparse's error for anything else."""
    if not re.fullmatch("[0-9]{1,9}", text) or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of one or more")
    return int(text)


def load_path(arguments: argparse.Namespace) -> list[Path]:
    """The folders of -L; raises UsageError for what is none."""
    folders = [Path(name) for name in arguments.load_path]
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"-L {folder}: there is no such directory")
    return folders


def style(arguments: argparse.Namespace) -> str:
    """The style of kiln.progress.shown that the options ask for."""
    return "json" if arguments.json else "quiet" if arguments.quiet else "auto"


def check_inputs(arguments: argparse.Namespace) -> None:
    """Raise UsageError when there is nothing to work on, or too much for the options, or when the
    result cannot go where they say."""
    from kiln import targets

    count = len(arguments.files) + (arguments.expression is not None)
    if count == 0:
        raise UsageError("name a file, or give an expression with -e")
    output = getattr(arguments, "output", None)
    if count > 1 and (arguments.save is not None or output is not None):
        raise UsageError("-o and --save take one result: name one file only")
    for name in arguments.files:
        workspace.existing_file(name)
    if output is not None:
        targets.check_output(output, arguments.files)
    if arguments.save is not None:
        targets.check_link(arguments.save)


def evaluated(session: Session, arguments: argparse.Namespace) -> list[Any]:
    """The values of the files named, and then of the expression of -e, with (gnu) at hand."""
    values = [workspace.evaluate_file(session, name) for name in arguments.files]
    if arguments.expression is not None:
        text = f"(use-modules (gnu))\n{arguments.expression}"
        values.append(workspace.evaluate(session, lambda: session.eval_text(text, "-e")))
    return values


def size(text: str) -> int:
    """Bytes that `text`, of --image-size, such as 512M or 4GiB, means; raises UsageError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?B)?", text, re.IGNORECASE)
    if match is None:
        raise UsageError(
            f"--image-size: {text!r} is no size", hint="write it as 800M, 4G or 2.5GiB"
        )
    from decimal import Decimal

    count = int(Decimal(match[1]) * _UNITS[match[2].upper()])
    if not 0 < count <= LARGEST:
        raise UsageError(
            f"--image-size: {text} is no size that an image can have", hint="16T is the most"
        )
    return count
