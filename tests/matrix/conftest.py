"""The images that all tests of the matrix look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Folders
from tests.matrix.types import Images, opened


@pytest.fixture(scope="module")
def images(shared_folders: Folders) -> Iterator[Images]:
    """Images of the example, of every type."""
    with opened(shared_folders) as images:
        yield images
