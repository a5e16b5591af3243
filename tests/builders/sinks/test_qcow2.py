"""qcow2 files: allocation, tables at their limits, the same bytes however many threads."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import pytest

from builders.plan import Plan, Segment
from builders.sinks import qcow2, raw
from tests.builders.sinks.qemu import NEEDS_QEMU, assert_same_disk, info, qemu_img
from tests.builders.sinks.test_raw import expected

MIB = 1 << 20
GIB = 1 << 30
CLUSTER = qcow2.CLUSTER
NOISE = random.Random(5).randbytes(3 * MIB)


@NEEDS_QEMU
@pytest.mark.parametrize("compression", [None, *qcow2.COMPRESSIONS])
def test_clusters_without_data_are_not_allocated(compression: str | None, tmp_path: Path) -> None:
    image = tmp_path / "image"
    plan = Plan(GIB, [(CLUSTER - 1, b"ab"), (10 * CLUSTER, b"c" * CLUSTER), (GIB - 1, b"z")])
    qcow2.write(plan, image, Path, compression=compression)
    checked = json.loads(qemu_img("check", "--output=json", "-f", "qcow2", image))
    assert checked["allocated-clusters"] == 4
    found = json.loads(qemu_img("map", "--output=json", "-f", "qcow2", image))
    present = [(each["start"], each["length"]) for each in found if each["present"]]
    clusters = {
        cluster
        for start, length in present
        for cluster in range(start // CLUSTER, (start + length - 1) // CLUSTER + 1)
    }
    assert clusters == {0, 1, 10, GIB // CLUSTER - 1}


@NEEDS_QEMU
@pytest.mark.parametrize("compression", qcow2.COMPRESSIONS)
def test_what_does_not_get_smaller_is_stored_plainly_and_zeros_not_at_all(
    compression: str, tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(NOISE)
    plan = Plan(
        8 * MIB,
        [(4 * MIB, bytes(MIB)), (6 * MIB, b"text" * 100_000)],
        [Segment(4096, "source", 0, 2 * MIB)],
    )
    image = tmp_path / "image"
    qcow2.write(plan, image, lambda name: tmp_path / name, compression=compression)
    assert_same_disk(image, "qcow2", expected(plan, NOISE))
    allocated = json.loads(qemu_img("check", "--output=json", "-f", "qcow2", image))
    assert allocated["allocated-clusters"] == 33 + 7
    assert allocated["compressed-clusters"] == 7 + 2  # with the first and last part of the noise
    name = info(image, "qcow2")["format-specific"]["data"]["compression-type"]
    assert name == compression


@pytest.mark.parametrize("compression", qcow2.COMPRESSIONS)
def test_the_number_of_threads_changes_nothing(compression: str, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(NOISE + b"text " * MIB)
    plan = Plan(64 * MIB, [(0, b"head")], [Segment(MIB, "source", 0, 7 * MIB)])
    images = []
    for threads in (1, 2, 5):
        path = tmp_path / f"image-{threads}"
        qcow2.write(
            plan, path, lambda name: tmp_path / name, compression=compression, threads=threads
        )
        images.append(path.read_bytes())
    assert images[0] == images[1] == images[2]


@NEEDS_QEMU
@pytest.mark.parametrize("compression", [None, "zstd"])
def test_terabytes_with_little_in_them_are_small(compression: str | None, tmp_path: Path) -> None:
    size = 3 << 40
    edge = 512 * MIB  # what one table of the second level reaches
    places = [0, edge - 300, edge, 700 * GIB + 5, size - 600]
    plan = Plan(size, [(place, b"%d" % place * 40) for place in places])
    image = tmp_path / "image"
    qcow2.write(plan, image, Path, compression=compression)
    assert image.stat().st_size < 2 * MIB
    qemu_img("check", "-f", "qcow2", image)
    raw.write(plan, tmp_path / "raw", Path)
    qemu_img("compare", "-f", "raw", "-F", "qcow2", tmp_path / "raw", image)


@NEEDS_QEMU
def test_more_clusters_than_one_block_of_reference_counts_holds(tmp_path: Path) -> None:
    plan = Plan(3 * GIB, [(number * CLUSTER + 77, b"%d" % number) for number in range(1, 40_000)])
    image = tmp_path / "image"
    qcow2.write(plan, image, Path)
    qemu_img("check", "-f", "qcow2", image)
    raw.write(plan, tmp_path / "raw", Path)
    qemu_img("compare", "-f", "raw", "-F", "qcow2", tmp_path / "raw", image)


def test_the_plan_of_a_file_is_in_order_and_keeps_places_within_clusters() -> None:
    source = Plan(
        GIB,
        [(0, b"head"), (5 * CLUSTER + 512, b"x"), (900 * MIB, b"y")],
        [Segment(5 * CLUSTER + 4096, "a", 8192, 3 * CLUSTER), Segment(800 * MIB, "b", 0, 4096)],
    )
    plan = qcow2.plan(source)
    starts = [offset for offset, _ in plan.metadata]
    assert starts == sorted(starts)
    assert [segment.offset % CLUSTER for segment in plan.segments] == [4096, 0]
    assert plan.segments[0].length == 3 * CLUSTER
    pieces = sorted(
        [(offset, offset + len(data)) for offset, data in plan.metadata]
        + [(each.offset, each.offset + each.length) for each in plan.segments]
    )
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(pieces))
    assert pieces[-1][1] <= plan.size


def test_pieces_without_bytes_take_no_place() -> None:
    empty = Plan(GIB, [(GIB - 1, b"")], [Segment(MIB, "a", 0, 0)])
    assert qcow2.plan(empty) == qcow2.plan(Plan(GIB))
