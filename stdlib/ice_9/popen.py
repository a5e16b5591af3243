"""(ice-9 popen): programs whose input or output is a port. For builds only."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from lang.data import scheme_list
from lang.runtime.late.descriptors import port_on
from lang.runtime.library import Library
from lang.runtime.ports import FileOutput, InputPort
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error, system_error, wrong_type
from lang.runtime.streams import TwoWayPort
from lang.runtime.trampoline import several, tail_calling

LIBRARY = Library("ice-9", "popen")

LIBRARY.constant("OPEN_READ", "r")
LIBRARY.constant("OPEN_WRITE", "w")
LIBRARY.constant("OPEN_BOTH", "r+")


class PipeInput(InputPort):
    """What a program, which has ended, wrote."""

    __slots__ = ("status",)

    def __init__(self, contents: bytes, name: str, status: int) -> None:
        super().__init__(contents, name)
        self.status = status


class PipeBoth(TwoWayPort):
    """The standard input and output of a running program."""

    __slots__ = ("process",)

    def __init__(self, process: subprocess.Popen[bytes], name: str) -> None:
        reading, writing = process.stdout, process.stdin
        assert reading is not None
        assert writing is not None

        def push(data: str | bytes) -> None:
            writing.write(data.encode() if isinstance(data, str) else data)

        super().__init__(lambda: os.read(reading.fileno(), 65536), push, writing.flush, name)
        self.process = process
        self.on_close = writing.close


class PipeOutput(FileOutput):
    """The standard input of a running program."""

    __slots__ = ("process",)

    def __init__(self, process: subprocess.Popen[bytes], name: str) -> None:
        assert process.stdin is not None
        super().__init__(process.stdin, name)  # type: ignore[arg-type]
        self.process = process


def _open(who: str, mode: Any, words: list[str]) -> PipeInput | PipeOutput | PipeBoth:
    direction = arguments.string(who, 1, mode)
    try:
        if direction == "r":
            done = subprocess.run(words, stdout=subprocess.PIPE, check=False)
            return PipeInput(done.stdout, words[0], done.returncode)
        if direction == "w":
            return PipeOutput(subprocess.Popen(words, stdin=subprocess.PIPE), words[0])
        if direction == "r+":
            both = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            return PipeBoth(both, words[0])
    except OSError as error:
        system_error(who, error)
    misc_error(who, "mode ~S is none of r, w and r+", mode)


@LIBRARY.procedure("open-pipe*", staged=True)
def open_pipe_star(mode: Any, program: Any, *rest: Any) -> PipeInput | PipeOutput | PipeBoth:
    words = [arguments.string("open-pipe*", i, word) for i, word in enumerate((program, *rest), 2)]
    return _open("open-pipe*", mode, words)


@LIBRARY.procedure("open-pipe", staged=True)
def open_pipe(command: Any, mode: Any) -> PipeInput | PipeOutput | PipeBoth:
    return _open("open-pipe", mode, ["/bin/sh", "-c", arguments.string("open-pipe", 1, command)])


@LIBRARY.procedure("open-input-pipe", staged=True)
def open_input_pipe(command: Any) -> PipeInput | PipeOutput | PipeBoth:
    return open_pipe(command, "r")


@LIBRARY.procedure("open-output-pipe", staged=True)
def open_output_pipe(command: Any) -> PipeInput | PipeOutput | PipeBoth:
    return open_pipe(command, "w")


@LIBRARY.procedure("open-input-output-pipe", staged=True)
def open_both(command: Any) -> PipeInput | PipeOutput | PipeBoth:
    """A port on what a shell command writes, which also takes what the command reads."""
    return open_pipe(command, "r+")


@LIBRARY.procedure("pipeline", staged=True)
@tail_calling
def pipeline(commands: Any) -> Any:
    """Run programs, each a list of words, of which each reads what the one before writes: a port
    that the last one writes to, one that the first one reads from, and their process numbers."""
    running: list[subprocess.Popen[bytes]] = []
    for number, command in enumerate(arguments.items("pipeline", 1, commands)):
        words = [
            arguments.string("pipeline", 1, word)
            for word in arguments.items("pipeline", 1, command)
        ]
        before = running[-1].stdout if number else subprocess.PIPE
        try:
            running.append(subprocess.Popen(words, stdin=before, stdout=subprocess.PIPE))
        except OSError as error:
            system_error("pipeline", error)
        if number:
            assert running[-2].stdout is not None
            running[-2].stdout.close()
    if not running:
        misc_error("pipeline", "there is no command to run")
    first, last = running[0].stdin, running[-1].stdout
    assert first is not None
    assert last is not None
    numbers = scheme_list(process.pid for process in reversed(running))
    reading, writing = os.dup(last.fileno()), os.dup(first.fileno())
    first.close()
    _pipelines.extend(running)
    return several((port_on(reading, "r"), port_on(writing, "w"), numbers))


_pipelines: list[subprocess.Popen[bytes]] = []
"""Programs of pipelines, which are waited for by their numbers."""


@LIBRARY.procedure("close-pipe", staged=True)
def close_pipe(port: Any) -> int:
    """The wait status of the program."""
    if not isinstance(port, PipeInput | PipeOutput | PipeBoth):
        wrong_type("close-pipe", 1, port)
    port.close()
    code = port.status if isinstance(port, PipeInput) else port.process.wait()
    return -code if code < 0 else code << 8
