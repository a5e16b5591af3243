"""GRUB for a BIOS that starts from an ISO: on a CD through El Torito, on a stick as from a disk."""

from __future__ import annotations

from builders.bootloaders.grub import make_core
from builders.registry import Build, builder

CORE_MODULES = (
    *("biosdisk", "iso9660", "part_gpt", "part_msdos", "search", "search_label", "search_fs_file"),
    *("normal", "configfile", "linux", "serial", "terminal", "echo", "test", "sleep", "reboot"),
    *("halt", "ls", "cat", "help", "keylayouts", "at_keyboard"),
    *("font", "gfxterm", "vbe", "gfxterm_background", "png"),
)
"""What GRUB's core for a BIOS has when nothing else is asked for."""


@builder("grub-iso")
def grub_iso(build: Build) -> None:
    """Make a directory with eltorito.img and boot_hybrid.img: GRUB for a BIOS, on ISOs. Arguments:

    native   native item that holds the packages grub-common and grub-pc-bin
    early    text of the configuration inside the core (`grub.early_cfg`)
    modules  names of GRUB modules for the core; null: CORE_MODULES

    Raise GrubFailed.
    """
    arguments = build.arguments
    native = build.real(arguments["native"])
    modules = arguments.get("modules")
    core = make_core(
        build,
        "i386-pc-eltorito",
        native,
        CORE_MODULES if modules is None else modules,
        prefix="/boot/grub",
        early=arguments["early"],
    )
    build.output.mkdir()
    (build.output / "eltorito.img").write_bytes(core)
    hybrid = (native / "usr/lib/grub/i386-pc/boot_hybrid.img").read_bytes()
    (build.output / "boot_hybrid.img").write_bytes(hybrid)
