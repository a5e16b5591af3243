"""What tests share: one folder for downloads and built items, and Kiln run as a user would."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

# A shell ignores interrupts for what it runs in the background, and programs inherit that: the
# tests of Ctrl-C need it undone.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
NOBODY = 65534


@dataclass(frozen=True)
class Folders:
    """Where a user of Kiln keeps things; `owner` is a user id, None for whoever runs the tests."""

    base: Path
    owner: int | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The variables that send Kiln there."""
        return {
            "HOME": str(self.base),
            "KILN_STORE": str(self.base / "store"),
            "XDG_CACHE_HOME": str(self.base / "cache"),
        }


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def result(self) -> Path:
        """The path in the last line of output."""
        assert self.status == 0, self.err
        return Path(self.out.splitlines()[-1])


CACHE = Path(
    os.environ.get("KILN_TEST_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kiln-tests"
)
IMAGES_KEPT = 12 << 30
"""How many bytes the images of earlier runs may take before they are thrown away."""


def pytest_sessionstart(session: pytest.Session) -> None:
    """Make room: images of code that has changed since are never used again."""
    if not hasattr(session.config, "workerinput"):
        discard_images(CACHE / "kiln/store")


def discard_images(root: Path) -> None:
    """Remove the images from the store at `root` if they have become many."""
    from builders.store import Store, StoreBusy

    images = {*root.glob("*-disk.*"), *root.glob("*-root.squashfs"), *root.glob("*-root.cpio")}
    if sum(one.stat().st_blocks * 512 for one in images) > IMAGES_KEPT:
        with Store(root) as store, contextlib.suppress(StoreBusy):
            names = {one.name for one in images}
            kept = [path for path in store.paths() if path.rpartition("/")[2] not in names]
            store.collect_garbage(keep=kept)


RunKiln = Callable[..., Ended]


@pytest.fixture(scope="session")
def test_cache() -> Path:
    """The folder that outlives test runs: $KILN_TEST_CACHE."""
    CACHE.mkdir(parents=True, exist_ok=True)
    return CACHE


@pytest.fixture(scope="session")
def shared_folders(test_cache: Path) -> Folders:
    """Folders whose store keeps what earlier tests built."""
    return Folders(test_cache / "kiln")


@pytest.fixture(scope="session")
def run_kiln(shared_folders: Folders) -> RunKiln:
    """Runs `kiln ARGUMENT...` in a process of its own, in the shared folders by default."""

    def run(
        *arguments: str | Path,
        folders: Folders = shared_folders,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 800,
    ) -> Ended:
        folders.base.mkdir(parents=True, exist_ok=True)
        # set by env(1), not for setpriv(1): a preloaded library is for Kiln alone
        settings = [f"{name}={value}" for name, value in (env or {}).items()]
        command = ["env", *settings, sys.executable, "-m", "kiln", *map(str, arguments)]
        if folders.owner is not None:
            os.chown(folders.base, folders.owner, folders.owner)
            command = as_user(folders.owner, command)
        done = subprocess.run(
            command,
            cwd=cwd or ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **folders.environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


def as_user(uid: int, command: list[str]) -> list[str]:
    """The command, run as another user, by root."""
    return [
        "setpriv",
        f"--reuid={uid}",
        f"--regid={uid}",
        "--clear-groups",
        "--inh-caps=-all",
        *command,
    ]


@pytest.fixture(scope="session")
def ordinary_folders(shared_folders: Folders) -> Folders:
    """Folders of an ordinary user: nobody when root runs the tests, else that of whoever does."""
    if os.geteuid() != 0:
        return shared_folders
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed: cannot become an ordinary user")
    base = Path("/var/tmp") / "kiln-tests-nobody"
    base.mkdir(parents=True, exist_ok=True)
    probe = subprocess.run(
        as_user(NOBODY, [sys.executable, "-c", "import lark, kiln"]),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode:
        pytest.skip(f"an ordinary user cannot run this Python: {probe.stderr.strip()[-200:]}")
    return Folders(base, NOBODY)
