"""Build a file-like object, a derivation or an image, and print where it is."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from kiln import options, workspace


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="a file that ends in the object")
    parser.add_argument("-e", "--expression", metavar="EXPR", help="the object itself")
    options.add_building(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, lower, realise; prints a path for each object."""
    from builders.derivation import Derivation
    from builders.errors import BuilderError
    from kiln.progress import shown
    from kiln.realising import dry_run, realise
    from lang.data import python_list
    from lang.runtime.trampoline import call

    options.check_inputs(arguments)
    session = workspace.open_session(options.load_path(arguments))
    values = [workspace.evaluate_file(session, name) for name in arguments.files]
    if arguments.expression is not None:
        values.append(options.evaluate_expression(session, arguments.expression))
    with (
        shown(options.style(arguments), verbose=arguments.verbose) as events,
        workspace.workspace(events) as store,
    ):
        lower = session.value(("guix", "gexp"), "lower-object")
        value_of = session.value(("guix", "gexp"), "lowered-value")
        inputs_of = session.value(("guix", "gexp"), "lowered-inputs")

        def lowered(value: Any) -> tuple[Any, list[Any]]:
            result = call(lower, value)
            return call(value_of, result), python_list(call(inputs_of, result))

        results = [workspace.evaluate(session, partial(lowered, value)) for value in values]
        for path, _ in results:
            if not isinstance(path, str) or not path.startswith("/"):
                raise BuilderError(
                    f"{path!r} cannot be built",
                    hint="build a file-like object, such as (computed-file …), or a derivation",
                )
        derivations = [one for _, inputs in results for one in inputs]
        derivations = [one for one in derivations if isinstance(one, Derivation)]
        if arguments.dry_run:
            return dry_run(derivations, store)
        realise(derivations, store, events, arguments)
        paths = [str(store.real(path)) for path, _ in results]
    print("\n".join(paths))
    return 0
