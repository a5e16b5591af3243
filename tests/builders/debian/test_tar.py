"""Archives as others write them, read back."""

import io
import tarfile

import pytest

from builders.debian.tar import Stream, headers


def times(archive: bytes) -> list[int]:
    return [header.mtime for header in headers(Stream(iter([archive])))]


def archived(*mtimes: float, format: int) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=format) as archive:
        for number, mtime in enumerate(mtimes):
            entry = tarfile.TarInfo(f"file{number}")
            entry.mtime = mtime
            archive.addfile(entry)
    return made.getvalue()


def test_times_before_1970_with_fractions() -> None:
    archive = archived(-1.5, -0.25, 0.75, 2.5, -3, format=tarfile.PAX_FORMAT)
    assert times(archive) == [-1_500_000_000, -250_000_000, 750_000_000, 2_500_000_000, -3 * 10**9]


@pytest.mark.parametrize("seconds", [-1, -(1 << 40), 1 << 40, 8**11 - 1, 8**11])
def test_times_that_gnu_tar_writes_in_base_256(seconds: int) -> None:
    archive = archived(seconds, format=tarfile.GNU_FORMAT)
    assert times(archive) == [seconds * 1_000_000_000]
