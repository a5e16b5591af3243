"""The builder "disk-image" in each format: the same disk."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from builders import image, mtree
from builders.registry import Build
from builders.sinks import codecs, compress, output
from builders.tree import Entry
from tests.builders.sinks.qemu import NEEDS_QEMU, assert_same_disk

MIB = 1 << 20
UUID = "12345678-9abc-4def-8123-456789abcdef"
TREE = "/kiln/store/t-system"


def built(store: Path, **arguments: Any) -> Path:
    item = store / "t-system"
    if not item.exists():
        item.mkdir(parents=True)
        entries = [Entry("", "d", 0o755), Entry("motd", "f", 0o644, size=6, ref=b"hello\n")]
        (item / "manifest").write_text(mtree.write(entries))
    root = {
        "file_system": "ext4",
        "tree": TREE,
        "size": None,
        "offset": None,
        "alignment": MIB,
        "label": "root",
        "name": "root",
        "uuid": UUID,
        "partition_uuid": UUID,
        "type": None,
        "flags": ["boot"],
    }
    build = Build(
        name="image",
        arguments={
            "table": "mbr", "size": None, "disk_uuid": UUID, "partitions": [root], **arguments
        },
        output=store / f"image-{json.dumps(arguments, sort_keys=True)}".replace("/", "_"),
        scratch=store,
        store=store,
    )  # fmt: skip
    image.disk_image(build)
    return build.output


@NEEDS_QEMU
@pytest.mark.parametrize(
    ("image_format", "compression"),
    [
        ("qcow2", None),
        ("qcow2", "zstd"),
        ("qcow2", "zlib"),
        ("vmdk", None),
        ("vhd", None),
        ("vhdx", None),
    ],
)
def test_every_format_holds_the_disk(
    image_format: str, compression: str | None, tmp_path: Path
) -> None:
    raw = built(tmp_path).read_bytes()
    image = built(tmp_path, format=image_format, compression=compression)
    assert_same_disk(image, image_format, raw)
    assert image.stat().st_blocks * 512 < len(raw)


@NEEDS_QEMU
@pytest.mark.parametrize("image_format", ["qcow2", "vmdk", "vhd", "vhdx"])
def test_every_format_can_be_packed_whole(image_format: str, tmp_path: Path) -> None:
    raw = built(tmp_path).read_bytes()
    packed = built(tmp_path, format=image_format, compression="gzip")
    image = tmp_path / f"unpacked.{image_format}"
    image.write_bytes(gzip.decompress(packed.read_bytes()))
    assert_same_disk(image, image_format, raw)


def test_a_raw_image_can_be_packed(tmp_path: Path) -> None:
    packed = built(tmp_path, compression="gzip")
    assert gzip.decompress(packed.read_bytes()) == built(tmp_path, format="raw").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"format": "vdi"}, output.UnknownFormat),
        ({"format": "vhd", "level": 3}, codecs.LevelWithoutCompression),
        ({"format": "vmdk", "compression": "lzo"}, compress.UnknownCompression),
    ],
)
def test_a_format_that_is_not_known_is_an_error(
    arguments: dict[str, Any], error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error):
        built(tmp_path, **arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["t-system"]
