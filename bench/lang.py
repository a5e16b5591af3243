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
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.timing import Gate, Series, interleaved, judge, thread_cpu
from lang.deep import run_deep
from lang.runtime.trampoline import call
from lang.session import Session

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "lang"
MOST_SLOWER = 2.5
KILN, PYTHON, GUILE_O2, GUILE_INTERPRETED = "kiln", "python", "guile -O2", "interp."
MEASURE = """
(define (measure rounds)
  (define result (run))
  (let loop ((i 0))
    (when (< i rounds)
      (let ((start (get-internal-run-time)))
        (run)
        (display (/ (- (get-internal-run-time) start) 1. internal-time-units-per-second))
        (newline)
        (loop (+ i 1)))))
  (write result))
"""


def guile(file: Path, *, compiled: bool, rounds: int) -> tuple[Series, str]:
    """The rounds in Guile, compiled with -O2 or interpreted, and the result."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "program.scm"
        source.write_text(file.read_text() + MEASURE)
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
    series = Series(GUILE_O2 if compiled else GUILE_INTERPRETED)
    for line in times:
        series.add(float(line), float(line))
    return series, result


def measure(name: str, rounds: int) -> tuple[dict[str, Series], set[str]]:
    """The rounds of each implementation, and the results that they give."""
    session = Session([HERE.parent / "stdlib"])
    module = session.user_module()
    session.eval_text((PROGRAMS / f"{name}.scm").read_text(), f"{name}.scm", module)
    scheme: Any = session.eval_text("run", module=module)
    python = runpy.run_path(str(PROGRAMS / f"{name}.py"))["run"]
    contenders: dict[str, Callable[[], object]] = {KILN: lambda: call(scheme), PYTHON: python}

    def rounds_of_both() -> tuple[dict[str, Series], set[str]]:
        results = {str(run()) for run in contenders.values()}
        series = interleaved(contenders, rounds, clock=thread_cpu, before=lambda name: gc.collect())
        return series, results

    found, results = run_deep(rounds_of_both)
    if shutil.which("guile"):
        for compiled in (True, False):
            series, result = guile(PROGRAMS / f"{name}.scm", compiled=compiled, rounds=rounds)
            found[series.name] = series
            results.add(result)
    return found, results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("programs", nargs="*", help="names of bench/lang/*.scm; default: all")
    options = parser.parse_args()
    names = options.programs or sorted(file.stem for file in PROGRAMS.glob("*.scm"))
    columns = [KILN, PYTHON, *((GUILE_O2, GUILE_INTERPRETED) if shutil.which("guile") else ())]
    print(f"{'':10}" + "".join(f"{who:>10}" for who in columns), end=" ")
    print("".join(f"{'kiln/' + who:>15}" for who in columns[1:]) + "   (ms, medians)")
    differing = []
    ratios = {}
    for name in names:
        found, results = measure(name, options.rounds)
        if len(results) != 1:
            differing.append(name)
        kiln = found[KILN].cpu
        times = "".join(f"{found[who].cpu * 1000:10.2f}" for who in columns)
        against = "".join(f"{kiln / found[who].cpu:15.2f}" for who in columns[1:])
        print(f"{name:10}{times} {against}", flush=True)
        ratios[name] = kiln / found[PYTHON].cpu
    print(f"geometric mean of kiln/python: {statistics.geometric_mean(ratios.values()):.2f}")
    for name in differing:
        print(f"{name}: the results differ")
    what = "times the time of Python by hand"
    reached = judge([Gate(f"{n}, {what}", r, most=MOST_SLOWER) for n, r in ratios.items()])
    return 0 if reached and not differing else 1


if __name__ == "__main__":
    sys.exit(main())
