from __future__ import annotations

from pathlib import Path

import pytest

from builders.debian import signature
from builders.debian.signature import BadSignature, NoKeyring, verify_clear_signed
from tests.builders.debian.mirror import Key

TEXT = b"Origin: Debian\nSuite: stable\n"


def test_the_signed_content_and_its_signer_are_given(key: Key) -> None:
    keys = signature.debian_keyring([key.keyring])
    verified = verify_clear_signed(key.sign(TEXT), keys, "InRelease")
    assert verified.text.split("\n")[0] == "Origin: Debian"
    assert verified.signers == signature.fingerprints(keys)


def test_only_what_is_signed_is_given(key: Key) -> None:
    keys = signature.debian_keyring([key.keyring])
    signed = key.sign(TEXT) + b"Origin: Evil\n"
    assert "Evil" not in verify_clear_signed(signed, keys, "InRelease").text
    with pytest.raises(BadSignature, match="not a clear-signed file"):
        verify_clear_signed(b"Origin: Evil\n" + key.sign(TEXT), keys, "InRelease")


@pytest.mark.parametrize(
    "tamper",
    [
        lambda data: data.replace(b"Debian", b"Debiam"),
        lambda data: data.replace(b"stable", b"stable\nMore: 1"),
        lambda data: data[: data.index(b"-----BEGIN PGP SIGNATURE")],
        lambda data: data[: len(data) // 2],
        lambda _data: b"",
        lambda _data: TEXT,
        lambda _data: b"<html>please log in</html>",
        lambda _data: b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nx\n",
    ],
)
def test_tampering_is_caught_and_the_file_named(key: Key, tamper: object) -> None:
    keys = signature.debian_keyring([key.keyring])
    with pytest.raises(BadSignature, match=r"^stable/InRelease is not signed") as caught:
        verify_clear_signed(tamper(key.sign(TEXT)), keys, "stable/InRelease")  # type: ignore[operator]
    assert "\n" not in caught.value.message


def test_another_key_does_not_count(key: Key, tmp_path: Path) -> None:
    other = Key(tmp_path, "other")
    with pytest.raises(BadSignature):
        verify_clear_signed(other.sign(TEXT), signature.debian_keyring([key.keyring]), "f")
    with pytest.raises(BadSignature):
        verify_clear_signed(other.sign(TEXT), (), "f")


def test_signed_by_names_files_keys_and_fingerprints(key: Key) -> None:
    (certificate,) = signature.signed_by(str(key.keyring))
    armoured = str(key.certificate).replace("\n\n", "\n .\n")
    assert [one.fingerprint for one in signature.signed_by(armoured)] == [certificate.fingerprint]
    print_ = certificate.fingerprint.upper()
    assert signature.signed_by(print_ + "!", [certificate]) == (certificate,)


@pytest.mark.parametrize("value", ["/nonexistent.gpg", "0123456789ABCDEF", "-----BEGIN PGP x"])
def test_a_signed_by_that_names_nothing_is_an_error(value: str) -> None:
    with pytest.raises(NoKeyring):
        signature.signed_by(value)


def test_a_file_that_is_no_keyring_is_named(tmp_path: Path) -> None:
    path = tmp_path / "keys.gpg"
    path.write_text("no key")
    with pytest.raises(NoKeyring, match=r"keys\.gpg holds no usable OpenPGP key"):
        signature.debian_keyring([path])
