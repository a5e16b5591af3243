"""Ports on files by number, pipes, temporary files, locks (Guile's manual, "Ports and File
Descriptors"): for builds."""

from __future__ import annotations

import os
import random
import string
import tempfile
from functools import partial
from typing import Any

from lang.data import UNSPECIFIED, MString, Pair, cons
from lang.runtime import dynamic
from lang.runtime.late.file_ports import FileInput, FileInputOutput, write_all
from lang.runtime.library import Library
from lang.runtime.ports import ConsoleInput, ConsoleOutput, FileOutput, InputPort, Port
from lang.runtime.primitives import arguments, files
from lang.runtime.primitives.files import open_output
from lang.runtime.signals import misc_error, system_error, wrong_type
from lang.runtime.streams import PulledInput, PushedOutput, TwoWayPort

LIBRARY = Library("guile", "descriptors")

_LETTERS = string.ascii_letters + string.digits
_STANDARD = {"stdin": 0, "stdout": 1, "stderr": 2}
_numbers: dict[int, int] = {}
"""The file number of each port that was made here, by the port's identity; ports are kept."""
_kept: dict[int, Port] = {}


def port_on(number: int, mode: str, name: str | None = None) -> Port:
    """A port that reads from, writes to, or does both with the open file of that number."""

    port: PulledInput | PushedOutput
    if _has_places(number):
        if "+" not in mode and not mode.startswith("r"):
            return FileOutput(os.fdopen(number, "wb"), name)
        port = FileInputOutput(number, name) if "+" in mode else FileInput(number, name)
    elif "+" in mode:
        port = TwoWayPort(partial(os.read, number, 65536), partial(write_all, number), name=name)
    elif mode.startswith("r"):
        port = PulledInput(partial(os.read, number, 65536), name)
    else:
        port = PushedOutput(partial(write_all, number), name=name)

    def close() -> None:
        _numbers.pop(id(port), None)
        _kept.pop(id(port), None)
        os.close(number)

    port.on_close = close
    _numbers[id(port)] = number
    _kept[id(port)] = port
    return port


def _has_places(number: int) -> bool:
    """Can one go to a place in the open file of that number, unlike in a pipe?"""
    try:
        os.lseek(number, 0, os.SEEK_CUR)
    except OSError:
        return False
    return True


def number_of(who: str, position: int, value: Any) -> int:
    """The number of an open file: `value` itself, or that of a port."""
    if type(value) is int:
        return value
    if id(value) in _numbers:
        return _numbers[id(value)]
    if isinstance(value, ConsoleInput | ConsoleOutput):
        return _STANDARD[value.name or "stdin"]
    if isinstance(value, FileOutput):
        value.flush()
        return value.number()
    if isinstance(value, Port):
        misc_error(who, "~S is not on an open file", value)
    wrong_type(who, position, value)


@LIBRARY.procedure("file-port?")
def is_file_port(obj: Any) -> bool:
    """Is OBJ a port on a file, a pipe or a terminal?"""
    if isinstance(obj, ConsoleInput | ConsoleOutput | FileOutput) or id(obj) in _numbers:
        return True
    # what open-input-file gives has read the file
    return isinstance(obj, InputPort) and not isinstance(obj, PulledInput) and obj.name is not None


@LIBRARY.procedure("fileno", "port->fdes", staged=True)
def fileno(port: Any) -> int:
    """The number of the open file behind a port."""
    return number_of("fileno", 1, port)


@LIBRARY.procedure("fdopen", staged=True)
def fdopen(number: Any, mode: Any) -> Port:
    """A port on the open file of a number; MODE is \"r\", \"w\" or \"r+\"."""
    return port_on(arguments.index("fdopen", 1, number), arguments.string("fdopen", 2, mode))


@LIBRARY.procedure("open-fdes", staged=True)
def open_fdes(name: Any, flags: Any, mode: Any = 0o666) -> int:
    """The number of a newly opened file; FLAGS are O_RDONLY and its like."""
    try:
        return os.open(arguments.string("open-fdes", 1, name), flags, mode)
    except OSError as error:
        system_error("open-fdes", error)


@LIBRARY.procedure("open", staged=True)
def open_(name: Any, flags: Any, mode: Any = 0o666) -> Port:
    """A port on a newly opened file; FLAGS are O_RDONLY and its like."""
    direction = {os.O_RDONLY: "r", os.O_WRONLY: "w"}.get(flags & os.O_ACCMODE, "r+")
    return port_on(open_fdes(name, flags, mode), direction, str(name))


_BOTH_WAYS = {"r": 0, "w": os.O_CREAT | os.O_TRUNC, "a": os.O_CREAT | os.O_APPEND}


def open_both_ways(name: Any, letter: str) -> Port:
    """The port of open-file's modes r+, w+ and a+."""
    try:
        number = os.open(
            arguments.string("open-file", 1, name), os.O_RDWR | _BOTH_WAYS[letter], 0o666
        )
    except OSError as error:
        system_error("open-file", error)
    return port_on(number, "r+", str(name))


@LIBRARY.procedure("open-io-file", staged=True)
def open_io_file(name: Any) -> Port:
    """A port that reads FILE and writes to it."""
    return port_on(open_fdes(name, os.O_RDWR | os.O_CREAT), "r+", str(name))


@LIBRARY.procedure("close-fdes", staged=True)
def close_fdes(number: Any) -> Any:
    """Close the open file of a number."""
    try:
        os.close(arguments.index("close-fdes", 1, number))
    except OSError as error:
        system_error("close-fdes", error)
    return UNSPECIFIED


