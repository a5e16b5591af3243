"""Configured roots, built from the archive: complete, and the same whoever builds them and when."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from builders import mtree, pack
from builders.debian import dpkgdb
from builders.debian.archive import Archive
from builders.debian.configure import ConfigurationFailed, MaintainerScriptFailed
from builders.debian.deb import unpack_derivation
from builders.debian.resolver import resolve
from builders.debian.root import build, root_derivation
from builders.debian.sources import host_sources
from builders.realise import realise
from builders.registry import Build
from builders.store import Store
from builders.tree import Entry, content_reader, order
from tests.conftest import ROOT, Folders, as_user

pytestmark = pytest.mark.archive

LEAST = ("usr-is-merged", "mawk")
BASE = ("usr-is-merged", "mawk", "systemd-sysv", "udev", "dbus")
SERVER = (*BASE, "openssh-server", "linux-image-cloud-amd64", "iproute2", "nginx", "python3",
          "iputils-ping", "ca-certificates")  # fmt: skip
LOGICAL = "/kiln/store/00000000000000000000000000000000-root"


@dataclass(frozen=True)
class Ingredients:
    """Unpacked packages in a store, and the arguments of a build of them."""

    store: Store
    arguments: dict[str, object]

    @property
    def environment(self) -> dict[str, str]:
        return {"KILN_STORE": str(self.store.root)}


class Built:
    """An output of the builder."""

    def __init__(self, ingredients: Ingredients, output: Path) -> None:
        self.store = ingredients.store
        self.output = output
        self.manifest = (output / "manifest").read_bytes()
        self.pack = (output / pack.NAME).read_bytes()
        self.log: list[str] = []

    @cached_property
    def entries(self) -> dict[str, Entry]:
        return {entry.path: entry for entry in mtree.read_item(self.output, LOGICAL)}

    def read(self, path: str) -> str:
        return content_reader(self._real)(self.entries[path]).decode()

    def _real(self, source: str) -> Path:
        if source.startswith(LOGICAL):
            return self.output / pack.NAME
        return self.store.real(source)


def ingredients(store: Store, cache: Path, wanted: Sequence[str]) -> Ingredients:
    index = Archive(host_sources(), cache / "archive").index()
    packages = resolve(index, wanted)
    items = realise([unpack_derivation(package) for package in packages], store)
    arguments = root_derivation(packages, (), date=index.date).arguments
    assert list(arguments["packages"]) == items  # type: ignore[call-overload, arg-type]
    return Ingredients(store, dict(arguments))


def make(one: Ingredients, folder: Path, **changed: object) -> Built:
    """Run the builder here."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    log: list[str] = []
    job = Build(
        "root",
        {**one.arguments, **changed},
        folder / "output",
        scratch,
        one.store.root,
        LOGICAL,
        report=lambda message: log.append(message[1]) if message[0] == "log" else None,
    )
    try:
        build(job)
        built = Built(one, folder / "output")
        built.log = log
        return built
    finally:
        shutil.rmtree(scratch)


@pytest.fixture(scope="session")
def store(shared_folders: Folders) -> Iterator[Store]:
    with Store(shared_folders.base / "store") as store:
        yield store


@pytest.fixture(scope="session")
def least(store: Store, test_cache: Path) -> Ingredients:
    return ingredients(store, test_cache, LEAST)


@pytest.fixture(scope="session")
def base(store: Store, test_cache: Path) -> Ingredients:
    return ingredients(store, test_cache, BASE)


@pytest.fixture(scope="session")
def server(store: Store, test_cache: Path) -> Ingredients:
    return ingredients(store, test_cache, SERVER)


