"""Container images: the layers of docker's archives and of OCI layouts, put on each other.

(OCI image-spec 1.0, layer.md and image-layout.md.)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from builders.readers.archive import Archive
from builders.readers.source import DamagedImage, FileSource, Source
from builders.readers.wrappers import unwrap

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_LARGEST_JSON = 16 << 20
_DEEPEST_INDEX = 4


class Fill(Protocol):
    """Adds what is in a tar archive; tar.fill."""

    def __call__(self, archive: Archive, source: Source, *, layer: bool = False) -> None: ...


def is_whiteout(archive: Archive, path: str) -> bool:
    """Whether `path` only says what is to be taken away of the layers below; it is, then."""
    directory, _, name = path.rpartition("/")
    if name == _OPAQUE:
        archive.empty(directory)
    elif name.startswith(_WHITEOUT):
        hidden = name.removeprefix(_WHITEOUT)
        archive.remove(f"{directory}/{hidden}" if directory else hidden)
    else:
        return False
    return True


def of_archive(archive: Archive, fill: Fill) -> Archive | None:
    """The file system of the container image that `archive` is; None if it is another archive."""
    manifest = archive.source("manifest.json")
    if manifest is not None:
        described = _json(manifest)
        layers = [archive.source(name) for name in _docker_layers(described)]
        found = [layer for layer in layers if layer is not None]
        if found and len(found) == len(layers):
            return _merged("docker", found, fill)
    if archive.source("oci-layout") is not None:
        return _oci(archive.source, fill)
    return None


def of_directory(directory: Path, fill: Fill) -> Archive:
    """The file system of the OCI layout that is a directory of the host. Raises DamagedImage."""

    def find(name: str) -> Source | None:
        path = directory / name
        return FileSource(path) if path.is_file() else None

    return _oci(find, fill)


def _docker_layers(described: Any) -> list[str]:
    """The names of the layers of the first image; none if this is no manifest of docker."""
    first = described[0] if isinstance(described, list) and described else None
    names = first.get("Layers") if isinstance(first, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return []
    return names


def _oci(find: Callable[[str], Source | None], fill: Fill) -> Archive:
    index = find("index.json")
    if index is None:
        raise DamagedImage("the OCI layout has no index.json")
    described = _json(index)
    for _ in range(_DEEPEST_INDEX):
        if "manifests" not in described:
            break
        described = _json(_blob(find, _items(described, "manifests")[:1]))
    layers = [_blob(find, [one]) for one in _items(described, "layers")]
    return _merged("oci", layers, fill)


def _items(described: Any, key: str) -> list[Any]:
    found = described.get(key) if isinstance(described, dict) else None
    if not isinstance(found, list):
        raise DamagedImage(f"a manifest of the OCI layout has no {key}")
    return found


def _blob(find: Callable[[str], Source | None], descriptors: list[Any]) -> Source:
    """The content that the first of the descriptors is of."""
    first = descriptors[0] if descriptors else None
    digest = first.get("digest") if isinstance(first, dict) else None
    method, _, value = str(digest).partition(":")
    if not (method.isalnum() and value.isalnum()):
        raise DamagedImage("a descriptor of the OCI layout names no content")
    found = find(f"blobs/{method}/{value}")
    if found is None:
        raise DamagedImage(f"the OCI layout lacks the content {digest}")
    return found


def _merged(kind: str, sources: list[Source], fill: Fill) -> Archive:
    made = Archive(kind)
    for source in sources:
        fill(made, unwrap(source), layer=True)
    return made


def _json(source: Source) -> Any:
    if source.size > _LARGEST_JSON:
        raise DamagedImage("a description in the container image is too long")
    try:
        found = json.loads(source.read(0, source.size))
    except (ValueError, RecursionError):
        raise DamagedImage("a description in the container image is damaged") from None
    if not isinstance(found, (dict, list)):
        raise DamagedImage("a description in the container image is damaged")
    return found
