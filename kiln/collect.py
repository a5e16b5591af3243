"""Remove from the store what no saved result needs."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("-n", "--dry-run", action="store_true", help="say what would be removed")
    parser.add_argument(
        "--verify", action="store_true", help="check that every item is as it was made; remove none"
    )


def run(arguments: argparse.Namespace) -> int:
    """Collect garbage, or verify."""
    from builders.store import Store

    with Store() as store:
        if arguments.verify:
            damage = store.verify()
            for one in damage:
                print(one)
            print(f"{len(store.paths())} items, {len(damage)} damaged")
            return 1 if damage else 0
        collected = store.collect_garbage(dry_run=arguments.dry_run)
    word = "would be removed" if arguments.dry_run else "removed"
    print(f"{len(collected.paths)} items {word}, {collected.freed / 1e6:.1f} MB")
    return 0
