"""Downloads: several URIs, resumed, checked; and the builder that makes store items of them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedRandom as BinaryFile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from builders.derivation import Derivation
from builders.errors import BuilderError
from builders.registry import Build, builder

if TYPE_CHECKING:
    import http.client
    from email.message import Message

    from builders.debian.index import Package

BLOCK = 1 << 18
TIMEOUT = 30.0
ATTEMPTS = 4
"""How often a URI is asked when its connection breaks or it answers "try again"."""

Cause = Literal["missing", "wrong", "broken off", "unreachable", "refused"]
ProgressCall = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Why one URI did not serve."""

    uri: str
    cause: Cause
    reason: str


class FetchError(BuilderError):
    """No URI gave the file."""

    def __init__(self, name: str, attempts: Sequence[Attempt], kept: int = 0) -> None:
        lines = [f"cannot fetch {name}"]
        lines += [f"  from {attempt.uri}: {attempt.reason}" for attempt in attempts]
        if not attempts:
            lines.append("  nowhere to fetch it from")
        super().__init__("\n".join(lines), hint=_hint({a.cause for a in attempts}, kept))
        self.name = name
        self.attempts = tuple(attempts)


def _hint(causes: set[Cause], kept: int) -> str:
    if "broken off" in causes:
        return f"run it again: it goes on after the {kept} bytes that have arrived"
    if "unreachable" in causes:
        return "check the network and the mirror's address, then run it again"
    if "wrong" in causes:
        return "the mirror is out of step or damaged: update the package lists or use another one"
    return "the package lists may be out of date: update them, or use another mirror"


class AttemptFailed(Exception):
    """One URI did not serve; `again`: it may, when asked another time."""

    def __init__(self, cause: Cause, reason: str, again: bool = False) -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason
        self.again = again


def fetch(
    uris: Sequence[str],
    target: Path,
    *,
    part: Path,
    name: str,
    sha256: str,
    size: int | None = None,
    progress: ProgressCall = lambda _done, _total: None,
    timeout: float = TIMEOUT,
) -> None:
    """Make `target` the file with this SHA-256 (hex) and size (bytes), from the first URI that can.

    What has arrived is kept in the file `part`, so that a later call goes on from there; `target`
    appears only when its content is right. `progress` gets bytes done and in total, `timeout` is
    seconds without an answer. `name` is for messages. Raises FetchError, which tells for each URI
    what is wrong with it.
    """
    attempts: list[Attempt] = []
    part.parent.mkdir(parents=True, exist_ok=True)
    with open(part, "a+b") as file:
        for uri in uris:
            try:
                _from_one(uri, file, sha256, size, progress=progress, timeout=timeout)
            except AttemptFailed as stop:
                attempts.append(Attempt(uri, stop.cause, stop.reason))
            else:
                file.close()
                shutil.move(part, target)
                return
        kept = file.seek(0, os.SEEK_END)
    if not kept:
        part.unlink()
    raise FetchError(name, attempts, kept)


def _from_one(
    uri: str,
    file: BinaryFile,
    sha256: str,
    size: int | None,
    *,
    progress: ProgressCall,
    timeout: float,
) -> None:
    """Complete `file` from one URI; raise AttemptFailed when that cannot be."""
    failures = 0
    renewed = False
    while True:
        start = file.seek(0, os.SEEK_END)
        try:
            if size is None or start < size:
                _transfer(uri, file, start, size=size, progress=progress, timeout=timeout)
            _check(file, sha256, size)
            return
        except AttemptFailed as stop:
            if stop.cause == "wrong":
                file.truncate(0)
                if not start or renewed:
                    raise
                # What was there before may be at fault: once more from the beginning.
                renewed = True
                continue
            failures = 0 if file.seek(0, os.SEEK_END) > start else failures + 1
            if not stop.again or failures >= ATTEMPTS:
                raise
            time.sleep(0.2 * 2**failures)


def _check(file: BinaryFile, sha256: str, size: int | None) -> None:
    length = file.seek(0, os.SEEK_END)
    if size is not None and length < size:
        raise AttemptFailed("broken off", f"broke off after {length} of {size} bytes", True)
    if size is not None and length != size:
        raise AttemptFailed("wrong", f"it has {length} bytes, {size} are right")
    file.seek(0)
    actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != sha256:
        raise AttemptFailed("wrong", f"its SHA-256 is {actual}, {sha256} is right")


