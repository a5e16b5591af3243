"""(gnu boot): the boot loader's configuration, as text."""

from __future__ import annotations

from typing import Any, Literal

from builders.bootloaders.grub import (
    FileSystem,
    LinuxEntry,
    Serial,
    early_cfg,
    grub_cfg,
    loader_cfg,
)
from lang.data import iterate, python_list, scheme_list
from lang.runtime.library import Library

LIBRARY = Library("gnu", "boot")


def _serial(wanted: bool, unit: int, speed: int) -> Serial | None:
    return Serial(unit, speed) if wanted else None


@LIBRARY.procedure("grub-configuration")
def grub_configuration(
    entries: Any,
    default: int,
    timeout: int,
    serial: bool,
    unit: int,
    speed: int,
    keymap: str | bool,
) -> str:
    """The text of grub.cfg, beside the kernels. `entries` is a list of (label linux initrd
    arguments) lists.
    """
    menu = []
    for entry in iterate(entries):
        label, linux, initrd, arguments = python_list(entry)
        menu.append(LinuxEntry(label, linux, tuple(python_list(arguments)), initrd or None))
    return grub_cfg(
        menu,
        timeout=timeout,
        default=default,
        serial=_serial(serial, unit, speed),
        keymap=keymap if isinstance(keymap, str) else None,
    )


@LIBRARY.procedure("grub-early-configuration")
def grub_early_configuration(
    kind: Literal["uuid", "label"], value: str, boot: str, serial: bool, unit: int, speed: int
) -> str:
    """What GRUB's core runs first: it finds the root file system and its grub.cfg below `boot`."""
    serial_line = _serial(serial, unit, speed)
    return early_cfg(FileSystem(kind, value), prefix=f"{boot}/grub", serial=serial_line)


@LIBRARY.procedure("grub-loader-configuration")
def grub_loader_configuration(kind: Literal["uuid", "label"], value: str, boot: str) -> str:
    """What a GRUB on an EFI system partition reads: it goes on to the root's, below `boot`."""
    return loader_cfg(FileSystem(kind, value), prefix=f"{boot}/grub")


@LIBRARY.procedure("grub-bios-modules")
def grub_bios_modules(file_system: str) -> Any:
    """The modules of a core that reads this root file system, or null for the usual ones."""
    from builders.bootloaders.grub import BIOS_MODULES

    if file_system == "btrfs":
        return [*BIOS_MODULES, "btrfs"]
    return None


@LIBRARY.procedure("grub-keymap-packages")
def grub_keymap_packages() -> Any:
    """The names of the packages that make GRUB's keyboard layouts."""
    from builders.bootloaders.grub_keymap import PACKAGES

    return scheme_list(PACKAGES)
