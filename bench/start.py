"""Benchmark: how long it takes until Kiln has started, and until it has read a configuration.

    python bench/start.py [--rounds N]

Processor time of whole processes, beside that of Python itself: `--version`, the evaluation of a
number, and of a configuration of 200 lines that uses all of (gnu), changed since or not. Bytecode
and the library's compiled modules are cached, in a folder of the benchmark's own. What counts are
the least times, since a machine that has other things to do only adds to them. Exit status 1 if a
gate is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.timing import Gate, interleaved, judge

ROOT: Final = Path(__file__).resolve().parent.parent
COMMAND: Final = "from kiln.main import command; command()"
"""What the script that pip installs does."""
MOST: Final = {"200 lines, changed": 150.0}
"""Milliseconds."""
MOST_TIMES: Final = {"--version": 1.6, "eval 1": 6.1}
"""Times Python's own start: 17 and 65 ms where that takes 10.6, which it does not everywhere."""

USER: Final = """(define user-{number}
  (user-account
    (name "user{number}")
    (comment "Somebody")
    (group "users")
    (home-directory "/home/user{number}")
    (supplementary-groups '("audio" "video"))))

"""
FILE_SYSTEM: Final = """(define data-{number}
  (file-system
    (device (file-system-label "data{number}"))
    (mount-point "/data{number}")
    (type "ext4")))

"""
SYSTEM: Final = """(operating-system
  (host-name "{name}")
  (timezone "Europe/Berlin")
  (locale "en_US.utf8")
  (bootloader (bootloader-configuration
                (bootloader grub-bootloader)
                (targets '("/dev/sda"))))
  (file-systems (cons* (file-system
                         (device (file-system-label "root"))
                         (mount-point "/")
                         (type "ext4"))
                       data-0 data-1 data-2 data-3 data-4 data-5
                       %base-file-systems))
  (users (cons* user-0 user-1 user-2 user-3 %base-user-accounts))
  (packages (cons (specification->package "tmux") %base-packages))
  (services (append (list (service dhcp-client-service-type)
                          (service openssh-service-type))
                    %base-services)))
"""


def configuration(name: str) -> str:
    """A configuration of 200 lines of the machine `name`."""
    parts = ["(use-modules (gnu))\n(use-service-modules networking ssh)\n\n"]
    parts += [USER.format(number=number) for number in range(18)]
    parts += [FILE_SYSTEM.format(number=number) for number in range(6)]
    return "".join([*parts, SYSTEM.format(name=name)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kiln-bench-") as directory:
        work = Path(directory)
        same, changed = work / "same.scm", work / "changed.scm"
        same.write_text(configuration("same"))
        environment = {
            **{key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPATH": str(ROOT),
            "PYTHONPYCACHEPREFIX": str(work / "bytecode"),
            "XDG_CACHE_HOME": str(work / "cache"),
        }

        def run(*words: str | Path) -> None:
            subprocess.run(
                [sys.executable, "-c", *words],
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )

        actions: dict[str, Callable[[], None]] = {
            "python itself": partial(run, "pass"),
            "--version": partial(run, COMMAND, "--version"),
            "eval 1": partial(run, COMMAND, "eval", "1"),
            "200 lines, unchanged": partial(run, COMMAND, "eval", "-f", same),
            "200 lines, changed": partial(run, COMMAND, "eval", "-f", changed),
        }
        numbers = iter(range(options.rounds * len(actions) + 1))

        def before(name: str) -> None:
            changed.write_text(configuration(f"box{next(numbers)}"))

        before("")
        for action in actions.values():
            action()
        found = interleaved(actions, options.rounds, before=before)
    print(f"{'':22}{'least':>8}{'median':>8}   (ms of CPU, {options.rounds} rounds)")
    for name, series in found.items():
        print(f"{name:22}{min(series.cpus) * 1e3:8.1f}{series.cpu * 1e3:8.1f}")
    gates = [Gate(f"ms, {n}", min(found[n].cpus) * 1e3, most=most) for n, most in MOST.items()]
    python = min(found["python itself"].cpus)
    for name, most in MOST_TIMES.items():
        times = min(found[name].cpus) / python
        gates.append(Gate(f"times the start of Python itself, {name}", times, most=most))
    return 0 if judge(gates) else 1


if __name__ == "__main__":
    sys.exit(main())
