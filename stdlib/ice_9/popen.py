"""(ice-9 popen): programs whose input or output is a port. For builds only."""

from __future__ import annotations

import subprocess
from typing import Any

from lang.runtime.library import Library
from lang.runtime.ports import FileOutput, InputPort
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error, system_error, wrong_type

LIBRARY = Library("ice-9", "popen")

LIBRARY.constant("OPEN_READ", "r")
LIBRARY.constant("OPEN_WRITE", "w")


class PipeInput(InputPort):
    """What a program, which has ended, wrote."""

    __slots__ = ("status",)

    def __init__(self, contents: bytes, name: str, status: int) -> None:
        super().__init__(contents, name)
        self.status = status


class PipeOutput(FileOutput):
    """The standard input of a running program."""

    __slots__ = ("process",)

    def __init__(self, process: subprocess.Popen[bytes], name: str) -> None:
        assert process.stdin is not None
        super().__init__(process.stdin, name)  # type: ignore[arg-type]
        self.process = process


def _open(who: str, mode: Any, words: list[str]) -> PipeInput | PipeOutput:
    direction = arguments.string(who, 1, mode)
    try:
        if direction == "r":
            done = subprocess.run(words, stdout=subprocess.PIPE, check=False)
            return PipeInput(done.stdout, words[0], done.returncode)
        if direction == "w":
            return PipeOutput(subprocess.Popen(words, stdin=subprocess.PIPE), words[0])
    except OSError as error:
        system_error(who, error)
    misc_error(who, "mode ~S is neither r nor w", mode)


@LIBRARY.procedure("open-pipe*", staged=True)
def open_pipe_star(mode: Any, program: Any, *rest: Any) -> PipeInput | PipeOutput:
    words = [arguments.string("open-pipe*", i, word) for i, word in enumerate((program, *rest), 2)]
    return _open("open-pipe*", mode, words)


@LIBRARY.procedure("open-pipe", staged=True)
def open_pipe(command: Any, mode: Any) -> PipeInput | PipeOutput:
    return _open("open-pipe", mode, ["/bin/sh", "-c", arguments.string("open-pipe", 1, command)])


@LIBRARY.procedure("open-input-pipe", staged=True)
def open_input_pipe(command: Any) -> PipeInput | PipeOutput:
    return open_pipe(command, "r")


@LIBRARY.procedure("open-output-pipe", staged=True)
def open_output_pipe(command: Any) -> PipeInput | PipeOutput:
    return open_pipe(command, "w")


@LIBRARY.procedure("close-pipe", staged=True)
def close_pipe(port: Any) -> int:
    """The wait status of the program."""
    if not isinstance(port, PipeInput | PipeOutput):
        wrong_type("close-pipe", 1, port)
    port.close()
    code = port.status if isinstance(port, PipeInput) else port.process.wait()
    return -code if code < 0 else code << 8
