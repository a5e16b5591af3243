"""The initial file tree: busybox, kernel modules and a small init, as a compressed cpio archive.

It depends on a kernel, on the names of modules and on busybox, and on nothing else of a
declaration: which root file system is mounted, and how, is told by the kernel's command line (see
init.sh beside this file). A kernel's own .deb item serves as its tree as well as a whole root.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from importlib.resources import files

from builders import cpio, mtree
from builders.derivation import Derivation
from builders.errors import BuilderError
from builders.kmodules import Module, ModuleIndex, canonical, module_tables, only_kernel
from builders.registry import Build, builder
from builders.tree import Entry, ReadContent, content_reader, order

DEFAULT_MODULES = (
    # disks of virtual machines
    *("virtio_pci", "virtio_mmio", "virtio_blk", "virtio_scsi", "xen_blkfront", "hv_storvsc"),
    *("vmw_pvscsi", "mptspi", "mptsas"),
    # disks of machines
    *("ahci", "ata_piix", "ata_generic", "nvme", "sd_mod", "sr_mod", "mmc_block", "sdhci_pci"),
    *("sdhci_acpi", "usb_storage", "uas", "xhci_pci", "ehci_pci", "ohci_pci", "uhci_hcd"),
    # keyboards, for the shell of an init that finds no root
    *("usbhid", "hid_generic", "atkbd"),
    # file systems, with what they ask the kernel for by name
    *("ext4", "crc32c_generic", "crc32c_intel", "vfat", "nls_cp437", "nls_ascii", "nls_utf8"),
    *("isofs", "squashfs", "erofs", "overlay", "loop"),
)
"""What an initial tree holds of itself, as far as the kernel has it as modules."""

_FILE_SYSTEMS = {
    "ext4": "ext4",
    "xfs": "xfs",
    "btrfs": "btrfs",
    "f2fs": "f2fs",
    "squashfs": "squashfs",
    "erofs": "erofs",
    "isofs": "iso9660",
    "vfat": "vfat",
}
"""Modules of root file systems, and the types that mount(8) tries when none is named."""

_APPLETS = (
    *("awk", "cat", "cttyhack", "dmesg", "findfs", "find", "grep", "ln", "ls", "lsmod", "mkdir"),
    *("modprobe", "mount", "poweroff", "ps", "reboot", "setsid", "sh", "sleep", "sort"),
    *("switch_root", "umount", "vi", "xargs"),
)
_BUSYBOX = ("usr/bin/busybox", "bin/busybox")
_ZSTD_LEVEL = 9


class NoBusybox(BuilderError):
    """The item that should hold busybox does not."""

    def __init__(self, item: str) -> None:
        super().__init__(
            f"{item} has no {' or '.join(_BUSYBOX)}",
            hint="the initial file tree is made with Debian's package busybox-static",
        )


def initrd_derivation(
    tree: Derivation,
    busybox: Derivation,
    modules: Sequence[str] = (),
    *,
    default_modules: bool = True,
    kernel_version: str | None = None,
    name: str = "initrd",
) -> Derivation:
    """The initial tree for the kernel in `tree`; see `initrd` for the arguments."""
    return Derivation(
        name=name,
        builder="initrd",
        arguments={
            "tree": tree.path,
            "busybox": busybox.path,
            "modules": list(modules),
            "default_modules": default_modules,
            "kernel_version": kernel_version,
        },
        inputs=(tree, busybox),
        title="make the initial file tree",
    )


@builder("initrd")
def initrd(build: Build) -> None:
    """Write the archive to the output, a file. Arguments:

    tree             item (manifest and pack) of a root that holds the kernel's modules
    kernel_version   which kernel of the tree; null: the only one
    modules          names of modules that must exist; they are loaded whether a device asks or not
    default_modules  whether DEFAULT_MODULES are added (true); they need not exist and are loaded
                     when a device or the kernel asks for them
    busybox          item of the unpacked package busybox-static

    Raise NoKernel, UnknownModule, NotAModule, NoBusybox.
    """
    arguments = build.arguments
    read = content_reader(build.real)
    tree = mtree.read_item(build.real(arguments["tree"]), arguments["tree"])
    version = only_kernel(tree, arguments.get("kernel_version"))
    index = ModuleIndex(tree, read, version)
    wanted = list(arguments["modules"])
    optional = DEFAULT_MODULES if arguments.get("default_modules", True) else ()
    modules = index.closure(wanted, optional)
    build.log(f"kernel {version}: {len(modules)} modules")
    entries = initial_tree(
        version,
        modules,
        loaded=[name for name in map(canonical, wanted) if name not in index.builtin],
        busybox=_busybox(build, arguments["busybox"], read),
        mtime=build.epoch * 1_000_000_000,
    )
    archive = b"".join(cpio.archive(entries))
    build.output.write_bytes(compress(archive, zstd=_reads_zstd(tree, read, version)))


def _busybox(build: Build, item: str, read: ReadContent) -> bytes:
    for entry in mtree.read_item(build.real(item), item):
        if entry.path in _BUSYBOX and entry.kind == "f":
            return read(entry)
    raise NoBusybox(item)


def _reads_zstd(tree: Iterable[Entry], read: ReadContent, version: str) -> bool:
    """Whether the kernel's configuration says that it unpacks archives compressed with zstd."""
    for entry in tree:
        if entry.path == f"boot/config-{version}" and entry.kind == "f":
            return b"CONFIG_RD_ZSTD=y\n" in read(entry)
    return False


