"""Container images: archives for `docker load`, and image layouts of the Open Container Initiative.

A layer is a tar plan. It is read once: the hash of its bytes (the "diff ID"), their compression and
the hash of that (the "digest") are made in one pass.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from builders.errors import BuilderError
from builders.formats import tar
from builders.plan import Plan
from builders.sinks import compress, output, raw, stream
from builders.tree import Entry

LAYER_COMPRESSIONS: Mapping[str | None, str] = {None: "", "gzip": "+gzip", "zstd": "+zstd"}
"""What an OCI layer can be compressed with, and what its media type says of that."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NAME = re.compile(r"[a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_MEDIA = "application/vnd.oci.image."
_BLOCK = 1 << 20


class BadReference(BuilderError):
    """A name or tag that a container image cannot have."""


@dataclass(frozen=True, slots=True)
class Container:
    """What a container image says of itself; there are no labels.

    created      seconds since 1970
    command      what runs in it
    environment  of the command; the names are sorted
    stop_signal  asks the command to end; systemd's own by default
    """

    name: str
    tag: str = "latest"
    created: int = 1
    architecture: str = "amd64"
    command: tuple[str, ...] = ("/sbin/init",)
    environment: Mapping[str, str] | None = None
    stop_signal: str = "SIGRTMIN+3"

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise BadReference(
                f"a container image cannot have the name {self.name!r}",
                hint="small letters and digits, separated by one of . _ - /",
            )
        if _TAG.fullmatch(self.tag) is None:
            raise BadReference(
                f"a container image cannot have the tag {self.tag!r}",
                hint="up to 128 letters, digits and _ . -, not beginning with . or -",
            )

    def config(self, diff_ids: Iterable[str]) -> bytes:
        """The image's configuration as JSON, for layers with these hashes (sha256, hex)."""
        created = datetime.fromtimestamp(self.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ids = [f"sha256:{each}" for each in diff_ids]
        environment = {"PATH": _PATH, **(self.environment or {})}
        return _json(
            {
                "architecture": self.architecture,
                "os": "linux",
                "created": created,
                "config": {
                    "Cmd": list(self.command),
                    "Env": [f"{name}={environment[name]}" for name in sorted(environment)],
                    "StopSignal": self.stop_signal,
                },
                "rootfs": {"type": "layers", "diff_ids": ids},
                "history": [{"created": created, "created_by": "kiln"} for _ in ids],
            }
        )


def docker(
    container: Container,
    layers: Sequence[Plan],
    real: raw.Real,
    progress: raw.ReportProgress | None = None,
) -> Iterator[bytes | bytearray]:
    """Yield the archive that `docker load` takes: layers, then configuration and manifest.json.

    Raises SourceMissing, SourceChanged, OSError.
    """
    position = 0
    diff_ids = []
    names = []
    for number, layer in enumerate(layers, 1):
        names.append(f"layer-{number}.tar")
        head = _member(names[-1], layer.size, container.created)
        yield head
        digest = hashlib.sha256()
        yield from _hashed(_blocks(layers, number - 1, real, _BLOCK, progress), digest)
        diff_ids.append(digest.hexdigest())
        position += len(head) + layer.size  # a tar's size is whole records: it needs no padding
    config = container.config(diff_ids)
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = [
        {
            "Config": config_name,
            "RepoTags": [f"{container.name}:{container.tag}"],
            "Layers": names,
        }
    ]
    for name, data in ((config_name, config), ("manifest.json", _json(manifest))):
        member = _member(name, len(data), container.created) + data + bytes(-len(data) % tar.BLOCK)
        position += len(member)
        yield member
    end = -(-(position + 2 * tar.BLOCK) // tar.RECORD) * tar.RECORD
    yield bytes(end - position)


def _member(name: str, size: int, seconds: int) -> bytes:
    return tar.member(Entry(name, "f", 0o644, mtime=seconds * 1_000_000_000, size=size))


def write_oci(
    container: Container,
    layers: Sequence[Plan],
    directory: Path,
    real: raw.Real,
    progress: raw.ReportProgress | None = None,
    *,
    compression: str | None = "gzip",
    level: int | None = None,
) -> None:
    """Write the new directory `directory`, an OCI image layout (image-spec 1.0, image-layout.md).

    `compression`: a key of LAYER_COMPRESSIONS. Raises UnknownCompression, CannotWrite and what
    reading the layers' contents raises.
    """
    if compression not in LAYER_COMPRESSIONS:
        known = [str(each) for each in LAYER_COMPRESSIONS if each]
        raise compress.UnknownCompression(f"{compression} of OCI layers", known)
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    size = _BLOCK if compression is None else compress.find(compression).block
    diff_ids = []
    descriptions = []
    for number in range(len(layers)):
        plain, packed = hashlib.sha256(), hashlib.sha256()
        pieces = _hashed(_blocks(layers, number, real, size, progress), plain)
        if compression is not None:
            pieces = _hashed(compress.compress(pieces, compression, level), packed)
        part = blobs / "part"
        output.write_pieces(pieces, part)
        length = part.stat().st_size
        digest = (plain if compression is None else packed).hexdigest()
        part.rename(blobs / digest)
        diff_ids.append(plain.hexdigest())
        media = f"{_MEDIA}layer.v1.tar{LAYER_COMPRESSIONS[compression]}"
        descriptions.append(_descriptor(media, digest, length))
    config = _put(blobs, f"{_MEDIA}config.v1+json", container.config(diff_ids))
    media = f"{_MEDIA}manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": media, "config": config, "layers": descriptions}
    reference = {
        **_put(blobs, media, _json(manifest)),
        "platform": {"architecture": container.architecture, "os": "linux"},
        "annotations": {"org.opencontainers.image.ref.name": container.tag},
    }
    index = {
        "schemaVersion": 2,
        "mediaType": f"{_MEDIA}index.v1+json",
        "manifests": [reference],
    }
    (directory / "index.json").write_bytes(_json(index))
    (directory / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))


def _blocks(
    layers: Sequence[Plan],
    number: int,
    real: raw.Real,
    size: int,
    progress: raw.ReportProgress | None,
) -> Iterator[bytes | bytearray]:
    """The bytes of one of the layers; progress is told of all."""
    blocks = stream.blocks(layers[number], real, size)
    if progress is None:
        return blocks
    before = sum(layer.size for layer in layers[:number])
    total = sum(layer.size for layer in layers)
    return output.counted(blocks, total, lambda done, _: progress(before + done, total))


def _hashed(
    pieces: Iterable[bytes | bytearray], digest: hashlib._Hash
) -> Iterator[bytes | bytearray]:
    for piece in pieces:
        digest.update(piece)
        yield piece


def _put(blobs: Path, media: str, data: bytes) -> dict[str, Any]:
    """Add a blob; its descriptor."""
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return _descriptor(media, digest, len(data))


def _descriptor(media: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media, "digest": f"sha256:{digest}", "size": size}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
