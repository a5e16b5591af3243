"""What GNU Guix has and Kiln has not: why, and what there is instead, for messages of errors."""

from __future__ import annotations

from typing import Final

_DEBIAN: Final = 'packages are Debian\'s: (specification->package "NAME") is any of them'
_RECORDS: Final = "define-record-type* of (guix records) defines records with defaults"
_UNITS: Final = "a systemd unit of your own is added through systemd-service-type"

MODULES: Final[dict[tuple[str, ...], tuple[str, str]]] = {
    ("gnu", "services"): ("few of Guix's services are here", _UNITS),
    ("gnu", "packages"): ("few packages have variables", _DEBIAN),
    ("gnu", "system"): ("it is a part of Guix System that is not here", "leave it out"),
    ("gnu", "home"): ("it declares systems, no home directories", "leave it out"),
    ("gnu", "machine"): ("it makes images and deploys to no machines", "leave it out"),
    ("gnu", "tests"): ("it has tests of its own", "kiln run starts an image in QEMU"),
    ("gnu", "artwork"): ("it has no pictures", "name a file of yours by local-file"),
    ("guix",): ("it does not define or build packages as Guix does", _DEBIAN),
    ("nongnu",): ("channels of Guix do not apply", "linux is Debian's kernel; " + _DEBIAN),
    ("nonguix",): ("channels of Guix do not apply", "linux is Debian's kernel; " + _DEBIAN),
    ("shepherd",): ("systemd starts services", _UNITS),
    ("mcron",): ("systemd starts services", "write a timer unit: " + _UNITS),
}
"""By the name of a module or what it begins with: why, and a hint."""

NAMES: Final[dict[str, str]] = {
    "%desktop-services": f"there is no desktop: start from %base-services; {_UNITS}",
    "%mdns-host-lookup-nss": "Debian's libnss packages set up the lookup of names: leave it out",
    "name-service-switch": "Debian's libnss packages set up the lookup of names: leave it out",
    "define-configuration": _RECORDS,
    "define-configuration/no-serialization": _RECORDS,
    "shepherd-root-service-type": f"systemd starts services here: {_UNITS}",
    "shepherd-service": "systemd starts services here: systemd-unit is the record",
    "guix-service-type": "images hold no Guix: leave it out",
    "guix-configuration": "images hold no Guix: leave it out",
    "nss-certs": 'write (specification->package "ca-certificates")',
    "mcron-service-type": f"write a systemd timer: {_UNITS}",
    "specification->package+output": "Debian's packages have one output: specification->package",
    "packages->manifest": "there are no manifests: name packages in the field packages",
    "specifications->manifest": "there are no manifests: name packages in the field packages",
    "package": _DEBIAN,
}
"""By the name of a variable or a field: what there is instead."""