@pytest.fixture(scope="session")
def base_root(base: Ingredients, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return make(base, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def server_root(server: Ingredients, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return make(server, tmp_path_factory.mktemp("server"))


class TestServer:
    def test_all_packages_are_installed_says_dpkg(
        self, server_root: Built, server: Ingredients, tmp_path: Path
    ) -> None:
        if shutil.which("dpkg-query") is None:
            pytest.skip("no dpkg here")
        for path, entry in server_root.entries.items():
            if path.startswith(dpkgdb.DIRECTORY):
                target = tmp_path / path
                target.parent.mkdir(parents=True, exist_ok=True)
                if entry.kind == "f":
                    target.write_text(server_root.read(path))
        admin = f"--admindir={tmp_path / dpkgdb.DIRECTORY}"
        shown = subprocess.run(
            ["dpkg-query", admin, "-W", "-f", "${db:Status-Abbrev}\n"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        packages = server.arguments["packages"]
        assert isinstance(packages, list)
        assert shown.split() == ["ii"] * len(packages)

    def test_what_dpkg_lists_is_there(self, server_root: Built) -> None:
        """Without what normalising takes away and what scripts remove, all else is there."""
        paths = set()
        for path in server_root.entries:
            if path.startswith(f"{dpkgdb.DIRECTORY}/info/") and path.endswith(".list"):
                paths |= {line[1:] for line in server_root.read(path).splitlines()}
        merged = {path.split("/")[0] for path in server_root.entries if "/" not in path}
        found = set(server_root.entries) | {"."}
        links = {name for name in merged if server_root.entries[name].kind == "l"}
        missing = {
            path
            for path in paths
            if path not in found
            and not (path.split("/")[0] in links and f"usr/{path}" in found)
            and not path.startswith(("run/", "var/cache/apt/", "var/lock"))
        }
        assert missing == set()

    def test_contents_have_the_digests_of_their_packages(self, server_root: Built) -> None:
        import hashlib

        for path in ("dpkg", "libc6:amd64", "systemd", "openssh-server"):
            text = server_root.read(f"{dpkgdb.DIRECTORY}/info/{path}.md5sums")
            for line in text.splitlines():
                digest, _, name = line.partition("  ")
                place = name if name in server_root.entries else f"usr/{name}"
                reader = content_reader(server_root._real)
                data = reader(server_root.entries[place])
                assert hashlib.md5(data).hexdigest() == digest, name

    def test_unchanged_contents_stay_in_the_packs_of_their_packages(
        self, server_root: Built
    ) -> None:
        kernel = next(path for path in server_root.entries if path.startswith("boot/vmlinuz-"))
        ref = server_root.entries[kernel].ref
        assert isinstance(ref, tuple)
        assert not str(ref[0]).startswith(LOGICAL)
        assert len(server_root.pack) < 60 << 20

    def test_owners_modes_and_attributes_are_debians(self, server_root: Built) -> None:
        entries = server_root.entries
        groups = {
            line.split(":")[0]: int(line.split(":")[2])
            for line in server_root.read("etc/group").splitlines()
        }

        def shown(path: str) -> tuple[int, int, int]:
            entry = entries[path]
            return entry.mode, entry.uid, entry.gid

        assert shown("etc/shadow") == (0o640, 0, groups["shadow"])
        assert shown("etc/gshadow") == (0o640, 0, groups["shadow"])
        assert shown("var/mail") == (0o2775, 0, groups["mail"])
        assert shown("usr/bin/su") == (0o4755, 0, 0)
        assert shown("usr/bin/chage") == (0o2755, 0, groups["shadow"])
        assert shown("usr/bin/ssh-agent") == (0o2755, 0, groups["_ssh"])
        helper = "usr/lib/dbus-1.0/dbus-daemon-launch-helper"
        assert shown(helper) == (0o4754, 0, groups["messagebus"])
        assert shown("var/log/nginx")[1:] == (0, groups["adm"])
        assert shown("var/log/journal") == (0o2755, 0, groups["systemd-journal"])
        assert "system.posix_acl_access" in (entries["var/log/journal"].xattrs or {})
        assert "security.capability" in (entries["usr/bin/ping"].xattrs or {})
        assert entries["root"].mode == 0o700
        assert entries["tmp"].mode == 0o1777

    def test_services_are_enabled_and_were_not_started(self, server_root: Built) -> None:
        wanted = "etc/systemd/system/multi-user.target.wants"
        assert f"{wanted}/ssh.service" in server_root.entries
        assert f"{wanted}/nginx.service" in server_root.entries
        assert "etc/systemd/system/getty.target.wants/getty@tty1.service" in server_root.entries
        assert "usr/sbin/policy-rc.d" not in server_root.entries

    def test_nothing_belongs_to_one_machine(self, server_root: Built) -> None:
        assert server_root.entries["etc/machine-id"].size == 0
        assert not [path for path in server_root.entries if "ssh_host_" in path]
        assert not [path for path in server_root.entries if path.startswith("boot/initrd.img-")]
        machine = bytes.fromhex("6b696c6e") * 4
        assert machine.hex().encode() not in server_root.pack

    def test_programs_chose_and_made_what_they_need(self, server_root: Built) -> None:
        entries = server_root.entries
        assert entries["usr/bin/awk"].ref == "/etc/alternatives/awk"
        assert entries["etc/alternatives/awk"].ref == "/usr/bin/mawk"
        assert entries["etc/ld.so.cache"].size > 1000
        assert entries["etc/ssl/certs/ca-certificates.crt"].size > 100_000
        assert any(path.endswith("/modules.dep.bin") for path in entries)
        assert any(path.endswith("/hwdb.bin") for path in entries)
        assert any(path.endswith("/os.cpython-311.pyc") for path in entries) or any(
            "/__pycache__/os." in path for path in entries
        )

    def test_nothing_is_newer_than_the_archive(
        self, server_root: Built, server: Ingredients
    ) -> None:
        date = server.arguments["date"]
        assert isinstance(date, int)
        assert max(entry.mtime for entry in server_root.entries.values()) == date * 10**9
        shadow = [line.split(":") for line in server_root.read("etc/shadow").splitlines()]
        assert {fields[2] for fields in shadow} <= {str(date // 86400), "", "0"}

    def test_the_tree_is_in_order_with_parents_first(self, server_root: Built) -> None:
        paths = list(server_root.entries)
        assert paths == sorted(paths, key=order)
        directories = {path for path, entry in server_root.entries.items() if entry.kind == "d"}
        assert all(path.rpartition("/")[0] in directories for path in paths)


class TestSameBytes:
    def test_built_by_root_without_user_namespaces(
        self,
        base_root: Built,
        base: Ingredients,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can do without")
        from builders import namespaces

        def forbid(_flags: int, _uid: int = 0, _gid: int = 0) -> None:
            raise namespaces.NamespaceError(1, "making namespaces: Operation not permitted")

        monkeypatch.setattr(namespaces, "unshare_user", forbid)
        again = make(base, tmp_path / "again")
        assert again.manifest == base_root.manifest
        assert again.pack == base_root.pack

    def test_built_by_another_user(
        self, base_root: Built, base: Ingredients, tmp_path: Path
    ) -> None:
        """By an ordinary user, when root runs the tests."""
        if os.geteuid() != 0 or shutil.which("setpriv") is None:
            pytest.skip("only root can become somebody else")
        # the store of the tests may be in a home that others cannot enter
        folder = Path("/var/tmp") / f"kiln-test-root-{os.getpid()}"
        try:
            _share(base, folder / "store")
            (folder / "scratch").mkdir()
            os.chown(folder / "scratch", 65534, 65534)
            os.chown(folder, 65534, 65534)
            code = (
                "import sys, json; from pathlib import Path; from builders.registry import Build\n"
                "from builders.debian.root import build\n"
                "folder, logical, arguments = sys.argv[1:]; folder = Path(folder)\n"
                "build(Build('root', json.loads(arguments), folder / 'output', folder / 'scratch',"
                " folder / 'store', logical))"
            )
            arguments = [str(folder), LOGICAL, json.dumps(base.arguments)]
            done = subprocess.run(
                as_user(65534, [_python(), "-c", code, *arguments]),
                env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin", "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            assert (folder / "output/manifest").read_bytes() == base_root.manifest
            assert (folder / "output" / pack.NAME).read_bytes() == base_root.pack
        finally:
            subprocess.run(["rm", "-rf", str(folder)], check=False)

    def test_built_on_another_day(
        self,
        server_root: Built,
        server: Ingredients,
        test_cache: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        from builders.debian import configure, root

        library = _faketime(server.store, test_cache)
        place, normalise, environment = root.place, root.normalise, configure.environment

        def with_library(*arguments: object, **named: object) -> object:
            layout = place(*arguments, **named)  # type: ignore[arg-type]
            entry = Entry("usr/faketime.so", "f", 0o755, size=len(library), ref=library)
            layout.entries[entry.path] = entry
            return layout

        def without_library(entries: list[Entry], *rest: object, **named: object) -> object:
            kept = [entry for entry in entries if entry.path != "usr/faketime.so"]
            assert len(kept) == len(entries) - 1
            return normalise(kept, *rest, **named)  # type: ignore[arg-type]

        def later(date: int) -> dict[str, str]:
            faked = {"LD_PRELOAD": "/usr/faketime.so", "FAKETIME": "+403d", "NO_FAKE_STAT": "1",
                     "FAKETIME_DONT_RESET": "1"}  # fmt: skip
            return {**environment(date), **faked}

        monkeypatch.setattr(root, "place", with_library)
        monkeypatch.setattr(root, "normalise", without_library)
        monkeypatch.setattr(configure, "environment", later)
        again = make(server, tmp_path / "again")
        assert again.manifest == server_root.manifest
        assert again.pack == server_root.pack


def _share(one: Ingredients, target: Path) -> None:
    """Copies of the items in a store that everybody may read."""
    packages = one.arguments["packages"]
    assert isinstance(packages, list)
    target.mkdir(parents=True)
    for item in packages:
        real = one.store.real(item)
        subprocess.run(["cp", "-r", str(real), str(target / real.name)], check=True)
    subprocess.run(["chmod", "-R", "a+rX", str(target.parent)], check=True)


def _python() -> str:
    """A Python that any user may run: this one is perhaps in somebody's home."""
    for python in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        probe = [python, "-c", "import sys; assert sys.version_info >= (3, 11)"]
        done = subprocess.run(as_user(65534, probe), capture_output=True, check=False, cwd="/")
        if done.returncode == 0:
            return python
    pytest.skip("an ordinary user can run no Python of this host")


def _faketime(store: Store, cache: Path) -> bytes:
    index = Archive(host_sources(), cache / "archive").index()
    package = index.best("libfaketime")
    assert package is not None
    (item,) = realise([unpack_derivation(package)], store)
    directory = store.real(item)
    (entry,) = [
        entry
        for entry in mtree.read_item(directory, item)
        if entry.path.endswith("/libfaketime.so.1")
    ]
    return content_reader(store.real)(entry)


class TestBadPackages:
    """A root with one more package, whose scripts are not as they should be."""

    def with_scripts(self, least: Ingredients, tmp_path: Path, **scripts: str) -> Built:
        name = "0000000000000000000000000000000b-bad"
        item = least.store.root / name
        item.mkdir()
        try:
            (item / "manifest").write_text(mtree.write([Entry("", "d", 0o755)]))
            (item / "pack").touch()
            fields = {"Package": "bad", "Version": "1", "Architecture": "all",
                      "Maintainer": "B <b@example.org>", "Description": "bad"}  # fmt: skip
            control = {"fields": fields, "members": {"md5sums": "", **scripts}}
            (item / "control.json").write_text(json.dumps(control))
            packages = least.arguments["packages"]
            assert isinstance(packages, list)
            return make(least, tmp_path / "bad", packages=[*packages, f"/kiln/store/{name}"])
        finally:
            shutil.rmtree(item)

    def test_a_failing_postinst_is_named(self, least: Ingredients, tmp_path: Path) -> None:
        script = "#!/bin/sh\necho something is wrong\nexit 7\n"
        with pytest.raises(MaintainerScriptFailed) as caught:
            self.with_scripts(least, tmp_path, postinst=script)
        error = caught.value
        assert (error.package, error.script, error.status) == ("bad", "postinst", 7)
        assert "something is wrong" in error.tail

    def test_a_failing_preinst_is_named(self, least: Ingredients, tmp_path: Path) -> None:
        script = "#!/bin/sh\necho oh no >&2\nkill -TERM $$\n"
        with pytest.raises(MaintainerScriptFailed) as caught:
            self.with_scripts(least, tmp_path, preinst=script)
        error = caught.value
        assert (error.package, error.script, error.status) == ("bad", "preinst", -15)
        assert error.tail == ("oh no",)

    def test_a_postinst_that_needs_the_network_fails(
        self, least: Ingredients, tmp_path: Path
    ) -> None:
        script = "#!/bin/bash\necho > /dev/tcp/192.0.2.1/80\n"
        with pytest.raises(MaintainerScriptFailed, match="unreachable"):
            self.with_scripts(least, tmp_path, postinst=script)

    def test_scripts_see_the_archives_day_and_no_terminal(
        self, least: Ingredients, tmp_path: Path
    ) -> None:
        script = "#!/bin/sh\necho day $SOURCE_DATE_EPOCH\n[ ! -t 0 ] && read x || echo no input\n"
        built = self.with_scripts(least, tmp_path, postinst=script)
        assert f"day {least.arguments['date']}" in built.log
        assert "no input" in built.log

    def test_a_dependency_that_is_not_there_is_an_error(
        self, least: Ingredients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from builders.debian import root

        read = root.read_control

        def needy(item: Path) -> dpkgdb.Unpacked:
            unpacked = read(item)
            if unpacked.name != "bad":
                return unpacked
            return dpkgdb.Unpacked({**unpacked.fields, "Depends": "absent"}, unpacked.members)

        monkeypatch.setattr(root, "read_control", needy)
        with pytest.raises(ConfigurationFailed, match="absent"):
            self.with_scripts(least, tmp_path)
