"""(gnu debian): Debian's archive, as Scheme sees it.

Evaluating a configuration looks nothing up in there: what does is imported when that begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from builders.errors import BuilderError
from lang.data import iterate, python_list, scheme_list
from lang.errors import SchemeError
from lang.runtime.condition_types import (
    ERROR,
    ERROR_LOCATION,
    FIX_HINT,
    MESSAGE,
    Component,
    Condition,
)
from lang.runtime.library import Library
from lang.runtime.trampoline import several, tail_calling
from lang.sources import Location
from stdlib.context import current

if TYPE_CHECKING:
    from builders.debian.index import Index, Package
    from builders.derivation import Derivation

LIBRARY = Library("gnu", "debian")

PROVIDED_BY_KILN = frozenset({"linux-initramfs-tool"})
"""Virtual packages whose work Kiln does itself: it makes the initrd."""


def _fail(message: str, hint: str | None, location: object) -> NoReturn:
    parts = [Component(ERROR), Component(MESSAGE, (message,))]
    if hint:
        parts.append(Component(FIX_HINT, (hint,)))
    if isinstance(location, Location):
        parts.append(Component(ERROR_LOCATION, (location,)))
    raise SchemeError(Condition(*parts))


def _requests(requests: Any) -> dict[str, tuple[object, object]]:
    """(name version location) lists as name -> (version or False, location)."""
    found: dict[str, tuple[object, object]] = {}
    for request in iterate(requests):
        name, version, location = python_list(request)
        found.setdefault(name, (version, location))
    return found


def _resolve(requests: Any, *, essential: bool) -> tuple[Package, ...]:
    from builders.debian.resolver import UnknownPackage, resolve

    wanted = _requests(requests)
    index = current().index
    for name, (version, location) in wanted.items():
        _check_version(index, name, version, location)
    try:
        return resolve(index, sorted(wanted), essential=essential, satisfied=PROVIDED_BY_KILN)
    except UnknownPackage as error:
        _fail(error.message, error.hint, wanted.get(error.name, (None, None))[1])
    except BuilderError as error:
        location = next((loc for name, (_, loc) in wanted.items() if name in error.message), None)
        _fail(error.message, error.hint, location)


def _check_version(index: Index, name: str, version: object, location: object) -> None:
    if version is False:
        return
    best = index.best(name)
    if best is not None and best.version != version:
        _fail(
            f"package {name} is not to be had in version {version}",
            f"the archive has {best.version}",
            location,
        )


@LIBRARY.procedure("debian-root")
@tail_calling
def debian_root(requests: Any) -> Any:
    """The configured root of the packages in `requests`, (name version location) lists.

    Two values: the derivation, and the sorted names of all packages in it.
    """
    from builders.debian import root

    packages = _resolve(requests, essential=True)
    derivation = root.root_derivation(
        packages, (), date=current().index.date, provided=sorted(PROVIDED_BY_KILN)
    )
    return several((derivation, scheme_list(sorted(package.name for package in packages))))


@LIBRARY.procedure("native-derivation")
def native_derivation(requests: Any) -> Derivation:
    """A store item of the packages in `requests` and what they need, for builds to run."""
    from builders.debian import native

    wanted = {name: version for name, (version, _) in _requests(requests).items()}
    names = sorted(wanted)
    natives = current().natives
    key = tuple((name, wanted[name]) for name in names)
    found = natives.get(key)
    if found is None:
        packages = _resolve(requests, essential=False)
        found = natives[key] = native.native_derivation(packages, (), "-".join(names))
    return found


@LIBRARY.procedure("unpacked-package")
def unpacked_package(request: Any) -> Derivation:
    """The unpacked .deb of one (name version location) request, without what it depends on."""
    from builders.debian import deb
    from builders.debian.resolver import UnknownPackage

    name, version, location = python_list(request)
    index = current().index
    _check_version(index, name, version, location)
    package = index.best(name)
    if package is None:
        error = UnknownPackage(name, index.nearest(name))
        _fail(error.message, error.hint, location)
    return deb.unpack_derivation(package)
