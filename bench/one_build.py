"""What is measured of Kiln: one builder at work, in a process like those of Kiln's workers.

It is started as they are, imports what the builder needs and nothing of the benchmarks, has
compiled modules as users have, and ends as they do, without taking Python apart.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from builders.registry import Build


def build(
    module: str, function: str, arguments: Mapping[str, Any], store: Path, output: Path
) -> int:
    """Build in a process of its own; how many bytes it gave the kernel to write (proc(5))."""
    import subprocess

    from builders import interpreter

    words = (module, function, json.dumps(arguments), str(store), str(output))
    done = subprocess.run(
        interpreter.command("bench.one_build", *words),
        env=interpreter.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{module}.{function} failed: {done.stderr[-1000:]}")
    return int(done.stdout)


def main() -> None:
    """The process: what `build` gave as arguments."""
    module, function, arguments, store, output = sys.argv[1:]
    scratch = Path(f"{output}.scratch")
    scratch.mkdir()
    getattr(importlib.import_module(module), function)(
        Build(
            name="measured",
            arguments=json.loads(arguments),
            output=Path(output),
            scratch=scratch,
            store=Path(store),
        )
    )
    figures = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    print(figures["wchar"], flush=True)
    os._exit(0)
