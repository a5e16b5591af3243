"""Maintainer scripts run in a laid out root, in the order that makes a Debian system of it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from builders.debian.chroot import Chroot
from builders.debian.control import parse_relations
from builders.debian.dpkgdb import DIRECTORY, Unpacked
from builders.debian.recorder import Record, Recorder
from builders.errors import BuilderError

MASKED = (
    # the initial tree and the boot menu are Kiln's own
    "/usr/sbin/update-initramfs",
    "/usr/sbin/update-grub",
    "/usr/sbin/grub-mkconfig",
    "/usr/sbin/grub-install",
    # a page index costs seconds and is made again by a timer
    "/usr/bin/mandb",
    # identities are made by each machine
    "/usr/bin/ssh-keygen",
    "/usr/sbin/make-ssl-cert",
    "/usr/bin/dbus-uuidgen",
    # and so are databases, which have an identity and are full of times
    "/usr/bin/pg_createcluster",
    "/usr/bin/mariadb-install-db",
)
"""Programs that do nothing while packages are configured."""

EARLY = ("base-passwd", "base-files", "mawk", "gawk", "original-awk", "dpkg", "libc6", "perl-base",
         "debconf")  # fmt: skip
"""Packages that the scripts of others use without depending on them, in the order to configure."""

_TAIL = 20
_DPKG = "/usr/bin/dpkg"
_SCRIPT_NAMES = {"pre-installation": "preinst", "post-installation": "postinst"}
_ERROR = re.compile(r"dpkg: error processing package (\S+) ")
_UNMET = "dpkg: dependency problems prevent configuration of"
_FAILED_SCRIPT = re.compile(
    r" installed \S+ package (\S+) script subprocess (?:returned error exit status|was killed by "
    r"signal) (.*)"
)


class MaintainerScriptFailed(BuilderError):
    """A script of a package ended with an error.

    package, script, status   which one, and what it ended with (negative: the signal)
    tail                      the last lines of output before
    """

    def __init__(self, package: str, script: str, status: int, tail: Sequence[str]) -> None:
        ended = f"exit status {status}" if status >= 0 else f"signal {-status}"
        super().__init__(
            f"the {script} script of package {package} failed with {ended}\n"
            + "\n".join(f"  {line}" for line in tail),
            hint="all of its output is in the build's log; scripts have no network, no running "
            "services and no other users here",
        )
        self.package = package
        self.script = script
        self.status = status
        self.tail = tuple(tail)


class ConfigurationFailed(BuilderError):
    """dpkg could not configure the packages, for another reason than a failing script."""


def environment(date: int) -> dict[str, str]:
    """The environment of maintainer scripts; `date` (s) is theirs to use for time stamps."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "SHELL": "/bin/sh",
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "DEBIAN_FRONTEND": "noninteractive",
        "DEBCONF_NONINTERACTIVE_SEEN": "true",
        "DEBCONF_NOWARNINGS": "yes",
        "SYSTEMD_OFFLINE": "1",
        "SOURCE_DATE_EPOCH": str(date),
        # hash tables of scripts come out in the same order each time
        "PERL_HASH_SEED": "0",
        "PYTHONHASHSEED": "0",
    }


