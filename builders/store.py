"""The store: finished outputs by name in a directory, and a database that says which are whole.

An item is in its place before the database names it, so whatever the database names is whole, at
whatever moment a process was killed. Against a loss of power: an item is trusted in the boot in
which it was made, and in later ones if its file system was synchronised since (`settle`). So no
build waits for a disk.

    <root>/<hash>-<name>     items, read-only
    <root>/.state/db         SQLite: items, references
    <root>/.state/roots      links to the links that keep items alive
    <root>/.state/locks      one file for each output being built
    <root>/.state/logs       what builds said, gzip
    <root>/.state/tmp        a directory for each running realisation
    <root>/.state/partial    downloads to be resumed
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from builders import items
from builders.derivation import fixed_path, store_path
from builders.errors import BuilderError
from builders.folders import user_folder
from builders.locks import FileLock
from builders.registry import STORE_PREFIX, real_path

_SCHEMA = """
CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    sha256 TEXT,
    boot TEXT);
CREATE TABLE refs (
    referrer INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
    reference INTEGER NOT NULL REFERENCES items,
    PRIMARY KEY (referrer, reference)) WITHOUT ROWID;
CREATE INDEX refs_by_reference ON refs (reference);
CREATE INDEX unsettled ON items (boot) WHERE boot IS NOT NULL;
"""
_VERSION = 1

TRUSTED = "(boot IS NULL OR boot IN (:boot, :boot || '+'))"  # "+": being synchronised


class StoreError(BuilderError):
    """The store cannot be used as it was asked to."""


class StoreFull(StoreError):
    """No space is left where the store is."""


class NotInStore(StoreError):
    """A path was named that is no valid item of the store."""


class StoreBusy(StoreError):
    """Another Kiln builds into the store, so that nothing can be removed from it now."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a garbage collection removed (or would): items, and the bytes on disk they took."""

    paths: tuple[str, ...]
    freed: int


