"""GRUB 2: its configuration as text, its core as made by grub-mkimage, its place on a BIOS disk.

A BIOS starts sector 0 of the disk (boot.img), which reads the first sector of the core
(diskboot.img), which reads the rest. Where the core lies is written into both; nothing else of
what grub-bios-setup(8) does is needed.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from builders.derivation import Derivation
from builders.errors import BuilderError
from builders.registry import Build, builder

BIOS_MODULES = (
    *("biosdisk", "part_msdos", "part_gpt", "ext2", "fat", "iso9660", "search", "search_fs_uuid"),
    *("search_label", "search_fs_file", "normal", "configfile", "linux", "chain", "echo", "test"),
    *("serial", "terminal", "sleep", "reboot", "halt", "ls", "cat", "help", "keylayouts"),
    *("at_keyboard", "font", "gfxterm", "vbe", "gfxterm_background", "png"),
)
"""What the core holds when nothing else is asked for: no module is loaded from the disk later."""

SECTOR = 512
_CORE_LBA = 0x5C  # in boot.img, u64: where diskboot.img is
_TABLE = slice(0x1B8, 0x1FE)  # disk signature and partition table; boot.img has floppy code there
_BLOCKS = 0x1F4  # in diskboot.img: u64 first sector of the rest, u16 its sectors, u16 its segment
_DRIVE_CHECK = slice(0x66, 0x68)  # in boot.img: a jump over "take any odd drive number for 0x80"


class UnsafeText(BuilderError):
    """A text cannot be written in grub.cfg so that GRUB or the kernel reads it as it is."""

    def __init__(self, what: str, text: str, why: str) -> None:
        super().__init__(f"{what} {text!r} {why}")


class UnknownEntry(BuilderError):
    """The default is not one of the menu's entries."""

    def __init__(self, default: int, count: int) -> None:
        super().__init__(f"menu entry {default} is the default, but there are {count} (from 0)")


class BadBootImage(BuilderError):
    """A file that should be boot.img or core.img of GRUB for a BIOS is not."""


class NoRoom(BuilderError):
    """The core is longer than the place for it."""

    def __init__(self, needed: int, available: int) -> None:
        super().__init__(
            f"GRUB's core needs {needed} sectors of 512 bytes and has {available}",
            hint="begin the first partition at 1 MiB, make the BIOS boot partition larger,"
            " or leave modules out",
        )


