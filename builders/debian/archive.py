"""Debian's archive: signed Release files, and the Packages files that they vouch for.

All suites are updated together or not at all: the state that serves is one small file,
`state.json`, which is replaced when everything else is in place.
"""

from __future__ import annotations

import bz2
import fcntl
import gzip
import hashlib
import json
import lzma
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from builders.debian import fetch, signature
from builders.debian.control import MalformedControl, parse_stanza
from builders.debian.index import (
    FORMAT,
    NORMAL_PRIORITY,
    DamagedIndex,
    Index,
    PackagesFile,
    compile_index,
    file_name,
)
from builders.debian.sources import SourcesError, Suite
from builders.errors import BuilderError
from builders.events import EventSink, Failed, Finished, Log, Progress, Started, discard

if TYPE_CHECKING:
    from pysequoia import Cert

_JOB = "update the package lists"
_CONNECTIONS = 8
_RELEASE_LIMIT = 16 << 20
"""Bytes; no InRelease file is near it."""

_DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".xz": lzma.decompress,
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    "": bytes,
}


class MalformedRelease(BuilderError):
    """A signed Release file that lacks what is needed."""


class ExpiredRelease(BuilderError):
    """A Release file beyond its Valid-Until."""


@dataclass(frozen=True, slots=True)
class Release:
    """What a verified Release file says (https://wiki.debian.org/DebianRepository/Format)."""

    origin: str
    date: int
    valid_until: int | None
    by_hash: bool
    priority: int
    separate_all: bool
    files: dict[str, tuple[str, int]]
    """Path below the suite's directory to (SHA-256 hex, bytes)."""


@dataclass(frozen=True, slots=True)
class _Fetched:
    suite: Suite
    base: str
    raw: bytes
    verified: signature.Verified
    release: Release
    is_debian: bool
    validators: dict[str, str]


_KNOWN = frozenset({"release", "uri", "validators", "debian"})
"""What is remembered of a suite."""


