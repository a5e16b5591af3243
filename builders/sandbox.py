"""Runs a program with no network, no home, no host: only what it was given.

Namespaces, without privileges where that can be (builders.isolation). Three processes: one that
makes the namespaces and waits, one that is process 1 in them, lays out the files and reaps, and the
program. When the first is killed all go.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from builders import interpreter, isolation, sandbox_root
from builders import namespaces as ns
from builders.errors import BuilderError
from builders.sandbox_root import Bind

if TYPE_CHECKING:
    from builders.recording import Recording

__all__ = [
    "ENVIRONMENT",
    "Bind",
    "CannotRun",
    "Sandbox",
    "SandboxUnavailable",
    "TimedOut",
    "enter",
    "run",
]

ENVIRONMENT: Mapping[str, str] = {
    "HOME": "/homeless",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/bin:/usr/sbin",
    "SOURCE_DATE_EPOCH": "1",
    "TERM": "dumb",
    "TMPDIR": "/tmp",
    "TZ": "UTC",
}
"""The variables that every sandboxed program gets."""

_TROUBLE = b"\0sandbox\0"


class SandboxUnavailable(BuilderError):
    """The kernel does not let this user make a sandbox."""


class CannotRun(BuilderError):
    """A program, or what it was to be shown, does not exist or cannot be used."""


class TimedOut(BuilderError):
    """A program took longer than it was allowed to."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What a program is to see; see `run`."""

    binds: Sequence[Bind] = ()
    roots: Sequence[Path] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/build"
    network: bool = False
    hostname: str = "localhost"