def configure(
    root: Path,
    packages: Sequence[Unpacked],
    owned: Mapping[str, Record],
    *,
    date: int,
    log: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> Recorder:
    """Bring the packages laid out in `root`, in the order of unpacking, to be installed.

    owned     what packages say of owners, by canonical path
    date      seconds; what scripts are told to use for time stamps
    log       gets each line of the scripts' output
    progress  gets (packages configured, of how many)

    Returns what the scripts said of owners, attributes, devices and users. Raises
    MaintainerScriptFailed, ConfigurationFailed and what Chroot raises.
    """
    watch = _Watch(len(packages), log, progress)
    with Chroot(root, masked=MASKED, on_line=watch.see) as chroot:
        for path, record in owned.items():
            chroot.recorder.note(root / path, record)
        steps = _Steps(chroot, watch, environment(date), packages)
        steps.run()
        return chroot.recorder


class Needs:
    """What of a set of packages each one depends on; versions were the resolver's business."""

    def __init__(self, packages: Sequence[Unpacked]) -> None:
        self._by_name: dict[str, Unpacked] = {}
        for package in packages:
            for alternatives in parse_relations(package.fields.get("Provides", "")):
                self._by_name.setdefault(alternatives[0].name, package)
        self._by_name.update((package.name, package) for package in packages)

    def of(self, package: Unpacked, field: str) -> list[Unpacked]:
        """The packages that the relations in a field are satisfied by."""
        found = []
        for alternatives in parse_relations(package.fields.get(field, "")):
            names = [relation.name for relation in alternatives]
            present = [self._by_name[name] for name in names if name in self._by_name]
            found += present[:1]
        return found

    def closure(self, packages: Iterable[Unpacked]) -> set[str]:
        """The names of `packages` and of all that they need to be configured."""
        names: set[str] = set()
        pending = list(packages)
        while pending:
            package = pending.pop()
            if package.name not in names:
                names.add(package.name)
                pending += self.of(package, "Pre-Depends") + self.of(package, "Depends")
        return names


class _Watch:
    """Reads along with the scripts' output."""

    def __init__(
        self, total: int, log: Callable[[str], None], progress: Callable[[int, int], None]
    ) -> None:
        self.tail: deque[str] = deque(maxlen=_TAIL)
        self.failed: MaintainerScriptFailed | None = None
        self.unmet: list[str] = []
        self._in_unmet = False
        self._package = ""
        self._configured = 0
        self._total = total
        self._log = log
        self._progress = progress

    def see(self, line: str) -> None:
        self._log(line)
        self._in_unmet = line.startswith(_UNMET) or (self._in_unmet and line.startswith(" "))
        if self._in_unmet:
            self.unmet.append(line)
        elif line.startswith("Setting up "):
            self._configured += 1
            self._progress(self._configured, self._total)
        elif error := _ERROR.match(line):
            self._package = error[1]
        elif (failure := _FAILED_SCRIPT.match(line)) and self.failed is None:
            script = _SCRIPT_NAMES.get(failure[1], failure[1])
            number = re.search(r"\d+", failure[2])
            status = int(number[0]) if number else 1
            status = -status if failure[0].find("killed by") >= 0 else status
            self.failed = MaintainerScriptFailed(self._package, script, status, self.tail)
        self.tail.append(line)


class _Steps:
    """The programs that configuring consists of."""

    def __init__(
        self,
        chroot: Chroot,
        watch: _Watch,
        environment: Mapping[str, str],
        packages: Sequence[Unpacked],
    ) -> None:
        self._chroot = chroot
        self._watch = watch
        self._environment = environment
        self._packages = packages
        self._names = {package.name: package for package in packages}
        self._needs = Needs(packages)
        self._configured: set[str] = set()
        self._prepared: set[str] = set()

    def run(self) -> None:
        """All of them, in order."""
        early = [name for name in EARLY if name in self._names]
        usable = {*early, *(one.name for one in self._packages if one.essential)}
        waiting = []
        # base-passwd makes the users that other scripts speak of
        for package in sorted(self._packages, key=lambda package: package.name != "base-passwd"):
            first = {one.name for one in self._needs.of(package, "Pre-Depends")}
            if "preinst" not in package.members:
                continue
            if first <= usable:
                self._preinst(package)
            else:
                waiting.append(package)
        self._dpkg("--force-depends", "--no-triggers", "--configure", *early)
        self._configured |= set(early)
        for package in waiting:
            self._prepare(package, {one.name for one in waiting})
        self._dpkg("--configure", "--pending")
        self._audit()

    def _prepare(self, package: Unpacked, waiting: set[str]) -> None:
        """Run the preinst of a package that needs more than essential ones for it: configure what
        it pre-depends on, and run before what those need themselves.
        """
        if package.name in self._prepared:
            return
        self._prepared.add(package.name)
        first = self._needs.closure(self._needs.of(package, "Pre-Depends"))
        for name in sorted(first & waiting):
            self._prepare(self._names[name], waiting)
        in_order = [one.name for one in self._packages if one.name in first - self._configured]
        # in a cycle of dependencies, not all that they need can be configured before
        force = ["--force-depends"] if package.name in first else []
        names = [name for name in in_order if name != package.name]
        if names:
            self._dpkg(*force, "--configure", *names)
            self._configured |= set(names)
        self._preinst(package)

    def _preinst(self, package: Unpacked) -> None:
        """Run the script that dpkg would have run before unpacking."""
        dpkg = self._names.get("dpkg")
        dpkg_version = dpkg.fields["Version"] if dpkg else ""
        told = {
            "DPKG_MAINTSCRIPT_PACKAGE": package.name,
            "DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT": "1",
            "DPKG_MAINTSCRIPT_ARCH": package.fields["Architecture"],
            "DPKG_MAINTSCRIPT_NAME": "preinst",
            "DPKG_RUNNING_VERSION": dpkg_version.partition("-")[0],
            "DPKG_ADMINDIR": f"/{DIRECTORY}",
            "DPKG_ROOT": "",
            "DEBCONF_PACKAGE": package.name,
        }
        script = f"/{DIRECTORY}/info/{package.info_name}.preinst"
        self._watch.tail.clear()
        status = self._chroot.run([script, "install"], {**self._environment, **told})
        if status:
            raise MaintainerScriptFailed(package.name, "preinst", status, self._watch.tail)

    def _dpkg(self, *arguments: str) -> None:
        """Run the root's own dpkg."""
        self._watch.tail.clear()
        if self._chroot.run([_DPKG, *arguments], self._environment):
            raise self._watch.failed or ConfigurationFailed(
                "dpkg cannot configure the packages:\n"
                + "\n".join(f"  {line}" for line in self._watch.unmet or self._watch.tail),
                hint="all of its output is in the build's log",
            )

    def _audit(self) -> None:
        """Have dpkg say what it finds wrong with the result, which must be nothing."""
        self._watch.tail.clear()
        if self._chroot.run([_DPKG, "--audit"], self._environment) or self._watch.tail:
            raise ConfigurationFailed(
                "packages are not installed as they should be:\n"
                + "\n".join(f"  {line}" for line in self._watch.tail)
            )
