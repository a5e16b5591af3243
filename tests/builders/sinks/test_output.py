"""Every format of disk images, with QEMU as the judge; every compression, with its own tool."""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import subprocess
import uuid as uuids
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from builders.plan import Plan, Segment
from builders.sinks import codecs, compress, output, raw
from tests.builders.sinks.qemu import NEEDS_QEMU, assert_same_disk
from tests.builders.sinks.test_raw import expected, plans

MIB = 1 << 20
UUID = uuids.UUID("12345678-9abc-4def-8123-456789abcdef")
DISKS = [
    ("qcow2", None),
    ("qcow2", "zstd"),
    ("qcow2", "zlib"),
    ("vmdk", None),
    ("vhd", None),
    ("vhdx", None),
]


@NEEDS_QEMU
@settings(max_examples=15, deadline=None)
@given(plans())
def test_a_guest_sees_the_plan_in_every_format(case: tuple[Plan, bytes]) -> None:
    plan, source = case
    if not plan.size:
        plan.size = 512
    with TemporaryDirectory() as directory:
        Path(directory, "source").write_bytes(source)
        for image_format, compression in DISKS:
            image = Path(directory, f"{image_format}-{compression}")
            output.write(
                plan,
                image,
                lambda name: Path(directory, name),
                image_format=image_format,
                compression=compression,
                uuid=UUID,
            )
            assert_same_disk(image, image_format, expected(plan, source))


@pytest.mark.parametrize(
    ("compression", "tool", "library"),
    [("gzip", "gzip", gzip.decompress), ("zstd", "zstd", None), ("xz", "xz", lzma.decompress)],
)
@pytest.mark.parametrize("image_format", ["raw", "vhd"])
def test_tools_unpack_the_same_image(
    compression: str, tool: str, library: object, image_format: str, tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(os.urandom(MIB + 17) + bytes(3 * MIB))
    plan = Plan(
        40 * MIB + 512, [(0, b"head"), (30 * MIB, b"x" * 70_000)], [Segment(MIB, "source", 3, MIB)]
    )
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    for path, method in ((plain, None), (packed, compression)):
        output.write(
            plan,
            path,
            lambda name: tmp_path / name,
            image_format=image_format,
            compression=method,
            uuid=UUID,
        )
    assert packed.stat().st_size < 2 * MIB
    if callable(library):
        assert library(packed.read_bytes()) == plain.read_bytes()
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    with open(packed, "rb") as archive:
        done = subprocess.run([tool, "-dc"], stdin=archive, capture_output=True, check=True)
    assert done.stdout == plain.read_bytes()


def test_a_qcow2_can_be_compressed_as_a_whole(tmp_path: Path) -> None:
    plan = Plan(MIB, [(5, b"data")])
    for name, method in (("plain", None), ("packed", "gzip")):
        output.write(
            plan, tmp_path / name, Path, image_format="qcow2", compression=method, uuid=UUID
        )
    unpacked = gzip.decompress((tmp_path / "packed").read_bytes())
    assert unpacked == (tmp_path / "plain").read_bytes()


@pytest.mark.parametrize(
    ("image_format", "compression", "error", "hint"),
    [
        ("vdi", None, output.UnknownFormat, "qemu-img convert -O vdi"),
        ("qcow", None, output.UnknownFormat, "qcow2"),
        ("raw", "zlib", compress.UnknownCompression, "gzip, zstd, xz"),
        ("raw", "bzip2", compress.UnknownCompression, "gzip, zstd, xz"),
        ("qcow2", "lz4", compress.UnknownCompression, "zlib"),
        ("vmdk", "lz4", compress.UnknownCompression, "zlib"),
    ],
)
def test_what_cannot_be_written_is_refused_before_a_file_is_made(
    image_format: str, compression: str | None, error: type[Exception], hint: str, tmp_path: Path
) -> None:
    with pytest.raises(error) as caught:
        output.write(
            Plan(MIB),
            tmp_path / "image",
            Path,
            image_format=image_format,
            compression=compression,
            uuid=UUID,
        )
    assert hint in (getattr(caught.value, "hint", None) or "")
    assert not (tmp_path / "image").exists()


@pytest.mark.parametrize(
    ("image_format", "compression"),
    [*DISKS, ("raw", None), ("raw", "gzip"), ("raw", "zstd"), ("raw", "xz")],
)
def test_a_failure_leaves_no_file(
    image_format: str, compression: str | None, tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(b"short")
    plan = Plan(MIB, [], [Segment(0, "source", 0, 6)])
    for name, error in (("source", raw.SourceChanged), ("gone", raw.SourceMissing)):
        with pytest.raises(error):
            output.write(
                plan,
                tmp_path / "image",
                lambda _, name=name: tmp_path / name,  # type: ignore[misc]
                image_format=image_format,
                compression=compression,
                uuid=UUID,
            )
        assert not (tmp_path / "image").exists()
    with pytest.raises(raw.CannotWrite):
        output.write(
            Plan(MIB),
            tmp_path / "no" / "image",
            Path,
            image_format=image_format,
            compression=compression,
            uuid=UUID,
        )


@pytest.mark.parametrize(
    ("image_format", "compression", "level"),
    [("qcow2", "zstd", 20), ("qcow2", "zlib", 0), ("vmdk", None, 10), ("raw", "xz", 10)],
)
def test_levels_are_checked(
    image_format: str, compression: str | None, level: int, tmp_path: Path
) -> None:
    with pytest.raises(codecs.BadLevel, match=str(level)):
        output.write(
            Plan(MIB),
            tmp_path / "image",
            Path,
            image_format=image_format,
            compression=compression,
            level=level,
            uuid=UUID,
        )


@pytest.mark.parametrize(("image_format", "compression"), [*DISKS, ("raw", "zstd")])
def test_progress_rises_to_its_total(
    image_format: str, compression: str | None, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    output.write(
        Plan(9 * MIB, [(0, b"a" * 3 * MIB), (8 * MIB, b"end")]),
        tmp_path / "image",
        Path,
        lambda done, total: seen.append((done, total)),
        image_format=image_format,
        compression=compression,
        uuid=UUID,
    )
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1]
