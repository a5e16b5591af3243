"""Make an image of each operating-system declaration, and print where it is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiln import options, workspace
from kiln.errors import UsageError

if TYPE_CHECKING:
    from builders.derivation import Derivation
    from builders.job import BuildFailed
    from lang.session import Session

IMAGE_MODULE = ("gnu", "system", "image")
_IS_IMAGE = (("gnu", "image"), "image?")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="a declaration to make an image of"
    )
    parser.add_argument("-e", "--expression", metavar="EXPR", help="the declaration itself")
    parser.add_argument(
        "-t",
        "--image-type",
        metavar="TYPE",
        help="what kind of image to make of an operating system, one of your file's own, too"
        " (default: mbr-raw)",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="copy the image to FILE; - is the standard output"
    )
    parser.add_argument(
        "--image-size", metavar="SIZE", help="4G, 800M… (default: as large as what is in it needs)"
    )
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
    options.add_building(parser)
    parser.epilog = """examples:
  kiln image os.scm                        a disk for a BIOS; prints where it is
  kiln image -t qcow2 -o vm.qcow2 os.scm   a file of your own, for a virtual machine
  kiln image -t iso9660 -o live.iso os.scm
  kiln image -n os.scm                     what would be fetched and built"""


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, lower, realise; the last line of output is the path of the last image."""
    from kiln import targets

    if arguments.list_image_types:
        return _list_types(workspace.open_session(options.load_path(arguments)))
    options.check_inputs(arguments)
    results = build(arguments)
    if results and arguments.output is not None:
        targets.copy_out(Path(results[0]), arguments.output)
        results = [arguments.output] if arguments.output != targets.STANDARD_OUTPUT else []
    for result in results:
        print(result)
    return 0


def build(arguments: argparse.Namespace, default_type: str = "mbr-raw") -> list[str]:
    """Where the images are; none with -d and -n, which say what would be built instead."""
    from kiln.progress import shown
    from kiln.realising import dry_run, print_derivations, realise

    if arguments.image_size is not None:
        options.size(arguments.image_size)
    if arguments.label == "":
        raise UsageError("--label needs a text")
    session = workspace.open_session(options.load_path(arguments))
    values = options.evaluated(session, arguments)
    kind = _image_type(session, arguments.image_type or default_type)
    with (
        shown(options.style(arguments), verbose=arguments.verbose) as events,
        workspace.workspace(events) as store,
    ):
        derivations = [_lower(session, value, arguments, kind) for value in values]
        if arguments.derivation:
            print_derivations(derivations)
            return []
        if arguments.dry_run:
            dry_run(derivations, store)
            return []

        from builders.job import BuildFailed

        try:
            paths = realise(derivations, store, events, arguments)
        except BuildFailed as error:
            if arguments.image_size is not None:
                _blame_size(error)
            raise
        return [str(store.real(path)) for path in paths]


def _blame_size(error: BuildFailed) -> None:
    """Let errors that the size of an image causes name the option, not a place in a file."""
    for each in (error, *error.others):
        if each.field == "size" and not each.part:
            each.part = each.field = None
            each.message = f"--image-size: {each.message}"


def _list_types(session: Session) -> int:
    for name, about in _types(session).items():
        print(f"{name:<20} {about}")
    return 0


def _types(session: Session) -> dict[str, str]:
    """What each type of image is, by its name."""

    def types() -> dict[str, str]:
        from lang.data import iterate
        from lang.runtime.trampoline import call

        name = session.value(("gnu", "image"), "image-type-name")
        about = session.value(("gnu", "image"), "image-type-description")
        return {
            call(name, one).name: str(call(about, one))
            for one in iterate(session.value(IMAGE_MODULE, "%image-types"))
        }

    return workspace.evaluate(session, types)


def _image_type(session: Session, name: str) -> object:
    """The type of images called `name`: one of Kiln's, or one that a file of the user's defines.

    Raises UsageError, with what may have been meant, if there is no such type.
    """

    def known() -> dict[str, object]:
        from lang.data import iterate
        from lang.runtime.trampoline import call

        is_type, name_of = (
            session.value(("gnu", "image"), one) for one in ("image-type?", "image-type-name")
        )
        own = (one for one in session.defined_values() if call(is_type, one) is True)
        return {
            call(name_of, one).name: one
            for one in (*iterate(session.value(IMAGE_MODULE, "%image-types")), *own)
        }

    types = workspace.evaluate(session, known)
    if name not in types:
        from difflib import get_close_matches

        near = get_close_matches(name, types, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(types)}"
        raise UsageError(f"there is no image type {name}", hint=hint)
    return types[name]


def _lower(
    session: Session, value: Any, arguments: argparse.Namespace, image_type: object
) -> Derivation:
    from lang.data import keyword, symbol
    from lang.runtime.trampoline import call

    def lower() -> Any:
        make = session.value(IMAGE_MODULE, "declaration->derivation")
        size: Any = options.size(arguments.image_size) if arguments.image_size else False
        if arguments.image_type is not None and call(session.value(*_IS_IMAGE), value) is True:
            raise UsageError(
                "the declaration is an image already: -t does not change what kind of image it is",
                hint="leave -t away, or end the file in an operating-system",
            )
        return call(
            make,
            value,
            keyword("type"),
            image_type,
            keyword("size"),
            size,
            keyword("label"),
            arguments.label or False,
            keyword("volatile?"),
            arguments.volatile,
            keyword("compression"),
            symbol(arguments.compress) if arguments.compress else False,
        )

    derivation: Derivation = workspace.evaluate(session, lower)
    return derivation
