"""Calls that one user may not make, recorded; the kernel, as root, is the judge."""

# ruff: noqa: PTH101, PTH104, PTH108, PTH208, PTH211 -- the system calls themselves are tried

from __future__ import annotations

import ctypes
import os
import select
import socket
import stat
import struct
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import namespaces
from builders.debian import seccomp
from builders.debian.recorder import Record, Recorder

CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)
NAMED_ACL = struct.pack("<IHHIHHI", 2, 1, 7, 0xFFFFFFFF, 8, 5, 4)
MODE_ACL = struct.pack("<IHHIHHIHHI", 2, 1, 6, 2**32 - 1, 4, 4, 2**32 - 1, 32, 4, 2**32 - 1)


def recorded(
    action: Callable[[], None], root: Path | None = None, users: dict[int, int] | None = None
) -> dict[int, Record]:
    """Do `action` in another process, under the recorder, in `root`; records by inode number.

    `users` gets the users, with their groups, that the process wanted to become.
    """
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        try:
            namespaces.unshare_user(namespaces.NEWNS)
            listener = seccomp.install()
            socket.send_fds(theirs, [b"x"], [listener])
            os.close(listener)
            if root is not None:
                os.chroot(root)
                os.chdir("/")
            action()
            theirs.send(b"ok")
        except BaseException:
            theirs.send(traceback.format_exc().encode())
        finally:
            os._exit(0)
    theirs.close()
    message, descriptors, _, _ = socket.recv_fds(ours, 65536, 1)
    assert descriptors, message.decode()
    recorder = Recorder(descriptors[0])
    poll = select.poll()
    poll.register(recorder.listener, select.POLLIN)
    poll.register(ours, select.POLLIN)
    said = b""
    while not said:
        for descriptor, events in poll.poll():
            if descriptor == recorder.listener and events & select.POLLIN:
                recorder.answer()
            elif descriptor == ours.fileno():
                said = ours.recv(65536)
    os.waitpid(child, 0)
    ours.close()
    recorder.close()
    assert said == b"ok", said.decode()
    if users is not None:
        users.update(recorder.switched)
    return {inode: record for (_, inode), record in recorder.records.items()}


def owner_of(records: dict[int, Record], path: Path) -> tuple[int, int]:
    record = records.get(os.lstat(path).st_ino, Record())
    return record.uid, record.gid


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        Path(name).write_text(name)
    Path("d").mkdir()
    Path("d/f").write_text("f")
    Path("to-a").symlink_to("a")


class TestChown:
    @pytest.mark.parametrize(
        ("call", "path"),
        [
            (lambda: os.chown("a", 7, 8), "a"),
            (lambda: os.chown(Path("d/f").absolute(), 7, 8), "d/f"),
            (lambda: os.chown("d/../d/f", 7, 8), "d/f"),
            (lambda: os.chown("to-a", 7, 8), "a"),
            (lambda: os.lchown("to-a", 7, 8), "to-a"),
            (lambda: os.chown("to-a", 7, 8, follow_symlinks=False), "to-a"),
            (lambda: os.chown("f", 7, 8, dir_fd=os.open("d", os.O_RDONLY)), "d/f"),
            (lambda: os.fchown(os.open("a", os.O_RDONLY), 7, 8), "a"),
            (lambda: os.chown(f"/proc/self/fd/{os.open('a', os.O_PATH)}", 7, 8), "a"),
        ],
    )
    def test_is_recorded_for_what_the_path_means(self, call: Callable[[], None], path: str) -> None:
        records = recorded(call)
        assert owner_of(records, Path(path)) == (7, 8)
        assert len(records) == 1
        assert os.lstat(path).st_uid == os.geteuid()

    def test_of_minus_one_keeps_what_was(self) -> None:
        def act() -> None:
            os.chown("a", 7, -1)
            os.chown("a", -1, 8)

        assert owner_of(recorded(act), Path("a")) == (7, 8)

    def test_fails_as_the_kernel_fails(self) -> None:
        def act() -> None:
            with pytest.raises(FileNotFoundError):
                os.chown("nothing", 1, 1)
            with pytest.raises(FileNotFoundError):
                os.chown("", 1, 1)
            with pytest.raises(NotADirectoryError):
                os.chown("a/b", 1, 1)
            with pytest.raises(OSError, match=r"descriptor|No such file"):
                os.fchown(99, 1, 1)

        assert recorded(act) == {}

    def test_drops_set_id_bits_and_capabilities(self) -> None:
        def act() -> None:
            for name, mode in (("a", 0o6755), ("b", 0o2644), ("d", 0o6755)):
                os.chmod(name, mode)
            os.setxattr("a", "security.capability", CAPABILITY)
            for name in ("a", "b", "d"):
                os.chown(name, 0, 42)

        records = recorded(act)
        modes = [stat.S_IMODE(os.lstat(name).st_mode) for name in ("a", "b", "d")]
        assert modes == [0o755, 0o2644, 0o6755]
        assert records[os.lstat("a").st_ino] == Record(0, 42)

    def test_does_not_outlive_the_file(self) -> None:
        def act() -> None:
            os.chown("a", 7, 8)
            os.unlink("a")
            for number in range(50):
                Path(f"new{number}").touch()

        records = recorded(act)
        assert all(owner_of(records, path) == (0, 0) for path in Path().glob("new*"))


