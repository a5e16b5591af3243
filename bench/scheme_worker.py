"""Evaluates Scheme for bench/schemes.py: `scheme_worker.py kiln` or `scheme_worker.py calysto`.

A line of JSON holds a text of Scheme; the answer is [seconds of processor time, value as text].
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def kiln() -> Callable[[str], object]:
    """Kiln's evaluator."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from lang.printer import write
    from lang.session import Session

    session = Session([Path(__file__).resolve().parent.parent / "stdlib"])
    module = session.user_module()
    return lambda text: write(session.eval_text(text, module=module))


def calysto() -> Callable[[str], object]:
    """calysto_scheme's evaluator."""
    from calysto_scheme import scheme  # type: ignore[import-not-found,unused-ignore]

    evaluate: Callable[[str], object] = scheme.execute_string_rm
    return evaluate


def main() -> None:
    evaluate = {"kiln": kiln, "calysto": calysto}[sys.argv[1]]()
    for line in sys.stdin:
        text = json.loads(line)
        start = time.process_time()
        value = evaluate(text)
        print(json.dumps([time.process_time() - start, str(value)]), flush=True)


if __name__ == "__main__":
    main()
