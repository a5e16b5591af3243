"""The tree of a whole system: the configured root of its packages, with what a declaration adds."""

from __future__ import annotations

import base64
import difflib
import os
import posixpath
import stat
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from builders import mtree, pack, scan
from builders.accounts import (
    AccountFiles,
    Group,
    Ids,
    User,
    home_entries,
    ids,
    with_accounts,
)
from builders.errors import BuilderError
from builders.merge import merge, without
from builders.registry import Build, builder
from builders.tree import Content, Entry, ReadContent, content_reader, path_bytes

_ACCOUNT_PATHS = AccountFiles("etc/passwd", "etc/group", "etc/shadow", "etc/gshadow")
_SHADOW_GROUP = "shadow"
_MODES = {"f": 0o644, "d": 0o755, "l": 0o777}
_MOST_LINKS = 40  # as the kernel's limit
_ARGUMENTS = {"root", "remove", "files", "accounts", "closure", "require"}
_FORMS = {"f": ("text", "base64", "source"), "d": ("source",), "l": ("target",)}
_CONTENT_KEYS = ("text", "base64", "source", "target")
_FILE_KEYS = {"path", "kind", "mode", "owner", "group", *_CONTENT_KEYS}


class BadFile(BuilderError):
    """A file of the system is described in a way that makes no sense."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"the file {path or '(no path)'} of the system: {problem}")
        self.path = path


class DuplicateFile(BadFile):
    """Two descriptions of the same path."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "described twice; leave one of them out")


class UnknownOwner(BadFile):
    """A file belongs to a user or a group that the system has not."""

    def __init__(self, path: str, kind: str, name: str, nearest: Sequence[str]) -> None:
        hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
        super().__init__(path, f"the system has no {kind} {name}{hint}")


class UnknownKey(BuilderError):
    """Something is described with a word that says nothing about it."""

    def __init__(self, what: str, key: str, known: Iterable[str]) -> None:
        super().__init__(
            f"{what} is described with {key!r}", hint=f"it can have {', '.join(sorted(known))}"
        )


class NotInSystem(BuilderError):
    """The finished tree lacks a path that the declaration relies on."""


@builder("system-tree")
def system_tree(build: Build) -> None:
    """Make a directory with the tree: manifest, and the generated contents as pack. Arguments:

    root      item with the tree of the configured root
    remove    paths that are taken out of it, with all below them (none there: fine)
    files     what is put over it, each a table:
                path    where; parents are made, links to directories on the way are followed
                kind    "f" file (the default), "d" directory, "l" symbolic link
                text, base64 or source   a file's content; `source` is a store path, with the path
                        inside the item: a file, a link or a whole directory is copied. A
                        directory may have a source, too
                target  of a link
                mode    permission bits; by default 0644, 0755 for directories; a source's own, made
                        writable for the owner. With a source that is a directory, those of the
                        files in it or, with the kind "d", of itself
                owner, group   names or numbers; by default 0
    accounts  {"users": […], "groups": […]}: tables with the fields of accounts.User and Group
    closure   store items that the system refers to; they and all that they refer to are copied to
              /kiln/store, for root, read-only
    require   what the tree must have in the end: {"path", "message", "hint"} tables

    All but `root` may be left out. Raise BadFile, DuplicateFile, UnknownOwner, UnknownKey,
    NotInSystem, and what accounts and merge raise.
    """
    arguments = build.arguments
    _check_keys("the system", arguments, _ARGUMENTS)
    now = build.epoch * 1_000_000_000
    read = content_reader(build.real)
    root_item = arguments["root"]
    root = mtree.read_item(build.real(root_item), root_item)
    root = without(root, [_plain(path) for path in arguments.get("remove", ())])
    declared = arguments.get("accounts") or {}
    users = [_account(User, table) for table in declared.get("users", ())]
    groups = [_account(Group, table) for table in declared.get("groups", ())]
    accounts = account_files(root, read)
    added = []
    if users or groups:
        accounts = with_accounts(accounts, users, groups)
        added += account_entries(root, accounts, now)
    numbers = ids(accounts)
    added += described_entries(build, arguments.get("files", ()), numbers, now)
    for item in build.closure(list(arguments.get("closure", ()))):
        added += _copied(build.real(item), item, item.strip("/"), now)
    tree = merge(root, added, time=now)
    homes = home_entries(accounts, users, tree, mtime=now)
    if homes:
        tree = merge(tree, homes, time=now)
    check_requirements(tree, arguments.get("require", ()))

    build.output.mkdir()
    with pack.PackWriter(build.output / pack.NAME) as writer:
        tree = [_packed(entry, writer) for entry in tree]
    manifest = mtree.write(tree, build.logical)
    (build.output / "manifest").write_text(manifest, "ascii")
    build.log(f"{len(tree)} entries, {len(added) + len(homes)} of them generated")