class TestInARoot:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        root = tmp_path / "root"
        (root / "etc").mkdir(parents=True)
        (root / "etc/passwd").touch()
        (root / "srv").mkdir()
        (root / "srv/abs").symlink_to("/etc")
        (root / "srv/up").symlink_to("../../../etc")
        return root

    @pytest.mark.parametrize(
        ("cwd", "path"),
        [
            ("/", "/srv/abs/passwd"),
            ("/srv", "abs/passwd"),
            ("/srv", "up/passwd"),
            ("/", "../../etc/passwd"),
            ("/srv", "./../srv//up/passwd"),
        ],
    )
    def test_links_and_parents_do_not_lead_out(self, root: Path, cwd: str, path: str) -> None:
        def act() -> None:
            os.chdir(cwd)
            os.chown(path, 7, 8)

        assert owner_of(recorded(act, root), root / "etc/passwd") == (7, 8)

    def test_a_loop_of_links_is_an_error(self, root: Path) -> None:
        (root / "srv/x").symlink_to("y")
        (root / "srv/y").symlink_to("x")

        def act() -> None:
            os.chdir("/srv")
            for path in ("x", "/srv/x", "./../srv/x/z"):
                with pytest.raises(OSError, match="symbolic links"):
                    os.chown(path, 1, 1)

        assert recorded(act, root) == {}


class TestMknod:
    def test_of_a_device_leaves_a_record_and_a_placeholder(self) -> None:
        def act() -> None:
            os.mknod("d/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            os.mknod("loop", 0o660 | stat.S_IFBLK, os.makedev(7, 0))

        records = recorded(act)
        assert records[os.lstat("d/null").st_ino].device == ("c", 1, 3)
        assert records[os.lstat("loop").st_ino].device == ("b", 7, 0)

    def test_of_something_that_is_there_fails(self) -> None:
        def act() -> None:
            with pytest.raises(FileExistsError):
                os.mknod("a", stat.S_IFCHR, os.makedev(1, 3))

        assert recorded(act) == {}

    def test_of_a_fifo_is_the_kernels_business(self) -> None:
        assert recorded(lambda: os.mkfifo("fifo")) == {}
        assert stat.S_ISFIFO(os.lstat("fifo").st_mode)


class TestAttributes:
    def test_capabilities_and_named_acls_are_recorded(self) -> None:
        def act() -> None:
            os.setxattr("to-a", "security.capability", CAPABILITY)
            os.setxattr("d", "system.posix_acl_default", NAMED_ACL)
            os.setxattr(os.open("b", os.O_RDONLY), "security.capability", CAPABILITY)

        records = recorded(act)
        assert records[os.lstat("a").st_ino].xattrs == {"security.capability": CAPABILITY}
        assert records[os.lstat("b").st_ino].xattrs == {"security.capability": CAPABILITY}
        assert records[os.lstat("d").st_ino].xattrs == {"system.posix_acl_default": NAMED_ACL}

    def test_acls_that_say_the_mode_become_the_mode(self) -> None:
        os.chmod("a", 0o600)

        def act() -> None:
            os.setxattr("a", "system.posix_acl_access", MODE_ACL)

        assert recorded(act) == {}
        assert stat.S_IMODE(os.lstat("a").st_mode) == 0o644

    def test_they_can_be_removed_again(self) -> None:
        def act() -> None:
            os.setxattr("a", "security.capability", CAPABILITY)
            os.removexattr("a", "security.capability")
            with pytest.raises(OSError, match="No data"):
                os.removexattr("a", "security.capability")

        assert recorded(act)[os.lstat("a").st_ino].xattrs == {}


class TestRename:
    def test_over_an_owned_file_takes_its_owner(self) -> None:
        def act() -> None:
            os.chown("b", 0, 42)
            os.rename("a", "b")

        assert owner_of(recorded(act), Path("b")) == (0, 42)

    def test_keeps_an_owner_of_its_own(self) -> None:
        def act() -> None:
            os.chown("b", 0, 42)
            os.chown("a", 3, 4)
            os.rename("a", "d/../b", dst_dir_fd=os.open(".", os.O_RDONLY))

        assert owner_of(recorded(act), Path("b")) == (3, 4)

    def test_that_fails_fails(self) -> None:
        def act() -> None:
            os.chown("a", 1, 1)
            with pytest.raises(FileNotFoundError):
                os.rename("nothing", "a")

        recorded(act)


def test_calls_that_would_only_be_in_the_way_succeed() -> None:
    def act() -> None:
        os.setgroups([1, 2, 3])
        os.sync()
        with open("a", "rb") as file:
            os.fsync(file)
            os.fdatasync(file)

    assert recorded(act) == {}


def test_becoming_another_user_is_noted_with_the_group() -> None:
    users: dict[int, int] = {}

    def act() -> None:
        os.setresgid(-1, 107, -1)
        os.setreuid(101, -1)
        os.setuid(0)

    recorded(act, users=users)
    assert users == {101: 107}


def test_a_machine_of_an_unknown_kind_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "pdp11")
    with pytest.raises(seccomp.SeccompUnavailable, match="pdp11"):
        seccomp.calls()


