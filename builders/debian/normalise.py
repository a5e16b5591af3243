"""What of a configured root must not be in an image, or not as it came out.

Backups, caches and logs; identities that each machine makes for itself; days and random numbers.
Pure: from entries to entries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from builders.merge import merge
from builders.tree import Entry, ReadContent

_SECONDS_PER_DAY = 86_400

REMOVED = re.compile(
    "|".join(
        (
            r"(?:dev|proc|sys|run|tmp|var/tmp)/.+",
            # backups and locks
            r"etc/(?:passwd|group|shadow|gshadow|subuid|subgid)-",
            r"etc/\.pwd\.lock",
            r"var/lib/dpkg/(?:[^/]+-old|lock|lock-frontend|triggers/Lock)",
            r"var/cache/debconf/[^/]+-old",
            r"var/lib/ucf/[^/]+\.\d+",
            r"var/backups/.+",
            # what each machine makes for itself
            r"etc/ssh/ssh_host_[^/]+_key(?:\.pub)?",
            r"etc/ssl/(?:private/ssl-cert-snakeoil\.key|certs/ssl-cert-snakeoil\.pem)",
            r"var/lib/systemd/(?:random-seed|credential\.secret)",
            r"var/lib/urandom/random-seed",
            # the build's
            r"usr/sbin/policy-rc\.d",
        )
    )
)
CACHES = re.compile(r"var/(?:cache/(?:apt|ldconfig|man)|lib/apt/lists)/.+")
"""Directories stay in these; files do not."""
LOGS = "var/log/"

# Postfix's table of aliases holds times and remains of memory: it is made when Postfix starts
_ALIASES = "etc/aliases.db"
_ALIASES_UNIT = "usr/lib/systemd/system/postfix@.service.d/kiln-aliases.conf"
_ALIASES_TEXT = b"[Service]\nExecStartPre=/usr/bin/newaliases\n"

_MACHINE_ID = "etc/machine-id"
_DBUS_MACHINE_ID = "var/lib/dbus/machine-id"
_SYSTEMD = "usr/lib/systemd/systemd"


def normalise(entries: Iterable[Entry], read: ReadContent, *, date: int) -> list[Entry]:
    """The tree without what belongs to the build or to one machine, in the order of trees.

    `date` (s) is the day that accounts count as changed, where a script took the clock's.
    """
    time = date * 1_000_000_000
    result: list[Entry] = []
    made: list[Entry] = []
    for entry in entries:
        path = entry.path
        patterns = (REMOVED,) if entry.kind == "d" else (REMOVED, CACHES)
        if path == _MACHINE_ID or any(pattern.fullmatch(path) for pattern in patterns):
            continue
        if entry.kind == "f" and entry.size and path.startswith(LOGS):
            continue
        if path == _DBUS_MACHINE_ID:
            target = f"/{_MACHINE_ID}"
            result.append(entry._replace(kind="l", mode=0o777, size=len(target), ref=target))
        elif path == _ALIASES:
            made.append(
                Entry(_ALIASES_UNIT, "f", 0o644, 0, 0, time, len(_ALIASES_TEXT), _ALIASES_TEXT)
            )
        elif path == "etc/shadow" and entry.kind == "f":
            text = shadow_of_day(read(entry), date // _SECONDS_PER_DAY)
            result.append(entry._replace(size=len(text), ref=text))
        else:
            result.append(entry)
        if path == _SYSTEMD:
            # empty, it has systemd make an identity at each start, until one can be kept
            made.append(Entry(_MACHINE_ID, "f", 0o444, mtime=time))
    return merge(result, made, time=time)


def shadow_of_day(text: bytes, day: int) -> bytes:
    """shadow(5) with the dates of last change, where there is a positive one, set to `day`."""
    lines = []
    for line in text.split(b"\n"):
        fields = line.split(b":")
        if len(fields) == 9 and fields[2].isdigit() and int(fields[2]) > 0:
            fields[2] = str(day).encode()
        lines.append(b":".join(fields))
    return b"\n".join(lines)
