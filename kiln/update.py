"""Fetch Debian's newest package lists; until then images are made of those of the last time."""

from __future__ import annotations

import argparse

from kiln import options, workspace


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.add_display(parser)


def run(arguments: argparse.Namespace) -> int:
    """Fetch, verify, compile; prints what there is now."""
    from datetime import UTC, datetime

    from kiln.progress import shown

    with shown(options.style(arguments), verbose=arguments.verbose) as events:
        index = workspace.open_index(events, update=True)
    day = datetime.fromtimestamp(index.date, UTC).strftime("%Y-%m-%d %H:%M")
    print(f"{len(index.names())} packages, as of {day} UTC")
    return 0
