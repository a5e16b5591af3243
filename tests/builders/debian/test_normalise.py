"""What leaves a configured root before it becomes an image."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.debian.normalise import normalise, shadow_of_day
from builders.tree import Entry, content_reader

DATE = 1_700_000_000
DAY = DATE // 86_400


def no_source(source: str) -> None:
    raise AssertionError(source)


def tree(*paths: str, data: bytes = b"x") -> list[Entry]:
    found = {"": Entry("", "d", 0o755)}
    for path in paths:
        parts = path.rstrip("/").split("/")
        for count in range(1, len(parts)):
            parent = "/".join(parts[:count])
            found.setdefault(parent, Entry(parent, "d", 0o755))
        if path.endswith("/"):
            found[path[:-1]] = Entry(path[:-1], "d", 0o755)
        else:
            found[path] = Entry(path, "f", 0o644, size=len(data), ref=data or None)
    return list(found.values())


def normalised(entries: list[Entry]) -> dict[str, Entry]:
    result = normalise(entries, content_reader(no_source), date=DATE)  # type: ignore[arg-type]
    assert [entry.path for entry in result] == sorted(entry.path for entry in result)
    return {entry.path: entry for entry in result}


@pytest.mark.parametrize(
    "path",
    [
        "etc/passwd-",
        "etc/gshadow-",
        "etc/.pwd.lock",
        "etc/ssh/ssh_host_ed25519_key",
        "etc/ssh/ssh_host_rsa_key.pub",
        "etc/ssl/private/ssl-cert-snakeoil.key",
        "run/lock/",
        "tmp/x",
        "usr/sbin/policy-rc.d",
        "var/cache/apt/pkgcache.bin",
        "var/cache/debconf/config.dat-old",
        "var/cache/ldconfig/aux-cache",
        "var/cache/man/index.db",
        "var/lib/apt/lists/x_InRelease",
        "var/lib/dpkg/status-old",
        "var/lib/dpkg/lock-frontend",
        "var/lib/systemd/random-seed",
        "var/log/dpkg.log",
        "var/log/apt/history.log",
    ],
)
def test_it_is_gone(path: str) -> None:
    assert path.rstrip("/") not in normalised(tree(path))


@pytest.mark.parametrize(
    "path",
    [
        "etc/passwd",
        "etc/ssh/sshd_config",
        "run/",
        "tmp/",
        "var/cache/apt/archives/partial/",
        "var/cache/man/",
        "var/lib/apt/lists/",
        "var/lib/dpkg/status",
        "var/lib/dpkg/info/x.list",
        "var/log/journal/",
        "var/cache/debconf/config.dat",
    ],
)
def test_it_stays(path: str) -> None:
    assert path.rstrip("/") in normalised(tree(path))


def test_an_empty_log_stays_with_its_owner() -> None:
    assert "var/log/wtmp" in normalised(tree("var/log/wtmp", data=b""))


def test_a_machine_has_no_identity_yet() -> None:
    found = normalised(tree("etc/machine-id", "usr/lib/systemd/systemd", "var/lib/dbus/machine-id"))
    assert found["etc/machine-id"].size == 0
    assert found["etc/machine-id"].mode == 0o444
    assert found["var/lib/dbus/machine-id"].ref == "/etc/machine-id"


def test_without_systemd_there_is_no_machine_id() -> None:
    assert "etc/machine-id" not in normalised(tree("etc/machine-id"))


def test_postfix_makes_its_table_when_it_starts() -> None:
    found = normalised(tree("etc/aliases.db"))
    assert "etc/aliases.db" not in found
    assert found["usr/lib/systemd/system/postfix@.service.d/kiln-aliases.conf"].kind == "f"


def test_accounts_changed_on_the_archives_day() -> None:
    text = b"root:*:20000:0:99999:7:::\nold:!:0:0:99999:7:::\nodd:!::::::\n"
    entries = tree("etc/shadow", data=text)
    shadow = normalised(entries)["etc/shadow"]
    expected = b"root:*:%d:0:99999:7:::\nold:!:0:0:99999:7:::\nodd:!::::::\n" % DAY
    assert shadow.ref == expected
    assert shadow.size == len(expected)


@given(st.binary(), st.integers(min_value=1, max_value=99_999))
def test_only_days_of_whole_lines_change(text: bytes, day: int) -> None:
    changed = shadow_of_day(text, day)
    assert changed.count(b"\n") == text.count(b"\n")
    assert shadow_of_day(changed, day) == changed
    for old, new in zip(text.split(b"\n"), changed.split(b"\n"), strict=True):
        fields, others = old.split(b":"), new.split(b":")
        assert fields[:2] + fields[3:] == others[:2] + others[3:]