def check_requirements(tree: Iterable[Entry], required: Iterable[Mapping[str, Any]]) -> None:
    """Raise NotInSystem with the `message` and `hint` of the first of `required` whose `path`,
    links to directories on the way followed, is not in `tree`.
    """
    entries = {entry.path: entry for entry in tree}
    for requirement in required:
        if not _holds(entries, _plain(requirement["path"])):
            raise NotInSystem(requirement["message"], hint=requirement.get("hint"))


def _holds(entries: Mapping[str, Entry], path: str, depth: int = 0) -> bool:
    if path in entries or depth > _MOST_LINKS:
        return path in entries
    names = path.split("/")
    for count in range(1, len(names)):
        link = entries.get("/".join(names[:count]))
        if link is not None and link.kind == "l":
            target = posixpath.join(
                "/", posixpath.dirname(link.path), str(link.ref), *names[count:]
            )
            return _holds(entries, posixpath.normpath(target).lstrip("/"), depth + 1)
    return False


def _packed(entry: Entry, writer: pack.PackWriter) -> Entry:
    if isinstance(entry.ref, bytes):
        return entry._replace(ref=writer.add([entry.ref]) if entry.ref else None)
    return entry


def _check_keys(what: str, table: Iterable[str], known: Set[str]) -> None:
    for key in table:
        if key not in known:
            raise UnknownKey(what, key, known)


_Account = TypeVar("_Account", User, Group)


def _account(kind: type[_Account], table: Mapping[str, Any]) -> _Account:
    what = f"the {kind.__name__.lower()} {table.get('name')}"
    _check_keys(what, table, {field.name for field in fields(kind)})
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in table.items()
    }
    return kind(**values)


def account_files(tree: Iterable[Entry], read: ReadContent) -> AccountFiles:
    """The account files of `tree`; one that it has not is empty."""
    found = {
        entry.path: read(entry).decode("utf-8", "surrogateescape")
        for entry in tree
        if entry.kind == "f" and entry.path in _ACCOUNT_PATHS
    }
    return AccountFiles(*(found.get(path, "") for path in _ACCOUNT_PATHS))


def account_entries(tree: Iterable[Entry], accounts: AccountFiles, mtime: int) -> list[Entry]:
    """Entries of the account files with new texts; owner and mode are those that `tree` has."""
    shadow = ids(accounts).groups.get(_SHADOW_GROUP, 0)
    existing = {entry.path: entry for entry in tree if entry.path in _ACCOUNT_PATHS}
    result = []
    for path, text in zip(_ACCOUNT_PATHS, accounts, strict=True):
        secret = path in (_ACCOUNT_PATHS.shadow, _ACCOUNT_PATHS.gshadow)
        default = Entry(path, "f", 0o640 if secret else 0o644, 0, shadow if secret else 0)
        data = path_bytes(text)
        entry = existing.get(path, default)
        result.append(entry._replace(mtime=mtime, size=len(data), ref=data))
    return result


