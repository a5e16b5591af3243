"""(gnu boot): the boot loader's configuration, as text."""

from __future__ import annotations

import re
from typing import Any

from builders.bootloaders.grub import FileSystem, LinuxEntry, Serial, early_cfg, grub_cfg
from lang.data import iterate, python_list
from lang.runtime.library import Library

LIBRARY = Library("gnu", "boot")


def _serial(wanted: bool, unit: int, speed: int) -> Serial | None:
    return Serial(unit, speed) if wanted else None


@LIBRARY.procedure("grub-configuration")
def grub_configuration(
    entries: Any, root_uuid: str, default: int, timeout: int, serial: bool, unit: int, speed: int
) -> str:
    """The text of grub.cfg. `entries` is a list of (label linux initrd arguments) lists."""
    menu = []
    for entry in iterate(entries):
        label, linux, initrd, arguments = python_list(entry)
        menu.append(LinuxEntry(label, linux, tuple(python_list(arguments)), initrd or None))
    return grub_cfg(
        menu,
        root=FileSystem("uuid", root_uuid),
        timeout=timeout,
        default=default,
        serial=_serial(serial, unit, speed),
    )


@LIBRARY.procedure("grub-early-configuration")
def grub_early_configuration(root_uuid: str, serial: bool, unit: int, speed: int) -> str:
    """What GRUB's core runs first: it finds the root file system and its grub.cfg."""
    return early_cfg(FileSystem("uuid", root_uuid), serial=_serial(serial, unit, speed))


@LIBRARY.procedure("string-match?")
def string_match(pattern: str, text: str) -> bool:
    """Does the regular expression `pattern` match somewhere in `text`?"""
    return re.search(pattern, text) is not None
