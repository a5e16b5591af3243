"""Account files: ids stay where they were, new ones are stable, mistakes name the account."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import accounts
from builders.accounts import AccountFiles, Group, User, home_entries, ids, with_accounts
from builders.tree import Entry

BASE = AccountFiles(
    passwd="root:x:0:0:root:/root:/bin/bash\n"
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
    "messagebus:x:100:101::/nonexistent:/usr/sbin/nologin\n"
    "sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n",
    group="root:x:0:\ndaemon:x:1:\nsudo:x:27:\nshadow:x:42:\nusers:x:100:\n"
    "messagebus:x:101:\nnogroup:x:65534:\n",
    shadow="root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n"
    "messagebus:!:19000::::::\nsshd:!:19000::::::\n",
    gshadow="root:*::\ndaemon:*::\nsudo:*::\nshadow:*::\nusers:*::\nmessagebus:!::\nnogroup:*::\n",
)
HASH = "$6$salt$" + "a" * 86


def line(text: str, name: str) -> list[str]:
    return next(row.split(":") for row in text.splitlines() if row.startswith(name + ":"))


def test_nothing_declared_changes_nothing() -> None:
    assert with_accounts(BASE, [], []) == BASE


def test_a_user_gets_the_first_ordinary_id_and_a_group_of_its_own() -> None:
    files = with_accounts(BASE, [User("alice", comment="Alice"), User("bob", group="users")], [])
    assert line(files.passwd, "alice") == [
        "alice",
        "x",
        "1000",
        "1000",
        "Alice",
        "/home/alice",
        "/bin/bash",
    ]
    assert line(files.passwd, "bob") == ["bob", "x", "1001", "100", "", "/home/bob", "/bin/bash"]
    assert line(files.group, "alice") == ["alice", "x", "1000", ""]
    assert line(files.shadow, "alice")[1:3] == ["!", ""]
    assert line(files.gshadow, "alice") == ["alice", "!", "", ""]
    assert files.passwd.startswith(BASE.passwd)


def test_system_accounts_skip_ids_that_are_taken() -> None:
    files = with_accounts(BASE, [User("web", system=True)], [Group("data", system=True)])
    assert ids(files).groups["data"] == 102
    row = line(files.passwd, "web")
    assert row[2:4] == ["103", "103"]
    assert row[5:] == ["/nonexistent", "/usr/sbin/nologin"]


def test_an_id_that_a_later_user_asks_for_is_not_given_away() -> None:
    files = with_accounts(BASE, [User("alice"), User("bob", uid=1000)], [Group("team", id=1001)])
    assert ids(files).users["bob"] == 1000
    assert ids(files).users["alice"] == 1002
    assert ids(files).groups["bob"] == 1000


def test_supplementary_groups_and_members_are_joined_once() -> None:
    users = [
        User("alice", supplementary_groups=("sudo", "team")),
        User("bob", supplementary_groups=("sudo",)),
    ]
    files = with_accounts(BASE, users, [Group("team", members=("bob", "alice"))])
    assert line(files.group, "sudo")[3] == "alice,bob"
    assert line(files.group, "team")[3] == "bob,alice"
    assert line(files.gshadow, "sudo") == ["sudo", "*", "", "alice,bob"]


def test_a_group_can_have_a_password() -> None:
    files = with_accounts(BASE, [], [Group("team", password=HASH), Group("sudo", password="!")])
    assert line(files.gshadow, "team")[1] == HASH
    assert line(files.gshadow, "sudo")[1] == "!"
    with pytest.raises(accounts.PlainPassword, match="group team"):
        with_accounts(BASE, [], [Group("team", password="secret")])


def test_root_can_get_a_password_and_a_shell_and_stays_root() -> None:
    files = with_accounts(BASE, [User("root", password=HASH, shell="/bin/sh")], [])
    assert line(files.passwd, "root") == ["root", "x", "0", "0", "root", "/root", "/bin/sh"]
    assert line(files.shadow, "root")[1:3] == [HASH, ""]


def test_an_account_of_a_package_keeps_what_is_not_declared() -> None:
    files = with_accounts(BASE, [User("sshd", comment="secure")], [])
    assert line(files.passwd, "sshd") == (
        ["sshd", "x", "101", "65534", "secure", "/run/sshd", "/usr/sbin/nologin"]
    )
    assert line(files.shadow, "sshd") == line(BASE.shadow, "sshd")
    assert files.group == BASE.group


@pytest.mark.parametrize("password", ["", "!", "*", HASH, "!" + HASH, "$y$j9T$a.b/c$" + "d" * 43])
def test_hashes_and_locks_are_passwords(password: str) -> None:
    files = with_accounts(BASE, [User("alice", password=password)], [])
    assert line(files.shadow, "alice")[1] == password


@pytest.mark.parametrize("password", ["secret", "$", "$6$a:b", "$6$a\nb", "x" * 13])
def test_a_plain_password_is_refused(password: str) -> None:
    with pytest.raises(accounts.PlainPassword, match="user alice") as caught:
        with_accounts(BASE, [User("alice", password=password)], [])
    assert password not in str(caught.value) or password == "$"


@pytest.mark.parametrize(
    ("users", "groups", "error", "message"),
    [
        ([User("a"), User("a")], [], accounts.DuplicateAccount, "user a: declared twice"),
        ([], [Group("g"), Group("g")], accounts.DuplicateAccount, "group g: declared twice"),
        ([User("Al ice")], [], accounts.BadName, "user 'Al ice'"),
        ([User("a", group="user")], [], accounts.UnknownGroup, "user a: there is no group user"),
        ([User("a", supplementary_groups=("weel",))], [], accounts.UnknownGroup, "no group weel"),
        ([User("a", uid=1)], [], accounts.ClashingId, "user a: the id 1 is already that of daemon"),
        ([User("a", uid=5000), User("b", uid=5000)], [], accounts.ClashingId, "that of a"),
        ([], [Group("g", id=27)], accounts.ClashingId, "group g: the id 27 .* sudo"),
        ([User("sshd", uid=7)], [], accounts.ChangedId, "user sshd: has the id 101"),
        ([], [Group("g", members=("eve",))], accounts.UnknownMember, "its member eve"),
        ([User("a", home="/a:b")], [], accounts.BadField, "the home '/a:b'"),
        ([User("a", comment="x\ny")], [], accounts.BadField, "user a"),
        ([User("a", shell="bash")], [], accounts.BadField, "not an absolute path"),
    ],
)
def test_mistakes_are_told_with_the_name(
    users: list[User], groups: list[Group], error: type[accounts.AccountError], message: str
) -> None:
    with pytest.raises(error, match=message):
        with_accounts(BASE, users, groups)


def test_an_unknown_group_names_the_nearest() -> None:
    with pytest.raises(accounts.UnknownGroup) as caught:
        with_accounts(BASE, [User("a", group="user")], [])
    assert caught.value.hint == "did you mean users?"


def test_a_full_range_is_an_error() -> None:
    groups = [Group(f"g{number}", system=True) for number in range(900)]
    with pytest.raises(accounts.NoFreeId, match="from 100 to 999"):
        with_accounts(BASE, [], groups)


NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9]{2,6}", fullmatch=True), unique=True, max_size=6)


@given(NAMES, st.data())
def test_ids_are_unique_and_do_not_move_when_a_user_is_added(
    names: list[str], data: st.DataObject
) -> None:
    names = [name for name in names if name not in ("root", "sshd", "daemon", "sudo", "users")]
    users = [
        User(
            name,
            system=data.draw(st.booleans()),
            group=data.draw(st.sampled_from([None, "users"])),
        )
        for name in names
    ]
    files = with_accounts(BASE, users, [])
    numbers = list(ids(files).users.values())
    assert len(set(numbers)) == len(numbers)
    groups = list(ids(files).groups.values())
    assert len(set(groups)) == len(groups)
    fewer = ids(with_accounts(BASE, users[:-1], [])).users
    assert fewer.items() <= ids(files).users.items()
    again = with_accounts(files, users, [])
    assert again == files


@pytest.mark.skipif(shutil.which("pwck") is None, reason="pwck is not installed")
def test_pwck_and_grpck_find_nothing_wrong(tmp_path: Path) -> None:
    users = [User("alice", supplementary_groups=("sudo",), password=HASH), User("web", system=True)]
    files = with_accounts(BASE, users, [Group("team", members=("alice",))])
    for name, text in files._asdict().items():
        (tmp_path / name).write_text(text)
    # Both ask the host who exists and what there is; all else they have to say is about our files.
    for tool, first, second in (("grpck", "group", "gshadow"), ("pwck", "passwd", "shadow")):
        told = subprocess.run(
            [tool, "-r", tmp_path / first, tmp_path / second],
            check=False,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
        expected = (
            "no user alice",
            "no group 100",
            "delete member 'alice'",
            "does not exist",
            "no changes",
        )
        assert [row for row in told if not any(words in row for words in expected)] == []


SKELETON = [
    Entry("etc/skel", "d", 0o755),
    Entry("etc/skel/.bashrc", "f", 0o644, mtime=7, size=2, ref=b"hi"),
    Entry("etc/skel/.config", "d", 0o755),
    Entry("etc/skel/.config/a", "f", 0o600, size=1, ref=b"a"),
    Entry("etc/skel/.config/b", "h", 0, ref="etc/skel/.config/a"),
    Entry("root", "d", 0o700),
]


def test_a_home_is_the_skeleton_and_belongs_to_its_user() -> None:
    users = [User("alice", group="users")]
    homes = home_entries(with_accounts(BASE, users, []), users, SKELETON, mtime=9)
    assert homes[0] == Entry("home/alice", "d", 0o700, 1000, 100, 9)
    assert homes[1] == Entry("home/alice/.bashrc", "f", 0o644, 1000, 100, 7, 2, b"hi")
    assert homes[-1].ref == "home/alice/.config/a"
    assert {entry.uid for entry in homes} == {1000}


def test_homes_that_exist_or_are_not_wanted_are_left_alone() -> None:
    users = [User("root"), User("web", system=True), User("bob", create_home=False)]
    assert home_entries(with_accounts(BASE, users, []), users, SKELETON, mtime=0) == []