def described_entries(
    build: Build, files: Iterable[Mapping[str, Any]], numbers: Ids, mtime: int
) -> list[Entry]:
    """The entries that `files`, an argument of the builder, describe."""
    result: list[Entry] = []
    seen: dict[str, str] = {}
    for file in files:
        path = _plain(str(file.get("path", "")))
        _check_keys(f"the file {path}", file, _FILE_KEYS)
        kind = file.get("kind", "f")
        if not path or kind not in _MODES:
            raise BadFile(path, f"of the kind {kind!r}; kinds are {', '.join(_MODES)}")
        if path in seen and (kind, seen[path]) != ("d", "d"):
            raise DuplicateFile(path)
        seen[path] = kind
        uid = _owner(path, "user", file.get("owner", 0), numbers.users)
        gid = _owner(path, "group", file.get("group", 0), numbers.groups)
        mode = file.get("mode")
        form, value = _content(path, file, kind)
        if form == "source":
            copies = _copied(build.real(value), value, path, mtime)
            if kind == "d" and copies[0].kind != "d":
                raise BadFile(path, f"a directory, but its source {value} is none")
            result += _owned(copies, kind, mode, uid, gid)
            continue
        data: bytes | str | None = None
        if form == "target":
            data = value
        elif form == "base64":
            data = base64.b64decode(value, validate=True)
        elif form == "text":
            data = path_bytes(value)
        size = len(path_bytes(value)) if isinstance(data, str) else len(data or b"")
        bits = _MODES[kind] if mode is None else mode
        result.append(Entry(path, kind, bits, uid, gid, mtime, size, data))
    return result


def _content(path: str, file: Mapping[str, Any], kind: str) -> tuple[str, str]:
    """What describes the content, and its value; "" and "" for a directory that has none."""
    forms = _FORMS[kind]
    given = [form for form in _CONTENT_KEYS if file.get(form) is not None]
    if not given and kind == "d":
        return "", ""
    if len(given) != 1 or given[0] not in forms:
        raise BadFile(
            path, f"needs one of {', '.join(forms)}, and has {', '.join(given) or 'none'}"
        )
    return given[0], str(file[given[0]])


def _owned(copies: Sequence[Entry], kind: str, mode: int | None, uid: int, gid: int) -> list[Entry]:
    """Copies from the store, where nothing may be written, as files that belong to someone."""
    result = []
    for number, copy in enumerate(copies):
        bits = copy.mode | 0o200 if copy.kind in "fd" else copy.mode
        if mode is not None and copy.kind == kind == "f":
            # Programs in a directory stay such, for whoever may read them.
            bits = mode | (mode >> 2 & copy.mode & 0o111 if number else 0)
        elif mode is not None and kind == "d" and number == 0:
            bits = mode
        result.append(copy if copy.kind == "h" else copy._replace(uid=uid, gid=gid, mode=bits))
    return result


def _plain(path: str) -> str:
    """A path of a tree from an absolute or relative one. Raise BadFile for one that leaves it."""
    names = [name for name in path.split("/") if name not in ("", ".")]
    if ".." in names:
        raise BadFile(path, "its path has a component ..")
    return "/".join(names)


def _owner(path: str, kind: str, owner: int | str, numbers: Mapping[str, int]) -> int:
    if isinstance(owner, int):
        return owner
    if owner not in numbers:
        nearest = difflib.get_close_matches(owner, sorted(numbers), n=2)
        raise UnknownOwner(path, kind, owner, nearest)
    return numbers[owner]


def _copied(real: Path, logical: str, path: str, mtime: int) -> list[Entry]:
    """The file, link or directory `real`, of the store path `logical`, as entries at `path`."""
    try:
        status = real.lstat()
    except OSError as error:
        raise BadFile(path, f"{logical} cannot be read: {error.strerror}") from None
    if stat.S_ISLNK(status.st_mode):
        target = os.readlink(real)
        return [Entry(path, "l", 0o777, 0, 0, mtime, len(path_bytes(target)), target)]
    if stat.S_ISREG(status.st_mode):
        mode = 0o555 if status.st_mode & 0o100 else 0o444
        content = Content(logical) if status.st_size else None
        return [Entry(path, "f", mode, 0, 0, mtime, status.st_size, content)]
    found = scan.scan(real, source=logical, xattrs=False, owner=(0, 0), time=mtime)
    return [_moved(entry, path) for entry in found]


def _moved(entry: Entry, below: str) -> Entry:
    path = f"{below}/{entry.path}" if entry.path else below
    ref = f"{below}/{entry.ref!s}" if entry.kind == "h" else entry.ref
    return entry._replace(path=path, ref=ref)