@dataclass(frozen=True, slots=True)
class Damage:
    """A valid item that is not what it was when it was made."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class Store:
    """The store below `root`: by default $KILN_STORE, else $XDG_DATA_HOME/kiln/store."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or default_root()).absolute()
        self.state = self.root / ".state"
        self.boot = _boot()
        self.in_use = FileLock(self.state / "in-use")
        try:
            if not (self.state / "db").exists():
                for name in ("roots", "locks", "logs", "tmp", "partial"):
                    (self.state / name).mkdir(parents=True, exist_ok=True)
            # one thread at a time uses it: Scheme, which adds files, runs on a thread of its own
            self.db = sqlite3.connect(
                self.state / "db", timeout=60, isolation_level=None, check_same_thread=False
            )
            self.db.execute("PRAGMA foreign_keys = ON")
            self.db.execute("PRAGMA synchronous = NORMAL")
            if self.db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                self._create()
        except (OSError, sqlite3.Error) as error:
            raise self.error(error) from error

    def _create(self) -> None:
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("BEGIN IMMEDIATE")
        (version,) = self.db.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise StoreError(
                f"the store {self.root} was written by another version of Kiln (format {version})",
                hint="set KILN_STORE to another directory, or remove this one",
            )
        if version == 0:
            for statement in _SCHEMA.split(";"):
                self.db.execute(statement)
            self.db.execute(f"PRAGMA user_version = {_VERSION}")
        self.db.execute("COMMIT")

    def close(self) -> None:
        """Let go of the database and of the right to keep new items from being collected."""
        self.in_use.release(remove=False)
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def error(self, error: Exception) -> StoreError:
        """The error for people that a system's or a database's error amounts to."""
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or "disk is full" in str(error):
            return self.full()
        return StoreError(
            f"cannot use the store in {self.root}: {error}",
            hint="KILN_STORE names the directory to use instead",
        )

    def full(self) -> StoreFull:
        """The error that says that there is no space left."""
        free = shutil.disk_usage(self.root).free >> 20
        return StoreFull(
            f"no space is left for the store in {self.root} ({free} MiB free)",
            hint="free some, run `kiln gc`, or set KILN_STORE to a directory on another disk",
        )

    # Questions

    def real(self, logical: str) -> Path:
        """Where a store path, with or without trailing components, is on this host."""
        return real_path(self.root, logical)

    def valid(self, paths: Iterable[str]) -> set[str]:
        """Those of `paths` that are whole items."""
        rows = self.db.execute(
            f"SELECT path FROM items WHERE path IN (SELECT value FROM json_each(:paths))"
            f" AND {TRUSTED}",
            {"paths": json.dumps(list(paths)), "boot": self.boot},
        )
        return {path for (path,) in rows if os.path.lexists(self.real(path))}

    def references(self, path: str) -> list[str]:
        """The items that `path` refers to, sorted; raises NotInStore."""
        rows = self.db.execute(
            "SELECT path FROM items JOIN refs ON id = reference WHERE referrer = ? ORDER BY path",
            (self._id(path),),
        )
        return [one for (one,) in rows]

    def closure(self, paths: Iterable[str]) -> list[str]:
        """`paths` and all that they refer to, sorted; raises NotInStore."""
        rows = self.db.execute(
            "WITH RECURSIVE live(id) AS (SELECT value FROM json_each(?)"
            " UNION SELECT reference FROM refs JOIN live ON referrer = live.id)"
            " SELECT path FROM items JOIN live USING (id) ORDER BY path",
            (json.dumps([self._id(path) for path in paths]),),
        )
        return [one for (one,) in rows]

    def size(self, path: str) -> int:
        """Bytes in the files of an item, holes included; raises NotInStore."""
        row = self.db.execute("SELECT size FROM items WHERE path = ?", (path,)).fetchone()
        if row is None:
            raise NotInStore(f"{path} is not in the store {self.root}")
        return int(row[0])

    def paths(self) -> list[str]:
        """All valid items, sorted."""
        rows = self.db.execute(
            f"SELECT path FROM items WHERE {TRUSTED} ORDER BY path", {"boot": self.boot}
        )
        return [path for (path,) in rows]

    def log_file(self, path: str) -> Path:
        """Where the log of the build of `path` is, if it was built here and said something."""
        return self.state / "logs" / f"{path.removeprefix(STORE_PREFIX + '/')}.gz"

    def _id(self, path: str) -> int:
        row = self.db.execute("SELECT id FROM items WHERE path = ?", (path,)).fetchone()
        if row is None:
            raise NotInStore(f"{path} is not in the store {self.root}")
        return int(row[0])

    # New items

    def hold(self) -> None:
        """Keep the collector out until `close`: what is added has no root for a while."""
        if not self.in_use.held:
            self.in_use.acquire(wait=True, shared=True)

    def lock(self, path: str) -> FileLock:
        """The lock, not taken yet, that whoever makes `path` has to hold."""
        return FileLock(self.state / "locks" / path.removeprefix(STORE_PREFIX + "/"))

    def adopt(self, made: Path, path: str, sealed: items.Sealed, references: Iterable[str]) -> None:
        """Make the sealed output at `made`, on the store's file system, the item `path`.

        The caller holds `lock(path)`. Raises StoreError, and NotInStore for a reference.
        """
        place = self.real(path)
        try:
            items.remove(place)  # what a process left that was killed before the next statement
            made.rename(place)
            items.close(place)
            self.db.execute("BEGIN IMMEDIATE")
            try:
                self._register(path, sealed, references)
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")
        except (OSError, sqlite3.Error) as error:
            raise self.error(error) from error

    def _register(self, path: str, sealed: items.Sealed, references: Iterable[str]) -> None:
        self.db.execute(
            "INSERT INTO items (path, size, sha256, boot) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (path) DO UPDATE SET size = excluded.size, sha256 = excluded.sha256,"
            " boot = excluded.boot",
            (path, sealed.size, sealed.sha256, self.boot),
        )
        referrer = self._id(path)
        self.db.execute("DELETE FROM refs WHERE referrer = ?", (referrer,))
        self.db.executemany(
            "INSERT OR IGNORE INTO refs VALUES (?, ?)",
            [(referrer, self._id(one)) for one in references if one != path],
        )

    def add_bytes(self, name: str, data: bytes) -> str:
        """The item that is a file of these bytes; the same bytes and name give the same item."""
        path = fixed_path(name, hashlib.sha256(data).hexdigest())
        self.hold()
        if self.valid([path]):
            return path
        with TemporaryDirectory(self) as directory:
            made = directory / "item"
            try:
                made.write_bytes(data)
                self._add(made, path)
            except OSError as error:
                raise self.error(error) from error
        return path

    def add_path(self, name: str, source: Path, recursive: bool = True) -> str:
        """The item that is a copy of a file or, if `recursive`, of a file or directory.

        A file that is not recursively added loses its executable bit. Raises StoreError.
        """
        self.hold()
        try:
            if not recursive:
                if not source.is_file():
                    raise StoreError(
                        f"{source} is not a file", hint="a directory needs #:recursive? #t"
                    )
                return self.add_bytes(name, source.read_bytes())
            path = _tree_path(name, items.examine(source), source)
            if self.valid([path]):
                return path
            with TemporaryDirectory(self) as directory:
                made = directory / "item"
                if source.is_dir():
                    shutil.copytree(source, made, symlinks=True, copy_function=_copy)
                else:
                    _copy(str(source), str(made))
                path = _tree_path(name, items.examine(made), made)  # it may have changed meanwhile
                self._add(made, path)
            return path
        except shutil.Error as error:
            raise StoreError(f"cannot copy {source}: {error.args[0][0][2]}") from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise self.error(error) from error
            raise StoreError(f"cannot add {source} to the store: {error.strerror}") from error

    def _add(self, made: Path, path: str) -> None:
        lock = self.lock(path)
        lock.acquire(wait=True)
        try:
            if not self.valid([path]):
                self.adopt(made, path, items.seal(made), ())
        finally:
            lock.release()

    # Upkeep

    def settle(self) -> None:
        """Write out what was made in this boot, so that it is trusted in the next one.

        May take as long as the disk takes. Opens the database anew: for a thread of its own.
        """
        names = {"boot": self.boot}
        db = sqlite3.connect(self.state / "db", timeout=60, isolation_level=None)
        try:
            marked = db.execute(
                "UPDATE items SET boot = :boot || '+' WHERE boot IN (:boot, :boot || '+')", names
            )
            if marked.rowcount:
                _sync_file_system(self.root)
                db.execute("UPDATE items SET boot = NULL WHERE boot = :boot || '+'", names)
        finally:
            db.close()

    def idle_seconds(self) -> float:
        """How long ago an item was registered."""
        try:
            return time.time() - (self.state / "db-wal").stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def add_root(self, link: Path, path: str) -> None:
        """Make the symbolic link `link` to an item, which lives as long as the link does."""
        link = link.absolute()
        if link.exists() and not link.is_symlink():
            raise StoreError(f"{link} exists and is not a link", hint="choose another name")
        self._id(path)
        name = hashlib.sha256(os.fsencode(link)).hexdigest()[:32]
        for place, target in ((link, self.real(path)), (self.state / "roots" / name, link)):
            beside = place.with_name(f".{place.name}.{os.getpid()}")
            beside.unlink(missing_ok=True)
            beside.symlink_to(target)
            beside.replace(place)

    def recover(self) -> None:
        """Decide on items that were not settled when the machine went down."""
        from builders import upkeep

        upkeep.recover(self)

    def verify(self, repair: bool = False) -> list[Damage]:
        """Read every item and tell which are not what they were.

        With `repair`, they and what refers to them are no longer valid, and so are built anew when
        they are wanted.
        """
        from builders import upkeep

        return upkeep.verify(self, repair=repair)

    def collect_garbage(self, *, keep: Iterable[str] = (), dry_run: bool = False) -> Collected:
        """Remove the items that no root and none of `keep` needs; raises StoreBusy."""
        from builders import upkeep

        return upkeep.collect(self, keep=keep, dry_run=dry_run)


