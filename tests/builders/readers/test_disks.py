"""Disks out of their formats: what is read is what was written, and damage is told."""

from __future__ import annotations

import re
import uuid as uuids
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.errors import BuilderError
from builders.plan import Plan
from builders.readers.source import CutShort, FileSource, NotReadable
from builders.readers.wrappers import unwrap
from builders.sinks import output
from tests.builders.sinks.qemu import NEEDS_QEMU, qemu_img
from tests.builders.sinks.test_raw import expected, plans

MIB = 1 << 20
UUID = uuids.UUID("12345678-9abc-4def-8123-456789abcdef")
FORMATS = [
    ("raw", None),
    ("raw", "zstd"),
    ("qcow2", None),
    ("qcow2", "zstd"),
    ("qcow2", "zlib"),
    ("qcow2", "gzip"),
    ("vmdk", None),
    ("vhd", None),
    ("vhd", "xz"),
    ("vhdx", None),
]


@settings(max_examples=4, deadline=None)
@given(plans())
def test_every_format_is_the_disk_in_it(case: tuple[Plan, bytes]) -> None:
    plan, source = case
    plan.size = max(plan.size, 512)
    data = expected(plan, source)
    data += bytes(-len(data) % 512)
    with TemporaryDirectory() as name:
        Path(name, "source").write_bytes(source)
        for image_format, compression in FORMATS:
            image = Path(name, f"{image_format}-{compression}")
            output.write(
                plan,
                image,
                lambda each: Path(name, each),
                image_format=image_format,
                compression=compression,
                uuid=UUID,
            )
            disk = unwrap(FileSource(image))
            size = plan.size if image_format == "raw" else len(data)
            assert disk.size == size
            for start in range(0, size, 3 * MIB + 7):
                length = min(3 * MIB + 7, size - start)
                assert disk.read(start, length) == data[start : start + length]


@NEEDS_QEMU
@pytest.mark.parametrize(
    "options",
    [
        ["vmdk"],
        ["vmdk", "-o", "subformat=streamOptimized"],
        ["vpc", "-o", "subformat=fixed,force_size=on"],
    ],
)
def test_images_of_qemu_are_read(options: list[str], tmp_path: Path) -> None:
    data = bytearray(40 * MIB)
    data[5 * MIB : 6 * MIB] = bytes(range(256)) * 4096
    data[-3:] = b"end"
    (tmp_path / "raw").write_bytes(data)
    qemu_img("convert", "-f", "raw", "-O", *options, tmp_path / "raw", tmp_path / "image")
    disk = unwrap(FileSource(tmp_path / "image"))
    assert disk.read(0, disk.size) == data


@NEEDS_QEMU
def test_what_is_not_read_says_how_to_go_on(tmp_path: Path) -> None:
    qemu_img("create", "-f", "vpc", tmp_path / "image", "10M")
    with pytest.raises(NotReadable, match="fixed size") as caught:
        unwrap(FileSource(tmp_path / "image"))
    assert "qemu-img convert" in str(caught.value.hint)


class Bytes:
    """A source in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        if not 0 <= offset <= offset + length <= self.size:
            raise CutShort(offset, length, self.size)
        return self._data[offset : offset + length]


@cache
def good(kind: str) -> tuple[bytes, list[int]]:
    """An image, and where its first bytes are that are not zero."""
    image_format, _, compression = kind.partition(" ")
    plan = Plan(4 * MIB, [(0, b"head"), (MIB - 3, b"middle" * 30_000), (4 * MIB - 3, b"end")])
    with TemporaryDirectory() as name:
        image = Path(name) / "image"
        output.write(
            plan,
            image,
            Path,
            image_format=image_format,
            compression=compression or None,
            uuid=UUID,
        )
        data = image.read_bytes()
    return data, [found.start() for found in re.finditer(rb"[^\0]", data)][:600]


@pytest.mark.parametrize("kind", ["qcow2", "qcow2 zlib", "vmdk", "vhd", "vhdx"])
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damage_is_an_error_of_its_own(kind: str, data: st.DataObject) -> None:
    whole, interesting = good(kind)
    damaged = bytearray(whole[: data.draw(st.sampled_from([None, 70_000]))])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.sampled_from(interesting)) % len(damaged)
        damaged[place] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
    try:
        disk = unwrap(Bytes(bytes(damaged)))
        for start in (0, MIB, disk.size - 512):
            disk.read(start, 512)
    except BuilderError:
        pass
