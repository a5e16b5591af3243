"""Clear-signed files: verified with OpenPGP certificates of the host, fail closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import BuilderError

if TYPE_CHECKING:
    from pysequoia import Cert

DEBIAN_KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)
TRUSTED_PARTS = Path("/etc/apt/trusted.gpg.d")
TRUSTED = Path("/etc/apt/trusted.gpg")


class BadSignature(BuilderError):
    """A file whose signature does not verify."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(
            f"{what} is not signed by a key that is trusted for it: {reason}",
            hint="if neither the mirror nor a proxy is at fault, someone tampered with it; if "
            "Debian has a new key, upgrade debian-archive-keyring; if the archive is not Debian's, "
            "name its key with Signed-By in the package sources",
        )


class NoKeyring(BuilderError):
    """No key to verify with."""


class UnusableKeyring(NoKeyring):
    """A keyring that is there, but cannot be read, or holds nothing that can be used.

    Debian's own are readable by all, so it is someone else's.
    """


@dataclass(frozen=True, slots=True)
class Verified:
    """What was signed, and the fingerprints (lower-case hex) of the certificates that vouch."""

    text: str
    signers: frozenset[str]


def debian_keyring(paths: Sequence[Path] | None = None) -> tuple[Cert, ...]:
    """The certificates of Debian's archive: of `paths`, else where the host's Debian keeps them.

    Raises NoKeyring when there is no file.
    """
    if paths is None:
        parts = sorted(TRUSTED_PARTS.glob("debian-archive-*"))
        paths = [path for path in DEBIAN_KEYRINGS if path.is_file()][:1] or parts
    if not paths:
        raise NoKeyring(
            "the keys of Debian's archive are not on this machine",
            hint="install the package debian-archive-keyring",
        )
    return _load(tuple(paths))


def host_keyring() -> tuple[Cert, ...]:
    """What the host's APT trusts for sources without Signed-By; what cannot be read is left out."""
    certificates: list[Cert] = []
    for path in [TRUSTED, *sorted(TRUSTED_PARTS.glob("*.[ga][ps][gc]"))]:
        try:
            certificates += _load((path,))
        except NoKeyring:
            continue
    return tuple(certificates)


def signed_by(value: str, host: Iterable[Cert] = ()) -> tuple[Cert, ...]:
    """The certificates that a Signed-By value names: an armoured key, key files or fingerprints.

    Fingerprints select among `host`. Raises NoKeyring when a file or key is missing, and its
    subclass UnusableKeyring.
    """
    if "-----BEGIN PGP" in value:
        # deb822 writes an empty line as a lone dot.
        lines = ["" if line.strip() == "." else line.strip() for line in value.splitlines()]
        return _split("\n".join(lines).encode(), "the key in Signed-By")
    certificates: list[Cert] = []
    for word in value.replace(",", " ").split():
        if word.startswith("/"):
            certificates += _load((Path(word),))
        else:
            wanted = word.rstrip("!").lower()
            certificates += [cert for cert in host if cert.fingerprint.endswith(wanted)]
    if not certificates:
        raise NoKeyring(f"no key is known for Signed-By: {value}")
    return tuple(certificates)


def fingerprints(certificates: Iterable[Cert]) -> frozenset[str]:
    """The fingerprints, lower-case hex."""
    return frozenset(cert.fingerprint.lower() for cert in certificates)


def verify_clear_signed(data: bytes, certificates: Sequence[Cert], what: str) -> Verified:
    """The signed content of `data` when at least one of `certificates` made a good signature.

    Only this content may be used: text before or after the signed part is not in it. `what` names
    the file in the BadSignature that is raised otherwise.
    """
    import pysequoia

    if not data.lstrip().startswith(b"-----BEGIN PGP SIGNED MESSAGE-----"):
        raise BadSignature(what, "it is not a clear-signed file")
    try:
        result = pysequoia.verify(bytes=data, store=lambda _ids: list(certificates))
    except Exception as error:  # pysequoia raises RuntimeError with a stack trace in its text
        reason = str(error).partition("\n")[0].rstrip(".")
        raise BadSignature(what, reason or type(error).__name__) from None
    signers = frozenset(str(sig.certificate).lower() for sig in result.valid_sigs)
    trusted = signers & fingerprints(certificates)
    if not trusted or result.bytes is None:
        raise BadSignature(what, "no valid signature")
    try:
        return Verified(bytes(result.bytes).decode("utf-8"), trusted)
    except UnicodeDecodeError as error:
        raise BadSignature(what, f"its content is not UTF-8 ({error.reason})") from error


@lru_cache
def _load(paths: tuple[Path, ...]) -> tuple[Cert, ...]:
    certificates: list[Cert] = []
    for path in paths:
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise NoKeyring(
                f"there is no keyring {path}", hint="correct Signed-By in the package sources"
            ) from error
        except OSError as error:
            raise UnusableKeyring(f"cannot read the keyring {path}: {error.strerror}") from error
        certificates += _split(data, str(path))
    return tuple(certificates)


def _split(data: bytes, what: str) -> tuple[Cert, ...]:
    import pysequoia

    try:
        return tuple(pysequoia.Cert.split_bytes(data))
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise UnusableKeyring(f"{what} holds no usable OpenPGP key: {reason}") from None
