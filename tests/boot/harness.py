"""Drives a virtual machine over its serial line, as a person at the terminal would.

    with booted(Machine(disks=(Disk(image, snapshot=True),)), patience=120) as console:
        console.expect(r"login: ")
        console.send("root")
        assert console.command("id -u") == "0"
        console.power_off()

Time is counted in seconds of processor time that QEMU has used, so that a busy host does not make
a test fail; a limit on the clock stands behind it for guests that only wait.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pexpect
import pytest

from builders.vm import Firmware, Machine, NoFirmware, command_line, find_firmware, prepared

OVMF = Path("/usr/share/OVMF")

_CLOCK_PER_CPU = 4
"""How many times longer than the patience, in processor time, the clock may run."""

_PROMPT = "KILN-PROMPT-7f3a "
_TERMINAL_CODES = re.compile(r"\x1b(\[[0-9;?]*[a-zA-Z]|[()][A-Z0-9]|\][^\x07\x1b]*(\x07|\x1b\\)|.)")

_KERNEL_MESSAGES = re.compile(r"^\[ *\d+\.\d{6}\] .*\n?", re.MULTILINE)
"""What the kernel writes in between, such as "[   41.109418] hrtimer: interrupt took 111 ms"."""


class BootFailed(AssertionError):
    """The machine did not do what was expected; the message ends with what it wrote."""

    def __init__(self, what: str, transcript: str) -> None:
        tail = "\n".join(transcript.splitlines()[-60:])
        super().__init__(f"{what}\n--- the end of the serial console ---\n{tail}")


class Console:
    """The serial line of a running machine."""

    def __init__(self, command: list[str], patience: float) -> None:
        self._process: pexpect.spawn[str] = pexpect.spawn(
            command[0], command[1:], timeout=None, encoding="utf-8", codec_errors="replace"
        )
        self._process.delaybeforesend = None
        self._patience = patience
        self._seen: list[str] = []

    @property
    def transcript(self) -> str:
        """All that the machine has written and was waited for, without terminal codes."""
        text = "".join(self._seen) + str(self._process.buffer)
        return _TERMINAL_CODES.sub("", text).replace("\r", "")

    def expect(self, pattern: str, *, patience: float | None = None) -> re.Match[str]:
        """Wait until the regular expression `pattern` is written; its match.

        `patience` is in seconds of processor time. Raise BootFailed when it runs out, when the
        machine stops, or when its kernel panics.
        """
        patience = self._patience if patience is None else patience
        cpu_limit = self._cpu_seconds() + patience
        clock_limit = time.monotonic() + patience * _CLOCK_PER_CPU
        while True:
            wanted = [pattern, r"Kernel panic - not syncing[^\n]*", pexpect.EOF, pexpect.TIMEOUT]
            found = self._process.expect(wanted, timeout=1)
            if found == 3:
                if self._cpu_seconds() > cpu_limit or time.monotonic() > clock_limit:
                    raise BootFailed(f"waited in vain for {pattern!r}", self.transcript)
                continue
            self._seen.append(str(self._process.before))
            if found == 2:
                raise BootFailed(f"the machine stopped before {pattern!r}", self.transcript)
            match = self._process.match
            assert isinstance(match, re.Match)
            self._seen.append(match[0])
            if found == 1:
                raise BootFailed("the kernel panicked", self.transcript)
            return match

    def send(self, line: str) -> None:
        """Type `line` and the return key."""
        self._process.send(line + "\r")

    def log_in(self, user: str = "root", password: str | None = None) -> None:
        """Log in at a getty that has asked, or will ask, for a name; then `command` works."""
        self.expect(r"login: ")
        self.send(user)
        if password is not None:
            self.expect(r"[Pp]assword: ")
            self.send(password)
        self.expect(r"[#$] ")
        self.take_prompt()

    def take_prompt(self) -> None:
        """Give the shell that reads the line a prompt that nothing else writes."""
        # The quotes in its middle keep the echo of the command from looking like the prompt.
        prompt = f"'{_PROMPT[:4]}''{_PROMPT[4:]}'"
        self.send(f"stty -echo cols 500 2>/dev/null; unset PROMPT_COMMAND; PS1={prompt}")
        self.expect(re.escape(_PROMPT))

    def command(self, line: str, *, patience: float | None = None) -> str:
        """What the shell command `line` writes, stripped. Raise BootFailed if it fails."""
        self.send(f'{line}; echo "KILN-STATUS=$?"')
        status = self.expect(r"KILN-STATUS=(\d+)\s", patience=patience)
        output = _TERMINAL_CODES.sub("", self._seen[-2]).replace("\r", "")
        output = _KERNEL_MESSAGES.sub("", output).strip()
        self.expect(re.escape(_PROMPT))
        if status[1] != "0":
            raise BootFailed(f"{line!r} ended with status {status[1]}:\n{output}", self.transcript)
        return output

    def power_off(self, command: str = "poweroff", *, patience: float = 60) -> None:
        """Ask the system to stop, and wait until the machine has."""
        self.send(command)
        self.expect_end(patience=patience)

    def expect_end(self, *, patience: float | None = None) -> None:
        """Wait until the machine stops by itself. Raise BootFailed if it does not."""
        patience = self._patience if patience is None else patience
        cpu_limit = self._cpu_seconds() + patience
        clock_limit = time.monotonic() + patience * _CLOCK_PER_CPU
        while self._process.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=1) == 1:
            if self._cpu_seconds() > cpu_limit or time.monotonic() > clock_limit:
                raise BootFailed("the machine does not stop", self.transcript)
        self._seen.append(str(self._process.before))
        self._process.close()

    def close(self) -> None:
        """Pull the plug."""
        self._process.close(force=True)

    def _cpu_seconds(self) -> float:
        """Processor time that QEMU has used, of all its threads; proc(5), fields 14 and 15."""
        try:
            with open(f"/proc/{self._process.pid}/stat", encoding="ascii") as file:
                fields = file.read().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return 0.0
        return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))


@contextmanager
def booted(machine: Machine, *, patience: float = 120) -> Iterator[Console]:
    """Start `machine`, without display and network card unless it has them; stop it at the end.
    Skip the test where there is no firmware for it.

    `patience`: seconds of processor time that `Console.expect` waits unless told otherwise.
    """
    if machine.firmware == "uefi":
        try:
            find_firmware()
        except NoFirmware as error:
            pytest.skip(error.message)
    with prepared(replace(machine, reboots=False)) as command:
        console = Console(command, patience)
        try:
            yield console
        finally:
            console.close()


@contextmanager
def secure(machine: Machine, folder: Path, *, patience: float = 180) -> Iterator[Console]:
    """As `booted`, with firmware that starts only what Microsoft's keys or Debian's shim vouch for.

    Its variables are a file in `folder`. Skip the test where there is no such firmware.
    """
    code, variables = OVMF / "OVMF_CODE_4M.secboot.fd", OVMF / "OVMF_VARS_4M.ms.fd"
    if not code.is_file() or not variables.is_file():
        pytest.skip("the firmware with Secure Boot is missing")
    copy = folder / "variables.fd"
    shutil.copyfile(variables, copy)
    machine = replace(machine, reboots=False, firmware="uefi")
    command = command_line(machine, kvm=False, firmware=Firmware(code, copy))
    command += ["-machine", "smm=on"]
    command += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
    console = Console(command, patience)
    try:
        yield console
    finally:
        console.close()