def run(
    command: Sequence[str],
    *,
    binds: Sequence[Bind] = (),
    env: Mapping[str, str] | None = None,
    cwd: str = "/build",
    roots: Sequence[Path] = (),
    network: bool = False,
    on_line: Callable[[str], None] = lambda _line: None,
    hostname: str = "localhost",
    timeout: float | None = None,
    stdin: str = "/dev/null",
) -> int:
    """Run a command in a sandbox and return its exit status (128 + n when killed by signal n).

    It is user 0, who owns what Kiln's user owns, without any capabilities.

    binds    files and directories to show; nested ones are fine; "/tmp" and "/build" are in memory
             unless a bind puts something there
    env      variables beside ENVIRONMENT, or instead of its
    roots    native items: directories whose usr/ are shown as one at /usr, with links to it at
             /bin, /sbin, /lib and /lib64, and whose etc/ are copied to /etc; the first wins
    network  use the host's
    on_line  gets each line that the command writes, to its standard output or error
    timeout  seconds
    stdin    what the sandbox has at this path is its standard input

    Raises SandboxUnavailable, TimedOut, CannotRun.
    """
    sandbox = Sandbox(binds, roots, env or {}, cwd, network, hostname)
    told = {
        "command": list(command),
        "stdin": stdin,
        "sandbox": _as_json(_resolved(sandbox)),
    }
    process = subprocess.Popen(
        interpreter.command("builders.sandbox"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=interpreter.environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    deadline = _Deadline(process, timeout)
    try:
        with contextlib.suppress(BrokenPipeError), process.stdin as stream:
            stream.write(json.dumps(told).encode())
        _listen(process.stdout, on_line)
        code = process.wait()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        deadline.cancel()
    if deadline.passed:
        raise TimedOut(f"{command[0]} did not end within {timeout} seconds")
    return code


def call(
    sandbox: Sandbox,
    function: Callable[[], int],
    on_line: Callable[[str], None],
    recording: Recording | None = None,
) -> int:
    """Run a function in a sandbox, in a fork of this process, and return the status it gives.

    For processes with one thread. All that the function needs should be imported already: it does
    not see this process's files. With a `recording`, it may begin that. Raises SandboxUnavailable,
    CannotRun.
    """
    sandbox = _resolved(sandbox)
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        _be_called(sandbox, function, writer, recording.descriptor if recording else None)
    os.close(writer)
    try:
        with open(reader, "rb") as output:
            _listen(recording.lines(output.fileno()) if recording else output, on_line)
    except BaseException:
        os.kill(process, signal.SIGKILL)
        raise
    finally:
        _pid, status = os.waitpid(process, 0)
    return _status(status)


def _be_called(
    sandbox: Sandbox, function: Callable[[], int], writer: int, kept: int | None
) -> NoReturn:
    status = 127
    try:
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        if isinstance(sys.stdout, io.TextIOWrapper):
            # lines are seen when they are written, and in order with those of other programs
            sys.stdout.reconfigure(line_buffering=True)
        end = os.sysconf("SC_OPEN_MAX")
        os.closerange(3, end if kept is None else kept)
        os.closerange(end if kept is None else kept + 1, end)
        try:
            enter(sandbox)
        except OSError as error:
            _report_trouble(error, "the build")
        else:
            status = function()
            sys.stdout.flush()
            sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _listen(output: Iterable[bytes], on_line: Callable[[str], None]) -> None:
    """Pass on the lines that come out of a sandbox; raises what `_report_trouble` reported."""
    for line in output:
        if line.startswith(_TROUBLE):
            raise _trouble(json.loads(line[len(_TROUBLE) :]))
        on_line(line.decode(errors="surrogateescape").rstrip("\r\n"))


class _Deadline:
    """Kills a process when its time has come."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float | None) -> None:
        self.passed = False
        self._process = process
        self._timer = None
        if seconds is not None:
            import threading

            self._timer = threading.Timer(seconds, self._kill)
            self._timer.daemon = True
            self._timer.start()

    def _kill(self) -> None:
        self.passed = True
        self._process.kill()

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def enter(sandbox: Sandbox) -> None:
    """Go into a sandbox, as a process of its own: returns in that process only.

    The calling process, which must have one thread and nothing else to do, waits and exits with the
    other's status. Raises NamespaceError (in the caller or inside) when it cannot be done.
    """
    flags = ns.NEWNS | ns.NEWPID | ns.NEWIPC | ns.NEWUTS | ns.NEWCGROUP
    own_users = isolation.isolate(flags | (0 if sandbox.network else ns.NEWNET))
    ns.die_with_parent()
    if init := os.fork():
        os._exit(_status(os.waitpid(init, 0)[1]))
    ns.die_with_parent()
    binds = list(sandbox.binds)
    if sandbox.network:
        binds += [
            Bind(Path(os.path.realpath(name)), name)
            for name in ("/etc/resolv.conf",)
            if Path(name).exists()
        ]
    else:
        isolation.raise_loopback(own_users)
    ns.set_host_name(sandbox.hostname)
    sandbox_root.enter(binds, sandbox.roots)
    ns.forbid_new_privileges()
    ns.drop_capabilities()
    os.chdir(sandbox.cwd)
    if child := os.fork():
        _reap_until(child)
    os.environ.clear()
    os.environ.update({**ENVIRONMENT, **sandbox.env})


def _reap_until(child: int) -> None:
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(_status(status))


def _status(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def main() -> None:
    """Be the helper process of `run`: read what to do, do it."""
    ns.die_with_parent()
    told = json.load(sys.stdin)
    command: list[str] = told["command"]
    try:
        enter(_from_json(told["sandbox"]))
        os.dup2(os.open(told["stdin"], os.O_RDONLY), 0)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvp(command[0], command)
    except OSError as error:
        _report_trouble(error, command[0])
        os._exit(127)


def _report_trouble(error: OSError, command: str) -> None:
    """Tell the process that waits for output why there will be none."""
    setup = isinstance(error, ns.NamespaceError)
    told = {
        "setup": setup,
        "errno": error.errno,
        "what": error.strerror if setup else str(error.filename or command),
        "command": command,
        "advice": isolation.advice(error.errno) if setup else "",
    }
    os.write(1, _TROUBLE + json.dumps(told).encode() + b"\n")


def _trouble(told: Mapping[str, Any]) -> Exception:
    """The exception that a report of trouble amounts to."""
    if told["setup"]:
        return SandboxUnavailable(
            f"the kernel refuses a build sandbox ({told['what']})",
            hint=told["advice"],
        )
    return CannotRun(
        f"cannot run {told['command']} in the sandbox: {told['what']}: {os.strerror(told['errno'])}"
    )


def _resolved(sandbox: Sandbox) -> Sandbox:
    """The same without symbolic links above sources: they would point inside. Raises CannotRun."""
    binds = []
    for one in sandbox.binds:
        if not os.path.lexists(one.source):
            raise CannotRun(f"{one.source} does not exist, so a sandbox cannot show it")
        parent = Path(os.path.realpath(one.source.parent))
        binds.append(Bind(parent / one.source.name, one.target, one.writable))
    roots = [Path(os.path.realpath(root)) for root in sandbox.roots]
    return replace(sandbox, binds=binds, roots=roots)


def _as_json(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "binds": [[str(one.source), one.target, one.writable] for one in sandbox.binds],
        "roots": [str(root) for root in sandbox.roots],
        "env": dict(sandbox.env),
        "cwd": sandbox.cwd,
        "network": sandbox.network,
        "hostname": sandbox.hostname,
    }


def _from_json(value: Mapping[str, Any]) -> Sandbox:
    binds = [Bind(Path(source), target, writable) for source, target, writable in value["binds"]]
    roots = [Path(root) for root in value["roots"]]
    rest = {name: value[name] for name in value if name not in ("binds", "roots")}
    return Sandbox(binds, roots, **rest)
