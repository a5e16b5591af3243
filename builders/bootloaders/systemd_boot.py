"""systemd-boot: a menu of kernels that lie on the EFI system partition beside it.

The files are those of loader.conf(5) and of the UAPI group's Boot Loader Specification, type 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from builders.bootloaders import esp
from builders.bootloaders.kernel_line import kernel_line
from builders.errors import BuilderError
from builders.registry import STORE_PREFIX, Build, builder
from builders.tree import Entry

LOADER = "usr/lib/systemd/boot/efi/systemd-bootx64.efi"
"""Where Debian's package systemd-boot-efi has it."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_ENTRY_KEYS = {"id", "title", "linux", "efi", "initrd", "arguments"}


class BadMenu(BuilderError):
    """The menu's entries cannot be written, or read, as they are described."""


class MissingFile(BadMenu):
    """A menu entry is about a file that there is not."""

    def __init__(self, title: str, source: str, number: int, field: str) -> None:
        item, _, path = source.removeprefix(f"{STORE_PREFIX}/").partition("/")
        super().__init__(
            f"the menu entry {title}: {item.partition('-')[2]} has no file /{path}",
            hint="systemd-boot starts files of the EFI system partition: Kiln copies there what is"
            " in the system",
        )
        self.part, self.field = number, field


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """An entry.

    id      its name as a file
    linux   a kernel, `initrd` its initial tree, `efi` another program instead: paths from the
            partition's root
    number  its place in the menu; None: where its name puts it
    """

    id: str
    title: str
    linux: str | None
    arguments: tuple[str, ...] = ()
    initrd: str | None = None
    efi: str | None = None
    number: int | None = None


def loader_conf(default: str, *, timeout: int = 5, editor: bool = True) -> str:
    """The text of loader.conf; `default` is a pattern of entries' names ("debian.conf", "*").

    timeout   seconds; 0: the default is started unless a key is held, -1: wait for ever
    editor    whether who sits there may change a kernel's arguments
    """
    wait = "menu-force" if timeout < 0 else str(timeout)
    return f"default {default}\ntimeout {wait}\neditor {'yes' if editor else 'no'}\n"


def entry_conf(entry: MenuEntry) -> str:
    """The text of an entry's file. Raise BadMenu, BadKernelArgument."""
    lines = [f"title {_line('the title', entry.title)}"]
    if entry.number is not None:
        lines.append(f"sort-key {entry.number:04d}")
    if entry.linux is not None:
        lines.append(f"linux {entry.linux}")
    if entry.efi is not None:
        lines.append(f"efi {_line('the program', entry.efi)}")
    if entry.initrd is not None:
        lines.append(f"initrd {entry.initrd}")
    if entry.arguments:
        lines.append(f"options {kernel_line(entry.arguments)}")
    return "".join(f"{line}\n" for line in lines)


def _line(what: str, text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise BadMenu(f"{what} {text!r} of a menu entry is empty, or has control characters")
    return text


@builder("systemd-boot")
def systemd_boot(build: Build) -> None:
    """Make the tree of an EFI system partition with systemd-boot. Arguments:

    packages  items, unpacked or native, that hold the package systemd-boot-efi
    entries   list of, in the menu's order
        id         the entry's name: letters, digits and any of "._+-"
        title      what the menu shows
        linux      the kernel: a store path, with the path in the item; or
        efi        the path, on the partition, of another program
        initrd     a store path, as for the kernel; null: none
        arguments  list of the kernel's
    default   the id of the entry that is started; null or left out: the first
    timeout   seconds; 0: no menu, -1: wait for ever (optional: 5)
    editor    whether a kernel's arguments may be changed in the menu (optional: true)
    files     more files, as the builder "esp" has them, such as EFI/Linux/NAME.efi, which are
              in the menu without an entry (optional)

    Raise BadMenu, BadKernelArgument, NotInItem, BadEspFile.
    """
    arguments = build.arguments
    files = esp.described(build, arguments.get("files") or ())
    esp.add(
        files,
        esp.REMOVABLE,
        esp.find_in(build, arguments["packages"], LOADER, "systemd-boot-efi"),
    )
    default = arguments.get("default")
    names = _names(arguments["entries"])
    unified = [path for path in files if path.startswith("EFI/Linux/")]
    if default is None and names:
        default = names[0]
    if default is not None and default not in names:
        raise BadMenu(
            f"menu entry {default} is the default, but there is none of this name",
            hint=f"there are {', '.join(names) or 'none'}",
        )
    if default is None and not unified:
        raise BadMenu("the menu has no entries, and there is no kernel in EFI/Linux")
    kernels = _Kernels(build, files)
    for number, each in enumerate(arguments["entries"]):
        places: dict[str, str] = {}
        for key in ("linux", "initrd"):
            if each.get(key):
                try:
                    places[key] = kernels.place(each[key])
                except esp.NotInItem:
                    raise MissingFile(each["title"], each[key], number, key) from None
        entry = MenuEntry(
            each["id"],
            each["title"],
            places.get("linux"),
            tuple(each.get("arguments") or ()),
            places.get("initrd"),
            each.get("efi"),
            number if len(names) > 1 else None,
        )
        esp.add(files, f"loader/entries/{entry.id}.conf", entry_conf(entry).encode())
    timeout = arguments.get("timeout")
    text = loader_conf(
        "*" if default is None else f"{default}.conf",
        timeout=5 if timeout is None else timeout,
        editor=arguments.get("editor") is not False,
    )
    esp.add(files, "loader/loader.conf", text.encode())
    esp.write(build, files)


def _names(entries: Sequence[Mapping[str, object]]) -> list[str]:
    names = [str(each.get("id")) for each in entries]
    for name, each in zip(names, entries, strict=True):
        if unknown := sorted(set(each) - _ENTRY_KEYS):
            raise BadMenu(f"a menu entry is described with {', '.join(unknown)}")
        if not _NAME.fullmatch(name):
            raise BadMenu(f"{name!r} cannot name a menu entry", hint="use letters and digits")
        if names.count(name) > 1:
            raise BadMenu(f"two menu entries are called {name}")
    return names


class _Kernels:
    """Kernels and initial trees on the partition, each content once."""

    def __init__(self, build: Build, files: dict[str, bytes | Entry]) -> None:
        self._build = build
        self._files = files
        self._placed: dict[object, str] = {}

    def place(self, source: str) -> str:
        """Where the file `source` is, from the partition's root; one that is not there is put."""
        found = esp.find(self._build, source)
        content = (found.ref or source, found.size)
        if content not in self._placed:
            name = source.rpartition("/")[2]
            if source.count("/") == 3:  # an item itself: its name is behind its hash
                name = name.partition("-")[2]
            taken = {path.upper() for path in self._files}
            path = f"kiln/{name}"
            if path.upper() in taken:
                path = f"kiln/{len(self._placed)}/{name}"
            esp.add(self._files, path, found)
            self._placed[content] = f"/{path}"
        return self._placed[content]
