"""Make an image of each operating-system declaration, and print where it is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiln import options, workspace

if TYPE_CHECKING:
    from builders.derivation import Derivation
    from lang.session import Session

IMAGE_MODULE = ("gnu", "system", "image")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="a declaration to make an image of"
    )
    parser.add_argument("-e", "--expression", metavar="EXPR", help="the declaration itself")
    parser.add_argument(
        "-t", "--image-type", metavar="TYPE", default="mbr-raw", help="what kind of image to make"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="copy the image to FILE")
    parser.add_argument("--image-size", metavar="SIZE", help="the size of the image: 4G, 800M…")
    parser.add_argument("--label", help="the label of the root file system")
    parser.add_argument(
        "--volatile", action="store_true", help="lose at power-off what is written to the root"
    )
    parser.add_argument(
        "--compress", choices=["gzip", "zstd", "xz"], help="compress the image, all cores at work"
    )
    parser.add_argument(
        "--list-image-types", action="store_true", help="list the kinds of images, and end"
    )
    parser.add_argument(
        "-d", "--derivation", action="store_true", help="print the derivation, build nothing"
    )
    options.add_building(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, lower, realise; the last line of output is the path of the last image."""
    from kiln.realising import copy_out

    if arguments.list_image_types:
        return _list_types(workspace.open_session(options.load_path(arguments)))
    options.check_inputs(arguments)
    results = build(arguments)
    if results and arguments.output:
        copy_out(Path(results[0]), Path(arguments.output))
        results = [arguments.output]
    for result in results:
        print(result)
    return 0


def build(arguments: argparse.Namespace) -> list[str]:
    """Where the images are; none with -d and -n, which say what would be built instead."""
    from kiln.progress import shown
    from kiln.realising import dry_run, realise

    session = workspace.open_session(options.load_path(arguments))
    values = options.evaluated(session, arguments)
    with (
        shown(options.style(arguments), verbose=arguments.verbose) as events,
        workspace.workspace(events) as store,
    ):
        derivations = [_lower(session, value, arguments) for value in values]
        if arguments.derivation:
            _print_derivations(derivations)
            return []
        if arguments.dry_run:
            dry_run(derivations, store)
            return []
        return [str(store.real(path)) for path in realise(derivations, store, events, arguments)]


def _print_derivations(derivations: list[Derivation]) -> None:
    for derivation in derivations:
        print(derivation.path)
        print(derivation.serialise().decode())


def _list_types(session: Session) -> int:
    def types() -> list[tuple[str, str]]:
        from lang.data import iterate
        from lang.runtime.trampoline import call

        name = session.value(("gnu", "image"), "image-type-name")
        about = session.value(("gnu", "image"), "image-type-description")
        return [
            (call(name, one).name, str(call(about, one)))
            for one in iterate(session.value(IMAGE_MODULE, "%image-types"))
        ]

    for name, about in workspace.evaluate(session, types):
        print(f"{name:<20} {about}")
    return 0


def _lower(session: Session, value: Any, arguments: argparse.Namespace) -> Derivation:
    from lang.data import keyword, symbol
    from lang.runtime.trampoline import call

    def lower() -> Any:
        make = session.value(IMAGE_MODULE, "declaration->image")
        size: Any = options.size(arguments.image_size) if arguments.image_size else False
        image = call(
            make,
            value,
            keyword("type"),
            symbol(arguments.image_type),
            keyword("size"),
            size,
            keyword("label"),
            arguments.label or False,
            keyword("volatile?"),
            arguments.volatile,
            keyword("compression"),
            symbol(arguments.compress) if arguments.compress else False,
        )
        return call(session.value(IMAGE_MODULE, "system-image"), image)

    derivation: Derivation = workspace.evaluate(session, lower)
    return derivation