class GrubFailed(BuilderError):
    """grub-mkimage ended badly."""


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A file system as GRUB finds it: by UUID or by label (as blkid(8) shows them)."""

    kind: Literal["uuid", "label"]
    value: str


@dataclass(frozen=True, slots=True)
class Serial:
    """A serial line: its number from 0, bits a second."""

    unit: int = 0
    speed: int = 115200


@dataclass(frozen=True, slots=True)
class LinuxEntry:
    """A menu entry that starts a kernel. Paths are absolute, in `file_system` (None: the root)."""

    title: str
    linux: str
    arguments: tuple[str, ...] = ()
    initrd: str | None = None
    file_system: FileSystem | None = None


@dataclass(frozen=True, slots=True)
class ChainEntry:
    """A menu entry that starts another boot loader: a file, or "+1" for a boot sector."""

    title: str
    loader: str
    file_system: FileSystem | None = None


@dataclass(frozen=True, slots=True)
class Theme:
    """How the menu looks in graphics mode.

    modes       what is tried, such as "1024x768x32"; "auto" is what the firmware likes best
    normal      colours of text, "foreground/background"; None: GRUB's own
    highlight   those of the entry that is chosen
    background  path of a picture (PNG)
    """

    modes: tuple[str, ...] = ("auto",)
    normal: str | None = None
    highlight: str | None = None
    background: str | None = None


def early_cfg(
    root: FileSystem,
    *,
    prefix: str = "/boot/grub",
    serial: Serial | None = None,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
) -> str:
    """What the core runs first, in rescue mode: plain commands; one that fails is passed over.

    It finds the file system that holds `prefix`, the directory of grub.cfg. The terminals are those
    of `grub_cfg`.
    """
    lines = _terminals(serial, inputs, outputs)
    lines.append(_search(root))
    lines.append(f"set prefix=($root){prefix}")
    return _text(lines)


def loader_cfg(root: FileSystem, *, prefix: str = "/boot/grub") -> str:
    """What a GRUB that lies outside of the root file system reads: on to the grub.cfg in there."""
    lines = ["# Written by Kiln; changes are lost.", _search(root)]
    lines += [f"set prefix=($root){prefix}", "configfile $prefix/grub.cfg"]
    return _text(lines)


def grub_cfg(
    entries: Sequence[LinuxEntry | ChainEntry],
    *,
    root: FileSystem | None = None,
    timeout: int = 5,
    default: int = 0,
    serial: Serial | None = None,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    hidden: bool = False,
    keymap: str | None = None,
    font: str | None = None,
    theme: Theme | None = None,
) -> str:
    """The text of grub.cfg.

    root     where the entries' paths are; None: where grub.cfg is
    timeout  seconds until the default is started; -1 waits for ever
    serial   the serial line, if it is one of the terminals
    inputs   where keys are read: "console", "serial", "at_keyboard"; none: the console, and the
             serial line
    outputs  where the menu is shown, in text: "console", "serial"; none: as for `inputs`
    hidden   show the menu only when a key is pressed
    keymap   the path of a keyboard layout (the builder "grub-keymap"), for machines with a BIOS
    font     the path of a font (PF2, such as grub-common's euro.pf2) to draw the menu with, in
             graphics mode instead of the console; None: the firmware's text mode
    theme    how it looks in graphics mode

    Raise UnknownEntry, UnsafeText.
    """
    if not 0 <= default < len(entries):
        raise UnknownEntry(default, len(entries))
    lines = ["# Written by Kiln; changes are lost.", *_terminals(serial, inputs, outputs)]
    if root is not None:
        lines.append(_search(root))
    if keymap is not None:
        lines += _keyboard(keymap, inputs or _usual(serial))
    if font is not None:
        lines += _screen(font, outputs or _usual(serial), theme or Theme())
    lines += [f"set default={default}", f"set timeout={timeout}"]
    if hidden:
        lines.append("set timeout_style=hidden")
    for entry in entries:
        lines += ["", f"menuentry {_word('the menu entry', entry.title)} {{"]
        if entry.file_system is not None:
            lines.append("  " + _search(entry.file_system))
        if isinstance(entry, LinuxEntry):
            words = [entry.linux, *map(_argument, entry.arguments)]
            lines.append("  linux " + " ".join(_word("the argument", word) for word in words))
            if entry.initrd is not None:
                lines.append(f"  initrd {_word('the file', entry.initrd)}")
        else:
            lines.append(f"  chainloader {_word('the file', entry.loader)}")
        lines.append("}")
    return _text(lines)


def _usual(serial: Serial | None) -> tuple[str, ...]:
    return ("console",) if serial is None else ("console", "serial")


def _terminals(serial: Serial | None, inputs: Sequence[str], outputs: Sequence[str]) -> list[str]:
    lines = []
    if serial is not None:
        lines.append(f"serial --unit={serial.unit} --speed={serial.speed}")
    if serial is not None or inputs:
        lines.append(f"terminal_input {' '.join(inputs or _usual(serial))}")
    if serial is not None or outputs:
        lines.append(f"terminal_output {' '.join(outputs or _usual(serial))}")
    return lines


def _keyboard(keymap: str, inputs: Sequence[str]) -> list[str]:
    """Read the keyboard without the BIOS, in another layout; a failure leaves the BIOS to it."""
    others = [each for each in inputs if each not in ("console", "at_keyboard")]
    return [
        'if [ "$grub_platform" = pc ]; then',
        f"  if keymap {_word('the file', keymap)}; then",
        f"    terminal_input {' '.join(['at_keyboard', *others])}",
        "  fi",
        "fi",
    ]


def _screen(font: str, outputs: Sequence[str], theme: Theme) -> list[str]:
    """Draw the menu, and leave the kernel that mode; where that fails it stays text."""
    others = [each for each in outputs if each != "console"]
    modes = ",".join(_word("the mode", mode) for mode in theme.modes)
    lines = [
        f"if loadfont {_word('the file', font)}; then",
        f"  set gfxmode={modes}",
        "  set gfxpayload=keep",
        f"  terminal_output {' '.join(['gfxterm', *others])}",
    ]
    if theme.background is not None:
        lines.append(f"  background_image {_word('the file', theme.background)}")
    for name, colours in (("normal", theme.normal), ("highlight", theme.highlight)):
        if colours is not None:
            lines += [f"  set color_{name}={colours}", f"  set menu_color_{name}={colours}"]
    return [*lines, "fi"]


def _search(file_system: FileSystem) -> str:
    value = _word("the name of a file system", file_system.value)
    return f"search.fs_{file_system.kind} {value} root"


def _word(what: str, text: str) -> str:
    """`text` as one word of GRUB's language, bare if it can be."""
    if not text.isprintable():
        raise UnsafeText(what, text, "has characters that GRUB's configuration cannot hold")
    if text and all(c.isascii() and (c.isalnum() or c in "/._-=:,+@%") for c in text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def _argument(text: str) -> str:
    """`text`, an argument for the kernel, checked: GRUB puts a backslash before some characters."""
    if any(character in "\\'\"" for character in text):
        raise UnsafeText("the kernel argument", text, "has a quote or a backslash")
    return text


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def boot_code(
    boot: bytes, core: bytes, *, lba: int = 1, sectors: int = 2047, any_drive: bool = True
) -> tuple[bytes, bytes]:
    """The boot sector with room for a partition table, and the core, for a disk.

    boot       boot.img
    core       core.img
    lba        where the core is put (sector of 512 bytes): 1 in the gap of an MBR disk, else the
               first sector of a BIOS boot partition
    sectors    how many there are for it
    any_drive  do not trust a BIOS that names the disk by an odd number, as grub-bios-setup(8) does
               for hard disks

    Both results are whole sectors; bytes 0x1b8 to 0x1fd of the boot sector are zero.
    Raise BadBootImage, NoRoom.
    """
    if len(boot) != SECTOR or boot[0x1FE:] != b"\x55\xaa":
        raise BadBootImage("boot.img is not a boot sector of 512 bytes")
    needed = -(-len(core) // SECTOR)
    if needed < 2 or struct.unpack_from("<H", core, _BLOCKS + 8)[0] != needed - 1:
        raise BadBootImage("core.img is not a core for a BIOS, made by grub-mkimage -O i386-pc")
    if needed > sectors:
        raise NoRoom(needed, sectors)
    sector = bytearray(boot)
    struct.pack_into("<Q", sector, _CORE_LBA, lba)
    if any_drive:
        sector[_DRIVE_CHECK] = b"\x90\x90"
    sector[_TABLE] = bytes(_TABLE.stop - _TABLE.start)
    placed = bytearray(core) + bytes(needed * SECTOR - len(core))
    struct.pack_into("<Q", placed, _BLOCKS, lba + 1)
    return bytes(sector), bytes(placed)


def grub_bios_derivation(
    native: Derivation,
    *,
    early: str = "",
    prefix: str = "/boot/grub",
    modules: Sequence[str] | None = None,
    name: str = "grub-bios",
) -> Derivation:
    """GRUB's images for a BIOS; see `grub_bios` for the arguments."""
    return Derivation(
        name=name,
        builder="grub-bios",
        arguments={
            "native": native.path,
            "early": early,
            "prefix": prefix,
            "modules": None if modules is None else list(modules),
        },
        inputs=(native,),
        title="make GRUB's core image",
    )


@builder("grub-bios")
def grub_bios(build: Build) -> None:
    """Make a directory with boot.img and core.img (/boot/grub, i386-pc). Arguments:

    native   native item that holds the packages grub-common and grub-pc-bin
    modules  names of GRUB modules for the core; null: BIOS_MODULES
    early    text of the configuration inside the core (`early_cfg`), or ""
    prefix   GRUB's prefix: where grub.cfg is unless `early` says otherwise

    Raise GrubFailed.
    """
    arguments = build.arguments
    native = build.real(arguments["native"])
    modules = arguments["modules"]
    core = make_core(
        build,
        "i386-pc",
        native,
        BIOS_MODULES if modules is None else modules,
        prefix=arguments["prefix"],
        early=arguments["early"],
    )
    build.output.mkdir()
    boot = native.joinpath(*_images("i386-pc").parts[1:], "boot.img").read_bytes()
    (build.output / "boot.img").write_bytes(boot)
    (build.output / "core.img").write_bytes(core)


def _images(platform: str) -> PurePosixPath:
    return PurePosixPath("/usr/lib/grub", platform.removesuffix("-eltorito"))


def make_core(
    build: Build,
    platform: str,
    native: Path,
    modules: Sequence[str],
    *,
    prefix: str,
    early: str = "",
) -> bytes:
    """What grub-mkimage(1) makes for `platform` (as "x86_64-efi").

    native   the real path of the native item with grub-common and the platform's modules
    modules  names of the modules in it
    prefix   where grub.cfg is unless `early`, commands that are run first, says otherwise

    Raise GrubFailed.
    """
    from builders import sandbox

    (build.scratch / "early.cfg").write_text(early, encoding="utf-8")
    command = ["/usr/bin/grub-mkimage", "-O", platform, "-d", str(_images(platform))]
    command += ["-p", prefix, "-o", "/build/core.img"]
    if early:
        command += ["-c", "/build/early.cfg"]
    status = sandbox.run(
        [*command, *modules],
        binds=[sandbox.Bind(build.scratch, "/build", writable=True)],
        roots=[native],
        on_line=build.log,
    )
    if status != 0:
        raise GrubFailed(f"grub-mkimage ended with status {status}; see the build's log")
    return (build.scratch / "core.img").read_bytes()
