"""Worker processes, as their parent sees them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

from builders import interpreter
from builders.worker import Task


class Worker:
    """A process that runs builders, `capacity` of them at once. Its output goes to `log`."""

    def __init__(self, capacity: int, log: Path) -> None:
        self.capacity = capacity
        self.load = 0
        self.ended = False
        self._log = log
        self._buffer = b""
        self.socket, theirs = socket.socketpair()
        arguments = [str(theirs.fileno()), str(capacity), str(os.getpid())]
        with theirs, log.open("wb") as output:
            self._process = subprocess.Popen(
                interpreter.command("builders.worker", *arguments),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
                env=interpreter.environment(),
                start_new_session=True,  # the terminal's interrupt is for the parent to handle
            )

    def send(self, task: Task) -> None:
        """Give it one more task."""
        self.load += 1
        message = {field.name: getattr(task, field.name) for field in fields(task)}
        # If it is dead, `receive` will tell.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> list[list[Any]]:
        """The messages that have come: [task number, kind, ...]. Sets `ended` at the last."""
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        self.ended = not data
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def kill(self) -> None:
        """End it and what it started, and wait for that."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.socket.close()

    def bury(self) -> str:
        """Clean up after one that has ended by itself; returns what is known of the reason."""
        self.kill()
        code = self._process.returncode
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        last = self._log.read_text(errors="replace").strip().rpartition("\n")[2]
        return f"the process that built it ended ({how})" + (f": {last}" if last else "")
