"""The sandbox: what a program in it sees, and all that it does not."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders import isolation, sandbox_root
from builders.registry import SOURCE_ROOT
from builders.sandbox import Bind, CannotRun, SandboxUnavailable, TimedOut, run

Script = Callable[..., tuple[int, list[str]]]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A native item: the host's own /usr serves."""
    item = tmp_path_factory.mktemp("host")
    (item / "usr").symlink_to("/usr")
    return [item]


@pytest.fixture(scope="module")
def script(host: list[Path]) -> Script:
    """Runs a shell script in a sandbox; gives its status and what it wrote."""

    def run_script(text: str, **options: Any) -> tuple[int, list[str]]:
        lines: list[str] = []
        status = run(["sh", "-c", text], roots=host, on_line=lines.append, **options)
        return status, lines

    return run_script


def test_the_exit_status_and_the_lines_come_back(script: Script) -> None:
    status, lines = script("echo one; echo two >&2; printf three; exit 7")
    assert (status, lines) == (7, ["one", "two", "three"])
    assert script("kill -9 $$")[0] == 137


def test_the_environment_is_fixed(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    _status, lines = script("env; umask", env={"MORE": "1", "TZ": "UTC0"})
    assert sorted(
        line for line in lines if not line.startswith(("PWD", "_=", "OLDPWD", "SHLVL"))
    ) == [
        "0022",
        "HOME=/homeless",
        "LC_ALL=C.UTF-8",
        "MORE=1",
        "PATH=/usr/bin:/usr/sbin",
        "SOURCE_DATE_EPOCH=1",
        "TERM=dumb",
        "TMPDIR=/tmp",
        "TZ=UTC0",
    ]


def test_nothing_of_the_host_shows(script: Script) -> None:
    _status, lines = script("hostname; id -u; pwd; ls /; ls /tmp /home /root 2>&1; echo $$")
    names = [
        "bin",
        "build",
        "dev",
        "etc",
        "lib",
        "lib64",
        "proc",
        "run",
        "sbin",
        "tmp",
        "usr",
        "var",
    ]
    assert lines[:3] == ["localhost", "0", "/build"]
    assert lines[3 : 3 + len(names)] == names
    assert int(lines[-1]) < 10


def test_there_is_no_network_but_the_loopback(script: Script) -> None:
    _status, lines = script("tail -n +3 /proc/net/dev | cut -d: -f1")
    assert [line.strip() for line in lines] == ["lo"]
    code = (
        "import socket; server = socket.create_server(('127.0.0.1', 0));"
        "socket.create_connection(server.getsockname()); print('ok')"
    )
    if Path("/usr/bin/python3").exists():
        assert script(f'python3 -c "{code}"')[1] == ["ok"]


def test_binds_are_read_only_unless_told(script: Script, tmp_path: Path) -> None:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "in/file").write_text("data")
    (tmp_path / "link").symlink_to("in/file")
    binds = [
        Bind(tmp_path / "out", "/some/where/out", True),
        Bind(tmp_path / "in", "/some/where/out/in"),
        Bind(tmp_path / "in/file", "/etc/file"),
        Bind(tmp_path / "link", "/link"),
    ]
    status, lines = script(
        "cat /etc/file; readlink /link; echo x >/some/where/out/new;"
        "echo x >/some/where/out/in/file; echo x >/etc/file; rm -f /usr/bin/env;"
        "mount -o remount,rw /usr 2>/dev/null; test -x /usr/bin/env",
        binds=binds,
    )
    assert status == 0
    assert lines[0] == "datain/file"
    assert sum("Read-only" in line for line in lines) == 3
    assert (tmp_path / "out/new").read_text() == "x\n"
    assert (tmp_path / "in/file").read_text() == "data"


