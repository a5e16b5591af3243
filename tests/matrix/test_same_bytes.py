"""The same input gives the same bytes, whatever the type of the image."""

from __future__ import annotations

import pytest

from builders.realise import realise, rebuild
from tests.matrix.types import Images, closure

pytestmark = pytest.mark.archive

ELSEWHERE = {"fetch", "unpack-deb", "debian-root"}
"""Builders whose outputs are compared in their own tests, or given by a hash."""


def test_every_type_and_all_that_it_is_made_of_is_the_same_twice(images: Images) -> None:
    wanted = [images.derivation(kind) for kind in images.kinds]
    realise(wanted, images.store)
    rebuild([one for one in closure(wanted) if one.builder not in ELSEWHERE], images.store)
