"""The options of mkfs programs, as far as Kiln's own writers can honour them.

Declarations name them as one would type them: ("-m" "1" "-O" "^has_journal"). `PROGRAMS` is the
one table of what is understood; a file system that is not in it takes none.
"""

from __future__ import annotations

import re
import uuid as uuids
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from builders.errors import BuilderError

Options = Mapping[str, object]
"""Options of a file system's writer, by name."""

_MIB = 1 << 20


class BadMkfsOption(BuilderError):
    """An option of a mkfs program that is not understood, or has a value that makes no sense."""


class _BadValue(Exception):
    """What is wrong with an option's value; internal."""


@dataclass(frozen=True, slots=True)
class Program:
    """What is understood of a program's command line.

    name      the program
    values    switches with a value: what the value comes to
    flags     switches without one
    elsewhere switches that say what a field of the partition says: the field
    """

    name: str
    values: Mapping[str, Callable[[str], Options]]
    flags: Mapping[str, Options] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)


def options(file_system: str, words: Sequence[str]) -> dict[str, Any]:
    """The options of the writer of `file_system` that `words` come to.

    Raises BadMkfsOption, naming what is understood.
    """
    program = PROGRAMS.get(file_system)
    if not words:
        return {}
    if program is None:
        raise BadMkfsOption(
            f"the file system {file_system} takes no options", hint="leave file-system-options out"
        )
    merged: dict[str, Any] = {}
    for switch, value in _switches(program, words):
        try:
            found = program.flags[switch] if value is None else program.values[switch](value)
        except _BadValue as problem:
            raise BadMkfsOption(
                f"the option {switch} {value} of {program.name}: {problem}"
            ) from None
        for name, chosen in found.items():
            earlier = merged.get(name)
            if isinstance(earlier, Mapping) and isinstance(chosen, Mapping):
                merged[name] = {**earlier, **chosen}
            elif isinstance(earlier, tuple) and isinstance(chosen, tuple):
                merged[name] = earlier + chosen
            elif name in merged and earlier != chosen:
                raise BadMkfsOption(f"the options of {program.name} say {switch} twice")
            else:
                merged[name] = chosen
    return merged


