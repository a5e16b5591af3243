"""APT as the judge of the resolver: the same packages, installed into an empty root."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from builders.debian.archive import Archive
from builders.debian.index import Index
from builders.debian.resolver import resolve
from builders.debian.sources import host_sources

pytestmark = [
    pytest.mark.archive,
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="apt-get is the judge"),
]

SERVER = (
    "systemd-sysv udev dbus openssh-server linux-image-cloud-amd64 grub-pc-bin iproute2 nginx "
    "python3 tmux"
)


@pytest.fixture(scope="module")
def archive(test_cache: Path) -> Archive:
    return Archive(host_sources(), test_cache / "archive")


@pytest.fixture(scope="module")
def index(archive: Archive) -> Index:
    return archive.index()


@pytest.fixture(scope="module")
def apt(archive: Archive, index: Index, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command, with a state of its own, fed from the very lists that the index is made of."""
    root = tmp_path_factory.mktemp("apt")
    for name in ("etc/apt", "var/lib/dpkg", "var/cache/apt/archives/partial", "var/lib/apt/lists"):
        (root / name).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    (root / "empty").touch()
    (root / "empty.d").mkdir()
    stanzas = []
    for path in sorted((archive.cache / "lists").iterdir()):
        if path.read_bytes()[:6] == b"\xfd7zXZ\0":
            stanzas.append(subprocess.check_output(["xz", "-dc", path]))
    (root / "repository").mkdir()
    (root / "repository/Packages").write_bytes(b"\n".join(stanzas))
    (root / "sources.list").write_text(f"deb [trusted=yes] file:{root}/repository ./\n")
    options = {
        "Dir": root,
        "Dir::State": root / "var/lib/apt",
        "Dir::State::status": root / "var/lib/dpkg/status",
        "Dir::Etc::sourcelist": root / "sources.list",
        "Dir::Etc::sourceparts": root / "empty.d",
        "Dir::Etc::preferencesparts": root / "empty.d",
        "Dir::Etc::parts": root / "empty.d",
        "APT::Architecture": "amd64",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    command = ["env", "LC_ALL=C", f"APT_CONFIG={root}/empty", "apt-get"]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    subprocess.run([*command, "update"], check=True, capture_output=True)
    return command


def _apt(apt: list[str], names: list[str]) -> set[tuple[str, str]]:
    output = subprocess.run(
        [*apt, "install", "-s", "--no-install-recommends", *names],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    lines = [line.split() for line in output.splitlines() if line.startswith("Inst ")]
    return {(words[1], words[2].strip("(")) for words in lines}


@pytest.mark.parametrize(
    "wanted",
    [
        SERVER, "docker.io samba", "network-manager xfce4", "postfix dovecot-imapd cloud-init",
    ],
)  # fmt: skip
def test_apt_would_install_the_same(index: Index, apt: list[str], wanted: str) -> None:
    names = wanted.split()
    ours = {(one.name, one.version) for one in resolve(index, names)}
    assert ours == _apt(apt, [*index.essential(), *names])


@pytest.mark.parametrize("wanted", ["apache2 php mariadb-server"])
def test_where_a_later_choice_satisfies_an_earlier_one_less_is_installed(
    index: Index, apt: list[str], wanted: str
) -> None:
    names = wanted.split()
    ours = {(one.name, one.version) for one in resolve(index, names)}
    assert ours < _apt(apt, [*index.essential(), *names])
