"""Runs programs of a Debian root inside it, offline, as its root user, with calls recorded.

Three processes: the caller supervises (it answers the recorder's notifications and reads output);
an agent, process 1 of new namespaces, starts what it is told to; each program is a child of the
agent, in the root. The agent is a fork that only ever uses what is imported already.

The same mechanism serves ordinary users and root: a user namespace with one user. Where there may
be none, root goes without it, and the programs without rights over the host.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from builders import isolation
from builders import namespaces as ns
from builders.debian import seccomp
from builders.debian.recorder import Recorder
from builders.errors import BuilderError

_ISOLATED = ns.NEWNS | ns.NEWUTS | ns.NEWIPC | ns.NEWPID | ns.NEWNET
_RIGHTS_OVER_FILES = (ns.CAP_DAC_OVERRIDE, ns.CAP_FOWNER, ns.CAP_FSETID)

_HOST_NAME = "localhost"
_MESSAGE = 1 << 16


class NamespacesForbidden(BuilderError):
    """The kernel does not let this user make the namespaces that a root is configured in."""


class ChrootFailed(BuilderError):
    """The surroundings of a root could not be set up."""


class Chroot:
    """A root in which programs can be run; use it in a `with` statement.

    root      the directory, an absolute path; dev, proc, sys, run and tmp must exist in it
    masked    programs (absolute, in the root) that do nothing and succeed; absent ones are ignored
    on_line   gets each line of output
    recorder  knows what the programs said about owners and devices

    Raises NamespacesForbidden, ChrootFailed, builders.debian.seccomp.SeccompUnavailable.
    """

    def __init__(
        self, root: Path, *, masked: Sequence[str] = (), on_line: Callable[[str], None]
    ) -> None:
        self._on_line = on_line
        self._partial = b""
        self._busy = True
        output, agent_output = os.pipe2(os.O_CLOEXEC)
        self._control, agent_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sys.stdout.flush()
        sys.stderr.flush()
        self._agent = os.fork()
        if self._agent == 0:
            os.close(output)
            self._control.close()
            _become_agent(str(root), masked, agent_control, agent_output)
        os.close(agent_output)
        agent_control.close()
        self._output = output
        os.set_blocking(output, False)
        self._recorder: Recorder | None = None
        try:
            message, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE, 1)
            if not descriptors:
                raise _setup_error(json.loads(message) if message else {})
            self._recorder = Recorder(descriptors[0])
            self._busy = False
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Chroot:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def recorder(self) -> Recorder:
        assert self._recorder is not None
        return self._recorder

    def close(self) -> None:
        """End what still runs there; the mounts go with it. The records stay readable."""
        if self._agent:
            # process 1 ends when nobody asks it for more, and takes all others with it
            self._control.close()
            if self._busy:
                os.kill(self._agent, signal.SIGKILL)
            os.waitpid(self._agent, 0)
            self._agent = 0
            os.close(self._output)
            if self._recorder:
                self._recorder.close()

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run a program, found by its absolute path, in "/"; its exit status, negative for a
        signal. Its standard input is empty; output, with that of what it left running, goes to
        `on_line`.
        """
        recorder = self.recorder
        request = json.dumps({"command": list(command), "environment": dict(environment)})
        self._busy = True
        self._control.send(request.encode())
        poll = select.poll()
        for descriptor in (recorder.listener, self._output, self._control.fileno()):
            poll.register(descriptor, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if ready.get(recorder.listener, 0) & select.POLLIN:
                recorder.answer()
                continue
            if ready.get(self._output, 0) & select.POLLIN:
                self._read_output()
            elif self._control.fileno() in ready:
                reply = self._control.recv(_MESSAGE)
                self._read_output()
                self._end_line()
                if not reply:
                    raise ChrootFailed(
                        f"the processes in the root were killed while running {command[0]}",
                        hint="perhaps memory ran out; the kernel's log tells",
                    )
                self._busy = False
                return int(json.loads(reply)["status"])

    def _read_output(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._output, _MESSAGE):
                *lines, self._partial = (self._partial + chunk).split(b"\n")
                for line in lines:
                    self._on_line(line.decode(errors="replace"))

    def _end_line(self) -> None:
        if self._partial:
            self._on_line(self._partial.decode(errors="replace"))
            self._partial = b""


def _setup_error(told: Mapping[str, str | None]) -> BuilderError:
    message, hint = told.get("message") or "the namespaces' first process died", told.get("hint")
    kinds = (NamespacesForbidden, seccomp.SeccompUnavailable, ChrootFailed)
    kind = next((kind for kind in kinds if kind.__name__ == told.get("kind")), ChrootFailed)
    return kind(message, hint=hint)


# --- the other side of the fork


def _become_agent(root: str, masked: Sequence[str], control: socket.socket, output: int) -> None:
    """Make the namespaces and fork process 1; never returns."""
    status = 1
    try:
        own_users = _isolate()
        ns.die_with_parent()
        os.setsid()
        first = os.fork()
        if first == 0:
            ns.die_with_parent()
            isolation.raise_loopback(own_users)
            _surround(root, masked)
            listener = seccomp.install()
            socket.send_fds(control, [b"{}"], [listener])
            os.close(listener)
            _serve(root, control, output, own_users)
        control.close()
        os.close(output)
        os.waitpid(first, 0)
        status = 0
    except BuilderError as error:
        _tell(control, error)
    except BaseException as error:
        _tell(control, ChrootFailed(f"packages cannot be configured here: {error}"))
    finally:
        os._exit(status)


def _tell(control: socket.socket, error: BuilderError) -> None:
    told = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
    control.send(json.dumps(told).encode())


def _isolate() -> bool:
    """Enter new namespaces; is one a user namespace, with one user?"""
    try:
        return isolation.isolate(_ISOLATED)
    except ns.NamespaceError as error:
        raise NamespacesForbidden(
            f"there may be no namespaces here to configure packages in: {error.strerror}",
            hint=isolation.advice(error.errno),
        ) from error


def _surround(root: str, masked: Sequence[str]) -> None:
    """Mount what programs expect around them; nothing of it outlives the namespaces."""
    ns.set_host_name(_HOST_NAME)
    ns.make_private()
    ns.mount("tmpfs", f"{root}/dev", "tmpfs", ns.MS_NOSUID, "mode=755")
    isolation.show_devices(Path("/dev"), Path(f"{root}/dev"))
    for name in ("shm", "pts"):
        Path(f"{root}/dev/{name}").mkdir()
    isolation.show_processes(Path("/proc"), Path(f"{root}/proc"))
    ns.mount("tmpfs", f"{root}/sys", "tmpfs", ns.MS_NOSUID, "mode=755")
    ns.mount("tmpfs", f"{root}/tmp", "tmpfs", ns.MS_NOSUID | ns.MS_NODEV, "mode=1777")
    ns.mount("tmpfs", f"{root}/run", "tmpfs", ns.MS_NOSUID | ns.MS_NODEV, "mode=755")
    nothing = Path(f"{root}/run/nothing")
    nothing.write_text("#!/bin/sh\n")
    nothing.chmod(0o755)
    for program in masked:
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISREG(Path(root + program).lstat().st_mode):
                ns.bind(nothing, root + program, writable=True)


def _serve(root: str, control: socket.socket, output: int, own_users: bool) -> None:
    """Process 1: run what is asked for until the supervisor hangs up; never returns."""
    os.umask(0o022)
    empty = os.open("/dev/null", os.O_RDONLY)
    for target, source in enumerate((empty, output, output)):
        os.dup2(source, target)
    control.set_inheritable(False)
    while request := control.recv(_MESSAGE):
        asked = json.loads(request)
        program = os.fork()
        if program == 0:
            _execute(root, asked["command"], asked["environment"], own_users)
        status = None
        while status is None:
            ended, code = os.wait()
            if ended == program:
                status = os.waitstatus_to_exitcode(code)
        control.send(json.dumps({"status": status}).encode())
    os._exit(0)


def _execute(
    root: str, command: Sequence[str], environment: Mapping[str, str], own_users: bool
) -> None:
    try:
        os.chroot(root)
        os.chdir("/")
        if not own_users:
            ns.drop_capabilities(*_RIGHTS_OVER_FILES)
        for name in (signal.SIGPIPE, signal.SIGINT, signal.SIGXFSZ):
            signal.signal(name, signal.SIG_DFL)
        os.execve(command[0], list(command), environment)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)
