"""Debian control data: stanzas of fields and relationship fields (Debian Policy 5.1 and 7.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from builders.errors import BuilderError


class MalformedControl(BuilderError):
    """Control data that does not parse."""


class Relation(NamedTuple):
    """One alternative of a relationship: "python3:any (>= 3.11)".

    `qualifier` is the architecture qualifier or ""; `operator` and `version` are "" when there is
    no constraint. Obsolete operators "<" and ">" are read as "<=" and ">=" (Policy 7.1).
    """

    name: str
    qualifier: str = ""
    operator: str = ""
    version: str = ""

    def __str__(self) -> str:
        name = f"{self.name}:{self.qualifier}" if self.qualifier else self.name
        return f"{name} ({self.operator} {self.version})" if self.operator else name


Alternatives = tuple[Relation, ...]

_RELATION = re.compile(
    r"\s*([A-Za-z0-9][A-Za-z0-9+.-]*)(?::([a-z0-9-]+))?"
    r"\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s()<>=|]+)\s*\))?\s*"
)
_OBSOLETE = {"<": "<=", ">": ">="}
_FIELD_NAME = re.compile(r"[!-,.-9;-~][!-9;-~]*")


@lru_cache(maxsize=1 << 14)
def parse_relations(text: str) -> tuple[Alternatives, ...]:
    """The value of a Depends-like field: all groups must hold, of each group one alternative.

    Raises MalformedControl with the offending piece.
    """
    return tuple(
        tuple(_relation(piece) for piece in group.split("|"))
        for group in text.split(",")
        if group.strip()
    )


def _relation(text: str) -> Relation:
    match = _RELATION.fullmatch(text)
    if match is None:
        raise MalformedControl(f"{text.strip()!r} is not a package relationship")
    name, qualifier, operator, version = match.groups(default="")
    return Relation(name, qualifier, _OBSOLETE.get(operator, operator), version)


def parse_stanzas(text: str, *, what: str = "control data") -> Iterator[dict[str, str]]:
    """The stanzas of `text`, each a mapping of field names, as written, to values.

    Lines of a folded value stay separated by newlines, without their leading blank; comment lines
    are dropped. Raises MalformedControl naming `what` and the line.
    """
    stanza: dict[str, str] = {}
    field = ""
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("#"):
            continue
        if not line.strip():
            if stanza:
                yield stanza
            stanza, field = {}, ""
        elif line[0] in " \t":
            if not field:
                raise MalformedControl(f"{what}, line {number}: a continuation of nothing")
            stanza[field] += "\n" + line[1:].rstrip()
        else:
            field, colon, value = line.partition(":")
            if not colon or not _FIELD_NAME.fullmatch(field):
                raise MalformedControl(f"{what}, line {number}: expected 'Field: value'")
            if field in stanza:
                raise MalformedControl(f"{what}, line {number}: field {field} is there twice")
            stanza[field] = value.strip()
    if stanza:
        yield stanza


def parse_stanza(text: str, *, what: str = "control data") -> dict[str, str]:
    """The one stanza of `text`. Raises MalformedControl when there is none or more than one."""
    stanzas = list(parse_stanzas(text, what=what))
    if len(stanzas) != 1:
        raise MalformedControl(f"{what}: expected one stanza, found {len(stanzas)}")
    return stanzas[0]
