from __future__ import annotations

import functools
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.debian.version import InvalidVersion, key, satisfies

# In ascending order; the examples of deb-version(7) and what is easily got wrong.
ORDERED = [
    "0~~", "0~~a", "0~", "0", "0.1~rc1-1", "0.1-1~deb12u1", "0.1-1", "0.1-1+b1", "0.1-1.1",
    "0.1+dfsg-1", "0.1.1", "0.9", "0.10", "1.0", "1.0a", "1.0.1", "1:0.1", "2:0~1",
]  # fmt: skip

part = st.text("019aZ.+~", min_size=1, max_size=6)
versions = st.builds(
    lambda epoch, upstream, revision: (
        (f"{epoch}:" if epoch is not None else "") + upstream + (f"-{revision}" if revision else "")
    ),
    st.none() | st.integers(0, 2),
    st.builds(lambda digit, rest: digit + rest, st.sampled_from("0129"), part | st.just("")),
    st.none() | part,
)


def test_versions_are_ordered_as_policy_says() -> None:
    assert sorted(sorted(ORDERED), key=key) == ORDERED
    assert len(set(map(key, ORDERED))) == len(ORDERED)


@pytest.mark.parametrize(("one", "other"), [("1.0", "1.0-0"), ("0:1", "1"), ("1.01", "1.1")])
def test_different_texts_can_be_the_same_version(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize("text", ["", "1.0-", "a:1", ":1", "1 2", "1_2", "1:", "-1", "1.0/2", "ä"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidVersion, match="not a Debian version"):
        key(text)


@pytest.mark.parametrize(
    ("version", "operator", "wanted", "holds"),
    [
        ("1", "<<", "2", True), ("2", "<<", "2", False), ("2", "<=", "2", True),
        ("2", "=", "2-0", True), ("2", ">=", "2", True), ("2", ">>", "2", False),
        ("2.1", ">>", "2", True), ("1", ">=", "2", False),
    ],
)  # fmt: skip
def test_constraints_hold(version: str, operator: str, wanted: str, holds: bool) -> None:
    assert satisfies(version, operator, wanted) is holds


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is the judge")
@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(versions, versions), min_size=20, max_size=40))
def test_dpkg_agrees(pairs: list[tuple[str, str]]) -> None:
    script = 'for r in lt eq gt; do dpkg --compare-versions "$1" $r "$2" && echo $r; done'
    lines = "\n".join(f"f {one} {other}" for one, other in pairs)
    output = subprocess.run(
        ["sh", "-c", f"f() {{ {script}; }}\n{lines}\n"], capture_output=True, text=True, check=False
    ).stdout.split()
    ours = [
        "lt" if key(one) < key(other) else "gt" if key(one) > key(other) else "eq"
        for one, other in pairs
    ]
    assert ours == output


@given(st.lists(versions, max_size=8))
def test_the_order_is_total(texts: list[str]) -> None:
    by_key = sorted(texts, key=key)
    by_pairs = sorted(
        texts,
        key=functools.cmp_to_key(lambda a, b: satisfies(a, ">>", b) - satisfies(a, "<<", b)),
    )
    assert list(map(key, by_key)) == list(map(key, by_pairs))