class Archive:
    """The Debian suites among `sources`, kept below the directory `cache`.

    Sources that are not Debian's own are passed over: those whose Signed-By names none of the keys
    in `keyring` (Debian's archive keyring by default), whose signer is none of them though the host
    trusts it, or whose Origin is another. A suite whose signature does not verify is an error.
    """

    def __init__(
        self,
        sources: Sequence[Suite],
        cache: Path,
        architecture: str = "amd64",
        *,
        keyring: Sequence[Path] | None = None,
    ) -> None:
        self.sources = tuple(sources)
        self.architecture = architecture
        self._keyring_paths = keyring
        what = repr((FORMAT, architecture, keyring, [_identity(suite) for suite in sources]))
        self.cache = cache / hashlib.sha256(what.encode()).hexdigest()[:16]

    def index(self, events: EventSink = discard, *, update: bool = False) -> Index:
        """The index that was fetched last, or a new one when there is none or `update` is true."""
        state = None if update else self._state()
        if state is not None:
            try:
                return Index(self.cache / "index" / state["index"])
            except DamagedIndex:
                state = None
        return self.update(events)

    def update(self, events: EventSink = discard) -> Index:
        """Bring the package lists up to date and open the index of them.

        What has not changed is not fetched. Raises BadSignature, ExpiredRelease, FetchError,
        MalformedRelease, NoKeyring, SourcesError; then the state of before still serves.
        """
        start = time.monotonic()
        events(Started(_JOB, _JOB))
        for name in ("lists", "index", "partial"):
            (self.cache / name).mkdir(parents=True, exist_ok=True)
        try:
            with _locked(self.cache / "lock"):
                index = self._update(events)
        except BaseException as error:
            message = error.message if isinstance(error, BuilderError) else str(error)
            events(Failed(_JOB, message or type(error).__name__))
            raise
        events(Finished(_JOB, time.monotonic() - start))
        return index

    def _update(self, events: EventSink) -> Index:
        debian = signature.debian_keyring(self._keyring_paths)
        known = {} if (state := self._state()) is None else state["suites"]
        keys = {suite: self._keys(suite, debian) for suite in self.sources}
        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            jobs = [
                pool.submit(self._release, suite, keys[suite], debian, known.get(_identity(suite)))
                for suite in self.sources
                if keys[suite]
            ]
            fetched = [one for job in jobs if (one := job.result()) is not None]
            suites = [one for one in fetched if one.is_debian]
            used = {one.suite for one in suites}
            for suite in self.sources:
                if suite not in used:
                    events(Log(_JOB, f"{suite}: not Debian's own, passed over"))
            if not suites:
                raise SourcesError(
                    "none of the package sources is a suite of Debian's archive",
                    hint="name a Debian mirror and its suites in the configuration",
                )
            wanted = [(one, file) for one in suites for file in self._wanted(one)]
            progress = _Total(events)
            lists = [pool.submit(self._packages, *job, progress) for job in wanted]
            paths = [one.result() for one in lists]
        texts = [hashlib.sha256(one.verified.text.encode()).hexdigest() for one in suites]
        shape = [(one.suite.uris, one.suite.components) for one in suites]
        snapshot = hashlib.sha256(repr(sorted(zip(texts, shape, strict=True))).encode()).hexdigest()
        name = file_name(snapshot, shape, self.architecture)
        target = self.cache / "index" / name
        try:
            index = Index(target)
        except DamagedIndex:  # or not there at all
            files = (
                PackagesFile(_unpacked(path, file), one.suite.uris, one.release.priority, file)
                for (one, file), path in zip(wanted, paths, strict=True)
            )
            date = max(one.release.date for one in suites)
            compile_index(
                target, files, snapshot=snapshot, date=date, architecture=self.architecture
            )
            index = Index(target)
        self._keep(known, fetched, name, {path.name for path in paths})
        return index

    # --- Release files

    def _keys(self, suite: Suite, debian: tuple[Cert, ...]) -> tuple[Cert, ...]:
        """What the suite's signature is checked against; () when Debian cannot have signed it."""
        if not suite.signed_by:
            return debian if self._keyring_paths else (*debian, *signature.host_keyring())
        named = signature.fingerprints(debian)
        try:
            keys = signature.signed_by(suite.signed_by, (*debian, *signature.host_keyring()))
        except signature.UnusableKeyring:
            return ()
        return tuple(key for key in keys if key.fingerprint.lower() in named)

    def _release(
        self,
        suite: Suite,
        keys: tuple[Cert, ...],
        debian: tuple[Cert, ...],
        known: dict[str, Any] | None,
    ) -> _Fetched | None:
        """The suite's Release file: verified, not expired and not older than the `known` one.

        None when it cannot be had, but was someone else's before.
        """
        old = self._known_release(known)
        try:
            raw, validators, base = self._fetch_release(suite, known if old else None)
        except fetch.FetchError:
            if known is not None and not known["debian"]:
                return None
            raise
        raw = raw or old or b""
        name = f"{base}/dists/{suite.suite}/InRelease"
        verified = signature.verify_clear_signed(raw, keys, name)
        release = parse_release(verified.text, name)
        if old and old != raw:
            before = signature.verify_clear_signed(old, keys, name)
            earlier = parse_release(before.text, name)
            if earlier.date > release.date:
                # An old but validly signed file: a stale mirror, or someone who hides upgrades.
                raw, verified, release, validators = old, before, earlier, {}
        signer_is_debian = bool(verified.signers & signature.fingerprints(debian))
        is_debian = signer_is_debian and release.origin == "Debian"
        if is_debian and suite.check_valid_until and (release.valid_until or 1 << 62) < time.time():
            day = time.strftime("%Y-%m-%d", time.gmtime(release.valid_until))
            raise ExpiredRelease(
                f"{name} expired on {day}",
                hint="the mirror is out of date, or this machine's clock is wrong; for an archive "
                "of old states say Check-Valid-Until: no",
            )
        return _Fetched(suite, base, raw, verified, release, is_debian, validators)

    def _known_release(self, known: dict[str, Any] | None) -> bytes | None:
        if known is None:
            return None
        try:
            raw = (self.cache / "lists" / known["release"]).read_bytes()
        except OSError:
            return None
        return raw if hashlib.sha256(raw).hexdigest() == known["release"] else None

    @staticmethod
    def _fetch_release(
        suite: Suite, known: dict[str, Any] | None
    ) -> tuple[bytes | None, dict[str, str], str]:
        """The raw file, or None when the `known` one is still right; validators; the base URI."""
        attempts: list[fetch.Attempt] = []
        for base in suite.uris:
            uri = f"{base}/dists/{suite.suite}/InRelease"
            headers = {}
            if known is not None and known["uri"] == base:
                headers = known["validators"]
            try:
                body, answer = fetch.fetch_small(uri, headers, limit=_RELEASE_LIMIT)
            except fetch.AttemptFailed as failure:
                attempts.append(fetch.Attempt(uri, failure.cause, failure.reason))
                continue
            if body is None and known is not None:
                return None, known["validators"], base
            return body, answer, base
        raise fetch.FetchError(f"the Release file of {suite.suite}", attempts)

    # --- Packages files

    def _wanted(self, one: _Fetched) -> list[str]:
        """The names of the Packages files to fetch, in the best compression that is offered."""
        wanted: list[str] = []
        architectures = [self.architecture, *(["all"] if one.release.separate_all else [])]
        for component in one.suite.components:
            # A component of "updates/main" style is "main" in the files' names of old suites.
            for architecture in architectures:
                stem = f"{component}/binary-{architecture}/Packages"
                for suffix in _DECOMPRESS:
                    if stem + suffix in one.release.files:
                        wanted.append(stem + suffix)
                        break
                else:
                    if architecture != "all":
                        raise MalformedRelease(
                            f"{one.suite} has no component {component} for {architecture}",
                            hint=f"correct the components in {one.suite.origin or 'the sources'}",
                        )
        return wanted

    def _packages(self, one: _Fetched, file: str, progress: _Total) -> Path:
        """The Packages file, compressed, in the cache."""
        sha256, size = one.release.files[file]
        path = self.cache / "lists" / sha256
        if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
            return path
        directory, _, _ = file.rpartition("/")
        uris: list[str] = []
        for base in one.suite.uris:
            root = f"{base}/dists/{one.suite.suite}"
            if one.release.by_hash:
                uris.append(f"{root}/{directory}/by-hash/SHA256/{sha256}")
            uris.append(f"{root}/{file}")
        fetch.fetch(
            uris,
            path,
            part=self.cache / "partial" / sha256,
            name=f"{one.suite.suite}/{file}",
            sha256=sha256,
            size=size,
            progress=progress.part(sha256, size),
        )
        return path

    # --- state

    def _state(self) -> dict[str, Any] | None:
        """What the last update left; None when that is nothing that `_keep` writes."""
        try:
            state = json.loads((self.cache / "state.json").read_bytes())
            whole = isinstance(state["index"], str) and all(
                one.keys() >= _KNOWN for one in state["suites"].values()
            )
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None
        return state if whole else None

    def _keep(
        self, before: dict[str, Any], fetched: Sequence[_Fetched], index: str, lists: set[str]
    ) -> None:
        """Make this update the one that serves, and drop what only earlier ones used."""
        # Whose others are is remembered, though they cannot be had today.
        suites = {name: known for name, known in before.items() if not known["debian"]}
        for one in fetched:
            sha256 = hashlib.sha256(one.raw).hexdigest()
            fetch.write_atomically(self.cache / "lists" / sha256, one.raw)
            lists.add(sha256)
            suites[_identity(one.suite)] = {
                "release": sha256,
                "uri": one.base,
                "validators": one.validators,
                "debian": one.is_debian,
            }
        state = {"index": index, "suites": suites}
        text = json.dumps(state, indent=1, sort_keys=True)
        fetch.write_atomically(self.cache / "state.json", text.encode())
        for directory, kept in (("lists", lists), ("index", {index})):
            for path in (self.cache / directory).iterdir():
                if path.name not in kept:
                    path.unlink(missing_ok=True)


