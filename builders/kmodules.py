"""The kernel modules of a file tree: what they need, and in which order they are loaded."""

from __future__ import annotations

import difflib
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from builders.errors import BuilderError
from builders.tree import Entry, ReadContent

MODULE_ROOTS = ("usr/lib/modules/", "lib/modules/")
"""Where a tree keeps modules: with merged /usr, and as packages list them."""

_SUFFIXES = (".ko", ".ko.xz", ".ko.zst", ".ko.gz")


class NotAModule(BuilderError):
    """A file that should be a kernel module is not one."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"/{path} is not a kernel module for this machine: {why}")


class UnknownModule(BuilderError):
    """The kernel has no module of that name, neither built in nor loadable."""

    def __init__(self, name: str, version: str, nearest: Sequence[str]) -> None:
        hint = f"did you mean {' or '.join(nearest)}?" if nearest else None
        super().__init__(f"kernel {version} has no module {name}", hint=hint)
        self.name = name
        self.nearest = tuple(nearest)


class NoKernel(BuilderError):
    """A tree holds no kernel modules, not those of the version asked for, or several versions."""


@dataclass(frozen=True, slots=True)
class Module:
    """One loadable module, from its .modinfo section. Names have "_" where files may have "-"."""

    name: str
    depends: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    softdeps: tuple[str, ...] = ()
    image: bytes = field(default=b"", repr=False, compare=False)
    """The uncompressed ELF file."""


def canonical(name: str) -> str:
    """The kernel's own spelling of a module's name."""
    return name.replace("-", "_")


def modinfo(image: bytes) -> list[tuple[str, str]]:
    """The (key, value) pairs of the .modinfo section of an ELF64 little-endian `image`, in order.

    Raise ValueError if `image` is something else. Layout: elf(5), Elf64_Ehdr and Elf64_Shdr.
    """
    if image[:6] != b"\x7fELF\x02\x01":
        raise ValueError("no 64-bit little-endian ELF header")
    try:
        (table,) = struct.unpack_from("<Q", image, 0x28)
        entry_size, count, names_index = struct.unpack_from("<HHH", image, 0x3A)
        sections = [
            struct.unpack_from("<IIQQQQIIQQ", image, table + i * entry_size) for i in range(count)
        ]
        names = sections[names_index][4]
        for name, _type, _flags, _address, offset, size, *_rest in sections:
            if image.startswith(b".modinfo\0", names + name):
                strings = image[offset : offset + size].split(b"\0")
                pairs = [string.decode("utf-8", "replace").partition("=") for string in strings]
                return [(key, value) for key, equals, value in pairs if equals]
    except (struct.error, IndexError) as error:
        raise ValueError("its section table is damaged") from error
    raise ValueError("it has no .modinfo section")


def decompressed(path: str, data: bytes) -> bytes:
    """The ELF image in a module file; the suffix of `path` says how it is compressed."""
    if path.endswith(".xz"):
        import lzma

        return lzma.decompress(data)
    if path.endswith(".zst"):
        import zstandard

        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    if path.endswith(".gz"):
        import gzip

        return gzip.decompress(data)
    return data


def parse_module(path: str, data: bytes) -> Module:
    """The module in the file `path` with the content `data`. Raise NotAModule."""
    try:
        image = decompressed(path, data)
        pairs = modinfo(image)
    except Exception as error:  # every decompressor has exceptions of its own
        raise NotAModule(path, str(error)) from error
    depends: list[str] = []
    softdeps = [value for key, value in pairs if key == "softdep"]
    for key, value in pairs:
        if key == "depends":
            depends += [canonical(name) for name in value.split(",") if name]
    return Module(
        name=_module_name(path),
        depends=tuple(depends),
        before=_soft(softdeps, "pre:"),
        after=_soft(softdeps, "post:"),
        aliases=tuple(value for key, value in pairs if key == "alias"),
        softdeps=tuple(softdeps),
        image=image,
    )


def _soft(values: Iterable[str], wanted: str) -> tuple[str, ...]:
    """The names after `wanted` in softdep strings like "pre: a b post: c"."""
    names: list[str] = []
    for value in values:
        section = ""
        for word in value.split():
            if word.endswith(":"):
                section = word
            elif section == wanted:
                names.append(canonical(word))
    return tuple(names)


def _module_name(path: str) -> str:
    return canonical(path.rpartition("/")[2].partition(".ko")[0])


def kernel_versions(entries: Iterable[Entry]) -> list[str]:
    """The versions of the kernels of which the tree has modules, sorted by name."""
    found = set()
    for entry in entries:
        for root in MODULE_ROOTS:
            if entry.path.startswith(root):
                version, _, rest = entry.path[len(root) :].partition("/")
                if rest == "modules.builtin" or rest.startswith("kernel/"):
                    found.add(version)
    return sorted(found)


def only_kernel(entries: Iterable[Entry], version: str | None) -> str:
    """`version` if the tree has that kernel; for None, the one kernel that there is.

    Raise NoKernel.
    """
    versions = kernel_versions(entries)
    if version is None and len(versions) == 1:
        return versions[0]
    if version in versions:
        return str(version)
    if not versions:
        raise NoKernel("the system has no kernel modules", hint="add a kernel package to it")
    listed = ", ".join(versions)
    if version is None:
        raise NoKernel(f"the system has several kernels: {listed}", hint="say which one to boot")
    raise NoKernel(f"the system has no modules of kernel {version}; it has {listed}")


class ModuleIndex:
    """The modules of one kernel in a tree. A module's file is read when the module is asked for."""

    def __init__(self, entries: Iterable[Entry], read: ReadContent, version: str) -> None:
        self.version = version
        self._read = read
        self._files: dict[str, Entry] = {}
        self._modules: dict[str, Module] = {}
        self.builtin: frozenset[str] = frozenset()
        roots = tuple(f"{root}{version}/" for root in MODULE_ROOTS)
        for entry in entries:
            if entry.kind != "f" or not entry.path.startswith(roots):
                continue
            if entry.path.endswith(_SUFFIXES):
                self._files[_module_name(entry.path)] = entry
            elif entry.path.endswith("/modules.builtin"):
                lines = read(entry).decode().split()
                self.builtin = frozenset(_module_name(line) for line in lines)

    def __contains__(self, name: str) -> bool:
        return canonical(name) in self._files

    def module(self, name: str) -> Module:
        """The loadable module `name`. Raise UnknownModule, NotAModule."""
        name = canonical(name)
        if name not in self._modules:
            if name not in self._files:
                raise self._unknown(name)
            entry = self._files[name]
            self._modules[name] = parse_module(entry.path, self._read(entry))
        return self._modules[name]

    def closure(self, wanted: Iterable[str], optional: Iterable[str] = ()) -> tuple[Module, ...]:
        """`wanted`, those of `optional` that exist, and all that they need: each after its needs.

        What is built in needs nothing. Soft dependencies are followed as far as they exist; they
        may name what is no module (softdep: modprobe.d(5)). Raise UnknownModule for another name.
        """
        order: dict[str, Module] = {}
        entered: set[str] = set()

        def visit(name: str, *, required: bool) -> None:
            name = canonical(name)
            if name in entered or name in self.builtin:
                return
            if name not in self._files:
                if required:
                    raise self._unknown(name)
                return
            entered.add(name)
            module = self.module(name)
            for needed in module.before:
                visit(needed, required=False)
            for needed in module.depends:
                visit(needed, required=True)
            order[name] = module
            for needed in module.after:
                visit(needed, required=False)

        for name in wanted:
            visit(name, required=True)
        for name in optional:
            visit(name, required=False)
        return tuple(order.values())

    def _unknown(self, name: str) -> UnknownModule:
        known = sorted({*self._files, *self.builtin})
        return UnknownModule(name, self.version, difflib.get_close_matches(name, known, n=3))


