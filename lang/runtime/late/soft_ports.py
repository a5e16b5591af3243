"""Ports whose characters or bytes come from procedures and go to procedures (Guile's manual,
"Soft Ports"; R6RS, "Custom ports")."""

from __future__ import annotations

from typing import Any

from lang.data import EOF, Char, char
from lang.runtime.library import Library
from lang.runtime.ports import Port
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error, wrong_type
from lang.runtime.streams import PulledInput, PushedOutput, TwoWayPort
from lang.runtime.trampoline import call

LIBRARY = Library("guile", "soft-ports")


@LIBRARY.procedure("make-soft-port")
def make_soft_port(procedures: Any, modes: Any) -> Port:
    """A port of the procedures in a vector: of a character to write, of a string to write, to
    pass on what is held back, to read a character, to close; a sixth one is not needed. MODES is
    \"r\", \"w\" or \"rw\"."""
    given = arguments.vector("make-soft-port", 1, procedures)
    letters = arguments.string("make-soft-port", 2, modes)
    if len(given) not in (5, 6):
        wrong_type("make-soft-port", 1, procedures)
    put_char, put_string, flush, get_char, close = given[:5]

    def push(data: str | bytes) -> None:
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
        if put_string is not False:
            call(put_string, text)
        else:
            for one in text:
                call(put_char, char(one))

    def pull() -> str:
        got = call(get_char)
        if got is False or got is EOF:
            return ""
        if type(got) is not Char:
            wrong_type("make-soft-port", 1, got)
        return got.value

    def pass_on() -> None:
        if flush is not False:
            call(flush)

    port: PulledInput | PushedOutput
    if "r" in letters and "w" in letters:
        port = TwoWayPort(pull, push, pass_on)
    elif "r" in letters:
        port = PulledInput(pull)
    elif "w" in letters or "a" in letters:
        port = PushedOutput(push, pass_on)
    else:
        misc_error("make-soft-port", "mode ~S is none of r, w and rw", modes)
    if close is not False:
        port.on_close = lambda: call(close)
    return port


_PIECE = 4096


def _read(who: str, procedure: Any) -> Any:
    arguments.procedure(who, 2, procedure)

    def pull() -> bytes:
        buffer = bytearray(_PIECE)
        count = arguments.index(who, 0, call(procedure, buffer, 0, _PIECE))
        return bytes(buffer[:count])

    return pull


def _write(who: str, procedure: Any) -> Any:
    arguments.procedure(who, 3, procedure)

    def push(data: str | bytes) -> None:
        rest = bytearray(data.encode() if isinstance(data, str) else data)
        while rest:
            taken = arguments.index(who, 0, call(procedure, rest, 0, len(rest)))
            if not taken:
                misc_error(who, "the write procedure takes nothing")
            rest = rest[taken:]

    return push


def _finished(port: PulledInput | PushedOutput, close: Any) -> Port:
    port.binary = True
    if close is not False:
        port.on_close = lambda: call(close)
    return port


@LIBRARY.procedure("make-custom-binary-input-port")
def custom_input(name: Any, read: Any, _get: Any, _set: Any, close: Any) -> Port:
    """A port whose bytes READ puts into a bytevector, from START on, COUNT at most; it gives how
    many."""
    who = "make-custom-binary-input-port"
    return _finished(PulledInput(_read(who, read), arguments.string(who, 1, name)), close)


@LIBRARY.procedure("make-custom-binary-output-port")
def custom_output(name: Any, write: Any, _get: Any, _set: Any, close: Any) -> Port:
    """A port whose bytes WRITE takes from a bytevector, from START on, COUNT at most; it gives how
    many it took."""
    who = "make-custom-binary-output-port"
    made = PushedOutput(_write(who, write), name=arguments.string(who, 1, name))
    return _finished(made, close)


@LIBRARY.procedure("make-custom-binary-input/output-port")
def custom_both(name: Any, read: Any, write: Any, _get: Any, _set: Any, close: Any) -> Port:
    """A port that both reads, by READ, and writes, by WRITE."""
    who = "make-custom-binary-input/output-port"
    made = TwoWayPort(_read(who, read), _write(who, write), name=arguments.string(who, 1, name))
    return _finished(made, close)
