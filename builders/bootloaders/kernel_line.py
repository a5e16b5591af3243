"""A kernel's arguments as one line, for boot loaders that hand it over as it is."""

from __future__ import annotations

from collections.abc import Sequence

from builders.errors import BuilderError


class BadKernelArgument(BuilderError):
    """An argument that a kernel could not read back from its command line."""

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"the kernel argument {argument!r} {problem}")


def kernel_line(arguments: Sequence[str]) -> str:
    """`arguments` with blanks between them; those that hold a blank in double quotes.

    Raise BadKernelArgument.
    """
    return " ".join(map(_quoted, arguments))


def _quoted(argument: str) -> str:
    if not argument or not argument.isprintable():
        raise BadKernelArgument(argument, "is empty, or has control characters")
    if '"' in argument:
        raise BadKernelArgument(argument, "has a double quote; blanks are quoted without your help")
    return f'"{argument}"' if " " in argument else argument