def _boot() -> str:
    """What tells this run of the machine from others. Raises StoreError."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError as error:
        raise StoreError(
            f"the store needs /proc: {error.strerror}", hint="mount -t proc proc /proc"
        ) from error


class TemporaryDirectory:
    """A directory on the store's file system that goes with the block, or with the process."""

    def __init__(self, store: Store) -> None:
        base = store.state / "tmp"
        self.path = base / f"{os.getpid()}-{os.urandom(6).hex()}"
        self._lock = FileLock(base / f"{self.path.name}.lock")

    def __enter__(self) -> Path:
        self._lock.acquire()
        self.path.mkdir()
        return self.path

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        items.remove(self.path)
        self._lock.release()


def sweep_temporary(store: Store) -> None:
    """Remove the temporary directories of processes that are no more."""
    for lock_file in (store.state / "tmp").glob("*.lock"):
        lock = FileLock(lock_file)
        if lock.acquire():
            items.remove(lock_file.with_suffix(""))
            lock.release()


def default_root() -> Path:
    """Where the user's store is: $KILN_STORE or $XDG_DATA_HOME/kiln/store."""
    if given := os.environ.get("KILN_STORE"):
        return Path(given)
    return user_folder("XDG_DATA_HOME", ".local/share") / "kiln" / "store"


def _tree_path(name: str, known: items.Sealed, source: Path) -> str:
    plain = source.is_file() and not source.is_symlink() and not os.access(source, os.X_OK)
    sha256 = known.sha256 or ""
    return fixed_path(name, sha256) if plain else store_path("tree", sha256, name)


def _sync_file_system(directory: Path) -> None:
    import ctypes

    fd = os.open(directory, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(fd) != 0:
            raise OSError(ctypes.get_errno(), "syncfs")
    finally:
        os.close(fd)


def _copy(source: str, target: str) -> None:
    """Copy a file with its permissions; what it stores nothing for is not stored again."""
    from builders.scan import holes

    with open(source, "rb") as original, open(target, "xb") as made:
        size = os.fstat(original.fileno()).st_size
        position = 0
        for offset, length in (*holes(source, size), (size, 0)):
            while position < offset:
                copied = os.sendfile(made.fileno(), original.fileno(), position, offset - position)
                if copied == 0:
                    break  # it has become shorter
                position += copied
            position = offset + length
            os.lseek(made.fileno(), position, os.SEEK_SET)
        os.ftruncate(made.fileno(), size)
    shutil.copymode(source, target)