def _switches(program: Program, words: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """The switches among `words` with their values, which may be in the same word."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        for switch, name in program.elsewhere.items():
            if word.startswith(switch):
                raise BadMkfsOption(
                    f"{program.name} {switch} is said by the partition's field {name}",
                    hint=f"write ({name} …) beside file-system-options",
                )
        if word in program.flags:
            yield word, None
            continue
        takes = next((each for each in program.values if word.startswith(each)), None)
        if takes is None:
            known = ", ".join([*program.values, *program.flags])
            raise BadMkfsOption(
                f"the option {word} of {program.name} is not understood",
                hint=f"these are: {known}",
            )
        attached = word[len(takes) :]
        if takes.startswith("--"):
            attached = attached.removeprefix("=")
        if not attached:
            if not rest:
                raise BadMkfsOption(f"the option {takes} of {program.name} needs a value")
            attached = rest.pop(0)
        yield takes, attached


# --- values


def _number(text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text):
        raise _BadValue("a number is wanted")
    return int(text)


def _numbered(name: str, *, least: int, most: int) -> Callable[[str], Options]:
    def value(text: str) -> Options:
        number = _number(text)
        if not least <= number <= most:
            raise _BadValue(f"a number from {least} to {most} is wanted")
        return {name: number}

    return value


def _only(*right: str, why: str) -> Callable[[str], Options]:
    """What Kiln does in any case."""

    def value(text: str) -> Options:
        if text not in right:
            raise _BadValue(why)
        return {}

    return value


def _power(name: str, *, most: int) -> Callable[[str], Options]:
    def value(text: str) -> Options:
        number = _number(text)
        if not 0 < number <= most or number & (number - 1):
            raise _BadValue(f"a power of two up to {most} is wanted")
        return {name: number}

    return value


# --- ext2, ext3, ext4: mke2fs(8)


def _features(text: str) -> Options:
    from builders.filesystems.ext4.options import FEATURES

    features: dict[str, bool] = {}
    for word in filter(None, re.split(r"[,\s]+", text)):
        feature = {"extents": "extent"}.get(word.lstrip("^"), word.lstrip("^"))
        if feature not in FEATURES:
            raise _BadValue(f"{feature} is none of {', '.join(FEATURES)}")
        features[feature] = not word.startswith("^")
    return {"features": features}


def _reserved(text: str) -> Options:
    if not re.fullmatch(r"\d{1,2}(\.\d+)?", text) or float(text) > 50:
        raise _BadValue("a percentage from 0 to 50 is wanted")
    return {"reserved": float(text) / 100}


def _journal(text: str) -> Options:
    match = re.fullmatch(r"size=(\d{1,6})[Mm]?", text)
    if match is None or int(match[1]) < 4:
        raise _BadValue("size=MEBIBYTES is understood, from 4 on")
    return {"journal": int(match[1]) * _MIB}


def _extended(text: str) -> Options:
    found: dict[str, object] = {}
    for word in filter(None, text.split(",")):
        name, _, value = word.partition("=")
        if name == "root_owner":
            match = re.fullmatch(r"(\d{1,10}):(\d{1,10})", value or "0:0")
            if match is None or max(int(match[1]), int(match[2])) >= 1 << 32:
                raise _BadValue("root_owner=UID:GID is wanted, two numbers")
            found["root_owner"] = (int(match[1]), int(match[2]))
        elif name == "hash_seed":
            try:
                found["hash_seed"] = uuids.UUID(value)
            except ValueError:
                raise _BadValue("hash_seed=UUID is wanted") from None
        elif word not in ("nodiscard", "lazy_itable_init=0", "lazy_journal_init=0"):
            raise _BadValue(
                f"{word} is not understood; root_owner=, hash_seed=, and nodiscard, "
                "lazy_itable_init=0 and lazy_journal_init=0, which always hold, are"
            )
    return found


def _errors(text: str) -> Options:
    from builders.filesystems.ext4.options import ON_ERROR

    if text not in ON_ERROR:
        raise _BadValue(f"one of {', '.join(ON_ERROR)} is wanted")
    return {"errors": text}


_EXT = Program(
    "mke2fs",
    {
        "-O": _features,
        "-m": _reserved,
        "-N": _numbered("inodes", least=11, most=(1 << 32) - 1),
        "-i": _numbered("bytes_per_inode", least=1024, most=64 * _MIB),
        "-J": _journal,
        "-E": _extended,
        "-e": _errors,
        "-G": _power("flex", most=1024),
        "-b": _only("4096", "4k", why="blocks always have 4096 bytes"),
        "-I": _only("256", why="inodes always have 256 bytes"),
    },
    flags={"-j": {"features": {"has_journal": True}}},
    elsewhere={"-L": "label", "-U": "uuid", "-t": "file-system"},
)


# --- FAT: mkfs.fat(8)


def _bits(text: str) -> Options:
    if text not in ("12", "16", "32"):
        raise _BadValue("12, 16 or 32 is wanted")
    return {"bits": int(text)}


def _root_entries(text: str) -> Options:
    number = _number(text)
    if not 16 <= number <= 65520 or number % 16:
        raise _BadValue("a multiple of 16 from 16 to 65520 is wanted")
    return {"root_entries": number}


_FAT = Program(
    "mkfs.fat",
    {
        "-F": _bits,
        "-s": _power("sectors_per_cluster", most=128),
        "-r": _root_entries,
        "-S": _only("512", why="sectors always have 512 bytes"),
        "-f": _only("2", why="there always are two tables"),
    },
    elsewhere={"-n": "label", "-i": "uuid"},
)


# --- EROFS: mkfs.erofs(1)


def _compressor(text: str) -> Options:
    from builders.sinks.codecs import LEVELS

    match = re.fullmatch(r"(lz4|lz4hc)(?:,(?:level=)?(\d{1,2}))?", text)
    if match is None:
        raise _BadValue("lz4, lz4hc or lz4hc,LEVEL is wanted")
    if match[2] is None:
        return {"compression": match[1]}
    low, high = LEVELS["lz4hc"]
    if match[1] == "lz4" or not low <= int(match[2]) <= high:
        raise _BadValue(f"lz4hc has levels from {low} to {high}, lz4 has none")
    return {"compression": match[1], "level": int(match[2])}


def _cluster(text: str) -> Options:
    number = _number(text)
    if not 8192 <= number <= _MIB or number % 4096:
        raise _BadValue(f"a multiple of 4096 from 8192 to {_MIB} is wanted")
    return {"cluster": number}


_EROFS = Program(
    "mkfs.erofs",
    {
        "-z": _compressor,
        "-C": _cluster,
        "-b": _only("4096", why="blocks always have 4096 bytes"),
    },
    elsewhere={"-L": "label", "-U": "uuid"},
)


# --- btrfs: mkfs.btrfs(8)


def _metadata(text: str) -> Options:
    if text not in ("dup", "single"):
        raise _BadValue("dup or single is wanted")
    return {"metadata": text}


def _subvolume(text: str) -> Options:
    kind, separator, path = text.partition(":")
    if not separator:
        kind, path = "rw", text
    if kind not in ("rw", "ro", "default", "default-ro") or not path:
        raise _BadValue("[rw:|ro:|default:|default-ro:]PATH is wanted")
    return {"subvolumes": ({"path": path, "kind": kind},)}


_BTRFS_HAS = ("extref", "skinny-metadata", "no-holes", "free-space-tree")


def _btrfs_features(text: str) -> Options:
    for feature in text.split(","):
        if feature not in _BTRFS_HAS:
            raise _BadValue(f"the features always are {', '.join(_BTRFS_HAS)}")
    return {}


def _nodesize(text: str) -> Options:
    number = _number(text[:-1]) * 1024 if text[-1:] in ("k", "K") else _number(text)
    if number not in (4096, 8192, 16384, 32768, 65536):
        raise _BadValue("a power of two from 4096 to 65536 is wanted")
    return {"nodesize": number}


_BTRFS = Program(
    "mkfs.btrfs",
    {
        **dict.fromkeys(("-u", "--subvol"), _subvolume),
        **dict.fromkeys(("-m", "--metadata"), _metadata),
        **dict.fromkeys(("-n", "--nodesize"), _nodesize),
        **dict.fromkeys(
            ("-O", "-R", "--features", "--runtime-features"),
            _btrfs_features,
        ),
        **dict.fromkeys(("-d", "--data"), _only("single", why="contents are stored once")),
        **dict.fromkeys(
            ("-s", "--sectorsize"),
            _only("4096", "4k", why="sectors always have 4096 bytes"),
        ),
        **dict.fromkeys(
            ("--csum", "--checksum"), _only("crc32c", why="checksums always are crc32c")
        ),
    },
    elsewhere={
        **dict.fromkeys(("-L", "--label"), "label"),
        **dict.fromkeys(("-U", "--uuid"), "uuid"),
        **dict.fromkeys(("-b", "--byte-count"), "size"),
    },
)


# --- the table

_SWAP = Program(
    "mkswap",
    {
        "-p": _only("4096", why="pages always have 4096 bytes"),
        "-v": _only("1", why="the version always is 1"),
    },
    elsewhere={"-L": "label", "-U": "uuid"},
)

PROGRAMS: Mapping[str, Program] = {
    "ext2": _EXT,
    "ext3": _EXT,
    "ext4": _EXT,
    "vfat": _FAT,
    "fat12": _FAT,
    "fat16": _FAT,
    "fat32": _FAT,
    "erofs": _EROFS,
    "swap": _SWAP,
    "btrfs": _BTRFS,
}
"""By file system. An option of another one is added as a Program here."""
