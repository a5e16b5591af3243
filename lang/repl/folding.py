"""Lines that are too long for a terminal, broken between words."""

from __future__ import annotations

import re
import textwrap
from typing import Final

_COLUMNS: Final = re.compile(r"\s*\S.*?\s{2,}(?=\S)")
"""A line's first column, in an answer that has two."""


def folded(text: str, width: int) -> str:
    """`text` with lines of at most `width` columns where that can be; what is carried over stands
    below the second column of a table, and a little to the right in other lines."""
    return "\n".join(_folded(line, width) for line in text.split("\n"))


def _folded(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    first = _COLUMNS.match(line)
    table = first is not None and first.end() <= width // 2
    # the spaces between columns are kept: only what follows them is folded
    start = first.end() if first is not None and table else 0
    lines = textwrap.wrap(
        line[start:],
        width,
        initial_indent=" " * start,
        subsequent_indent=" " * (start or len(line) - len(line.lstrip()) + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join([line[:start] + lines[0][start:], *lines[1:]])
