"""The first example, built by an ordinary user, boots to a login, and is what was declared."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders.vm import Disk, Machine
from tests.boot.harness import Console, booted
from tests.conftest import ROOT, Folders, RunKiln

pytestmark = [pytest.mark.boot, pytest.mark.archive]


@pytest.fixture(scope="module")
def image(run_kiln: RunKiln, ordinary_folders: Folders) -> Path:
    """The image of examples/bare-bones.scm."""
    return run_kiln("image", ROOT / "examples/bare-bones.scm", folders=ordinary_folders).result


@pytest.fixture(scope="module")
def console(image: Path) -> Iterator[Console]:
    """The serial console of the running image, with alice logged in."""
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("qemu-system-x86_64 is not installed")
    with booted(Machine(disks=(Disk(image, snapshot=True),)), patience=240) as console:
        console.log_in("alice", "kiln")
        console.command("echo kiln | sudo -S -p '' -v")
        yield console
        console.power_off("sudo -n poweroff")


def test_the_declared_user_is_logged_in(console: Console) -> None:
    assert console.command("id -un") == "alice"
    assert {"users", "wheel", "audio", "video"} == set(console.command("id -Gn").split())
    assert console.command("pwd") == "/home/alice"


def test_host_name_and_time_zone_are_the_declared_ones(console: Console) -> None:
    assert console.command("hostname") == "komputilo"
    assert console.command("date +%Z") in ("CET", "CEST")


def test_the_locale_is_there(console: Console) -> None:
    assert "en_US.utf8" in console.command("locale -a").split()
    assert console.command("locale 2>&1 | head -1") == "LANG=en_US.UTF-8"


def test_the_root_is_the_partition_of_the_image(console: Console) -> None:
    source, kind = console.command("findmnt -no SOURCE,FSTYPE /").split()
    assert source.startswith("/dev/vda1")
    assert kind == "ext4"
    uuid = console.command("findmnt -no UUID /")
    assert f"root=UUID={uuid}" in console.command("cat /proc/cmdline")
    assert f"UUID={uuid} / ext4" in console.command("cat /etc/fstab")


def test_declared_packages_are_installed_and_run(console: Console) -> None:
    assert console.command("tmux -V").startswith("tmux ")
    assert console.command("dpkg-query -W -f '${Status}' tmux") == "install ok installed"
    assert console.command("dpkg --audit") == ""


def test_apt_finds_nothing_amiss(console: Console) -> None:
    assert console.command("sudo -n apt-get check -qq; echo $?") == "0"


def test_no_unit_failed(console: Console) -> None:
    console.command("systemctl is-system-running --wait", patience=240)
    assert console.command("systemctl --failed --no-legend --plain") == ""
    assert console.command("systemctl is-system-running") == "running"


def test_ssh_listens_with_keys_of_its_own(console: Console) -> None:
    assert console.command("systemctl is-active ssh") == "active"
    assert "ssh_host_ed25519_key.pub" in console.command("ls /etc/ssh")


def test_the_network_was_asked_for_an_address(console: Console) -> None:
    assert "10.0.2." in console.command("hostname -I")


def test_sudo_is_for_the_group_wheel(console: Console) -> None:
    assert console.command("sudo -n id -u") == "0"