def test_a_missing_bind_or_command_is_an_error_with_its_name(
    host: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(CannotRun, match="nowhere"):
        run(["true"], roots=host, binds=[Bind(tmp_path / "nowhere", "/x")])
    with pytest.raises(CannotRun, match="no-such-program"):
        run(["no-such-program"], roots=host)


def test_several_items_are_one_usr(host: list[Path], tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "usr/share/both").mkdir(parents=True)
        (tmp_path / name / "usr/share/both" / name).write_text(name)
        (tmp_path / name / "usr/first").write_text(name)
    lines: list[str] = []
    run(
        ["sh", "-c", "cat /usr/share/both/* /usr/first; ls -A /; echo x > /usr/first"],
        roots=[tmp_path / "a", tmp_path / "b", *host],
        on_line=lines.append,
    )
    assert lines[0].startswith("aba")
    assert ".lower" not in lines
    assert (tmp_path / "a/usr/first").read_text() == "a"


def test_a_link_farm_looks_like_an_overlay(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "d/only").mkdir(parents=True)
        (tmp_path / name / "d" / name).write_text(name)
        (tmp_path / name / "f").write_text(name)
    (tmp_path / "a/l").symlink_to("d/b")
    (tmp_path / "farm").mkdir()
    sandbox_root.link_farm([tmp_path / "a", tmp_path / "b"], tmp_path / "farm")
    assert sorted(one.name for one in (tmp_path / "farm/d").iterdir()) == ["a", "b", "only"]
    assert (tmp_path / "farm/f").read_text() == "a"
    assert (tmp_path / "farm/l").read_text() == "b"


def test_items_may_have_configuration_and_more_can_be_put_in(
    host: list[Path], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "usr").mkdir(parents=True)
        (tmp_path / name / "etc/d").mkdir(parents=True)
        (tmp_path / name / "etc/d" / name).write_text(name)
        (tmp_path / name / "etc/both").write_text(name)
        (tmp_path / name / "etc/passwd").write_text(name)
    lines: list[str] = []
    command = "cat /etc/d/* /etc/both /etc/more; grep -c root /etc/passwd"
    run(
        ["sh", "-c", command],
        roots=[tmp_path / "a", tmp_path / "b", *host],
        binds=[Bind(tmp_path / "a/etc/both", "/etc/more")],
        on_line=lines.append,
    )
    assert lines == ["abaa1"]


def test_the_program_owns_its_files_and_has_no_capabilities(script: Script, tmp_path: Path) -> None:
    status, lines = script(
        "id -u; grep Cap /proc/self/status; stat -c %u /out; echo x >/out/x;"
        "mount -t tmpfs x /tmp 2>/dev/null",
        binds=[Bind(tmp_path, "/out", True)],
    )
    assert status != 0
    assert (lines[0], lines[-1]) == ("0", "0")
    assert [int(line.split()[1], 16) for line in lines[1:-1]] == [0] * 5


def test_a_deadline_is_kept_and_nothing_survives_it(script: Script, tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(TimedOut):
        script(
            "(sleep 1; echo late >/out/late) & sleep 60",
            timeout=0.4,
            binds=[Bind(tmp_path, "/out", True)],
        )
    assert time.monotonic() - start < 30
    time.sleep(1)
    assert not (tmp_path / "late").exists()


def test_background_processes_end_with_the_program(script: Script, tmp_path: Path) -> None:
    script(
        "(sleep 0.5; echo late >/out/late) >/dev/null 2>&1 &", binds=[Bind(tmp_path, "/out", True)]
    )
    time.sleep(0.8)
    assert not (tmp_path / "late").exists()


def test_it_works_in_a_process_with_many_threads(script: Script) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def work(number: int) -> int:
        return script(f"exit {number}")[0]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [0, 1, 2, 3]


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root to drop")
def test_it_works_for_an_ordinary_user_just_so() -> None:
    python = next(
        (p for p in ("/usr/bin/python3", sys.executable) if _at_least_3_11(Path(p))), None
    )
    if python is None:
        pytest.skip("no interpreter that another user could run")
    code = (
        "import tempfile; from pathlib import Path; from builders.sandbox import *\n"
        "with tempfile.TemporaryDirectory() as item:\n"
        "    Path(item, 'usr').symlink_to('/usr')\n"
        "    print(run(['sh', '-c', 'id -u; echo x >/tmp/x; echo x >/usr/x; hostname'],"
        " roots=[Path(item)], on_line=print))"
    )
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", python, "-c", code],
        env={"PYTHONPATH": str(SOURCE_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == "0"
    assert "Read-only" in lines[1]
    assert lines[2:] == ["localhost", "0"]


def _at_least_3_11(python: Path) -> bool:
    if not python.exists() or str(python.resolve()).startswith("/root"):
        return False
    code = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([python, "-c", code], check=False).returncode == 0


def test_a_kernel_that_refuses_is_reported_with_what_to_do() -> None:
    # Within a sandbox whose user has no capabilities left there can be no further namespaces
    # once the limit is 0; the limit is per user namespace, so setting it is allowed there.
    from builders.sandbox import _trouble

    told = {"what": "making namespaces: no", "command": "x", "advice": isolation.advice(1)}
    error = _trouble({"setup": True, "errno": 1, **told})
    assert isinstance(error, SandboxUnavailable)
    assert "namespaces" in error.message
    assert error.hint