class _Total:
    """Sums the progress of files that are fetched in parallel."""

    def __init__(self, events: EventSink) -> None:
        self._events = events
        self._lock = Lock()
        self._sizes: dict[str, int] = {}
        self._done: dict[str, int] = {}

    def part(self, name: str, size: int) -> fetch.ProgressCall:
        with self._lock:
            self._sizes[name] = size

        def progress(done: int, _total: int | None) -> None:
            with self._lock:
                self._done[name] = done
                self._events(
                    Progress(_JOB, sum(self._done.values()), sum(self._sizes.values()), "B")
                )

        return progress


def parse_release(text: str, name: str) -> Release:
    """Read a Release file's verified content; raises MalformedRelease naming the file."""
    try:
        fields = parse_stanza(text, what=name)
        files: dict[str, tuple[str, int]] = {}
        for line in fields["SHA256"].split("\n"):
            if line.strip():
                sha256, size, path = line.split()
                files[path] = (sha256.lower(), int(size))
        until = fields.get("Valid-Until")
        automatic = fields.get("NotAutomatic") != "yes"
        upgrades = fields.get("ButAutomaticUpgrades") == "yes"
        return Release(
            origin=fields.get("Origin", ""),
            date=_seconds(fields["Date"]),
            valid_until=_seconds(until) if until else None,
            by_hash=fields.get("Acquire-By-Hash") == "yes",
            priority=NORMAL_PRIORITY if automatic else 100 if upgrades else 1,
            separate_all="all" in fields.get("Architectures", "").split()
            and "Packages" not in fields.get("No-Support-for-Architecture-all", "").split(),
            files=files,
        )
    except MalformedControl as error:
        raise MalformedRelease(error.message) from error
    except (KeyError, ValueError, TypeError) as error:
        raise MalformedRelease(f"{name}: bad or missing field {error}") from error


def _seconds(date: str) -> int:
    return int(parsedate_to_datetime(date.replace("UTC", "+0000")).timestamp())


def _identity(suite: Suite) -> str:
    return repr(replace(suite, origin=""))


def _unpacked(path: Path, name: str) -> bytes:
    """The content of a list whose compressed form was verified when it was fetched."""
    _, dot, suffix = name.rpartition("/")[2].partition(".")
    try:
        return _DECOMPRESS[dot + suffix](path.read_bytes())
    except (OSError, EOFError, lzma.LZMAError) as error:
        path.unlink(missing_ok=True)
        raise MalformedRelease(
            f"{name} in the cache is damaged: {error}", hint="run it again: it is fetched anew"
        ) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock: updates by several processes wait for each other."""
    with open(path, "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
