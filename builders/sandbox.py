"""Runs a program with no network, no home, no host: only what it was given.

Namespaces without privileges (builders.namespaces). Three processes: one that makes the namespaces
and waits, one that is process 1 in them, lays out the files and reaps, and the program. When the
first is killed all go.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builders import interpreter, sandbox_root
from builders import namespaces as ns
from builders.errors import BuilderError
from builders.sandbox_root import Bind

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

_BUILD_USER = (1000, 1000)
_TROUBLE = b"\0sandbox\0"


class SandboxUnavailable(BuilderError):  # noqa: N818
    """The kernel does not let this user make a sandbox."""


class CannotRun(BuilderError):  # noqa: N818
    """A program, or what it was to be shown, does not exist or cannot be used."""


class TimedOut(BuilderError):  # noqa: N818
    """A program took longer than it was allowed to."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What a program is to see and may do; see `run`. User 0 may be without capabilities, too."""

    binds: Sequence[Bind] = ()
    roots: Sequence[Path] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/build"
    network: bool = False
    uid0: bool = True
    hostname: str = "localhost"
    drop_capabilities: bool = False


def run(
    command: Sequence[str],
    *,
    binds: Sequence[Bind] = (),
    env: Mapping[str, str] | None = None,
    cwd: str = "/build",
    roots: Sequence[Path] = (),
    network: bool = False,
    on_line: Callable[[str], None] = lambda _line: None,
    uid0: bool = True,
    hostname: str = "localhost",
    timeout: float | None = None,
) -> int:
    """Run a command in a sandbox and return its exit status (128 + n when killed by signal n).

    binds    files and directories to show; nested ones are fine; "/tmp" and "/build" are in memory
             unless a bind puts something there
    env      variables beside ENVIRONMENT, or instead of its
    roots    extracted native items, whose usr/ directories are shown as one at /usr; /bin, /sbin,
             /lib and /lib64 are links into it
    network  use the host's
    on_line  gets each line that the command writes, to its standard output or error
    uid0     be user 0, with all capabilities inside of the namespaces; else user 1000 with none
    timeout  seconds

    Raises SandboxUnavailable, TimedOut, CannotRun.
    """
    sandbox = Sandbox(binds, roots, env or {}, cwd, network, uid0, hostname)
    told = {"command": list(command), "sandbox": as_json(sandbox)}
    return supervise("builders.sandbox", told, command[0], on_line=on_line, timeout=timeout)


def supervise(
    module: str,
    told: Mapping[str, Any],
    name: str,
    *,
    on_line: Callable[[str], None],
    timeout: float | None = None,
) -> int:
    """Run `main()` of a module in a fresh interpreter that is to `enter` a sandbox.

    It reads `told`, as JSON, from its standard input. For the rest see `run`.
    """
    process = subprocess.Popen(
        interpreter.command(module),
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
        for line in process.stdout:
            if line.startswith(_TROUBLE):
                raise _trouble(json.loads(line[len(_TROUBLE) :]))
            on_line(line.decode(errors="surrogateescape").rstrip("\r\n"))
        code = process.wait()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        deadline.cancel()
    if deadline.passed:
        raise TimedOut(f"{name} did not end within {timeout} seconds")
    return code


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
    user = (0, 0) if sandbox.uid0 else _BUILD_USER
    ns.unshare_user(flags | (0 if sandbox.network else ns.NEWNET), *user)
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
        ns.raise_loopback()
    ns.set_host_name(sandbox.hostname)
    sandbox_root.enter(binds, sandbox.roots, user)
    ns.forbid_new_privileges()
    if sandbox.drop_capabilities or not sandbox.uid0:
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
        enter(from_json(told["sandbox"]))
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(null, 0)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvp(command[0], command)
    except OSError as error:
        report_trouble(error, command[0])
        os._exit(127)


def report_trouble(error: OSError, command: str) -> None:
    """Tell the process that waits for output why there will be none."""
    setup = isinstance(error, ns.NamespaceError)
    told = {
        "setup": setup,
        "errno": error.errno,
        "what": error.strerror if setup else str(error.filename or command),
        "command": command,
    }
    os.write(1, _TROUBLE + json.dumps(told).encode() + b"\n")


def _trouble(told: Mapping[str, Any]) -> Exception:
    """The exception that a report of trouble amounts to."""
    if told["setup"]:
        return SandboxUnavailable(
            f"the kernel refuses a build sandbox ({told['what']})",
            hint=_advice(),
        )
    return CannotRun(
        f"cannot run {told['command']} in the sandbox: {told['what']}: {os.strerror(told['errno'])}"
    )


def _advice() -> str:
    """What to do so that a sandbox can be made, by what this host says about user namespaces."""
    for name, bad, words in (
        ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"),
    ):
        path = Path("/proc/sys") / name
        if path.exists() and path.read_text().strip() == bad:
            return f"as root: {words}"
    return (
        "user namespaces have to be allowed here; in a container, start it with "
        "--security-opt seccomp=unconfined --security-opt systempaths=unconfined"
    )


def _resolved(binds: Sequence[Bind]) -> list[Bind]:
    """Sources as they are without symbolic links above them: those would point inside."""
    found = []
    for one in binds:
        if not os.path.lexists(one.source):
            raise CannotRun(f"{one.source} does not exist, so a sandbox cannot show it")
        parent = Path(os.path.realpath(one.source.parent))
        found.append(Bind(parent / one.source.name, one.target, one.writable))
    return found


def as_json(sandbox: Sandbox) -> dict[str, Any]:
    """What `supervise` can send of a sandbox; `from_json` is the inverse."""
    return {
        "binds": [[str(one.source), one.target, one.writable] for one in _resolved(sandbox.binds)],
        "roots": [os.path.realpath(root) for root in sandbox.roots],
        "env": dict(sandbox.env),
        "cwd": sandbox.cwd,
        "network": sandbox.network,
        "uid0": sandbox.uid0,
        "hostname": sandbox.hostname,
        "drop_capabilities": sandbox.drop_capabilities,
    }


def from_json(value: Mapping[str, Any]) -> Sandbox:
    """The sandbox that `as_json` wrote down."""
    binds = [Bind(Path(source), target, writable) for source, target, writable in value["binds"]]
    roots = [Path(root) for root in value["roots"]]
    rest = {name: value[name] for name in value if name not in ("binds", "roots")}
    return Sandbox(binds, roots, **rest)
