"""The value that says what is to be built: a builder, its arguments and its inputs.

Its output path is a hash of all of that, so a path that exists need not be built again, and two
derivations that could give different bytes have different paths. This is Nix's model.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from builders import base32, registry
from builders.errors import BuilderError
from builders.registry import SOURCE_DATE_EPOCH, STORE_PREFIX

__all__ = ["SOURCE_DATE_EPOCH", "STORE_PREFIX", "BadName", "Derivation", "Json", "fixed_path"]

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"
"""What arguments are made of: lists, dicts and atoms. No floats: their text is not canonical."""

_NAME = re.compile(r"[A-Za-z0-9+_?=][A-Za-z0-9+._?=-]{0,210}")


class BadName(BuilderError):
    """A store item's name has characters that file names should not have, or too many."""


@dataclass(frozen=True, eq=False)
class Derivation:
    """Something that can be built, with one output.

    name          the end of the output path, for people
    builder       a name in builders.registry.BUILDERS
    arguments     what the builder is told; where it names an input, that input's `path`
    inputs        the derivations whose outputs the build reads
    sources       store paths of items that exist already (Store.add_bytes, add_path)
    fixed_sha256  the hex hash that the output, one file, must have. The output path is then a hash
                  of this and the name alone: it does not matter how such a file is come by
    title         a short phrase for people ("unpack tmux 3.3a-3"); not part of the hash
    origin        file, line and column of the code that the build runs; not part of the hash
    places        where it (0) and its parts, from 1, are declared, for errors; nor are these
    """

    name: str
    builder: str
    arguments: Mapping[str, Json]
    inputs: tuple[Derivation, ...] = ()
    sources: tuple[str, ...] = ()
    fixed_sha256: str | None = None
    title: str = ""
    origin: tuple[str, int, int] | None = None
    places: Mapping[int, tuple[str, int, int]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"#<derivation {self.path}>"

    @cached_property
    def path(self) -> str:
        """The output's store path. Raises BadName and builders.registry.UnknownBuilder."""
        if self.fixed_sha256 is not None:
            return fixed_path(self.name, self.fixed_sha256)
        return store_path("output", hashlib.sha256(self.serialise()).hexdigest(), self.name)

    def serialise(self) -> bytes:
        """All that the output depends on as canonical JSON: sorted keys, no spaces, ASCII."""
        value = {
            "name": self.name,
            "builder": self.builder,
            "code": registry.code_hash(registry.spec(self.builder).code),
            "arguments": self.arguments,
            "inputs": sorted({one.path for one in self.inputs}),
            "sources": sorted(set(self.sources)),
            "fixed": self.fixed_sha256,
        }
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Derivation) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)


def fixed_path(name: str, sha256: str) -> str:
    """The store path of a file called `name` whose contents have the hex hash `sha256`."""
    return store_path("fixed", sha256, name)


def store_path(kind: str, fingerprint: str, name: str) -> str:
    """The store path that a kind of item with this fingerprint has; raises BadName."""
    if not _NAME.fullmatch(name):
        raise BadName(
            f"{name!r} cannot be the name of a store item",
            hint="use at most 211 letters, digits and + - . _ ? =, not starting with . or -",
        )
    digest = hashlib.sha256(f"{kind}:{fingerprint}:{name}".encode()).digest()
    return f"{STORE_PREFIX}/{base32.encode(base32.compress(digest, 20))}-{name}"
