"""The database that dpkg keeps in /var/lib/dpkg, as it is after packages were unpacked.

Pure functions from packages to files; dpkg itself goes on from there (deb-status fields as in
dpkg(1), the layout of the directory as dpkg 1.17 to 1.22 read it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from builders.errors import BuilderError

DIRECTORY = "var/lib/dpkg"
SCRIPTS = ("preinst", "postinst", "prerm", "postrm", "config")

_DIRECTORIES = ("", "/info", "/updates", "/triggers", "/alternatives", "/parts")
_EMPTY = ("/lock", "/lock-frontend", "/triggers/Lock", "/triggers/Unincorp", "/diversions",
          "/statoverride", "/available")  # fmt: skip


class BadTriggers(BuilderError):
    """A package's triggers file has a line that dpkg would not take."""


@dataclass(frozen=True)
class Unpacked:
    """A package as unpacking left it.

    fields     of its control file, in their order; folded lines without their leading blank
    members    the other members of its control archive by name: scripts, md5sums, triggers ...
    """

    fields: Mapping[str, str]
    members: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.fields["Package"]

    @property
    def essential(self) -> bool:
        return self.fields.get("Essential") == "yes"

    @property
    def info_name(self) -> str:
        """What its files in the info directory are called: with the architecture for libraries of
        which several architectures may be installed together.
        """
        if self.fields.get("Multi-Arch") == "same":
            return f"{self.name}:{self.fields['Architecture']}"
        return self.name

    @property
    def conffiles(self) -> tuple[str, ...]:
        """Absolute paths of the files that belong to the administrator once installed."""
        lines = self.members.get("conffiles", "").splitlines()
        # "remove-on-upgrade /path" names a file that is not in the package
        return tuple(line.strip() for line in lines if line.startswith("/"))


def directories() -> list[str]:
    """The directories of the database, parents first, relative to the root."""
    return [DIRECTORY + name for name in _DIRECTORIES]


def files(
    packages: Sequence[Unpacked],
    listed: Mapping[str, Sequence[str]],
    digests: Mapping[str, str],
    architecture: str,
) -> dict[str, tuple[str, int]]:
    """The database's files: path, relative to the root, to text and mode.

    listed   of each package, by name, the paths that are its own ("/." and "/usr/bin/tmux")
    digests  MD5 in hex, by absolute path, of each conffile, and of the files of each package that
             has no member md5sums: dpkg makes one for those

    Raises BadTriggers.
    """
    result: dict[str, tuple[str, int]] = {}
    for name in _EMPTY:
        result[DIRECTORY + name] = ("", 0o640 if "lock" in name.lower() else 0o644)
    result[f"{DIRECTORY}/arch"] = (f"{architecture}\n", 0o644)
    result[f"{DIRECTORY}/info/format"] = ("1\n", 0o644)
    result[f"{DIRECTORY}/status"] = (
        "\n".join(status_stanza(package, digests) for package in packages),
        0o644,
    )
    for package in packages:
        stem = f"{DIRECTORY}/info/{package.info_name}"
        paths = listed[package.name]
        result[f"{stem}.list"] = ("".join(f"{path}\n" for path in paths), 0o644)
        if "md5sums" not in package.members:
            kept = [path for path in paths if path in digests and path not in package.conffiles]
            lines = [f"{digests[path]}  {path[1:]}\n" for path in kept]
            result[f"{stem}.md5sums"] = ("".join(lines), 0o644)
        for member, text in package.members.items():
            result[f"{stem}.{member}"] = (text, 0o755 if member in SCRIPTS else 0o644)
    for name, text in trigger_files(packages).items():
        result[f"{DIRECTORY}/triggers/{name}"] = (text, 0o644)
    return result


def status_stanza(package: Unpacked, digests: Mapping[str, str]) -> str:
    """The stanza of /var/lib/dpkg/status: control fields, "unpacked", conffiles with hashes."""
    lines = []
    for name, value in package.fields.items():
        if name in ("Status", "Conffiles"):
            continue
        lines.append(f"{name}: " + value.replace("\n", "\n ") + "\n")
        if name == "Package":
            lines.append("Status: install ok unpacked\n")
    conffiles = [path for path in package.conffiles if path in digests]
    if conffiles:
        lines.append("Conffiles:\n")
        lines += [f" {path} {digests[path]}\n" for path in conffiles]
    return "".join(lines)


def trigger_files(packages: Sequence[Unpacked]) -> dict[str, str]:
    """Who waits for which trigger: "File" for paths, a file of its own for each other trigger.

    Raises BadTriggers.
    """
    texts: dict[str, str] = {"File": ""}
    for package in packages:
        for line in package.members.get("triggers", "").splitlines():
            words = line.partition("#")[0].split()
            if not words or words[0].startswith("activate"):
                continue
            if not words[0].startswith("interest") or len(words) != 2:
                raise BadTriggers(f"package {package.name}: dpkg knows no trigger line {line!r}")
            waiting = package.info_name
            waiting += "/noawait" if words[0] == "interest-noawait" else ""
            if words[1].startswith("/"):
                texts["File"] += f"{words[1]} {waiting}\n"
            elif "/" in words[1]:
                raise BadTriggers(
                    f"package {package.name}: a trigger cannot be called {words[1]!r}"
                )
            else:
                texts[words[1]] = texts.get(words[1], "") + f"{waiting}\n"
    return texts
