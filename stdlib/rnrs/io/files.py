"""(rnrs io files): files and standard ports as R6RS opens them."""

from __future__ import annotations

import os
from typing import Any, Final

from lang.data import Symbol, iterate, symbol
from lang.runtime.late import descriptors
from lang.runtime.library import Library
from lang.runtime.ports import (
    ConsoleInput,
    ConsoleOutput,
    FileOutput,
    Port,
)
from lang.runtime.primitives import arguments, ports
from lang.runtime.primitives.files import open_input
from lang.runtime.signals import system_error
from stdlib.rnrs.io.conditions import about_file

LIBRARY: Final = Library("rnrs", "io", "files")


def _binary(port: Port) -> Port:
    port.binary = True
    port.recode("iso8859-1")
    return port


@LIBRARY.procedure("open-bytes-in")
def open_bytes_in(name: Any) -> Port:
    """A port on the bytes of a file."""
    with about_file(name):
        return _binary(open_input("open-file-input-port", name))


def _flags(options: Any) -> int:
    chosen = {option.name for option in iterate(options)}
    return (
        (0 if "no-create" in chosen else os.O_CREAT)
        | (0 if "no-truncate" in chosen else os.O_TRUNC)
        | (0 if chosen & {"no-fail", "no-create"} else os.O_EXCL)
    )


@LIBRARY.procedure("open-bytes-out", staged=True)
def open_bytes_out(name: Any, options: Any) -> Port:
    """A port that writes bytes to a file; OPTIONS are symbols such as no-fail."""
    who = "open-file-output-port"
    path = arguments.string(who, 1, name)
    with about_file(name):
        try:
            number = os.open(path, os.O_WRONLY | os.O_CLOEXEC | _flags(options), 0o666)
        except OSError as error:
            system_error(who, error)
    return _binary(FileOutput(os.fdopen(number, "wb"), path))


@LIBRARY.procedure("open-bytes-in-and-out", staged=True)
def open_bytes_in_and_out(name: Any, options: Any) -> Port:
    """A port that reads and writes the bytes of a file; OPTIONS are symbols such as no-fail."""
    with about_file(name):
        return _binary(descriptors.open_(name, os.O_RDWR | _flags(options)))


@LIBRARY.procedure("standard-input-port")
def standard_input() -> Port:
    """A port on the bytes of the standard input."""
    return _binary(ConsoleInput())


@LIBRARY.procedure("standard-output-port")
def standard_output() -> Port:
    """A port of bytes on the standard output."""
    return _binary(ConsoleOutput("stdout"))


@LIBRARY.procedure("standard-error-port")
def standard_error() -> Port:
    """A port of bytes on the standard error."""
    return _binary(ConsoleOutput("stderr"))


@LIBRARY.procedure("output-port-buffer-mode")
def buffer_mode(port: Any) -> Symbol:
    """What a port holds back before it passes it on: block (much) or none."""
    checked = ports.target("output-port-buffer-mode", 1, port)
    return symbol("block" if isinstance(checked, FileOutput) else "none")
