"""Benchmark: programs of Gabriel's kind in Kiln, in Python by hand, and in Guile, in one run.

    python bench/lang.py [--rounds N] [PROGRAM ...]

Each bench/lang/NAME.scm defines (run); NAME.py is the same algorithm as a Python programmer writes
it, with tuples or slotted objects for pairs. All give the same number. What counts are the
medians of processor time. Exit status 1 if a result differs, or if a program of
Kiln's takes more than MOST_SLOWER times as long as Python's.
"""

from __future__ import annotations

import argparse
import gc
import runpy
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lang.deep import run_deep
from lang.runtime.trampoline import call
from lang.session import Session

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "lang"
MOST_SLOWER = 2.5
GUILE = """
(define (measure rounds)
  (define result (run))
  (let loop ((i 0))
    (when (< i rounds)
      (let ((start (get-internal-run-time)))
        (run)
        (display (* 1000. (/ (- (get-internal-run-time) start) internal-time-units-per-second)))
        (newline)
        (loop (+ i 1)))))
  (write result))
"""


def timed(function: Callable[[], object]) -> tuple[float, object]:
    """How many milliseconds of processor time `function` takes, and its value."""
    start = time.thread_time()
    result = function()
    return (time.thread_time() - start) * 1000, result


def guile(file: Path, *, compiled: bool, rounds: int) -> tuple[list[float], str]:
    """Milliseconds of each round in Guile, compiled with -O2 or interpreted, and the result."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "program.scm"
        source.write_text(file.read_text() + GUILE)
        if compiled:
            target = Path(scratch) / "program.go"
            load = (
                f'(use-modules (system base compile)) (load-compiled (compile-file "{source}"'
                f' #:output-file "{target}" #:optimization-level 2))'
            )
        else:
            load = f'(load "{source}")'
        text = f"{load} (measure {rounds})"
        done = subprocess.run(
            ["guile", "--no-auto-compile", "-c", text], check=True, capture_output=True, text=True
        )
    *times, result = done.stdout.split()
    return [float(line) for line in times], result


def measure(name: str, rounds: int) -> dict[str, tuple[float, str]]:
    """Median milliseconds and result of each implementation."""
    session = Session([HERE.parent / "stdlib"])
    module = session.user_module()
    session.eval_text((PROGRAMS / f"{name}.scm").read_text(), f"{name}.scm", module)
    scheme = session.eval_text("run", module=module)
    python = runpy.run_path(str(PROGRAMS / f"{name}.py"))["run"]
    contenders: dict[str, Callable[[], object]] = {"kiln": lambda: call(scheme), "python": python}
    times: dict[str, list[float]] = {who: [] for who in contenders}
    results: dict[str, object] = {}

    def rounds_of_both() -> None:
        for who, run in contenders.items():
            results[who] = run()
        for _ in range(rounds):
            for who, run in contenders.items():
                gc.collect()
                elapsed, _ = timed(run)
                times[who].append(elapsed)

    run_deep(rounds_of_both)
    found = {who: (statistics.median(times[who]), str(results[who])) for who in contenders}
    if shutil.which("guile"):
        for who, compiled in (("guile -O2", True), ("guile interp.", False)):
            elapsed, result = guile(PROGRAMS / f"{name}.scm", compiled=compiled, rounds=rounds)
            found[who] = (statistics.median(elapsed), result)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("programs", nargs="*", help="names of bench/lang/*.scm; default: all")
    options = parser.parse_args()
    names = options.programs or sorted(file.stem for file in PROGRAMS.glob("*.scm"))
    print(f"{'':10}{'kiln':>9}{'python':>9}{'guile -O2':>11}{'interp.':>9}", end="")
    print(f"{'kiln/py':>9}{'kiln/-O2':>10}{'kiln/int.':>10}   (ms, medians)")
    status = 0
    ratios = []
    for name in names:
        found = measure(name, options.rounds)
        if len({result for _, result in found.values()}) != 1:
            print(f"{name}: the results differ: {found}")
            status = 1
        median = {who: milliseconds for who, (milliseconds, _) in found.items()}
        o2, interpreted = median.get("guile -O2"), median.get("guile interp.")
        ratio = median["kiln"] / median["python"]
        ratios.append(ratio)
        row = f"{name:10}{median['kiln']:9.2f}{median['python']:9.2f}"
        if o2 and interpreted:
            row += f"{o2:11.2f}{interpreted:9.2f}{ratio:9.2f}"
            row += f"{median['kiln'] / o2:10.1f}{median['kiln'] / interpreted:10.2f}"
        else:
            row += f"{'':20}{ratio:9.2f}"
        late = ratio > MOST_SLOWER
        print(row + ("   missed" if late else ""), flush=True)
        status |= late
    print(f"geometric mean of kiln/python: {statistics.geometric_mean(ratios):.2f}")
    return status


if __name__ == "__main__":
    sys.exit(main())