def compress(archive: bytes, *, zstd: bool) -> bytes:
    """`archive` as the kernel unpacks it: one zstd frame, else gzip without name and time."""
    if not zstd:
        return gzip.compress(archive, 6, mtime=0)
    import zstandard

    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(archive)


def initial_tree(
    version: str, modules: Sequence[Module], *, loaded: Sequence[str], busybox: bytes, mtime: int
) -> list[Entry]:
    """The entries of the initial tree, sorted. `modules` are in dependency order, for the kernel
    `version`; those called in `loaded` are loaded at once. `mtime` in nanoseconds.
    """
    directory = f"lib/modules/{version}"
    contents = {
        f"{directory}/{name}": text.encode() for name, text in module_tables(modules).items()
    }
    contents |= {f"{directory}/{module.name}.ko": module.image for module in modules}
    contents["etc/modules"] = "".join(f"{name}\n" for name in loaded).encode()
    types = [_FILE_SYSTEMS[module.name] for module in modules if module.name in _FILE_SYSTEMS]
    contents["etc/filesystems"] = "".join(f"{name}\n" for name in types).encode()
    programs = {
        "bin/busybox": busybox,
        "init": files(__name__).joinpath("init.sh").read_bytes(),
    }
    entries = [Entry(path, "f", 0o644, 0, 0, mtime, len(b), b) for path, b in contents.items()]
    entries += [Entry(path, "f", 0o755, 0, 0, mtime, len(b), b) for path, b in programs.items()]
    links = {f"bin/{name}": "busybox" for name in _APPLETS}
    links["sbin/modprobe"] = "../bin/busybox"  # where the kernel itself looks for it
    entries += [
        Entry(path, "l", 0o777, 0, 0, mtime, len(target), target) for path, target in links.items()
    ]
    entries.append(Entry("dev/console", "c", 0o600, 0, 0, mtime, 0, (5, 1)))
    entries.append(Entry("dev/null", "c", 0o666, 0, 0, mtime, 0, (1, 3)))
    directories = {"dev", "proc", "sys", "run", "newroot", "lib/modules", directory}
    for entry in entries:
        parent = entry.path.rpartition("/")[0]
        while parent:
            directories.add(parent)
            parent = parent.rpartition("/")[0]
    entries += [Entry(path, "d", 0o755, 0, 0, mtime) for path in directories]
    return sorted(entries, key=lambda entry: order(entry.path))
