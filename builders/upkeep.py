"""What keeps a store sound and small: recovery after a crash, verification, garbage collection."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from builders import items
from builders.locks import FileLock
from builders.registry import STORE_PREFIX
from builders.store import TRUSTED, Collected, Damage, Store, StoreBusy, sweep_temporary


def recover(store: Store) -> None:
    """See Store.recover: what the disk kept is settled, what it did not is forgotten."""
    query = f"SELECT id, path, size, sha256 FROM items WHERE boot IS NOT NULL AND NOT {TRUSTED}"
    boot = {"boot": store.boot}
    if store.db.execute(query, boot).fetchone() is None:
        return
    lock = FileLock(store.state / "recovery")
    lock.acquire(wait=True)
    try:
        lost = []
        for number, path, size, sha256 in store.db.execute(query, boot).fetchall():
            # Without a hash nothing can be said: such items are large and quickly made.
            if sha256 is None or _damage(store, path, size, sha256):
                lost.append(number)
            else:
                store.db.execute("UPDATE items SET boot = NULL WHERE id = ?", (number,))
        _forget(store, lost)
    finally:
        lock.release()


def verify(store: Store, *, repair: bool) -> list[Damage]:
    """See Store.verify."""
    with _alone(store) if repair else nullcontext():
        rows = store.db.execute(
            f"SELECT id, path, size, sha256 FROM items WHERE {TRUSTED} ORDER BY path",
            {"boot": store.boot},
        ).fetchall()
        found = {}
        for number, path, size, sha256 in rows:
            if message := _damage(store, path, size, sha256):
                found[number] = Damage(path, message)
        if repair:
            _forget(store, found)
    return list(found.values())


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """Be the only Kiln in the store; raises StoreBusy."""
    store.in_use.release(remove=False)
    if not store.in_use.acquire():
        raise StoreBusy(
            "another Kiln is at work in this store", hint="try again when it has finished"
        )
    try:
        yield
    finally:
        store.in_use.release(remove=False)


def _damage(store: Store, path: str, size: int, sha256: str | None) -> str | None:
    place = store.real(path)
    if not os.path.lexists(place):
        return "it is gone"
    try:
        known = items.examine(place)
    except (OSError, items.BadOutput) as error:
        return f"it cannot be read: {error}"
    if known.size != size:
        return f"it has {known.size} bytes instead of {size}"
    if sha256 is not None and known.sha256 != sha256:
        return "its contents have changed"
    return None


def _forget(store: Store, numbers: Iterable[int]) -> None:
    """Make items, and all that refers to them, invalid; then remove their files."""
    rows = store.db.execute(
        "WITH RECURSIVE users(id) AS (SELECT value FROM json_each(?)"
        " UNION SELECT referrer FROM refs JOIN users ON reference = users.id)"
        " SELECT id, path FROM items JOIN users USING (id)",
        (json.dumps(list(numbers)),),
    ).fetchall()
    _delete(store, rows)


def _delete(store: Store, rows: list[tuple[int, str]]) -> None:
    numbers = json.dumps([number for number, _path in rows])
    store.db.execute("BEGIN IMMEDIATE")
    for column, table in (("referrer", "refs"), ("reference", "refs"), ("id", "items")):
        store.db.execute(
            f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (numbers,)
        )
    store.db.execute("COMMIT")
    for _number, path in rows:
        items.remove(store.real(path))
        store.log_file(path).unlink(missing_ok=True)


def collect(store: Store, *, keep: Iterable[str], dry_run: bool) -> Collected:
    """See Store.collect_garbage."""
    with _alone(store):
        roots = {*_roots(store, prune=not dry_run), *keep}
        live = set(store.closure(store.valid(roots)))
        rows = store.db.execute("SELECT id, path FROM items").fetchall()
        dead = [(number, path) for number, path in rows if path not in live]
        strays = _strays(store, {path for _number, path in rows})
        freed = sum(_disk_usage(place) for place in [*(store.real(p) for _n, p in dead), *strays])
        if not dry_run:
            _delete(store, dead)
            for stray in strays:
                items.remove(stray)
            sweep_temporary(store)
        return Collected(tuple(sorted(path for _number, path in dead)), freed)


def _roots(store: Store, *, prune: bool) -> Iterator[str]:
    for root in sorted((store.state / "roots").iterdir()):
        link = root.readlink()
        try:
            target = Path(os.path.realpath(link))
        except OSError:
            target = link
        if target.parent == store.root.resolve() and link.is_symlink():
            yield f"{STORE_PREFIX}/{target.name}"
        elif prune:
            root.unlink()


def _strays(store: Store, known: set[str]) -> list[Path]:
    """What is in the store's directory without being an item, and what builds that failed left."""
    strays = [
        place
        for place in store.root.iterdir()
        if place != store.state and f"{STORE_PREFIX}/{place.name}" not in known
    ]
    for name in ("partial", "failed"):
        if (store.state / name).is_dir():
            strays.extend((store.state / name).iterdir())
    logs = {store.log_file(path) for path in known}
    strays.extend(log for log in (store.state / "logs").iterdir() if log not in logs)
    return sorted(strays)


def _disk_usage(place: Path) -> int:
    """Bytes on disk; 0 for what is not there."""
    if not os.path.lexists(place):
        return 0
    total = place.lstat().st_blocks * 512
    if place.is_dir() and not place.is_symlink():
        for directory, _names, files in os.walk(place):
            total += sum(Path(directory, file).lstat().st_blocks * 512 for file in files)
    return total
