"""Where packages come from: APT's source lists (sources.list(5)), one-line and deb822 style."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from builders.debian.control import MalformedControl, parse_stanzas
from builders.errors import BuilderError

SUPPORTED_SCHEMES = frozenset({"http", "https", "file"})


class SourcesError(BuilderError):
    """A source list that does not parse, or none that serves."""


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite of one archive.

    uris         the archive's base URIs, equal mirrors, tried in this order
    suite        the name below dists/: "bookworm-security"
    components   ("main", "non-free-firmware")
    signed_by    what Signed-By says: key file paths, fingerprints or an armoured key; "" if nothing
    check_valid_until   whether a Release file beyond its Valid-Until date is refused
    origin       the file that declares it, for messages
    """

    uris: tuple[str, ...]
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""
    check_valid_until: bool = True
    origin: str = ""

    def __str__(self) -> str:
        return f"{self.uris[0]} {self.suite}"


def host_sources(etc: Path = Path("/etc/apt"), architecture: str = "amd64") -> tuple[Suite, ...]:
    """The suites that the host's APT uses for binary packages of `architecture`.

    Left out: sources that are disabled, of source packages, for other architectures, flat (without
    components), `trusted` without signature, or of transports that Kiln has not. Which of the
    others are Debian's own is known only when their Release files are verified (archive.Archive).
    Raises SourcesError for a file that does not parse and when no source is left.
    """
    check = _global_check_valid_until(etc)
    suites: list[Suite] = []
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    for path in files:
        if path.suffix not in (".list", ".sources") or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        parse = parse_deb822 if path.suffix == ".sources" else parse_one_line
        suites += parse(text, origin=str(path), architecture=architecture, check_valid_until=check)
    unique = {(s.uris, s.suite, s.components): s for s in reversed(suites)}
    kept = tuple(s for s in suites if unique[s.uris, s.suite, s.components] is s)
    if not kept:
        raise SourcesError(
            f"no package sources in {etc}",
            hint="name a Debian mirror and its suites in the configuration",
        )
    return kept


def parse_deb822(
    text: str, *, origin: str, architecture: str = "amd64", check_valid_until: bool = True
) -> list[Suite]:
    """The suites of a .sources file."""
    suites: list[Suite] = []
    try:
        stanzas = list(parse_stanzas(text, what=origin))
    except MalformedControl as error:
        raise SourcesError(error.message) from error
    for stanza in stanzas:
        fields = {name.lower(): value for name, value in stanza.items()}
        if "deb" not in fields.get("types", "").split():
            continue
        if not _truth(fields.get("enabled", "yes")):
            continue
        for needed in ("uris", "suites"):
            if not fields.get(needed):
                raise SourcesError(f"{origin}: a source has no {needed.capitalize()}")
        names = fields["suites"].replace("$(ARCH)", architecture).split()
        suites += _suites(
            fields["uris"].split(),
            names,
            fields.get("components", "").split(),
            fields,
            origin=origin,
            architecture=architecture,
            check=check_valid_until,
        )
    return suites


def parse_one_line(
    text: str, *, origin: str, architecture: str = "amd64", check_valid_until: bool = True
) -> list[Suite]:
    """The suites of a .list file: "deb [options] uri suite component..." lines."""
    suites: list[Suite] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#", 1)[0].strip()
        if not line or re.match(r"deb-src\s", line):
            continue
        match = re.fullmatch(r"deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)((?:\s+\S+)*)", line)
        if match is None:
            raise SourcesError(f"{origin}:{number}: expected 'deb URI SUITE COMPONENT...'")
        options: dict[str, str] = {}
        for word in shlex.split(match[1] or ""):
            name, equals, value = word.partition("=")
            if not equals:
                raise SourcesError(f"{origin}:{number}: option {word!r} has no value")
            long = {"arch": "architectures"}.get(name, name)
            options[long.lower()] = value.replace(",", " ")
        suites += _suites(
            [match[2]],
            [match[3].replace("$(ARCH)", architecture)],
            match[4].split(),
            options,
            origin=origin,
            architecture=architecture,
            check=check_valid_until,
        )
    return suites


def _suites(
    uris: list[str],
    names: list[str],
    components: list[str],
    fields: Mapping[str, str],
    *,
    origin: str,
    architecture: str,
    check: bool,
) -> Iterator[Suite]:
    if architecture not in (fields.get("architectures") or architecture).split():
        return
    if _truth(fields.get("trusted", "no")):
        return
    bases = tuple(base for uri in uris for base in _expand_mirror(uri, origin))
    if not bases:
        return
    if "check-valid-until" in fields:
        check = _truth(fields["check-valid-until"])
    for name in names:
        if not name.endswith("/") and components:
            signed_by = fields.get("signed-by", "").strip()
            yield Suite(bases, name, tuple(components), signed_by, check, origin)


def _expand_mirror(uri: str, origin: str) -> list[str]:
    """The base URIs that a source's URI stands for; a list in a file is apt-transport-mirror(1)."""
    scheme = urlsplit(uri).scheme
    if scheme == "mirror+file":
        path = Path(unquote(urlsplit(uri).path))
        try:
            lines = path.read_text().splitlines()
        except OSError as error:
            raise SourcesError(f"{origin}: cannot read the mirror list {path}: {error}") from error
        entries = [line.split("\t")[0].strip() for line in lines if not line.startswith("#")]
        return [base for entry in entries if entry for base in _expand_mirror(entry, origin)]
    return [uri.rstrip("/")] if scheme in SUPPORTED_SCHEMES else []


def _truth(value: str) -> bool:
    return value.strip().lower() in ("yes", "true", "with", "on", "enable", "1")


def _global_check_valid_until(etc: Path) -> bool:
    """APT's Acquire::Check-Valid-Until; as the host trusts its mirror, so does Kiln."""
    check = True
    for path in [*sorted((etc / "apt.conf.d").glob("*")), etc / "apt.conf"]:
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            pattern = r'^\s*Acquire::Check-Valid-Until\s+"?(\w+)"?\s*;'
            for value in re.findall(pattern, text, re.MULTILINE | re.IGNORECASE):
                check = _truth(value)
    return check
