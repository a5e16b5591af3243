"""Sandboxes where there may be no user namespaces: other ways to the same bytes, or a clear no."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from builders.registry import SOURCE_ROOT

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other ways")

PROGRAM = r"""
import ctypes, os, platform, struct, sys
from pathlib import Path
from builders import namespaces as ns

base, way = Path(sys.argv[1]), sys.argv[2]

def forbid_user_namespaces():
    "A seccomp filter like those of containers: unshare(CLONE_NEWUSER) gives EPERM."
    number = {"x86_64": 272, "aarch64": 97}[platform.machine()]
    code = [(0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 16), (0x45, 0, 1, ns.NEWUSER),
            (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("@HBBI", *one) for one in code))
    header = struct.pack("@HP", len(code), ctypes.addressof(program))
    assert ns._libc.prctl(22, 2, ctypes.create_string_buffer(header), 0, 0) == 0

def go_into_chroot():
    "Into a directory that is no mount of its own, in a mount that others would see changes of."
    ns.unshare(ns.NEWNS)
    ns.make_private()
    ns.mount("tmpfs", base, "tmpfs")
    ns.mount("none", base, "", 1 << 20)  # shared
    if os.fork():
        status = os.wait()[1]
        inner = [line.split()[4] for line in open("/proc/self/mountinfo")]
        assert not [place for place in inner if place.startswith(f"{base}/root/tmp")], inner
        os._exit(os.waitstatus_to_exitcode(status))
    ns.unshare(ns.NEWNS)
    root = base / "root"
    for name in os.listdir("/"):
        source, place = Path("/", name), root / name
        root.mkdir(exist_ok=True)
        if source.is_symlink():
            place.symlink_to(source.readlink())
        elif source.is_dir():
            place.mkdir()
            if name != "tmp":
                ns.mount(source, place, "", ns.MS_BIND | ns.MS_REC)
    os.chroot(root)
    os.chdir("/")

if way in ("filter", "filter-without-capability"):
    forbid_user_namespaces()
elif way == "chroot":
    go_into_chroot()
    base = Path("/tmp")
elif way == "rootfs":
    def refuse(new, old):
        raise ns.NamespaceError(22, "changing the root: Invalid argument")
    ns._pivot_root = refuse
if way == "filter-without-capability":
    kept = [number for number in range(32) if number != ns.CAP_SYS_ADMIN]
    ns.drop_capabilities(*kept)

from builders.derivation import Derivation
from builders.errors import BuilderError
from builders.realise import realise
from builders.sandbox import Bind, run
from builders.store import Store

native, shown = base / "native", base / "shown"
native.mkdir()
(native / "usr").symlink_to("/usr")
shown.mkdir()
say = "id; umask; pwd; find / -xdev -printf '%M %U %G %p %l\\n' | sort;"
say += "grep Cap /proc/self/status; tail -n +3 /proc/net/dev | cut -d: -f1; wc -l </proc/1/mounts;"
say += "echo x >/proc/sys/kernel/hostname; echo x >/usr/x; touch /out/made;"
say += "chown 7 /out 2>/dev/null || echo kept"
try:
    status = run(["sh", "-c", say], roots=[native], binds=[Bind(shown, "/out", True)],
                 on_line=print)
    print(status, (shown / "made").stat().st_uid)
    code = '''(let ((out (getenv "out")))
      (mkdir out)
      (mkdir (string-append out "/bin"))
      (symlink (string-append out "/bin") (string-append out "/link"))
      (call-with-output-file (string-append out "/bin/x")
        (lambda (port) (write (list (getcwd) (getenv "PATH")) port)))
      (chmod (string-append out "/bin/x") #o755))'''
    with Store(base / "store") as store:
        built = Derivation("built", "staged", {"expression": code}, (), ())
        realise([built], store)
        made = store.real(built.path)
        for path in sorted(made.rglob("*")):
            kind = path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()
            print(path.relative_to(made), oct(path.lstat().st_mode), kind)
except BuilderError as error:
    print(f"{type(error).__name__}: {error.message}\nhint: {error.hint}")
"""


def told(way: str, base: Path) -> list[str]:
    """What a program in a sandbox sees, and what a staged build makes, in one of the ways."""
    base.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, base, way],
        env={**os.environ, "PYTHONPATH": str(SOURCE_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """With a user namespace."""
    return told("usual", tmp_path_factory.mktemp("usual") / "base")


@pytest.mark.parametrize("way", ["filter", "chroot", "rootfs"])
def test_all_ways_show_and_make_the_same(way: str, usual: list[str], tmp_path: Path) -> None:
    assert len(usual) > 30
    assert any(line.startswith("bin/x") for line in usual)
    assert told(way, tmp_path / "base") == usual


def test_without_the_capability_it_is_told_what_helps(tmp_path: Path) -> None:
    said, hint = told("filter-without-capability", tmp_path / "base")
    assert said.startswith("SandboxUnavailable: the kernel refuses a build sandbox")
    assert "--cap-add SYS_ADMIN" in hint
