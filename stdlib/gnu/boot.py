"""(gnu boot): the boot loader's configuration, as text."""

from __future__ import annotations

from typing import Any, Literal

from builders.bootloaders.grub import (
    ChainEntry,
    FileSystem,
    LinuxEntry,
    Serial,
    Theme,
    early_cfg,
    grub_cfg,
    loader_cfg,
)
from lang.data import Symbol, python_list, scheme_list
from lang.runtime.library import Library

LIBRARY = Library("gnu", "boot")


def _terminals(value: Any) -> dict[str, Any]:
    """(inputs outputs unit speed), with symbols for the terminals, as grub_cfg has them."""
    inputs, outputs, unit, speed = python_list(value)
    reads = tuple(_name(each) for each in python_list(inputs))
    shows = tuple(name for name in map(_name, python_list(outputs)) if name != "gfxterm")
    serial = Serial(unit, speed) if "serial" in reads + shows else None
    return {"serial": serial, "inputs": reads, "outputs": shows}


def _name(value: Symbol) -> str:
    return value.name


def _entry(value: Any) -> LinuxEntry | ChainEntry:
    label, linux, initrd, arguments, chain, device = python_list(value)
    place = None
    if device is not False:
        kind, name = python_list(device)
        place = FileSystem(kind, name)
    if chain is not False:
        return ChainEntry(label, chain, place)
    return LinuxEntry(label, linux, tuple(python_list(arguments)), initrd or None, place)


@LIBRARY.procedure("grub-configuration")
def grub_configuration(
    entries: Any,
    default: int,
    timeout: int,
    terminals: Any,
    keymap: str | bool,
    font: str | bool,
    theme: Any,
) -> str:
    """The text of grub.cfg, beside the kernels.

    `entries` is a list of (label linux initrd arguments chain-loader device) lists, whose device is
    #f or a (kind name) list; `terminals` an (inputs outputs unit speed) list; `keymap` and `font`
    are paths or #f; `theme` is a (modes normal highlight background) list or #f.
    """
    look = None
    if theme is not False:
        modes, *rest = python_list(theme)
        look = Theme(tuple(python_list(modes)), *(None if each is False else each for each in rest))
    return grub_cfg(
        [_entry(entry) for entry in python_list(entries)],
        timeout=timeout,
        default=default,
        keymap=keymap if isinstance(keymap, str) else None,
        font=font if isinstance(font, str) else None,
        theme=look,
        **_terminals(terminals),
    )


@LIBRARY.procedure("grub-early-configuration")
def grub_early_configuration(
    kind: Literal["uuid", "label"], value: str, boot: str, terminals: Any
) -> str:
    """What GRUB's core runs first: it finds the root file system and its grub.cfg below `boot`.
    `terminals` is an (inputs outputs unit speed) list.
    """
    return early_cfg(FileSystem(kind, value), prefix=f"{boot}/grub", **_terminals(terminals))


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