@LIBRARY.procedure("pipe", staged=True)
def pipe(*_flags: Any) -> Pair:
    """A pair of ports: what is written to the second one comes out of the first."""
    reading, writing = os.pipe()
    return cons(port_on(reading, "r"), port_on(writing, "w"))


@LIBRARY.procedure("dup->fdes", "dup2", staged=True)
def dup_to_number(port: Any, number: Any = None) -> int:
    """Another number, or NUMBER, for the same open file."""
    old = number_of("dup->fdes", 1, port)
    try:
        return os.dup(old) if number is None else os.dup2(old, number)
    except OSError as error:
        system_error("dup->fdes", error)


@LIBRARY.procedure("dup", "dup->port", "duplicate-port", staged=True)
def dup(port: Any, mode: Any = "r+") -> Port:
    """Another port on the same open file."""
    return port_on(dup_to_number(port), arguments.string("dup", 2, mode))


@LIBRARY.procedure("dup->inport", "fdes->inport", staged=True)
def dup_input(port: Any) -> Port:
    """A port that reads from the same open file."""
    return dup(port, "r")


@LIBRARY.procedure("dup->outport", "fdes->outport", staged=True)
def dup_output(port: Any) -> Port:
    """A port that writes to the same open file."""
    return dup(port, "w")


@LIBRARY.procedure("fsync", staged=True)
def fsync(port: Any) -> Any:
    """Have the system write out the file behind a port."""
    try:
        os.fsync(number_of("fsync", 1, port))
    except OSError as error:
        system_error("fsync", error)
    return UNSPECIFIED


@LIBRARY.procedure("flock", staged=True)
def flock(port: Any, operation: Any) -> Any:
    """Lock or unlock the file behind a port: LOCK_SH, LOCK_EX, LOCK_UN, with LOCK_NB."""
    import fcntl

    try:
        fcntl.flock(number_of("flock", 1, port), arguments.index("flock", 2, operation))
    except OSError as error:
        system_error("flock", error)
    return UNSPECIFIED


@LIBRARY.procedure("fcntl", staged=True)
def fcntl_(port: Any, command: Any, value: Any = 0) -> int:
    """Ask for or change a flag of the open file behind a port: F_GETFL and its like."""
    import fcntl

    try:
        return int(fcntl.fcntl(number_of("fcntl", 1, port), command, value))
    except OSError as error:
        system_error("fcntl", error)


@LIBRARY.procedure("isatty?", staged=True)
def is_terminal(port: Any) -> bool:
    """Is the port on a terminal?"""
    if not isinstance(port, Port):
        wrong_type("isatty?", 1, port)
    known = id(port) in _numbers or isinstance(port, ConsoleInput | ConsoleOutput)
    return known and os.isatty(number_of("isatty?", 1, port))


@LIBRARY.procedure("mkstemp!", "mkstemp", staged=True)
def mkstemp(template: Any, mode: Any = "w+") -> Port:
    """A port on a fresh file whose name is TEMPLATE with its XXXXXX replaced (mkstemp! changes
    TEMPLATE itself); port-filename tells it."""
    text = arguments.string("mkstemp!", 1, template)
    if not text.endswith("XXXXXX"):
        misc_error("mkstemp!", "~S does not end in XXXXXX", template)
    while True:
        name = text[:-6] + "".join(random.choices(_LETTERS, k=6))
        try:
            number = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            break
        except FileExistsError:
            continue
        except OSError as error:
            system_error("mkstemp!", error)
    if type(template) is MString:
        template.chars[:] = name
    return port_on(number, arguments.string("mkstemp!", 2, mode), name)


@LIBRARY.procedure("tmpfile", staged=True)
def tmpfile() -> Port:
    """A port on a fresh file without a name."""
    number, name = tempfile.mkstemp()
    os.unlink(name)  # noqa: PTH108
    return port_on(number, "r+")


@LIBRARY.procedure("tmpnam", staged=True)
def tmpnam() -> str:
    """A file name that is not in use."""
    number, name = tempfile.mkstemp()
    os.close(number)
    os.unlink(name)  # noqa: PTH108
    return name


@LIBRARY.procedure("mknod", staged=True)
def mknod(name: Any, kind: Any, mode: Any, device: Any) -> Any:
    """Make a file of a kind: regular, fifo, socket, block-special or char-special."""
    import stat

    kinds = {"regular": stat.S_IFREG, "fifo": stat.S_IFIFO, "socket": stat.S_IFSOCK}
    kinds |= {"block-special": stat.S_IFBLK, "char-special": stat.S_IFCHR}
    what = kinds.get(arguments.symbol_name("mknod", 2, kind))
    if what is None:
        misc_error("mknod", "~S is no kind of file", kind)
    try:
        os.mknod(arguments.string("mknod", 1, name), what | mode, device)
    except OSError as error:
        system_error("mknod", error)
    return UNSPECIFIED


@LIBRARY.procedure("with-error-to-file", staged=True)
def with_error_to_file(name: Any, thunk: Any, *_options: Any) -> Any:
    """Call THUNK with FILE as the port for complaints."""
    port = open_output("with-error-to-file", name)
    try:
        return dynamic.with_values([dynamic.current_error], [port], thunk)
    finally:
        port.close()


@LIBRARY.procedure("mkdtemp!", staged=True)
def mkdtemp(template: Any) -> str:
    """As mkdtemp; TEMPLATE itself is changed."""
    name = files.mkdtemp(template)
    if type(template) is MString:
        template.chars[:] = name
    return name
