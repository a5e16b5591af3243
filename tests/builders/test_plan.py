"""Plans beside each other."""

from __future__ import annotations

from builders.plan import Plan, Segment, data_size, join


def test_joining_shifts_each_part_and_sorts() -> None:
    one = Plan(10, [(1, b"a"), (5, b"bc")], [Segment(2, "s", 7, 3)])
    two = Plan(10, [(0, b"z")], [Segment(4, "t", 0, 1)])
    joined = join(100, [(50, one), (20, two)])
    assert joined == Plan(
        100,
        [(20, b"z"), (51, b"a"), (55, b"bc")],
        [Segment(24, "t", 0, 1), Segment(52, "s", 7, 3)],
    )
    assert data_size(joined) == 8