def _transfer(
    uri: str,
    file: BinaryFile,
    start: int,
    *,
    size: int | None,
    progress: ProgressCall,
    timeout: float,
) -> None:
    """Append what the URI gives from byte `start` on, or all of it when it cannot resume."""
    # Who only names what is to be fetched need not wait for HTTP and TLS to be imported.
    import http.client
    import urllib.error

    from builders.debian.connections import opened

    try:
        with opened(uri, _headers(start), timeout) as response:
            if start and response.status != 206:
                file.truncate(0)
                start = 0
            expected = _content_length(response.headers)
            total = size if size is not None else (start + expected if expected else None)
            done = start
            progress(done, total)
            while block := response.read(BLOCK):
                done += len(block)
                if size is not None and done > size:
                    raise AttemptFailed("wrong", f"it has more than {size} bytes")
                file.write(block)
                progress(done, total)
            if expected is not None and done - start < expected:
                reason = f"broke off after {done} of {start + expected} bytes"
                raise AttemptFailed("broken off", reason, True)
            if expected is not None and size is not None and done < size:
                raise AttemptFailed("wrong", f"it has {done} bytes, {size} are right")
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError) and error.code == 416 and start:
            raise AttemptFailed("wrong", "it does not have the rest") from error
        raise _failure(error, file.seek(0, os.SEEK_END)) from error
    finally:
        file.flush()


def fetch_small(
    uri: str, validators: Mapping[str, str], *, limit: int, timeout: float = TIMEOUT
) -> tuple[bytes | None, dict[str, str]]:
    """The content of a file of at most `limit` bytes, and the validators to ask with next time.

    None in place of the content when it is still what the given `validators` (request headers)
    stand for. Raises AttemptFailed.
    """
    failures = 0
    while True:
        try:
            return _small(uri, validators, limit, timeout)
        except AttemptFailed as failure:
            failures += 1
            if not failure.again or failures >= ATTEMPTS:
                raise
            time.sleep(0.2 * 2**failures)


def _small(
    uri: str, validators: Mapping[str, str], limit: int, timeout: float
) -> tuple[bytes | None, dict[str, str]]:
    import http.client
    import urllib.error

    from builders.debian.connections import opened

    try:
        with opened(uri, {**_headers(0), **validators}, timeout) as response:
            body = response.read(limit + 1)
            if len(body) > limit:
                raise AttemptFailed("wrong", f"it has more than {limit} bytes")
            if len(body) < (_content_length(response.headers) or 0):
                raise AttemptFailed("broken off", f"broke off after {len(body)} bytes", True)
            names = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
            given = {ask: response.headers.get(name) for name, ask in names.items()}
            return body, {ask: value for ask, value in given.items() if value}
    except urllib.error.HTTPError as error:
        if error.code == 304:
            return None, dict(validators)
        raise _failure(error) from error
    except (OSError, http.client.HTTPException) as error:
        raise _failure(error) from error


def write_atomically(path: Path, data: bytes) -> None:
    """Make `path` a file with this content: all of it, or what it was before."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def _failure(error: OSError | http.client.HTTPException, received: int = 0) -> AttemptFailed:
    """What an error of the connection means for the attempt with its URI."""
    import http.client
    import urllib.error

    if isinstance(error, urllib.error.HTTPError):
        if error.code in (404, 410):
            return AttemptFailed("missing", f"it is not there ({error.code})")
        again = error.code in (408, 429, 500, 502, 503, 504)
        return AttemptFailed("refused", f"the server answers {error.code} {error.reason}", again)
    if isinstance(error, urllib.error.URLError):
        if isinstance(error.reason, FileNotFoundError):
            return AttemptFailed("missing", "there is no such file")
        return AttemptFailed("unreachable", f"cannot be reached ({_words(error.reason)})", True)
    if isinstance(error, (TimeoutError, http.client.HTTPException, ConnectionError)):
        reason = f"broke off after {received} bytes ({_words(error)})"
        return AttemptFailed("broken off", reason, True)
    raise error


def _headers(start: int) -> Mapping[str, str]:
    # Identity: a proxy that compresses on the way would break offsets.
    headers = {"User-Agent": "kiln", "Accept-Encoding": "identity"}
    return headers | {"Range": f"bytes={start}-"} if start else headers


def _content_length(headers: Message) -> int | None:
    value = headers.get("Content-Length", "")
    return int(value) if value.isdigit() else None


def _words(error: object) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def fetch_derivation(package: Package, mirrors: Sequence[str] = ()) -> Derivation:
    """The package's .deb as a store item; its content is fixed by the hash in the index.

    `mirrors` are base URIs that are asked before the archives that the index came from.
    """
    name = re.sub(r"[^A-Za-z0-9+._?=-]", "_", package.filename.rpartition("/")[2])
    first = [f"{base.rstrip('/')}/{package.filename}" for base in mirrors]
    return Derivation(
        name=name,
        builder="fetch",
        arguments={
            "uris": [*first, *package.uris],
            "size": package.size,
            "sha256": package.sha256,
        },
        fixed_sha256=package.sha256,
        title=f"fetch {package}",
    )


@builder("fetch")
def fetch_item(build: Build) -> None:
    """Arguments: uris, size (bytes, or null when unknown) and sha256 (hex)."""
    fetch(
        build.arguments["uris"],
        build.output,
        part=build.partial,
        name=build.name,
        sha256=build.arguments["sha256"],
        size=build.arguments["size"],
        progress=build.progress,
    )