def test_system_calls_have_the_numbers_of_this_machine() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    number = {name: number for number, name in seccomp.calls().items()}["fchown"]
    assert libc.syscall(ctypes.c_long(number), 99, 0, 0) == -1
    assert ctypes.get_errno() == 9, "EBADF: it is fchown"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("make"), st.integers(0, 5)),
        st.tuples(st.just("chown"), st.integers(0, 5), st.integers(-1, 4), st.integers(-1, 4)),
        st.tuples(st.just("lchown"), st.integers(0, 5), st.integers(-1, 4), st.integers(-1, 4)),
        st.tuples(st.just("chmod"), st.integers(0, 5), st.sampled_from([0o755, 0o6755, 0o2644])),
        st.tuples(st.just("link"), st.integers(0, 5), st.integers(0, 5)),
        st.tuples(st.just("symlink"), st.integers(0, 5), st.integers(0, 5)),
        st.tuples(st.just("move"), st.integers(0, 5), st.integers(0, 5)),
        st.tuples(st.just("remove"), st.integers(0, 5)),
    ),
    max_size=15,
)


def take(steps: list[tuple[str | int, ...]]) -> None:
    """Do the steps in the working directory; those that fail change nothing."""
    for what, first, *more in steps:
        name, others = f"x{first}", [f"x{number}" for number in more]
        try:
            if what == "make":
                os.close(os.open(name, os.O_CREAT | os.O_EXCL))
            elif what == "chown":
                os.chown(name, int(more[0]), int(more[1]))
            elif what == "lchown":
                os.lchown(name, int(more[0]), int(more[1]))
            elif what == "chmod":
                os.chmod(name, int(more[0]))
            elif what == "link":
                os.link(name, others[0], follow_symlinks=False)
            elif what == "symlink":
                os.symlink(name, others[0])
            elif what == "move" and not os.path.lexists(others[0]):
                os.rename(name, others[0])
            elif what == "remove":
                os.unlink(name)
        except OSError:
            pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be compared with")
@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_owners_and_modes_are_those_that_root_would_have_made(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str | int, ...]]
) -> None:
    real, told = tmp_path_factory.mktemp("real"), tmp_path_factory.mktemp("told")

    def within(directory: Path) -> Callable[[], None]:
        def act() -> None:
            os.chdir(directory)
            take(steps)

        return act

    child = os.fork()
    if child == 0:
        within(real)()
        os._exit(0)
    os.waitpid(child, 0)
    records = recorded(within(told))
    assert sorted(os.listdir(real)) == sorted(os.listdir(told))
    for name in os.listdir(real):
        status = os.lstat(real / name)
        assert owner_of(records, told / name) == (status.st_uid, status.st_gid)
        assert os.lstat(told / name).st_mode == status.st_mode
