"""GRUB for machines with UEFI firmware: a tree for the EFI system partition."""

from __future__ import annotations

from builders.bootloaders import esp
from builders.bootloaders.grub import make_core
from builders.registry import Build, builder

EFI_MODULES = (
    *("part_gpt", "part_msdos", "fat", "ext2", "btrfs", "xfs", "iso9660", "squash4", "search"),
    *("search_fs_uuid", "search_label", "search_fs_file", "normal", "configfile", "linux", "boot"),
    *(
        "chain",
        "echo",
        "test",
        "serial",
        "terminal",
        "sleep",
        "reboot",
        "halt",
        "ls",
        "cat",
        "help",
    ),
    *("all_video", "efi_gop", "efifwsetup", "keylayouts", "at_keyboard"),
    *("font", "gfxterm", "gfxterm_background", "png"),
)
"""What is in the image when nothing else is asked for: no module is loaded from a disk later."""

DIRECTORY = "EFI/BOOT"
"""Where the image and its configuration are."""


@builder("grub-efi")
def grub_efi(build: Build) -> None:
    """Make the tree of an EFI system partition with GRUB (x86_64-efi) and its grub.cfg. Arguments:

    native   native item that holds the packages grub-common and grub-efi-amd64-bin
    config   text of grub.cfg: a whole menu, or a way to one (`grub.loader_cfg`)
    modules  names of GRUB modules in the image; null or left out: EFI_MODULES
    files    more files, as the builder "esp" has them (optional)

    The image is the same for all configurations. Raise GrubFailed, BadEspFile, NotInItem.
    """
    arguments = build.arguments
    modules = arguments.get("modules")
    image = make_core(
        build,
        "x86_64-efi",
        build.real(arguments["native"]),
        EFI_MODULES if modules is None else modules,
        prefix=f"/{DIRECTORY}",
    )
    files = esp.described(build, arguments.get("files") or ())
    esp.add(files, esp.REMOVABLE, image)
    esp.add(files, f"{DIRECTORY}/grub.cfg", arguments["config"].encode())
    esp.write(build, files)
