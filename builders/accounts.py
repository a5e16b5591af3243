"""Users and groups: the account files of a system (passwd(5), group(5), shadow(5), gshadow(5)).

Declared accounts are put into the files that the packages' maintainer scripts left. An account that
is there already keeps its id, because files may belong to it; a new one gets the id that it asks
for, else the first free one of Debian's ranges, in the order of declaration.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from builders.errors import BuilderError
from builders.tree import Entry

SYSTEM_IDS = range(100, 1000)
USER_IDS = range(1000, 60000)
"""Debian's ranges (policy 9.2.2, adduser.conf(5)); ids below 100 are Debian's own."""

LOCKED = "!"
"""The password field of an account that no password opens."""

HOME_MODE = 0o700
_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,30}\$?")
_HASH = re.compile(r"\$[a-z0-9]+\$[^:\s$]*(\$[^:\s$]*)*")


class AccountError(BuilderError):
    """Something is wrong with the declared user or group `name`."""

    def __init__(self, kind: str, name: str, problem: str, *, hint: str | None = None) -> None:
        super().__init__(f"{kind} {name}: {problem}", hint=hint)
        self.name = name


class BadName(AccountError):
    """A name that Debian does not allow."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(
            kind,
            repr(name),
            "not a valid name",
            hint="up to 32 of a-z 0-9 _ -, beginning with a letter or _",
        )


class BadField(AccountError):
    """A value that would break the line that it stands in."""


class DuplicateAccount(AccountError):
    """Two declarations of one name."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(kind, name, "declared twice")


class UnknownGroup(AccountError):
    """A user is to be in a group that nobody makes."""

    def __init__(self, user: str, group: str, nearest: Sequence[str]) -> None:
        hint = f"did you mean {' or '.join(nearest)}?" if nearest else f"declare the group {group}"
        super().__init__("user", user, f"there is no group {group}", hint=hint)


class UnknownMember(AccountError):
    """A group is to have a member that is not a user."""

    def __init__(self, group: str, user: str) -> None:
        super().__init__("group", group, f"its member {user} is not a user of the system")


class ClashingId(AccountError):
    """An id is asked for that another account has."""

    def __init__(self, kind: str, name: str, number: int, other: str) -> None:
        super().__init__(kind, name, f"the id {number} is already that of {other}")


class ChangedId(AccountError):
    """An account of a package is declared with another id than the package gave it."""

    def __init__(self, kind: str, name: str, asked: int, has: int) -> None:
        super().__init__(
            kind,
            name,
            f"has the id {has}, from a package, and cannot get {asked}: files belong to it",
            hint="leave the id out",
        )


class NoFreeId(AccountError):
    """A range of ids is used up."""

    def __init__(self, kind: str, name: str, ids: range) -> None:
        super().__init__(kind, name, f"no id from {ids.start} to {ids.stop - 1} is free")


class PlainPassword(AccountError):
    """A password is given where its hash belongs."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(
            kind,
            name,
            "the password is not a hash as crypt(5) describes it",
            hint="make one with (crypt PASSWORD SALT) or `mkpasswd`: it begins with $",
        )


