"""Benchmark: Kiln's Scheme beside calysto-scheme, the other one that runs in Python.

    python bench/schemes.py --calysto PYTHON [--rounds N] [--limit SECONDS]

PYTHON is an interpreter that can import calysto_scheme (PyPI; Kiln does not depend on it). Seven
small programs, the ones of Kiln's first measurements, then those of bench/lang that calysto-scheme
can run. Each runs in a process of its own for each implementation, in turn. calysto-scheme turns
some procedures into Python functions and interprets the others, so that its times lie far apart:
what counts is the geometric mean of the ratios of processor time. Exit status 1 if that is below
the gate, or if values differ.
"""

from __future__ import annotations

import argparse
import json
import select
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.timing import Gate, Series, judge

LEAST_FASTER: Final = 10.0
LANG: Final = Path(__file__).resolve().parent / "lang"
WORKER: Final = Path(__file__).resolve().parent / "scheme_worker.py"
ENOUGH: Final = 3.0
"""Seconds after which one run of a program says enough."""

SEVEN: Final = {
    "fib 25": (
        "(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))",
        "(fib 25)",
    ),
    "tak 18 12 6": (
        "(define (tak x y z) (if (not (< y x)) z"
        " (tak (tak (- x 1) y z) (tak (- y 1) z x) (tak (- z 1) x y))))",
        "(tak 18 12 6)",
    ),
    "nqueens 8": ((LANG / "nqueens.scm").read_text(), "(run)"),
    "strings, 20000 steps": (
        """(define (build i total)
             (if (= i 20000)
                 total
                 (build (+ i 1)
                        (+ total (string-length (string-append "k" (number->string i) "v"))))))""",
        "(build 0 0)",
    ),
    "loop, 1000000 turns": (
        "(define (count n) (let loop ((i 0) (sum 0)) (if (= i n) sum (loop (+ i 1) (+ sum i)))))",
        "(count 1000000)",
    ),
    "alists, 2000 x 50": (
        """(define (numbers n) (if (= n 0) '() (cons n (numbers (- n 1)))))
           (define (add items) (if (null? items) 0 (+ (car items) (add (cdr items)))))
           (define (once i)
             (let ((alist (map (lambda (n) (cons n (* n i))) (numbers 50))))
               (+ (cdr (assv 25 alist)) (add (map cdr alist)))))
           (define (repeat n total) (if (= n 0) total (repeat (- n 1) (+ total (once n)))))""",
        "(repeat 2000 0)",
    ),
    "even? and odd?, 100000": (
        """(define (ev? n) (if (= n 0) 1 (od? (- n 1))))
           (define (od? n) (if (= n 0) 0 (ev? (- n 1))))""",
        "(ev? 100000)",
    ),
}
OTHERS: Final = {
    file.stem: (file.read_text(), "(run)")
    for file in sorted(LANG.glob("*.scm"))
    if file.stem not in ("fib", "tak", "nqueens")
}


class Worker:
    """A process that evaluates Scheme."""

    def __init__(self, python: str, kind: str) -> None:
        self.process = subprocess.Popen(
            [python, WORKER, kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def evaluate(self, text: str, limit: float) -> tuple[float, str] | None:
        """Seconds of processor time and the value; None if there is none in time."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(text) + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], limit)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            return None
        seconds, value = json.loads(line)
        return seconds, value

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def compare(
    program: tuple[str, str], pythons: dict[str, str], rounds: int, limit: float
) -> tuple[dict[str, Series], set[str]]:
    """The runs of a program in each implementation, and its values.

    A run that takes longer than `limit` counts as taking that.
    """
    definitions, expression = program
    workers = {kind: Worker(python, kind) for kind, python in pythons.items()}
    found = {kind: Series(kind) for kind in workers}
    values = set()
    for worker in workers.values():
        worker.evaluate(definitions, limit)
    running = dict(workers)
    for _ in range(rounds):
        for kind, worker in list(running.items()):
            seconds, value = worker.evaluate(expression, limit) or (limit, None)
            found[kind].add(seconds, seconds)
            if value is not None:
                values.add(value)
            if seconds > ENOUGH:
                del running[kind]
    for worker in workers.values():
        worker.close()
    return found, values


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--calysto", required=True, metavar="PYTHON")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=120, metavar="SECONDS")
    options = parser.parse_args()
    pythons = {"kiln": sys.executable, "calysto": options.calysto}
    print(f"{'':24}{'kiln':>10}{'calysto':>12}{'calysto/kiln':>14}   (ms of CPU, medians)")
    gates = []
    ratios: list[float] = []
    status = 0
    for title, programs in (("the seven", SEVEN), ("all", OTHERS)):
        for name, program in programs.items():
            found, values = compare(program, pythons, options.rounds, options.limit)
            kiln, calysto = found["kiln"].cpu, found["calysto"].cpu
            row = f"{name:24}{kiln * 1e3:10.2f}"
            if any("exception" in value for value in values):
                print(f"{row}   calysto-scheme cannot run it")
                continue
            ratios.append(calysto / kiln)
            note = "   out of time" if calysto >= options.limit else ""
            if len(values) > 1:
                note += f"   the values differ: {sorted(values)}"
                status = 1
            print(f"{row}{calysto * 1e3:12.2f}{ratios[-1]:14.1f}{note}", flush=True)
        mean = statistics.geometric_mean(ratios)
        gates.append(Gate(f"times faster, geometric mean, {title}", mean, least=LEAST_FASTER))
    return status if judge(gates) else 1


if __name__ == "__main__":
    sys.exit(main())
