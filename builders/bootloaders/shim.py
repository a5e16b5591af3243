"""Secure Boot: Debian's shim, signed for the firmware, and its GRUB, signed for the shim.

The signed GRUB has its modules built in and looks for its configuration in /EFI/debian of the
partition that it was started from; it starts kernels that Debian has signed, and no others.
"""

from __future__ import annotations

from builders.bootloaders import esp
from builders.registry import Build, builder

_FILES = (
    (esp.REMOVABLE, "usr/lib/shim/shimx64.efi.signed", "shim-signed"),
    ("EFI/BOOT/mmx64.efi", "usr/lib/shim/mmx64.efi.signed", "shim-helpers-amd64-signed"),
    (
        "EFI/BOOT/grubx64.efi",
        "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
        "grub-efi-amd64-signed",
    ),
)
_CONFIG = "EFI/debian/grub.cfg"


@builder("shim")
def shim(build: Build) -> None:
    """Make the tree of an EFI system partition for machines with Secure Boot. Arguments:

    packages  items, unpacked or native, that hold the packages shim-signed,
              shim-helpers-amd64-signed and grub-efi-amd64-signed
    config    text of grub.cfg: a whole menu, or a way to one (`grub.loader_cfg`)
    files     more files, as the builder "esp" has them (optional)

    Raise NotInItem, BadEspFile.
    """
    arguments = build.arguments
    files = esp.described(build, arguments.get("files") or ())
    for path, source, package in _FILES:
        esp.add(files, path, esp.find_in(build, arguments["packages"], source, package))
    esp.add(files, _CONFIG, arguments["config"].encode())
    esp.write(build, files)