def dependency_lists(modules: Sequence[Module]) -> Mapping[str, tuple[str, ...]]:
    """For each module all the modules that it needs, the deepest last, as modules.dep has them.

    modprobe loads such a list from right to left. `modules` must be in dependency order; what is
    not among them is left out, because it is built in.
    """
    lists: dict[str, tuple[str, ...]] = {}
    for module in modules:
        loading: dict[str, None] = {}
        for needed in module.depends:
            if needed in lists:
                loading.update(dict.fromkeys(reversed(lists[needed])))
                loading[needed] = None
        lists[module.name] = tuple(reversed(loading))
    return lists


def module_tables(modules: Sequence[Module]) -> dict[str, str]:
    """The files that modprobe reads, by name, for `modules` in one directory as NAME.ko."""
    lists = dependency_lists(modules)
    dependencies = [
        f"{module.name}.ko:" + "".join(f" {name}.ko" for name in lists[module.name])
        for module in modules
    ]
    aliases = [f"alias {alias} {module.name}" for module in modules for alias in module.aliases]
    softdeps = [f"softdep {module.name} {value}" for module in modules for value in module.softdeps]
    return {
        "modules.dep": _lines(dependencies),
        "modules.alias": _lines(aliases),
        "modules.softdep": _lines(softdeps),
        "modules.symbols": "",
    }


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
