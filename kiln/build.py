"""Build a file-like object, a derivation or an image, and print where it is."""

from __future__ import annotations

import argparse
from functools import partial

from kiln import options, workspace


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="a file that ends in the object")
    parser.add_argument("-e", "--expression", metavar="EXPR", help="the object itself")
    options.add_building(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, lower, realise; prints a path for each object."""
    from kiln.lowering import lower
    from kiln.progress import shown
    from kiln.realising import dry_run, print_derivations, realise

    options.check_inputs(arguments)
    session = workspace.open_session(options.load_path(arguments))
    values = options.evaluated(session, arguments)
    with (
        shown(options.style(arguments), verbose=arguments.verbose) as events,
        workspace.workspace(events) as store,
    ):
        results = [workspace.evaluate(session, partial(lower, session, one)) for one in values]
        derivations = [one for result in results for one in result.derivations]
        if arguments.derivation:
            print_derivations(derivations)
            return 0
        if arguments.dry_run:
            return dry_run(derivations, store)
        realise(derivations, store, events, arguments)
        paths = [str(store.real(result.path)) for result in results]
    print("\n".join(paths))
    return 0
