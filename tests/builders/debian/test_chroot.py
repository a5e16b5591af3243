"""Programs run in a root, with nothing of it left on the host."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from builders import namespaces
from builders.debian.chroot import Chroot, NamespacesForbidden

PROGRAMS = ("sh", "cat", "true", "false", "chown", "sleep", "touch", "ls", "uname")
ENVIRONMENT = {"PATH": "/usr/bin", "WORD": "given"}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with a shell and a few programs of the host."""
    root = tmp_path_factory.mktemp("template")
    for name in ("dev", "proc", "sys", "run", "tmp", "usr/bin", "usr/sbin"):
        (root / name).mkdir(parents=True)
    (root / "bin").symlink_to("usr/bin")
    if shutil.which("ldd") is None:
        pytest.skip("no ldd to find libraries with")
    for name in PROGRAMS:
        source = shutil.which(name)
        assert source
        shutil.copy(os.path.realpath(source), root / "usr/bin" / name)
        told = subprocess.run(["ldd", source], capture_output=True, text=True, check=False)
        for library in re.findall(r"(/\S+)", told.stdout):
            target = root / library[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                shutil.copy(library, target)
    return root


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "root", symlinks=True)
    return tmp_path / "root"


def shell(root: Path, *scripts: str, masked: tuple[str, ...] = ()) -> tuple[list[int], list[str]]:
    """Exit statuses and output of scripts run one after the other."""
    lines: list[str] = []
    with Chroot(root, masked=masked, on_line=lines.append) as chroot:
        statuses = [chroot.run(["/usr/bin/sh", "-c", script], ENVIRONMENT) for script in scripts]
    return statuses, lines


def test_statuses_and_output_come_back(root: Path) -> None:
    statuses, lines = shell(root, "echo one; echo two >&2", "exit 3", "kill -9 $$", "printf end")
    assert statuses == [0, 3, -9, 0]
    assert lines == ["one", "two", "end"]


def test_a_program_that_is_not_there_says_so(root: Path) -> None:
    lines: list[str] = []
    with Chroot(root, on_line=lines.append) as chroot:
        assert chroot.run(["/usr/bin/nothing"], {}) == 127
    assert lines == ["/usr/bin/nothing: No such file or directory"]


def test_the_environment_is_what_was_given(root: Path) -> None:
    _, lines = shell(root, "echo $WORD $HOME; uname -n; cat; echo > /dev/null; ls /sys")
    assert lines == ["given", "localhost"]


def test_masked_programs_do_nothing(root: Path) -> None:
    shutil.copy(root / "usr/bin/false", root / "usr/sbin/refuse")
    masked = ("/usr/sbin/refuse", "/usr/sbin/absent")
    assert shell(root, "/usr/sbin/refuse", masked=masked)[0] == [0]
    assert shell(root, "/usr/sbin/refuse")[0] == [1]


def test_mounts_are_gone_afterwards_and_files_are_not(root: Path) -> None:
    statuses, _ = shell(root, "touch /tmp/x /run/x /dev/x /x; chown 7:8 /x")
    assert statuses == [0]
    assert [list((root / name).iterdir()) for name in ("tmp", "run", "dev")] == [[], [], []]
    assert (root / "x").stat().st_uid == os.geteuid()


def test_owners_are_recorded(root: Path) -> None:
    with Chroot(root, on_line=print) as chroot:
        assert chroot.run(["/usr/bin/sh", "-c", "touch x; chown 7:8 x"], ENVIRONMENT) == 0
        records = chroot.recorder.records
    status = (root / "x").stat()
    assert (records[status.st_dev, status.st_ino].uid) == 7


def test_there_is_no_network_but_loopback(root: Path) -> None:
    _, lines = shell(root, "cat /proc/net/dev")
    interfaces = [line.split(":")[0].strip() for line in lines if ":" in line]
    assert interfaces == ["lo"]


def test_what_is_left_running_is_ended(root: Path) -> None:
    statuses, lines = shell(root, "sleep 1000 & echo started")
    assert (statuses, lines) == ([0], ["started"])
    # zombies or not, no process has its root there any more
    assert not [
        link
        for link in Path("/proc").glob("[0-9]*/root")
        if os.path.lexists(link) and _target(link) == str(root)
    ]


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def test_an_exception_in_the_supervisor_ends_all(root: Path) -> None:
    class Stop(BaseException):
        pass

    def interrupt(_line: str) -> None:
        raise Stop

    with pytest.raises(Stop), Chroot(root, on_line=interrupt) as chroot:
        chroot.run(["/usr/bin/sh", "-c", "echo x; sleep 1000"], ENVIRONMENT)


def forbid(_flags: int, _uid: int = 0, _gid: int = 0) -> None:
    raise namespaces.NamespaceError(1, "making namespaces: Operation not permitted")


def test_without_user_namespaces_root_goes_on_and_others_are_told(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(namespaces, "unshare_user", forbid)
    if os.geteuid() == 0:
        statuses, lines = shell(root, "touch /x; chown 7:8 /x; ls /tmp; echo done")
        assert (statuses, lines) == ([0], ["done"])
        assert (root / "x").stat().st_uid == 0, "recorded, not done"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NamespacesForbidden) as caught:
        Chroot(root, on_line=print)
    assert "run Kiln as root" in str(caught.value.hint)