@dataclass(frozen=True, slots=True)
class Group:
    """A group as declared.

    id        None for any
    members   besides the users that name the group
    password  a hash (crypt(5)) or "!"; None: what the group has already, else "!"
    """

    name: str
    id: int | None = None
    system: bool = False
    members: tuple[str, ...] = ()
    password: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user as declared. None: what the account has already, else the default.

    group     name of the primary group; by default one of the user's own name is made
    supplementary_groups  names of further groups
    home      by default /home/NAME, of system users /nonexistent
    shell     by default /bin/bash, of system users /usr/sbin/nologin
    password  a hash (crypt(5)), "" for none needed, "!" or "*" for none possible (default "!")
    comment   the GECOS field
    """

    name: str
    uid: int | None = None
    group: str | None = None
    supplementary_groups: tuple[str, ...] = ()
    home: str | None = None
    shell: str | None = None
    password: str | None = None
    comment: str | None = None
    system: bool = False
    create_home: bool = True


class AccountFiles(NamedTuple):
    """The texts of /etc/passwd, group, shadow and gshadow."""

    passwd: str
    group: str
    shadow: str
    gshadow: str


class Ids(NamedTuple):
    """Numbers by name."""

    users: dict[str, int]
    groups: dict[str, int]


@dataclass(slots=True)
class _Table:
    """The lines of an account file, by name, split at ":"."""

    lines: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, columns: int) -> _Table:
        rows = (line.split(":") for line in text.splitlines() if line and line[0] not in "#+-")
        return cls({row[0]: row + [""] * (columns - len(row)) for row in rows})

    def text(self) -> str:
        return "".join(":".join(row) + "\n" for row in self.lines.values())

    def ids(self) -> dict[str, int]:
        return {name: int(row[2]) for name, row in self.lines.items()}


def ids(files: AccountFiles) -> Ids:
    """The numbers of all users and groups in `files`."""
    return Ids(_Table.parse(files.passwd, 7).ids(), _Table.parse(files.group, 4).ids())


def with_accounts(
    base: AccountFiles, users: Sequence[User], groups: Sequence[Group]
) -> AccountFiles:
    """`base` with `users` and `groups`; lines that are there stay in place, new ones follow.

    Raise a kind of AccountError.
    """
    passwd, group = _Table.parse(base.passwd, 7), _Table.parse(base.group, 4)
    shadow, gshadow = _Table.parse(base.shadow, 9), _Table.parse(base.gshadow, 4)
    _check(users, groups)
    all_groups = _all_groups(users, groups, passwd, group)
    gids = _group_ids(all_groups, users, group.ids(), passwd.ids())
    uids = _user_ids(users, passwd.ids(), gids)
    for declared in all_groups:
        group.lines.setdefault(declared.name, [declared.name, "x", str(gids[declared.name]), ""])
    for user in users:
        _put_user(user, uids[user.name], passwd, shadow, gids)
    for declared in all_groups:
        for member in declared.members:
            if member not in passwd.lines:
                raise UnknownMember(declared.name, member)
            _add_member(group.lines[declared.name], member)
    for user in users:
        for name in user.supplementary_groups:
            if name not in group.lines:
                raise _unknown_group(user, name, group.lines)
            _add_member(group.lines[name], user.name)
    for name, row in group.lines.items():
        gshadow.lines.setdefault(name, [name, LOCKED, "", ""])[3] = row[3]
    for declared in all_groups:
        if declared.password is not None:
            gshadow.lines[declared.name][1] = declared.password
    for name in passwd.lines:
        shadow.lines.setdefault(name, [name, LOCKED, "", "0", "99999", "7", "", "", ""])
    return AccountFiles(passwd.text(), group.text(), shadow.text(), gshadow.text())


def _check(users: Sequence[User], groups: Sequence[Group]) -> None:
    declarations: Sequence[User | Group]
    for kind, declarations in (("user", users), ("group", groups)):
        seen: set[str] = set()
        for declared in declarations:
            if not _NAME.fullmatch(declared.name):
                raise BadName(kind, declared.name)
            if declared.name in seen:
                raise DuplicateAccount(kind, declared.name)
            seen.add(declared.name)
            if declared.password and not _is_hash(declared.password):
                raise PlainPassword(kind, declared.name)
    for user in users:
        for what in ("home", "shell", "comment"):
            value = getattr(user, what) or ""
            if ":" in value or not value.isprintable():
                raise BadField("user", user.name, f"the {what} {value!r} has a colon or a control")
        for what, path in (("home directory", user.home), ("shell", user.shell)):
            if path is not None and not path.startswith("/"):
                raise BadField("user", user.name, f"the {what} {path!r} is not an absolute path")


def _is_hash(password: str) -> bool:
    """Whether `password` is a hash, one that is locked by "!" before it, or no possible one."""
    rest = password.lstrip("!*")
    return not rest or _HASH.fullmatch(rest) is not None


def _all_groups(
    users: Sequence[User], groups: Sequence[Group], passwd: _Table, group: _Table
) -> list[Group]:
    """The declared groups, and for new users that name none one of their own."""
    known = {declared.name for declared in groups} | group.lines.keys()
    own = []
    for user in users:
        if user.group is None:
            if user.name not in known and user.name not in passwd.lines:
                own.append(Group(user.name, system=user.system))
        elif user.group not in known:
            raise _unknown_group(user, user.group, known)
    return [*groups, *own]


def _unknown_group(user: User, name: str, known: Iterable[str]) -> UnknownGroup:
    return UnknownGroup(user.name, name, difflib.get_close_matches(name, sorted(known), n=2))


def _reserved(
    kind: str, asked: Iterable[tuple[str, int | None]], existing: dict[str, int]
) -> dict[str, int]:
    """`existing` and the ids that are asked for, by name; raise ClashingId, ChangedId."""
    result = dict(existing)
    owners = {number: name for name, number in reversed(existing.items())}
    for name, number in asked:
        if number is None:
            continue
        if name in existing:
            if existing[name] != number:
                raise ChangedId(kind, name, number, existing[name])
            continue
        if number in owners:
            raise ClashingId(kind, name, number, owners[number])
        owners[number] = name
        result[name] = number
    return result


def _group_ids(
    groups: Sequence[Group],
    users: Sequence[User],
    existing: dict[str, int],
    existing_users: dict[str, int],
) -> dict[str, int]:
    result = _reserved("group", ((group.name, group.id) for group in groups), existing)
    taken = set(result.values())
    asked = {user.name: user.uid for user in users}
    user_ids = set(existing_users.values()) | {uid for uid in asked.values() if uid is not None}
    for group in groups:
        if group.name in result:
            continue
        # A user's own group has the user's number, as adduser(8) has it, where that is free.
        number = asked.get(group.name)
        if number is None or number in taken:
            own = user_ids if group.name in asked else set()
            number = _free("group", group.name, group.system, taken | own)
        taken.add(number)
        result[group.name] = number
    return result


def _user_ids(
    users: Sequence[User], existing: dict[str, int], gids: dict[str, int]
) -> dict[str, int]:
    result = _reserved("user", ((user.name, user.uid) for user in users), existing)
    taken = set(result.values())
    for user in users:
        if user.name in result:
            continue
        ids = SYSTEM_IDS if user.system else USER_IDS
        number = gids.get(user.name, -1)
        if number not in ids or number in taken:
            number = _free("user", user.name, user.system, taken)
        taken.add(number)
        result[user.name] = number
    return result


def _free(kind: str, name: str, system: bool, taken: Container[int]) -> int:
    ids = SYSTEM_IDS if system else USER_IDS
    for number in ids:
        if number not in taken:
            return number
    raise NoFreeId(kind, name, ids)


def _put_user(user: User, uid: int, passwd: _Table, shadow: _Table, gids: dict[str, int]) -> None:
    home, shell = f"/home/{user.name}", "/bin/bash"
    if user.system:
        home, shell = "/nonexistent", "/usr/sbin/nologin"
    gid = str(gids[user.group or user.name]) if user.group or user.name in gids else ""
    row = passwd.lines.setdefault(user.name, [user.name, "x", str(uid), gid, "", home, shell])
    if user.group is not None:
        row[3] = gid
    for column, value in ((4, user.comment), (5, user.home), (6, user.shell)):
        if value is not None:
            row[column] = value
    # No date of the last change: it would be that of the build, and day 0 means "change it now".
    secret = shadow.lines.setdefault(
        user.name, [user.name, LOCKED, "", "0", "99999", "7", "", "", ""]
    )
    if user.password is not None:
        secret[1] = user.password
        secret[2] = ""


def _add_member(row: list[str], member: str) -> None:
    members = [name for name in row[3].split(",") if name]
    if member not in members:
        row[3] = ",".join([*members, member])


def home_entries(
    files: AccountFiles, users: Sequence[User], tree: Iterable[Entry], *, mtime: int
) -> list[Entry]:
    """The home directories of `users` that `tree` has not, with the contents of its /etc/skel.

    `files` are those with the users in them; `mtime` is in nanoseconds. Directories above a home
    are left to the merge.
    """
    passwd = _Table.parse(files.passwd, 7)
    skeleton = []
    existing = set()
    for entry in tree:
        existing.add(entry.path)
        if entry.path.startswith("etc/skel/"):
            skeleton.append(entry)
    result = []
    for user in users:
        _, _, uid, gid, _, home, _ = passwd.lines[user.name][:7]
        path = home.strip("/")
        if not user.create_home or home == "/nonexistent" or not path or path in existing:
            continue
        existing.add(path)
        result.append(Entry(path, "d", HOME_MODE, int(uid), int(gid), mtime))
        for entry in skeleton:
            ref = entry.ref
            if entry.kind == "h":
                ref = f"{path}/{str(ref).removeprefix('etc/skel/')}"
            copy = entry._replace(path=f"{path}/{entry.path.removeprefix('etc/skel/')}", ref=ref)
            result.append(copy._replace(uid=int(uid), gid=int(gid)))
    return result
