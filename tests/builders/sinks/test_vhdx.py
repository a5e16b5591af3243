"""VHDX: what QEMU reads, checks and says of it; blocks only where there is data."""

from __future__ import annotations

import subprocess
import uuid as uuids
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.plan import Plan, Segment
from builders.readers.source import FileSource
from builders.readers.vhdx import Vhdx
from builders.sinks import raw, vhdx
from tests.builders.sinks.qemu import NEEDS_QEMU, info, qemu_img

MIB = 1 << 20
UUID = uuids.UUID("12345678-9abc-4def-8123-456789abcdef")
SOURCE = bytes(range(1, 256)) * 8300


@st.composite
def sparse(draw: st.DrawFn) -> Plan:
    """A plan with pieces far from each other and next to each other, over borders of blocks."""
    size = draw(st.sampled_from([512, MIB, 5 * MIB + 512, 100 * MIB]))
    starts = draw(st.lists(st.integers(0, size - 1), max_size=8, unique=True))
    around = [start // MIB * MIB + draw(st.sampled_from([-512, -1, 0, 1])) for start in starts]
    places = sorted({place for place in (*starts, *around) if 0 <= place < size})
    plan = Plan(size)
    for place, end in zip(places, [*places[1:], size], strict=False):
        length = min(end - place, draw(st.sampled_from([1, 512, 70_000, 2 * MIB])), len(SOURCE))
        if draw(st.booleans()):
            plan.metadata.append((place, SOURCE[:length]))
        else:
            plan.segments.append(Segment(place, "source", 0, length))
    return plan


@NEEDS_QEMU
@settings(max_examples=12, deadline=None)
@given(plan=sparse())
def test_any_sparse_disk_is_what_qemu_and_kiln_read(plan: Plan) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "source").write_bytes(SOURCE)
        image, reference = folder / "image", folder / "reference"
        raw.write(vhdx.plan(plan, UUID), image, lambda source: folder / source)
        raw.write(plan, reference, lambda source: folder / source)
        qemu_img("check", "-f", "vhdx", image)
        qemu_img("compare", "-f", "raw", "-F", "vhdx", reference, image)
        assert info(image, "vhdx")["virtual-size"] == -(-plan.size // 512) * 512
        file, original = FileSource(image), FileSource(reference)
        disk = Vhdx(file)
        assert disk.size == -(-plan.size // 512) * 512
        ends = {0, plan.size // MIB * MIB}
        ends |= {place[0] // MIB * MIB for place in (*plan.metadata, *plan.segments)}
        for start in ends:
            length = min(2 * MIB, plan.size - start)
            assert disk.read(start, length) == original.read(start, length)
        file.close()
        original.close()


@NEEDS_QEMU
@pytest.mark.parametrize("size", [4 << 40, 64 << 40])
def test_terabytes_with_little_in_them_are_small(size: int, tmp_path: Path) -> None:
    """Bitmaps' entries lie between those of the blocks from 4 GiB on; blocks are larger."""
    places = [0, (4 << 30) - 1, (8 << 30) + 5, size // 2, size - 4]
    plan = Plan(size, [(place, b"data") for place in places])
    image = tmp_path / "image"
    raw.write(vhdx.plan(plan, UUID), image, Path)
    qemu_img("check", "-f", "vhdx", image)
    assert image.stat().st_size <= 16 * MIB + 6 * vhdx.block_size(size)
    reads = [word for place in places for word in ("-c", f"read -P {ord('d')} {place} 1")]
    done = subprocess.run(
        ["qemu-io", "-r", "-f", "vhdx", *reads, image], check=True, capture_output=True, text=True
    )
    assert "failed" not in done.stdout
    disk = Vhdx(FileSource(image))
    assert [disk.read(place, 4) for place in places] == [b"data"] * len(places)


def test_a_vhdx_says_so_if_the_disk_is_too_large() -> None:
    with pytest.raises(vhdx.TooLargeForVhdx, match="70,368,744,177,665"):
        vhdx.plan(Plan((64 << 40) + 1), UUID)


@NEEDS_QEMU
def test_a_vhdx_of_qemu_is_read(tmp_path: Path) -> None:
    reference = tmp_path / "reference"
    plan = Plan(300 * MIB, [(0, b"head"), (100 * MIB - 7, SOURCE), (300 * MIB - 1, b"z")])
    raw.write(plan, reference, Path)
    for options in ([], ["-o", "subformat=fixed"], ["-o", "block_size=2097152"]):
        image = tmp_path / "image"
        qemu_img("convert", "-O", "vhdx", *options, reference, image)
        disk, original = Vhdx(FileSource(image)), FileSource(reference)
        assert disk.size == original.size
        for start in range(0, disk.size, 5 * MIB):
            assert disk.read(start, 5 * MIB) == original.read(start, 5 * MIB)
        image.unlink()


def test_the_bytes_follow_from_the_plan_and_the_uuid() -> None:
    plan = Plan(5 * MIB, [(MIB, b"data")])
    one, same, other = (vhdx.plan(plan, uuid) for uuid in (UUID, UUID, uuids.UUID(int=1)))
    assert one == same != other
